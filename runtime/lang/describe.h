/* Layout tables as C text: `static const struct weir_type ...` whose entries are sizeof, offsetof and _Generic, so that the
 * compiler that compiles the cell gives the answer. */
#ifndef WEIR_LANG_DESCRIBE_H
#define WEIR_LANG_DESCRIBE_H

#include "runtime/lang/index.h"

/* Tables already written into one translation unit. */
struct describe { struct arena *arena; const struct index *ix; void *seen; unsigned count; };
void describe_init(struct describe *d, const struct index *ix, struct arena *a);

/* Write to `tables` what `type` needs (file scope), and to `field` one braced initialiser of struct weir_field with this
 * name. ndim_runtime: how many outer dims are known at run time only (written as 0). Types that can't be kept get their
 * kind (WEIR_POINTER, ...): whether that is an error is the caller's. */
enum err_code describe_field(struct describe *d, const struct ctype *type, const char *name, unsigned ndim_runtime,
                             struct buf *tables, struct buf *field, struct err *e);

#endif
