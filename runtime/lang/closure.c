/* What a text reaches: see index_closure in index.h, and closure_prelude in index_internal.h.
 *
 * Two phases. First everything reached is collected, breadth first, through declarations and macro bodies. Then it is put in
 * order: by place of declaration, but each piece after those that it needs whole. A name that a macro pastes together
 * (`FUNC ## f`) is guessed: every identifier seen, joined with the literal side of ##; what exists is taken, which may be too
 * much but never too little. When both sides are parameters the real preprocessor expands the text. */
#include "runtime/lang/index_internal.h"

#include "runtime/base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 500, MAX_PASTED = 400 };

struct list {
    struct piece **at;
    size_t count, cap;
};

struct spelling {
    const char *text;
    uint32_t len;
};

/* The literal side of a ##; both empty: no literal. */
struct paste {
    struct spelling before, after;
};

struct walk {
    struct index *ix;
    struct arena *a;
    bool whole;                    /* definitions (a flow), not outlines (a cell) */
    const struct record *own;      /* its pieces are not put out */
    struct list pieces;
    struct list macros;
    size_t todo;                   /* pieces from here on: their needs are still to be followed */
    size_t macros_todo;
    struct spelling *seen;         /* identifiers, for pasting */
    size_t nseen, seen_cap;
    struct paste *pastes;
    size_t npastes, pastes_cap;
    bool hard_paste;
    bool failed;
};

static void reach_word(struct walk *w, struct entry *entry, bool from_header);

static void *grow(struct walk *w, void *old, size_t count, size_t *cap, size_t size)
{
    if (count < *cap) {
        return old;
    }
    size_t bigger = *cap ? *cap * 2 : 32;
    void *room = arena_alloc(w->a, bigger * size);
    if (!room) {
        w->failed = true;
        return NULL;
    }
    if (count) {
        memcpy(room, old, count * size);
    }
    *cap = bigger;
    return room;
}

static void push(struct walk *w, struct list *list, struct piece *piece)
{
    struct piece **at = grow(w, list->at, list->count, &list->cap, sizeof *at);
    if (at) {
        list->at = at;
        list->at[list->count++] = piece;
    }
}

static void see(struct walk *w, const char *text, size_t len)
{
    struct spelling *at = grow(w, w->seen, w->nseen, &w->seen_cap, sizeof *at);
    if (at) {
        w->seen = at;
        w->seen[w->nseen++] = (struct spelling){ text, (uint32_t)len };
    }
}

static void reach_piece(struct walk *w, struct piece *piece)
{
    if (piece->stamp != w->ix->stamp) {
        piece->stamp = w->ix->stamp;
        push(w, piece->is_macro ? &w->macros : &w->pieces, piece);
    }
}

static void reach_node(struct walk *w, struct node *node)
{
    if (node) {
        reach_piece(w, node->piece);
    }
}

/* The node that an unbound need of a header's piece means: the headers' own, whatever the user calls the same. */
static struct node *header_need(const struct need *need)
{
    struct node *header = entry_header(need->entry, need->space);
    struct node *live = entry_live(need->entry, need->space);
    bool shadowed = live && header && !live->piece->record->is_header && need->space == SPACE_ORDINARY &&
                    header->decl.kind != DECL_TYPEDEF;
    return shadowed ? NULL : header; /* two declarations of one name would not compile */
}

static struct node *needed(const struct walk *w, const struct piece *piece, const struct need *need)
{
    if (piece->record->is_header) {
        return header_need(need);
    }
    struct node *bound = w->whole ? NULL : need_node(need);
    return bound ? bound : entry_live(need->entry, need->space);
}

/* A word of the text, or of a macro's body: a macro, a declaration, or both (isalpha). */
static void reach_word(struct walk *w, struct entry *entry, bool from_header)
{
    if (entry->stamp == w->ix->stamp) {
        return;
    }
    entry->stamp = w->ix->stamp;
    struct node *macro = from_header ? entry_header(entry, SPACE_MACRO) : NULL;
    macro = macro && !macro->piece->is_undef ? macro : entry_macro(entry);
    reach_node(w, macro);
    reach_node(w, entry_live(entry, SPACE_ORDINARY));
}

/* ---- pasting ---- */

