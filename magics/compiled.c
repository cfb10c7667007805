/* See compiled.h. */
#include "magics/compiled.h"

#include "runtime/store/store.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_PATH = 4096 };

enum err_code compiled_make(struct compiled *c, const struct magic_host *host, const char *flow, const char *const *inputs,
                            enum build_tier tier, struct err *e)
{
    char dir[MAX_PATH];
    struct store *s = NULL;
    *c = (struct compiled){ .tier = tier };
    buf_init(&c->unit, 0);
    enum err_code code = flows_check(host->flows, flow, inputs, e);
    code = code ? code : flows_unit(host->flows, flow, inputs, &c->unit, e);
    code = code ? code : buf_check(&c->unit, "the flow's text", e);
    code = code ? code : store_locate(host->directory, &c->store, e);
    code = code ? code : store_open(c->store, true, &s, e); /* makes the folder; a newer one is refused */
    store_close(s);
    if (!code && snprintf(dir, sizeof dir, "%s/build", c->store) >= (int)sizeof dir) {
        code = err_set(e, ERR_LIMIT, "the store's path is too long: '%.200s...'", c->store);
    }
    return code ? code : build_flow(c->unit.data, c->unit.len, dir, tier, &c->so_path, &c->tier, e);
}

/* What a flow's object asks for when it is opened, though none of it is called here: named, so that it is linked in. */
__attribute__((used)) static const struct {
    const void *(*get)(struct weir_task *, unsigned, size_t *);
    size_t (*index)(struct weir_task *, unsigned);
    void (*put)(struct weir_task *, unsigned, const void *, const size_t *);
    void (*split)(struct weir_task *, size_t);
    void *(*resize)(struct weir_task *, unsigned, const void *, size_t, size_t);
    void *(*grow)(struct weir_task *, unsigned, const void *, size_t);
    size_t (*inputs)(struct weir_task *);
    const void *(*input)(struct weir_task *, size_t, unsigned, size_t *);
    const void *(*input_all)(struct weir_task *, unsigned);
    void (*parameter)(struct weir_task *, unsigned, const void *, const size_t *);
    struct weir_current (*current)(struct weir_task *);
    void (*fail)(const char *, int, const char *, ...);
} linked_in = { weir_get,   weir_index, weir_put,       weir_split,     weir_resize,  weir_grow,
                weir_inputs, weir_input, weir_input_all, weir_parameter, weir_current, weir_fail };

enum err_code compiled_open(struct compiled *c, struct err *e)
{
    c->object = dlopen(c->so_path, RTLD_LAZY | RTLD_LOCAL);
    if (!c->object) {
        return err_set(e, ERR_FORMAT, "the compiled flow can't be opened: %s", dlerror());
    }
    c->tables = dlsym(c->object, "weir_flow");
    if (!c->tables || c->tables->abi != WEIR_ABI) {
        return err_set(e, ERR_FORMAT, "'%s' is no flow of this version", c->so_path);
    }
    return ERR_NONE;
}

void compiled_done(struct compiled *c)
{
    if (c->object) {
        (void)dlclose(c->object); /* nothing of it was called */
    }
    buf_done(&c->unit);
    free(c->store);
    free(c->so_path);
    *c = (struct compiled){ 0 };
    buf_init(&c->unit, 0);
}
