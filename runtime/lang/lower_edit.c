/* What the tokens of a step's body become (see lower.h).
 *
 *     len(x)              x__n                     a[i][j] (sizes at run time)   a[(i) * a__d1 + (j)]
 *     resize(x, n)        (x = weir_resize(...), x__n = x__m)
 *     w[2] (read-only fixed array)                 (*w)[2]
 *     artifact T x = v;   x = v;
 *
 * Each token is edited alone, so that an edit inside another's argument needs no thought. */
#include "runtime/lang/lower_internal.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

static void add_before(struct lower *l, uint32_t i, const char *text)
{
    l->edits[i].before = l->edits[i].before ? lower_text(l, "%s%s", l->edits[i].before, text) : text;
}

static void add_after(struct lower *l, uint32_t i, const char *text)
{
    l->edits[i].after = l->edits[i].after ? lower_text(l, "%s%s", l->edits[i].after, text) : text;
}

static void set_text(struct lower *l, uint32_t i, const char *text)
{
    l->edits[i].text = text;
}

static void blank(struct lower *l, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        l->edits[i] = (struct edit){ .text = "" };
    }
}

static bool is_empty(const struct edit *edit)
{
    return edit->text && !edit->text[0];
}

/* Of a row of such tokens only the first blank is kept. */
static bool is_gone(const struct edit *edit)
{
    return is_empty(edit) && !edit->before && !edit->after;
}

void lower_render(struct lower *l, uint32_t first, uint32_t end, struct buf *out)
{
    size_t at = first < end ? l->t->at[first].start : 0;
    for (uint32_t i = first; i < end; i++) {
        const struct token *k = &l->t->at[i];
        const struct edit *edit = &l->edits[i];
        const char *gap = l->t->text + at;
        size_t ngap = k->start - at;
        bool gone = i > first && is_gone(edit) && is_empty(&l->edits[i - 1]) && strspn(gap, " \t") >= ngap;
        buf_add(out, gap, gone ? 0 : ngap);
        buf_str(out, edit->before ? edit->before : "");
        if (edit->text) {
            buf_str(out, edit->text);
        } else {
            buf_add(out, l->t->text + k->start, k->len);
        }
        buf_str(out, edit->after ? edit->after : "");
        at = (size_t)k->start + k->len;
    }
}

/* The same on one line, without comments, as text in the arena. */
static const char *flat(struct lower *l, uint32_t first, uint32_t end)
{
    struct buf b;
    buf_init(&b, 0);
    for (uint32_t i = first; i < end; i++) {
        const struct edit *edit = &l->edits[i];
        bool apart = i > first && l->t->at[i].start > l->t->at[i - 1].start + l->t->at[i - 1].len;
        buf_printf(&b, "%s%s", apart ? " " : "", edit->before ? edit->before : "");
        if (edit->text) {
            buf_str(&b, edit->text);
        } else {
            buf_add(&b, l->t->text + l->t->at[i].start, l->t->at[i].len);
        }
        buf_str(&b, edit->after ? edit->after : "");
    }
    const char *text = lower_text(l, "%s", b.data);
    l->failed = l->failed || b.failed;
    buf_done(&b);
    return text;
}

static const char *source_text(struct lower *l, uint32_t first, uint32_t end)
{
    size_t start = l->t->at[first].start, stop = (size_t)l->t->at[end - 1].start + l->t->at[end - 1].len;
    return lower_text(l, "%.*s", (int)(stop - start), l->t->text + start);
}

/* ---- arrays with sizes known at run time ---- */

