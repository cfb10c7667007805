/* A cell's text before it is split: our words are replaced, on the same line. See cell_internal.h.
 *
 *   artifact double x = 3;      ->            double x = 3;
 *   len(a)  dim(a, 1)           ->   (a__n)  (a__d[1]), where those are known
 *   int main(...)               ->   int weir_main_7(...), in a cell that defines main
 *   DEFINE_STACK(int)           ->   what it stands for, where that is a declaration: else it would count as a statement
 */
#include "runtime/lang/cell_internal.h"
#include "runtime/lang/typer.h"

#include <string.h>

struct edit {
    size_t start, len;
    const char *text;
};

struct editor {
    struct lowering *l;
    const struct tokens *t;
    struct edit *at;
    size_t count, cap;
    bool failed;
};

static void replace(struct editor *ed, size_t first, size_t last, const char *text)
{
    if (ed->count == ed->cap) {
        size_t cap = ed->cap ? ed->cap * 2 : 8;
        struct edit *room = arena_alloc(ed->l->a, cap * sizeof *room);
        if (!room || !text) {
            ed->failed = true;
            return;
        }
        if (ed->count) {
            memcpy(room, ed->at, ed->count * sizeof *room);
        }
        ed->at = room;
        ed->cap = cap;
    }
    size_t start = ed->t->at[first].start;
    ed->at[ed->count++] = (struct edit){ start, ed->t->at[last].start + ed->t->at[last].len - start, text };
}

static bool declared(const struct lowering *l, const char *name)
{
    const struct entry *entry = entry_find(l->ix, name, strlen(name));
    return entry_live(entry, SPACE_ORDINARY) || entry_macro(entry);
}

/* `artifact` where a declaration may begin, before a word. */
static bool is_artifact(const struct editor *ed, size_t i)
{
    const struct tokens *t = ed->t;
    bool start = i == 0 || t->at[i - 1].kind == TOKEN_PP || token_is(t, i - 1, ";") || token_is(t, i - 1, "}");
    return token_is(t, i, "artifact") && start && i + 1 < t->count && t->at[i + 1].kind == TOKEN_IDENT &&
           !declared(ed->l, "artifact");
}

/* The text of tokens [first, end) with suffix, as an expression that the typer knows. NULL: it does not. */
static const char *sized(struct editor *ed, size_t first, size_t end, const char *suffix)
{
    struct buf text;
    struct tokens t;
    const char *made = NULL;
    if (first >= end || ed->t->at[end - 1].kind != TOKEN_IDENT) {
        return NULL;
    }
    buf_init(&text, 0);
    outline_tokens(&text, ed->t, first, end, 0);
    buf_str(&text, suffix);
    if (!text.failed && !lex(text.data, text.len, &t, NULL)) {
        if (type_expression(ed->l->ix, &t, 0, t.count, ed->l->a).kind == TYPED_KNOWN) {
            made = arena_strndup(ed->l->a, text.data, text.len);
        }
        tokens_done(&t);
    }
    buf_done(&text);
    return made;
}

