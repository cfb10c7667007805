/* Three fan-outs in one another, a branch inside the innermost: every path (i, j, k) adds to a sum that the joins carry out.
 *
 *   start =i=> a =j=> b =k=> c -> left, right -> meet -> jk -> jj -> ji
 *
 * i runs over rates[] (an array), j over an empty range when i is 1, k over 2. */
#include "weir.h"

#include <stdio.h>

enum { A_rates, A_rate, A_j, A_k, A_v, A_sum, A_seen };

#define INT(n, flags_) { .name = n, .ctype = "int", .field = { n, 0, sizeof(int), WEIR_INT, 0, 0, { 0 } }, .form = WEIR_FIXED, \
                         .flags = flags_, .help = "", .initial = "", .cell = "cell [1]", .line = 1 }
#define ROW(n, flags_) { .name = n, .ctype = "double []", .field = { n, 0, sizeof(double), WEIR_FLOAT, 0, 1, { 0 } }, \
                         .form = WEIR_DYNAMIC, .flags = flags_, .help = "", .initial = "", .cell = "cell [1]", .line = 1 }
static const struct weir_artifact artifacts[] = {
    [A_rates] = ROW("rates", 0), [A_rate] = ROW("rate", WEIR_LOOP), [A_j] = INT("j", WEIR_LOOP), [A_k] = INT("k", WEIR_LOOP),
    [A_v] = INT("v", 0), [A_sum] = INT("sum", 0), [A_seen] = INT("seen", 0),
};

static void step_start(struct weir_task *t)
{
    static const double rates[] = { 100, 200, 300 };
    weir_put(t, A_rates, rates, (const size_t[]){ 3 });
    weir_put(t, A_rate, rates, (const size_t[]){ 3 });
    weir_split(t, 3);
}

static void step_a(struct weir_task *t)
{
    weir_split(t, weir_index(t, A_rate) == 1 ? 0 : 3);
}

static void step_b(struct weir_task *t)
{
    weir_split(t, 2);
}

static void step_c(struct weir_task *t)
{
    (void)t;
}

static int value(struct weir_task *t)
{
    size_t n;
    const double *rates = weir_get(t, A_rate, &n);
    return (int)rates[weir_index(t, A_rate)] + 10 * (int)weir_index(t, A_j) + (int)weir_index(t, A_k);
}

static void step_left(struct weir_task *t)
{
    const int v = value(t);
    weir_put(t, A_v, &v, NULL);
}

static void step_right(struct weir_task *t)
{
    const int v = -1;
    weir_put(t, A_v, &v, NULL);
}

static void step_meet(struct weir_task *t)
{
    const int sum = *(const int *)weir_input(t, 0, A_v, NULL) + *(const int *)weir_input(t, 1, A_v, NULL);
    const int seen = 1;
    weir_put(t, A_sum, &sum, NULL);
    weir_put(t, A_seen, &seen, NULL);
}

static void step_add(struct weir_task *t)
{
    int sum = 0;
    int seen = 0;
    for (size_t i = 0; i < weir_inputs(t); i++) {
        sum += *(const int *)weir_input(t, i, A_sum, NULL);
        seen += *(const int *)weir_input(t, i, A_seen, NULL);
    }
    printf("%zu inputs, sum %d\n", weir_inputs(t), sum);
    weir_put(t, A_sum, &sum, NULL);
    weir_put(t, A_seen, &seen, NULL);
}

#define NEXT(...) .next = (const unsigned[]){ __VA_ARGS__ }, .nnext = sizeof (const unsigned[]){ __VA_ARGS__ } / sizeof(unsigned)
#define READS(...) .reads = (const unsigned[]){ __VA_ARGS__ }, .nreads = sizeof (const unsigned[]){ __VA_ARGS__ } / sizeof(unsigned)
#define WRITES(...) .writes = (const unsigned[]){ __VA_ARGS__ }, .nwrites = sizeof (const unsigned[]){ __VA_ARGS__ } / sizeof(unsigned)
static const struct weir_step steps[] = {
    { .name = "start", .run = step_start, NEXT(1), .foreach = A_rate, WRITES(A_rates, A_rate), .cell = "cell [1]", .line = 1 },
    { .name = "a", .run = step_a, NEXT(2), .foreach = A_j, .cell = "cell [2]", .line = 1 },
    { .name = "b", .run = step_b, NEXT(3), .foreach = A_k, .cell = "cell [3]", .line = 1 },
    { .name = "c", .run = step_c, NEXT(4, 5), .foreach = -1, .cell = "cell [4]", .line = 1 },
    { .name = "left", .run = step_left, NEXT(6), .foreach = -1, READS(A_rate), WRITES(A_v), .cell = "cell [5]", .line = 1 },
    { .name = "right", .run = step_right, NEXT(6), .foreach = -1, WRITES(A_v), .cell = "cell [6]", .line = 1 },
    { .name = "meet", .run = step_meet, NEXT(7), .foreach = -1, .join = 1, READS(A_v), WRITES(A_sum, A_seen), .cell = "cell [7]",
      .line = 1 },
    { .name = "jk", .run = step_add, NEXT(8), .foreach = -1, .join = 1, READS(A_sum, A_seen), WRITES(A_sum, A_seen),
      .cell = "cell [8]", .line = 1 },
    { .name = "jj", .run = step_add, NEXT(9), .foreach = -1, .join = 1, READS(A_sum, A_seen), WRITES(A_sum, A_seen),
      .cell = "cell [9]", .line = 1 },
    { .name = "ji", .run = step_add, .foreach = -1, .join = 1, READS(A_sum, A_seen), WRITES(A_sum, A_seen),
      .cell = "cell [10]", .line = 1 },
};

const struct weir_flow weir_flow = { .abi = WEIR_ABI, .name = "Nested", .artifacts = artifacts, .nartifacts = 7, .steps = steps,
                                     .nsteps = 10, .first = 0 };
