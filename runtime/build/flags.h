/* Options for cc: the fixed ones, those of WEIR_CFLAGS, and a growing argument list. */
#ifndef WEIR_BUILD_FLAGS_H
#define WEIR_BUILD_FLAGS_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"

#include <stdbool.h>

struct flags {
    struct arena arena; /* owns the words of flags_words */
    const char **argv;  /* owned, NULL-terminated */
    size_t count, cap;
    bool failed;
};

void flags_init(struct flags *f);
void flags_done(struct flags *f);

/* Append one argument, or a NULL-terminated list (NULL: none). Strings are borrowed. */
void flags_add(struct flags *f, const char *arg);
void flags_adds(struct flags *f, const char *const *args);

/* Append the words of text, split at white space; '...' and "..." keep it together. Copied. */
void flags_words(struct flags *f, const char *text);

/* False: memory ran out somewhere on the way. */
bool flags_ok(const struct flags *f);

/* What cc is called: WEIR_CC, or "cc". */
const char *flags_compiler(void);

/* What counts as an error beyond ISO C's constraints, and _GNU_SOURCE; NULL-terminated, static. */
const char *const *flags_strict(void);

/* A line that changes when the compiler or weir.h does: path, size and time of both. ERR_NOT_FOUND: no compiler. */
enum err_code flags_fingerprint(struct buf *out, const char *include_dir, struct err *e);

#endif
