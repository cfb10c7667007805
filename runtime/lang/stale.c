/* What is out of date: pieces of cells that were compiled with a meaning that a name has no longer.
 *
 *   meaning   a number a name: the same for a variable that keeps its memory, a function whose type is the same (its gate
 *             leads callers to the newest one), a type or macro that says the same
 *   uses      of a function or a variable with initialiser: the free names of its text and their meanings, also those that
 *             only its macros name
 *
 * A piece is out of date if a use's name means something else today, or is itself out of date (a struct that holds a struct),
 * or if what its outline needs or expands does. Numbers, not pointers: what a function once called need not be kept. */
#include "runtime/lang/index_internal.h"
#include "runtime/lang/scan.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 50 };

/* ---- what stays from an earlier cell ---- */

static const struct need *find_need(const struct piece *piece, const struct need *like)
{
    for (size_t i = 0; i < piece->needs.count; i++) {
        if (piece->needs.at[i].entry == like->entry && piece->needs.at[i].space == like->space) {
            return &piece->needs.at[i];
        }
    }
    return NULL;
}

static bool same_types(const struct piece *a, const struct piece *b)
{
    for (size_t i = 0; i < a->needs.count; i++) {
        const struct need *mine = &a->needs.at[i];
        const struct need *other = find_need(b, mine);
        if (other && mine->bound && other->bound && mine->bound->piece != a &&
            mine->bound->piece->canonical != other->bound->piece->canonical) {
            return false;
        }
    }
    return true;
}

static struct node *of_earlier_cell(const struct node *own)
{
    struct node *older = own->older;
    while (older && older->piece->record == own->piece->record) {
        older = older->older;
    }
    return older && !older->piece->record->is_header ? older : NULL;
}

/* int f(); */
static bool says_little(const struct node *function)
{
    const struct ctype *type = function->decl.type;
    return type && type->kind == CTYPE_FUNCTION && type->nmembers == 0 && !type->has_body &&
           !(function->decl.declaration && function->decl.declaration->is_definition);
}

static bool same_type(const struct node *own, const struct node *older)
{
    return own->type_text && older->type_text && strcmp(own->type_text, older->type_text) == 0 &&
           same_types(own->piece, older->piece);
}

struct node *node_other_function(const struct node *own)
{
    struct node *older = of_earlier_cell(own);
    bool function = older && own->decl.kind == DECL_FUNCTION && older->decl.kind == DECL_FUNCTION;
    return function && !says_little(older) && !same_type(own, older) ? older : NULL;
}

struct node *node_kept(const struct node *own)
{
    struct node *older = of_earlier_cell(own);
    bool variable = older && own->decl.kind == DECL_VARIABLE && older->decl.kind == DECL_VARIABLE;
    return variable && same_type(own, older) ? older : NULL;
}

/* ---- meanings ---- */

/* The same tokens: comments and spaces don't count. */
static bool same_tokens(const struct source *a, const struct source *b)
{
    struct tokens x = { .at = NULL }, y = { .at = NULL };
    if (a->len == b->len && memcmp(a->text, b->text, a->len) == 0) {
        return true;
    }
    bool same = !lex(a->text + 1, a->len - 1, &x, NULL) && !lex(b->text + 1, b->len - 1, &y, NULL) && x.count == y.count;
    for (size_t i = 0; same && i < x.count; i++) {
        same = x.at[i].len == y.at[i].len && memcmp(x.text + x.at[i].start, y.text + y.at[i].start, x.at[i].len) == 0;
    }
    tokens_done(&x);
    tokens_done(&y);
    return same;
}

static bool same_meaning(const struct node *own, const struct node *older)
{
    if (own->decl.kind != older->decl.kind) {
        return false;
    }
    switch (own->decl.kind) {
    case DECL_MACRO:
        return own->piece->is_undef == older->piece->is_undef && same_tokens(&own->piece->source, &older->piece->source);
    case DECL_VARIABLE:
        return node_kept(own) != NULL;
    case DECL_FUNCTION:
        return !node_other_function(own);
    case DECL_TYPEDEF:
    case DECL_TAG:
    case DECL_ENUMERATOR:
    default:
        return own->piece->canonical == older->piece->canonical;
    }
}

const struct node *node_changed(const struct node *own)
{
    const struct node *older = of_earlier_cell(own);
    return older && older->meaning != own->meaning && !older->piece->is_undef && !own->piece->is_undef ? older : NULL;
}

