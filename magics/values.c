/* See values.h. */
#include "magics/values_internal.h"

#include "runtime/lang/items.h"

#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

enum err_code values_new(struct magics *m, struct values **out, struct err *e)
{
    struct values *v = calloc(1, sizeof *v);
    if (!v) {
        return err_memory(e);
    }
    v->m = m;
    enum err_code code = ERR_NONE;
    if (m->host.symbol) {
        void *function;
        const void *(*address)(void *, const char *, const char *, size_t, const char *, size_t, size_t *) = weir_value;
        memcpy(&function, &address, sizeof function); /* POSIX: they have one size; ISO C has no cast for it */
        code = m->host.symbol(m->host.ctx, "weir_value", function, e);
        code = code ? code : m->host.symbol(m->host.ctx, "weir_values", v, e);
    }
    if (code) {
        free(v);
        return code;
    }
    *out = v;
    return ERR_NONE;
}

static void free_run(struct left_run *r)
{
    for (size_t c = 0; c < r->ncolumns; c++) {
        for (size_t i = 0; i < r->columns[c].count; i++) {
            artifact_close(&r->columns[c].opened[i]);
        }
    }
    free(r->columns);
    arena_done(&r->arena);
    free(r);
}

static void free_list(struct left_run *list)
{
    while (list) {
        struct left_run *next = list->next;
        free_run(list);
        list = next;
    }
}

void values_free(struct values *v)
{
    if (v) {
        free_list(v->runs);
        free_list(v->old);
        free(v->last_run);
        free(v->last_store);
        free(v);
    }
}

/* ---- what a run left ---- */

bool values_last(const struct values *v, const char **run, const char **store)
{
    *run = v->last_run;
    *store = v->last_store;
    return v->last_run != NULL;
}

enum err_code values_note_run(struct values *v, const char *run, const char *store, struct err *e)
{
    char *r = strdup(run);
    char *s = strdup(store);
    if (!r || !s) {
        free(r);
        free(s);
        return err_memory(e);
    }
    free(v->last_run);
    free(v->last_store);
    v->last_run = r;
    v->last_store = s;
    return ERR_NONE;
}

/* A value of a step outside of all splits is the flow's own. */
static bool is_final(const struct graph *g, const struct flows_value *value)
{
    for (unsigned i = 0; i < g->nsteps; i++) {
        if (strcmp(g->steps[i].name, value->step) == 0) {
            return g->steps[i].scope < 0;
        }
    }
    return true; /* a parameter */
}

static enum err_code read_values(struct values *v, struct left_run *r, struct err *e)
{
    struct graph g = { 0 };
    struct index *ix = v->m->host.index;
    enum err_code code = flows_values(v->m->host.flows, r->flow, &r->arena, &r->values, &r->nvalues, e);
    code = code ? code : flows_graph(v->m->host.flows, r->flow, &r->arena, &g, e);
    code = code ? code : graph_check(&g, e);
    if (code) {
        return code;
    }
    r->prints = arena_alloc(&r->arena, (r->nvalues + 1) * sizeof *r->prints);
    r->final = arena_alloc(&r->arena, (r->nvalues + 1) * sizeof *r->final);
    r->given = arena_alloc(&r->arena, (r->nvalues + 1) * sizeof *r->given);
    if (!r->prints || !r->final || !r->given) {
        return err_memory(e);
    }
    for (size_t i = 0; !code && i < r->nvalues; i++) {
        r->final[i] = is_final(&g, &r->values[i]);
        code = values_print(ix, r->values[i].ctype, r->prints[i], e);
    }
    return code;
}

static struct left_run **find_run(struct values *v, const char *flow, size_t len)
{
    struct left_run **at = &v->runs;
    while (*at && (strlen((*at)->flow) != len || memcmp((*at)->flow, flow, len) != 0)) {
        at = &(*at)->next;
    }
    return at;
}

