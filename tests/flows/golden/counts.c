/* The flow Counts as a C program, made by Weir from the cells of a notebook. Each cell's source stands as a
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

#line 1 "cell [2]"
enum { FEW = 2 };
#line 21 "flow.c"

enum {
    A_many,
    A_width,
    A_v,
    A_sum,
    A_total,
    A_seed,
    A_i__start,
    A_j,
    A_i__again,
};

static const struct weir_artifact weir__artifacts[] = {
    [A_many] = { .name = "many", .ctype = "unsigned char", .field = { "many", 0, sizeof((*(unsigned char *)0)), WEIR_UINT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = WEIR_PARAMETER, .help = "", .initial = "2", .cell = "cell [1]", .line = 2 },
    [A_width] = { .name = "width", .ctype = "int", .field = { "width", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [3]", .line = 2 },
    [A_v] = { .name = "v", .ctype = "int", .field = { "v", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [5]", .line = 2 },
    [A_sum] = { .name = "sum", .ctype = "int", .field = { "sum", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [6]", .line = 2 },
    [A_total] = { .name = "total", .ctype = "int []", .field = { "total", 0, sizeof((*(int *)0)), WEIR_INT, 0, 1, { 0 } },
        .form = WEIR_DYNAMIC, .flags = 0, .help = "", .initial = "", .cell = "cell [7]", .line = 2 },
    [A_seed] = { .name = "seed", .ctype = "unsigned long long", .field = { "seed", 0, sizeof((*(unsigned long long *)0)), WEIR_UINT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [9]", .line = 2 },
    [A_i__start] = { .name = "i", .ctype = "int", .field = { "i", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = WEIR_LOOP, .help = "", .initial = "", .cell = "cell [3]", .line = 1 },
    [A_j] = { .name = "j", .ctype = "int", .field = { "j", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = WEIR_LOOP, .help = "", .initial = "", .cell = "cell [4]", .line = 1 },
    [A_i__again] = { .name = "i", .ctype = "unsigned char", .field = { "i", 0, sizeof((*(unsigned char *)0)), WEIR_UINT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = WEIR_LOOP, .help = "", .initial = "", .cell = "cell [8]", .line = 1 },
};

/* ---- cell [1] ---- */
// %%flow Counts
// param unsigned char many = 2;
static void weir__parameters(struct weir_task *weir__t)
{
    {
#line 2 "cell [1]"
        const unsigned char weir__v = 2;
#line 64 "flow.c"
        weir_parameter(weir__t, A_many, &weir__v, NULL);
    }
}

/* ---- cell [3] ---- */
// %%step start -> a foreach i in FEW
// artifact int width = 4;
static void step_start(struct weir_task *weir__t)
{
    (void)weir__t;
    int width = 0;
    {
#line 2 "cell [3]"
/* artifact int */  width = 4;
#line 79 "flow.c"
    }
    {
        const int weir__v = width;
        weir_put(weir__t, A_width, &weir__v, NULL);
    }
    weir_split(weir__t, (size_t)(FEW));
}

/* ---- cell [4] ---- */
// %%step a -> b foreach j in width
static void step_a(struct weir_task *weir__t)
{
    (void)weir__t;
    const int width = *(const int *)weir_get(weir__t, A_width, NULL);
    if (width < 0) {
        weir_fail("cell [4]", 1, "foreach j in width: the count is %lld", (long long)width);
    }
    weir_split(weir__t, (size_t)width);
}

/* ---- cell [5] ---- */
// %%step b -> ja
// artifact int v = i * 10 + j;
// if (v < 0) fail("no %d", v);
static void step_b(struct weir_task *weir__t)
{
    (void)weir__t;
    int v = 0;
    const int i = (int)weir_index(weir__t, A_i__start);
    const int j = (int)weir_index(weir__t, A_j);
    {
#line 2 "cell [5]"
/* artifact int */  v = i * 10 + j;
if (v < 0) weir_fail(__FILE__, __LINE__, "no %d", v);
#line 114 "flow.c"
    }
    {
        const int weir__v = v;
        weir_put(weir__t, A_v, &weir__v, NULL);
    }
}

/* ---- cell [6] ---- */
// %%step ja join -> j
// artifact int sum = 0;
// for (size_t k = 0; k < inputs.count; k++) sum += inputs.at[k].v * inputs.at[k].j;
// sum += i;
static void step_ja(struct weir_task *weir__t)
{
    (void)weir__t;
    struct {
        size_t count;
        struct { int v; int j; } *at;
    } inputs = { .count = weir_inputs(weir__t) };
    int sum = 0;
    const int i = (int)weir_index(weir__t, A_i__start);
    inputs.at = calloc(inputs.count + 1, sizeof *inputs.at);
    if (!inputs.at) {
        weir_fail(__FILE__, __LINE__, "out of memory for %zu inputs", inputs.count);
    }
    for (size_t weir__i = 0; weir__i < inputs.count; weir__i++) {
        inputs.at[weir__i].v = *(const int *)weir_input(weir__t, weir__i, A_v, NULL);
        inputs.at[weir__i].j = (int)weir__i;
    }
    {
#line 2 "cell [6]"
/* artifact int */  sum = 0;
for (size_t k = 0; k < inputs.count; k++) sum += inputs.at[k].v * inputs.at[k].j;
sum += i;
#line 149 "flow.c"
    }
    {
        const int weir__v = sum;
        weir_put(weir__t, A_sum, &weir__v, NULL);
    }
    free(inputs.at);
}

