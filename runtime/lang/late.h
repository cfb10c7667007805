/* Plain cells' globals whose initialisers are not constant: in a flow they are defined without, and a function runs the
 * initialisers once in each task whose step reaches them.
 *
 *     double *table = malloc(80);      double *table;
 *                                      static void weir__init_table(void) { table = malloc(80); }
 */
#ifndef WEIR_LANG_LATE_H
#define WEIR_LANG_LATE_H

#include "runtime/base/buf.h"
#include "runtime/lang/index.h"

/* A definition of variables with at least one initialiser that C does not allow at file scope. */
bool late_is(const struct index *ix, const struct source *source);

/* The definition and its function, appended to out; the function's name in the arena. file: for #line of what is ours.
 * ERR_TYPE: an array without a size whose elements can't be counted here. */
enum err_code late_write(const struct index *ix, const struct source *source, const char *file, struct arena *a,
                         struct buf *out, const char **function, struct err *e);

#endif