static struct spelling literal(const struct tokens *t, size_t i, size_t params_end)
{
    struct spelling s = { t->text + t->at[i].start, t->at[i].len };
    for (size_t p = 2; p < params_end; p++) {
        if (t->at[p].kind == TOKEN_IDENT && t->at[p].len == s.len && memcmp(t->text + t->at[p].start, s.text, s.len) == 0) {
            return (struct spelling){ NULL, 0 };
        }
    }
    return t->at[i].kind == TOKEN_IDENT || t->at[i].kind == TOKEN_NUMBER ? s : (struct spelling){ NULL, 0 };
}

static void note_pastes(struct walk *w, const struct piece *piece)
{
    struct tokens t;
    if (lex(piece->source.text + 1, piece->source.len - 1, &t, NULL)) {
        w->failed = true;
        return;
    }
    size_t params_end = piece->function_like ? token_match(&t, 2) : 2;
    for (size_t i = params_end + 1; i + 1 < t.count; i++) {
        if (!token_is(&t, i, "##") || token_is(&t, i + 1, "__VA_ARGS__")) {
            continue;
        }
        struct paste paste = { literal(&t, i - 1, params_end), literal(&t, i + 1, params_end) };
        bool longer = token_is(&t, i + 2, "##") || (i >= 2 && token_is(&t, i - 2, "##"));
        if (longer || (!paste.before.len && !paste.after.len)) {
            w->hard_paste = true;
            continue;
        }
        struct paste *at = grow(w, w->pastes, w->npastes, &w->pastes_cap, sizeof *at);
        if (at) {
            w->pastes = at;
            w->pastes[w->npastes++] = paste;
        }
    }
    tokens_done(&t);
}

static void try_pasted(struct walk *w, struct spelling a, struct spelling b)
{
    char name[128];
    if (a.len + b.len >= sizeof name) {
        return;
    }
    memcpy(name, a.text, a.len);
    memcpy(name + a.len, b.text, b.len);
    struct entry *entry = entry_find(w->ix, name, a.len + b.len);
    if (entry) {
        reach_word(w, entry, false);
    }
}

static void guess_pasted(struct walk *w)
{
    size_t nseen = w->nseen;
    if (w->npastes && nseen > MAX_PASTED) {
        w->hard_paste = true;
        return;
    }
    for (size_t p = 0; p < w->npastes; p++) {
        struct paste paste = w->pastes[p];
        if (paste.before.len && paste.after.len) {
            try_pasted(w, paste.before, paste.after);
            continue;
        }
        for (size_t i = 0; i < nseen; i++) {
            try_pasted(w, paste.before.len ? paste.before : w->seen[i], paste.before.len ? w->seen[i] : paste.after);
        }
    }
}

/* ---- collecting ---- */

/* `int major = 1;`: the text's own variable, which must not become what a header's macro of that name stands for. */
static bool is_declared_here(const struct walk *w, const struct tokens *t, size_t i)
{
    size_t before = i;
    while (before > 0 && token_is(t, before - 1, "*")) {
        before--;
    }
    bool ends = token_is(t, i + 1, "=") || token_is(t, i + 1, ";") || token_is(t, i + 1, ",") || token_is(t, i + 1, "[") ||
                token_is(t, i + 1, ")");
    if (!ends || before == 0 || t->at[before - 1].kind != TOKEN_IDENT) {
        return false;
    }
    const char *type = t->text + t->at[before - 1].start;
    enum word_kind kind = lex_word(type, t->at[before - 1].len);
    return kind == WORD_TYPE || kind == WORD_CONST || (kind == WORD_NAME && index_is_typedef(w->ix, type, t->at[before - 1].len));
}

static void collect_text(struct walk *w, const struct tokens *t)
{
    enum word_kind before = WORD_NAME;
    for (size_t i = 0; i < t->count && !w->failed; i++) {
        const struct token *at = &t->at[i];
        const char *text = t->text + at->start;
        struct tokens line;
        if (at->kind == TOKEN_PP && !lex(text + 1, at->len - 1, &line, NULL)) {
            collect_text(w, &line);
            tokens_done(&line);
        }
        if (at->kind != TOKEN_IDENT) {
            before = WORD_NAME;
            continue;
        }
        enum word_kind kind = lex_word(text, at->len);
        bool member = i > 0 && (token_is(t, i - 1, ".") || token_is(t, i - 1, "->"));
        bool tag = before == WORD_STRUCT || before == WORD_UNION || before == WORD_ENUM;
        struct entry *entry = entry_find(w->ix, text, at->len);
        before = kind;
        const struct node *macro = entry && kind == WORD_NAME && !member ? entry_macro(entry) : NULL;
        if (macro && macro->piece->record->is_header && is_declared_here(w, t, i)) {
            entry->stamp = w->ix->stamp;
        }
        if (tag && kind == WORD_NAME) {
            reach_node(w, entry_live(entry, SPACE_TAG));
        }
        if (kind == WORD_NAME && !tag) {
            const char *kept = entry ? entry->name : arena_strndup(w->a, text, at->len);
            if (kept) {
                see(w, kept, at->len);
            }
        }
        if (entry && member) { /* a macro may stand for a member: st_mtime */
            reach_node(w, entry_macro(entry));
        } else if (entry && !tag) {
            reach_word(w, entry, false);
        }
    }
}

