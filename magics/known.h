/* What the session knows of a flow, for what is shown of its last run: the order of its steps, the C types of its artifacts,
 * the loop variables of its fan-outs. The store has the bytes and the numpy types alone. */
#ifndef WEIR_MAGICS_KNOWN_H
#define WEIR_MAGICS_KNOWN_H

#include "magics/state.h"
#include "runtime/view/artifacts.h"

struct known {
    struct graph graph;           /* checked; nsteps 0: the flow is not known, or broken by now */
    unsigned *order;              /* of its steps */
    struct flows_value *values;
    size_t nvalues;
};

/* In the arena. A flow that the session does not know, or that no longer holds, is no error: there is less to say then. */
void known_flow(struct magics *m, const char *flow, struct arena *a, struct known *out);

/* Sort lines by step as the graph orders them, and by name; give them their C types. */
void known_lines(const struct known *k, struct artifact_line *lines, size_t count);

/* The loop variables open around a step, outermost first, as artifacts_write wants them; in the arena. */
void known_loops(const struct known *k, const char *step, struct arena *a, struct artifact_loop **out, size_t *count);

#endif