/* ---- uses ---- */

struct binder {
    struct index *ix;
    struct piece *piece;
    bool failed;
};

static bool is_used(const struct piece *piece, const struct entry *entry, enum space space)
{
    for (size_t i = 0; i < piece->nuses; i++) {
        if (piece->uses[i].entry == entry && piece->uses[i].space == space) {
            return true;
        }
    }
    return false;
}

/* False: it is there already, or is no name of the user's. */
static bool add_use(struct binder *b, const struct node *node)
{
    struct piece *p = b->piece;
    if (!node || node->piece->record->is_header || !node->meaning || node->piece == p ||
        is_used(p, node->entry, node->space)) {
        return false;
    }
    if (p->nuses == p->cap_uses) {
        size_t cap = p->cap_uses ? p->cap_uses * 2 : 4;
        struct use *room = arena_alloc(&p->record->arena, cap * sizeof *room);
        if (!room) {
            b->failed = true;
            return false;
        }
        if (p->nuses) {
            memcpy(room, p->uses, p->nuses * sizeof *room);
        }
        p->uses = room;
        p->cap_uses = cap;
    }
    p->uses[p->nuses++] = (struct use){ .entry = node->entry, .space = node->space, .meaning = node->meaning };
    return true;
}

/* A word of the text or of a macro's body. */
static void use_word(struct binder *b, const struct entry *entry, unsigned depth)
{
    struct node *macro = entry_macro(entry);
    if (depth > MAX_DEPTH) {
        return;
    }
    if (!macro || macro->piece->record->is_header) {
        (void)add_use(b, entry_live(entry, SPACE_ORDINARY)); /* a known one is no failure */
        return;
    }
    if (!add_use(b, macro) || piece_scan(b->ix, macro->piece, NULL)) {
        return;
    }
    for (size_t i = 0; i < macro->piece->needs.count; i++) {
        const struct need *need = &macro->piece->needs.at[i];
        if (need->space == SPACE_TAG) {
            (void)add_use(b, entry_live(need->entry, SPACE_TAG));
        } else {
            use_word(b, need->entry, depth + 1);
        }
    }
}

static const struct entry *entry_at(const struct binder *b, uint32_t token)
{
    const struct tokens *t = &b->piece->tokens;
    return entry_find(b->ix, t->text + t->at[token].start, t->at[token].len);
}

static bool is_function_macro(void *ctx, const char *name, size_t len)
{
    const struct node *macro = entry_macro(entry_find(ctx, name, len));
    return macro && macro->piece->function_like;
}

/* A text that the scanner doesn't understand has no uses: nothing is told of it. */
static void bind_uses(struct binder *b)
{
    struct scan_options o = { .is_typedef = index_is_typedef, .is_call = is_function_macro, .ctx = b->ix };
    struct scan scan = { .nuses = 0 };
    struct arena scratch;
    struct err ignored;
    arena_init(&scratch);
    if (!scan_declaration(&b->piece->tokens, b->piece->declaration, &o, &scratch, &scan, &ignored)) {
        for (size_t i = 0; i < scan.nuses; i++) {
            use_word(b, entry_at(b, scan.uses[i].token), 0);
        }
        for (size_t i = 0; i < scan.ntags; i++) {
            (void)add_use(b, entry_live(entry_at(b, scan.tags[i].token), SPACE_TAG));
        }
    }
    arena_done(&scratch);
}

static bool is_compiled(const struct piece *piece)
{
    bool yes = false;
    for (const struct node *n = piece->nodes; n && !yes; n = n->sibling) {
        yes = n->decl.kind == DECL_FUNCTION || n->decl.kind == DECL_VARIABLE;
    }
    return yes && piece->declaration;
}

enum err_code stale_bind(struct index *ix, struct record *r, struct err *e)
{
    for (const struct piece *p = r->first; p; p = p->next) {
        for (struct node *n = p->nodes; n; n = n->sibling) {
            const struct node *older = of_earlier_cell(n);
            n->meaning = older && older->meaning && same_meaning(n, older) ? older->meaning : ++ix->meanings;
        }
    }
    bool failed = false;
    for (struct piece *p = r->first; p && !failed; p = p->next) {
        struct binder b = { .ix = ix, .piece = p };
        if (is_compiled(p)) {
            bind_uses(&b);
            failed = b.failed;
        }
    }
    return failed ? err_memory(e) : ERR_NONE;
}

/* ---- out of date ---- */

