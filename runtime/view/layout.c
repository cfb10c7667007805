/* See layout.h.
 *
 * An item is a box or a bend; a segment joins two items of neighbouring columns. Ordering and straightening know items
 * and segments only:
 *
 *   rank    0        1        2        3
 *         start --> a ----> (bend) --> join       a long arrow is start..bend..join
 *               \-> b ----> c -------> join
 */
#include "runtime/view/layout.h"

#include <stdlib.h>
#include <string.h>

enum {
    COLUMN_GAP = 64,
    ROW_GAP = 26,
    BEND_HEIGHT = 10,
    MARGIN = 12,
    SWEEPS = 8
};

struct item {
    unsigned rank;
    unsigned place;     /* index in its column */
    double y;           /* centre */
    double height;
    double wish;        /* barycentre of its neighbours */
};

struct segment {
    unsigned from, to; /* items */
};

struct work {
    struct arena *arena;
    struct layout *l;
    struct item *items;
    unsigned nitems;
    struct segment *segments;
    unsigned nsegments;
    unsigned **columns; /* items of each rank in order */
    unsigned *ncolumn;
    unsigned nranks;
};

static int find_node(const struct layout *l, const char *name)
{
    for (unsigned i = 0; i < l->nnodes; i++) {
        if (strcmp(l->nodes[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* Boxes for the steps and for targets that nothing defines; an edge for each target. */
static enum err_code make_nodes(const struct graph *g, struct arena *a, struct layout *l, struct err *e)
{
    unsigned targets = 0;
    for (unsigned i = 0; i < g->nsteps; i++) {
        targets += g->steps[i].nnext;
    }
    l->nodes = arena_alloc(a, (g->nsteps + targets + 1) * sizeof *l->nodes);
    l->edges = arena_alloc(a, (targets + 1) * sizeof *l->edges);
    if (!l->nodes || !l->edges) {
        return err_memory(e);
    }
    for (unsigned i = 0; i < g->nsteps; i++) {
        l->nodes[l->nnodes++] = (struct layout_node){ .name = g->steps[i].name, .step = (int)i };
    }
    for (unsigned i = 0; i < g->nsteps; i++) {
        for (unsigned k = 0; k < g->steps[i].nnext; k++) {
            int to = find_node(l, g->steps[i].next[k]);
            if (to < 0) {
                to = (int)l->nnodes;
                l->nodes[l->nnodes++] = (struct layout_node){ .name = g->steps[i].next[k], .step = -1 };
            }
            l->edges[l->nedges++] = (struct layout_edge){ .from = i, .to = (unsigned)to, .label = g->steps[i].foreach };
        }
    }
    return ERR_NONE;
}

enum { UNSEEN, ACTIVE, SEEN };

/* Depth-first; edges that close a cycle are turned round once found, so that ranks exist. state has a byte a node. */
static void break_cycles(struct layout *l, unsigned node, unsigned char *state, bool *back)
{
    state[node] = ACTIVE;
    for (unsigned i = 0; i < l->nedges; i++) {
        if (l->edges[i].from != node) {
            continue;
        }
        unsigned char to = state[l->edges[i].to];
        if (to == ACTIVE) {
            back[i] = true;
        } else if (to == UNSEEN) {
            break_cycles(l, l->edges[i].to, state, back);
        }
    }
    state[node] = SEEN;
}

/* rank = longest path from a node without predecessor, back edges left out. */
static void set_ranks(struct layout *l, const bool *back)
{
    bool changed = true;
    for (unsigned round = 0; changed && round <= l->nnodes; round++) {
        changed = false;
        for (unsigned i = 0; i < l->nedges; i++) {
            unsigned want = l->nodes[l->edges[i].from].rank + 1;
            if (!back[i] && l->nodes[l->edges[i].to].rank < want) {
                l->nodes[l->edges[i].to].rank = want;
                changed = true;
            }
        }
    }
}

/* Which boxes run under a foreach: the open splits on the way to each, as a stack of bits (1: a foreach). */
static void set_many(const struct graph *g, struct layout *l, const bool *back, unsigned *stack, bool *known)
{
    for (unsigned rank = 0; rank <= l->nnodes; rank++) {
        for (unsigned i = 0; i < l->nedges; i++) {
            const struct layout_edge *edge = &l->edges[i];
            if (back[i] || l->nodes[edge->from].rank != rank || known[edge->to]) {
                continue;
            }
            const struct graph_step *from = &g->steps[l->nodes[edge->from].step];
            unsigned open = stack[edge->from];
            if (from->foreach) {
                open = open << 1 | 1u;
            } else if (from->nnext > 1) {
                open <<= 1;
            }
            int to = l->nodes[edge->to].step;
            stack[edge->to] = to >= 0 && g->steps[to].join ? open >> 1 : open;
            known[edge->to] = true;
            l->nodes[edge->to].many = stack[edge->to] != 0;
        }
    }
}

static enum err_code rank_nodes(const struct graph *g, struct arena *a, struct layout *l, bool **back, struct err *e)
{
    unsigned char *state = arena_alloc(a, l->nnodes + 1);
    unsigned *stack = arena_alloc(a, (l->nnodes + 1) * sizeof *stack);
    bool *known = arena_alloc(a, (l->nnodes + 1) * sizeof *known);
    *back = arena_alloc(a, (l->nedges + 1) * sizeof **back);
    if (!state || !stack || !known || !*back) {
        return err_memory(e);
    }
    for (unsigned i = 0; i < l->nnodes; i++) {
        if (state[i] == UNSEEN) {
            break_cycles(l, i, state, *back);
        }
    }
    set_ranks(l, *back);
    set_many(g, l, *back, stack, known);
    return ERR_NONE;
}

static unsigned span(const struct layout *l, const struct layout_edge *edge)
{
    unsigned from = l->nodes[edge->from].rank;
    unsigned to = l->nodes[edge->to].rank;
    return to > from ? to - from : from - to;
}

/* Items for boxes, then for bends; segments between neighbours. via[] of an edge is filled in at the end. */
static enum err_code make_items(struct work *w, struct err *e)
{
    struct layout *l = w->l;
    size_t bends = 0;
    for (unsigned i = 0; i < l->nedges; i++) {
        unsigned n = span(l, &l->edges[i]);
        l->edges[i].nvia = n > 1 ? n - 1 : 0;
        bends += l->edges[i].nvia;
    }
    w->items = arena_alloc(w->arena, (l->nnodes + bends + 1) * sizeof *w->items);
    w->segments = arena_alloc(w->arena, (l->nedges + bends + 1) * sizeof *w->segments);
    if (!w->items || !w->segments) {
        return err_memory(e);
    }
    for (unsigned i = 0; i < l->nnodes; i++) {
        w->items[w->nitems++] = (struct item){ .rank = l->nodes[i].rank, .height = LAYOUT_BOX_HEIGHT };
    }
    for (unsigned i = 0; i < l->nedges; i++) {
        unsigned last = l->edges[i].from;
        int step = w->items[l->edges[i].to].rank > w->items[last].rank ? 1 : -1;
        for (unsigned k = 0; k < l->edges[i].nvia; k++) {
            unsigned rank = (unsigned)((int)w->items[last].rank + step);
            w->items[w->nitems] = (struct item){ .rank = rank, .height = BEND_HEIGHT };
            w->segments[w->nsegments++] = (struct segment){ last, w->nitems };
            last = w->nitems++;
        }
        w->segments[w->nsegments++] = (struct segment){ last, l->edges[i].to };
    }
    return ERR_NONE;
}

static enum err_code make_columns(struct work *w, struct err *e)
{
    for (unsigned i = 0; i < w->nitems; i++) {
        w->nranks = w->items[i].rank + 1 > w->nranks ? w->items[i].rank + 1 : w->nranks;
    }
    w->columns = arena_alloc(w->arena, (w->nranks + 1) * sizeof *w->columns);
    w->ncolumn = arena_alloc(w->arena, (w->nranks + 1) * sizeof *w->ncolumn);
    unsigned *places = arena_alloc(w->arena, (w->nitems + 1) * sizeof *places);
    if (!w->columns || !w->ncolumn || !places) {
        return err_memory(e);
    }
    for (unsigned r = 0; r < w->nranks; r++) {
        w->columns[r] = places;
        for (unsigned i = 0; i < w->nitems; i++) {
            if (w->items[i].rank == r) {
                w->items[i].place = w->ncolumn[r];
                w->columns[r][w->ncolumn[r]++] = i;
            }
        }
        places += w->ncolumn[r];
    }
    return ERR_NONE;
}

/* The mean of what the neighbours of a column's items have (places or y), as each item's wish. side: -1 left, 1 right, 0 both. */
static void set_wishes(struct work *w, unsigned rank, int side, bool by_place)
{
    for (unsigned k = 0; k < w->ncolumn[rank]; k++) {
        unsigned me = w->columns[rank][k];
        double sum = 0;
        unsigned n = 0;
        for (unsigned i = 0; i < w->nsegments; i++) {
            const struct segment *s = &w->segments[i];
            if (s->from != me && s->to != me) {
                continue;
            }
            const struct item *other = &w->items[s->from == me ? s->to : s->from];
            int where = other->rank > rank ? 1 : -1;
            if (side == 0 || side == where) {
                sum += by_place ? (double)other->place : other->y;
                n++;
            }
        }
        double own = by_place ? (double)w->items[me].place : w->items[me].y;
        w->items[me].wish = n ? sum / n : own;
    }
}

/* Insertion sort by wish: stable, and columns are short. */
static void sort_column(struct work *w, unsigned rank)
{
    unsigned *c = w->columns[rank];
    for (unsigned i = 1; i < w->ncolumn[rank]; i++) {
        unsigned item = c[i];
        unsigned k = i;
        for (; k > 0 && w->items[c[k - 1]].wish > w->items[item].wish; k--) {
            c[k] = c[k - 1];
        }
        c[k] = item;
    }
    for (unsigned i = 0; i < w->ncolumn[rank]; i++) {
        w->items[c[i]].place = i;
    }
}

static void order_columns(struct work *w)
{
    for (unsigned sweep = 0; sweep < SWEEPS; sweep++) {
        for (unsigned k = 0; k < w->nranks; k++) {
            unsigned rank = sweep % 2 ? w->nranks - 1 - k : k;
            set_wishes(w, rank, sweep % 2 ? 1 : -1, true);
            sort_column(w, rank);
        }
    }
}

/* Put a column's items at their wishes as far as their order and heights allow, without moving its middle away. */
static void place_column(struct work *w, unsigned rank)
{
    unsigned n = w->ncolumn[rank];
    double off = 0;
    for (unsigned k = 0; k < n; k++) {
        struct item *me = &w->items[w->columns[rank][k]];
        me->y = me->wish;
        if (k > 0) {
            const struct item *above = &w->items[w->columns[rank][k - 1]];
            double least = above->y + (above->height + me->height) / 2 + ROW_GAP;
            me->y = me->y > least ? me->y : least;
        }
        off += me->wish - me->y;
    }
    for (unsigned k = 0; k < n; k++) {
        w->items[w->columns[rank][k]].y += off / n;
    }
}

static void place_items(struct work *w)
{
    for (unsigned r = 0; r < w->nranks; r++) {
        for (unsigned k = 0; k < w->ncolumn[r]; k++) {
            w->items[w->columns[r][k]].wish = 0;
        }
        place_column(w, r);
    }
    for (unsigned sweep = 0; sweep < SWEEPS; sweep++) {
        for (unsigned k = 0; k < w->nranks; k++) {
            unsigned rank = sweep % 2 ? w->nranks - 1 - k : k;
            set_wishes(w, rank, 0, false);
            place_column(w, rank);
        }
    }
}

/* From centres to corners: shift all to the margin, columns as wide as their widest name. */
static enum err_code finish(struct work *w, struct err *e)
{
    struct layout *l = w->l;
    double top = 0;
    double bottom = 0;
    for (unsigned i = 0; i < w->nitems; i++) {
        double half = w->items[i].height / 2;
        top = i == 0 || w->items[i].y - half < top ? w->items[i].y - half : top;
        bottom = i == 0 || w->items[i].y + half > bottom ? w->items[i].y + half : bottom;
    }
    double *left = arena_alloc(w->arena, (w->nranks + 1) * sizeof *left);
    double *wide = arena_alloc(w->arena, (w->nranks + 1) * sizeof *wide);
    if (!left || !wide) {
        return err_memory(e);
    }
    for (unsigned i = 0; i < l->nnodes; i++) {
        struct layout_node *n = &l->nodes[i];
        n->width = 26 + 8.0 * (double)strlen(n->name);
        n->width = n->width < 92 ? 92 : n->width;
        wide[n->rank] = n->width > wide[n->rank] ? n->width : wide[n->rank];
    }
    double x = MARGIN;
    for (unsigned r = 0; r < w->nranks; r++) {
        left[r] = x;
        x += wide[r] + COLUMN_GAP;
    }
    for (unsigned i = 0; i < l->nnodes; i++) {
        struct layout_node *n = &l->nodes[i];
        n->x = left[n->rank] + (wide[n->rank] - n->width) / 2;
        n->y = w->items[i].y - LAYOUT_BOX_HEIGHT / 2.0 - top + MARGIN;
    }
    unsigned bend = l->nnodes;
    for (unsigned i = 0; i < l->nedges; i++) {
        struct layout_edge *edge = &l->edges[i];
        edge->via = arena_alloc(w->arena, (edge->nvia + 1) * sizeof *edge->via);
        if (!edge->via) {
            return err_memory(e);
        }
        for (unsigned k = 0; k < edge->nvia; k++, bend++) {
            unsigned rank = w->items[bend].rank;
            edge->via[k] = (struct layout_point){ left[rank] + wide[rank] / 2, w->items[bend].y - top + MARGIN };
        }
    }
    l->width = w->nranks ? x - COLUMN_GAP + MARGIN : 2.0 * MARGIN;
    l->height = bottom - top + 2.0 * MARGIN;
    return ERR_NONE;
}

enum err_code layout_graph(const struct graph *g, struct arena *a, struct layout *out, struct err *e)
{
    if (g->nsteps > LAYOUT_MAX_STEPS) {
        return err_set(e, ERR_LIMIT, "flow '%s' has %u steps; a picture holds at most %d", g->flow, g->nsteps,
                       LAYOUT_MAX_STEPS);
    }
    struct layout l = { 0 };
    bool *back = NULL;
    struct work w = { .arena = a, .l = &l };
    enum err_code code = make_nodes(g, a, &l, e);
    code = code ? code : rank_nodes(g, a, &l, &back, e);
    code = code ? code : make_items(&w, e);
    code = code ? code : make_columns(&w, e);
    if (!code) {
        order_columns(&w);
        place_items(&w);
        code = finish(&w, e);
    }
    if (!code) {
        *out = l;
    }
    return code;
}
