/* start -> middle -> end: an int made, changed and read; `label` passes `middle` by itself. */
#include "weir.h"

#include <stdio.h>

enum { A_x, A_label, A_size };

static const struct weir_artifact artifacts[] = {
    [A_x] = { .name = "x", .ctype = "int", .field = { "x", 0, sizeof(int), WEIR_INT, 0, 0, { 0 } }, .form = WEIR_FIXED,
              .help = "", .initial = "", .cell = "cell [1]", .line = 2 },
    [A_label] = { .name = "label", .ctype = "char *", .field = { "label", 0, sizeof(char *), WEIR_STRING, 0, 0, { 0 } },
                  .form = WEIR_TEXT, .help = "", .initial = "", .cell = "cell [1]", .line = 3 },
    [A_size] = { .name = "size", .ctype = "int", .field = { "size", 0, sizeof(int), WEIR_INT, 0, 0, { 0 } }, .form = WEIR_FIXED,
                 .flags = WEIR_PARAMETER, .help = "how much", .initial = "4", .cell = "cell [0]", .line = 2 },
};

static void parameters(struct weir_task *t)
{
    const int size = 4;
    weir_parameter(t, A_size, &size, NULL);
}

static void step_start(struct weir_task *t)
{
    const int size = *(const int *)weir_get(t, A_size, NULL);
    int x = size * 10;
    printf("start makes %d\n", x);
    weir_put(t, A_x, &x, NULL);
    weir_put(t, A_label, "forty", (const size_t[]){ 5 });
}

static void step_middle(struct weir_task *t)
{
    int x = *(const int *)weir_get(t, A_x, NULL);
    x += 2;
    fprintf(stderr, "middle adds 2\n");
    weir_put(t, A_x, &x, NULL);
}

static void step_end(struct weir_task *t)
{
    size_t n;
    const char *label = weir_get(t, A_label, &n);
    printf("%s (%zu) is %d\n", label, n, *(const int *)weir_get(t, A_x, NULL));
}

static const struct weir_step steps[] = {
    { .name = "start", .run = step_start, .next = (const unsigned[]){ 1 }, .nnext = 1, .foreach = -1,
      .reads = (const unsigned[]){ A_size }, .nreads = 1, .writes = (const unsigned[]){ A_x, A_label }, .nwrites = 2,
      .cell = "cell [1]", .line = 1 },
    { .name = "middle", .run = step_middle, .next = (const unsigned[]){ 2 }, .nnext = 1, .foreach = -1,
      .reads = (const unsigned[]){ A_x }, .nreads = 1, .writes = (const unsigned[]){ A_x }, .nwrites = 1, .cell = "cell [2]",
      .line = 1 },
    { .name = "end", .run = step_end, .foreach = -1, .reads = (const unsigned[]){ A_label, A_x }, .nreads = 2,
      .cell = "cell [3]", .line = 1 },
};

const struct weir_flow weir_flow = { .abi = WEIR_ABI, .name = "Linear", .artifacts = artifacts, .nartifacts = 3, .steps = steps,
                                     .nsteps = 3, .first = 0, .parameters = parameters };
