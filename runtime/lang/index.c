/* The index of declarations: staging cells, and looking names up. See index.h and index_internal.h. */
#include "runtime/lang/index.h"

#include "runtime/lang/index_internal.h"

#include "runtime/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TYPEDEFS = 100 };

enum err_code index_new(struct index **out, struct err *e)
{
    struct index *ix = calloc(1, sizeof *ix);
    if (!ix) {
        return err_memory(e);
    }
    arena_init(&ix->arena);
    enum err_code code = headers_libc(ix, e);
    if (code) {
        index_free(ix);
        return code;
    }
    *out = ix;
    return ERR_NONE;
}

void index_free(struct index *ix)
{
    if (!ix) {
        return;
    }
    while (ix->records) {
        struct record *next = ix->records->next;
        record_free(ix->records);
        ix->records = next;
    }
    arena_done(&ix->arena);
    free(ix->buckets);
    free(ix->user);
    free(ix->told);
    free(ix);
}

enum err_code index_record(struct index *ix, struct record **out, struct err *e)
{
    struct record *r = calloc(1, sizeof *r);
    if (!r) {
        return err_memory(e);
    }
    arena_init(&r->arena);
    r->next = ix->records;
    ix->records = r;
    *out = r;
    return ERR_NONE;
}

struct record *index_staged(const struct index *ix)
{
    struct record *r = ix->nstaged > 0 ? ix->records : NULL;
    while (r && !r->staged) {
        r = r->next;
    }
    return r;
}

void cell_label(int number, char *out, size_t size)
{
    (void)snprintf(out, size, "cell [%d]", number); /* fits in 32 bytes */
}

void index_name_cell(struct err *e, const struct cell *cell)
{
    if (e && e->cell[0] == '\0' && (e->code == ERR_SYNTAX || e->code == ERR_NOT_FOUND || e->line)) {
        cell_label(cell->number, e->cell, sizeof e->cell);
    }
}

/* ---- looking up ---- */

static const struct decl *with_declaration(const struct index *ix, struct node *node)
{
    if (node && !node->piece->is_macro && !node->piece->declaration) {
        (void)piece_parse((struct index *)(uintptr_t)ix, node->piece); /* fills in the lazily parsed; on failure types stay NULL */
    }
    return node ? &node->decl : NULL;
}

static enum space space_of(const char **name, size_t *len)
{
    static const char *const words[] = { "struct ", "union ", "enum " };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if (*len > n && memcmp(*name, words[i], n) == 0) {
            *name += n;
            *len -= n;
            return SPACE_TAG;
        }
    }
    return SPACE_ORDINARY;
}

const struct decl *index_find(const struct index *ix, const char *name, size_t len)
{
    enum space space = space_of(&name, &len);
    return with_declaration(ix, entry_live(entry_find(ix, name, len), space));
}

const struct decl *index_find_macro(const struct index *ix, const char *name, size_t len)
{
    struct node *node = entry_macro(entry_find(ix, name, len));
    return node ? &node->decl : NULL;
}

bool index_is_typedef(void *index, const char *name, size_t len)
{
    const struct index *ix = index;
    const struct entry *entry = entry_find(ix, name, len);
    const struct node *node = entry_live(entry, SPACE_ORDINARY);
    if (node) {
        return node->decl.kind == DECL_TYPEDEF;
    }
    const struct node *macro = entry_macro(entry);
    if (!macro || macro->piece->function_like) {
        return false;
    }
    const char *found;
    size_t found_len;
    return items_define_is_type(macro->decl.source->text, macro->decl.source->len, NULL, NULL, &found, &found_len) ||
           (macro->piece->record->is_header ? false :
            items_define_is_type(macro->decl.source->text, macro->decl.source->len, index_is_typedef, index, &found, &found_len));
}

