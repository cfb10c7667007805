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
    A_n,
    A_table,
    A_sum,
};

static const struct weir_artifact weir__artifacts[] = {
    [A_n] = { .name = "n", .ctype = "int", .field = { "n", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = WEIR_INPUT, .help = "", .initial = "", .cell = "cell [1]", .line = 2 },
    [A_table] = { .name = "table", .ctype = "double [2][3]", .field = { "table", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 2, { (2), (3) } },
        .form = WEIR_FIXED, .flags = WEIR_INPUT, .help = "", .initial = "", .cell = "cell [1]", .line = 1 },
    [A_sum] = { .name = "sum", .ctype = "double", .field = { "sum", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [2]", .line = 2 },
};

/* ---- cell [2] ---- */
// %%step start -> end
// artifact double sum = 0;
// for (int i = 0; i < n; i++) sum += table[1][i];
static void step_start(struct weir_task *weir__t)
{
    (void)weir__t;
    const int n = *(const int *)weir_get(weir__t, A_n, NULL);
    const double (*const table)[2][3] = (const double (*)[2][3])weir_get(weir__t, A_table, NULL);
    double sum = 0;
    {
#line 2 "cell [2]"
/* artifact double */  sum = 0;
for (int i = 0; i < n; i++) sum += (*table)[1][i];
#line 47 "flow.c"
    }
    {
        const double weir__v = sum;
        weir_put(weir__t, A_sum, &weir__v, NULL);
    }
}

/* ---- cell [3] ---- */
// %%step end
// artifact n;
// n++;
// printf("%g %d\n", sum, n);
static void step_end(struct weir_task *weir__t)
{
    (void)weir__t;
    int n = *(const int *)weir_get(weir__t, A_n, NULL);
    const double sum = *(const double *)weir_get(weir__t, A_sum, NULL);
    {
#line 2 "cell [3]"
/* artifact n */;
n++;
printf("%g %d\n", sum, n);
#line 70 "flow.c"
    }
    {
        const int weir__v = n;
        weir_put(weir__t, A_n, &weir__v, NULL);
    }
}

static const struct weir_step weir__steps[] = {
    { .name = "start", .run = step_start, .join = 0, .cell = "cell [2]", .line = 1,
        .next = (const unsigned[]){ 1 }, .nnext = 1,
        .reads = (const unsigned[]){ A_n, A_table }, .nreads = 2,
        .writes = (const unsigned[]){ A_sum }, .nwrites = 1,
        .foreach = -1 },
    { .name = "end", .run = step_end, .join = 0, .cell = "cell [3]", .line = 1,
        .reads = (const unsigned[]){ A_n, A_sum }, .nreads = 2,
        .writes = (const unsigned[]){ A_n }, .nwrites = 1,
        .foreach = -1 },
};

const struct weir_flow weir_flow = {
    .abi = WEIR_ABI, .name = "main",
    .artifacts = weir__artifacts, .nartifacts = 3,
    .steps = weir__steps, .nsteps = 2, .first = 0,
    .parameters = NULL,
};
