/* A lowered cell's file scope: types and functions as they are, variables as storage. See cell_internal.h.
 *
 * A variable whose initialiser is constant is initialised by the compiler; any other is set in the entry, in its place. A
 * variable that an earlier cell declared with the same type keeps its memory: extern here, set again in the entry. */
#include "runtime/lang/cell_internal.h"

#include <string.h>

enum { MAX_MACRO_DEPTH = 20 };

/* ---- constant initialisers ---- */

static bool constant_tokens(struct index *ix, const struct tokens *t, size_t first, size_t end, bool pointer, unsigned depth);

static bool constant_name(struct index *ix, const struct tokens *t, size_t i, unsigned depth)
{
    const char *name = t->text + t->at[i].start;
    const struct entry *entry = entry_find(ix, name, t->at[i].len);
    const struct node *macro = entry_macro(entry);
    if (macro && !macro->piece->function_like && depth < MAX_MACRO_DEPTH) {
        struct tokens body;
        const struct source *s = macro->decl.source;
        bool same = entry_live(entry, SPACE_ORDINARY) != NULL; /* stdin: #define stdin stdin */
        if (same || lex(s->text + 1, s->len - 1, &body, NULL)) {
            return false;
        }
        bool yes = constant_tokens(ix, &body, 2, body.count, true, depth + 1);
        tokens_done(&body);
        return yes;
    }
    const struct decl *decl = macro ? NULL : index_find(ix, name, t->at[i].len);
    if (!decl) {
        return false;
    }
    if (decl->kind == DECL_FUNCTION) {
        return !token_is(t, i + 1, "(");
    }
    if (decl->kind == DECL_VARIABLE) {
        const struct ctype *type = decl->type ? index_resolve(ix, decl->type) : NULL;
        bool ends = token_is(t, i + 1, ",") || token_is(t, i + 1, "}") || token_is(t, i + 1, ")") || i + 1 >= t->count ||
                    token_is(t, i + 1, ";");
        bool address = i > 0 && token_is(t, i - 1, "&") &&
                       (i < 2 || token_is(t, i - 2, "=") || token_is(t, i - 2, ",") || token_is(t, i - 2, "{") ||
                        token_is(t, i - 2, "(") || token_is(t, i - 2, ")"));
        return ends && (address || (type && type->kind == CTYPE_ARRAY && !(i > 0 && token_is(t, i - 1, "*"))));
    }
    return decl->kind == DECL_ENUMERATOR || decl->kind == DECL_TYPEDEF;
}

static bool constant_tokens(struct index *ix, const struct tokens *t, size_t first, size_t end, bool pointer, unsigned depth)
{
    for (size_t i = first; i < end; i++) {
        const struct token *at = &t->at[i];
        if (at->kind == TOKEN_PP || token_is(t, i, "++") || token_is(t, i, "--") || token_is(t, i, "->")) {
            return false;
        }
        if (token_is(t, i, "(") && token_is(t, i + 1, "{")) {
            return false; /* a statement expression */
        }
        if (token_is(t, i, ")") && token_is(t, i + 1, "{") && !pointer) {
            return false; /* a compound literal: as a value it is no constant, its address is */
        }
        if (at->kind != TOKEN_IDENT) {
            continue;
        }
        enum word_kind w = lex_word(t->text + at->start, at->len);
        if (w == WORD_OPERATOR && token_is(t, i + 1, "(") && !token_is(t, i, "_Generic")) {
            i = token_match(t, i + 1); /* sizeof(...) */
            continue;
        }
        bool designator = i > first && token_is(t, i - 1, ".") && (i < first + 2 || !(t->at[i - 2].kind == TOKEN_IDENT));
        bool tag = i > first && (token_is(t, i - 1, "struct") || token_is(t, i - 1, "union") || token_is(t, i - 1, "enum"));
        if (w == WORD_NAME && !designator && !tag && !constant_name(ix, t, i, depth)) {
            return false;
        }
        if (w == WORD_STATEMENT || w == WORD_OPERATOR) {
            return false;
        }
    }
    return true;
}

