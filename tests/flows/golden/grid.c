/* The flow Grid as a C program, made by Weir from the cells of a notebook. Each cell's source stands as a
 * comment above what it became; lines of cells are named by #line. It builds with weir.h and libweir. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "weir.h"

#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>

void weir_flow_anchor(void);
void weir_flow_anchor(void) /* addresses of the flow's code are told from here */
{
}

#line 2 "cell [2]"
typedef struct { double rate, loss; } result;
#line 1 "cell [3]"
double fit(const double data[][2], size_t n, double rate, int epochs)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += data[i][0] * rate + sqrt(data[i][1]) * epochs;
    return s;
}
#line 29 "flow.c"

enum {
    A_epochs,
    A_rates,
    A_label,
    A_need,
    A_data,
    A_r,
    A_winner,
    A_rate,
};

static const struct weir_field weir_type_result_1_members[] = {
    { "rate", offsetof(result, rate), sizeof((*(result *)0).rate), WEIR_FLOAT, 0, 0, { 0 } },
    { "loss", offsetof(result, loss), sizeof((*(result *)0).loss), WEIR_FLOAT, 0, 0, { 0 } },
};
static const struct weir_type weir_type_result_1 = { "result", sizeof((*(result *)0)), weir_type_result_1_members, sizeof weir_type_result_1_members / sizeof weir_type_result_1_members[0], 0, 0 };

