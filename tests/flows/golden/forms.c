/* The flow Forms as a C program, made by Weir from the cells of a notebook. Each cell's source stands as a
 * comment above what it became; lines of cells are named by #line. It builds with weir.h and libweir. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "weir.h"

#include <stdlib.h>
#include <string.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

void weir_flow_anchor(void);
void weir_flow_anchor(void) /* addresses of the flow's code are told from here */
{
}

#line 4 "cell [2]"
#define K 4
#line 10 "cell [2]"
#define SCALE (factor * 2)
#line 9 "cell [2]"
#define TWICE(x) (2 * (x))
#line 2 "cell [2]"
enum color { RED, GREEN = 5 };
#line 5 "cell [2]"
enum { M = K + 1 };
#line 8 "cell [2]"
typedef double vec[3];
#line 3 "cell [2]"
typedef enum { ON, OFF } state;
#line 6 "cell [2]"
typedef struct { int id; double pos[3]; char tag[8]; enum color c; } point;
#line 7 "cell [2]"
struct net { point p[2]; float bias; };
#line 1 "cell [3]"
static double total(const double *x, size_t n) { double s = 0; for (size_t i = 0; i < n; i++) s += x[i]; return s; }
#line 40 "flow.c"

enum {
    A_n,
    A_w,
    A_flag,
    A_name,
    A_big,
    A_col,
    A_count,
    A_cube,
    A_empty,
    A_factor,
    A_fixed,
    A_grid,
    A_list,
    A_mat,
    A_more,
    A_net1,
    A_one,
    A_p,
    A_rows,
    A_s,
    A_st,
    A_text,
    A_v,
    A_word,
    A_x,
    A_note,
    A_y,
    A_z,
    A_sum,
    A_acc,
    A_part,
    A_acc2,
    A_res,
    A_gsum,
    A_gs,
    A_last,
    A_kk,
    A_r,
    A_k__inner,
    A_g,
    A_k__more2,
};

static const struct weir_enumerator weir_type_enum_color_1_values[] = {
    { "RED", RED },
    { "GREEN", GREEN },
};
static const struct weir_type weir_type_enum_color_1 = { "enum color", sizeof((*(enum color *)0)), 0, 0, weir_type_enum_color_1_values, sizeof weir_type_enum_color_1_values / sizeof weir_type_enum_color_1_values[0] };
static const struct weir_field weir_type_point_3_members[] = {
    { "id", offsetof(struct net, p[0].id) - offsetof(struct net, p[0]), sizeof((*(struct net *)0).p[0].id), WEIR_INT, 0, 0, { 0 } },
    { "pos", offsetof(struct net, p[0].pos) - offsetof(struct net, p[0]), sizeof((*(struct net *)0).p[0].pos[0]), WEIR_FLOAT, 0, 1, { (3) } },
    { "tag", offsetof(struct net, p[0].tag) - offsetof(struct net, p[0]), sizeof((*(struct net *)0).p[0].tag[0]), WEIR_CHAR, 0, 1, { (8) } },
    { "c", offsetof(struct net, p[0].c) - offsetof(struct net, p[0]), sizeof((*(struct net *)0).p[0].c), WEIR_ENUM, &weir_type_enum_color_1, 0, { 0 } },
};
static const struct weir_type weir_type_point_3 = { "point", sizeof((*(struct net *)0).p[0]), weir_type_point_3_members, sizeof weir_type_point_3_members / sizeof weir_type_point_3_members[0], 0, 0 };
static const struct weir_field weir_type_struct_net_2_members[] = {
    { "p", offsetof(struct net, p), sizeof((*(struct net *)0).p[0]), WEIR_STRUCT, &weir_type_point_3, 1, { (2) } },
    { "bias", offsetof(struct net, bias), sizeof((*(struct net *)0).bias), WEIR_FLOAT, 0, 0, { 0 } },
};
static const struct weir_type weir_type_struct_net_2 = { "struct net", sizeof((*(struct net *)0)), weir_type_struct_net_2_members, sizeof weir_type_struct_net_2_members / sizeof weir_type_struct_net_2_members[0], 0, 0 };
static const struct weir_enumerator weir_type_state_4_values[] = {
    { "ON", ON },
    { "OFF", OFF },
};
static const struct weir_type weir_type_state_4 = { "state", sizeof((*(state *)0)), 0, 0, weir_type_state_4_values, sizeof weir_type_state_4_values / sizeof weir_type_state_4_values[0] };

