/* What a notebook was lowered to the last time: STORE/build/unit-HASH.c, by the text of its cells. Reading libc's headers is
 * most of what a warm `weir run x.ipynb` would cost. */
#ifndef WEIR_CLI_UNIT_CACHE_H
#define WEIR_CLI_UNIT_CACHE_H

#include "runtime/base/buf.h"
#include "runtime/lang/notebook.h"

/* Where it is, into path; false: not to be cached (a cell includes a file of the user's own, or the folder has no store yet).
 * The name depends on this program, on the cells, and on what else decides the text: flow and inputs (either may be NULL). */
bool unit_cache_path(const char *store, const struct notebook *nb, const char *flow, const char *const *inputs, char *path,
                     size_t size);

/* Append the text to unit; false: it is not there. */
bool unit_cache_read(const char *path, struct buf *unit);

/* Keep it. A failure only costs time. */
void unit_cache_write(const char *path, const struct buf *unit);

#endif