static const struct weir_artifact weir__artifacts[] = {
    [A_epochs] = { .name = "epochs", .ctype = "int", .field = { "epochs", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = WEIR_PARAMETER, .help = "passes over the data", .initial = "20", .cell = "cell [1]", .line = 2 },
    [A_rates] = { .name = "rates", .ctype = "double []", .field = { "rates", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 1, { 0 } },
        .form = WEIR_DYNAMIC, .flags = WEIR_PARAMETER, .help = "rates to \"try\"", .initial = "{0.1, 0.01}", .cell = "cell [1]", .line = 3 },
    [A_label] = { .name = "label", .ctype = "char *", .field = { "label", 0, sizeof((*(char **)0)), WEIR_STRING, 0, 0, { 0 } },
        .form = WEIR_TEXT, .flags = WEIR_PARAMETER, .help = "", .initial = "\"hi\?\"", .cell = "cell [1]", .line = 4 },
    [A_need] = { .name = "need", .ctype = "int", .field = { "need", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = WEIR_PARAMETER | WEIR_REQUIRED, .help = "", .initial = "", .cell = "cell [1]", .line = 5 },
    [A_data] = { .name = "data", .ctype = "double [][2]", .field = { "data", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 2, { 0, (2) } },
        .form = WEIR_DYNAMIC, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 2 },
    [A_r] = { .name = "r", .ctype = "result", .field = { "r", 0, sizeof((*(result *)0)), WEIR_STRUCT, &weir_type_result_1, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [5]", .line = 2 },
    [A_winner] = { .name = "winner", .ctype = "result", .field = { "winner", 0, sizeof((*(result *)0)), WEIR_STRUCT, &weir_type_result_1, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [6]", .line = 2 },
    [A_rate] = { .name = "rate", .ctype = "double []", .field = { "rate", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 1, { 0 } },
        .form = WEIR_DYNAMIC, .flags = WEIR_LOOP, .help = "", .initial = "", .cell = "cell [4]", .line = 1 },
};

/* ---- cell [1] ---- */
// %%flow Grid                            // a flow
// param int    epochs = 20;              // passes over the data
// param double rates[] = {0.1, 0.01};    // rates to "try"
// param char *label = "hi?";
// param int need;
static void weir__parameters(struct weir_task *weir__t)
{
    {
#line 2 "cell [1]"
        const int weir__v = 20;
#line 78 "flow.c"
        weir_parameter(weir__t, A_epochs, &weir__v, NULL);
    }
    {
#line 3 "cell [1]"
        const double weir__v[] = {0.1, 0.01};
#line 84 "flow.c"
        weir_parameter(weir__t, A_rates, weir__v, (const size_t[]){ sizeof weir__v / sizeof weir__v[0] });
    }
    {
#line 4 "cell [1]"
        const char *const weir__v = "hi?";
#line 90 "flow.c"
        weir_parameter(weir__t, A_label, weir__v, (const size_t[]){ strlen(weir__v) });
    }
    weir_parameter(weir__t, A_need, NULL, NULL);
}

/* ---- cell [4] ---- */
// %%step start -> train foreach rate in rates   // fan out
// artifact double data[][2];             // a typed artifact
// resize(data, 1000);
// for (size_t i = 0; i < len(data); i++) data[i][0] = i, data[i][1] = sqrt(i);
static void step_start(struct weir_task *weir__t)
{
    (void)weir__t;
    size_t weir__d[WEIR_MAX_DIMS];
    const double *const rates = (const double *)weir_get(weir__t, A_rates, weir__d);
    const size_t rates__n = weir__d[0];
    double (*data)[2] = NULL;
    size_t data__n = 0;
    size_t data__m = 0;
    {
#line 2 "cell [4]"
/* artifact double data[][2] */;             // a typed artifact
(data = weir_resize(weir__t, A_data, data, data__n, data__m = (size_t)( 1000)), data__n = data__m);
for (size_t i = 0; i < data__n; i++) data[i][0] = i, data[i][1] = sqrt(i);
#line 115 "flow.c"
    }
    weir_put(weir__t, A_data, data, (const size_t[]){ data__n });
    weir_put(weir__t, A_rate, rates, (const size_t[]){ rates__n });
    weir_split(weir__t, rates__n);
}

/* ---- cell [5] ---- */
// %%step train -> best
// artifact result r = { .rate = rate, .loss = fit(data, len(data), rate, epochs) };
static void step_train(struct weir_task *weir__t)
{
    (void)weir__t;
    size_t weir__d[WEIR_MAX_DIMS];
    const int epochs = *(const int *)weir_get(weir__t, A_epochs, NULL);
    const double (*const data)[2] = (const double (*)[2])weir_get(weir__t, A_data, weir__d);
    const size_t data__n = weir__d[0];
    result r = { 0 };
    const double rate = ((const double *)weir_get(weir__t, A_rate, NULL))[weir_index(weir__t, A_rate)];
    {
#line 2 "cell [5]"
/* artifact result */  r = (result){ .rate = rate, .loss = fit(data, data__n, rate, epochs) };
#line 137 "flow.c"
    }
    {
        const result weir__v = r;
        weir_put(weir__t, A_r, &weir__v, NULL);
    }
}

/* ---- cell [6] ---- */
// %%step best join -> end
// artifact result winner = inputs.at[0].r;
// for (size_t i = 1; i < inputs.count; i++) if (inputs.at[i].r.loss < winner.loss) winner = inputs.at[i].r;
static void step_best(struct weir_task *weir__t)
{
    (void)weir__t;
    struct {
        size_t count;
        struct { const result *r; } *at;
    } inputs = { .count = weir_inputs(weir__t) };
    result winner = { 0 };
    inputs.at = calloc(inputs.count + 1, sizeof *inputs.at);
    if (!inputs.at) {
        weir_fail(__FILE__, __LINE__, "out of memory for %zu inputs", inputs.count);
    }
    for (size_t weir__i = 0; weir__i < inputs.count; weir__i++) {
        inputs.at[weir__i].r = (const result *)weir_input(weir__t, weir__i, A_r, NULL);
    }
    {
#line 2 "cell [6]"
/* artifact result */  winner = (*inputs.at[0].r);
for (size_t i = 1; i < inputs.count; i++) if ((*inputs.at[i].r).loss < winner.loss) winner = (*inputs.at[i].r);
#line 168 "flow.c"
    }
    {
        const result weir__v = winner;
        weir_put(weir__t, A_winner, &weir__v, NULL);
    }
    free(inputs.at);
}

/* ---- cell [7] ---- */
// %%step end
// printf("best rate %g\n", winner.rate);
static void step_end(struct weir_task *weir__t)
{
    (void)weir__t;
    const result winner = *(const result *)weir_get(weir__t, A_winner, NULL);
    {
#line 2 "cell [7]"
printf("best rate %g\n", winner.rate);
#line 187 "flow.c"
    }
}

static const struct weir_step weir__steps[] = {
    { .name = "start", .run = step_start, .join = 0, .cell = "cell [4]", .line = 1,
        .next = (const unsigned[]){ 1 }, .nnext = 1,
        .reads = (const unsigned[]){ A_rates }, .nreads = 1,
        .writes = (const unsigned[]){ A_data, A_rate }, .nwrites = 2,
        .foreach = A_rate },
    { .name = "train", .run = step_train, .join = 0, .cell = "cell [5]", .line = 1,
        .next = (const unsigned[]){ 2 }, .nnext = 1,
        .reads = (const unsigned[]){ A_epochs, A_data, A_rate }, .nreads = 3,
        .writes = (const unsigned[]){ A_r }, .nwrites = 1,
        .foreach = -1 },
    { .name = "best", .run = step_best, .join = 1, .cell = "cell [6]", .line = 1,
        .next = (const unsigned[]){ 3 }, .nnext = 1,
        .reads = (const unsigned[]){ A_r }, .nreads = 1,
        .writes = (const unsigned[]){ A_winner }, .nwrites = 1,
        .foreach = -1 },
    { .name = "end", .run = step_end, .join = 0, .cell = "cell [7]", .line = 1,
        .reads = (const unsigned[]){ A_winner }, .nreads = 1,
        .foreach = -1 },
};

const struct weir_flow weir_flow = {
    .abi = WEIR_ABI, .name = "Grid",
    .artifacts = weir__artifacts, .nartifacts = 8,
    .steps = weir__steps, .nsteps = 4, .first = 0,
    .parameters = weir__parameters,
};
