/* start -> work foreach i in n -> gather: each of n tasks keeps 144 bytes and prints a line; the join adds them up by
 * inputs.at and by inputs.all. n is a parameter, also 0. */
#include "weir.h"

#include <stddef.h>
#include <stdio.h>

enum { A_n, A_i, A_r, A_sum, A_count };

typedef struct { double v[17]; int index; } result; /* 144 bytes, 4 of them padding */

static const struct weir_field members[] = {
    { "v", offsetof(result, v), sizeof(double), WEIR_FLOAT, 0, 1, { 17 } },
    { "index", offsetof(result, index), sizeof(int), WEIR_INT, 0, 0, { 0 } },
};
static const struct weir_type type_result = { "result", sizeof(result), members, 2, 0, 0 };

#define INT(n, flags_) { .name = n, .ctype = "int", .field = { n, 0, sizeof(int), WEIR_INT, 0, 0, { 0 } }, .form = WEIR_FIXED, \
                         .flags = flags_, .help = "tasks", .initial = "10", .cell = "cell [1]", .line = 1 }
static const struct weir_artifact artifacts[] = {
    [A_n] = INT("n", WEIR_PARAMETER),
    [A_i] = INT("i", WEIR_LOOP),
    [A_r] = { .name = "r", .ctype = "result", .field = { "r", 0, sizeof(result), WEIR_STRUCT, &type_result, 0, { 0 } },
              .form = WEIR_FIXED, .help = "", .initial = "", .cell = "cell [2]", .line = 2 },
    [A_sum] = { .name = "sum", .ctype = "double", .field = { "sum", 0, sizeof(double), WEIR_FLOAT, 0, 0, { 0 } },
                .form = WEIR_FIXED, .help = "", .initial = "", .cell = "cell [3]", .line = 2 },
    [A_count] = INT("count", 0),
};

static void parameters(struct weir_task *t)
{
    const int n = 10;
    weir_parameter(t, A_n, &n, NULL);
}

static void step_start(struct weir_task *t)
{
    weir_split(t, (size_t)*(const int *)weir_get(t, A_n, NULL));
}

static void step_work(struct weir_task *t)
{
    const int i = (int)weir_index(t, A_i);
    result r = { .index = i };
    r.v[i % 17] = i;
    printf("task %d\n", i);
    weir_put(t, A_r, &r, NULL);
}

static void step_gather(struct weir_task *t)
{
    const size_t n = weir_inputs(t);
    const result *all = weir_input_all(t, A_r);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const result *r = weir_input(t, i, A_r, NULL);
        if (r->index != (int)i || all[i].index != (int)i) {
            weir_fail("cell [3]", 4, "input %zu is of task %d", i, r->index);
        }
        sum += r->v[i % 17] + all[i].v[i % 17];
    }
    const int count = (int)n;
    printf("%zu tasks, sum %g\n", n, sum);
    weir_put(t, A_sum, &sum, NULL);
    weir_put(t, A_count, &count, NULL);
}

static const struct weir_step steps[] = {
    { .name = "start", .run = step_start, .next = (const unsigned[]){ 1 }, .nnext = 1, .foreach = A_i,
      .reads = (const unsigned[]){ A_n }, .nreads = 1, .cell = "cell [1]", .line = 1 },
    { .name = "work", .run = step_work, .next = (const unsigned[]){ 2 }, .nnext = 1, .foreach = -1,
      .writes = (const unsigned[]){ A_r }, .nwrites = 1, .cell = "cell [2]", .line = 1 },
    { .name = "gather", .run = step_gather, .foreach = -1, .join = 1, .reads = (const unsigned[]){ A_r }, .nreads = 1,
      .writes = (const unsigned[]){ A_sum, A_count }, .nwrites = 2, .cell = "cell [3]", .line = 1 },
};

const struct weir_flow weir_flow = { .abi = WEIR_ABI, .name = "Fan", .artifacts = artifacts, .nartifacts = 5, .steps = steps,
                                     .nsteps = 3, .first = 0, .parameters = parameters };
