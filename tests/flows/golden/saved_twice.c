/* The flow main as a C program, made by Weir from the cells of a notebook. Each cell's source stands as a
 * comment above what it became; lines of cells are named by #line. It builds with weir.h and libweir. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "weir.h"

#include <stdlib.h>
#include <string.h>

void weir_flow_anchor(void);
void weir_flow_anchor(void) /* addresses of the flow's code are told from here */
{
}

/* ---- cell [1] ---- */
// %%step start -> end
static void step_start(struct weir_task *weir__t)
{
    (void)weir__t;
}

/* ---- cell [3] ---- */
// %%step end
static void step_end(struct weir_task *weir__t)
{
    (void)weir__t;
}

static const struct weir_step weir__steps[] = {
    { .name = "start", .run = step_start, .join = 0, .cell = "cell [1]", .line = 1,
        .next = (const unsigned[]){ 1 }, .nnext = 1,
        .foreach = -1 },
    { .name = "end", .run = step_end, .join = 0, .cell = "cell [3]", .line = 1,
        .foreach = -1 },
};

const struct weir_flow weir_flow = {
    .abi = WEIR_ABI, .name = "main",
    .artifacts = NULL, .nartifacts = 0,
    .steps = weir__steps, .nsteps = 2, .first = 0,
    .parameters = NULL,
};
