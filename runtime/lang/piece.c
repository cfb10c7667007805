/* Pieces of source: the names that one declares and the names that it needs. See index_internal.h.
 *
 * Needs come from the parsed tree, so that the names of parameters and members are not mistaken for uses. What only tokens
 * tell (array sizes, typeof, bodies, macros) is scanned as identifiers, but for those after `.` and `->`. */
#include "runtime/lang/index_internal.h"

#include "runtime/base/buf.h"
#include "runtime/lang/constant.h"

#include <string.h>

struct piece *piece_new(struct index *ix, struct record *r, const char *text, size_t len, int line)
{
    struct piece *piece = arena_alloc(&r->arena, sizeof *piece);
    if (!piece) {
        return NULL;
    }
    piece->source = (struct source){ .text = text, .len = len, .cell_id = r->id, .number = r->number, .line = line };
    piece->source.order = ix->order++;
    piece->record = r;
    piece->canonical = piece;
    if (r->last) {
        r->last->next = piece;
    } else {
        r->first = piece;
    }
    r->last = piece;
    return piece;
}

/* ---- macros ---- */

/* Text with each <a6> outside strings, which is how tcc prints ## with -dD, spelt out. NULL: out of memory. */
static const char *spell_pastes(struct arena *a, const char *text, size_t *len)
{
    char *copy = arena_alloc(a, *len + 1);
    size_t n = 0;
    bool quoted = false;
    for (size_t i = 0; copy && i < *len; i++) {
        quoted = text[i] == '"' && (i == 0 || text[i - 1] != '\\') ? !quoted : quoted;
        if (!quoted && *len - i >= 4 && memcmp(text + i, "<a6>", 4) == 0) {
            copy[n++] = '#';
            copy[n++] = '#';
            i += 3;
        } else {
            copy[n++] = text[i];
        }
    }
    *len = n;
    return copy;
}

struct piece *piece_macro(struct index *ix, struct record *r, const char *text, size_t len, int line, struct err *e)
{
    size_t i = 1;
    while (i < len && (text[i] == ' ' || text[i] == '\t')) {
        i++;
    }
    bool undef = len - i > 5 && memcmp(text + i, "undef", 5) == 0;
    bool define = len - i > 6 && memcmp(text + i, "define", 6) == 0;
    if (!undef && !define) {
        return NULL;
    }
    i += undef ? 5 : 6;
    while (i < len && (text[i] == ' ' || text[i] == '\t')) {
        i++;
    }
    size_t name = i;
    while (i < len && (text[i] == '_' || text[i] == '$' || (text[i] >= '0' && text[i] <= '9') ||
                       ((text[i] | 32) >= 'a' && (text[i] | 32) <= 'z') || (unsigned char)text[i] >= 0x80)) {
        i++;
    }
    if (i == name) {
        return NULL;
    }
    size_t name_len = i - name;
    bool function_like = define && i < len && text[i] == '(';
    const char *whole = text;
    if (r->is_header && memmem(text, len, "<a6>", 4)) {
        whole = spell_pastes(&r->arena, text, &len);
    }
    struct piece *piece = whole ? piece_new(ix, r, whole, len, line) : NULL;
    struct node *node = piece ? node_new(ix, piece, text + name, name_len, SPACE_MACRO, DECL_MACRO) : NULL;
    if (!node) {
        (void)err_memory(e);
        return NULL;
    }
    piece->is_macro = true;
    piece->is_undef = undef;
    piece->function_like = function_like;
    return piece;
}

/* ---- names that a declaration declares ---- */

bool piece_is_runtime_array(const struct index *ix, const struct ctype *type)
{
    for (; type && type->kind == CTYPE_ARRAY; type = type->of) {
        long long value;
        if (type->dim[0] && constant_eval(ix, type->dim, NULL, NULL, &value) == CONSTANT_NOT) {
            return true;
        }
    }
    return false;
}

struct naming {
    struct index *ix;
    struct piece *piece;
    bool fill;                 /* the nodes are there: give them their declaration */
    bool failed;
};

static struct node *own_node(const struct piece *piece, const char *name, enum space space)
{
    for (struct node *n = piece->nodes; n; n = n->sibling) {
        if (n->space == space && strcmp(n->entry->name, name) == 0) {
            return n;
        }
    }
    return NULL;
}

/* A header says many things twice. Only what is new is kept: a definition after a mere mention. */
static bool is_known(const struct naming *n, const char *name, enum space space, bool defines)
{
    struct entry *entry = n->piece->record->is_header ? entry_find(n->ix, name, strlen(name)) : NULL;
    struct node *older = entry_header(entry, space);
    return older && (!defines || (space == SPACE_TAG && older->decl.kind == DECL_TAG && older->decl.is_defined));
}

