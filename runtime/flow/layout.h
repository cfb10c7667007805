/* Whether a value is of the layout that a flow has for it: its .npy header against the artifact's table. */
#ifndef WEIR_FLOW_LAYOUT_H
#define WEIR_FLOW_LAYOUT_H

#include "runtime/base/err.h"
#include "runtime/type/npy.h"

/* n as npy_read gave it. descr: the artifact's as npy_descr writes it; NULL: made here.
 * ERR_TYPE names the artifact, what came and what the flow has. */
enum err_code layout_check(const struct weir_artifact *a, const char *descr, const struct npy *n, struct err *e);

#endif
