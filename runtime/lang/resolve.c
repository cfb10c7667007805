/* See resolve.h. Walks the free identifiers that scan.h found; macros of plain cells are looked into for names of the
 * flow. */
#include "runtime/lang/resolve_internal.h"
#include "runtime/lang/assign.h"
#include "runtime/lang/macro.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1, MAX_MACROS = 200 };

enum err_code resolver_fail(struct resolver *r, enum err_code code, uint32_t token, const char *fmt, ...)
{
    char text[ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* cut at the limit on purpose */
    va_end(args);
    r->m->blame[0] = r->cell;
    r->m->blame[1] = NULL;
    return err_at(r->e, code, r->cell->label, (int)r->t->at[token].line, "%s", text);
}

const char *resolver_text(const struct resolver *r, uint32_t token)
{
    return r->t->text + r->t->at[token].start;
}

bool resolver_grow(struct resolver *r, void *list, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) {
        return true;
    }
    size_t grown = *cap ? *cap * 2 : 32;
    void *old, *room = arena_alloc(r->a, grown * size);
    if (!room) {
        (void)err_memory(r->e);
        return false;
    }
    memcpy(&old, list, sizeof old);
    if (n) {
        memcpy(room, old, n * size);
    }
    memcpy(list, &room, sizeof room);
    *cap = grown;
    return true;
}

static size_t text_len(const struct resolver *r, uint32_t token)
{
    return r->t->at[token].len;
}

static enum err_code add_ref(struct resolver *r, struct ref ref)
{
    struct resolved *out = r->out;
    if (!resolver_grow(r, &out->refs, out->nrefs, &r->cap_refs, sizeof *out->refs)) {
        return ERR_MEMORY;
    }
    out->refs[out->nrefs++] = ref;
    return ERR_NONE;
}

static enum err_code add_outside(struct resolver *r, const char *text, size_t len)
{
    struct resolved *out = r->out;
    if (!resolver_grow(r, &out->outside, out->noutside, &r->cap_outside, sizeof *out->outside)) {
        return ERR_MEMORY;
    }
    const char *copy = arena_strndup(r->a, text, len);
    if (!copy) {
        return err_memory(r->e);
    }
    out->outside[out->noutside++] = copy;
    return ERR_NONE;
}

bool resolve_is_boxed(const struct model *m, unsigned step, unsigned name)
{
    const struct model_name *n = &m->names[name];
    return n->role != NAME_LOOP && n->shape.form == WEIR_FIXED && n->shape.ndim && !m->steps[step].declares[name];
}

/* ---- len, dim, resize, push ---- */

static const char *word_text(enum ref_kind kind)
{
    return kind == REF_LEN ? "len" : kind == REF_DIM ? "dim" : kind == REF_RESIZE ? "resize" : "push";
}

/* The first comma between open and close that belongs to neither brackets nor braces inside; close: none. */
static uint32_t find_comma(const struct resolver *r, uint32_t open, uint32_t close)
{
    uint32_t i = open + 1;
    while (i < close && !token_is(r->t, i, ",")) {
        bool opens = token_is(r->t, i, "(") || token_is(r->t, i, "[") || token_is(r->t, i, "{");
        i = opens ? r->scan->match[i] + 1 : i + 1;
    }
    return i;
}