static const char *format(struct editor *ed, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const char *format(struct editor *ed, const char *fmt, ...)
{
    struct buf b;
    va_list args;
    buf_init(&b, 0);
    va_start(args, fmt);
    buf_vprintf(&b, fmt, args);
    va_end(args);
    const char *text = b.failed ? NULL : arena_strndup(ed->l->a, b.data, b.len);
    buf_done(&b);
    ed->failed = ed->failed || !text;
    return text;
}

/* len( at i. False: nothing that we know. */
static bool edit_len(struct editor *ed, size_t i, size_t close)
{
    const char *count = sized(ed, i + 2, close, "__n");
    if (count) {
        replace(ed, i, close, format(ed, "(%s)", count));
        return true;
    }
    struct typed x = type_expression(ed->l->ix, ed->t, i + 2, close, ed->l->a);
    const struct ctype *type = x.kind == TYPED_KNOWN ? index_resolve(ed->l->ix, x.type) : NULL;
    const char *dims = sized(ed, i + 2, close, "__d");
    if (dims) {
        replace(ed, i, close, format(ed, "(%s[0])", dims));
    } else if (type && type->kind == CTYPE_ARRAY) {
        struct buf operand;
        buf_init(&operand, 0);
        outline_tokens(&operand, ed->t, i + 2, close, 0);
        replace(ed, i, close, format(ed, "(sizeof(%s) / sizeof(*(%s)))", operand.data, operand.data));
        buf_done(&operand);
    }
    return dims || (type && type->kind == CTYPE_ARRAY);
}

static void edit_dim(struct editor *ed, size_t i, size_t close)
{
    size_t comma = i + 2;
    while (comma < close && !token_is(ed->t, comma, ",")) {
        bool opens = token_is(ed->t, comma, "(") || token_is(ed->t, comma, "[");
        comma = opens ? token_match(ed->t, comma) + 1 : comma + 1;
    }
    const char *dims = comma < close ? sized(ed, i + 2, comma, "__d") : NULL;
    if (dims) {
        struct buf which;
        buf_init(&which, 0);
        outline_tokens(&which, ed->t, comma + 1, close, 0);
        replace(ed, i, close, format(ed, "(%s[%s])", dims, which.data));
        buf_done(&which);
    }
}

/* ---- macros that declare ---- */

/* The body's first token, past name and parameters. */
static size_t body_start(const struct tokens *body)
{
    return token_match(body, 2) + 1;
}

static const struct node *macro_in_cell(struct editor *ed, size_t i)
{
    const struct tokens *t = ed->t;
    for (size_t k = i; k-- > 0;) {
        if (t->at[k].kind != TOKEN_PP) {
            continue;
        }
        struct tokens d;
        if (lex(t->text + t->at[k].start + 1, t->at[k].len - 1, &d, NULL)) {
            return NULL;
        }
        bool same = token_is(&d, 0, "define") && d.at[1].len == t->at[i].len &&
                    memcmp(d.text + d.at[1].start, t->text + t->at[i].start, d.at[1].len) == 0;
        bool call = same && token_is(&d, 2, "(") && d.at[2].start == d.at[1].start + d.at[1].len;
        tokens_done(&d);
        if (!same) {
            continue;
        }
        struct node *node = call ? arena_alloc(ed->l->a, sizeof *node) : NULL;
        struct source *source = node ? arena_alloc(ed->l->a, sizeof *source) : NULL;
        if (source) {
            *source = (struct source){ .text = t->text + t->at[k].start, .len = t->at[k].len };
            node->decl.source = source;
        }
        return source ? node : NULL;
    }
    const struct node *node = entry_macro(entry_find(ed->l->ix, t->text + t->at[i].start, t->at[i].len));
    return node && node->piece->function_like && !node->piece->record->is_header ? node : NULL;
}

static bool begins_type(const struct lowering *l, const struct tokens *t, size_t i)
{
    const char *s = t->text + t->at[i].start;
    enum word_kind w = t->at[i].kind == TOKEN_IDENT ? lex_word(s, t->at[i].len) : WORD_STATEMENT;
    return w == WORD_NAME ? index_is_typedef(l->ix, s, t->at[i].len)
                          : (w >= WORD_TYPEDEF && w <= WORD_VOLATILE) || w == WORD_INLINE || (w >= WORD_TYPE && w <= WORD_TYPEOF);
}

/* Whether the macro called at i (its name) stands for declarations: by the first word of its body, or of the argument there. */
static bool declares(const struct editor *ed, const struct node *macro, size_t i)
{
    struct tokens body;
    const struct source *source = macro->decl.source;
    if (lex(source->text + 1, source->len - 1, &body, NULL)) {
        return false;
    }
    size_t start = body_start(&body);
    bool yes = start < body.count && begins_type(ed->l, &body, start);
    for (size_t p = 3, k = i + 2; start < body.count && !yes && p < start; p += 2) {
        size_t close = token_match(ed->t, i + 1);
        bool same = body.at[p].len == body.at[start].len &&
                    memcmp(body.text + body.at[p].start, body.text + body.at[start].start, body.at[p].len) == 0;
        yes = same && k < close && begins_type(ed->l, ed->t, k);
        while (k < close && !token_is(ed->t, k, ",")) {
            k = token_is(ed->t, k, "(") ? token_match(ed->t, k) + 1 : k + 1;
        }
        k++;
    }
    tokens_done(&body);
    return yes;
}

/* The call at i, expanded. NULL: it can't be. */
static const char *expanded_call(struct editor *ed, const struct node *macro, size_t i)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    if (!expand_call(macro, ed->t, i + 1, &out)) { /* it pastes */
        struct buf before;
        struct tokens call;
        size_t close = token_match(ed->t, i + 1);
        size_t start = ed->t->at[i].start;
        buf_init(&before, 0);
        buf_clear(&out);
        for (size_t k = 0; k < i; k++) {
            if (ed->t->at[k].kind == TOKEN_PP && !memmem(ed->t->text + ed->t->at[k].start, ed->t->at[k].len, "include", 7)) {
                buf_printf(&before, "%.*s\n", (int)ed->t->at[k].len, ed->t->text + ed->t->at[k].start);
            }
        }
        if (lex(ed->t->text + start, ed->t->at[close].start + 1 - start, &call, NULL) == ERR_NONE) {
            if (expand_all(ed->l->ix, before.data, &call, &out, NULL)) {
                buf_clear(&out);
            }
            tokens_done(&call);
        }
        buf_done(&before);
    }
    const char *text = out.len && !out.failed ? arena_strndup(ed->l->a, out.data, out.len) : NULL;
    buf_done(&out);
    return text;
}