enum err_code values_set(struct values *v, const char *flow, const char *run, const char *store, int cell, struct err *e)
{
    struct left_run *r = calloc(1, sizeof *r);
    if (!r) {
        return err_memory(e);
    }
    arena_init(&r->arena);
    r->flow = arena_strndup(&r->arena, flow, strlen(flow));
    r->run = arena_strndup(&r->arena, run, strlen(run));
    r->store = arena_strndup(&r->arena, store, strlen(store));
    r->cell = cell;
    enum err_code code = r->flow && r->run && r->store ? ERR_NONE : err_memory(e);
    code = code ? code : read_values(v, r, e);
    if (code) {
        free_run(r);
        return code;
    }
    struct left_run **at = find_run(v, flow, strlen(flow));
    struct left_run *before = *at;
    if (before) {
        *at = before->next;
        before->next = NULL;
    }
    r->next = v->runs;
    v->runs = r;
    if (before && before->handed) {
        before->next = v->old;
        v->old = before;
    } else if (before) {
        free_run(before);
    }
    return ERR_NONE;
}

/* ---- reading ---- */

static struct column *find_column(struct left_run *run, const char *step, const char *name)
{
    for (size_t i = 0; i < run->ncolumns; i++) {
        if (strcmp(run->columns[i].step, step) == 0 && strcmp(run->columns[i].name, name) == 0) {
            return &run->columns[i];
        }
    }
    return NULL;
}

/* The database is open only for this: the session may be forked between cells. */
static enum err_code load_column(struct left_run *run, struct column *c, struct err *e)
{
    struct metadata *m = NULL;
    struct meta_run found = { 0 };
    enum err_code code = metadata_open(run->store, false, &m, e);
    code = code ? code : metadata_run_find(m, NULL, run->run, &run->arena, &found, e);
    code = code ? code : metadata_artifacts(m, found.id, c->step, NULL, c->name, &run->arena, &c->found, &c->count, e);
    metadata_close(m);
    if (code) {
        return code;
    }
    c->opened = arena_alloc(&run->arena, (c->count + 1) * sizeof *c->opened);
    return c->opened ? ERR_NONE : err_memory(e);
}

enum err_code values_column(struct left_run *run, const char *step, const char *name, struct column **out, struct err *e)
{
    *out = find_column(run, step, name);
    if (*out) {
        return ERR_NONE;
    }
    if (run->ncolumns == run->cap_columns) {
        size_t cap = run->cap_columns ? run->cap_columns * 2 : 16;
        struct column *grown = realloc(run->columns, cap * sizeof *grown);
        if (!grown) {
            return err_memory(e);
        }
        run->columns = grown;
        run->cap_columns = cap;
    }
    struct column c = { .step = arena_strndup(&run->arena, step, strlen(step)),
                        .name = arena_strndup(&run->arena, name, strlen(name)) };
    enum err_code code = c.step && c.name ? load_column(run, &c, e) : err_memory(e);
    if (!code) {
        run->columns[run->ncolumns] = c;
        *out = &run->columns[run->ncolumns++];
    }
    return code;
}

/* A string's bytes with a NUL behind them; other payloads as they lie in the file. */
static const void *payload(struct left_run *run, const struct artifact_value *v)
{
    const char *data = (const char *)v->data + v->npy.payload;
    return v->npy.field.kind == WEIR_STRING ? arena_strndup(&run->arena, data, v->npy.bytes) : data;
}

static bool size_fits(const struct npy *npy, size_t size, bool whole)
{
    if (size == 0) {
        return npy->field.kind == WEIR_STRING;
    }
    if (whole && npy->bytes == size) {
        return true;
    }
    size_t row = npy->field.size; /* of a dynamic one: all dims but the first */
    for (unsigned i = 1; i < npy->field.ndim; i++) {
        row *= npy->field.dim[i];
    }
    return size == row || size == npy->field.size;
}

