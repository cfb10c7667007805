/* Whether an expression is assigned, found by its surroundings: `x = 1`, `x[i].f += 2`, `(*x)++`, `--x.f`. */
#ifndef WEIR_LANG_ASSIGN_H
#define WEIR_LANG_ASSIGN_H

#include "runtime/lang/scan.h"

/* The expression that begins with tokens [begin, after) and goes on with indices and members. */
bool assign_is_target(const struct tokens *t, const uint32_t *match, uint32_t begin, uint32_t after);

#endif
