/* The flow main as a C program, made by Weir from the cells of a notebook. Each cell's source stands as a
 * comment above what it became; lines of cells are named by #line. It builds with weir.h and libweir. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "weir.h"

#include <stdlib.h>
#include <string.h>
#include <stddef.h>
#include <stdio.h>

void weir_flow_anchor(void);
void weir_flow_anchor(void) /* addresses of the flow's code are told from here */
{
}

#line 1 "cell [1]"
#define SQUARE(x) ((x) * (x))
#line 2 "cell [1]"
enum { THREE = 3 };
#line 3 "cell [1]"
typedef struct { double a; int b[2]; } pair;
#line 4 "cell [1]"
double rate = 0.1;
#line 5 "cell [1]"
double twice;
#line 5 "cell [1]"
double zero;
static void weir__init_twice(void) /* its initialiser is not constant: it runs in each task that reaches it */
{
#line 5 "cell [1]"
    twice = rate * 2;
#line 5 "cell [1]"
    zero = 0;
#line 37 "flow.c"
}
#line 6 "cell [1]"
int fixed[THREE] = {1, 2, 3};
#line 7 "cell [1]"
int *second = &fixed[1], *all = fixed;
#line 14 "cell [1]"
unsigned long untouched = (unsigned long)"address";
#line 8 "cell [1]"
double side(double x) { return x + twice; }
#line 9 "cell [1]"
double (*op)(double) = side;
#line 10 "cell [1]"
double area;
static void weir__init_area(void) /* its initialiser is not constant: it runs in each task that reaches it */
{
#line 10 "cell [1]"
    area = SQUARE(side(1));
#line 55 "flow.c"
}
#line 12 "cell [1]"
double squares[2];
static void weir__init_squares(void) /* its initialiser is not constant: it runs in each task that reaches it */
{
#line 12 "cell [1]"
    memcpy(squares, (double [2]){ SQUARE(rate), area }, sizeof squares);
#line 63 "flow.c"
}
#line 13 "cell [1]"
size_t n = sizeof squares / sizeof squares[0];
#line 11 "cell [1]"
static pair p;
static void weir__init_p(void) /* its initialiser is not constant: it runs in each task that reaches it */
{
#line 11 "cell [1]"
    p = (pair){ .a = area, .b = { THREE, fixed[1] } };
#line 73 "flow.c"
}
#line 75 "flow.c"

enum {
    A_y,
};

static const struct weir_artifact weir__artifacts[] = {
    [A_y] = { .name = "y", .ctype = "double", .field = { "y", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [2]", .line = 2 },
};

/* ---- cell [2] ---- */
// %%step start -> end
// artifact double y = op(p.a) + squares[1] + (double)n + second[0] + all[2];
static void step_start(struct weir_task *weir__t)
{
    (void)weir__t;
    weir__init_twice();
    weir__init_area();
    weir__init_squares();
    weir__init_p();
    double y = 0;
    {
#line 2 "cell [2]"
/* artifact double */  y = op(p.a) + squares[1] + (double)n + second[0] + all[2];
#line 100 "flow.c"
    }
    {
        const double weir__v = y;
        weir_put(weir__t, A_y, &weir__v, NULL);
    }
}

/* ---- cell [3] ---- */
// %%step end
// printf("%g %lu\n", y, untouched > 0 ? 1UL : 0UL);
static void step_end(struct weir_task *weir__t)
{
    (void)weir__t;
    const double y = *(const double *)weir_get(weir__t, A_y, NULL);
    {
#line 2 "cell [3]"
printf("%g %lu\n", y, untouched > 0 ? 1UL : 0UL);
#line 118 "flow.c"
    }
}

static const struct weir_step weir__steps[] = {
    { .name = "start", .run = step_start, .join = 0, .cell = "cell [2]", .line = 1,
        .next = (const unsigned[]){ 1 }, .nnext = 1,
        .writes = (const unsigned[]){ A_y }, .nwrites = 1,
        .foreach = -1 },
    { .name = "end", .run = step_end, .join = 0, .cell = "cell [3]", .line = 1,
        .reads = (const unsigned[]){ A_y }, .nreads = 1,
        .foreach = -1 },
};

const struct weir_flow weir_flow = {
    .abi = WEIR_ABI, .name = "main",
    .artifacts = weir__artifacts, .nartifacts = 1,
    .steps = weir__steps, .nsteps = 2, .first = 0,
    .parameters = NULL,
};
