/* A run as it is seen under its cell: one display that changes in place while the run goes on, the tasks' output as
 * streams, and a summary at the end. */
#ifndef WEIR_MAGICS_PROGRESS_H
#define WEIR_MAGICS_PROGRESS_H

#include "magics/state.h"
#include "runtime/view/view.h"

#include <stdint.h>

struct progress {
    struct magics *m;
    struct arena *arena;
    const char *flow;
    struct graph graph;
    struct view_step *steps;      /* one a step of the graph */
    double *began;                /* seconds into the run when a step was first seen at work; < 0: not yet */
    char display_id[64];
    bool shown;
    int64_t last;                 /* of clock_ns: when it was shown last */
    double elapsed;

    /* from the events */
    char run[64];
    char store[4096];
    char status[32];              /* "done", "failed", "interrupted"; "" while it runs */
    char reason[1024];
    uint64_t tasks;
    char cell[128];               /* the first failure */
    int line;
    char failure[ERR_MESSAGE_MAX];
    uint64_t failures;
};

/* For one run of a flow. Strings are borrowed for its life, everything else is in the arena: nothing to free. */
enum err_code progress_init(struct progress *p, struct magics *m, const char *flow, struct arena *a, struct err *e);

/* An event of the runner's (events.h). ctx is a struct progress. */
void progress_event(void *ctx, json_t *event);

/* The last state of the display: the picture, steps with their tasks and times, artifacts with type, shape and size. */
void progress_finish(struct progress *p);

#endif