/* What the use's name means today; NULL: nothing. */
static const struct node *today(const struct use *use)
{
    return use->space == SPACE_MACRO ? entry_macro(use->entry) : entry_live(use->entry, use->space);
}

static bool stale_piece(const struct piece *piece)
{
    bool stale = piece_is_stale(piece);
    for (size_t i = 0; i < piece->nuses && !stale; i++) {
        const struct node *now = today(&piece->uses[i]);
        stale = now && (now->meaning != piece->uses[i].meaning || (now->piece != piece && piece_is_stale(now->piece)));
    }
    return stale;
}

static bool outline_depends(const struct piece *piece, const struct node *node, unsigned depth)
{
    bool yes = false;
    for (size_t i = 0; i < piece->nmacros && !yes; i++) {
        yes = piece->macros[i]->entry == node->entry && node->space == SPACE_MACRO;
    }
    for (size_t i = 0; i < piece->needs.count && !yes && depth < MAX_DEPTH; i++) {
        const struct need *need = &piece->needs.at[i];
        const struct node *bound = need_node(need);
        yes = (need->entry == node->entry && need->space == node->space) ||
              (bound && bound->piece != piece && outline_depends(bound->piece, node, depth + 1));
    }
    return yes;
}

bool stale_depends(const struct piece *piece, const struct node *node)
{
    bool yes = outline_depends(piece, node, 0);
    for (size_t i = 0; i < piece->nuses && !yes; i++) {
        const struct node *now = today(&piece->uses[i]);
        yes = piece->uses[i].entry == node->entry;
        yes = yes || (now && now->piece != piece && outline_depends(now->piece, node, 0));
    }
    return yes;
}

bool stale_is_told(const struct index *ix, const struct piece *piece)
{
    bool told = piece->stale_told;
    for (size_t i = 0; i < ix->ntold && !told; i++) {
        told = ix->told[i] == piece;
    }
    return told;
}

bool stale_tell(struct index *ix, struct piece *piece)
{
    if (ix->ntold == ix->cap_told) {
        size_t cap = ix->cap_told ? ix->cap_told * 2 : 16;
        struct piece **grown = realloc(ix->told, cap * sizeof(struct piece *));
        if (!grown) {
            return false;
        }
        ix->told = grown;
        ix->cap_told = cap;
    }
    ix->told[ix->ntold++] = piece;
    return true;
}

/* ---- the list ---- */

/* A cell's piece that counts: one of its names still means it. */
static bool counts(const struct piece *piece)
{
    bool live = false;
    for (const struct node *n = piece->nodes; n && !live; n = n->sibling) {
        live = entry_live(n->entry, n->space) == n;
    }
    return live && !piece->is_macro;
}

/* A piece has its nodes newest first. */
static void add_names(struct buf *out, const struct node *n)
{
    if (!n) {
        return;
    }
    add_names(out, n->sibling);
    if (n->decl.kind != DECL_ENUMERATOR && entry_live(n->entry, n->space) == n) {
        buf_printf(out, "%s%s", out->len ? ", " : "", n->decl.name);
    }
}

void stale_names(struct buf *out, const struct piece *piece)
{
    add_names(out, piece->nodes);
}

bool stale_counts(const struct piece *piece)
{
    return counts(piece) && stale_piece(piece);
}

static int by_number(const void *a, const void *b)
{
    const struct stale_cell *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

enum err_code index_stale(const struct index *ix, struct arena *a, struct stale_cell **out, size_t *count, struct err *e)
{
    struct stale_cell *list = arena_alloc(a, (ix->ncells + 1) * sizeof *list);
    struct buf names;
    size_t n = 0;
    bool failed = !list;
    buf_init(&names, 0);
    for (const struct record *r = ix->records; r && !failed; r = r->next) {
        buf_clear(&names);
        for (const struct piece *p = r->is_header || r->dead || r->number == 0 ? NULL : r->first; p; p = p->next) {
            if (stale_counts(p)) {
                stale_names(&names, p);
            }
        }
        if (names.len) {
            const char *text = names.failed ? NULL : arena_strndup(a, names.data, names.len);
            failed = !text;
            list[n++] = (struct stale_cell){ .number = r->number, .names = text };
        }
    }
    buf_done(&names);
    if (failed) {
        return err_memory(e);
    }
    if (n) {
        qsort(list, n, sizeof *list, by_number);
    }
    *out = list;
    *count = n;
    return ERR_NONE;
}
