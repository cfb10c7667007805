/* Options as people type them, after a magic or on the command line: one way to read them, one way to explain them.
 *
 * A table's row is name, argument, help; the same rows give the help text and completion. Everything lives in an arena. */
#ifndef WEIR_VIEW_OPTIONS_H
#define WEIR_VIEW_OPTIONS_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option_row {
    const char *name;      /* without the dashes; NULL ends a table */
    const char *argument;  /* "N", "FILE"; NULL: a switch */
    const char *help;
};

struct option_value {
    const char *name;
    const char *value;     /* "" for a switch */
    bool other;            /* in no row: somebody else's, such as a flow's parameter */
};

struct options {
    struct option_value *values; /* in the order typed, repeated ones included */
    size_t nvalues;
    const char **words;          /* what is no option, in order */
    size_t nwords;
};

/* Split a line into words as a shell does: blanks part words, '..' and ".." keep them, \ takes the next character as it
 * is; a // before which there is a blank (or nothing) begins a comment. ERR_USAGE: a quote that is not closed. */
enum err_code options_split(const char *line, size_t len, struct arena *a, const char ***words, size_t *count,
                            struct err *e);

/* Read `--name value`, `--name=value`, `--switch` and plain words; `--` ends the options. others: names in no row are kept
 * (with a value). Words are borrowed. ERR_USAGE: no such option (with the nearest), a value missing or surplus. */
enum err_code options_parse(const struct option_row *rows, bool others, const char *const *words, size_t count,
                            struct arena *a, struct options *out, struct err *e);

/* The last value given for a name; NULL: not given. */
const char *options_get(const struct options *o, const char *name);

/* A whole number from min to max; *out stays as it is when the option is not given. ERR_USAGE. */
enum err_code options_number(const struct options *o, const char *name, uint64_t min, uint64_t max, uint64_t *out,
                             struct err *e);

/* The rows as aligned lines: "  --name ARG   help". */
void options_help(struct buf *out, const struct option_row *rows);

/* " (did you mean 'run'?)" appended when one or two of the names are near to word. */
void options_nearest(struct buf *out, const char *word, const char *const *names, size_t count);

/* The same, then "; there are --run, --rows" (mark "--"), or "; there are none". */
void options_offer(struct buf *out, const char *word, const char *mark, const char *const *names, size_t count);

#endif