/* The operand: one artifact's name, or inputs.... */
static enum err_code word_operand(struct resolver *r, struct ref *ref)
{
    uint32_t i = ref->operand;
    enum err_code code = ERR_NONE;
    if (i >= ref->operand_end || r->t->at[i].kind != TOKEN_IDENT) {
        return resolver_fail(r, ERR_SYNTAX, ref->token, "%s() takes the name of an artifact", word_text(ref->kind));
    }
    int name = model_find(r->m, r->step, resolver_text(r, i), text_len(r, i));
    bool is_use = false;
    for (size_t k = 0; k < r->scan->nuses; k++) {
        is_use = is_use || r->scan->uses[k].token == i;
    }
    if (is_use && name == NONE && scan_is(r->t, i, "inputs") && (ref->kind == REF_LEN || ref->kind == REF_DIM)) {
        struct ref member = { .token = i, .name = NONE, .member = NONE };
        code = resolver_inputs(r, i, &member);
        if (!code && (member.kind != REF_MEMBER || member.end != ref->operand_end)) {
            code = resolver_fail(r, ERR_SYNTAX, i, "%s() takes the name of an artifact, as inputs.at[i].x",
                                 word_text(ref->kind));
        }
        if (!code) {
            ref->member = member.member;
            ref->name = NONE;
            r->out->members[member.member].sized = true;
        }
    } else if (!is_use || name == NONE || i + 1 != ref->operand_end) {
        return resolver_fail(r, is_use && i + 1 == ref->operand_end ? ERR_PENDING : ERR_TYPE, i,
                             "%s() takes the name of an artifact, and '%.*s' is none here", word_text(ref->kind),
                             (int)text_len(r, i), resolver_text(r, i));
    } else {
        int form = r->m->names[name].shape.form;
        ref->name = name;
        r->out->sized[name] = r->out->sized[name] || form == WEIR_DYNAMIC || form == WEIR_SHAPED;
        r->out->reads[name] = r->out->reads[name] || form == WEIR_TEXT;
        code = resolver_reaches(r, i, (unsigned)name);
    }
    r->taken[i] = true;
    return code;
}

static const struct shape *operand_shape(const struct resolver *r, const struct ref *ref)
{
    int name = ref->name != NONE ? ref->name : (int)r->out->members[ref->member].name;
    return &r->m->names[name].shape;
}

/* Dims that the operand has as the text sees it: a foreach variable is one row. */
static unsigned operand_ndim(const struct resolver *r, const struct ref *ref)
{
    int name = ref->name != NONE ? ref->name : (int)r->out->members[ref->member].name;
    const struct model_name *n = &r->m->names[name];
    return n->shape.ndim - (n->role == NAME_LOOP && n->shape.ndim);
}

static enum err_code check_word(struct resolver *r, const struct ref *ref)
{
    const struct shape *s = operand_shape(r, ref);
    uint32_t i = ref->operand;
    int len = (int)text_len(r, ref->operand_end - 1);
    const char *name = resolver_text(r, ref->operand_end - 1);
    if (ref->kind == REF_LEN || ref->kind == REF_DIM) {
        bool fits = operand_ndim(r, ref) > 0 || (ref->kind == REF_LEN && s->form == WEIR_TEXT);
        return fits ? ERR_NONE
                    : resolver_fail(r, ERR_TYPE, i, "%s() takes an array, and '%.*s' is %s", word_text(ref->kind), len,
                                    name, s->spelling);
    }
    if (s->form != WEIR_DYNAMIC || r->m->names[ref->name].role == NAME_LOOP ||
        (ref->kind == REF_PUSH && s->ndim != 1)) {
        return resolver_fail(r, ERR_TYPE, i, "%s() takes an array declared as `T x[]`%s, and '%.*s' is %s",
                             word_text(ref->kind), ref->kind == REF_PUSH ? "" : " or `T x[][K]`", len, name,
                             s->spelling);
    }
    return ERR_NONE;
}

static enum err_code add_word(struct resolver *r, uint32_t i, enum ref_kind kind)
{
    uint32_t open = i + 1, close = r->scan->match[open];
    struct ref ref = { .kind = kind, .token = i, .end = close + 1, .name = NONE, .member = NONE, .operand = open + 1,
                       .operand_end = close, .comma = close };
    if (kind != REF_LEN) {
        ref.comma = find_comma(r, open, close);
        ref.operand_end = ref.comma;
        if (ref.comma + 1 >= close) {
            return resolver_fail(r, ERR_SYNTAX, i, "%s() takes two arguments: %s", word_text(kind),
                                 kind == REF_DIM      ? "dim(x, 1)"
                                 : kind == REF_RESIZE ? "resize(x, n)"
                                                      : "push(x, value)");
        }
    }
    enum err_code code = word_operand(r, &ref);
    code = code ? code : check_word(r, &ref);
    return code ? code : add_ref(r, ref);
}

/* ---- current, fail, and words to come ---- */

