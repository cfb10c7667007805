/* What people see of a flow: its graph as SVG (live, with the state of each step) and as lines of text.
 *
 * SVG is meant to stand inside an HTML page: it takes its colour from the text around it, so that it reads in light and dark
 * themes. All text is escaped. Not for cards or web pages. */
#ifndef WEIR_VIEW_VIEW_H
#define WEIR_VIEW_VIEW_H

#include "runtime/base/buf.h"
#include "runtime/flow/graph.h"

#include <stdint.h>

/* How far a step is, in tasks. */
struct view_step {
    uint64_t queued, running, done, failed;
    double seconds;        /* from its first task's start to its last one's end; 0: not known */
};

/* The graph as one <svg> element, appended. states: one a step of the graph, or NULL for a picture without states.
 * Names that steps point to and nothing defines are drawn dashed. ERR_LIMIT: too many steps to draw. */
enum err_code view_graph_svg(struct buf *out, const struct graph *g, const struct view_step *states, struct err *e);

/* The graph as text, a line a step in the order of the graph's columns: "start -> train (foreach rate)"; with states their
 * counts behind it: "  3/3 done". */
enum err_code view_graph_text(struct buf *out, const struct graph *g, const struct view_step *states, struct err *e);

/* "0.12 s", "3 min 4 s", "85 ms". */
void view_seconds(struct buf *out, double seconds);

/* "144 bytes", "3.2 MB" (powers of ten). */
void view_bytes(struct buf *out, uint64_t bytes);

#endif
