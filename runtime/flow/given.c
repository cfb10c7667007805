/* What a run is given from outside (see run.h): parameters as texts, artifacts as .npy files. Checked before anything
 * starts. A file's value is stored as a task would have stored it, so that its hash depends on the value alone. */
#include "runtime/flow/run.h"

#include "runtime/flow/layout.h"
#include "runtime/type/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const char *given_text(const struct run_options *o, const char *name)
{
    for (unsigned i = o->nparameters; i-- > 0;) { /* the last one counts */
        if (strcmp(o->parameters[i].name, name) == 0) {
            return o->parameters[i].value;
        }
    }
    return NULL;
}

static const struct weir_artifact *find(const struct weir_flow *flow, unsigned flag, const char *name)
{
    for (unsigned i = 0; i < flow->nartifacts; i++) {
        if ((flow->artifacts[i].flags & flag) && strcmp(flow->artifacts[i].name, name) == 0) {
            return &flow->artifacts[i];
        }
    }
    return NULL;
}

static enum err_code unknown(const struct weir_flow *flow, unsigned flag, const char *name, struct err *e)
{
    const char *what = flag == WEIR_PARAMETER ? "parameter" : "input";
    struct buf list;
    buf_init(&list, 0);
    for (unsigned i = 0; i < flow->nartifacts; i++) {
        const struct weir_artifact *a = &flow->artifacts[i];
        if (a->flags & flag) {
            buf_printf(&list, "%s'%s' (%s)", list.len ? ", " : "", a->name, a->ctype);
        }
    }
    enum err_code code = list.len ? err_set(e, ERR_USAGE, "flow '%s' has no %s '%s'; there are %s", flow->name, what, name,
                                            list.data)
                                  : err_set(e, ERR_USAGE, "flow '%s' has no %s '%s', and none at all", flow->name, what, name);
    buf_done(&list);
    return code;
}

static enum err_code check_parameter(const struct weir_artifact *a, const char *text, struct err *e)
{
    struct buf value;
    size_t dim[WEIR_MAX_DIMS];
    buf_init(&value, SIZE_MAX / 4);
    memcpy(dim, a->field.dim, sizeof dim);
    enum err_code code = parse_value(a, text, &value, dim, e);
    buf_done(&value);
    return code;
}

enum err_code given_check(const struct weir_flow *flow, const struct run_options *o, struct err *e)
{
    enum err_code code = ERR_NONE;
    for (unsigned i = 0; !code && i < o->nparameters; i++) {
        const struct weir_artifact *a = find(flow, WEIR_PARAMETER, o->parameters[i].name);
        code = a ? check_parameter(a, o->parameters[i].value, e) : unknown(flow, WEIR_PARAMETER, o->parameters[i].name, e);
    }
    for (unsigned i = 0; !code && i < o->ninputs; i++) {
        code = find(flow, WEIR_INPUT, o->inputs[i].name) ? ERR_NONE : unknown(flow, WEIR_INPUT, o->inputs[i].name, e);
    }
    for (unsigned i = 0; !code && i < flow->nartifacts; i++) {
        const struct weir_artifact *a = &flow->artifacts[i];
        if ((a->flags & WEIR_PARAMETER) && (a->flags & WEIR_REQUIRED) && !given_text(o, a->name)) {
            code = err_set(e, ERR_USAGE, "parameter '%s' (%s) has no default: give it, --%s VALUE%s%s", a->name, a->ctype,
                           a->name, a->help[0] ? "   # " : "", a->help);
        }
        bool given = !(a->flags & WEIR_INPUT);
        for (unsigned k = 0; !given && k < o->ninputs; k++) {
            given = strcmp(o->inputs[k].name, a->name) == 0;
        }
        if (!code && !given) {
            code = err_set(e, ERR_USAGE, "'%s' (%s) comes from outside: give it, --input %s=FILE.npy", a->name, a->ctype,
                           a->name);
        }
    }
    return code;
}

/* Keep the value whose .npy was read into n as input id. */
static enum err_code keep(struct run *r, unsigned id, const char *data, const struct npy *n, struct record_value *out,
                          struct err *e)
{
    const struct weir_artifact *a = &r->flow->artifacts[id];
    size_t text = a->form == WEIR_TEXT ? strnlen(data + n->payload, n->bytes) : 0;
    size_t bytes = a->form == WEIR_TEXT ? text : n->bytes;
    struct buf b;
    buf_init(&b, SIZE_MAX / 4);
    enum err_code code = npy_header(&b, &a->field, a->form == WEIR_TEXT || a->form == WEIR_FIXED ? NULL : n->field.dim, text, e);
    size_t header = b.len;
    char *payload = bytes ? buf_space(&b, bytes) : b.data + header;
    code = code ? code : buf_check(&b, a->name, e);
    if (code) {
        goto done;
    }
    if (a->form == WEIR_TEXT || !a->field.size) {
        memcpy(payload, data + n->payload, bytes);
    } else if (bytes) {
        npy_canonical(&a->field, payload, data + n->payload, bytes / a->field.size);
    }
    *out = (struct record_value){ .id = id, .size = b.len, .is_file = b.len > STORE_INLINE };
    if (out->is_file) {
        code = store_put(store_path(r->store), b.data, header, payload, bytes, out->digest, e);
    } else {
        out->offset = arena_shared_alloc(&r->pool.shared, b.len);
        void *to = out->offset ? arena_shared_at(&r->pool.shared, out->offset, b.len) : NULL;
        if (to) {
            memcpy(to, b.data, b.len);
        } else {
            code = err_memory(e);
        }
    }
done:
    buf_done(&b);
    return code;
}

static enum err_code read_input(struct run *r, unsigned id, const char *path, struct record_value *out, struct err *e)
{
    struct arena mem;
    struct npy n;
    struct stat st;
    arena_init(&mem);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        enum err_code code = err_errno(e, "--input %s: '%s'", r->flow->artifacts[id].name, path);
        if (fd >= 0) {
            (void)close(fd);
        }
        return code;
    }
    size_t len = (size_t)st.st_size;
    void *data = len ? mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    (void)close(fd);
    if (data == MAP_FAILED) {
        return len ? err_errno(e, "--input %s: '%s'", r->flow->artifacts[id].name, path)
                   : err_set(e, ERR_FORMAT, "--input %s: '%s' is empty", r->flow->artifacts[id].name, path);
    }
    enum err_code code = npy_read(data, len, true, &mem, &n, e);
    code = code ? code : layout_check(&r->flow->artifacts[id], NULL, &n, e);
    code = code ? err_context(e, "--input '%s'", path) : keep(r, id, data, &n, out, e);
    (void)munmap(data, len);
    arena_done(&mem);
    return code;
}

enum err_code given_inputs(struct run *r, struct err *e)
{
    const struct run_options *o = r->options;
    r->inputs = calloc(o->ninputs + 1, sizeof *r->inputs);
    if (!r->inputs) {
        return err_memory(e);
    }
    for (unsigned id = 0; id < r->flow->nartifacts; id++) {
        const struct weir_artifact *a = &r->flow->artifacts[id];
        const char *path = NULL;
        for (unsigned i = 0; (a->flags & WEIR_INPUT) && i < o->ninputs; i++) {
            path = strcmp(o->inputs[i].name, a->name) == 0 ? o->inputs[i].value : path;
        }
        if (!path) {
            continue;
        }
        enum err_code code = read_input(r, id, path, &r->inputs[r->ninputs], e);
        if (code) {
            return code;
        }
        r->ninputs++;
    }
    return ERR_NONE;
}
