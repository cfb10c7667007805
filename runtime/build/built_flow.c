/* See built_flow.h. */
#include "runtime/build/built_flow.h"

#include "runtime/store/store.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_PATH = 4096 };

void built_flow_init(struct built_flow *b)
{
    *b = (struct built_flow){ .store = NULL };
    buf_init(&b->unit, 0);
}

void built_flow_done(struct built_flow *b)
{
    flow_object_close(&b->object);
    buf_done(&b->unit);
    free(b->store);
    free(b->so_path);
    built_flow_init(b);
}

enum err_code built_flow_compile(struct built_flow *b, enum build_tier tier, struct err *e)
{
    char dir[MAX_PATH];
    struct store *s = NULL;
    enum err_code code = buf_check(&b->unit, "the flow's text", e);
    code = code ? code : store_open(b->store, true, &s, e); /* makes the folder; a newer one is refused */
    store_close(s);
    if (!code && snprintf(dir, sizeof dir, "%s/build", b->store) >= (int)sizeof dir) {
        code = err_set(e, ERR_LIMIT, "the store's path is too long: '%.200s...'", b->store);
    }
    return code ? code : build_flow(b->unit.data, b->unit.len, dir, tier, &b->so_path, &b->tier, e);
}

enum err_code built_flow_open(struct built_flow *b, struct err *e)
{
    return flow_object_open(&b->object, b->so_path, RTLD_LAZY | RTLD_LOCAL, e);
}