/* What `#define REAL double` stands for; NULL: no type. */
static const struct ctype *macro_type(struct index *ix, struct node *node)
{
    struct piece *piece = node->piece;
    if (piece->type_tried || piece->function_like) {
        return piece->macro_type;
    }
    piece->type_tried = true;
    struct tokens t;
    if (lex(piece->source.text + 1, piece->source.len - 1, &t, NULL)) {
        return NULL;
    }
    struct ctype *type = NULL;
    size_t end = 0;
    if (t.count > 2 && ctype_begins(&t, 2, index_is_typedef, ix) + (t.count == 3) > 0 &&
        !ctype_parse_name(&t, 2, index_is_typedef, ix, &piece->record->arena, &type, &end, NULL) && end == t.count) {
        piece->macro_type = type;
    }
    tokens_done(&t);
    return piece->macro_type;
}

static const struct ctype *qualified(struct index *ix, const struct ctype *type, bool is_const, bool is_volatile)
{
    if ((type->is_const || !is_const) && (type->is_volatile || !is_volatile)) {
        return type;
    }
    struct ctype wanted;
    memcpy(&wanted, type, sizeof wanted); /* with its padding, so that equal ones have equal bytes */
    wanted.is_const = wanted.is_const || is_const;
    wanted.is_volatile = wanted.is_volatile || is_volatile;
    struct qualified **bucket = &ix->qualified[((uintptr_t)wanted.of / 16 + (uintptr_t)wanted.members / 16 + wanted.kind) %
                                               QUALIFIED_BUCKETS];
    for (struct qualified *q = *bucket; q; q = q->next) {
        if (memcmp(&q->type, &wanted, sizeof wanted) == 0) {
            return &q->type;
        }
    }
    struct qualified *q = arena_alloc(&ix->arena, sizeof *q);
    if (!q) {
        return type;
    }
    memcpy(&q->type, &wanted, sizeof wanted);
    q->next = *bucket;
    *bucket = q;
    return &q->type;
}

const struct ctype *index_resolve(const struct index *cix, const struct ctype *type)
{
    struct index *ix = (struct index *)(uintptr_t)cix; /* its arena may get a copy with qualifiers */
    bool is_const = false;
    bool is_volatile = false;
    for (int i = 0; type && type->kind == CTYPE_NAMED && i < MAX_TYPEDEFS; i++) {
        const struct entry *entry = entry_find(ix, type->spelling, strlen(type->spelling));
        const struct decl *decl = with_declaration(ix, entry_live(entry, SPACE_ORDINARY));
        struct node *macro = entry_macro(entry);
        const struct ctype *meant = decl && decl->kind == DECL_TYPEDEF ? decl->type : macro ? macro_type(ix, macro) : NULL;
        if (!meant) {
            break;
        }
        is_const = is_const || type->is_const;
        is_volatile = is_volatile || type->is_volatile;
        type = meant;
    }
    bool tagged = type && (type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION || type->kind == CTYPE_ENUM);
    if (tagged && !type->has_body && type->spelling) {
        struct node *node = entry_live(entry_find(ix, type->spelling, strlen(type->spelling)), SPACE_TAG);
        const struct decl *decl = with_declaration(ix, node);
        if (decl && decl->type) {
            is_const = is_const || type->is_const;
            is_volatile = is_volatile || type->is_volatile;
            type = decl->type;
        }
    }
    return type ? qualified(ix, type, is_const, is_volatile) : NULL;
}

/* ---- staging ---- */

/* What a piece of a cell needs stays what it is now. */
static void bind(struct piece *piece)
{
    for (size_t i = 0; i < piece->needs.count; i++) {
        piece->needs.at[i].bound = entry_live(piece->needs.at[i].entry, piece->needs.at[i].space);
    }
}

static bool same_needs(const struct piece *a, const struct piece *b)
{
    if (a->needs.count != b->needs.count) {
        return false;
    }
    for (size_t i = 0; i < a->needs.count; i++) {
        const struct node *x = a->needs.at[i].bound;
        const struct node *y = b->needs.at[i].bound;
        bool self = x && y && x->piece == a && y->piece == b;
        if (a->needs.at[i].entry != b->needs.at[i].entry || (!self && (!x || !y ? x != y : x->piece->canonical != y->piece->canonical))) {
            return false;
        }
    }
    return true;
}

