/* The flow main as a C program, made by Weir from the cells of a notebook. Each cell's source stands as a
 * comment above what it became; lines of cells are named by #line. It builds with weir.h and libweir. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "weir.h"

#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <stdio.h>

void weir_flow_anchor(void);
void weir_flow_anchor(void) /* addresses of the flow's code are told from here */
{
}

#line 1 "cell [1]"
#define SIDE 3
#line 2 "cell [1]"
typedef struct cell { double v[SIDE]; struct cell_extra { int n; } extra; } cell_t;
#line 2 "cell [3]"
double scale = 2.5;
#line 3 "cell [3]"
double apply(cell_t c, int i) { return c.v[i] * scale; }
int is_odd(int n);
#line 1 "cell [3]"
int is_even(int n) { return n == 0 ? 1 : is_odd(n - 1); }
#line 2 "cell [2]"
int is_odd(int n) { return n == 0 ? 0 : is_even(n - 1); }
#line 32 "flow.c"

enum {
    A_c,
    A_y,
};

static const struct weir_field weir_type_struct_cell_extra_2_members[] = {
    { "n", offsetof(cell_t, extra.n) - offsetof(cell_t, extra), sizeof((*(cell_t *)0).extra.n), WEIR_INT, 0, 0, { 0 } },
};
static const struct weir_type weir_type_struct_cell_extra_2 = { "struct cell_extra", sizeof((*(cell_t *)0).extra), weir_type_struct_cell_extra_2_members, sizeof weir_type_struct_cell_extra_2_members / sizeof weir_type_struct_cell_extra_2_members[0], 0, 0 };
static const struct weir_field weir_type_cell_t_members[] = {
    { "v", offsetof(cell_t, v), sizeof((*(cell_t *)0).v[0]), WEIR_FLOAT, 0, 1, { (SIDE) } },
    { "extra", offsetof(cell_t, extra), sizeof((*(cell_t *)0).extra), WEIR_STRUCT, &weir_type_struct_cell_extra_2, 0, { 0 } },
};
static const struct weir_type weir_type_cell_t = { "cell_t", sizeof((*(cell_t *)0)), weir_type_cell_t_members, sizeof weir_type_cell_t_members / sizeof weir_type_cell_t_members[0], 0, 0 };

static const struct weir_artifact weir__artifacts[] = {
    [A_c] = { .name = "c", .ctype = "cell_t", .field = { "c", 0, sizeof((*(cell_t *)0)), WEIR_STRUCT, &weir_type_cell_t, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 3 },
    [A_y] = { .name = "y", .ctype = "double", .field = { "y", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 4 },
};

/* ---- cell [4] ---- */
// %%step start -> end
// #include <math.h>
// artifact cell_t c = { .v = {1, 2, 3}, .extra = { is_even(4) } };
// artifact double y = sqrt(apply(c, 1));
static void step_start(struct weir_task *weir__t)
{
    (void)weir__t;
    cell_t c = { 0 };
    double y = 0;
    {
#line 2 "cell [4]"

/* artifact cell_t */  c = (cell_t){ .v = {1, 2, 3}, .extra = { is_even(4) } };
/* artifact double */  y = sqrt(apply(c, 1));
#line 71 "flow.c"
    }
    {
        const cell_t weir__v = c;
        weir_put(weir__t, A_c, &weir__v, NULL);
    }
    {
        const double weir__v = y;
        weir_put(weir__t, A_y, &weir__v, NULL);
    }
}

/* ---- cell [5] ---- */
// %%step end
// printf("%d %g\n", c.extra.n, y);
static void step_end(struct weir_task *weir__t)
{
    (void)weir__t;
    const cell_t c = *(const cell_t *)weir_get(weir__t, A_c, NULL);
    const double y = *(const double *)weir_get(weir__t, A_y, NULL);
    {
#line 2 "cell [5]"
printf("%d %g\n", c.extra.n, y);
#line 94 "flow.c"
    }
}

static const struct weir_step weir__steps[] = {
    { .name = "start", .run = step_start, .join = 0, .cell = "cell [4]", .line = 1,
        .next = (const unsigned[]){ 1 }, .nnext = 1,
        .writes = (const unsigned[]){ A_c, A_y }, .nwrites = 2,
        .foreach = -1 },
    { .name = "end", .run = step_end, .join = 0, .cell = "cell [5]", .line = 1,
        .reads = (const unsigned[]){ A_c, A_y }, .nreads = 2,
        .foreach = -1 },
};

const struct weir_flow weir_flow = {
    .abi = WEIR_ABI, .name = "main",
    .artifacts = weir__artifacts, .nartifacts = 2,
    .steps = weir__steps, .nsteps = 2, .first = 0,
    .parameters = NULL,
};