static const struct weir_artifact weir__artifacts[] = {
    [A_n] = { .name = "n", .ctype = "int", .field = { "n", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = WEIR_PARAMETER, .help = "", .initial = "3", .cell = "cell [1]", .line = 2 },
    [A_w] = { .name = "w", .ctype = "double [2]", .field = { "w", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 1, { (2) } },
        .form = WEIR_FIXED, .flags = WEIR_PARAMETER, .help = "", .initial = "{1, 2}", .cell = "cell [1]", .line = 3 },
    [A_flag] = { .name = "flag", .ctype = "_Bool", .field = { "flag", 0, sizeof((*(_Bool *)0)), WEIR_BOOL, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = WEIR_PARAMETER, .help = "", .initial = "true", .cell = "cell [1]", .line = 4 },
    [A_name] = { .name = "name", .ctype = "char *", .field = { "name", 0, sizeof((*(char **)0)), WEIR_STRING, 0, 0, { 0 } },
        .form = WEIR_TEXT, .flags = WEIR_PARAMETER, .help = "", .initial = "\"x\"", .cell = "cell [1]", .line = 5 },
    [A_big] = { .name = "big", .ctype = "double [100000]", .field = { "big", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 1, { (100000) } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 9 },
    [A_col] = { .name = "col", .ctype = "enum color", .field = { "col", 0, sizeof((*(enum color *)0)), WEIR_ENUM, &weir_type_enum_color_1, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 4 },
    [A_count] = { .name = "count", .ctype = "int", .field = { "count", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 2 },
    [A_cube] = { .name = "cube", .ctype = "float [n][2][M]", .field = { "cube", 0, sizeof((*(float *)0)), WEIR_FLOAT, 0, 3, { 0, 0, 0 } },
        .form = WEIR_SHAPED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 17 },
    [A_empty] = { .name = "empty", .ctype = "int []", .field = { "empty", 0, sizeof((*(int *)0)), WEIR_INT, 0, 1, { 0 } },
        .form = WEIR_DYNAMIC, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 12 },
    [A_factor] = { .name = "factor", .ctype = "double", .field = { "factor", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 3 },
    [A_fixed] = { .name = "fixed", .ctype = "double [K]", .field = { "fixed", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 1, { (K) } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 8 },
    [A_grid] = { .name = "grid", .ctype = "double [n][count + 1]", .field = { "grid", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 2, { 0, 0 } },
        .form = WEIR_SHAPED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 16 },
    [A_list] = { .name = "list", .ctype = "int []", .field = { "list", 0, sizeof((*(int *)0)), WEIR_INT, 0, 1, { 0 } },
        .form = WEIR_DYNAMIC, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 12 },
    [A_mat] = { .name = "mat", .ctype = "double [2][M]", .field = { "mat", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 2, { (2), (M) } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 8 },
    [A_more] = { .name = "more", .ctype = "int", .field = { "more", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 2 },
    [A_net1] = { .name = "net1", .ctype = "struct net", .field = { "net1", 0, sizeof((*(struct net *)0)), WEIR_STRUCT, &weir_type_struct_net_2, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 7 },
    [A_one] = { .name = "one", .ctype = "double [n * 2]", .field = { "one", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 1, { 0 } },
        .form = WEIR_SHAPED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 18 },
    [A_p] = { .name = "p", .ctype = "point", .field = { "p", 0, sizeof((*(point *)0)), WEIR_STRUCT, &weir_type_point_3, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 6 },
    [A_rows] = { .name = "rows", .ctype = "vec []", .field = { "rows", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 2, { 0, (3) } },
        .form = WEIR_DYNAMIC, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 11 },
    [A_s] = { .name = "s", .ctype = "char *", .field = { "s", 0, sizeof((*(char **)0)), WEIR_STRING, 0, 0, { 0 } },
        .form = WEIR_TEXT, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 15 },
    [A_st] = { .name = "st", .ctype = "state", .field = { "st", 0, sizeof((*(state *)0)), WEIR_ENUM, &weir_type_state_4, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 5 },
    [A_text] = { .name = "text", .ctype = "char []", .field = { "text", 0, sizeof((*(char *)0)), WEIR_CHAR, 0, 1, { 0 } },
        .form = WEIR_DYNAMIC, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 13 },
    [A_v] = { .name = "v", .ctype = "vec", .field = { "v", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 1, { (3) } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 10 },
    [A_word] = { .name = "word", .ctype = "char [16]", .field = { "word", 0, sizeof((*(char *)0)), WEIR_CHAR, 0, 1, { (16) } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [4]", .line = 14 },
    [A_x] = { .name = "x", .ctype = "int", .field = { "x", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [5]", .line = 2 },
    [A_note] = { .name = "note", .ctype = "char *", .field = { "note", 0, sizeof((*(char **)0)), WEIR_STRING, 0, 0, { 0 } },
        .form = WEIR_TEXT, .flags = 0, .help = "", .initial = "", .cell = "cell [6]", .line = 4 },
    [A_y] = { .name = "y", .ctype = "double [n][2]", .field = { "y", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 2, { 0, 0 } },
        .form = WEIR_SHAPED, .flags = 0, .help = "", .initial = "", .cell = "cell [6]", .line = 2 },
    [A_z] = { .name = "z", .ctype = "double []", .field = { "z", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 1, { 0 } },
        .form = WEIR_DYNAMIC, .flags = 0, .help = "", .initial = "", .cell = "cell [6]", .line = 3 },
    [A_sum] = { .name = "sum", .ctype = "int", .field = { "sum", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [7]", .line = 2 },
    [A_acc] = { .name = "acc", .ctype = "double", .field = { "acc", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [9]", .line = 2 },
    [A_part] = { .name = "part", .ctype = "double", .field = { "part", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [10]", .line = 2 },
    [A_acc2] = { .name = "acc2", .ctype = "double", .field = { "acc2", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [11]", .line = 2 },
    [A_res] = { .name = "res", .ctype = "double []", .field = { "res", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 1, { 0 } },
        .form = WEIR_DYNAMIC, .flags = 0, .help = "", .initial = "", .cell = "cell [12]", .line = 2 },
    [A_gsum] = { .name = "gsum", .ctype = "double", .field = { "gsum", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [14]", .line = 2 },
    [A_gs] = { .name = "gs", .ctype = "double", .field = { "gs", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [15]", .line = 2 },
    [A_last] = { .name = "last", .ctype = "double", .field = { "last", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [16]", .line = 2 },
    [A_kk] = { .name = "kk", .ctype = "int", .field = { "kk", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = 0, .help = "", .initial = "", .cell = "cell [17]", .line = 2 },
    [A_r] = { .name = "r", .ctype = "vec []", .field = { "r", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 2, { 0, (3) } },
        .form = WEIR_DYNAMIC, .flags = WEIR_LOOP, .help = "", .initial = "", .cell = "cell [8]", .line = 1 },
    [A_k__inner] = { .name = "k", .ctype = "int", .field = { "k", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = WEIR_LOOP, .help = "", .initial = "", .cell = "cell [9]", .line = 1 },
    [A_g] = { .name = "g", .ctype = "double [n][count + 1]", .field = { "g", 0, sizeof((*(double *)0)), WEIR_FLOAT, 0, 2, { 0, 0 } },
        .form = WEIR_SHAPED, .flags = WEIR_LOOP, .help = "", .initial = "", .cell = "cell [13]", .line = 1 },
    [A_k__more2] = { .name = "k", .ctype = "int", .field = { "k", 0, sizeof((*(int *)0)), WEIR_INT, 0, 0, { 0 } },
        .form = WEIR_FIXED, .flags = WEIR_LOOP, .help = "", .initial = "", .cell = "cell [16]", .line = 1 },
};

/* Elements of an array with these sizes; the task fails if no memory could hold them. */
static size_t weir__elements(const char *where, int line, const size_t *dim, unsigned n)
{
    size_t all = 1;
    for (unsigned i = 0; i < n; i++) {
        if (dim[i] && all > ((size_t)-1) / dim[i]) {
            weir_fail(where, line, "an array of %zu x %zu elements is larger than memory", all, dim[i]);
        }
        all *= dim[i];
    }
    return all;
}

/* ---- cell [1] ---- */
// %%flow Forms
// param int n = 3;
// param double w[2] = {1, 2};
// param bool flag = true;
// param char *name = "x";
static void weir__parameters(struct weir_task *weir__t)
{
    {
#line 2 "cell [1]"
        const int weir__v = 3;
#line 218 "flow.c"
        weir_parameter(weir__t, A_n, &weir__v, NULL);
    }
    {
#line 3 "cell [1]"
        const double weir__v[2] = {1, 2};
#line 224 "flow.c"
        weir_parameter(weir__t, A_w, weir__v, NULL);
    }
    {
#line 4 "cell [1]"
        const _Bool weir__v = true;
#line 230 "flow.c"
        weir_parameter(weir__t, A_flag, &weir__v, NULL);
    }
    {
#line 5 "cell [1]"
        const char *const weir__v = "x";
#line 236 "flow.c"
        weir_parameter(weir__t, A_name, weir__v, (const size_t[]){ strlen(weir__v) });
    }
}

/* ---- cell [4] ---- */
// %%step start -> a, b
// artifact int count = 2, more;
// artifact double factor = 1.5;
// artifact enum color col = GREEN;
// artifact state st = OFF;
// artifact point p = { .id = 1, .tag = "hey" };
// artifact struct net net1;
// artifact double fixed[K] = {1, 2, 3, 4}, mat[2][M];
// artifact double big[100000];
// artifact vec v = {1, 2, 3};
// artifact vec rows[];
// artifact int list[] = {3, 1, 2}, empty[];
// artifact char text[] = "abc";
// artifact char word[16] = "w";
// artifact char *s = "hello";
// artifact double grid[n][count + 1];
// artifact float cube[n][2][M];
// artifact double one[n * 2];
// resize(rows, 2);
// rows[1][2] = v[0];
// push(list, count + 1);
// push(empty, len(list));
// grid[n - 1][count] = 7;
// for (size_t i = 0; i < dim(cube, 0); i++)
//     for (size_t j = 0; j < dim(cube, 1); j++)
//         cube[i][j][0] = (float)(grid[i][j] + one[i]);
// float *row = cube[1][1]; row[2] = 3;
// double *g1 = grid[1];
// g1[0] += total(grid[0], dim(grid, 1));
// if (count > 100) return;
// net1.p[1] = p;
// net1.bias = SCALE;
// mat[1][M - 1] = sizeof mat / sizeof mat[0];
// big[99999] = 1;
// s = count ? "yes" : "no";
// printf("%zu %zu %zu %s %d\n", len(fixed), len(s), dim(mat, 1), current.run, (int)current.index);
// if (len(grid) == 0) fail("empty %d", n);
// more = list[len(list) - 1];
static void step_start(struct weir_task *weir__t)
{
    (void)weir__t;
    const struct weir_current weir__current = weir_current(weir__t);
    const int n = *(const int *)weir_get(weir__t, A_n, NULL);
    static double big[100000];
    enum color col = 0;
    int count = 0;
    float *cube = NULL;
    size_t cube__d0 = 0;
    size_t cube__d1 = 0;
    size_t cube__d2 = 0;
    int *empty = NULL;
    size_t empty__n = 0;
    double factor = 0;
    double fixed[K] = { 0 };
    double *grid = NULL;
    size_t grid__d0 = 0;
    size_t grid__d1 = 0;
    int *list = NULL;
    size_t list__n = 0;
    double mat[2][M] = { 0 };
    int more = 0;
    struct net net1 = { 0 };
    double *one = NULL;
    size_t one__d0 = 0;
    point p = { 0 };
    double (*rows)[3] = NULL;
    size_t rows__n = 0;
    size_t rows__m = 0;
    const char *s = "";
    state st = 0;
    char *text = NULL;
    size_t text__n = 0;
    double v[3] = { 0 };
    char word[16] = { 0 };
    {
#line 2 "cell [4]"
/* artifact int */  count = 2, (void)0;
/* artifact double */  factor = 1.5;
/* artifact enum color */  col = GREEN;
/* artifact state */  st = OFF;
/* artifact point */  p = (point){ .id = 1, .tag = "hey" };
/* artifact struct net net1 */;
/* artifact double */  memcpy(fixed,  (double [K]){1, 2, 3, 4}, sizeof fixed), (void)0;
/* artifact double big[100000] */;
/* artifact vec */  memcpy(v,   (double [3]){1, 2, 3}, sizeof v);
/* artifact vec rows[] */;
/* artifact int */  list  = weir_resize(weir__t, A_list, NULL, 0, list__n = sizeof (int []){3, 1, 2} / sizeof *list), memcpy(list, (int []) {3, 1, 2}, list__n * sizeof *list), (void)0;
/* artifact char */  text  = weir_resize(weir__t, A_text, NULL, 0, text__n = sizeof (char []){"abc"} / sizeof *text), memcpy(text, (char []){ "abc"}, text__n * sizeof *text);
/* artifact char */  memcpy(word,  (char [16]){"w"}, sizeof word);
/* artifact char */  s = "hello";
/* artifact double */  (grid__d0 = (size_t)(n), grid__d1 = (size_t)(count + 1), grid = weir_resize(weir__t, A_grid, NULL, 0, weir__elements(__FILE__, __LINE__, (const size_t[]){ grid__d0, grid__d1 }, 2)));
/* artifact float */  (cube__d0 = (size_t)(n), cube__d1 = (size_t)(2), cube__d2 = (size_t)(M), cube = weir_resize(weir__t, A_cube, NULL, 0, weir__elements(__FILE__, __LINE__, (const size_t[]){ cube__d0, cube__d1, cube__d2 }, 3)));
/* artifact double */  (one__d0 = (size_t)(n * 2), one = weir_resize(weir__t, A_one, NULL, 0, weir__elements(__FILE__, __LINE__, (const size_t[]){ one__d0 }, 1)));
(rows = weir_resize(weir__t, A_rows, rows, rows__n, rows__m = (size_t)( 2)), rows__n = rows__m);
rows[1][2] = v[0];
(list = weir_grow(weir__t, A_list, list, list__n), list[list__n] = ( count + 1), list__n++);
(empty = weir_grow(weir__t, A_empty, empty, empty__n), empty[empty__n] = ( list__n), empty__n++);
grid[(n - 1) * grid__d1 + (count)] = 7;
for (size_t i = 0; i < cube__d0; i++)
    for (size_t j = 0; j < cube__d1; j++)
        cube[((i) * cube__d1 + (j)) * cube__d2 + (0)] = (float)(grid[(i) * grid__d1 + (j)] + one[i]);
float *row = (cube + ((1) * cube__d1 + (1)) * cube__d2); row[2] = 3;
double *g1 = (grid + (1) * grid__d1);
g1[0] += total((grid + (0) * grid__d1), grid__d1);
if (count > 100) goto weir__end;
net1.p[1] = p;
net1.bias = SCALE;
mat[1][M - 1] = sizeof mat / sizeof mat[0];
big[99999] = 1;
s = count ? "yes" : "no";
printf("%zu %zu %zu %s %d\n", ((size_t)(K)), strlen(s), ((size_t)(M)), weir__current.run, (int)weir__current.index);
if (grid__d0 == 0) weir_fail(__FILE__, __LINE__, "empty %d", n);
more = list[list__n - 1];
#line 355 "flow.c"
    }
weir__end:;
    weir_put(weir__t, A_big, big, NULL);
    {
        const enum color weir__v = col;
        weir_put(weir__t, A_col, &weir__v, NULL);
    }
    {
        const int weir__v = count;
        weir_put(weir__t, A_count, &weir__v, NULL);
    }
    weir_put(weir__t, A_cube, cube, (const size_t[]){ cube__d0, cube__d1, cube__d2 });
    weir_put(weir__t, A_empty, empty, (const size_t[]){ empty__n });
    {
        const double weir__v = factor;
        weir_put(weir__t, A_factor, &weir__v, NULL);
    }
    weir_put(weir__t, A_fixed, fixed, NULL);
    weir_put(weir__t, A_grid, grid, (const size_t[]){ grid__d0, grid__d1 });
    weir_put(weir__t, A_list, list, (const size_t[]){ list__n });
    weir_put(weir__t, A_mat, mat, NULL);
    {
        const int weir__v = more;
        weir_put(weir__t, A_more, &weir__v, NULL);
    }
    {
        const struct net weir__v = net1;
        weir_put(weir__t, A_net1, &weir__v, NULL);
    }
    weir_put(weir__t, A_one, one, (const size_t[]){ one__d0 });
    {
        const point weir__v = p;
        weir_put(weir__t, A_p, &weir__v, NULL);
    }
    weir_put(weir__t, A_rows, rows, (const size_t[]){ rows__n });
    weir_put(weir__t, A_s, s ? s : "", (const size_t[]){ s ? strlen(s) : 0 });
    {
        const state weir__v = st;
        weir_put(weir__t, A_st, &weir__v, NULL);
    }
    weir_put(weir__t, A_text, text, (const size_t[]){ text__n });
    weir_put(weir__t, A_v, v, NULL);
    weir_put(weir__t, A_word, word, NULL);
}

/* ---- cell [5] ---- */
// %%step a -> j
// artifact int x = count + (int)TWICE(fixed[1]) + list[0];
// double local[2] = { fixed[0], mat[1][2] };
// artifact fixed, list;
// fixed[0] = 9; resize(list, 1); list[0]++;
// x += (int)local[0] + (int)p.pos[1] + (flag ? 1 : 0) + (int)grid[1][1] + (int)cube[0][1][2] + (int)SCALE;
// x += (int)sizeof mat;
// struct net copy = net1;
// copy.bias++;
// (void)copy; (void)word[0]; (void)s;
static void step_a(struct weir_task *weir__t)
{
    (void)weir__t;
    size_t weir__d[WEIR_MAX_DIMS];
    const _Bool flag = *(const _Bool *)weir_get(weir__t, A_flag, NULL);
    const int count = *(const int *)weir_get(weir__t, A_count, NULL);
    const float *const cube = (const float *)weir_get(weir__t, A_cube, weir__d);
    const size_t cube__d1 = weir__d[1];
    const size_t cube__d2 = weir__d[2];
    const double factor = *(const double *)weir_get(weir__t, A_factor, NULL);
    double fixed[K];
    memcpy(fixed, weir_get(weir__t, A_fixed, NULL), sizeof fixed);
    const double *const grid = (const double *)weir_get(weir__t, A_grid, weir__d);
    const size_t grid__d1 = weir__d[1];
    int *list = NULL;
    size_t list__n = 0;
    size_t list__m = 0;
    {
        const void *weir__in = weir_get(weir__t, A_list, weir__d);
        list__n = weir__d[0];
        list = weir_resize(weir__t, A_list, weir__in, list__n, list__n);
    }
    const double (*const mat)[2][M] = (const double (*)[2][M])weir_get(weir__t, A_mat, NULL);
    const struct net net1 = *(const struct net *)weir_get(weir__t, A_net1, NULL);
    const point p = *(const point *)weir_get(weir__t, A_p, NULL);
    const char *const s = weir_get(weir__t, A_s, NULL);
    const char (*const word)[16] = (const char (*)[16])weir_get(weir__t, A_word, NULL);
    int x = 0;
    {
#line 2 "cell [5]"
/* artifact int */  x = count + (int)TWICE(fixed[1]) + list[0];
double local[2] = { fixed[0], (*mat)[1][2] };
/* artifact fixed, list */;
fixed[0] = 9; (list = weir_resize(weir__t, A_list, list, list__n, list__m = (size_t)( 1)), list__n = list__m); list[0]++;
x += (int)local[0] + (int)p.pos[1] + (flag ? 1 : 0) + (int)grid[(1) * grid__d1 + (1)] + (int)cube[((0) * cube__d1 + (1)) * cube__d2 + (2)] + (int)SCALE;
x += (int)sizeof (*mat);
struct net copy = net1;
copy.bias++;
(void)copy; (void)(*word)[0]; (void)s;
#line 451 "flow.c"
    }
    weir_put(weir__t, A_fixed, fixed, NULL);
    weir_put(weir__t, A_list, list, (const size_t[]){ list__n });
    {
        const int weir__v = x;
        weir_put(weir__t, A_x, &weir__v, NULL);
    }
}

/* ---- cell [6] ---- */
// %%step b -> j
// artifact int x = 1; artifact double y[n][2]; y[0][1] = 2;
// artifact double z[] = {1};
// artifact char *note = "from b";
// for (int count = 0; count < 2; count++) { int x = count; (void)x; }
// struct q { int count; } q = { .count = 3 };
// q.count = total(w, 2) > 0;
// goto done;
// done:
// x = q.count;
static void step_b(struct weir_task *weir__t)
{
    (void)weir__t;
    const int n = *(const int *)weir_get(weir__t, A_n, NULL);
    const double (*const w)[2] = (const double (*)[2])weir_get(weir__t, A_w, NULL);
    int x = 0;
    const char *note = "";
    double *y = NULL;
    size_t y__d0 = 0;
    size_t y__d1 = 0;
    double *z = NULL;
    size_t z__n = 0;
    {
#line 2 "cell [6]"
/* artifact int */  x = 1; /* artifact double */  (y__d0 = (size_t)(n), y__d1 = (size_t)(2), y = weir_resize(weir__t, A_y, NULL, 0, weir__elements(__FILE__, __LINE__, (const size_t[]){ y__d0, y__d1 }, 2))); y[(0) * y__d1 + (1)] = 2;
/* artifact double */  z  = weir_resize(weir__t, A_z, NULL, 0, z__n = sizeof (double []){1} / sizeof *z), memcpy(z, (double []) {1}, z__n * sizeof *z);
/* artifact char */  note = "from b";
for (int count = 0; count < 2; count++) { int x = count; (void)x; }
struct q { int count; } q = { .count = 3 };
q.count = total((*w), 2) > 0;
goto done;
done:
x = q.count;
#line 495 "flow.c"
    }
    {
        const int weir__v = x;
        weir_put(weir__t, A_x, &weir__v, NULL);
    }
    weir_put(weir__t, A_note, note ? note : "", (const size_t[]){ note ? strlen(note) : 0 });
    weir_put(weir__t, A_y, y, (const size_t[]){ y__d0, y__d1 });
    weir_put(weir__t, A_z, z, (const size_t[]){ z__n });
}

/* ---- cell [7] ---- */
// %%step j join -> fan
// artifact int sum = 0;
// for (size_t i = 0; i < inputs.count; i++) sum += inputs.at[i].x;
// sum += inputs.a.x + inputs.b.x + inputs.all.x[0] + (int)inputs.b.y[0][1] + (int)len(inputs.b.z) + (int)inputs.a.fixed[0];
// sum += (int)dim(inputs.b.y, 1) + (int)len(inputs.b.note) + (int)inputs.all.x[1] + (int)inputs.a.list[0];
// sum += (int)inputs.at[0].grid[1][2] + count;
static void step_j(struct weir_task *weir__t)
{
    (void)weir__t;
    size_t weir__d[WEIR_MAX_DIMS];
    struct {
        size_t count;
        struct { int x; const double *grid; size_t grid__d0; size_t grid__d1; } *at;
        struct { const int *x; } all;
        struct { int x; const double (*fixed)[K]; const int *list; } a;
        struct { int x; const double *y; size_t y__d0; size_t y__d1; const double *z; size_t z__n; const char *note; } b;
    } inputs = { .count = weir_inputs(weir__t) };
    const int count = *(const int *)weir_get(weir__t, A_count, NULL);
    int sum = 0;
    inputs.at = calloc(inputs.count + 1, sizeof *inputs.at);
    if (!inputs.at) {
        weir_fail(__FILE__, __LINE__, "out of memory for %zu inputs", inputs.count);
    }
    for (size_t weir__i = 0; weir__i < inputs.count; weir__i++) {
        inputs.at[weir__i].x = *(const int *)weir_input(weir__t, weir__i, A_x, NULL);
        inputs.at[weir__i].grid = (const double *)weir_input(weir__t, weir__i, A_grid, weir__d);
        inputs.at[weir__i].grid__d0 = weir__d[0];
        inputs.at[weir__i].grid__d1 = weir__d[1];
    }
    inputs.a.x = *(const int *)weir_input(weir__t, 0, A_x, NULL);
    inputs.b.x = *(const int *)weir_input(weir__t, 1, A_x, NULL);
    inputs.all.x = (const int *)weir_input_all(weir__t, A_x);
    inputs.b.y = (const double *)weir_input(weir__t, 1, A_y, weir__d);
    inputs.b.y__d0 = weir__d[0];
    inputs.b.y__d1 = weir__d[1];
    inputs.b.z = (const double *)weir_input(weir__t, 1, A_z, weir__d);
    inputs.b.z__n = weir__d[0];
    inputs.a.fixed = (const double (*)[K])weir_input(weir__t, 0, A_fixed, NULL);
    inputs.b.note = weir_input(weir__t, 1, A_note, NULL);
    inputs.a.list = (const int *)weir_input(weir__t, 0, A_list, NULL);
    {
#line 2 "cell [7]"
/* artifact int */  sum = 0;
for (size_t i = 0; i < inputs.count; i++) sum += inputs.at[i].x;
sum += inputs.a.x + inputs.b.x + inputs.all.x[0] + (int)inputs.b.y[(0) * inputs.b.y__d1 + (1)] + (int)inputs.b.z__n + (int)(*inputs.a.fixed)[0];
sum += (int)inputs.b.y__d1 + (int)strlen(inputs.b.note) + (int)inputs.all.x[1] + (int)inputs.a.list[0];
sum += (int)inputs.at[0].grid[(1) * inputs.at[0].grid__d1 + (2)] + count;
#line 554 "flow.c"
    }
    {
        const int weir__v = sum;
        weir_put(weir__t, A_sum, &weir__v, NULL);
    }
    free(inputs.at);
}

/* ---- cell [8] ---- */
// %%step fan -> inner foreach r in rows
static void step_fan(struct weir_task *weir__t)
{
    (void)weir__t;
    size_t weir__d[WEIR_MAX_DIMS];
    const double (*const rows)[3] = (const double (*)[3])weir_get(weir__t, A_rows, weir__d);
    const size_t rows__n = weir__d[0];
    weir_put(weir__t, A_r, rows, (const size_t[]){ rows__n });
    weir_split(weir__t, rows__n);
}

/* ---- cell [9] ---- */
// %%step inner -> work foreach k in n
// artifact double acc = r[0] + r[1] + (double)len(r);
static void step_inner(struct weir_task *weir__t)
{
    (void)weir__t;
    const int n = *(const int *)weir_get(weir__t, A_n, NULL);
    double acc = 0;
    const double *const r = ((const double (*)[3])weir_get(weir__t, A_r, NULL))[weir_index(weir__t, A_r)];
    {
#line 2 "cell [9]"
/* artifact double */  acc = r[0] + r[1] + (double)((size_t)(3));
#line 587 "flow.c"
    }
    {
        const double weir__v = acc;
        weir_put(weir__t, A_acc, &weir__v, NULL);
    }
    if (n < 0) {
        weir_fail("cell [9]", 1, "foreach k in n: the count is %lld", (long long)n);
    }
    weir_split(weir__t, (size_t)n);
}

/* ---- cell [10] ---- */
// %%step work -> jk
// artifact double part = acc + k + r[2];
static void step_work(struct weir_task *weir__t)
{
    (void)weir__t;
    const double acc = *(const double *)weir_get(weir__t, A_acc, NULL);
    double part = 0;
    const double *const r = ((const double (*)[3])weir_get(weir__t, A_r, NULL))[weir_index(weir__t, A_r)];
    const int k = (int)weir_index(weir__t, A_k__inner);
    {
#line 2 "cell [10]"
/* artifact double */  part = acc + k + r[2];
#line 612 "flow.c"
    }
    {
        const double weir__v = part;
        weir_put(weir__t, A_part, &weir__v, NULL);
    }
}

/* ---- cell [11] ---- */
// %%step jk join -> jr
// artifact double acc2 = 0;
// for (size_t i = 0; i < inputs.count; i++) acc2 += inputs.at[i].part * inputs.at[i].k;
// acc2 += r[0] + acc + inputs.all.part[0];
static void step_jk(struct weir_task *weir__t)
{
    (void)weir__t;
    struct {
        size_t count;
        struct { double part; int k; } *at;
        struct { const double *part; } all;
    } inputs = { .count = weir_inputs(weir__t) };
    const double acc = *(const double *)weir_get(weir__t, A_acc, NULL);
    double acc2 = 0;
    const double *const r = ((const double (*)[3])weir_get(weir__t, A_r, NULL))[weir_index(weir__t, A_r)];
    inputs.at = calloc(inputs.count + 1, sizeof *inputs.at);
    if (!inputs.at) {
        weir_fail(__FILE__, __LINE__, "out of memory for %zu inputs", inputs.count);
    }
    for (size_t weir__i = 0; weir__i < inputs.count; weir__i++) {
        inputs.at[weir__i].part = *(const double *)weir_input(weir__t, weir__i, A_part, NULL);
        inputs.at[weir__i].k = (int)weir__i;
    }
    inputs.all.part = (const double *)weir_input_all(weir__t, A_part);
    {
#line 2 "cell [11]"
/* artifact double */  acc2 = 0;
for (size_t i = 0; i < inputs.count; i++) acc2 += inputs.at[i].part * inputs.at[i].k;
acc2 += r[0] + acc + inputs.all.part[0];
#line 650 "flow.c"
    }
    {
        const double weir__v = acc2;
        weir_put(weir__t, A_acc2, &weir__v, NULL);
    }
    free(inputs.at);
}

/* ---- cell [12] ---- */
// %%step jr join -> more1
// artifact double res[];
// for (size_t i = 0; i < inputs.count; i++) push(res, inputs.at[i].acc2 + inputs.at[i].r[1]);
static void step_jr(struct weir_task *weir__t)
{
    (void)weir__t;
    struct {
        size_t count;
        struct { double acc2; const double *r; } *at;
    } inputs = { .count = weir_inputs(weir__t) };
    double *res = NULL;
    size_t res__n = 0;
    inputs.at = calloc(inputs.count + 1, sizeof *inputs.at);
    if (!inputs.at) {
        weir_fail(__FILE__, __LINE__, "out of memory for %zu inputs", inputs.count);
    }
    for (size_t weir__i = 0; weir__i < inputs.count; weir__i++) {
        inputs.at[weir__i].acc2 = *(const double *)weir_input(weir__t, weir__i, A_acc2, NULL);
        inputs.at[weir__i].r = ((const double (*)[3])weir_input(weir__t, weir__i, A_r, NULL))[weir__i];
    }
    {
#line 2 "cell [12]"
/* artifact double res[] */;
for (size_t i = 0; i < inputs.count; i++) (res = weir_grow(weir__t, A_res, res, res__n), res[res__n] = ( inputs.at[i].acc2 + inputs.at[i].r[1]), res__n++);
#line 684 "flow.c"
    }
    weir_put(weir__t, A_res, res, (const size_t[]){ res__n });
    free(inputs.at);
}

/* ---- cell [13] ---- */
// %%step more1 -> w2 foreach g in grid
static void step_more1(struct weir_task *weir__t)
{
    (void)weir__t;
    size_t weir__d[WEIR_MAX_DIMS];
    const double *const grid = (const double *)weir_get(weir__t, A_grid, weir__d);
    const size_t grid__d0 = weir__d[0];
    const size_t grid__d1 = weir__d[1];
    weir_put(weir__t, A_g, grid, (const size_t[]){ grid__d0, grid__d1 });
    weir_split(weir__t, grid__d0);
}

/* ---- cell [14] ---- */
// %%step w2 -> j2
// artifact double gsum = g[0] + (double)len(g);
static void step_w2(struct weir_task *weir__t)
{
    (void)weir__t;
    size_t weir__d[WEIR_MAX_DIMS];
    double gsum = 0;
    const double *g = (const double *)weir_get(weir__t, A_g, weir__d);
    const size_t g__d1 = weir__d[1];
    g += weir_index(weir__t, A_g) * g__d1;
    {
#line 2 "cell [14]"
/* artifact double */  gsum = g[0] + (double)g__d1;
#line 717 "flow.c"
    }
    {
        const double weir__v = gsum;
        weir_put(weir__t, A_gsum, &weir__v, NULL);
    }
}

/* ---- cell [15] ---- */
// %%step j2 join -> more2
// artifact double gs = inputs.at[0].gsum + inputs.at[1].g[1];
static void step_j2(struct weir_task *weir__t)
{
    (void)weir__t;
    size_t weir__d[WEIR_MAX_DIMS];
    struct {
        size_t count;
        struct { double gsum; const double *g; size_t g__d0; size_t g__d1; } *at;
    } inputs = { .count = weir_inputs(weir__t) };
    double gs = 0;
    inputs.at = calloc(inputs.count + 1, sizeof *inputs.at);
    if (!inputs.at) {
        weir_fail(__FILE__, __LINE__, "out of memory for %zu inputs", inputs.count);
    }
    for (size_t weir__i = 0; weir__i < inputs.count; weir__i++) {
        inputs.at[weir__i].gsum = *(const double *)weir_input(weir__t, weir__i, A_gsum, NULL);
        inputs.at[weir__i].g = (const double *)weir_input(weir__t, weir__i, A_g, weir__d);
        inputs.at[weir__i].g__d0 = weir__d[0];
        inputs.at[weir__i].g__d1 = weir__d[1];
        inputs.at[weir__i].g += weir__i * weir__d[1];
    }
    {
#line 2 "cell [15]"
/* artifact double */  gs = inputs.at[0].gsum + inputs.at[1].g[1];
#line 751 "flow.c"
    }
    {
        const double weir__v = gs;
        weir_put(weir__t, A_gs, &weir__v, NULL);
    }
    free(inputs.at);
}

/* ---- cell [16] ---- */
// %%step more2 -> w3 foreach k in K
// artifact double last = len(res);
static void step_more2(struct weir_task *weir__t)
{
    (void)weir__t;
    size_t weir__d[WEIR_MAX_DIMS];
    (void)weir_get(weir__t, A_res, weir__d);
    const size_t res__n = weir__d[0];
    double last = 0;
    {
#line 2 "cell [16]"
/* artifact double */  last = res__n;
#line 773 "flow.c"
    }
    {
        const double weir__v = last;
        weir_put(weir__t, A_last, &weir__v, NULL);
    }
    weir_split(weir__t, (size_t)(K));
}

/* ---- cell [17] ---- */
// %%step w3 -> j3
// artifact int kk = k;
static void step_w3(struct weir_task *weir__t)
{
    (void)weir__t;
    int kk = 0;
    const int k = (int)weir_index(weir__t, A_k__more2);
    {
#line 2 "cell [17]"
/* artifact int */  kk = k;
#line 793 "flow.c"
    }
    {
        const int weir__v = kk;
        weir_put(weir__t, A_kk, &weir__v, NULL);
    }
}

/* ---- cell [18] ---- */
// %%step j3 join -> end
// artifact last;
// last += inputs.count;
static void step_j3(struct weir_task *weir__t)
{
    (void)weir__t;
    struct {
        size_t count;
    } inputs = { .count = weir_inputs(weir__t) };
    double last = *(const double *)weir_get(weir__t, A_last, NULL);
    {
#line 2 "cell [18]"
/* artifact last */;
last += inputs.count;
#line 816 "flow.c"
    }
    {
        const double weir__v = last;
        weir_put(weir__t, A_last, &weir__v, NULL);
    }
}

/* ---- cell [19] ---- */
// %%step end
// printf("%d %g %zu\n", sum, last, len(res));
static void step_end(struct weir_task *weir__t)
{
    (void)weir__t;
    size_t weir__d[WEIR_MAX_DIMS];
    const int sum = *(const int *)weir_get(weir__t, A_sum, NULL);
    (void)weir_get(weir__t, A_res, weir__d);
    const size_t res__n = weir__d[0];
    const double last = *(const double *)weir_get(weir__t, A_last, NULL);
    {
#line 2 "cell [19]"
printf("%d %g %zu\n", sum, last, res__n);
#line 838 "flow.c"
    }
}

static const struct weir_step weir__steps[] = {
    { .name = "start", .run = step_start, .join = 0, .cell = "cell [4]", .line = 1,
        .next = (const unsigned[]){ 1, 2 }, .nnext = 2,
        .reads = (const unsigned[]){ A_n }, .nreads = 1,
        .writes = (const unsigned[]){ A_big, A_col, A_count, A_cube, A_empty, A_factor, A_fixed, A_grid, A_list, A_mat, A_more, A_net1, A_one, A_p, A_rows, A_s, A_st, A_text, A_v, A_word }, .nwrites = 20,
        .foreach = -1 },
    { .name = "a", .run = step_a, .join = 0, .cell = "cell [5]", .line = 1,
        .next = (const unsigned[]){ 3 }, .nnext = 1,
        .reads = (const unsigned[]){ A_flag, A_count, A_cube, A_factor, A_fixed, A_grid, A_list, A_mat, A_net1, A_p, A_s, A_word }, .nreads = 12,
        .writes = (const unsigned[]){ A_fixed, A_list, A_x }, .nwrites = 3,
        .foreach = -1 },
    { .name = "b", .run = step_b, .join = 0, .cell = "cell [6]", .line = 1,
        .next = (const unsigned[]){ 3 }, .nnext = 1,
        .reads = (const unsigned[]){ A_n, A_w }, .nreads = 2,
        .writes = (const unsigned[]){ A_x, A_note, A_y, A_z }, .nwrites = 4,
        .foreach = -1 },
    { .name = "j", .run = step_j, .join = 1, .cell = "cell [7]", .line = 1,
        .next = (const unsigned[]){ 4 }, .nnext = 1,
        .reads = (const unsigned[]){ A_count, A_fixed, A_grid, A_list, A_x, A_note, A_y, A_z }, .nreads = 8,
        .writes = (const unsigned[]){ A_sum }, .nwrites = 1,
        .foreach = -1 },
    { .name = "fan", .run = step_fan, .join = 0, .cell = "cell [8]", .line = 1,
        .next = (const unsigned[]){ 5 }, .nnext = 1,
        .reads = (const unsigned[]){ A_rows }, .nreads = 1,
        .writes = (const unsigned[]){ A_r }, .nwrites = 1,
        .foreach = A_r },
    { .name = "inner", .run = step_inner, .join = 0, .cell = "cell [9]", .line = 1,
        .next = (const unsigned[]){ 6 }, .nnext = 1,
        .reads = (const unsigned[]){ A_n, A_r }, .nreads = 2,
        .writes = (const unsigned[]){ A_acc }, .nwrites = 1,
        .foreach = A_k__inner },
    { .name = "work", .run = step_work, .join = 0, .cell = "cell [10]", .line = 1,
        .next = (const unsigned[]){ 7 }, .nnext = 1,
        .reads = (const unsigned[]){ A_acc, A_r }, .nreads = 2,
        .writes = (const unsigned[]){ A_part }, .nwrites = 1,
        .foreach = -1 },
    { .name = "jk", .run = step_jk, .join = 1, .cell = "cell [11]", .line = 1,
        .next = (const unsigned[]){ 8 }, .nnext = 1,
        .reads = (const unsigned[]){ A_acc, A_part, A_r }, .nreads = 3,
        .writes = (const unsigned[]){ A_acc2 }, .nwrites = 1,
        .foreach = -1 },
    { .name = "jr", .run = step_jr, .join = 1, .cell = "cell [12]", .line = 1,
        .next = (const unsigned[]){ 9 }, .nnext = 1,
        .reads = (const unsigned[]){ A_acc2, A_r }, .nreads = 2,
        .writes = (const unsigned[]){ A_res }, .nwrites = 1,
        .foreach = -1 },
    { .name = "more1", .run = step_more1, .join = 0, .cell = "cell [13]", .line = 1,
        .next = (const unsigned[]){ 10 }, .nnext = 1,
        .reads = (const unsigned[]){ A_grid }, .nreads = 1,
        .writes = (const unsigned[]){ A_g }, .nwrites = 1,
        .foreach = A_g },
    { .name = "w2", .run = step_w2, .join = 0, .cell = "cell [14]", .line = 1,
        .next = (const unsigned[]){ 11 }, .nnext = 1,
        .reads = (const unsigned[]){ A_g }, .nreads = 1,
        .writes = (const unsigned[]){ A_gsum }, .nwrites = 1,
        .foreach = -1 },
    { .name = "j2", .run = step_j2, .join = 1, .cell = "cell [15]", .line = 1,
        .next = (const unsigned[]){ 12 }, .nnext = 1,
        .reads = (const unsigned[]){ A_gsum, A_g }, .nreads = 2,
        .writes = (const unsigned[]){ A_gs }, .nwrites = 1,
        .foreach = -1 },
    { .name = "more2", .run = step_more2, .join = 0, .cell = "cell [16]", .line = 1,
        .next = (const unsigned[]){ 13 }, .nnext = 1,
        .reads = (const unsigned[]){ A_res }, .nreads = 1,
        .writes = (const unsigned[]){ A_last }, .nwrites = 1,
        .foreach = A_k__more2 },
    { .name = "w3", .run = step_w3, .join = 0, .cell = "cell [17]", .line = 1,
        .next = (const unsigned[]){ 14 }, .nnext = 1,
        .writes = (const unsigned[]){ A_kk }, .nwrites = 1,
        .foreach = -1 },
    { .name = "j3", .run = step_j3, .join = 1, .cell = "cell [18]", .line = 1,
        .next = (const unsigned[]){ 15 }, .nnext = 1,
        .reads = (const unsigned[]){ A_last }, .nreads = 1,
        .writes = (const unsigned[]){ A_last }, .nwrites = 1,
        .foreach = -1 },
    { .name = "end", .run = step_end, .join = 0, .cell = "cell [19]", .line = 1,
        .reads = (const unsigned[]){ A_sum, A_res, A_last }, .nreads = 3,
        .foreach = -1 },
};

const struct weir_flow weir_flow = {
    .abi = WEIR_ABI, .name = "Forms",
    .artifacts = weir__artifacts, .nartifacts = 41,
    .steps = weir__steps, .nsteps = 16, .first = 0,
    .parameters = weir__parameters,
};