/* The dims first..first + rank of the array called base, whose indices begin at token i (base itself is token name). */
static void edit_shaped(struct lower *l, uint32_t name, uint32_t i, const char *base, unsigned first, unsigned rank)
{
    unsigned groups = 0;
    for (uint32_t at = i; groups < rank && token_is(l->t, at, "["); groups++) {
        at = l->scan->match[at] + 1;
    }
    if (!groups || rank == 1) {
        return;
    }
    bool full = groups == rank;
    unsigned opened = full ? groups - 1 : groups;
    char parens[WEIR_MAX_DIMS + 1];
    memset(parens, '(', opened);
    parens[opened] = '\0';
    if (!full) {
        add_before(l, name, "(");
    }
    for (unsigned k = 1; k <= groups; k++) {
        uint32_t close = l->scan->match[i];
        set_text(l, i, k > 1 ? "" : lower_text(l, "%s%s", full ? "[" : " + ", parens));
        const char *closing = k == 1 ? ")" : "))";
        if (k < groups) {
            set_text(l, close, lower_text(l, "%s * %s__d%u + (", closing, base, first + k));
        } else if (full) {
            set_text(l, close, ")]");
        } else {
            set_text(l, close, closing);
            for (unsigned d = groups; d < rank; d++) {
                add_after(l, close, lower_text(l, " * %s__d%u", base, first + d));
            }
            add_after(l, close, ")");
        }
        i = close + 1;
    }
}

/* ---- names and members ---- */

static void edit_name(struct lower *l, const struct ref *ref)
{
    const struct model_name *n = &l->m->names[ref->name];
    if (n->shape.form == WEIR_SHAPED) {
        bool row = n->role == NAME_LOOP;
        if (n->shape.ndim > row) {
            edit_shaped(l, ref->token, ref->end, n->name, row, n->shape.ndim - row);
        }
    } else if (resolve_is_boxed(l->m, l->step, (unsigned)ref->name)) {
        add_before(l, ref->token, "(*");
        add_after(l, ref->token, ")");
    }
}

/* `inputs.at[i].x` may be written twice: its index has no effects and is written as it stands. */
static bool is_simple(const struct lower *l, uint32_t first, uint32_t end)
{
    static const char *const effects[] = { "(", "=", "++", "--", "+=", "-=", "*=", "/=" };
    for (uint32_t i = first; i < end; i++) {
        if (l->edits[i].before || l->edits[i].text || l->edits[i].after) {
            return false;
        }
        for (size_t k = 0; k < sizeof effects / sizeof effects[0]; k++) {
            if (token_is(l->t, i, effects[k])) {
                return false;
            }
        }
    }
    return true;
}

static enum err_code member_error(struct lower *l, uint32_t i, struct err *e, const char *what)
{
    return err_at(e, ERR_SYNTAX, l->cell->label, (int)l->t->at[i].line, "%s", what);
}

static enum err_code edit_member(struct lower *l, const struct ref *ref, struct err *e)
{
    const struct member *k = &l->res->members[ref->member];
    const struct model_name *n = &l->m->names[k->name];
    if (n->role == NAME_LOOP || k->place == MEMBER_ALL) {
        return ERR_NONE;
    }
    bool indexed = token_is(l->t, ref->end, "[");
    if (n->shape.form == WEIR_SHAPED && indexed && n->shape.ndim > 1) {
        if (!is_simple(l, ref->token, ref->end)) {
            return member_error(l, ref->token, e,
                                "the index of `inputs.at[...]` has to be a plain variable or number here; put it into "
                                "a variable first");
        }
        edit_shaped(l, ref->token, ref->end, source_text(l, ref->token, ref->end), 0, n->shape.ndim);
    } else if (n->shape.form == WEIR_FIXED && (n->shape.ndim || n->shape.resolved->kind == CTYPE_STRUCT)) {
        add_before(l, ref->token, "(*");
        add_after(l, ref->end - 1, ")");
    }
    return ERR_NONE;
}

/* ---- len, dim, resize, push ---- */

/* Dim k of the operand as C text; base: how its local is called. */
static const char *dim_text(struct lower *l, const struct model_name *n, const char *base, unsigned k)
{
    unsigned d = k + (n->role == NAME_LOOP && n->shape.ndim ? 1 : 0);
    if (n->shape.form == WEIR_SHAPED) {
        return lower_text(l, "%s__d%u", base, d);
    }
    return n->shape.dim[d][0] ? lower_text(l, "((size_t)(%s))", n->shape.dim[d]) : lower_text(l, "%s__n", base);
}

