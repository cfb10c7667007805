/* See artifacts.h: the texts of artifacts. */
#include "runtime/base/html.h"
#include "runtime/view/artifacts.h"
#include "runtime/view/table.h"
#include "runtime/view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPE_TEXT = 60 /* bytes of a struct's members before they are cut */ };

/* ---- types and shapes ---- */

static const char *integer_name(const struct weir_field *f)
{
    bool is_signed = f->kind == WEIR_INT;
    switch (f->size) {
    case 1:
        return is_signed ? "signed char" : "unsigned char";
    case 2:
        return is_signed ? "short" : "unsigned short";
    case 4:
        return is_signed ? "int" : "unsigned";
    default:
        return is_signed ? "long" : "unsigned long";
    }
}

static void write_dims(struct buf *out, const struct weir_field *f)
{
    for (unsigned i = 0; i < f->ndim; i++) {
        buf_printf(out, "[%zu]", f->dim[i]);
    }
}

static void write_members(struct buf *out, const struct weir_type *type)
{
    struct buf before, now;
    buf_init(&before, 0);
    buf_init(&now, 0);
    size_t start = out->len;
    buf_str(out, "struct {");
    bool first = true;
    for (size_t i = 0; i < type->nmembers; i++) {
        const struct weir_field *m = &type->members[i];
        if (!m->name || !m->name[0]) {
            continue; /* padding */
        }
        if (out->len - start > TYPE_TEXT) {
            buf_str(out, ", ...");
            break;
        }
        buf_clear(&now);
        artifact_type_text(&now, m);
        if (first || strcmp(before.data, now.data) != 0) {
            buf_printf(out, "%s%s %s", first ? "" : "; ", now.data, m->name);
        } else {
            buf_printf(out, ", %s", m->name);
        }
        write_dims(out, m);
        buf_clear(&before);
        buf_str(&before, now.data);
        first = false;
    }
    buf_str(out, "}");
    buf_done(&before);
    buf_done(&now);
}

void artifact_type_text(struct buf *out, const struct weir_field *f)
{
    switch ((enum weir_kind)f->kind) {
    case WEIR_INT:
    case WEIR_UINT:
        buf_str(out, integer_name(f));
        break;
    case WEIR_FLOAT:
        buf_str(out, f->size == 4 ? "float" : f->size == 8 ? "double" : "long double");
        break;
    case WEIR_BOOL:
        buf_str(out, "bool");
        break;
    case WEIR_CHAR:
        buf_str(out, "char");
        break;
    case WEIR_STRING:
        buf_str(out, "char *");
        break;
    case WEIR_ENUM:
        buf_str(out, f->type && f->type->name ? f->type->name : "enum");
        break;
    case WEIR_STRUCT:
        if (f->type && f->type->name && f->type->name[0]) {
            buf_str(out, f->type->name);
        } else if (f->type) {
            write_members(out, f->type);
        }
        break;
    case WEIR_UNION:
    case WEIR_POINTER:
    case WEIR_OTHER:
        buf_printf(out, "%zu bytes", f->size);
        break;
    }
}

void artifact_shape_text(struct buf *out, const struct weir_field *f)
{
    if (f->ndim == 0) {
        return;
    }
    for (unsigned i = 0; i < f->ndim; i++) {
        buf_printf(out, "%s%zu", i ? ", " : "(", f->dim[i]);
    }
    buf_str(out, f->ndim == 1 ? ",)" : ")");
}

/* ---- lists ---- */

void artifacts_write_list(struct buf *html, struct buf *text, const struct artifact_line *lines, size_t count)
{
    static const char *const heads[] = { "name", "type", "shape", "size", "step", "hash" };
    struct table t;
    table_init(&t, heads, 6);
    table_right(&t, 3);
    for (size_t i = 0; i < count; i++) {
        const struct artifact_line *l = &lines[i];
        table_cell(&t, "%s", l->name);
        table_cell(&t, "%s", l->type);
        table_cell(&t, "%s", l->shape);
        struct buf size;
        buf_init(&size, 0);
        view_bytes(&size, l->bytes);
        table_cell(&t, "%s", size.data);
        buf_done(&size);
        if (l->tasks > 1) {
            table_cell(&t, "%s, %zu tasks", l->step, l->tasks);
        } else {
            table_cell(&t, "%s", l->step);
        }
        table_cell(&t, "%.12s", l->hash);
    }
    table_write(&t, html, text);
    table_done(&t);
}