bool cell_is_constant(struct index *ix, const struct tokens *t, const struct cdecl *d)
{
    const struct ctype *type = index_resolve(ix, d->type);
    while (type && type->kind == CTYPE_ARRAY) {
        type = index_resolve(ix, type->of);
    }
    bool pointer = type && type->kind == CTYPE_POINTER;
    return constant_tokens(ix, t, d->init_first, d->init_end, pointer, 0);
}

/* ---- putting out ---- */

void lines_at(struct lines *out, uint32_t line, const char *label)
{
    if (out->line && out->line <= line && line - out->line <= 3) {
        for (; out->line < line; out->line++) {
            buf_char(&out->text, '\n');
        }
    } else if (out->line != line) {
        if (out->text.len && out->text.data[out->text.len - 1] != '\n') {
            buf_char(&out->text, '\n');
        }
        buf_printf(&out->text, "#line %u \"%s\"\n", (unsigned)line, label);
        out->line = line;
    }
}

void lines_tokens(struct lines *out, const struct tokens *t, size_t first, size_t end, size_t blank_end, const char *label)
{
    if (first >= end) {
        return;
    }
    lines_at(out, t->at[first].line, label);
    if (out->text.len && out->text.data[out->text.len - 1] != '\n') {
        buf_char(&out->text, ' ');
    }
    size_t start = t->at[first].start;
    size_t stop = (size_t)t->at[end - 1].start + t->at[end - 1].len;
    size_t base = out->text.len;
    buf_add(&out->text, t->text + start, stop - start);
    for (size_t i = first; i < blank_end && !out->text.failed; i++) {
        enum word_kind w = t->at[i].kind == TOKEN_IDENT ? lex_word(t->text + t->at[i].start, t->at[i].len) : WORD_NAME;
        if (w == WORD_STATIC || w == WORD_INLINE || w == WORD_STORAGE) {
            memset(out->text.data + base + (t->at[i].start - start), ' ', t->at[i].len);
        }
    }
    for (size_t i = start; i < stop; i++) {
        out->line += t->text[i] == '\n';
    }
    if (t->at[end - 1].kind == TOKEN_PP) {
        buf_char(&out->text, '\n');
        out->line++;
    }
}

enum err_code cell_name(struct lowering *l, struct cell_name name)
{
    struct cell_unit *u = l->unit;
    if (u->nnames == l->names_cap) {
        size_t cap = l->names_cap ? l->names_cap * 2 : 16;
        struct cell_name *room = arena_alloc(l->a, cap * sizeof *room);
        if (!room) {
            return err_memory(l->e);
        }
        if (u->nnames) {
            memcpy(room, u->names, u->nnames * sizeof *room);
        }
        u->names = room;
        l->names_cap = cap;
    }
    u->names[u->nnames++] = name;
    return ERR_NONE;
}

static struct node *node_of(const struct piece *piece, const char *name)
{
    for (struct node *n = piece ? piece->nodes : NULL; n; n = n->sibling) {
        if (n->space == SPACE_ORDINARY && strcmp(n->entry->name, name) == 0) {
            return n;
        }
    }
    return NULL;
}

/* Prototypes of the cell's later functions that this one names, if their types are known by then. */
static void forward_prototypes(struct lowering *l, size_t index)
{
    const struct item *item = &l->items.at[index];
    for (size_t k = index + 1; k < l->items.count; k++) {
        const struct piece *later = l->record->item_piece[k];
        if (l->items.at[k].kind != ITEM_FUNCTION || !later) {
            continue;
        }
        const char *name = l->items.at[k].decl.declarators[0].name;
        bool named = false;
        for (uint32_t i = item->decl.body; i < item->decl.end && !named; i++) {
            named = token_is(&l->t, i, name);
        }
        if (named) {
            buf_printf(&l->file.text, "%s ", later->outline);
        }
    }
}

