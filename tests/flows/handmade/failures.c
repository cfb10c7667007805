/* start -> work foreach i in 3 -> gather: task 1 of `work` goes wrong in the way that the parameter `how` names. */
#include "weir.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { A_how, A_i, A_x, A_input };

#define INT(n, flags_) { .name = n, .ctype = "int", .field = { n, 0, sizeof(int), WEIR_INT, 0, 0, { 0 } }, .form = WEIR_FIXED, \
                         .flags = flags_, .help = "", .initial = "", .cell = "cell [1]", .line = 1 }
static const struct weir_artifact artifacts[] = {
    [A_how] = { .name = "how", .ctype = "char *", .field = { "how", 0, sizeof(char *), WEIR_STRING, 0, 0, { 0 } },
                .form = WEIR_TEXT, .flags = WEIR_PARAMETER | WEIR_REQUIRED, .help = "what goes wrong", .initial = "",
                .cell = "cell [0]", .line = 2 },
    [A_i] = INT("i", WEIR_LOOP),
    [A_x] = INT("x", 0),
    [A_input] = { .name = "input", .ctype = "double [1000]", .form = WEIR_FIXED,
                  .field = { "input", 0, sizeof(double), WEIR_FLOAT, 0, 1, { 1000 } }, .help = "", .initial = "",
                  .cell = "cell [1]", .line = 3 },
};

void weir_flow_anchor(void);
void weir_flow_anchor(void)
{
}

#line 100 "cell [2]"
static int recurse(volatile char *up) { volatile char here[1000]; here[0] = up[0]; return recurse(here) + here[0]; }

static void step_start(struct weir_task *t)
{
    static double input[1000];
    weir_put(t, A_input, input, NULL);
    weir_split(t, 3);
}

static void parameters(struct weir_task *t)
{
    weir_parameter(t, A_how, NULL, NULL);
}

#line 1 "cell [2]"
static void go_wrong(const char *how, const double *input, struct weir_task *t)
{
    volatile int zero = 0;
    int *volatile null = NULL;
    char here[1] = { 0 };
    if (!strcmp(how, "fail")) weir_fail(__FILE__, __LINE__, "no luck with %d", 42);
    if (!strcmp(how, "segv")) *null = 1;
    if (!strcmp(how, "divide")) zero = 7 / zero;
    if (!strcmp(how, "abort")) abort();
    if (!strcmp(how, "exit")) exit(3);
    if (!strcmp(how, "_exit")) _exit(0);
    if (!strcmp(how, "recurse")) recurse(here);
    if (!strcmp(how, "readonly")) ((double *)input)[5] = 1;
    if (!strcmp(how, "kill")) kill(getpid(), SIGKILL);
    if (!strcmp(how, "term")) kill(getpid(), SIGTERM);
    if (!strcmp(how, "in libc")) zero = (int)strlen((const char *)null);
    if (!strcmp(how, "fork") && fork() == 0) return;
    if (!strcmp(how, "daemon") && fork() == 0) for (;;) pause();
    if (!strcmp(how, "unsaid")) weir_put(t, A_input, input, NULL);
    if (!strcmp(how, "sleep")) { printf("asleep\n"); sleep(600); }
    if (!strcmp(how, "crash of a child") && fork() == 0) null[0] = 77;
}

static void step_work(struct weir_task *t)
{
    const int i = (int)weir_index(t, A_i);
    const double *input = weir_get(t, A_input, NULL);
    const int x = i * i;
    printf("work %d\n", i);
    if (i == 1) {
        go_wrong(weir_get(t, A_how, NULL), input, t);
    }
    weir_put(t, A_x, &x, NULL);
}

static void step_gather(struct weir_task *t)
{
    int x = 0;
    for (size_t i = 0; i < weir_inputs(t); i++) {
        const int *in = weir_input(t, i, A_x, NULL);
        x += in ? *in : 0;
    }
    weir_put(t, A_x, &x, NULL);
}

static const struct weir_step steps[] = {
    { .name = "start", .run = step_start, .next = (const unsigned[]){ 1 }, .nnext = 1, .foreach = A_i,
      .writes = (const unsigned[]){ A_input }, .nwrites = 1, .cell = "cell [1]", .line = 1 },
    { .name = "work", .run = step_work, .next = (const unsigned[]){ 2 }, .nnext = 1, .foreach = -1,
      .reads = (const unsigned[]){ A_how, A_input }, .nreads = 2, .writes = (const unsigned[]){ A_x }, .nwrites = 1,
      .cell = "cell [2]", .line = 1 },
    { .name = "gather", .run = step_gather, .foreach = -1, .join = 1, .reads = (const unsigned[]){ A_x }, .nreads = 1,
      .writes = (const unsigned[]){ A_x }, .nwrites = 1, .cell = "cell [3]", .line = 1 },
};

const struct weir_flow weir_flow = { .abi = WEIR_ABI, .name = "Failures", .artifacts = artifacts, .nartifacts = 4,
                                     .steps = steps, .nsteps = 3, .first = 0, .parameters = parameters };