static const struct model_name *operand_name(const struct lower *l, const struct ref *ref)
{
    return &l->m->names[ref->name != NONE ? (unsigned)ref->name : l->res->members[ref->member].name];
}

/* len(x), or dim(x, k) with a constant k: a variable, a member, or a constant in place of the operand. */
static void edit_size(struct lower *l, const struct ref *ref, unsigned k)
{
    const struct model_name *n = operand_name(l, ref);
    uint32_t last = ref->operand_end - 1;
    const char *text = dim_text(l, n, n->name, k);
    l->edits[ref->token].text = l->edits[ref->token + 1].text = "";
    if (text[0] == '(') { /* a constant */
        blank(l, ref->operand, ref->operand_end);
    }
    set_text(l, last, text);
    blank(l, ref->comma, ref->end);
}

static void edit_len(struct lower *l, const struct ref *ref)
{
    if (operand_name(l, ref)->shape.form == WEIR_TEXT) {
        set_text(l, ref->token, "strlen");
    } else {
        edit_size(l, ref, 0);
    }
}

static enum err_code edit_dim(struct lower *l, const struct ref *ref, struct err *e)
{
    const struct model_name *n = operand_name(l, ref);
    unsigned ndim = n->shape.ndim - (n->role == NAME_LOOP && n->shape.ndim);
    const struct token *k = &l->t->at[ref->comma + 1];
    if (ref->comma + 3 == ref->end && k->kind == TOKEN_NUMBER) {
        unsigned long value = strtoul(l->t->text + k->start, NULL, 0);
        if (value >= ndim) {
            return err_at(e, ERR_TYPE, l->cell->label, (int)k->line, "'%s' has %u dimension%s, counted from 0", n->name,
                          ndim, ndim == 1 ? "" : "s");
        }
        edit_size(l, ref, (unsigned)value);
        return ERR_NONE;
    }
    if (ref->name == NONE) {
        return member_error(l, ref->token, e, "dim(inputs..., k) takes a number as k");
    }
    const char *dims = "";
    for (unsigned d = 0; d < ndim; d++) {
        dims = lower_text(l, "%s%s%s", dims, d ? ", " : "", dim_text(l, n, n->name, d));
    }
    set_text(l, ref->token, "");
    set_text(l, ref->token + 1, lower_text(l, "((const size_t[]){%s}[", dims));
    blank(l, ref->operand, ref->comma + 1);
    set_text(l, ref->end - 1, "])");
    return ERR_NONE;
}

static void edit_growth(struct lower *l, const struct ref *ref)
{
    const char *x = l->m->names[ref->name].name, *id = lower_id_text(l, (unsigned)ref->name);
    bool resize = ref->kind == REF_RESIZE;
    set_text(l, ref->token, lower_text(l, "(%s = weir_%s", x, resize ? "resize" : "grow"));
    set_text(l, ref->token + 1, lower_text(l, "(weir__t, %s, ", id));
    if (resize) {
        set_text(l, ref->comma, lower_text(l, ", %s__n, %s__m = (size_t)(", x, x));
        set_text(l, ref->end - 1, lower_text(l, ")), %s__n = %s__m)", x, x));
    } else {
        set_text(l, ref->comma, lower_text(l, ", %s__n), %s[%s__n] = (", x, x, x));
        set_text(l, ref->end - 1, lower_text(l, "), %s__n++)", x));
    }
}