static enum err_code put_function(struct lowering *l, size_t index)
{
    const struct item *item = &l->items.at[index];
    const struct piece *piece = l->record->item_piece[index];
    struct node *node = node_of(piece, item->decl.declarators[0].name);
    if (l->file.text.len && l->file.text.data[l->file.text.len - 1] != '\n') {
        buf_char(&l->file.text, ' ');
    }
    forward_prototypes(l, index);
    if (item->decl.specifiers_end == item->decl.first) {
        lines_at(&l->file, l->t.at[item->first].line, l->label);
        buf_str(&l->file.text, " int "); /* main() {...}, and functions of before 1999 */
    }
    bool is_main = strncmp(item->decl.declarators[0].name, CELL_MAIN, strlen(CELL_MAIN)) == 0;
    const struct ctype *result = is_main ? index_resolve(l->ix, item->decl.declarators[0].type->of) : NULL;
    if (result && result->kind != CTYPE_VOID) { /* C lets main fall off its end, and then it returns 0 */
        lines_tokens(&l->file, &l->t, item->first, item->end - 1, item->decl.specifiers_end, l->label);
        buf_str(&l->file.text, " return 0;");
        lines_tokens(&l->file, &l->t, item->end - 1, item->end, 0, l->label);
    } else {
        lines_tokens(&l->file, &l->t, item->first, item->end, item->decl.specifiers_end, l->label);
    }
    return node ? cell_name(l, (struct cell_name){ .name = node->entry->name, .kind = DECL_FUNCTION, .type = node->type_text,
                                                  .other_type = node_other_function(node) != NULL })
                : ERR_NONE;
}

/* const at the top. cc would put the variable where it can't be set, not even by its own initialiser in the entry. */
static bool is_const(const struct index *ix, const struct ctype *type)
{
    type = index_resolve(ix, type);
    while (type && type->kind == CTYPE_ARRAY) {
        type = index_resolve(ix, type->of);
    }
    return type && type->is_const;
}

/* One variable's storage. */
static enum err_code put_variable(struct lowering *l, const struct piece *piece, const struct item *item, size_t index)
{
    const struct cdecl *d = &item->decl.declarators[index];
    struct node *node = node_of(piece, d->name);
    const struct node *older = node ? node_kept(node) : NULL;
    bool kept = older != NULL;
    bool initialised = d->init_first < d->init_end;
    struct buf text;
    if (!node) {
        return ERR_NONE; /* a mere mention, or an array of the entry's */
    }
    if (!initialised && d->type->kind == CTYPE_ARRAY && d->type->dim[0] == '\0') {
        return err_at(l->e, ERR_TYPE, l->label, d->line, "the size of '%s' is missing", d->name);
    }
    unsigned drop = DROP_STATIC | (l->unit->needs_cc && is_const(l->ix, d->type) ? DROP_CONST : 0u);
    node->is_far = kept ? older->is_far : l->unit->needs_cc;
    buf_init(&text, 0);
    if (!outline_declarator(l->ix, &l->t, d, drop, &text)) {
        bool constant = initialised && cell_is_constant(l->ix, &l->t, d);
        if (!constant || kept) {
            buf_done(&text);
            return err_at(l->e, ERR_TYPE, l->label, d->line,
                          "how many elements '%s' has can't be told from its initialiser here: write its size", d->name);
        }
        outline_tokens(&text, &l->t, d->first, d->end, drop);
    }
    lines_at(&l->file, l->t.at[d->first].line, l->label);
    struct buf *out = &l->file.text;
    buf_str(out, out->len && out->data[out->len - 1] != '\n' ? " " : "");
    buf_str(out, kept ? "extern " : "");
    if (item->decl.base && !item->decl.base->spelling && index > 0 && item->decl.base->has_body) {
        buf_printf(out, "__typeof__(%s) ", item->decl.declarators[0].name); /* one anonymous struct for all of them */
    } else if (item->decl.base && item->decl.base->has_body && index > 0) {
        ctype_print(out, item->decl.base, "");
        buf_char(out, ' ');
    } else {
        outline_tokens(out, &l->t, item->decl.first, item->decl.specifiers_end, drop);
        buf_str(out, item->decl.first == item->decl.specifiers_end ? "int " : " ");
    }
    buf_str(out, text.data);
    if (initialised && !kept && cell_is_constant(l->ix, &l->t, d)) {
        buf_str(out, " = ");
        lines_tokens(&l->file, &l->t, d->init_first, d->init_end, 0, l->label);
    }
    buf_str(out, ";");
    buf_done(&text);
    return cell_name(l, (struct cell_name){ .name = node->entry->name, .kind = DECL_VARIABLE, .keeps_storage = kept,
                                           .type = node->type_text });
}

