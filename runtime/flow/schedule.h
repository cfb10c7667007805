/* Which task comes next: open splits, what each join still waits for, the tasks that may run now.
 *
 * Depth first: what a task makes ready comes before what was ready earlier, so that few values are alive. A fan-out
 * is one entry that yields its tasks one by one: 100,000 of them cost what their results cost. Knows steps and lineage,
 * nothing of processes. One owner, one thread. */
#ifndef WEIR_FLOW_SCHEDULE_H
#define WEIR_FLOW_SCHEDULE_H

#include "runtime/flow/graph.h"
#include "runtime/flow/lineage.h"

#include <stdbool.h>

/* An open split: one task's fan-out or branch. Counted references. */
struct frame {
    struct frame *outer;           /* owned reference; NULL: outermost */
    uint64_t outer_index;          /* the split task's place in it */
    uint64_t references;
    unsigned split;                /* step */
    struct lineage *node;          /* the split task's */
    uint64_t count, arrived;       /* tasks that its join waits for, and that have come */
    struct lineage **leaves;       /* count of them, in index order; NULL: not there yet */
};

/* A task that may run. Owned by whoever got it; give it back with schedule_done or task_spec_drop. */
struct task_spec {
    unsigned step;
    struct lineage *node;          /* what comes in (a join's: its split's) */
    struct frame *frame;           /* innermost open split; NULL: none */
    uint64_t index;                /* its place in that */
    struct frame *joined;          /* of a join: the split that it closes, with its leaves; else NULL */
};

struct schedule;

/* For a flow whose graph is checked; all borrowed. Free with schedule_free (takes NULL). */
struct schedule *schedule_new(const struct weir_flow *flow, const struct graph *graph, struct arena_shared *shared);
void schedule_free(struct schedule *s);

/* Make the first step ready, with what `root` holds (keeps a reference). */
enum err_code schedule_begin(struct schedule *s, struct lineage *root, struct err *e);

/* Take the next task that may run now; false: none is ready. */
bool schedule_next(struct schedule *s, struct task_spec *out);

/* A task has ended well with this lineage (borrowed); split: elements of its fan-out. Takes spec. *ready grows by the number of
 * tasks, by step, that it made ready (ready has nsteps places). ERR_MEMORY. */
enum err_code schedule_done(struct schedule *s, struct task_spec *spec, struct lineage *node, uint64_t split,
                            uint64_t *ready, struct err *e);

void task_spec_drop(struct schedule *s, struct task_spec *spec);

/* The indices of the fan-outs open around a task, outermost first: loop variables and places, at most max. Returns how many
 * there are. */
unsigned task_spec_frames(const struct schedule *s, const struct task_spec *spec, struct record_frame *out, unsigned max);

#endif