/* A piece that says the same as the one before it is the same: what was made with either goes together. */
static void find_canonical(struct piece *piece)
{
    for (const struct node *own = piece->nodes; own; own = own->sibling) {
        for (const struct node *older = own->older; older; older = older->older) {
            struct piece *other = older->piece;
            if (other == piece) {
                continue;
            }
            if (!other->record->is_header && !other->is_macro && other->outline_len == piece->outline_len &&
                memcmp(other->outline, piece->outline, piece->outline_len) == 0 && same_needs(piece, other)) {
                piece->canonical = other->canonical;
            }
            break;
        }
    }
}

static enum err_code stage_declaration(struct index *ix, struct record *r, const struct tokens *t, const struct item *item,
                                       struct piece **out, struct err *e)
{
    size_t start = t->at[item->first].start;
    size_t len = (size_t)t->at[item->end - 1].start + t->at[item->end - 1].len - start;
    struct piece *piece = piece_new(ix, r, r->text + start, len, (int)t->at[item->first].line);
    struct cdeclaration *d = arena_alloc(&r->arena, sizeof *d);
    if (!piece || !d) {
        return err_memory(e);
    }
    enum err_code code = lex(piece->source.text, len, &piece->tokens, e);
    if (code) {
        return code;
    }
    if (!piece_keep_tokens(&r->arena, &piece->tokens)) {
        return err_memory(e);
    }
    code = ctype_parse(&piece->tokens, 0, index_is_typedef, ix, &r->arena, d, e);
    if (code) {
        e->line += e->line ? piece->source.line - 1 : 0;
        return code;
    }
    piece->declaration = d;
    code = piece_declare_as(ix, piece, d, e);
    if (code || !piece->nodes) {
        return code;
    }
    piece_fill(ix, piece);
    code = piece_outline(ix, piece, e);
    code = code ? code : piece_scan(ix, piece, e);
    for (struct node *n = piece->nodes; !code && n; n = n->sibling) {
        if (n->decl.kind == DECL_VARIABLE || n->decl.kind == DECL_FUNCTION) {
            code = outline_type(ix, piece, n, e);
        }
    }
    bind(piece);
    find_canonical(piece);
    *out = piece;
    return code;
}

/* The name in `#include <x.h>`; NULL: another directive. */
static const char *include_name(const char *text, size_t len, size_t *name_len)
{
    size_t i = 1;
    while (i < len && (text[i] == ' ' || text[i] == '\t')) {
        i++;
    }
    if (len - i < 7 || memcmp(text + i, "include", 7) != 0) {
        return NULL;
    }
    i += 7;
    while (i < len && (text[i] == ' ' || text[i] == '\t')) {
        i++;
    }
    if (i >= len || (text[i] != '<' && text[i] != '"')) {
        return NULL;
    }
    const char *end = memchr(text + i + 1, text[i] == '<' ? '>' : '"', len - i - 1);
    *name_len = end ? (size_t)(end - (text + i)) + 1 : 0;
    return end ? text + i : NULL;
}

static enum err_code stage_directive(struct index *ix, struct record *r, const struct tokens *t, const struct item *item,
                                     struct piece **out, struct err *e)
{
    const struct token *at = &t->at[item->first];
    size_t name_len;
    const char *name = include_name(r->text + at->start, at->len, &name_len);
    if (name) {
        return headers_include(ix, name, name_len, (int)at->line, "", e);
    }
    *out = piece_macro(ix, r, r->text + at->start, at->len, (int)at->line, e);
    return ERR_NONE;
}

