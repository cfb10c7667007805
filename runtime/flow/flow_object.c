/* See flow_object.h. */
#include "runtime/flow/flow_object.h"

#include <dlfcn.h>

/* A flow's object finds weir.h's functions in the program that loads it: this links them into any that does. */
typedef void word(void);
__attribute__((used)) static word *const words[] = { (word *)weir_get, (word *)weir_put, (word *)weir_fail };

static enum err_code check(const struct flow_object *o, const char *path, struct err *e)
{
    if (!o->flow) {
        return err_set(e, ERR_FORMAT, "'%s' is no compiled flow: it has no weir_flow", path);
    }
    if (o->flow->abi != WEIR_ABI) {
        return err_set(e, ERR_FORMAT, "'%s' was compiled for another weir.h (%u, not %d); compile it again", path,
                       o->flow->abi, WEIR_ABI);
    }
    return ERR_NONE;
}

enum err_code flow_object_open(struct flow_object *o, const char *path, int mode, struct err *e)
{
    *o = (struct flow_object){ .handle = dlopen(path, mode) };
    if (!o->handle) {
        return err_set(e, ERR_FORMAT, "%s", dlerror());
    }
    o->flow = dlsym(o->handle, "weir_flow");
    enum err_code code = check(o, path, e);
    if (code) {
        flow_object_close(o);
    }
    return code;
}

void flow_object_close(struct flow_object *o)
{
    if (o->handle) {
        (void)dlclose(o->handle); /* nothing to do about a failure at the end */
    }
    *o = (struct flow_object){ 0 };
}
