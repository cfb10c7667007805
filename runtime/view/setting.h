/* Settings as people type and read them: one table says what there is, what is possible and what it is for.
 *
 * A row names an int64_t inside a struct of its owner's, by offset; a setting_store is a table with one such struct. What
 * the struct holds is not taken on trust: a value out of bounds reads as the nearest one inside. */
#ifndef WEIR_VIEW_SETTING_H
#define WEIR_VIEW_SETTING_H

#include "runtime/base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum setting_kind {
    SETTING_BYTES,  /* typed 4096, 512K, 2M, 2 MiB, 1.5G; K, M, G, T are powers of 1024, kB, MB, GB, TB of 1000 */
    SETTING_NUMBER, /* whole */
    SETTING_CHOICE  /* one of a few words */
};

/* Where a value comes from; what comes later in this list wins. */
enum setting_origin {
    SETTING_BUILT_IN,
    SETTING_USER_FILE,
    SETTING_STORE_FILE,
    SETTING_ENVIRONMENT,
    SETTING_TYPED,
    SETTING_ORIGINS
};

enum { SETTING_TEXT_MAX = 64 };

struct setting {
    const char *name;           /* NULL ends a table */
    enum setting_kind kind;
    int64_t preset;             /* the built-in value */
    int64_t least, greatest;
    const char *const *choices; /* SETTING_CHOICE: the words of 0, 1, ..., up to NULL; greatest is the last one's */
    size_t offset;              /* of the int64_t in the store's struct */
    const char *help;           /* one line, no full stop */
};

/* All borrowed. */
struct setting_store {
    const struct setting *rows;
    void *values;
    uint8_t *origins;           /* enum setting_origin of each row; one that is none reads as SETTING_TYPED */
};

/* A row by name. ERR_NAME: no such setting; with the nearest, and all there are. */
enum err_code setting_find(const struct setting *rows, const char *name, const struct setting **out, struct err *e);

/* The value that a text means. ERR_USAGE: with the setting, the text and what is possible. */
enum err_code setting_parse(const struct setting *row, const char *text, int64_t *out, struct err *e);

/* A value as text ("2 MiB", "10", "auto"); setting_parse reads it back as the same value. Returns out. */
const char *setting_format(const struct setting *row, int64_t value, char out[SETTING_TEXT_MAX]);

/* "a whole number from 0 to 64", "auto, on or off", appended. */
void setting_possible(struct buf *out, const struct setting *row);

int64_t setting_get(const struct setting_store *s, const struct setting *row);

/* The value of a setting that there must be, as text. Returns out. */
const char *setting_text(const struct setting_store *s, const char *name, char out[SETTING_TEXT_MAX]);

/* Set by text; ERR_NAME, ERR_USAGE: as above, nothing is changed. */
enum err_code setting_set(const struct setting_store *s, const char *name, const char *text, enum setting_origin origin,
                          struct err *e);

/* Back to the built-in value. */
void setting_reset(const struct setting_store *s, const struct setting *row);

/* Where a row's value comes from, for people: "WEIR_UNDO", ".weir/config.json"; "" for the built-in one. Returns out. */
const char *setting_origin(const struct setting_store *s, const struct setting *row, char out[SETTING_TEXT_MAX]);

/* The name of a row's variable in the environment: "WEIR_UNDO". Returns out. */
const char *setting_variable(const struct setting *row, char out[SETTING_TEXT_MAX]);

#endif
