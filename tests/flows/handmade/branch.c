/* start -> a, b -> join -> end, as Metaflow's demo: a is 1, b is 2, total is 3; `common` passes the join by itself. */
#include "weir.h"

#include <stdio.h>

enum { A_x, A_total, A_common };

#define INT(n, line_) { .name = n, .ctype = "int", .field = { n, 0, sizeof(int), WEIR_INT, 0, 0, { 0 } }, .form = WEIR_FIXED, \
                        .help = "", .initial = "", .cell = "cell [1]", .line = line_ }
static const struct weir_artifact artifacts[] = { [A_x] = INT("x", 2), [A_total] = INT("total", 3), [A_common] = INT("common", 4) };

static void step_start(struct weir_task *t)
{
    const int common = 7;
    weir_put(t, A_common, &common, NULL);
}

static void step_a(struct weir_task *t)
{
    const int x = 1;
    weir_put(t, A_x, &x, NULL);
}

static void step_b(struct weir_task *t)
{
    const int x = 2;
    weir_put(t, A_x, &x, NULL);
}

static void step_join(struct weir_task *t)
{
    const int a = *(const int *)weir_input(t, 0, A_x, NULL);
    const int b = *(const int *)weir_input(t, 1, A_x, NULL);
    const int total = a + b;
    printf("a is %d\nb is %d\ntotal is %d\n", a, b, total);
    weir_put(t, A_total, &total, NULL);
}

static void step_end(struct weir_task *t)
{
    printf("total %d, common %d\n", *(const int *)weir_get(t, A_total, NULL), *(const int *)weir_get(t, A_common, NULL));
}

static const struct weir_step steps[] = {
    { .name = "start", .run = step_start, .next = (const unsigned[]){ 1, 2 }, .nnext = 2, .foreach = -1,
      .writes = (const unsigned[]){ A_common }, .nwrites = 1, .cell = "cell [1]", .line = 1 },
    { .name = "a", .run = step_a, .next = (const unsigned[]){ 3 }, .nnext = 1, .foreach = -1,
      .writes = (const unsigned[]){ A_x }, .nwrites = 1, .cell = "cell [2]", .line = 1 },
    { .name = "b", .run = step_b, .next = (const unsigned[]){ 3 }, .nnext = 1, .foreach = -1,
      .writes = (const unsigned[]){ A_x }, .nwrites = 1, .cell = "cell [3]", .line = 1 },
    { .name = "join", .run = step_join, .next = (const unsigned[]){ 4 }, .nnext = 1, .foreach = -1, .join = 1,
      .reads = (const unsigned[]){ A_x }, .nreads = 1, .writes = (const unsigned[]){ A_total }, .nwrites = 1,
      .cell = "cell [4]", .line = 1 },
    { .name = "end", .run = step_end, .foreach = -1, .reads = (const unsigned[]){ A_total, A_common }, .nreads = 2,
      .cell = "cell [5]", .line = 1 },
};

const struct weir_flow weir_flow = { .abi = WEIR_ABI, .name = "BranchFlow", .artifacts = artifacts, .nartifacts = 3,
                                     .steps = steps, .nsteps = 5, .first = 0 };