static void follow_macro(struct walk *w, struct piece *piece, struct err *e)
{
    if (piece_scan(w->ix, piece, e)) {
        w->failed = true;
        return;
    }
    for (size_t i = 0; i < piece->needs.count; i++) {
        const struct need *need = &piece->needs.at[i];
        if (need->space == SPACE_TAG) {
            reach_node(w, entry_live(need->entry, SPACE_TAG));
        } else {
            reach_word(w, need->entry, piece->record->is_header);
            see(w, need->entry->name, need->entry->len);
        }
    }
    if (piece->pastes) {
        note_pastes(w, piece);
    }
}

static void follow_piece(struct walk *w, struct piece *piece, struct err *e)
{
    if (piece_scan(w->ix, piece, e)) {
        w->failed = true;
        return;
    }
    for (size_t i = 0; i < piece->needs.count; i++) {
        reach_node(w, needed(w, piece, &piece->needs.at[i]));
    }
    for (size_t i = 0; w->whole && i < piece->inner.count; i++) {
        const struct need *need = &piece->inner.at[i];
        if (need->space == SPACE_TAG) {
            reach_node(w, entry_live(need->entry, SPACE_TAG));
        } else {
            reach_word(w, need->entry, false);
            see(w, need->entry->name, need->entry->len);
        }
    }
}

static void follow_all(struct walk *w, struct err *e)
{
    size_t before;
    do {
        before = w->pieces.count + w->macros.count;
        while (!w->failed && (w->todo < w->pieces.count || w->macros_todo < w->macros.count)) {
            if (w->macros_todo < w->macros.count) {
                follow_macro(w, w->macros.at[w->macros_todo++], e);
            } else {
                follow_piece(w, w->pieces.at[w->todo++], e);
            }
        }
        guess_pasted(w);
    } while (!w->failed && before != w->pieces.count + w->macros.count);
}

/* ---- putting in order ---- */

struct ordering {
    struct walk *w;
    struct list out;
    unsigned depth;
};

static void visit(struct ordering *o, struct piece *piece);

static void visit_need(struct ordering *o, const struct piece *piece, const struct need *need)
{
    struct node *node = needed(o->w, piece, need);
    if (!node || node->piece->is_macro) {
        return;
    }
    if (need->space == SPACE_TAG && need->pointer) {
        return;
    }
    visit(o, node->piece);
    if (need->pointer || node->decl.kind != DECL_TYPEDEF) {
        return;
    }
    for (size_t i = 0; i < node->piece->needs.count; i++) { /* used whole: also what the typedef only points out */
        const struct need *behind = &node->piece->needs.at[i];
        struct node *target = behind->pointer ? needed(o->w, node->piece, behind) : NULL;
        if (target && !target->piece->is_macro) {
            visit(o, target->piece);
        }
    }
}

static void visit(struct ordering *o, struct piece *piece)
{
    if (piece->done == o->w->ix->stamp || piece->stamp != o->w->ix->stamp || o->depth > MAX_DEPTH) {
        return;
    }
    piece->done = o->w->ix->stamp;
    o->depth++;
    for (size_t i = 0; i < piece->needs.count; i++) {
        visit_need(o, piece, &piece->needs.at[i]);
    }
    if (o->w->whole && !(piece->declaration && piece->declaration->is_definition)) {
        for (size_t i = 0; i < piece->inner.count; i++) { /* initialisers */
            visit_need(o, piece, &piece->inner.at[i]);
        }
    }
    o->depth--;
    if (piece->record != o->w->own) {
        push(o->w, &o->out, piece);
    }
}

static int by_order(const void *a, const void *b)
{
    const struct piece *x = *(struct piece *const *)a;
    const struct piece *y = *(struct piece *const *)b;
    return x->source.order < y->source.order ? -1 : x->source.order > y->source.order;
}

