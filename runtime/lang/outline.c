/* How another cell declares what a user's piece defines: a function by its prototype, a variable as extern and without
 * initialiser, a type as it is. Macros are expanded, since they may mean something else by then.
 *
 *   static double w[] = {1, 2}, k = 3;      ->   extern double w[2], k;
 *   inline int f(int n) { return n; }       ->   int f(int n);
 */
#include "runtime/lang/index_internal.h"

#include "runtime/base/buf.h"
#include "runtime/lang/constant.h"

#include <string.h>

enum { MAX_DEPTH = 20 };

static bool remember_macros(struct index *ix, struct piece *piece);

static enum word_kind word_of(const struct tokens *t, size_t i)
{
    return t->at[i].kind == TOKEN_IDENT ? lex_word(t->text + t->at[i].start, t->at[i].len) : WORD_NAME;
}

void outline_tokens(struct buf *out, const struct tokens *t, size_t first, size_t end, unsigned drop)
{
    bool any = false;
    for (size_t i = first; i < end; i++) {
        const struct token *at = &t->at[i];
        enum word_kind w = word_of(t, i);
        bool dropped = (w == WORD_STATIC && (drop & DROP_STATIC)) || (w == WORD_EXTERN && (drop & DROP_STATIC)) ||
                       (w == WORD_INLINE && (drop & DROP_STATIC)) || (w == WORD_STORAGE && (drop & DROP_STATIC)) ||
                       (w == WORD_CONST && (drop & DROP_CONST));
        if (dropped || at->kind == TOKEN_PP) {
            continue;
        }
        if (any) {
            uint32_t before = t->at[i - 1].line;
            for (uint32_t line = before; (drop & KEEP_LINES) && line < at->line; line++) {
                buf_char(out, '\n');
            }
            if (before == at->line ? t->at[i - 1].start + t->at[i - 1].len < at->start : !(drop & KEEP_LINES)) {
                buf_char(out, ' ');
            }
        }
        buf_add(out, t->text + at->start, at->len);
        any = true;
    }
}

/* ---- sizes of `T a[] = ...` ---- */

/* The value of a designator's index; -1: not known. */
static long long index_value(struct index *ix, const struct tokens *t, size_t first, size_t end)
{
    struct buf text;
    long long value = -1;
    buf_init(&text, 4096);
    outline_tokens(&text, t, first, end, 0);
    if (text.failed || constant_eval(ix, text.data, NULL, NULL, &value) != CONSTANT_VALUE || value < 0) {
        value = -1;
    }
    buf_done(&text);
    return value;
}

/* Past one item of a braced list, to its comma or the closing brace. */
static size_t skip_item(const struct tokens *t, size_t i, size_t end)
{
    while (i < end && !token_is(t, i, ",")) {
        bool opens = token_is(t, i, "(") || token_is(t, i, "[") || token_is(t, i, "{");
        i = opens ? token_match(t, i) + 1 : i + 1;
    }
    return i;
}

/* Elements of the braced list at `open`, -1: not to be told from the text. flat: the element is a struct or array, whose
 * braces may be left out. */
static long long count_elements(struct index *ix, const struct tokens *t, size_t open, bool flat)
{
    size_t end = token_match(t, open);
    long long next = 0;
    long long count = 0;
    for (size_t i = open + 1; i < end; i++) {
        if (t->at[i].kind == TOKEN_PP || token_is(t, i, ".")) {
            return -1;
        }
        if (token_is(t, i, "[")) {
            size_t close = token_match(t, i);
            size_t dots = i + 1;
            while (dots < close && !token_is(t, dots, "...")) {
                dots++;
            }
            next = index_value(ix, t, dots < close ? dots + 1 : i + 1, close);
            if (next < 0 || !token_is(t, close + 1, "=")) {
                return -1;
            }
            i = close + 2;
        }
        if (flat && !token_is(t, i, "{") && t->at[i].kind != TOKEN_STRING) {
            return -1;
        }
        i = skip_item(t, i, end);
        next++;
        count = next > count ? next : count;
    }
    return count;
}

/* Bytes of a string constant with its NUL; 0: one with escapes or a prefix, which is left to the compiler. */
static long long string_bytes(const char *s, size_t len)
{
    bool plain = len >= 2 && s[0] == '"' && !memchr(s, '\\', len);
    return plain ? (long long)len - 1 : 0;
}