static struct node *declare_name(struct naming *n, const char *name, enum space space, enum decl_kind kind, bool defines)
{
    struct node *node = own_node(n->piece, name, space);
    if (n->fill || node || is_known(n, name, space, defines)) {
        return node;
    }
    node = node_new(n->ix, n->piece, name, strlen(name), space, kind);
    n->failed = n->failed || !node;
    return node;
}

static void declare_type(struct naming *n, const struct ctype *type, unsigned depth);

static void declare_tag(struct naming *n, const struct ctype *type)
{
    struct node *node = declare_name(n, type->spelling, SPACE_TAG, DECL_TAG, type->has_body);
    if (!node) {
        return;
    }
    const char *word = type->kind == CTYPE_STRUCT ? "struct" : type->kind == CTYPE_UNION ? "union" : "enum";
    size_t len = strlen(word) + strlen(type->spelling) + 2;
    char *name = node->decl.name == node->entry->name ? arena_alloc(&n->piece->record->arena, len) : NULL;
    if (name) {
        memcpy(name, word, strlen(word));
        name[strlen(word)] = ' ';
        memcpy(name + strlen(word) + 1, type->spelling, strlen(type->spelling));
        node->decl.name = name;
    }
    if (type->has_body || !node->decl.type) {
        node->decl.is_defined = node->decl.is_defined || type->has_body;
        node->decl.type = n->fill ? type : NULL;
        node->decl.declaration = n->fill ? n->piece->declaration : NULL;
    }
}

/* Tags and enumerators anywhere in a type. */
static void declare_type(struct naming *n, const struct ctype *type, unsigned depth)
{
    if (!type || depth > 100) {
        return;
    }
    bool tagged = type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION || type->kind == CTYPE_ENUM;
    if (tagged && type->spelling && type->has_body) {
        declare_tag(n, type);
    }
    if (type->kind == CTYPE_ENUM) {
        for (size_t i = 0; i < type->nmembers; i++) {
            struct node *node = declare_name(n, type->members[i].name, SPACE_ORDINARY, DECL_ENUMERATOR, false);
            if (node && n->fill) {
                node->decl.type = type;
                node->decl.declaration = n->piece->declaration;
            }
        }
    } else if (tagged) {
        for (size_t i = 0; i < type->nmembers; i++) {
            declare_type(n, type->members[i].type, depth + 1);
        }
    }
    declare_type(n, type->of, depth + 1);
}

/* What a user's cell only mentions (a prototype, `extern int x;`) leaves the definition of another cell in its place, and
 * an array whose size only the running cell knows is no name for later cells. */
static bool is_mention(const struct naming *n, const struct cdeclaration *d, const struct cdecl *declarator)
{
    if (n->piece->record->is_header || d->storage == CDECL_TYPEDEF || !declarator->type) {
        return false;
    }
    if (strncmp(declarator->name, CELL_MAIN, strlen(CELL_MAIN)) == 0) {
        return true; /* a program's main is nobody else's */
    }
    if (declarator->type->kind == CTYPE_FUNCTION ? d->is_definition : d->storage != CDECL_EXTERN) {
        return declarator->type->kind != CTYPE_FUNCTION && piece_is_runtime_array(n->ix, declarator->type);
    }
    struct node *node = entry_live(entry_find(n->ix, declarator->name, strlen(declarator->name)), SPACE_ORDINARY);
    return node && (node->decl.kind == DECL_FUNCTION || node->decl.kind == DECL_VARIABLE);
}

static void declare_all(struct naming *n, const struct cdeclaration *d)
{
    declare_type(n, d->base, 0);
    if (d->ndeclarators == 0 && d->base && d->base->spelling && !d->base->has_body &&
        (d->base->kind == CTYPE_STRUCT || d->base->kind == CTYPE_UNION)) {
        declare_tag(n, d->base); /* struct point; */
    }
    for (size_t i = 0; i < d->ndeclarators; i++) {
        const struct cdecl *declarator = &d->declarators[i];
        bool function = declarator->type && declarator->type->kind == CTYPE_FUNCTION;
        if (!n->fill && is_mention(n, d, declarator)) {
            continue;
        }
        enum decl_kind kind = d->storage == CDECL_TYPEDEF ? DECL_TYPEDEF : function ? DECL_FUNCTION : DECL_VARIABLE;
        struct node *node = declare_name(n, declarator->name, SPACE_ORDINARY, kind, false);
        if (node && n->fill) {
            node->decl.declaration = n->piece->declaration;
            node->decl.declarator = declarator;
            node->decl.type = declarator->type;
        }
    }
}