static void put_in_order(struct walk *w, struct list *pieces, struct list *macros)
{
    struct ordering o = { .w = w };
    if (w->pieces.count) {
        qsort(w->pieces.at, w->pieces.count, sizeof *w->pieces.at, by_order);
    }
    for (size_t i = 0; i < w->pieces.count; i++) {
        visit(&o, w->pieces.at[i]);
    }
    *pieces = o.out;
    *macros = (struct list){ 0 };
    if (w->macros.count) {
        qsort(w->macros.at, w->macros.count, sizeof *w->macros.at, by_order);
    }
    for (size_t i = 0; i < w->macros.count; i++) {
        if (w->macros.at[i]->record != w->own) {
            push(w, macros, w->macros.at[i]);
        }
    }
}

/* ---- the three questions ---- */

/* Names that pasting made out of two parameters: from the expanded text. */
static enum err_code collect_expanded(struct walk *w, const struct tokens *t, struct err *e)
{
    struct buf text;
    struct tokens expanded;
    buf_init(&text, 0);
    enum err_code code = expand_all(w->ix, "", t, &text, e);
    code = code ? code : lex(text.data, text.len, &expanded, e);
    if (!code) {
        collect_text(w, &expanded);
        tokens_done(&expanded);
        w->hard_paste = false;
        follow_all(w, e);
    }
    buf_done(&text);
    return code;
}

static enum err_code walk_text(struct walk *w, const struct tokens *t, const char *const *skip, struct err *e)
{
    w->ix->stamp++;
    uint32_t stamp = w->ix->stamp;
    for (size_t i = 0; skip && skip[i]; i++) {
        struct entry *entry = entry_find(w->ix, skip[i], strlen(skip[i]));
        if (entry) {
            entry->stamp = stamp;
        }
    }
    collect_text(w, t);
    follow_all(w, e);
    enum err_code code = ERR_NONE;
    if (!w->failed && w->hard_paste) {
        code = collect_expanded(w, t, e);
    }
    return code ? code : w->failed ? err_memory(e) : ERR_NONE;
}

static const struct source **sources_of(struct walk *w, const struct list *list)
{
    const struct source **out = arena_alloc(w->a, (list->count + 1) * sizeof *out);
    for (size_t i = 0; out && i < list->count; i++) {
        out[i] = &list->at[i]->source;
    }
    w->failed = w->failed || !out;
    return out;
}

enum err_code index_closure(struct index *ix, const struct tokens *t, const char *const *skip, struct arena *a,
                            struct closure *out, struct err *e)
{
    struct walk w = { .ix = ix, .a = a, .whole = true };
    struct list pieces;
    struct list macros;
    enum err_code code = walk_text(&w, t, skip, e);
    if (code) {
        return code;
    }
    put_in_order(&w, &pieces, &macros);
    struct closure made = { .sources = sources_of(&w, &pieces), .nsources = pieces.count,
                            .macros = sources_of(&w, &macros), .nmacros = macros.count };
    if (w.failed) {
        return err_memory(e);
    }
    *out = made;
    return ERR_NONE;
}

enum err_code closure_prelude(struct index *ix, const struct tokens *t, struct arena *a, struct prelude *out,
                              struct err *e)
{
    struct walk w = { .ix = ix, .a = a, .own = index_staged(ix) };
    struct list pieces;
    struct list macros;
    enum err_code code = walk_text(&w, t, NULL, e);
    if (code) {
        return code;
    }
    put_in_order(&w, &pieces, &macros);
    if (w.failed) {
        return err_memory(e);
    }
    *out = (struct prelude){ .pieces = pieces.at, .npieces = pieces.count, .macros = macros.at, .nmacros = macros.count };
    return ERR_NONE;
}

enum err_code closure_macros(struct index *ix, const struct tokens *t, struct buf *out, struct err *e)
{
    struct arena a;
    struct list pieces;
    struct list macros;
    arena_init(&a);
    struct walk w = { .ix = ix, .a = &a };
    ix->stamp++;
    collect_text(&w, t);
    follow_all(&w, e);
    put_in_order(&w, &pieces, &macros);
    for (size_t i = 0; i < macros.count; i++) {
        buf_add(out, macros.at[i]->source.text, macros.at[i]->source.len);
        buf_char(out, '\n');
    }
    bool failed = w.failed;
    arena_done(&a);
    return failed ? err_memory(e) : buf_check(out, "macros", e);
}