static enum err_code add_current(struct resolver *r, uint32_t i)
{
    static const char *const members[] = { "run", "flow", "step", "index", "seed" };
    static const char *const later[] = { "rank", "world", "iteration", "scratch" };
    for (size_t k = 0; k < sizeof members / sizeof members[0]; k++) {
        if (token_is(r->t, i + 1, ".") && scan_is(r->t, i + 2, members[k])) {
            r->out->uses_current = true;
            return add_ref(r,
                           (struct ref){ .kind = REF_CURRENT, .token = i, .end = i + 1, .name = NONE, .member = NONE });
        }
    }
    for (size_t k = 0; k < sizeof later / sizeof later[0]; k++) {
        if (token_is(r->t, i + 1, ".") && scan_is(r->t, i + 2, later[k])) {
            return resolver_fail(r, ERR_SYNTAX, i, "`current.%s` is not supported yet", later[k]);
        }
    }
    return resolver_fail(r, ERR_SYNTAX, i, "`current` has the members run, flow, step, index and seed");
}

/* A word of the language at token i (no name of the flow, nothing that the user declared); *done: it was one. */
static enum err_code add_language_word(struct resolver *r, uint32_t i, bool *done)
{
    bool call = token_is(r->t, i + 1, "(");
    static const struct { const char *word; enum ref_kind kind; } words[] = {
        { "len", REF_LEN }, { "dim", REF_DIM }, { "resize", REF_RESIZE }, { "push", REF_PUSH },
    };
    *done = true;
    for (size_t k = 0; call && k < sizeof words / sizeof words[0]; k++) {
        if (scan_is(r->t, i, words[k].word)) {
            return add_word(r, i, words[k].kind);
        }
    }
    if (call && scan_is(r->t, i, "fail")) {
        return add_ref(r, (struct ref){ .kind = REF_FAIL, .token = i, .end = i + 1, .name = NONE, .member = NONE });
    }
    if (scan_is(r->t, i, "current")) {
        return add_current(r, i);
    }
    if (scan_is(r->t, i, "inputs")) {
        struct ref ref = { .token = i, .name = NONE, .member = NONE };
        enum err_code code = resolver_inputs(r, i, &ref);
        return code ? code : add_ref(r, ref);
    }
    if (call && (scan_is(r->t, i, "merge") || scan_is(r->t, i, "codec"))) {
        return resolver_fail(r, ERR_SYNTAX, i, "`%.*s(...)` is not supported yet", (int)text_len(r, i),
                             resolver_text(r, i));
    }
    *done = false;
    return ERR_NONE;
}

/* ---- macros of plain cells ---- */

struct macro_walk { const struct decl *seen[MAX_MACROS]; unsigned nseen; uint32_t use; };

static enum err_code check_macro(struct resolver *r, struct macro_walk *w, const struct decl *d);

static enum err_code macro_name(struct resolver *r, struct macro_walk *w, const struct decl *d, const struct tokens *t,
                                uint32_t i)
{
    const char *text = t->text + t->at[i].start;
    size_t len = t->at[i].len;
    int name = model_find(r->m, r->step, text, len);
    if (name == NONE) {
        static const char *const words[] = { "len", "dim", "resize", "push", "fail", "inputs", "current" };
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
            bool call = token_is(t, i + 1, "(");
            if (scan_is(t, i, words[k]) && (k > 4 || call) && !model_outside(r->m->ix, text, len)) {
                return resolver_fail(r, ERR_SYNTAX, w->use,
                                     "the macro '%s' (cell [%d] line %d) uses `%s`, which works only in a "
                                     "step's own text; write it here",
                                     d->name, d->source->number, d->source->line, words[k]);
            }
        }
        const struct decl *inner = index_find_macro(r->m->ix, text, len);
        return inner ? check_macro(r, w, inner) : ERR_NONE;
    }
    int form = r->m->names[name].shape.form;
    if (resolve_is_boxed(r->m, r->step, (unsigned)name) || form == WEIR_SHAPED) {
        return resolver_fail(r, ERR_TYPE, w->use,
                             "the macro '%s' (cell [%d] line %d) names the array artifact '%s'; give it to the "
                             "macro as an argument",
                             d->name, d->source->number, d->source->line, r->m->names[name].name);
    }
    r->out->reads[name] = true;
    return resolver_reaches(r, w->use, (unsigned)name);
}

