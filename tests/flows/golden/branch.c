/* The flow main as a C program, made by Weir from the cells of a notebook. Each cell's source stands as a
 * comment above what it became; lines of cells are named by #line. It builds with weir.h and libweir. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "weir.h"

#include <stdlib.h>
#include <string.h>
#include <stdio.h>

void weir_flow_anchor(void);
void weir_flow_anchor(void) /* addresses of the flow's code are told from here */
{
}

enum {
    A_x,
    A_total,
};

static const struct weir_artifact weir__artifacts[] = {
    [A_x] = { .name = "x", .ctype = "int", .field = { "x", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [2]", .line = 2 },
    [A_total] = { .name = "total", .ctype = "int", .field = { "total", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 2 },
};

/* ---- cell [1] ---- */
// %%step start -> a, b
static void step_start(struct weir_task *weir__t)
{
    (void)weir__t;
}

/* ---- cell [2] ---- */
// %%step a -> join
// artifact int x = 1;
// printf("a is %d\n", x);
static void step_a(struct weir_task *weir__t)
{
    (void)weir__t;
    int x = 0;
    {
#line 2 "cell [2]"
/* artifact int */  x = 1;
printf("a is %d\n", x);
#line 49 "flow.c"
    }
    {
        const int weir__v = x;
        weir_put(weir__t, A_x, &weir__v, NULL);
    }
}

/* ---- cell [3] ---- */
// %%step b -> join
// artifact int x = 2;
// printf("b is %d\n", x);
static void step_b(struct weir_task *weir__t)
{
    (void)weir__t;
    int x = 0;
    {
#line 2 "cell [3]"
/* artifact int */  x = 2;
printf("b is %d\n", x);
#line 69 "flow.c"
    }
    {
        const int weir__v = x;
        weir_put(weir__t, A_x, &weir__v, NULL);
    }
}

/* ---- cell [4] ---- */
// %%step join join -> end
// artifact int total = inputs.a.x + inputs.b.x;
static void step_join(struct weir_task *weir__t)
{
    (void)weir__t;
    struct {
        size_t count;
        struct { int x; } a;
        struct { int x; } b;
    } inputs = { .count = weir_inputs(weir__t) };
    int total = 0;
    inputs.a.x = *(const int *)weir_input(weir__t, 0, A_x, NULL);
    inputs.b.x = *(const int *)weir_input(weir__t, 1, A_x, NULL);
    {
#line 2 "cell [4]"
/* artifact int */  total = inputs.a.x + inputs.b.x;
#line 94 "flow.c"
    }
    {
        const int weir__v = total;
        weir_put(weir__t, A_total, &weir__v, NULL);
    }
}

/* ---- cell [5] ---- */
// %%step end
// printf("total is %d\n", total);
static void step_end(struct weir_task *weir__t)
{
    (void)weir__t;
    const int total = *(const int *)weir_get(weir__t, A_total, NULL);
    {
#line 2 "cell [5]"
printf("total is %d\n", total);
#line 112 "flow.c"
    }
}

static const struct weir_step weir__steps[] = {
    { .name = "start", .run = step_start, .join = 0, .cell = "cell [1]", .line = 1,
        .next = (const unsigned[]){ 1, 2 }, .nnext = 2,
        .foreach = -1 },
    { .name = "a", .run = step_a, .join = 0, .cell = "cell [2]", .line = 1,
        .next = (const unsigned[]){ 3 }, .nnext = 1,
        .writes = (const unsigned[]){ A_x }, .nwrites = 1,
        .foreach = -1 },
    { .name = "b", .run = step_b, .join = 0, .cell = "cell [3]", .line = 1,
        .next = (const unsigned[]){ 3 }, .nnext = 1,
        .writes = (const unsigned[]){ A_x }, .nwrites = 1,
        .foreach = -1 },
    { .name = "join", .run = step_join, .join = 1, .cell = "cell [4]", .line = 1,
        .next = (const unsigned[]){ 4 }, .nnext = 1,
        .reads = (const unsigned[]){ A_x }, .nreads = 1,
        .writes = (const unsigned[]){ A_total }, .nwrites = 1,
        .foreach = -1 },
    { .name = "end", .run = step_end, .join = 0, .cell = "cell [5]", .line = 1,
        .reads = (const unsigned[]){ A_total }, .nreads = 1,
        .foreach = -1 },
};

const struct weir_flow weir_flow = {
    .abi = WEIR_ABI, .name = "main",
    .artifacts = weir__artifacts, .nartifacts = 2,
    .steps = weir__steps, .nsteps = 5, .first = 0,
    .parameters = NULL,
};
