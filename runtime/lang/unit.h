/* flow.c: a whole flow as one translation unit (see flows_unit in flows.h).
 *
 *     weir.h and the headers that reached names need
 *     plain cells' macros, types, variables, functions, as far as the flow reaches them
 *     layouts, artifacts
 *     one function a step, each below its cell's source as a comment
 *     steps, and `weir_flow` */
#ifndef WEIR_LANG_UNIT_H
#define WEIR_LANG_UNIT_H

#include "runtime/base/buf.h"
#include "runtime/lang/model.h"

enum { UNIT_ALL = -1, UNIT_PARAMETERS = -2 };

/* Check all uses of names in the steps; the first problem as error. ERR_PENDING: m->missing. */
enum err_code unit_check(struct model *m, struct err *e);

/* only: UNIT_ALL, or a step's number: that step alone, or UNIT_PARAMETERS. The model must be placed for UNIT_ALL. */
enum err_code unit_write(struct model *m, int only, struct buf *out, struct err *e);

#endif