/* Names of the flow in a plain cell's macro are read by the step that uses it. */
static enum err_code check_macro(struct resolver *r, struct macro_walk *w, const struct decl *d)
{
    struct macro m;
    struct tokens t = { .count = 0 };
    for (unsigned i = 0; i < w->nseen; i++) {
        if (w->seen[i] == d) {
            return ERR_NONE;
        }
    }
    if (d->source->header || w->nseen == MAX_MACROS || !macro_parse(d->source, &m)) {
        return ERR_NONE;
    }
    w->seen[w->nseen++] = d;
    enum err_code code = lex(m.body, m.nbody, &t, r->e);
    for (uint32_t i = 0; i < t.count && !code; i++) {
        bool member = i && (token_is(&t, i - 1, ".") || token_is(&t, i - 1, "->"));
        if (t.at[i].kind == TOKEN_IDENT && !member && !macro_has_parameter(&m, t.text + t.at[i].start, t.at[i].len)) {
            code = macro_name(r, w, d, &t, i);
        }
    }
    tokens_done(&t);
    return code;
}

/* ---- free identifiers ---- */

/* The name also stands among the arguments of a macro: that may be what declares it. */
static bool may_be_declared_by_macro(const struct resolver *r, uint32_t token)
{
    for (size_t i = 0; i < r->scan->nuses; i++) {
        const struct scan_use *u = &r->scan->uses[i];
        if (u->argument && text_len(r, u->token) == text_len(r, token) &&
            memcmp(resolver_text(r, u->token), resolver_text(r, token), text_len(r, token)) == 0) {
            return true;
        }
    }
    return false;
}

static enum err_code add_outside_name(struct resolver *r, uint32_t i)
{
    const char *text = resolver_text(r, i);
    size_t len = text_len(r, i);
    const struct decl *macro = index_find_macro(r->m->ix, text, len);
    bool reserved = len > 1 && text[0] == '_' && text[1] == '_'; /* the compiler's */
    if (!macro && !reserved && !model_outside(r->m->ix, text, len)) {
        return may_be_declared_by_macro(r, i) ? ERR_NONE : resolver_unknown(r, i);
    }
    struct macro_walk walk = { .use = i };
    enum err_code code = macro ? check_macro(r, &walk, macro) : ERR_NONE;
    return code ? code : add_outside(r, text, len);
}

static enum err_code add_name_ref(struct resolver *r, uint32_t i, unsigned name)
{
    r->out->reads[name] = true;
    r->out->sized[name] = r->out->sized[name] || r->m->names[name].shape.form == WEIR_SHAPED;
    enum err_code code = resolver_reaches(r, i, name);
    if (code) {
        return code;
    }
    return add_ref(r, (struct ref){ .kind = REF_NAME, .token = i, .end = i + 1, .name = (int)name, .member = NONE });
}

static enum err_code resolve_use(struct resolver *r, const struct scan_use *use)
{
    uint32_t i = use->token;
    const char *text = resolver_text(r, i);
    size_t len = text_len(r, i);
    if (r->taken[i]) {
        return ERR_NONE;
    }
    int name = model_find(r->m, r->step, text, len);
    if (name != NONE) {
        const struct model_step *s = &r->m->steps[r->step];
        bool absent = s->in[name] != REACH_HERE && !s->declares[name];
        return use->argument && absent ? ERR_NONE : add_name_ref(r, i, (unsigned)name);
    }
    if (!model_user_declared(r->m->ix, text, len)) {
        bool done = false;
        enum err_code code = add_language_word(r, i, &done);
        if (code || done) {
            return code;
        }
    }
    return add_outside_name(r, i);
}

static enum err_code add_tags(struct resolver *r)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < r->scan->ntags && !code; i++) {
        const struct scan_tag *tag = &r->scan->tags[i];
        char text[300];
        (void)snprintf(text, sizeof text, "%.*s %.*s", (int)text_len(r, tag->keyword), resolver_text(r, tag->keyword),
                       250, resolver_text(r, tag->token)); /* the tag is cut below */
        size_t len = text_len(r, tag->keyword) + 1 + (text_len(r, tag->token) < 250 ? text_len(r, tag->token) : 250);
        code = add_outside(r, text, len < strlen(text) ? len : strlen(text));
    }
    return code;
}