/* ---- one artifact ---- */

static void write_facts(struct buf *out, const struct artifact_choice *c, const struct meta_found *found,
                        const struct artifact_value *v)
{
    char hash[SHA256_HEX];
    sha256_hex(found->object.digest, hash);
    if (c->type) {
        buf_str(out, c->type);
    } else {
        artifact_type_text(out, &v->npy.field);
    }
    if (v->npy.field.ndim) {
        buf_char(out, ' ');
        artifact_shape_text(out, &v->npy.field);
    }
    buf_str(out, ", ");
    view_bytes(out, v->npy.bytes);
    buf_printf(out, ", step %s%s%s, run %s\nsha256 %s", found->step, found->path[0] ? "/" : "", found->path, c->run.name,
               hash);
}

static enum err_code write_one(struct buf *html, struct buf *text, const char *store_path, const struct artifact_choice *c,
                               const struct show_limits *limits, struct arena *a, struct err *e)
{
    struct artifact_value v;
    struct weir_field field;
    struct buf facts;
    buf_init(&facts, 0);
    enum err_code code = artifact_open(store_path, &c->found[0], a, &v, e);
    if (code) {
        goto done;
    }
    const char *payload = (const char *)v.data + v.npy.payload;
    write_facts(&facts, c, &c->found[0], &v);
    if (text) {
        buf_printf(text, "%s: %s\n", c->found[0].name, facts.data);
    }
    if (html) {
        buf_str(html, "<div><b>");
        html_escape(html, c->found[0].name);
        buf_str(html, "</b> <span style=\"font-size:90%\">");
        for (const char *p = facts.data; *p;) { /* the hash on a line of its own */
            size_t len = strcspn(p, "\n");
            char *line = arena_strndup(a, p, len);
            html_escape(html, line ? line : "");
            p += len + (p[len] == '\n');
            buf_str(html, *p ? "<br>" : "");
        }
        buf_str(html, "</span></div>");
    }
    field = npy_payload_field(&v.npy);
    code = show_table(html, text, &field, payload, limits, e);
done:
    artifact_close(&v);
    buf_done(&facts);
    return code;
}

/* A value in one short line. */
static enum err_code short_value(struct buf *out, const struct artifact_value *v, struct err *e)
{
    struct show_limits limits = show_defaults;
    limits.rows = 4;
    limits.columns = 4;
    limits.text = 80;
    struct weir_field f = npy_payload_field(&v->npy);
    if (f.ndim > 1) {
        buf_str(out, "...");
        return ERR_NONE;
    }
    enum err_code code = show_value(out, &f, (const char *)v->data + v->npy.payload, &limits, e);
    for (char *p = code ? NULL : out->data; p && *p; p++) {
        *p = *p == '\n' ? ' ' : *p;
    }
    return code;
}

enum { MAX_LOOPS = 8 };

static size_t shown_loops(const struct artifact_choice *c)
{
    return c->nloops < MAX_LOOPS ? c->nloops : MAX_LOOPS;
}

/* The index of a path's k-th split, and how long the path is before it ("" of the first, "3" of the second in "3.0"). */
static bool index_at(const char *path, size_t k, size_t *index, size_t *before)
{
    const char *p = path;
    for (size_t i = 0; i < k; i++) {
        p = strchr(p, '.');
        if (!p) {
            return false;
        }
        p++;
    }
    char *end = NULL;
    *before = p > path ? (size_t)(p - path) - 1 : 0;
    *index = (size_t)strtoull(p, &end, 10);
    return end != p;
}

