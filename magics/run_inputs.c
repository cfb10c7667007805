/* See run_inputs.h. */
#include "magics/run_inputs.h"

#include "magics/state.h"
#include "runtime/store/store.h"
#include "runtime/type/npy.h"

#include <string.h>

enum { MAX_PATH = 4096 };

static const struct weir_artifact *find_input(const struct weir_flow *flow, const char *name)
{
    for (unsigned i = 0; i < flow->nartifacts; i++) {
        if ((flow->artifacts[i].flags & WEIR_INPUT) && strcmp(flow->artifacts[i].name, name) == 0) {
            return &flow->artifacts[i];
        }
    }
    return NULL;
}

static size_t bytes_of(const struct weir_field *f)
{
    size_t n = f->size;
    for (unsigned i = 0; i < f->ndim; i++) {
        n *= f->dim[i];
    }
    return n;
}

/* The variable's value as .npy bytes. */
static enum err_code make_npy(struct buf *out, const struct weir_artifact *a, const void *address, struct err *e)
{
    if (a->form == WEIR_TEXT) {
        const char *text;
        memcpy(&text, address, sizeof text);
        if (!text) {
            return err_set(e, ERR_TYPE, "--input %s: the string is NULL", a->name);
        }
        enum err_code code = npy_header(out, &a->field, NULL, strlen(text), e);
        buf_str(out, text);
        return code;
    }
    if (a->form != WEIR_FIXED) {
        return err_set(e, ERR_TYPE, "--input %s: only scalars, structs, arrays of a fixed size and strings can be given", a->name);
    }
    enum err_code code = npy_header(out, &a->field, NULL, 0, e);
    size_t n = bytes_of(&a->field);
    void *room = code ? NULL : buf_space(out, n);
    if (room) {
        npy_canonical(&a->field, room, address, a->field.size ? n / a->field.size : 0);
    }
    return code;
}

static enum err_code write_one(struct run_inputs *r, struct magics *m, const struct weir_flow *flow, const char *store,
                               const char *name, struct arena *a, struct err *e)
{
    char path[MAX_PATH];
    const void *address = m->host.variable(m->host.ctx, name);
    const struct weir_artifact *input = find_input(flow, name);
    if (!address) {
        return err_set(e, ERR_NAME, "--input %s: no cell has made a variable '%s'", name, name);
    }
    if (!input) {
        return err_set(e, ERR_NAME, "--input %s: no step of flow '%s' reads '%s'", name, flow->name, name);
    }
    struct buf npy;
    unsigned char digest[SHA256_BYTES];
    buf_init(&npy, (size_t)1 << 40);
    enum err_code code = make_npy(&npy, input, address, e);
    code = code ? code : buf_check(&npy, "an input", e);
    code = code ? code : store_put(store, npy.data, npy.len, NULL, 0, digest, e);
    buf_done(&npy);
    if (!code) {
        store_object_path(store, digest, path, sizeof path);
        r->path[r->count] = arena_strndup(a, path, strlen(path));
        code = r->path[r->count++] ? ERR_NONE : err_memory(e);
    }
    return code;
}

enum err_code run_inputs_write(struct run_inputs *r, struct magics *m, struct built_flow *c,
                               const char *const *names, struct arena *a, struct err *e)
{
    size_t n = 0;
    while (names[n]) {
        n++;
    }
    *r = (struct run_inputs){ .path = arena_alloc(a, (n + 1) * sizeof *r->path) };
    if (!r->path) {
        return err_memory(e);
    }
    if (n == 0) {
        return ERR_NONE;
    }
    enum err_code code = built_flow_open(c, e);
    for (size_t i = 0; !code && i < n; i++) {
        code = write_one(r, m, c->object.flow, c->store, names[i], a, e);
    }
    return code;
}