static int compare_refs(const void *a, const void *b)
{
    uint32_t x = ((const struct ref *)a)->token, y = ((const struct ref *)b)->token;
    return x < y ? -1 : x > y;
}

static enum err_code resolver_init(struct resolver *r)
{
    unsigned n = r->m->nnames + 1;
    *r->out = (struct resolved){ .reads = arena_alloc(r->a, n),
                                 .sized = arena_alloc(r->a, n),
                                 .loads = arena_alloc(r->a, n) };
    r->taken = arena_alloc(r->a, r->t->count + 1);
    return r->out->reads && r->out->sized && r->out->loads && r->taken ? ERR_NONE : err_memory(r->e);
}

static enum err_code check_pp(struct resolver *r)
{
    unsigned open = 0;
    size_t item = 0;
    for (size_t i = 0; i < r->scan->npp; i++) {
        uint32_t token = r->scan->pp[i];
        const char *p = resolver_text(r, token) + 1;
        p += strspn(p, " \t");
        for (; item < r->scan->nitems && r->scan->items[item].word < token; item++) {
            if (open) {
                return resolver_fail(r, ERR_SYNTAX, r->scan->items[item].word,
                                     "`artifact` between #if and #endif; declare it outside");
            }
        }
        if (strncmp(p, "define", 6) == 0 || strncmp(p, "undef", 5) == 0) {
            return resolver_fail(r, ERR_SYNTAX, token, "a macro belongs into a plain cell, where every step sees it");
        }
        open += strncmp(p, "if", 2) == 0;
        open -= open && strncmp(p, "endif", 5) == 0;
    }
    return ERR_NONE;
}

enum err_code resolve_step(struct model *m, unsigned step, struct arena *a, struct resolved *out, struct err *e)
{
    const struct model_step *s = &m->steps[step];
    struct resolver r = {
        .m = m, .step = step, .cell = s->cell, .t = &s->cell->tokens, .scan = &s->scan, .a = a, .out = out, .e = e
    };
    enum err_code code = resolver_init(&r);
    code = code ? code : check_pp(&r);
    code = code ? code : resolver_check_incoming(&r);
    for (size_t i = 0; i < s->scan.nuses && !code; i++) {
        code = resolve_use(&r, &s->scan.uses[i]);
    }
    for (size_t i = 0; i < s->scan.nreturns && !code; i++) {
        if (!token_is(r.t, s->scan.returns[i] + 1, ";")) {
            code = resolver_fail(&r, ERR_SYNTAX, s->scan.returns[i],
                                 "a step returns no value; keep it in an artifact and write `return;`");
        }
    }
    code = code ? code : add_tags(&r);
    if (!code && out->nrefs) {
        qsort(out->refs, out->nrefs, sizeof *out->refs, compare_refs);
    }
    code = code ? code : resolver_check_refs(&r);
    return code ? code : resolver_check_items(&r);
}

enum err_code resolve_parameters(struct model *m, struct arena *a, struct resolved *out, struct err *e)
{
    const struct flowcell *cell = m->head;
    struct resolver r = { .m = m, .cell = cell, .t = &cell->tokens, .scan = &m->head_scan, .a = a, .out = out, .e = e };
    enum err_code code = resolver_init(&r);
    for (size_t i = 0; i < r.scan->nuses && !code; i++) {
        uint32_t token = r.scan->uses[i].token;
        int known = NONE;
        for (unsigned k = 0; k < m->nnames; k++) {
            bool same = strncmp(m->names[k].name, resolver_text(&r, token), text_len(&r, token)) == 0 &&
                        !m->names[k].name[text_len(&r, token)];
            known = same && m->names[k].role != NAME_LOOP ? (int)k : known;
        }
        if (known != NONE) {
            return resolver_fail(
                &r, ERR_NAME, token, "a parameter's default can't use '%s', which is %s; it is made of constants",
                m->names[known].name, m->names[known].role == NAME_PARAMETER ? "a parameter" : "an artifact");
        }
        code = add_outside_name(&r, token);
    }
    return code ? code : add_tags(&r);
}