/* What stands between the [] of d; "" when it cannot be told from the text. */
static void array_size(struct index *ix, const struct tokens *t, const struct cdecl *d, struct buf *out)
{
    const struct ctype *element = index_resolve(ix, d->type->of);
    size_t first = d->init_first;
    size_t end = d->init_end;
    bool braced = token_is(t, first, "{");
    if (braced && t->at[first + 1].kind == TOKEN_STRING && token_match(t, first) <= first + 3 &&
        (element->kind == CTYPE_CHAR || element->kind == CTYPE_INTEGER)) {
        end = first + 2;
        first++;
        braced = false;
    }
    if (!braced && t->at[first].kind == TOKEN_STRING && end == first + 1) {
        long long bytes = string_bytes(t->text + t->at[first].start, t->at[first].len);
        if (bytes > 0) {
            buf_printf(out, "%lld", bytes);
            return;
        }
    }
    if (!braced && t->at[first].kind == TOKEN_STRING) {
        bool narrow = t->text[t->at[first].start] == '"' || t->text[t->at[first].start + 1] == '8';
        buf_str(out, "sizeof(");
        outline_tokens(out, t, first, end, 0);
        buf_str(out, ")");
        if (!narrow) {
            buf_str(out, " / sizeof(");
            ctype_print(out, d->type->of, "");
            buf_str(out, ")");
        }
        return;
    }
    bool flat = element->kind == CTYPE_STRUCT || element->kind == CTYPE_UNION || element->kind == CTYPE_ARRAY;
    long long n = braced ? count_elements(ix, t, first, flat) : -1;
    if (n >= 0) {
        buf_printf(out, "%lld", n);
    }
}

/* `T a[] = {...}` whose elements cannot be counted here: the compiler does it. */
static void typeof_initialiser(const struct tokens *t, const struct cdecl *d, struct buf *out)
{
    buf_str(out, "__typeof__((");
    ctype_print(out, d->type, "");
    buf_str(out, ")");
    outline_tokens(out, t, d->init_first, d->init_end, 0);
    buf_printf(out, ") %s", d->name);
}

bool outline_declarator(struct index *ix, const struct tokens *t, const struct cdecl *d, unsigned drop, struct buf *out)
{
    bool unsized = d->type && d->type->kind == CTYPE_ARRAY && d->type->dim[0] == '\0' && d->init_first < d->init_end;
    if (!unsized) {
        outline_tokens(out, t, d->first, d->end, drop);
        return true;
    }
    struct buf size;
    buf_init(&size, 0);
    array_size(ix, t, d, &size);
    bool known = size.len > 0 && !size.failed;
    size_t open = d->name_token + 1;
    while (known && open < d->end && !(token_is(t, open, "[") && token_is(t, open + 1, "]"))) {
        open++;
    }
    if (known && open < d->end) {
        outline_tokens(out, t, d->first, open + 1, drop);
        buf_str(out, size.data);
        outline_tokens(out, t, open + 1, d->end, drop);
    }
    buf_done(&size);
    return known;
}

/* ---- outlines ---- */

static void function_outline(const struct tokens *t, const struct cdeclaration *d, struct buf *out)
{
    if (d->old_style) {
        struct buf name;
        buf_init(&name, 0);
        buf_printf(&name, "%s()", d->declarators[0].name);
        ctype_print(out, d->declarators[0].type->of, name.data);
        buf_done(&name);
    } else {
        if (d->specifiers_end == d->first) {
            buf_str(out, "int "); /* main() {...} */
        }
        outline_tokens(out, t, d->first, d->body, DROP_STATIC);
    }
    buf_str(out, ";");
}

static bool is_definition_only(const struct cdeclaration *d)
{
    return d->storage == CDECL_TYPEDEF || d->ndeclarators == 0;
}

static void variables_outline(struct index *ix, const struct tokens *t, const struct cdeclaration *d, struct buf *out)
{
    struct buf apart; /* declarators that need a declaration of their own */
    buf_init(&apart, 0);
    buf_str(out, "extern ");
    if (d->specifiers_end == d->first) {
        buf_str(out, "int");
    }
    outline_tokens(out, t, d->first, d->specifiers_end, DROP_STATIC);
    const char *before = " ";
    for (size_t i = 0; i < d->ndeclarators; i++) {
        const struct cdecl *one = &d->declarators[i];
        struct buf text;
        buf_init(&text, 0);
        if (outline_declarator(ix, t, one, DROP_STATIC, &text)) {
            buf_printf(out, "%s%s", before, text.data);
            before = ", ";
        } else {
            buf_str(&apart, " extern ");
            typeof_initialiser(t, one, &apart);
            buf_str(&apart, ";");
        }
        buf_done(&text);
    }
    buf_str(out, ";");
    buf_str(out, apart.data);
    buf_done(&apart);
}

