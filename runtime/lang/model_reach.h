/* Which names reach which step, asked of a model (see model.h). */
#ifndef WEIR_LANG_MODEL_REACH_H
#define WEIR_LANG_MODEL_REACH_H

#include "runtime/lang/model.h"

/* Fill every step's `in`. */
void model_reach(struct model *m);

/* How a name stands after a step. */
enum reach model_after(const struct model *m, unsigned step, unsigned name);

/* The foreach variable of that name which split (a step) makes; -1: none. */
int model_find_loop(const struct model *m, int split, const char *name, size_t len);

/* The last join before or at step which left name in several versions; -1: none. */
int model_open_join(const struct model *m, unsigned step, unsigned name);

#endif