/* What the variable of the k-th loop around a task was; nothing when the loop counted. */
static enum err_code loop_value(struct buf *out, const char *store_path, const struct artifact_loop *loop, size_t k,
                                const char *path, struct arena *a, struct err *e)
{
    size_t index = 0;
    size_t before = 0;
    if (!index_at(path, k, &index, &before)) {
        return ERR_NONE;
    }
    for (size_t i = 0; i < loop->count; i++) {
        if (strlen(loop->found[i].path) != before || memcmp(loop->found[i].path, path, before) != 0) {
            continue;
        }
        struct artifact_value v;
        enum err_code code = artifact_open(store_path, &loop->found[i], a, &v, e);
        if (!code && v.npy.field.ndim == 1 && index < v.npy.field.dim[0]) {
            struct weir_field one = v.npy.field;
            one.ndim = 0;
            code = show_value(out, &one, (const char *)v.data + v.npy.payload + index * one.size, &show_defaults, e);
        }
        artifact_close(&v);
        return code;
    }
    return ERR_NONE;
}

static enum err_code write_row(struct table *t, const char *store_path, const struct artifact_choice *c,
                               const struct meta_found *found, struct arena *a, struct err *e)
{
    struct artifact_value v;
    struct buf value, shape, size;
    buf_init(&value, 0);
    buf_init(&shape, 0);
    buf_init(&size, 0);
    enum err_code code = artifact_open(store_path, found, a, &v, e);
    code = code ? code : short_value(&value, &v, e);
    if (!code) {
        artifact_shape_text(&shape, &v.npy.field);
        view_bytes(&size, v.npy.bytes);
        table_cell(t, "%s", found->path);
        for (size_t k = 0; !code && k < shown_loops(c); k++) {
            struct buf loop;
            buf_init(&loop, 0);
            code = loop_value(&loop, store_path, &c->loops[k], k, found->path, a, e);
            table_cell(t, "%s", loop.data);
            buf_done(&loop);
        }
        table_cell(t, "%s", value.data);
        table_cell(t, "%s", shape.data);
        table_cell(t, "%s", size.data);
    }
    artifact_close(&v);
    buf_done(&value);
    buf_done(&shape);
    buf_done(&size);
    return code;
}

static enum err_code write_many(struct buf *html, struct buf *text, const char *store_path, const struct artifact_choice *c,
                                const struct show_limits *limits, struct arena *a, struct err *e)
{
    const char *heads[MAX_LOOPS + 4] = { "index" };
    unsigned nloops = (unsigned)shown_loops(c);
    for (unsigned i = 0; i < nloops; i++) {
        heads[1 + i] = c->loops[i].name;
    }
    heads[1 + nloops] = "value";
    heads[2 + nloops] = "shape";
    heads[3 + nloops] = "size";
    size_t rows = c->count < limits->rows ? c->count : limits->rows;
    struct table t;
    table_init(&t, heads, 4 + nloops);
    table_right(&t, 0);
    table_right(&t, 3 + nloops);
    enum err_code code = ERR_NONE;
    for (size_t i = 0; !code && i < rows; i++) {
        code = write_row(&t, store_path, c, &c->found[i], a, e);
    }
    if (!code && text) {
        buf_printf(text, "%s.%s of %zu tasks, run %s\n", c->found[0].step, c->found[0].name, c->count, c->run.name);
    }
    if (!code && html) {
        buf_str(html, "<div><b>");
        html_escape(html, c->found[0].step);
        buf_char(html, '.');
        html_escape(html, c->found[0].name);
        buf_printf(html, "</b> <span style=\"font-size:90%%\">of %zu tasks, run ", c->count);
        html_escape(html, c->run.name);
        buf_str(html, "</span></div>");
    }
    if (!code) {
        table_write(&t, html, text);
    }
    if (!code && rows < c->count) {
        if (text) {
            buf_printf(text, "... %zu more\n", c->count - rows);
        }
        if (html) {
            buf_printf(html, "<div>... %zu more</div>", c->count - rows);
        }
    }
    table_done(&t);
    return code;
}

enum err_code artifacts_write(struct buf *html, struct buf *text, const char *store_path,
                              const struct artifact_choice *choice, const struct show_limits *limits, struct arena *a,
                              struct err *e)
{
    if (choice->count == 1) {
        return write_one(html, text, store_path, choice, limits, a, e);
    }
    return write_many(html, text, store_path, choice, limits, a, e);
}
