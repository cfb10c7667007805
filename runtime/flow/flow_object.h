/* A compiled flow's shared object, opened: by zygotes to run its steps, by others for its tables alone. */
#ifndef WEIR_FLOW_FLOW_OBJECT_H
#define WEIR_FLOW_FLOW_OBJECT_H

#include "runtime/base/err.h"
#include "runtime/include/weir.h"

struct flow_object {
    void *handle;                   /* of dlopen; NULL: not open */
    const struct weir_flow *flow;   /* borrowed from the handle */
};

/* mode as for dlopen. ERR_FORMAT: it can't be loaded, is no flow, or one for another weir.h. Nothing stays open then. */
enum err_code flow_object_open(struct flow_object *o, const char *path, int mode, struct err *e);

/* One that is not open is fine. */
void flow_object_close(struct flow_object *o);

#endif
