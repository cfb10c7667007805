/* See unit_reach.h. */
#include "runtime/lang/late.h"
#include "runtime/lang/unit_reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

static void add_word(struct unit_reach *r, const char *text)
{
    buf_printf(&r->text, "%s\n", text);
}

/* Names in a type and, for dims that are constants, in its sizes. */
static void add_type(struct unit_reach *r, const struct ctype *type, bool with_dims)
{
    for (; type; type = type->of) {
        if (type->kind == CTYPE_NAMED) {
            add_word(r, type->spelling);
        } else if (type->spelling &&
                   (type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION || type->kind == CTYPE_ENUM)) {
            buf_printf(&r->text, "%s %s\n",
                       type->kind == CTYPE_STRUCT  ? "struct"
                       : type->kind == CTYPE_UNION ? "union"
                                                   : "enum",
                       type->spelling);
        } else if (type->kind == CTYPE_ARRAY && with_dims && type->dim) {
            add_word(r, type->dim);
        }
    }
}

enum err_code unit_reach_init(struct unit_reach *r, struct model *m, struct arena *a, struct err *e)
{
    *r = (struct unit_reach){ .m = m, .a = a };
    buf_init(&r->text, 0);
    for (unsigned i = 0; i < m->nnames; i++) {
        add_type(r, m->names[i].shape.type, m->names[i].shape.form != WEIR_SHAPED);
    }
    for (unsigned i = 0; i < m->graph.nsteps; i++) { /* the same type may be spelt otherwise there */
        const struct scan *s = &m->steps[i].scan;
        for (size_t k = 0; k < s->nitems; k++) {
            int name = m->steps[i].item_name[k];
            add_type(r, s->items[k].type, name != NONE && m->names[name].shape.form != WEIR_SHAPED);
        }
    }
    return buf_check(&r->text, "the flow's names", e);
}

void unit_reach_done(struct unit_reach *r)
{
    if (r->m) {
        buf_done(&r->text);
    }
}

enum err_code unit_reach_outside(struct unit_reach *r, const struct resolved *res, struct err *e)
{
    for (size_t i = 0; i < res->noutside; i++) {
        add_word(r, res->outside[i]);
    }
    return buf_check(&r->text, "the flow's names", e);
}

static enum err_code add_header(struct unit_reach *r, const char *header, struct err *e)
{
    for (size_t i = 0; i < r->nheaders; i++) {
        if (strcmp(r->headers[i], header) == 0) {
            return ERR_NONE;
        }
    }
    if (r->nheaders == r->cap_headers) {
        size_t cap = r->cap_headers ? r->cap_headers * 2 : 16;
        const char **room = arena_alloc(r->a, cap * sizeof *room);
        if (!room) {
            return err_memory(e);
        }
        if (r->nheaders) {
            memcpy(room, r->headers, r->nheaders * sizeof *room);
        }
        r->headers = room;
        r->cap_headers = cap;
    }
    r->headers[r->nheaders++] = header;
    return ERR_NONE;
}

/* The <...> or "..." of an #include line; NULL: none. */
static const char *included(struct unit_reach *r, const char *line, size_t len)
{
    const char *p = memchr(line, '<', len), *q = memchr(line, '"', len);
    char close = p && (!q || p < q) ? '>' : '"';
    p = close == '>' ? p : q;
    const char *end = p ? memchr(p + 1, close, len - (size_t)(p + 1 - line)) : NULL;
    return end ? arena_strndup(r->a, p, (size_t)(end - p) + 1) : NULL;
}

enum err_code unit_reach_step(struct unit_reach *r, unsigned step, const struct resolved *res, struct err *e)
{
    const struct model_step *s = &r->m->steps[step];
    const struct tokens *t = &s->cell->tokens;
    enum err_code code = unit_reach_outside(r, res, e);
    if (s->cell->line.over) {
        add_word(r, s->cell->line.over);
    }
    for (size_t i = 0; i < s->scan.npp && !code; i++) {
        const struct token *k = &t->at[s->scan.pp[i]];
        const char *p = t->text + k->start + 1;
        if (strncmp(p + strspn(p, " \t"), "include", 7) == 0) {
            const char *header = included(r, t->text + k->start, k->len);
            code = header ? add_header(r, header, e) : ERR_NONE;
        }
    }
    return code;
}

/* ---- helpers that name artifacts ---- */

static const struct model_name *flow_name(const struct model *m, const char *text, size_t len)
{
    for (unsigned i = 0; i < m->nnames; i++) {
        if (strncmp(m->names[i].name, text, len) == 0 && !m->names[i].name[len]) {
            return &m->names[i];
        }
    }
    return NULL;
}

/* Made by a hidden cell for the cells that look at a run: not the flow's. */
static bool is_left_by_run(const struct index *ix, const char *name, size_t len)
{
    return index_find(ix, name, len) && !model_outside(ix, name, len);
}