enum err_code piece_declare_as(struct index *ix, struct piece *piece, const struct cdeclaration *d, struct err *e)
{
    struct naming n = { .ix = ix, .piece = piece, .fill = false };
    declare_all(&n, d);
    return n.failed ? err_memory(e) : ERR_NONE;
}

/* ---- parsing on demand ---- */

/* What header text means does not depend on the user's names. */
static bool header_typedef(void *ctx, const char *name, size_t len)
{
    struct node *node = entry_header(entry_find(ctx, name, len), SPACE_ORDINARY);
    return node && node->decl.kind == DECL_TYPEDEF;
}

bool piece_keep_tokens(struct arena *a, struct tokens *t)
{
    size_t size = (t->count + 1) * sizeof *t->at;
    struct token *copy = arena_alloc(a, size);
    if (copy) {
        memcpy(copy, t->at, size);
        struct token *heap = t->at;
        t->at = copy;
        struct tokens gone = { .at = heap };
        tokens_done(&gone);
    } else {
        tokens_done(t);
    }
    return copy != NULL;
}

void piece_fill(struct index *ix, struct piece *piece)
{
    struct naming n = { .ix = ix, .piece = piece, .fill = true };
    declare_all(&n, piece->declaration);
}

struct cdeclaration *piece_parse(struct index *ix, struct piece *piece)
{
    if (piece->declaration || piece->is_macro) {
        return piece->declaration;
    }
    struct arena *a = &piece->record->arena;
    if (!piece->tokens.at &&
        (lex(piece->source.text, piece->source.len, &piece->tokens, NULL) || !piece_keep_tokens(a, &piece->tokens))) {
        return NULL;
    }
    struct cdeclaration *d = arena_alloc(a, sizeof *d);
    ctype_is_typedef *types = piece->record->is_header ? header_typedef : index_is_typedef;
    if (!d || ctype_parse(&piece->tokens, 0, types, ix, a, d, NULL)) {
        return NULL;
    }
    piece->declaration = d;
    piece_fill(ix, piece);
    return d;
}

/* ---- what a piece needs ---- */

static bool needs_add(struct arena *a, struct needs *list, struct entry *entry, enum space space, bool pointer)
{
    if (!entry) {
        return false;
    }
    for (size_t i = list->count > 16 ? list->count - 16 : 0; i < list->count; i++) { /* near repeats are the common ones */
        if (list->at[i].entry == entry && list->at[i].space == space) {
            list->at[i].pointer = list->at[i].pointer && pointer;
            return true;
        }
    }
    if (list->count == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 8;
        struct need *room = arena_alloc(a, cap * sizeof *room);
        if (!room) {
            return false;
        }
        if (list->count) {
            memcpy(room, list->at, list->count * sizeof *room);
        }
        list->at = room;
        list->cap = cap;
    }
    list->at[list->count++] = (struct need){ .entry = entry, .space = space, .pointer = pointer };
    return true;
}

struct collector {
    struct index *ix;
    struct arena *a;
    struct needs *out;
    bool failed;
};

static bool is_tag_word(enum word_kind w)
{
    return w == WORD_STRUCT || w == WORD_UNION || w == WORD_ENUM;
}

static void scan_tokens(struct collector *s, const struct tokens *t, size_t first, size_t end);

/* Identifiers of a text; of a preprocessor line all but its first word. */
static void scan_text(struct collector *s, const char *text, size_t len)
{
    struct tokens t;
    if (len == 0) {
        return;
    }
    if (lex(text, len, &t, NULL)) {
        s->failed = true;
        return;
    }
    scan_tokens(s, &t, 0, t.count);
    tokens_done(&t);
}

static void scan_tokens(struct collector *s, const struct tokens *t, size_t first, size_t end)
{
    enum word_kind before = WORD_NAME;
    for (size_t i = first; i < end; i++) {
        const struct token *at = &t->at[i];
        const char *text = t->text + at->start;
        if (at->kind == TOKEN_PP) {
            scan_text(s, text + 1, at->len - 1);
        }
        if (at->kind != TOKEN_IDENT) {
            before = WORD_NAME;
            continue;
        }
        enum word_kind w = lex_word(text, at->len);
        bool member = i > first && (token_is(t, i - 1, ".") || token_is(t, i - 1, "->"));
        if (w == WORD_NAME && !member) {
            bool tag = is_tag_word(before);
            bool pointer = tag && token_is(t, i + 1, "*");
            s->failed = !needs_add(s->a, s->out, entry_intern(s->ix, text, at->len), tag ? SPACE_TAG : SPACE_ORDINARY,
                                   pointer) || s->failed;
        }
        before = w;
    }
}

