/* See graph_net.h; and what may be asked of a graph (graph.h). */
#include "runtime/flow/graph_net.h"

#include <stdlib.h>
#include <string.h>

bool net_splits(const struct graph_step *s)
{
    return s->nnext > 1 || s->foreach;
}

int graph_find(const struct graph *g, const char *name)
{
    for (unsigned i = 0; i < g->nsteps; i++) {
        if (strcmp(g->steps[i].name, name) == 0) {
            return (int)i;
        }
    }
    return NONE;
}

void net_done(struct net *n)
{
    free(n->to);
    free(n->first_edge);
    free(n->order);
    free(n->pred);
    free(n->npred);
}

static bool net_alloc(struct net *n, size_t nedges)
{
    size_t nsteps = n->g->nsteps;
    n->to = calloc(nedges + 1, sizeof *n->to);
    n->first_edge = calloc(nsteps + 1, sizeof *n->first_edge);
    n->order = calloc(nsteps + 1, sizeof *n->order);
    n->pred = calloc(nsteps + 1, sizeof *n->pred);
    n->npred = calloc(nsteps + 1, sizeof *n->npred);
    return n->to && n->first_edge && n->order && n->pred && n->npred;
}

/* The ready step with the smallest name: the order must not hang on the order of registration. */
static int ready_step(const struct net *n, const unsigned *waits, const bool *taken)
{
    int best = NONE;
    for (unsigned i = 0; i < n->g->nsteps; i++) {
        if (!taken[i] && waits[i] == 0 && (best == NONE || strcmp(n->g->steps[i].name, n->g->steps[best].name) < 0)) {
            best = (int)i;
        }
    }
    return best;
}

static bool net_sort(struct net *n)
{
    unsigned nsteps = n->g->nsteps;
    unsigned *waits = calloc(nsteps + 1, sizeof *waits);
    bool *taken = calloc(nsteps + 1, sizeof *taken);
    bool ok = waits && taken;
    if (ok) {
        memcpy(waits, n->npred, nsteps * sizeof *waits);
        for (int s; (s = ready_step(n, waits, taken)) != NONE;) {
            taken[s] = true;
            n->order[n->norder++] = (unsigned)s;
            for (unsigned k = n->first_edge[s]; k < n->first_edge[s + 1]; k++) {
                if (n->to[k] != NONE) {
                    waits[n->to[k]]--;
                }
            }
        }
    }
    free(waits);
    free(taken);
    return ok;
}

/* net_done also after a failure. */
enum err_code net_init(struct net *n, const struct graph *g, struct err *e)
{
    *n = (struct net){ .g = g };
    size_t nedges = 0;
    for (unsigned i = 0; i < g->nsteps; i++) {
        nedges += g->steps[i].nnext;
    }
    if (!net_alloc(n, nedges)) {
        return err_memory(e);
    }
    unsigned edge = 0;
    for (unsigned i = 0; i < g->nsteps; i++) {
        n->pred[i] = NONE;
    }
    for (unsigned i = 0; i < g->nsteps; i++) {
        n->first_edge[i] = edge;
        for (unsigned k = 0; k < g->steps[i].nnext; k++) {
            int target = graph_find(g, g->steps[i].next[k]);
            n->to[edge++] = target;
            if (target != NONE) {
                n->npred[target]++;
                n->pred[target] = n->pred[target] == NONE ? (int)i : n->pred[target];
            }
        }
    }
    n->first_edge[g->nsteps] = edge;
    return net_sort(n) ? ERR_NONE : err_memory(e);
}

/* One branch of a split: the target of `split` through which step s was reached (NONE: not inside it). */
int net_branch(const struct net *n, int s, int split)
{
    const struct graph *g = n->g;
    while (s != NONE && s != split) {
        int before = g->steps[s].join && g->steps[s].split != NONE ? g->steps[s].split : n->pred[s];
        if (before == split) {
            return s;
        }
        s = before;
    }
    return NONE;
}

/* ---- asking ---- */

bool graph_before(const struct graph *g, unsigned a, unsigned b)
{
    bool *seen = calloc(g->nsteps + 1, sizeof *seen);
    unsigned *todo = calloc(g->nsteps + 1, sizeof *todo);
    bool found = false;
    unsigned n = 0;
    if (seen && todo) {
        todo[n++] = a;
    }
    while (n && !found) {
        const struct graph_step *s = &g->steps[todo[--n]];
        for (unsigned k = 0; k < s->nnext; k++) {
            int target = graph_find(g, s->next[k]);
            if (target != NONE && !seen[target]) {
                seen[target] = true;
                found = found || target == (int)b;
                todo[n++] = (unsigned)target;
            }
        }
    }
    free(seen);
    free(todo);
    return found;
}

int graph_branch(const struct graph *g, unsigned step, unsigned split)
{
    struct net n;
    int branch = NONE;
    if (!net_init(&n, g, NULL)) {
        int target = net_branch(&n, (int)step, (int)split);
        for (unsigned k = 0; target != NONE && k < g->steps[split].nnext; k++) {
            branch = n.to[n.first_edge[split] + k] == target ? (int)k : branch;
        }
    }
    net_done(&n);
    return branch;
}

void graph_order(const struct graph *g, unsigned *order)
{
    struct net n;
    for (unsigned i = 0; i < g->nsteps; i++) {
        order[i] = i; /* stays when memory is out */
    }
    if (!net_init(&n, g, NULL) && n.norder == g->nsteps) {
        memcpy(order, n.order, n.norder * sizeof *order);
    }
    net_done(&n);
}