enum err_code lower_edit_refs(struct lower *l, struct err *e)
{
    enum err_code code = ERR_NONE;
    for (size_t i = l->res->nrefs; i-- > 0 && !code;) { /* inner ones first: is_simple looks at them */
        const struct ref *ref = &l->res->refs[i];
        switch (ref->kind) {
        case REF_NAME: edit_name(l, ref); break;
        case REF_MEMBER: code = edit_member(l, ref, e); break;
        case REF_COUNT: break;
        case REF_LEN: edit_len(l, ref); break;
        case REF_DIM: code = edit_dim(l, ref, e); break;
        case REF_RESIZE:
        case REF_PUSH: edit_growth(l, ref); break;
        case REF_FAIL:
            set_text(l, ref->token, "weir_fail");
            set_text(l, ref->token + 1, "(__FILE__, __LINE__, ");
            break;
        case REF_CURRENT: set_text(l, ref->token, "weir__current"); break;
        }
    }
    for (size_t i = 0; i < l->scan->nreturns; i++) {
        set_text(l, l->scan->returns[i], "goto weir__end");
    }
    for (size_t i = 0; i < l->scan->npp; i++) {
        uint32_t token = l->scan->pp[i];
        const char *p = l->t->text + l->t->at[token].start + 1;
        if (strncmp(p + strspn(p, " \t"), "include", 7) == 0) {
            set_text(l, token, ""); /* it stands at the file's head */
        }
    }
    return code;
}

/* ---- artifact lines ---- */

static bool has_comment(const struct lower *l, uint32_t first, uint32_t end)
{
    const char *p = l->t->text + l->t->at[first].start;
    size_t n = (size_t)l->t->at[end - 1].start + l->t->at[end - 1].len - l->t->at[first].start;
    return memmem(p, n, "/*", 2) || memmem(p, n, "//", 2) || memmem(p, n, "*/", 2) || memchr(p, '\n', n);
}

/* The identifier stands in text, and not as the end of a longer one. */
static bool has_identifier(const char *text, const char *name)
{
    for (const char *p = text; p && (p = strstr(p, name)) != NULL; p++) {
        if (p == text || !strchr("_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", p[-1])) {
            return true;
        }
    }
    return false;
}

bool lower_mentions(const struct lower *l, const char *name)
{
    for (size_t i = 0; i < l->t->count; i++) {
        const struct edit *edit = &l->edits[i];
        if (has_identifier(edit->text, name) || has_identifier(edit->after, name)) {
            return true;
        }
    }
    return false;
}

/* Tokens as a comment where that is possible, else gone. */
static void comment_out(struct lower *l, uint32_t first, uint32_t end)
{
    if (first >= end) {
        return;
    }
    if (has_comment(l, first, end)) {
        blank(l, first, end);
        return;
    }
    const char *text = source_text(l, first, end);
    blank(l, first, end);
    add_before(l, first, lower_text(l, "/* %s */", text));
    for (uint32_t i = first + 1; i < end; i++) {
        l->edits[i].text = "";
    }
}

/* x[] = { ... } */
static void edit_dynamic_init(struct lower *l, const struct scan_item *item, const struct shape *s, const char *id)
{
    const char *x = item->name, *type = lower_declare(l, s, 0, false, "");
    bool text = l->t->at[item->init_first].kind == TOKEN_STRING;
    const char *values = flat(l, item->init_first, item->init_end);
    const char *open = text ? "{" : "", *close = text ? "}" : "";
    set_text(l, item->init_first - 1,
             lower_text(l,
                        " = weir_resize(weir__t, %s, NULL, 0, %s__n = sizeof (%s)%s%s%s / sizeof *%s), "
                        "memcpy(%s, (%s)%s",
                        id, x, type, open, values, close, x, x, type, open));
    add_after(l, item->init_end - 1, lower_text(l, "%s, %s__n * sizeof *%s)", close, x, x));
}

