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
    A_w,
    A_x,
    A_z,
};

static const struct weir_artifact weir__artifacts[] = {
    [A_w] = { .name = "w", .ctype = "int []", .field = { "w", 0, sizeof((*(int *)0)), WEIR_INT, 0, 1, { 0 } },
        .form = WEIR_DYNAMIC, .flags = 0, .help = "", .initial = "", .cell = "cell [1]", .line = 7 },
    [A_x] = { .name = "x", .ctype = "int", .field = { "x", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [1]", .line = 4 },
    [A_z] = { .name = "z", .ctype = "int", .field = { "z", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [1]", .line = 6 },
};

/* ---- cell [1] ---- */
// %%step start -> \$
//   end      // goes on
// // a comment that says artifact int q = 1;
// artifact int x /* one */ = 1; /* artifact int y; */
// artifact int
//     z = 2,      // two
//     w[] = {     // three
//         1,
//         2
//     };
// char s[] = "artifact int q; \$
// len(w)";
// printf("%d %s %zu\n", x + z, s, len(w));
static void step_start(struct weir_task *weir__t)
{
    (void)weir__t;
    int *w = NULL;
    size_t w__n = 0;
    int x = 0;
    int z = 0;
    {
#line 3 "cell [1]"
// a comment that says artifact int q = 1;
/* artifact int */  x /* one */ = 1; /* artifact int y; */
/* artifact int */ 
    z = 2,      // two
    w  = weir_resize(weir__t, A_w, NULL, 0, w__n = sizeof (int []){ 1, 2 } / sizeof *w), memcpy(w, (int []) {     // three
        1,
        2
    }, w__n * sizeof *w);
char s[] = "artifact int q; \
len(w)";
printf("%d %s %zu\n", x + z, s, w__n);
#line 67 "flow.c"
    }
    weir_put(weir__t, A_w, w, (const size_t[]){ w__n });
    {
        const int weir__v = x;
        weir_put(weir__t, A_x, &weir__v, NULL);
    }
    {
        const int weir__v = z;
        weir_put(weir__t, A_z, &weir__v, NULL);
    }
}

/* ---- cell [2] ---- */
// %%step end
// // nothing but a comment
static void step_end(struct weir_task *weir__t)
{
    (void)weir__t;
}

static const struct weir_step weir__steps[] = {
    { .name = "start", .run = step_start, .join = 0, .cell = "cell [1]", .line = 1,
        .next = (const unsigned[]){ 1 }, .nnext = 1,
        .writes = (const unsigned[]){ A_w, A_x, A_z }, .nwrites = 3,
        .foreach = -1 },
    { .name = "end", .run = step_end, .join = 0, .cell = "cell [2]", .line = 1,
        .foreach = -1 },
};

const struct weir_flow weir_flow = {
    .abi = WEIR_ABI, .name = "main",
    .artifacts = weir__artifacts, .nartifacts = 3,
    .steps = weir__steps, .nsteps = 2, .first = 0,
    .parameters = NULL,
};