static void scan_type(struct collector *s, const struct tokens *t, const struct ctype *type, bool pointer, unsigned depth)
{
    if (!type || depth > 100) {
        return;
    }
    const char *name = type->spelling;
    switch (type->kind) {
    case CTYPE_NAMED:
        s->failed = !needs_add(s->a, s->out, entry_intern(s->ix, name, strlen(name)), SPACE_ORDINARY, pointer) || s->failed;
        return;
    case CTYPE_TYPEOF:
        scan_text(s, name, strlen(name));
        return;
    case CTYPE_STRUCT:
    case CTYPE_UNION:
        for (size_t i = 0; type->has_body && i < type->nmembers; i++) {
            scan_type(s, t, type->members[i].type, false, depth + 1);
            scan_text(s, type->members[i].bits ? type->members[i].bits : "",
                      type->members[i].bits ? strlen(type->members[i].bits) : 0);
        }
        break;
    case CTYPE_ENUM:
        for (size_t i = 0; type->has_body && i < type->nmembers; i++) {
            scan_tokens(s, t, type->members[i].init_first, type->members[i].init_end);
        }
        pointer = false; /* an enum cannot be declared before its definition */
        break;
    case CTYPE_POINTER:
        scan_type(s, t, type->of, true, depth + 1);
        return;
    case CTYPE_ARRAY:
        scan_text(s, type->dim, strlen(type->dim));
        scan_type(s, t, type->of, pointer, depth + 1);
        return;
    case CTYPE_FUNCTION:
        for (size_t i = 0; i < type->nmembers; i++) {
            scan_type(s, t, type->members[i].type, true, depth + 1);
        }
        scan_type(s, t, type->of, true, depth + 1);
        return;
    case CTYPE_VOID:
    case CTYPE_BOOL:
    case CTYPE_CHAR:
    case CTYPE_INTEGER:
    case CTYPE_FLOATING:
    case CTYPE_COMPLEX:
    default:
        return;
    }
    if (name && !type->has_body) {
        s->failed = !needs_add(s->a, s->out, entry_intern(s->ix, name, strlen(name)), SPACE_TAG, pointer) || s->failed;
    }
}

/* The body of a macro: what stands after its name and parameters. */
static void scan_macro(struct collector *s, struct piece *piece)
{
    struct tokens t;
    if (piece->is_undef) {
        return;
    }
    if (lex(piece->source.text + 1, piece->source.len - 1, &t, NULL)) {
        s->failed = true;
        return;
    }
    size_t i = 2;
    if (piece->function_like) {
        i = token_match(&t, 2) + 1;
    }
    scan_tokens(s, &t, i, t.count);
    for (; i < t.count; i++) {
        piece->pastes = piece->pastes || token_is(&t, i, "##");
    }
    tokens_done(&t);
}

/* A user's declaration may use macros: what it needs is what they expand to, as its outline says. */
static void scan_outline(struct collector *s, struct piece *piece)
{
    struct tokens t;
    struct arena scratch;
    struct cdeclaration d;
    if (lex(piece->outline, piece->outline_len, &t, NULL)) {
        s->failed = true;
        return;
    }
    arena_init(&scratch);
    for (size_t i = 0; i < t.count && !ctype_parse(&t, i, index_is_typedef, s->ix, &scratch, &d, NULL); i = d.end) {
        scan_type(s, &t, d.base, d.storage == CDECL_TYPEDEF, 0);
        for (size_t k = 0; k < d.ndeclarators; k++) {
            scan_type(s, &t, d.declarators[k].type, d.storage == CDECL_TYPEDEF, 0);
        }
    }
    arena_done(&scratch);
    tokens_done(&t);
}

enum err_code piece_scan(struct index *ix, struct piece *piece, struct err *e)
{
    if (piece->scanned) {
        return ERR_NONE;
    }
    struct collector s = { .ix = ix, .a = &piece->record->arena, .out = &piece->needs };
    if (piece->is_macro) {
        scan_macro(&s, piece);
    } else if (piece->outline) {
        scan_outline(&s, piece);
        s.out = &piece->inner;
        scan_tokens(&s, &piece->tokens, 0, piece->tokens.count);
    } else {
        const struct cdeclaration *d = piece_parse(ix, piece);
        for (size_t i = 0; d && i < d->ndeclarators; i++) {
            scan_type(&s, &piece->tokens, d->declarators[i].type, d->storage == CDECL_TYPEDEF, 0);
        }
        if (d) {
            scan_type(&s, &piece->tokens, d->base, d->storage == CDECL_TYPEDEF, 0);
        }
        if (d && d->is_definition) { /* a header's inline function comes with its body */
            scan_tokens(&s, &piece->tokens, d->body, d->end);
        }
    }
    piece->scanned = true;
    return s.failed ? err_memory(e) : ERR_NONE;
}