static void edit_init(struct lower *l, const struct scan_item *item, const struct shape *s, const char *id)
{
    bool braces = token_is(l->t, item->init_first, "{");
    if (s->form == WEIR_DYNAMIC) {
        edit_dynamic_init(l, item, s, id);
    } else if (s->form == WEIR_FIXED && s->ndim) {
        const char *type = lower_declare(l, s, 0, false, "");
        set_text(l, item->name_token, lower_text(l, "memcpy(%s, ", item->name));
        set_text(l, item->init_first - 1, "");
        add_before(l, item->init_first, lower_text(l, "(%s)%s", type, braces ? "" : "{"));
        add_after(l, item->init_end - 1, lower_text(l, "%s, sizeof %s)", braces ? "" : "}", item->name));
    } else if (braces) {
        add_before(l, item->init_first, lower_text(l, "(%s)", lower_declare(l, s, 0, false, "")));
    }
}

/* a[n][m]: its sizes are evaluated here, and zeroed memory is allocated. */
static void edit_shaped_line(struct lower *l, const struct scan_item *item, const struct shape *s, const char *id)
{
    const char *x = item->name, *dims = "", *more = "";
    uint32_t at = item->name_token + 1, last = item->name_token;
    unsigned k = 0;
    set_text(l, item->name_token, lower_text(l, "(%s__d0 = (size_t)(", x));
    for (; k < s->ndim && token_is(l->t, at, "["); k++) {
        uint32_t close = l->scan->match[at];
        set_text(l, at, "");
        set_text(l, close,
                 k + 1 < s->ndim && token_is(l->t, close + 1, "[") ? lower_text(l, "), %s__d%u = (size_t)(", x, k + 1)
                                                                   : ")");
        last = close;
        at = close + 1;
    }
    for (; k < s->ndim; k++) { /* sizes that its element type, a typedef, brings */
        more = lower_text(l, "%s, %s__d%u = (size_t)(%s)", more, x, k, s->dim[k]);
    }
    for (unsigned d = 0; d < s->ndim; d++) {
        dims = lower_text(l, "%s%s%s__d%u", dims, d ? ", " : "", x, d);
    }
    add_after(l, last, lower_text(l, "%s, %s = weir_resize(weir__t, %s, NULL, 0, weir__elements(__FILE__, __LINE__, "
                                  "(const size_t[]){ %s }, %u)))", more, x, id, dims, s->ndim));
}

void lower_edit_items(struct lower *l)
{
    const struct model_step *step = &l->m->steps[l->step];
    for (size_t i = 0; i < l->scan->nitems; i++) {
        const struct scan_item *item = &l->scan->items[i];
        const struct model_name *n = &l->m->names[step->item_name[i]];
        bool first = i == 0 || l->scan->items[i - 1].word != item->word;
        bool more = i + 1 < l->scan->nitems && l->scan->items[i + 1].word == item->word;
        const char *id = lower_id_text(l, (unsigned)step->item_name[i]);
        bool init = item->init_end > item->init_first;
        if (!item->type) {
            if (first) {
                comment_out(l, item->word, item->stop);
            }
            continue;
        }
        struct shape here = n->shape;
        bool shaped = here.form == WEIR_SHAPED;
        if (shaped) { /* this line's own sizes */
            const struct ctype *type = item->type;
            for (unsigned d = 0; d < here.ndim && type && type->kind == CTYPE_ARRAY; d++, type = type->of) {
                here.dim[d] = type->dim;
            }
        }
        if (first && (init || shaped || more)) {
            comment_out(l, item->word, item->first);
            add_after(l, item->first - 1, item->first == item->name_token ? "" : " ");
        }
        if (!init && !shaped) {
            if (first && !more) {
                comment_out(l, item->word, item->end);
            } else {
                blank(l, item->first, item->end);
                set_text(l, item->name_token, "(void)0");
            }
            continue;
        }
        if (shaped) {
            blank(l, item->first, item->name_token);
            edit_shaped_line(l, item, &here, id);
            continue;
        }
        uint32_t declarator_end = item->init_first - 1;
        blank(l, item->first, declarator_end);
        set_text(l, item->name_token, item->name);
        edit_init(l, item, &here, id);
    }
}