enum err_code index_includes(struct index *ix, const struct tokens *t, struct err *e)
{
    struct buf macros;
    enum err_code code = ERR_NONE;
    int depth = 0;
    buf_init(&macros, 0);
    for (size_t i = 0; i < t->count && !code; i++) {
        const struct token *at = &t->at[i];
        const char *text = t->text + at->start;
        size_t len = 0;
        if (at->kind != TOKEN_PP) {
            continue;
        }
        const char *name = include_name(text, at->len, &len);
        if (name) {
            struct err local;
            code = headers_include(ix, name, len, (int)at->line, macros.data, depth ? &local : e);
            code = depth ? ERR_NONE : code;
        } else if (conditional_line(text, at->len)) {
            depth += memmem(text, at->len, "endif", 5) ? -1 : memmem(text, at->len, "if", 2) && !memmem(text, at->len, "elif", 4);
        } else if (!depth) {
            buf_printf(&macros, "%.*s\n", (int)at->len, text);
        }
    }
    code = code ? code : buf_check(&macros, "macros", e);
    buf_done(&macros);
    return code;
}

static void replace_older(struct record *r)
{
    for (struct record *old = r->next; r->id && old; old = old->next) {
        if (!old->is_header && !old->dead && old->id && strcmp(old->id, r->id) == 0) {
            record_kill(old);
            r->replaced = old;
            return;
        }
    }
}

static enum err_code stage_items(struct index *ix, struct record *r, const struct tokens *t, const struct items *items,
                                 struct err *e)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; !code && i < items->count; i++) {
        const struct item *item = &items->at[i];
        if (r->item_inactive[i]) {
            continue;
        }
        if (item->kind == ITEM_PP) {
            code = stage_directive(ix, r, t, item, &r->item_piece[i], e);
        } else if ((item->kind == ITEM_DECLARATION || item->kind == ITEM_FUNCTION) && !item->decl.is_assert) {
            code = stage_declaration(ix, r, t, item, &r->item_piece[i], e);
        }
    }
    return code;
}

enum err_code index_stage(struct index *ix, const struct cell *cell, const struct tokens *t, const struct items *items,
                          struct err *e)
{
    struct record *r = NULL;
    struct err local;
    e = e ? e : &local;
    enum err_code code = index_record(ix, &r, e);
    if (code || !r) {
        return code;
    }
    r->staged = true;
    ix->nstaged++;
    ix->ncells++;
    ix->ntold = 0;
    r->number = cell->number;
    r->id = cell->id ? arena_strndup(&r->arena, cell->id, strlen(cell->id)) : NULL;
    r->text = arena_strndup(&r->arena, t->text, t->len);
    r->nitems = items->count;
    r->item_piece = arena_alloc(&r->arena, (items->count + 1) * sizeof(struct piece *));
    r->item_inactive = arena_alloc(&r->arena, (items->count + 1) * sizeof(bool));
    if ((cell->id && !r->id) || !r->text || !r->item_piece || !r->item_inactive) {
        code = err_memory(e);
    }
    if (!code) {
        replace_older(r);
        code = conditionals(ix, t, items, r->item_inactive, e);
    }
    code = code ? code : stage_items(ix, r, t, items, e);
    code = code ? code : stale_bind(ix, r, e);
    if (code) {
        index_name_cell(e, cell);
        index_rollback(ix);
    }
    return code;
}

/* A header's definition is compiled into this cell. */
static bool is_home(const struct index *ix, const struct record *cell)
{
    for (const struct record *r = ix->has_homes ? ix->records : NULL; r; r = r->next) {
        for (const struct piece *p = r->is_library ? r->first : NULL; p; p = p->next) {
            if (p->home == cell) {
                return true;
            }
        }
    }
    return false;
}

/* Only includes, statements, expressions: there is nothing to look up in it. */
static bool is_empty(const struct record *r)
{
    return !r->first;
}

static void commit(struct record *r)
{
    for (struct piece *p = r->replaced ? r->replaced->first : NULL; p; p = p->next) {
        for (struct node *n = p->nodes; n; n = n->sibling) {
            node_remove(n); /* its memory stays: what was made with it may still be bound to it */
        }
    }
    r->staged = false;
    r->replaced = NULL;
    sweep_replaced(r);
}