enum err_code piece_outline(struct index *ix, struct piece *piece, struct err *e)
{
    const struct cdeclaration *d = piece->declaration;
    const struct tokens *t = &piece->tokens;
    struct buf text;
    struct buf expanded;
    buf_init(&text, 0);
    buf_init(&expanded, 0);
    if (d->is_definition) {
        function_outline(t, d, &text);
    } else if (is_definition_only(d)) {
        outline_tokens(&text, t, d->first, d->end, d->storage == CDECL_TYPEDEF ? 0 : DROP_STATIC);
    } else {
        variables_outline(ix, t, d, &text);
    }
    enum err_code code = buf_check(&text, "a declaration", e);
    code = code ? code : expand(ix, text.data, text.len, &expanded, e);
    code = code ? code : buf_check(&expanded, "a declaration", e);
    if (!code) {
        piece->outline = arena_strndup(&piece->record->arena, expanded.data, expanded.len);
        piece->outline_len = expanded.len;
        code = piece->outline && remember_macros(ix, piece) ? ERR_NONE : err_memory(e);
    }
    buf_done(&text);
    buf_done(&expanded);
    return code;
}

/* A function's type without its parameters' names, which are no part of it. NULL: out of memory. */
static const struct ctype *nameless(struct arena *a, const struct ctype *type)
{
    if (type->kind != CTYPE_FUNCTION || type->nmembers == 0) {
        return type;
    }
    struct ctype *copy = arena_alloc(a, sizeof *copy);
    struct cdecl *parameters = arena_alloc(a, type->nmembers * sizeof *parameters);
    if (!copy || !parameters) {
        return NULL;
    }
    *copy = *type;
    copy->members = parameters;
    for (size_t i = 0; i < type->nmembers; i++) {
        parameters[i] = type->members[i];
        parameters[i].name = NULL;
    }
    return copy;
}

enum err_code outline_type(struct index *ix, struct piece *piece, struct node *node, struct err *e)
{
    struct cdecl *d = (struct cdecl *)(uintptr_t)node->decl.declarator; /* our own, in the piece's arena */
    struct buf text;
    struct buf expanded;
    buf_init(&text, 0);
    buf_init(&expanded, 0);
    enum err_code code = ERR_NONE;
    if (d->type->kind == CTYPE_ARRAY && d->type->dim[0] == '\0' && d->init_first < d->init_end) {
        array_size(ix, &piece->tokens, d, &text);
        const char *size = arena_strndup(&piece->record->arena, text.data, text.len);
        d->type->dim = size ? size : "";
        buf_clear(&text);
    }
    const struct ctype *type = nameless(&piece->record->arena, d->type);
    if (!type) {
        code = err_memory(e);
    } else {
        ctype_print(&text, type, "");
        code = buf_check(&text, "a type", e);
    }
    code = code ? code : expand(ix, text.data, text.len, &expanded, e);
    if (!code) {
        node->type_text = arena_strndup(&piece->record->arena, expanded.data, expanded.len);
        code = node->type_text ? ERR_NONE : err_memory(e);
    }
    buf_done(&text);
    buf_done(&expanded);
    return code;
}

/* ---- names of another time ---- */

struct node *need_node(const struct need *need)
{
    if (!need->bound) {
        return NULL;
    }
    struct node *live = entry_live(need->entry, need->space);
    bool same = live && live->piece->canonical == need->bound->piece->canonical;
    return same ? live : need->bound;
}

/* Its name means something else today. */
static bool node_is_old(const struct node *node)
{
    const struct node *live = entry_live(node->entry, node->space);
    return live != node && (!live || live->piece->canonical != node->piece->canonical);
}

void node_name(const struct node *node, struct buf *out)
{
    buf_str(out, node->entry->name);
    if (node_is_old(node)) {
        buf_printf(out, "__old%u", (unsigned)node->piece->canonical->source.order);
    }
}

static bool is_old(const struct piece *piece)
{
    for (const struct node *n = piece->nodes; n; n = n->sibling) {
        if (node_is_old(n)) {
            return true;
        }
    }
    for (size_t i = 0; i < piece->needs.count; i++) {
        const struct node *node = need_node(&piece->needs.at[i]);
        if (node && node_is_old(node)) {
            return true;
        }
    }
    return false;
}

/* The node that a word of the piece's outline means, if it is one of its own or bound. */
static const struct node *meaning(const struct piece *piece, const char *name, size_t len, enum space space)
{
    for (const struct node *n = piece->nodes; n; n = n->sibling) {
        if (n->space == space && n->entry->len == len && memcmp(n->entry->name, name, len) == 0) {
            return n;
        }
    }
    for (size_t i = 0; i < piece->needs.count; i++) {
        const struct need *need = &piece->needs.at[i];
        if (need->space == space && need->entry->len == len && memcmp(need->entry->name, name, len) == 0) {
            return need_node(need);
        }
    }
    return NULL;
}

