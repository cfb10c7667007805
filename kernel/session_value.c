/* The value of a cell's last expression, as the lowered cell hands it over: text, and a table where one helps. */
#include "kernel/session.h"

#include "runtime/type/show.h"

#include <stdio.h>
#include <string.h>

/* A table helps for arrays of structs, and for two dimensions and more. */
static bool wants_table(const struct weir_field *f)
{
    return f->ndim >= 2 ? f->kind != WEIR_CHAR : f->ndim == 1 && f->kind == WEIR_STRUCT;
}

/* A pointer's type, which a field does not know, comes as the expression's. */
static enum err_code show(struct buf *out, const struct weir_field *f, const void *data, const char *ctype,
                          struct err *e)
{
    const void *pointer;
    if (f->kind != WEIR_POINTER || f->ndim != 0 || !ctype || !*ctype) {
        return show_value(out, f, data, &show_defaults, e);
    }
    memcpy(&pointer, data, sizeof pointer);
    if (pointer) {
        buf_printf(out, "(%s) %p", ctype, pointer);
    } else {
        buf_str(out, "NULL");
    }
    return buf_check(out, "a value", e);
}

void weir_session_value(const struct weir_field *f, const void *data, const char *ctype)
{
    struct session *s = session_running();
    struct buf text, html;
    if (!s) {
        return;
    }
    (void)fflush(stdout); /* what was printed comes before the value, also if showing it fails */
    buf_init(&text, 0);
    buf_init(&html, 0);
    json_t *data_json = json_object();
    struct err e;
    if (show(&text, f, data, ctype, &e) != ERR_NONE) {
        buf_clear(&text);
        buf_printf(&text, "(can't be shown: %s)", e.msg);
    }
    if (wants_table(f) && show_table(&html, NULL, f, data, &show_defaults, &e) == ERR_NONE && html.len > 0) {
        (void)json_object_set_new(data_json, "text/html", json_stringn(html.data, html.len));
    }
    json_t *plain = json_stringn(text.data, text.len);
    if (!plain) { /* bytes that are not UTF-8: say what can be said */
        plain = json_string("(a text that is not UTF-8)");
    }
    (void)json_object_set_new(data_json, "text/plain", plain); /* out of memory: no value is shown */
    json_decref(s->value);
    s->value = data_json;
    buf_done(&html);
    buf_done(&text);
}
