/* The first line of a flow's cell, as data:
 *
 *   %%flow NAME
 *   %%step [Flow.]name [join] [-> a | -> a, b | -> a foreach x in xs]
 *
 * `//` starts a comment, a backslash at the line's end continues it. Knows nothing of other cells. */
#ifndef WEIR_LANG_STEPLINE_H
#define WEIR_LANG_STEPLINE_H

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum stepline_kind { STEPLINE_NONE, STEPLINE_FLOW, STEPLINE_STEP };

enum { STEPLINE_MAX_NAME = 100, STEPLINE_MAX_TARGETS = 1000 };

struct stepline {
    enum stepline_kind kind;
    const char *flow;          /* NULL: not said */
    const char *step;          /* NULL of a %%flow */
    bool join;
    const char **next;         /* targets */
    unsigned nnext;
    const char *variable;      /* foreach variable, NULL: no foreach */
    const char *over;          /* what it goes over: a name, or an integer constant */
    size_t body;               /* offset of the first byte after the line (and its continuations) */
};

/* What kind of cell text begins, by its first word alone (leading blank lines are skipped). */
enum stepline_kind stepline_kind(const char *text, size_t len);

/* Parse the line; strings live in the arena. ERR_SYNTAX: what was expected, or what is not supported. */
enum err_code stepline_parse(const char *text, size_t len, struct arena *a, struct stepline *out, struct err *e);

#endif