static bool stale_at(const struct piece *piece, unsigned depth)
{
    if (!piece->outline || depth > MAX_DEPTH) {
        return false;
    }
    bool stale = is_old(piece);
    for (size_t i = 0; i < piece->nmacros && !stale; i++) {
        const struct node *then = piece->macros[i];
        const struct node *now = entry_macro(then->entry);
        stale = !now || now->decl.source->len != then->decl.source->len ||
                memcmp(now->decl.source->text, then->decl.source->text, now->decl.source->len) != 0;
    }
    for (size_t i = 0; i < piece->needs.count && !stale; i++) {
        const struct node *node = need_node(&piece->needs.at[i]);
        stale = node && node->piece != piece && stale_at(node->piece, depth + 1);
    }
    return stale;
}

bool piece_is_stale(const struct piece *piece)
{
    return stale_at(piece, 0);
}

/* The user's macros among tokens [first, end), and those in their bodies. */
static bool add_macros(struct index *ix, struct piece *piece, const struct tokens *t, size_t first, size_t end, unsigned depth)
{
    bool ok = true;
    for (size_t i = first; i < end && ok; i++) {
        const struct node *found = t->at[i].kind == TOKEN_IDENT
                                       ? entry_macro(entry_find(ix, t->text + t->at[i].start, t->at[i].len))
                                       : NULL;
        if (!found || found->piece->record->is_header || depth > MAX_DEPTH) {
            continue;
        }
        struct node **grown = arena_alloc(&piece->record->arena, (piece->nmacros + 1) * sizeof *grown);
        if (!grown) {
            return false;
        }
        for (size_t k = 0; k < piece->nmacros; k++) {
            grown[k] = piece->macros[k];
        }
        grown[piece->nmacros++] = found->entry->newest[SPACE_MACRO];
        piece->macros = grown;
        struct tokens body;
        ok = !lex(found->decl.source->text + 1, found->decl.source->len - 1, &body, NULL);
        if (ok) {
            ok = add_macros(ix, piece, &body, 2, body.count, depth + 1);
            tokens_done(&body);
        }
    }
    return ok;
}

/* Of what the outline repeats: neither bodies nor initialisers. */
static bool remember_macros(struct index *ix, struct piece *piece)
{
    const struct cdeclaration *d = piece->declaration;
    const struct tokens *t = &piece->tokens;
    if (d->is_definition) {
        return add_macros(ix, piece, t, d->first, d->body, 0);
    }
    bool ok = add_macros(ix, piece, t, d->first, d->specifiers_end, 0);
    for (size_t i = 0; i < d->ndeclarators && ok; i++) {
        ok = add_macros(ix, piece, t, d->declarators[i].first, d->declarators[i].end, 0);
    }
    return ok;
}

/* A header's text on one line, so that the compiler has less to read; kept for the next time. */
static void compact(struct piece *piece)
{
    const char *text = piece->source.text;
    size_t len = piece->source.len;
    char *copy = arena_alloc(&piece->record->arena, len + 1);
    size_t n = 0;
    if (!copy || memchr(text, '#', len) || memchr(text, '"', len)) {
        return; /* directives need their lines; spaces inside strings count */
    }
    for (size_t i = 0; i < len; i++) {
        bool space = text[i] == ' ' || text[i] == '\n' || text[i] == '\t';
        if (!space) {
            copy[n++] = text[i];
        } else if (n && copy[n - 1] != ' ') {
            copy[n++] = ' ';
        }
    }
    piece->compact = copy;
    piece->compact_len = n;
}

void outline_emit(struct piece *piece, struct buf *out)
{
    struct tokens t;
    if (!piece->outline) {
        if (!piece->compact) {
            compact(piece);
        }
        buf_add(out, piece->compact ? piece->compact : piece->source.text,
                piece->compact ? piece->compact_len : piece->source.len);
        return;
    }
    if (!is_old(piece) || lex(piece->outline, piece->outline_len, &t, NULL)) {
        buf_add(out, piece->outline, piece->outline_len);
        return;
    }
    enum word_kind before = WORD_NAME;
    for (size_t i = 0; i < t.count; i++) {
        const char *text = t.text + t.at[i].start;
        enum word_kind w = word_of(&t, i);
        bool tag = before == WORD_STRUCT || before == WORD_UNION || before == WORD_ENUM;
        const struct node *node = t.at[i].kind == TOKEN_IDENT && w == WORD_NAME
                                      ? meaning(piece, text, t.at[i].len, tag ? SPACE_TAG : SPACE_ORDINARY)
                                      : NULL;
        if (i > 0) {
            buf_char(out, ' ');
        }
        if (node) {
            node_name(node, out);
        } else {
            buf_add(out, text, t.at[i].len);
        }
        before = w;
    }
    tokens_done(&t);
}
