/* start -> draw foreach i in 20 -> end: each task draws from rand, random and drand48; `drawn` has all numbers. */
#include "weir.h"

#include <stdlib.h>

enum { A_i, A_own, A_drawn };

#define ROW(n, flags_, form_, len) { .name = n, .ctype = "double []", .field = { n, 0, sizeof(double), WEIR_FLOAT, 0, 1, { len } }, \
                                     .form = form_, .flags = flags_, .help = "", .initial = "", .cell = "cell [1]", .line = 1 }
static const struct weir_artifact artifacts[] = {
    [A_i] = ROW("i", WEIR_LOOP, WEIR_DYNAMIC, 0), [A_own] = ROW("own", 0, WEIR_FIXED, 4),
    [A_drawn] = ROW("drawn", 0, WEIR_DYNAMIC, 0),
};

static void step_start(struct weir_task *t)
{
    weir_split(t, 20);
}

static void step_draw(struct weir_task *t)
{
    double own[4];
    own[0] = rand();
    own[1] = (double)random();
    own[2] = drand48();
    own[3] = (double)(weir_current(t).seed >> 12);
    weir_put(t, A_own, own, NULL);
}

static void step_end(struct weir_task *t)
{
    const double *all = weir_input_all(t, A_own);
    const size_t n = weir_inputs(t) * 4;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (all[i] == all[k]) {
                weir_fail("cell [3]", 3, "tasks %zu and %zu drew the same", i / 4, k / 4);
            }
        }
    }
    weir_put(t, A_drawn, all, &n);
}

static const struct weir_step steps[] = {
    { .name = "start", .run = step_start, .next = (const unsigned[]){ 1 }, .nnext = 1, .foreach = A_i, .cell = "cell [1]",
      .line = 1 },
    { .name = "draw", .run = step_draw, .next = (const unsigned[]){ 2 }, .nnext = 1, .foreach = -1,
      .writes = (const unsigned[]){ A_own }, .nwrites = 1, .cell = "cell [2]", .line = 1 },
    { .name = "end", .run = step_end, .foreach = -1, .join = 1, .reads = (const unsigned[]){ A_own }, .nreads = 1,
      .writes = (const unsigned[]){ A_drawn }, .nwrites = 1, .cell = "cell [3]", .line = 1 },
};

const struct weir_flow weir_flow = { .abi = WEIR_ABI, .name = "Random", .artifacts = artifacts, .nartifacts = 3, .steps = steps,
                                     .nsteps = 3, .first = 0 };
