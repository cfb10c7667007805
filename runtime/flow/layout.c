/* See layout.h. The descr is compared as text, without spaces: ours is canonical, and numpy writes the same. */
#include "runtime/flow/layout.h"

#include <stdio.h>
#include <string.h>

static bool same_text(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, " ");
        b += strspn(b, " ");
        if (*a != *b) {
            return false;
        }
        if (!*a) {
            return true;
        }
    }
}

static bool same_dims(const struct weir_artifact *a, const struct npy *n)
{
    if (n->field.ndim != a->field.ndim) {
        return false;
    }
    for (unsigned i = 0; i < n->field.ndim; i++) {
        bool free = a->form == WEIR_SHAPED || (a->form == WEIR_DYNAMIC && i == 0);
        if (!free && n->field.dim[i] != a->field.dim[i]) {
            return false;
        }
    }
    return true;
}

static enum err_code mismatch(const struct weir_artifact *a, const struct npy *n, struct err *e)
{
    char shape[128] = "";
    for (unsigned i = 0; i < n->field.ndim; i++) {
        size_t used = strlen(shape);
        (void)snprintf(shape + used, sizeof shape - used, "%s%zu", i ? " x " : " of shape ", n->field.dim[i]);
    }
    return err_set(e, ERR_TYPE, "artifact '%s' comes in as %.300s%s, but this flow has it as %s", a->name, n->descr, shape,
                   a->ctype);
}

enum err_code layout_check(const struct weir_artifact *a, const char *descr, const struct npy *n, struct err *e)
{
    if (a->form == WEIR_TEXT) {
        return n->field.kind == WEIR_STRING && n->field.ndim == 0 ? ERR_NONE : mismatch(a, n, e);
    }
    struct buf made;
    buf_init(&made, 0);
    enum err_code code = ERR_NONE;
    if (!descr) {
        code = npy_descr(&made, &a->field, e);
        code = code ? code : buf_check(&made, a->name, e);
        descr = made.data;
    }
    if (!code && !(same_dims(a, n) && same_text(descr, n->descr))) {
        code = mismatch(a, n, e);
    }
    buf_done(&made);
    return code;
}