void index_commit(struct index *ix)
{
    for (struct record **at = &ix->records; *at && ix->nstaged > 0;) {
        struct record *r = *at;
        if (!r->staged) {
            at = &r->next;
            continue;
        }
        ix->nstaged--;
        commit(r);
        if (is_empty(r) && !is_home(ix, r)) {
            *at = r->next;
            ix->ncells--;
            record_free(r);
        } else {
            at = &r->next;
        }
    }
    for (size_t i = 0; i < ix->ntold; i++) {
        ix->told[i]->stale_told = true;
    }
    ix->ntold = 0;
    sweep(ix);
}

/* What the cell would have defined for a header is to be defined by the next. */
static void leave_homes(struct index *ix, const struct record *gone)
{
    for (struct record *r = ix->has_homes ? ix->records : NULL; r; r = r->next) {
        for (struct piece *p = r->is_library ? r->first : NULL; p; p = p->next) {
            p->home = p->home == gone ? NULL : p->home;
        }
    }
}

void index_rollback(struct index *ix)
{
    struct record **at = &ix->records;
    ix->ntold = 0;
    while (*at && ix->nstaged > 0) {
        struct record *r = *at;
        if (!r->staged) {
            at = &r->next;
            continue;
        }
        for (struct piece *p = r->first; p; p = p->next) {
            for (struct node *n = p->nodes; n; n = n->sibling) {
                node_remove(n);
            }
        }
        if (r->replaced) {
            record_revive(r->replaced);
        }
        leave_homes(ix, r);
        *at = r->next;
        ix->nstaged--;
        ix->ncells--;
        record_free(r);
    }
}

/* ---- all of the user's ---- */

static bool differs(const struct node *a, const struct node *b)
{
    const struct source *x = a->decl.source;
    const struct source *y = b->decl.source;
    return x->len != y->len || memcmp(x->text, y->text, x->len) != 0;
}

bool index_clash(const struct index *ix, const char *name, size_t len, struct clash *out)
{
    enum space space = space_of(&name, &len);
    const struct entry *entry = entry_find(ix, name, len);
    for (int pass = 0; pass < 2; pass++, space = SPACE_MACRO) {
        const struct node *first = entry_live(entry, space);
        bool type = first && (space != SPACE_ORDINARY || first->decl.kind == DECL_TYPEDEF);
        for (const struct node *n = type ? first->older : NULL; n; n = n->older) {
            if (!n->dead && !n->piece->record->is_header && !first->piece->record->is_header &&
                n->piece->record != first->piece->record && differs(n, first)) {
                *out = (struct clash){ .name = entry->name, .first = n->piece->record->number,
                                       .second = first->piece->record->number };
                return true;
            }
        }
    }
    return false;
}

static bool collect(struct index *ix, size_t *n, const struct record *r)
{
    for (const struct piece *p = r->first; p; p = p->next) {
        for (struct node *node = p->nodes; node; node = node->sibling) {
            if (entry_live(node->entry, node->space) != node || p->is_undef) {
                continue;
            }
            if (*n == ix->user_cap) {
                size_t cap = ix->user_cap ? ix->user_cap * 2 : 64;
                const struct decl **grown = realloc(ix->user, cap * sizeof *grown);
                if (!grown) {
                    return false;
                }
                ix->user = grown;
                ix->user_cap = cap;
            }
            ix->user[(*n)++] = &node->decl;
        }
    }
    return true;
}

static int by_order(const void *a, const void *b)
{
    const struct decl *x = *(const struct decl *const *)a;
    const struct decl *y = *(const struct decl *const *)b;
    if (x->source->order != y->source->order) {
        return x->source->order < y->source->order ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

const struct decl *const *index_user_decls(const struct index *cix, size_t *count)
{
    struct index *ix = (struct index *)(uintptr_t)cix; /* the answer's memory is the index's */
    *count = 0;
    for (const struct record *r = ix->records; r; r = r->next) {
        if (!r->is_header && !r->dead && !collect(ix, count, r)) {
            break;
        }
    }
    if (*count) {
        qsort(ix->user, *count, sizeof *ix->user, by_order);
    }
    return ix->user;
}