/* NAME( where an item may begin. Returns the token after what was replaced, i if nothing was. */
static size_t edit_declaring(struct editor *ed, size_t i)
{
    const struct tokens *t = ed->t;
    const struct node *macro = lex_word(t->text + t->at[i].start, t->at[i].len) == WORD_NAME ? macro_in_cell(ed, i) : NULL;
    size_t close = macro ? token_match(t, i + 1) : t->count;
    const char *text = close < t->count && declares(ed, macro, i) ? expanded_call(ed, macro, i) : NULL;
    if (!text) {
        return i;
    }
    replace(ed, i, close, text);
    return close + 1;
}

static bool defines_main(const struct items *items, const struct tokens *t)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct cdeclaration *d = &items->at[i].decl;
        if (items->at[i].kind == ITEM_FUNCTION && token_is(t, d->declarators[0].name_token, "main")) {
            return true;
        }
    }
    return false;
}

static void find_edits(struct editor *ed, bool rename_main)
{
    const struct tokens *t = ed->t;
    bool len_is_ours = !declared(ed->l, "len");
    bool dim_is_ours = !declared(ed->l, "dim");
    size_t depth = 0;
    for (size_t i = 0; i < t->count; i++) {
        depth += token_is(t, i, "{");
        depth -= depth && token_is(t, i, "}");
        bool starts = depth == 0 && (i == 0 || t->at[i - 1].kind == TOKEN_PP || token_is(t, i - 1, ";") ||
                                     token_is(t, i - 1, "}") || (token_is(t, i - 1, ")") && t->at[i].first));
        if (starts && t->at[i].kind == TOKEN_IDENT && token_is(t, i + 1, "(")) {
            size_t after = edit_declaring(ed, i);
            if (after != i) {
                i = after - 1;
                continue;
            }
        }
        if (t->at[i].kind != TOKEN_IDENT || (t->at[i].len != 3 && t->at[i].len != 4 && t->at[i].len != 8)) {
            continue;
        }
        bool member = i > 0 && (token_is(t, i - 1, ".") || token_is(t, i - 1, "->"));
        bool call = token_is(t, i + 1, "(") && !member;
        if (is_artifact(ed, i)) {
            replace(ed, i, i, "        ");
        } else if (rename_main && !member && token_is(t, i, "main")) {
            replace(ed, i, i, format(ed, CELL_MAIN "%u", ed->l->id));
        } else if (call && len_is_ours && token_is(t, i, "len")) {
            size_t close = token_match(t, i + 1);
            i = edit_len(ed, i, close) ? close : i;
        } else if (call && dim_is_ours && token_is(t, i, "dim")) {
            edit_dim(ed, i, token_match(t, i + 1));
        }
    }
}

static enum err_code apply(struct editor *ed, char **text, size_t *len)
{
    struct buf out;
    size_t at = 0;
    buf_init(&out, 0);
    for (size_t i = 0; i < ed->count; i++) {
        buf_add(&out, ed->t->text + at, ed->at[i].start - at);
        buf_str(&out, ed->at[i].text ? ed->at[i].text : "");
        at = ed->at[i].start + ed->at[i].len;
    }
    buf_add(&out, ed->t->text + at, ed->t->len - at);
    *len = out.len;
    *text = ed->failed || out.failed ? NULL : arena_strndup(ed->l->a, out.data, out.len);
    buf_done(&out);
    return *text ? ERR_NONE : err_memory(ed->l->e);
}

static enum err_code split(struct lowering *l, const char *text, size_t len)
{
    enum err_code code = lex(text, len, &l->t, l->e);
    return code ? code : items_split(&l->t, index_is_typedef, l->ix, l->a, &l->items, l->e);
}

/* Words that make a first look worthwhile: ours, and NAME( at the beginning of a line. */
static bool may_need_edits(const struct tokens *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->at[i].kind == TOKEN_IDENT && ((t->at[i].first && token_is(t, i + 1, "(")) || token_is(t, i, "artifact") || token_is(t, i, "main") || token_is(t, i, "len") ||
                                             token_is(t, i, "dim"))) {
            return true;
        }
    }
    return false;
}

enum err_code cell_prepare(struct lowering *l)
{
    char *text = arena_strndup(l->a, l->cell->text, l->cell->len);
    if (!text) {
        return err_memory(l->e);
    }
    enum err_code code = lex(text, l->cell->len, &l->t, l->e);
    code = code ? code : index_includes(l->ix, &l->t, l->e);
    if (code || !may_need_edits(&l->t)) {
        return code ? code : items_split(&l->t, index_is_typedef, l->ix, l->a, &l->items, l->e);
    }
    struct items first = { 0 };
    if (!items_split(&l->t, index_is_typedef, l->ix, l->a, &first, NULL)) { /* an error is told below, of the edited text */
        l->unit->has_main = defines_main(&first, &l->t);
    }
    struct tokens before = l->t;
    struct editor ed = { .l = l, .t = &before };
    size_t len = 0;
    find_edits(&ed, l->unit->has_main);
    code = apply(&ed, &text, &len);
    l->t = (struct tokens){ 0 };
    tokens_done(&before);
    code = code ? code : split(l, text, len);
    l->unit->has_main = !code && l->unit->has_main;
    return code;
}
