/* Records of cells that are not needed any more. See index_internal.h.
 *
 * What is needed: headers; cells of which a name is live, or that it falls back to when a newer cell goes; and whatever
 * their pieces are bound to, which may be of cells long replaced. The rest is freed when there are twice as many as were
 * needed the last time, so that a cell costs the same however many there were. */
#include "runtime/lang/index_internal.h"

#include <stdlib.h>

enum { SWEEP_MIN = 256, MAX_SHADOWED = 1000 };

void record_free(struct record *r)
{
    if (r->is_header) {
        free(r->text);
    }
    arena_done(&r->arena);
    free(r);
}

static bool is_live(const struct record *r)
{
    for (const struct piece *p = r->first; p; p = p->next) {
        for (const struct node *n = p->nodes; n; n = n->sibling) {
            if (entry_live(n->entry, n->space) == n) {
                return true;
            }
        }
    }
    return false;
}

static void forget_names(struct record *r)
{
    for (const struct piece *p = r->first; p; p = p->next) {
        for (struct node *n = p->nodes; n; n = n->sibling) {
            node_remove(n);
        }
    }
}

void sweep_replaced(struct record *r)
{
    for (const struct piece *p = r->id ? NULL : r->first; p; p = p->next) {
        for (const struct node *n = p->nodes; n; n = n->sibling) {
            struct node *older = n->older;
            while (older && (older->piece->record == r || older->dead)) {
                older = older->older;
            }
            struct record *old = older ? older->piece->record : NULL;
            if (old && !old->is_header && !old->id && !is_live(old)) {
                record_kill(old);
                forget_names(old);
            }
        }
    }
}

/* ---- marking ---- */

struct marks {
    struct record **todo; /* owned */
    size_t count, cap;
    bool failed;
};

static void mark(struct marks *m, struct record *r)
{
    if (r->needed || r->is_header) {
        return;
    }
    if (m->count == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 256;
        struct record **grown = realloc(m->todo, cap * sizeof(struct record *));
        if (!grown) {
            m->failed = true;
            return;
        }
        m->todo = grown;
        m->cap = cap;
    }
    r->needed = true;
    m->todo[m->count++] = r;
}

static void mark_needs(struct marks *m, const struct needs *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->at[i].bound) {
            mark(m, list->at[i].bound->piece->record);
        }
    }
}

static void mark_record(struct marks *m, const struct record *r)
{
    for (const struct piece *p = r->first; p; p = p->next) {
        mark_needs(m, &p->needs);
        mark_needs(m, &p->inner);
        mark(m, p->canonical->record);
        for (size_t i = 0; i < p->nmacros; i++) {
            mark(m, p->macros[i]->piece->record);
        }
    }
}

/* Definitions in the user's own headers, and the cells that have them. */
static void mark_homes(struct marks *m, struct record *header)
{
    for (const struct piece *p = header->is_library ? header->first : NULL; p; p = p->next) {
        if (p->home) {
            mark(m, (struct record *)(uintptr_t)p->home); /* only its mark changes */
        }
    }
}

static bool mark_all(struct index *ix)
{
    struct marks m = { .todo = NULL };
    size_t shadowed = 0;
    for (struct record *r = ix->records; r; r = r->next) {
        r->needed = false;
    }
    for (struct record *r = ix->records; r; r = r->next) {
        if (r->is_header) {
            mark_homes(&m, r);
        } else if (!r->dead && (is_live(r) || shadowed++ < MAX_SHADOWED)) {
            mark(&m, r);
        }
    }
    while (m.count > 0 && !m.failed) {
        mark_record(&m, m.todo[--m.count]);
    }
    free(m.todo);
    return !m.failed;
}

void sweep(struct index *ix)
{
    if (ix->ncells < ix->sweep_at || ix->nstaged > 0 || !mark_all(ix)) {
        return;
    }
    for (struct record **at = &ix->records; *at;) {
        struct record *r = *at;
        if (r->needed || r->is_header) {
            at = &r->next;
            continue;
        }
        if (!r->dead) {
            forget_names(r);
        }
        *at = r->next;
        ix->ncells--;
        record_free(r);
    }
    ix->sweep_at = ix->ncells * 2 > SWEEP_MIN ? ix->ncells * 2 : SWEEP_MIN;
}
