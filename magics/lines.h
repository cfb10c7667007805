/* A cell's text cut into magics and C.
 *
 * A % line is a magic only in column 1, at file scope, and after nothing, a preprocessor line, another magic, `;` or `}`;
 * after the last two only if its name is in the table. `x\n% b` and `!x` are C. A magic's line goes on after a backslash at its end. */
#ifndef WEIR_MAGICS_LINES_H
#define WEIR_MAGICS_LINES_H

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum piece_kind {
    PIECE_C,
    PIECE_LINE,     /* %name ... */
    PIECE_CELL      /* %%name ... and all that follows */
};

struct piece {
    enum piece_kind kind;
    const char *text;        /* borrowed from the cell */
    size_t len;
    int line;                /* of its first character, from 1 */
    const char *name;        /* a magic's; borrowed from the cell, NULL for C */
    size_t name_len;
};

/* The pieces in order, in the arena; C pieces of blanks alone are left out. ERR_LIMIT, ERR_MEMORY;
 * ERR_SYNTAX: a %% magic that is not at the cell's beginning. */
enum err_code lines_split(const char *text, size_t len, struct arena *a, struct piece **out, size_t *count, struct err *e);

#endif