static enum err_code check_helper(struct unit_reach *r, const struct source *source, struct err *e)
{
    struct tokens t = { .count = 0 };
    struct cdeclaration d = { 0 };
    struct scan scan;
    struct scan_options o;
    enum err_code code = lex(source->text, source->len, &t, e);
    model_scan_options(r->m->ix, NULL, &o);
    if (!code && (ctype_parse(&t, 0, index_is_typedef, r->m->ix, r->a, &d, NULL) ||
                  scan_declaration(&t, &d, &o, r->a, &scan, NULL))) {
        tokens_done(&t); /* the compiler will say what is wrong with it */
        return ERR_NONE;
    }
    for (size_t i = 0; i < scan.nuses && !code; i++) {
        const struct token *k = &t.at[scan.uses[i].token];
        const struct model_name *n = scan.uses[i].argument ? NULL : flow_name(r->m, t.text + k->start, k->len);
        char label[32];
        cell_label(source->number, label, sizeof label);
        if (!n && !scan.uses[i].argument && is_left_by_run(r->m->ix, t.text + k->start, k->len)) {
            code = err_at(e, ERR_NAME, label, source->line + (int)k->line - 1,
                          "'%s' names '%.*s', a value that an earlier run left; plain cells get artifacts as arguments",
                          d.ndeclarators ? d.declarators[0].name : "this declaration", (int)k->len, t.text + k->start);
        } else if (n) {
            r->m->blame[0] = n->cell;
            code = err_at(
                e, ERR_NAME, label, source->line + (int)k->line - 1,
                "'%s' names '%s', which is %s of the flow '%s' (%s line %d); plain cells get artifacts as arguments",
                d.ndeclarators ? d.declarators[0].name : "this declaration", n->name,
                n->role == NAME_PARAMETER ? "a parameter"
                : n->role == NAME_LOOP    ? "a foreach variable"
                                          : "an artifact",
                r->m->flow, n->label, n->line);
        }
    }
    tokens_done(&t);
    return code;
}

/* ---- closing ---- */

static int compare_headers(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum err_code unit_reach_close(struct unit_reach *r, struct err *e)
{
    struct closure reached = { .nsources = 0 };
    struct tokens t = { .count = 0 };
    enum err_code code = buf_check(&r->text, "the flow's names", e);
    code = code ? code : lex(r->text.data, r->text.len, &t, e);
    code = code ? code : index_closure(r->m->ix, &t, NULL, r->a, &reached, e);
    for (size_t i = 0; i < reached.nsources && !code; i++) {
        const struct source *s = reached.sources[i];
        code = s->header ? add_header(r, s->header, e) : check_helper(r, s, e);
    }
    for (size_t i = 0; i < reached.nmacros && !code; i++) {
        code = reached.macros[i]->header ? add_header(r, reached.macros[i]->header, e) : ERR_NONE;
    }
    code = code ? code : order_sources(r->m->ix, &reached, r->a, &r->sources, &r->nsources, e);
    for (size_t i = 0; i < r->nsources && !code; i++) {
        struct order_item *item = &r->sources[i];
        item->late = item->kind == ORDER_VARIABLE && !item->prototype && late_is(r->m->ix, item->source);
        r->any_late = r->any_late || item->late;
    }
    if (!code && r->nheaders) {
        qsort(r->headers, r->nheaders, sizeof *r->headers, compare_headers);
    }
    tokens_done(&t);
    return code;
}

static bool reaches(const struct closure *c, const struct source *source)
{
    for (size_t i = 0; i < c->nsources; i++) {
        if (c->sources[i] == source) {
            return true;
        }
    }
    return false;
}

enum err_code unit_reach_inits(struct unit_reach *r, const struct resolved *res, const char *const **out, struct err *e)
{
    struct closure reached = { .nsources = 0 };
    struct tokens t = { .count = 0 };
    struct buf text;
    const char **list = arena_alloc(r->a, (r->nsources + 1) * sizeof *list);
    size_t n = 0;
    buf_init(&text, 0);
    for (size_t i = 0; r->any_late && i < res->noutside; i++) {
        buf_printf(&text, "%s\n", res->outside[i]);
    }
    enum err_code code = list ? buf_check(&text, "a step's names", e) : err_memory(e);
    if (!code && text.len) {
        code = lex(text.data, text.len, &t, e);
        code = code ? code : index_closure(r->m->ix, &t, NULL, r->a, &reached, e);
    }
    for (size_t i = 0; i < r->nsources && !code; i++) {
        if (r->sources[i].late && reaches(&reached, r->sources[i].source)) {
            list[n++] = r->sources[i].init;
        }
    }
    tokens_done(&t);
    buf_done(&text);
    *out = list;
    return code;
}
