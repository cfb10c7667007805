/* A cell's text cut into magics and C.
 *
 * A % line is a magic only in column 1, at file scope, and after nothing, a preprocessor line, another magic, `;` or `}`;
 * after the last two only if its name is known. `x\n% b` and `!x` are C. A magic's line goes on after a backslash at its end. */
#ifndef WEIR_LANG_PARTS_H
#define WEIR_LANG_PARTS_H

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum part_kind {
    PART_C,
    PART_LINE,     /* %name ... */
    PART_CELL      /* %%name ... and all that follows */
};

struct part {
    enum part_kind kind;
    const char *text;        /* borrowed from the cell */
    size_t len;
    int line;                /* of its first character, from 1 */
    const char *name;        /* a magic's; borrowed from the cell, NULL for C */
    size_t name_len;
};

/* Whether a name is a magic's. */
typedef bool part_is_magic(void *ctx, const char *name, size_t len);

/* The parts in order, in the arena; C parts of blanks alone are left out. ERR_LIMIT, ERR_MEMORY;
 * ERR_SYNTAX: a %% magic that is not at the cell's beginning. */
enum err_code parts_split(const char *text, size_t len, part_is_magic *is_magic, void *ctx, struct arena *a,
                          struct part **out, size_t *count, struct err *e);

#endif