static enum err_code give(struct values *v, const char *flow, const char *step, size_t i, const char *name, size_t size,
                          size_t *dim, const void **out)
{
    struct err *e = &v->err;
    struct left_run *run = *find_run(v, flow, strlen(flow));
    struct column *c = NULL;
    if (!run) {
        return err_set(e, ERR_NOT_FOUND, "flow '%s' has not been run in this session", flow);
    }
    enum err_code code = values_column(run, step, name, &c, e);
    if (code) {
        return code;
    }
    if (i >= c->count) {
        return err_set(e, ERR_NOT_FOUND, "run %s has %zu values %s.%s, not one with index %zu", run->run, c->count, step, name, i);
    }
    struct artifact_value *value = &c->opened[i];
    if (!value->data) {
        code = artifact_open(run->store, &c->found[i], &run->arena, value, e);
        if (code) {
            artifact_close(value);
            return code;
        }
    }
    if (!size_fits(&value->npy, size, dim == NULL)) {
        return err_set(e, ERR_TYPE, "the type of '%s' has changed since run %s left it (an element has %zu bytes there): run the "
                       "flow again, or look at it with %%artifact %s.%s", name, run->run, value->npy.field.size, step, name);
    }
    for (unsigned d = 0; dim && d < WEIR_MAX_DIMS; d++) {
        dim[d] = d < value->npy.field.ndim ? value->npy.field.dim[d] : 0;
    }
    run->handed = true;
    *out = payload(run, value);
    return *out ? ERR_NONE : err_memory(e);
}

const void *weir_value(void *values, const char *flow, const char *step, size_t i, const char *name, size_t size,
                       size_t *dim)
{
    struct values *v = values;
    const void *data = NULL;
    if (v->err.code) {
        return NULL; /* the first reason counts */
    }
    enum err_code code = give(v, flow, step, i, name, size, dim, &data);
    return code ? NULL : data;
}

/* ---- providing ---- */

static bool is_token(const struct tokens *t, size_t i, const char *name)
{
    return t->at[i].kind == TOKEN_IDENT && t->at[i].len == strlen(name) &&
           memcmp(t->text + t->at[i].start, name, t->at[i].len) == 0 && (i == 0 || (!token_is(t, i - 1, ".") && !token_is(t, i - 1, "->")));
}

/* Whether what stands before token i makes it a declaration in a function or block: `int winner`, `result *winner`. */
static bool is_declared_there(struct index *ix, const struct tokens *t, size_t i)
{
    static const char *const no_type[] = { "return", "else", "case", "do", "sizeof", "goto" };
    bool star = i > 1 && token_is(t, i - 1, "*");
    const struct token *type = star ? &t->at[i - 2] : i > 0 ? &t->at[i - 1] : NULL;
    if (!type || type->kind != TOKEN_IDENT) {
        return false;
    }
    for (size_t k = 0; k < sizeof no_type / sizeof *no_type; k++) {
        if (token_is(t, (size_t)(type - t->at), no_type[k])) {
            return false;
        }
    }
    return !star || ctype_begins(t, (size_t)(type - t->at), index_is_typedef, ix);
}

/* Whether the cell uses the name as something from outside. */
static bool names(struct index *ix, const struct tokens *t, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < t->count; i++) {
        if (is_token(t, i, name)) {
            if (is_declared_there(ix, t, i)) {
                return false; /* its own; one and the same cell seldom means both */
            }
            found = true;
        }
    }
    return found;
}

