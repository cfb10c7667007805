/* A compiled flow's steps as a graph, and that graph as text for a terminal. */
#ifndef WEIR_FLOW_FLOW_GRAPH_H
#define WEIR_FLOW_FLOW_GRAPH_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/flow/graph.h"
#include "runtime/include/weir.h"

enum { FLOW_GRAPH_DEPTH = 64 };   /* fan-outs around a step, at most */

/* The graph, checked; its memory in the arena. ERR_GRAPH, ERR_LIMIT: deeper than FLOW_GRAPH_DEPTH. */
enum err_code flow_graph(const struct weir_flow *flow, struct arena *a, struct graph *out, struct err *e);

/* A line a step, branches indented under their split, appended:
 *
 *   start                      cell [2]
 *    ├─ a                      cell [3]
 *    └─ b                      cell [4]
 *   join  <- a, b              cell [5]
 *   train  for each rate ...
 *
 * ERR_MEMORY. */
enum err_code flow_graph_text(struct buf *out, const struct graph *g, struct err *e);

#endif
