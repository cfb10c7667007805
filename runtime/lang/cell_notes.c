/* Notes of a lowered cell: names whose meaning it changes while other cells go on with the old one. See cell_internal.h. */
#include "runtime/lang/cell_internal.h"

#include <stdarg.h>
#include <string.h>

enum { MAX_CELLS = 32 };

enum err_code cell_note(struct lowering *l, const char *fmt, ...)
{
    struct cell_unit *u = l->unit;
    struct buf text;
    va_list args;
    if (u->nnotes == l->notes_cap) {
        size_t cap = l->notes_cap ? l->notes_cap * 2 : 4;
        const char **room = arena_alloc(l->a, cap * sizeof *room);
        if (!room) {
            return err_memory(l->e);
        }
        for (size_t i = 0; i < u->nnotes; i++) {
            room[i] = u->notes[i];
        }
        u->notes = room;
        l->notes_cap = cap;
    }
    buf_init(&text, 0);
    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    const char *copy = text.failed ? NULL : arena_strndup(l->a, text.data, text.len);
    buf_done(&text);
    if (!copy) {
        return err_memory(l->e);
    }
    u->notes[u->nnotes++] = copy;
    return ERR_NONE;
}

/* ---- what is out of date ---- */

struct stale_list {
    const struct record *records[MAX_CELLS];
    struct buf names[MAX_CELLS];
    size_t count;
};

static struct buf *names_of(struct stale_list *list, const struct record *r)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->records[i] == r) {
            return &list->names[i];
        }
    }
    if (list->count == MAX_CELLS) {
        return NULL;
    }
    list->records[list->count] = r;
    buf_init(&list->names[list->count], 0);
    return &list->names[list->count++];
}

/* Pieces of other live cells that this cell makes out of date by any of the names. */
static void find_stale(struct lowering *l, const struct node *const *changed, size_t n, struct stale_list *list)
{
    for (const struct record *r = l->ix->records; r; r = r->next) {
        bool skip = r->is_header || r->dead || r == l->record || r->number == 0; /* 0: no cell of the user's */
        for (struct piece *p = skip ? NULL : r->first; p; p = p->next) {
            bool depends = false;
            for (size_t i = 0; i < n && !depends; i++) {
                depends = stale_depends(p, changed[i]);
            }
            struct buf *names = depends && !stale_is_told(l->ix, p) && stale_counts(p) ? names_of(list, r) : NULL;
            if (names && stale_tell(l->ix, p)) {
                stale_names(names, p);
            }
        }
    }
}

/* In order of the cells' numbers. */
static size_t next_of(const struct stale_list *list, int after)
{
    size_t best = list->count;
    for (size_t i = 0; i < list->count; i++) {
        int number = list->records[i]->number;
        if (number > after && (best == list->count || number < list->records[best]->number)) {
            best = i;
        }
    }
    return best;
}

static void put_list(struct buf *out, const struct stale_list *list)
{
    int last = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t next = next_of(list, last);
        if (next == list->count) {
            return; /* two with one number: told as one */
        }
        last = list->records[next]->number;
        buf_printf(out, "%scell [%d] (%s)", i == 0 ? "" : i + 1 == list->count ? " and " : ", ", last,
                   list->names[next].data);
    }
}

/* An enumerator's change is its enum's, if that has a name. */
static bool is_told_by_tag(const struct node *node)
{
    bool yes = false;
    for (const struct node *n = node->decl.kind == DECL_ENUMERATOR ? node->piece->nodes : NULL; n && !yes; n = n->sibling) {
        yes = n->decl.kind == DECL_TAG;
    }
    return yes;
}

static enum err_code note_stale(struct lowering *l, const struct node *const *changed, size_t n)
{
    struct stale_list list = { .count = 0 };
    struct buf text;
    enum err_code code = ERR_NONE;
    find_stale(l, changed, n, &list);
    buf_init(&text, 0);
    for (size_t i = n; i-- > 0;) { /* a piece has its names newest first */
        if (!is_told_by_tag(changed[i])) {
            buf_printf(&text, "%s%s", text.len ? ", " : "", changed[i]->decl.name);
        }
    }
    buf_str(&text, " changed; ");
    put_list(&text, &list);
    if (list.count) {
        code = cell_note(l, "%s still %s the old one: run %s again, or %%rerun --stale", text.data,
                         list.count == 1 ? "uses" : "use", list.count == 1 ? "it" : "them");
    }
    for (size_t i = 0; i < list.count; i++) {
        buf_done(&list.names[i]);
    }
    buf_done(&text);
    return code;
}

enum err_code cell_notes(struct lowering *l)
{
    enum { MAX_CHANGED = 64 };
    const struct node *changed[MAX_CHANGED];
    size_t n = 0;
    for (const struct piece *p = l->record->first; p; p = p->next) {
        for (const struct node *node = p->nodes; node && n < MAX_CHANGED; node = node->sibling) {
            if (entry_live(node->entry, node->space) == node && node_changed(node)) {
                changed[n++] = node;
            }
        }
    }
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < n && !code; i++) { /* enumerators with the enum that has them */
        size_t end = i + 1;
        while (end < n && changed[end]->piece == changed[i]->piece) {
            end++;
        }
        code = note_stale(l, &changed[i], end - i);
        i = end - 1;
    }
    return code;
}
