/* Notes of a lowered cell: names whose meaning it changes while other cells go on with the old one. See cell_internal.h. */
#include "runtime/lang/cell_internal.h"

#include <stdarg.h>
#include <stdlib.h>
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

/* The user's older meaning of a name that the cell gives a new one. */
static const struct node *changed(const struct node *own)
{
    const struct node *older = own->older;
    while (older && older->piece->record == own->piece->record) {
        older = older->older;
    }
    if (!older || older->piece->record->is_header || older->piece->is_macro) {
        return NULL;
    }
    if (own->decl.kind == DECL_VARIABLE && older->decl.kind == DECL_VARIABLE) {
        return cell_kept(own) ? NULL : older;
    }
    if (own->decl.kind == DECL_FUNCTION && older->decl.kind == DECL_FUNCTION) {
        return cell_other_function(own);
    }
    return own->piece->canonical == older->piece->canonical ? NULL : older;
}

static bool names(const struct needs *list, const struct node *node, bool bound)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct need *need = &list->at[i];
        if (need->entry == node->entry && need->space == node->space &&
            (!bound || !need->bound || need->bound->piece->canonical == node->piece->canonical)) {
            return true;
        }
    }
    return false;
}

static bool declares(const struct piece *piece, const struct node *node)
{
    const struct node *n = piece->nodes;
    while (n && (n->entry != node->entry || n->space != node->space)) {
        n = n->sibling;
    }
    return n != NULL;
}

/* Numbers of the live cells, other than this one, that were compiled with the old meaning. */
static size_t users(const struct lowering *l, const struct node *old, int *cells)
{
    size_t n = 0;
    for (const struct record *r = l->ix->records; r && n < MAX_CELLS; r = r->next) {
        bool uses = false;
        bool skip = r->is_header || r->dead || r == l->record || r->number == 0; /* 0: no cell of the user's */
        for (const struct piece *p = skip ? NULL : r->first; p && !uses; p = p->next) {
            uses = !p->is_macro && !declares(p, old) && (names(&p->needs, old, true) || names(&p->inner, old, false));
        }
        if (uses) {
            cells[n++] = r->number;
        }
    }
    return n;
}

static int by_number(const void *a, const void *b)
{
    const int x = *(const int *)a;
    const int y = *(const int *)b;
    return x < y ? -1 : x > y;
}

static enum err_code note_change(struct lowering *l, const struct node *own, const struct node *old)
{
    int cells[MAX_CELLS];
    size_t n = users(l, old, cells);
    struct buf list;
    if (n == 0) {
        return ERR_NONE;
    }
    qsort(cells, n, sizeof *cells, by_number);
    buf_init(&list, 0);
    for (size_t i = 0; i < n; i++) {
        buf_printf(&list, "%s[%d]", i == 0 ? "" : i + 1 == n ? " and " : ", ", cells[i]);
    }
    enum err_code code = cell_note(l, "'%s' changed: %s %s still %s the old one; run %s again", own->decl.name,
                                   n == 1 ? "cell" : "cells", list.data, n == 1 ? "uses" : "use", n == 1 ? "it" : "them");
    buf_done(&list);
    return code;
}

enum err_code cell_notes(struct lowering *l)
{
    enum err_code code = ERR_NONE;
    for (const struct piece *p = l->record->first; p; p = p->next) {
        for (const struct node *n = p->nodes; n && !code; n = n->sibling) {
            bool newest = entry_live(n->entry, n->space) == n;
            const struct node *old = newest && n->decl.kind != DECL_ENUMERATOR && !p->is_macro ? changed(n) : NULL;
            code = old ? note_change(l, n, old) : ERR_NONE;
        }
    }
    return code;
}
