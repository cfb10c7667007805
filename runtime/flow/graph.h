/* The graph of a flow's steps: what is sound, which split each join closes, and the order to draw and run it in.
 * Knows nothing of C, cells' text or artifacts. */
#ifndef WEIR_FLOW_GRAPH_H
#define WEIR_FLOW_GRAPH_H

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

#include <stdbool.h>

struct graph_step {
    const char *name;
    const char *const *next;  /* names of targets; nnext 0: an end */
    unsigned nnext;
    const char *foreach;      /* loop variable's name when fanned out, else NULL */
    bool join;
    const char *cell;         /* "cell [3]", for messages */
    int line;
    /* set by graph_check: */
    int split;                /* a join's: index of the split step it closes; else -1 */
    int scope;                /* index of the innermost open split that this step runs under; -1: none */
    unsigned depth;           /* foreach splits open around it */
    unsigned rank;            /* column in a drawing: longest path from the first step */
};

struct graph {
    const char *flow;
    struct graph_step *steps;
    unsigned nsteps;
    int first;                /* set by graph_check */
};

/* Sound: one first step, one last, every target known and reached, no cycle, splits nest, each split closed by its
 * join. ERR_GRAPH names the step and its cell and says what to do; ERR_PENDING: a target's cell has not run yet. */
enum err_code graph_check(struct graph *g, struct err *e);

/* Only what no further step could cure (a notebook's cells run in any order): ERR_GRAPH. Sets split, scope, depth and
 * rank as far as they are known. */
enum err_code graph_check_known(struct graph *g, struct err *e);

/* Index of a step, -1: none of that name. */
int graph_find(const struct graph *g, const char *name);

/* Through which target of `split` (an index into its next) step is reached; -1: it is not inside that split. */
int graph_branch(const struct graph *g, unsigned step, unsigned split);

/* Whether step a comes before step b on some path. */
bool graph_before(const struct graph *g, unsigned a, unsigned b);

/* Steps in topological order, ties by name; order has nsteps places. Call after graph_check. */
void graph_order(const struct graph *g, unsigned *order);

#endif