/* extern int x; and prototypes stay as they are. */
static void put_mention(struct lowering *l, const struct item *item, size_t index)
{
    const struct cdecl *d = &item->decl.declarators[index];
    lines_at(&l->file, l->t.at[d->first].line, l->label);
    buf_str(&l->file.text, " extern ");
    outline_tokens(&l->file.text, &l->t, item->decl.first, item->decl.specifiers_end, DROP_STATIC);
    buf_char(&l->file.text, ' ');
    outline_tokens(&l->file.text, &l->t, d->first, d->end, DROP_STATIC);
    buf_char(&l->file.text, ';');
}

static enum err_code put_declaration(struct lowering *l, size_t index)
{
    const struct item *item = &l->items.at[index];
    const struct cdeclaration *d = &item->decl;
    if (d->is_assert || d->storage == CDECL_TYPEDEF || d->ndeclarators == 0) {
        lines_tokens(&l->file, &l->t, item->first, item->end, d->is_assert ? 0 : d->specifiers_end, l->label);
        return ERR_NONE;
    }
    enum err_code code = ERR_NONE;
    for (size_t i = 0; !code && i < d->ndeclarators; i++) {
        const struct cdecl *one = &d->declarators[i];
        bool function = one->type && one->type->kind == CTYPE_FUNCTION;
        bool mention = function || (d->storage == CDECL_EXTERN && one->init_first == one->init_end);
        if (mention) {
            put_mention(l, item, i);
            code = function ? cell_name(l, (struct cell_name){ .name = one->name, .kind = DECL_FUNCTION, .declared = true, .type = "" })
                            : ERR_NONE;
        } else {
            code = put_variable(l, l->record->item_piece[index], item, i);
        }
    }
    return code;
}

static bool starts(const struct tokens *t, const struct item *item, const char *word)
{
    const struct token *at = &t->at[item->first];
    const char *s = t->text + at->start + 1;
    const char *end = t->text + at->start + at->len;
    while (s < end && (*s == ' ' || *s == '\t')) {
        s++;
    }
    return (size_t)(end - s) >= strlen(word) && memcmp(s, word, strlen(word)) == 0;
}

static bool is_omp(const struct tokens *t, const struct item *item)
{
    const struct token *at = &t->at[item->first];
    return starts(t, item, "pragma") && memmem(t->text + at->start, at->len, "omp", 3);
}

static enum err_code put_item(struct lowering *l, size_t i)
{
    const struct item *item = &l->items.at[i];
    switch (item->kind) {
    case ITEM_PP:
        if (!starts(&l->t, item, "include") && !starts(&l->t, item, "line") && !is_omp(&l->t, item)) {
            lines_at(&l->file, l->t.at[item->first].line, l->label);
            if (l->file.text.len && l->file.text.data[l->file.text.len - 1] != '\n') {
                buf_char(&l->file.text, '\n'); /* a directive needs a line of its own */
                l->file.line++;
                lines_at(&l->file, l->t.at[item->first].line, l->label);
            }
            lines_tokens(&l->file, &l->t, item->first, item->end, 0, l->label);
        }
        return ERR_NONE;
    case ITEM_FUNCTION:
        return put_function(l, i);
    case ITEM_DECLARATION:
        return put_declaration(l, i);
    case ITEM_STATEMENT:
    case ITEM_EXPRESSION:
    default:
        return ERR_NONE;
    }
}

/* Functions that earlier cells of the user's only declare. */
static enum err_code name_declared(struct lowering *l)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < l->prelude.npieces && !code; i++) {
        const struct piece *p = l->prelude.pieces[i];
        bool declares = !p->record->is_header && p->declaration && !p->declaration->is_definition;
        for (const struct node *n = declares ? p->nodes : NULL; n && !code; n = n->sibling) {
            if (n->decl.kind == DECL_FUNCTION) {
                code = cell_name(l, (struct cell_name){ .name = n->entry->name, .kind = DECL_FUNCTION, .declared = true, .type = "" });
            }
        }
    }
    return code;
}

enum err_code cell_file_scope(struct lowering *l)
{
    enum err_code code = name_declared(l);
    for (size_t i = 0; !code && i < l->items.count; i++) {
        code = l->record->item_inactive[i] ? ERR_NONE : put_item(l, i);
    }
    return code ? code : buf_check(&l->file.text, "the lowered cell", l->e);
}