/* ---- cell [7] ---- */
// %%step j join -> again
// artifact int total[];
// for (size_t k = 0; k < inputs.count; k++) push(total, inputs.at[k].sum);
static void step_j(struct weir_task *weir__t)
{
    (void)weir__t;
    struct {
        size_t count;
        struct { int sum; } *at;
    } inputs = { .count = weir_inputs(weir__t) };
    int *total = NULL;
    size_t total__n = 0;
    inputs.at = calloc(inputs.count + 1, sizeof *inputs.at);
    if (!inputs.at) {
        weir_fail(__FILE__, __LINE__, "out of memory for %zu inputs", inputs.count);
    }
    for (size_t weir__i = 0; weir__i < inputs.count; weir__i++) {
        inputs.at[weir__i].sum = *(const int *)weir_input(weir__t, weir__i, A_sum, NULL);
    }
    {
#line 2 "cell [7]"
/* artifact int total[] */;
for (size_t k = 0; k < inputs.count; k++) (total = weir_grow(weir__t, A_total, total, total__n), total[total__n] = ( inputs.at[k].sum), total__n++);
#line 182 "flow.c"
    }
    weir_put(weir__t, A_total, total, (const size_t[]){ total__n });
    free(inputs.at);
}

/* ---- cell [8] ---- */
// %%step again -> w foreach i in many
static void step_again(struct weir_task *weir__t)
{
    (void)weir__t;
    const unsigned char many = *(const unsigned char *)weir_get(weir__t, A_many, NULL);
    if (many < 0) {
        weir_fail("cell [8]", 1, "foreach i in many: the count is %lld", (long long)many);
    }
    weir_split(weir__t, (size_t)many);
}

/* ---- cell [9] ---- */
// %%step w -> last
// artifact unsigned long long seed = current.seed;
// printf("%d of %s\n", i, current.step);
static void step_w(struct weir_task *weir__t)
{
    (void)weir__t;
    const struct weir_current weir__current = weir_current(weir__t);
    unsigned long long seed = 0;
    const unsigned char i = (unsigned char)weir_index(weir__t, A_i__again);
    {
#line 2 "cell [9]"
/* artifact unsigned long long */  seed = weir__current.seed;
printf("%d of %s\n", i, weir__current.step);
#line 214 "flow.c"
    }
    {
        const unsigned long long weir__v = seed;
        weir_put(weir__t, A_seed, &weir__v, NULL);
    }
}

/* ---- cell [10] ---- */
// %%step last join
static void step_last(struct weir_task *weir__t)
{
    (void)weir__t;
}

static const struct weir_step weir__steps[] = {
    { .name = "start", .run = step_start, .join = 0, .cell = "cell [3]", .line = 1,
        .next = (const unsigned[]){ 1 }, .nnext = 1,
        .writes = (const unsigned[]){ A_width }, .nwrites = 1,
        .foreach = A_i__start },
    { .name = "a", .run = step_a, .join = 0, .cell = "cell [4]", .line = 1,
        .next = (const unsigned[]){ 2 }, .nnext = 1,
        .reads = (const unsigned[]){ A_width }, .nreads = 1,
        .foreach = A_j },
    { .name = "b", .run = step_b, .join = 0, .cell = "cell [5]", .line = 1,
        .next = (const unsigned[]){ 3 }, .nnext = 1,
        .writes = (const unsigned[]){ A_v }, .nwrites = 1,
        .foreach = -1 },
    { .name = "ja", .run = step_ja, .join = 1, .cell = "cell [6]", .line = 1,
        .next = (const unsigned[]){ 4 }, .nnext = 1,
        .reads = (const unsigned[]){ A_v }, .nreads = 1,
        .writes = (const unsigned[]){ A_sum }, .nwrites = 1,
        .foreach = -1 },
    { .name = "j", .run = step_j, .join = 1, .cell = "cell [7]", .line = 1,
        .next = (const unsigned[]){ 5 }, .nnext = 1,
        .reads = (const unsigned[]){ A_sum }, .nreads = 1,
        .writes = (const unsigned[]){ A_total }, .nwrites = 1,
        .foreach = -1 },
    { .name = "again", .run = step_again, .join = 0, .cell = "cell [8]", .line = 1,
        .next = (const unsigned[]){ 6 }, .nnext = 1,
        .reads = (const unsigned[]){ A_many }, .nreads = 1,
        .foreach = A_i__again },
    { .name = "w", .run = step_w, .join = 0, .cell = "cell [9]", .line = 1,
        .next = (const unsigned[]){ 7 }, .nnext = 1,
        .writes = (const unsigned[]){ A_seed }, .nwrites = 1,
        .foreach = -1 },
    { .name = "last", .run = step_last, .join = 1, .cell = "cell [10]", .line = 1,
        .foreach = -1 },
};

const struct weir_flow weir_flow = {
    .abi = WEIR_ABI, .name = "Counts",
    .artifacts = weir__artifacts, .nartifacts = 9,
    .steps = weir__steps, .nsteps = 8, .first = 0,
    .parameters = weir__parameters,
};