/* Whether the cell's own declarations at file scope have that name. */
static bool declares(const struct items *items, const char *name)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct item *item = &items->at[i];
        bool is_decl = item->kind == ITEM_DECLARATION || item->kind == ITEM_FUNCTION;
        for (size_t k = 0; is_decl && k < item->decl.ndeclarators; k++) {
            const char *own = item->decl.declarators[k].name;
            if (own && strcmp(own, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Whether a hidden cell declared the name last. */
static bool is_ours(struct index *ix, const char *name)
{
    const struct decl *d = index_find(ix, name, strlen(name));
    return d && values_is_label(d->source->cell_id);
}

/* Whether the name is the user's since the run. */
static bool is_taken(struct values *v, const struct left_run *run, const char *name)
{
    struct index *ix = v->m->host.index;
    const struct decl *d = index_find(ix, name, strlen(name));
    if (index_find_macro(ix, name, strlen(name))) {
        return true;
    }
    return d && !d->source->header && !values_is_label(d->source->cell_id) && d->source->number >= run->cell;
}

/* Whether a newer run of another flow has a value of that name. */
static bool is_newer_elsewhere(const struct values *v, const struct left_run *run, const char *name)
{
    for (const struct left_run *r = v->runs; r != run; r = r->next) {
        for (size_t i = 0; i < r->nvalues; i++) {
            if (r->final[i] && strcmp(r->values[i].name, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static enum err_code run_hidden(struct values *v, const char *name, const struct buf *text, struct err *e)
{
    char label[VALUES_LABEL];
    values_label(name, label);
    v->err.code = ERR_NONE;
    enum err_code code = v->m->host.run_cell(v->m->host.ctx, label, text->data, text->len, e);
    if (!code && v->err.code) {
        *e = v->err;
        code = v->err.code;
    }
    return code;
}

/* The type that a value had when the run was made must be the one that cells see now. */
static enum err_code check_type(struct values *v, const struct left_run *run, size_t i, struct err *e)
{
    char now[SHA256_HEX];
    struct err why;
    const struct flows_value *value = &run->values[i];
    if (!values_print(v->m->host.index, value->ctype, now, &why) && strcmp(now, run->prints[i]) == 0) {
        return ERR_NONE;
    }
    return err_set(e, ERR_TYPE, "the type '%s' of '%s' has changed since run %s left it: run the flow again, or look at it with "
                   "%%artifact %s", value->ctype, value->name, run->run, value->name);
}

static enum err_code provide_flow(struct values *v, struct left_run *run, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    enum err_code code = values_text_flow(v, run, &text, e);
    code = code ? code : run_hidden(v, run->flow, &text, e);
    buf_done(&text);
    return code;
}

static enum err_code provide_name(struct values *v, struct left_run *run, size_t i, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    enum err_code code = values_text_name(run, i, &text, e);
    code = code ? code : run_hidden(v, run->values[i].name, &text, e);
    buf_done(&text);
    return code;
}

/* "len" of a dynamic value and "dims" of a shaped one come with it: naming them alone is enough. */
static bool names_value(struct index *ix, const struct tokens *t, const struct flows_value *value)
{
    char beside[VALUES_LABEL];
    if (names(ix, t, value->name)) {
        return true;
    }
    (void)snprintf(beside, sizeof beside, "%s__%s", value->name, value->form == WEIR_DYNAMIC ? "n" : "d");
    return value->form != WEIR_FIXED && value->form != WEIR_TEXT && names(ix, t, beside);
}

static enum err_code provide_run(struct values *v, struct left_run *run, const struct tokens *t, const struct items *items,
                                 struct err *e)
{
    enum err_code code = ERR_NONE;
    struct index *ix = v->m->host.index;
    for (size_t i = 0; !code && i < run->nvalues; i++) {
        const char *name = run->values[i].name;
        if (!run->final[i] || !names_value(ix, t, &run->values[i]) || declares(items, name) || is_taken(v, run, name) ||
            is_newer_elsewhere(v, run, name)) {
            continue;
        }
        code = check_type(v, run, i, e);
        if (!code && !(run->given[i] && is_ours(ix, name))) {
            code = provide_name(v, run, i, e);
            run->given[i] = !code;
        }
    }
    bool is_word = strcmp(run->flow, "main") != 0; /* C's own */
    if (!code && is_word && names(ix, t, run->flow) && !declares(items, run->flow) && !is_taken(v, run, run->flow)) {
        for (size_t i = 0; !code && i < run->nvalues; i++) {
            code = check_type(v, run, i, e);
        }
        if (!code && !(run->given_flow && is_ours(ix, run->flow))) {
            code = provide_flow(v, run, e);
            run->given_flow = !code;
        }
    }
    return code;
}

enum err_code values_provide(struct values *v, const char *text, size_t len, struct err *e)
{
    struct tokens t;
    struct items items = { 0 };
    struct arena a;
    struct err ignored;
    if (!v->runs) {
        return ERR_NONE;
    }
    enum err_code code = lex(text, len, &t, e);
    if (code) {
        return code;
    }
    arena_init(&a);
    if (items_split(&t, index_is_typedef, v->m->host.index, &a, &items, &ignored)) {
        items.count = 0; /* the cell's own compilation will tell */
    }
    for (struct left_run *run = v->runs; !code && run; run = run->next) {
        code = provide_run(v, run, &t, &items, e);
    }
    arena_done(&a);
    tokens_done(&t);
    return code;
}
