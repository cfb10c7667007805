/* A graph's edges as numbers, for graph.c. */
#ifndef WEIR_FLOW_GRAPH_NET_H
#define WEIR_FLOW_GRAPH_NET_H

#include "runtime/flow/graph.h"

enum { NONE = -1 };

/* Edges as numbers. One block: to[from_edge[i] .. from_edge[i + 1]) are step i's targets, NONE: not known. */
struct net {
    const struct graph *g;
    int *to;
    unsigned *first_edge;  /* nsteps + 1 */
    unsigned *order;       /* topological, as far as it goes */
    unsigned norder;
    int *pred;             /* some predecessor; NONE: first */
    unsigned *npred;
};

/* net_done also after a failure. */
enum err_code net_init(struct net *n, const struct graph *g, struct err *e);
void net_done(struct net *n);

/* The step has several targets or fans out. */
bool net_splits(const struct graph_step *s);

/* The target of `split` through which step s is reached; NONE: not inside it. */
int net_branch(const struct net *n, int s, int split);

#endif
