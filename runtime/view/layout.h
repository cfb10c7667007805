/* Where the boxes and arrows of a flow's picture go: columns by rank, few crossings, long arrows led around the boxes.
 *
 * Works from names alone, so that a broken graph (cycles, targets that no cell defines yet) has a picture too. After
 * Sugiyama, Tagawa and Toda (1981): rank, put bends into long edges, order each column by barycentres, then straighten.
 * Units are pixels; the origin is the top left corner. */
#ifndef WEIR_VIEW_LAYOUT_H
#define WEIR_VIEW_LAYOUT_H

#include "runtime/flow/graph.h"

enum {
    LAYOUT_MAX_STEPS = 1000, /* boxes in one picture */
    LAYOUT_BOX_HEIGHT = 46
};

struct layout_node {
    const char *name;    /* borrowed from the graph */
    int step;            /* index in the graph; -1: named as a target, but no cell defines it */
    unsigned rank;       /* column */
    bool many;           /* runs under a foreach: several tasks */
    double x, y;         /* top left corner of the box */
    double width;
};

struct layout_point {
    double x, y;
};

struct layout_edge {
    unsigned from, to;          /* nodes */
    const char *label;          /* the loop variable's name, or NULL */
    struct layout_point *via;   /* bends between the two */
    unsigned nvia;
};

struct layout {
    struct layout_node *nodes;
    unsigned nnodes;
    struct layout_edge *edges;
    unsigned nedges;
    double width, height;       /* of the whole picture */
};

/* Everything in the arena. ERR_LIMIT: more than LAYOUT_MAX_STEPS steps. */
enum err_code layout_graph(const struct graph *g, struct arena *a, struct layout *out, struct err *e);

#endif
