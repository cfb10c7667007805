/* make -> change -> check: an artifact of every type and form, with dirty padding and odd NaNs; `change` grows the dynamic
 * ones, `check` reads all back. What is kept depends on the values alone. */
#include "weir.h"

#include <locale.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum color { RED, GREEN = 5 };
struct point { char tag; double x; short s; };
typedef struct { struct point p[2]; char city[5]; long double ld; _Bool on; enum color c; float f; } record;

enum { A_i8, A_u64, A_f, A_ld, A_b, A_ch, A_e, A_rec, A_fix, A_chars, A_dyn, A_dyn2, A_shaped, A_text, A_empty, A_none, A_big,
       A_given };

static const struct weir_enumerator colors[] = { { "RED", RED }, { "GREEN", GREEN } };
static const struct weir_type type_color = { "enum color", sizeof(enum color), 0, 0, colors, 2 };
#define M(t, m, n, kind, type, ndim, ...) { n, offsetof(t, m), sizeof(((t *)0)->m) , kind, type, ndim, { __VA_ARGS__ } }
static const struct weir_field point_members[] = {
    M(struct point, tag, "tag", WEIR_CHAR, 0, 0, 0), M(struct point, x, "x", WEIR_FLOAT, 0, 0, 0),
    M(struct point, s, "s", WEIR_INT, 0, 0, 0) };
static const struct weir_type type_point = { "struct point", sizeof(struct point), point_members, 3, 0, 0 };
static const struct weir_field record_members[] = {
    { "p", offsetof(record, p), sizeof(struct point), WEIR_STRUCT, &type_point, 1, { 2 } },
    { "city", offsetof(record, city), 1, WEIR_CHAR, 0, 1, { 5 } },
    M(record, ld, "ld", WEIR_FLOAT, 0, 0, 0), M(record, on, "on", WEIR_BOOL, 0, 0, 0),
    M(record, c, "c", WEIR_ENUM, &type_color, 0, 0), M(record, f, "f", WEIR_FLOAT, 0, 0, 0) };
static const struct weir_type type_record = { "record", sizeof(record), record_members, 6, 0, 0 };

#define A(n, ct, size, kind, type, form_, flags_, ndim, ...) \
    { .name = n, .ctype = ct, .field = { n, 0, size, kind, type, ndim, { __VA_ARGS__ } }, .form = form_, .flags = flags_, \
      .help = "", .initial = "", .cell = "cell [1]", .line = 1 }
static const struct weir_artifact artifacts[] = {
    [A_i8] = A("i8", "signed char", 1, WEIR_INT, 0, WEIR_FIXED, 0, 0, 0),
    [A_u64] = A("u64", "unsigned long", 8, WEIR_UINT, 0, WEIR_FIXED, 0, 0, 0),
    [A_f] = A("f", "float", 4, WEIR_FLOAT, 0, WEIR_FIXED, 0, 0, 0),
    [A_ld] = A("ld", "long double", 16, WEIR_FLOAT, 0, WEIR_FIXED, 0, 0, 0),
    [A_b] = A("b", "_Bool", 1, WEIR_BOOL, 0, WEIR_FIXED, 0, 0, 0),
    [A_ch] = A("ch", "char", 1, WEIR_CHAR, 0, WEIR_FIXED, 0, 0, 0),
    [A_e] = A("e", "enum color", sizeof(enum color), WEIR_ENUM, &type_color, WEIR_FIXED, 0, 0, 0),
    [A_rec] = A("rec", "record", sizeof(record), WEIR_STRUCT, &type_record, WEIR_FIXED, 0, 0, 0),
    [A_fix] = A("fix", "double [3][2]", 8, WEIR_FLOAT, 0, WEIR_FIXED, 0, 2, 3, 2),
    [A_chars] = A("chars", "char [6]", 1, WEIR_CHAR, 0, WEIR_FIXED, 0, 1, 6),
    [A_dyn] = A("dyn", "int []", 4, WEIR_INT, 0, WEIR_DYNAMIC, 0, 1, 0),
    [A_dyn2] = A("dyn2", "double [][2]", 8, WEIR_FLOAT, 0, WEIR_DYNAMIC, 0, 2, 0, 2),
    [A_shaped] = A("shaped", "float [n][m][k]", 4, WEIR_FLOAT, 0, WEIR_SHAPED, 0, 3, 0, 0, 0),
    [A_text] = A("text", "char *", sizeof(char *), WEIR_STRING, 0, WEIR_TEXT, 0, 0, 0),
    [A_empty] = A("empty", "char *", sizeof(char *), WEIR_STRING, 0, WEIR_TEXT, 0, 0, 0),
    [A_none] = A("none", "double []", 8, WEIR_FLOAT, 0, WEIR_DYNAMIC, 0, 1, 0),
    [A_big] = A("big", "double []", 8, WEIR_FLOAT, 0, WEIR_DYNAMIC, 0, 1, 0),
    [A_given] = A("given", "double [][2]", 8, WEIR_FLOAT, 0, WEIR_DYNAMIC, WEIR_INPUT, 2, 0, 2),
};
enum { NARTIFACTS = sizeof artifacts / sizeof *artifacts, BIG = 1300000 };

static void need(int ok, const char *what)
{
    if (!ok) {
        weir_fail("cell [3]", 1, "wrong: %s", what);
    }
}

static void make_struct(struct weir_task *t)
{
    record *r = malloc(sizeof *r);
    memset(r, 0xa5 + rand() % 7, sizeof *r); /* padding differs from run to run and compiler to compiler */
    for (int i = 0; i < 2; i++) {
        r->p[i].tag = (char)('a' + i);
        r->p[i].x = 1.5 * i;
        r->p[i].s = (short)-i;
    }
    memcpy(r->city, "Paris", 5);
    r->ld = 1.25L;
    r->on = 1;
    r->c = GREEN;
    r->f = 2.5f;
    weir_put(t, A_rec, r, NULL);
}

static void step_make(struct weir_task *t)
{
    const signed char i8 = -5;
    const unsigned long u64 = 0xfedcba9876543210ul;
    const float f = -0.1f;
    long double ld;
    const _Bool b = 1;
    const char ch = 'w';
    const enum color e = GREEN;
    double fix[3][2] = { { 1, 2 }, { 3, 4 }, { 5, -nan("7") } };
    const char chars[6] = "weir\n";
    size_t n = 0;
    memset(&ld, 0x77, sizeof ld);
    ld = 3.5L;
    weir_put(t, A_i8, &i8, NULL);
    weir_put(t, A_u64, &u64, NULL);
    weir_put(t, A_f, &f, NULL);
    weir_put(t, A_ld, &ld, NULL);
    weir_put(t, A_b, &b, NULL);
    weir_put(t, A_ch, &ch, NULL);
    weir_put(t, A_e, &e, NULL);
    make_struct(t);
    weir_put(t, A_fix, fix, NULL);
    weir_put(t, A_chars, chars, NULL);
    int *dyn = NULL;
    for (int i = 0; i < 10; i++) {
        dyn = weir_grow(t, A_dyn, dyn, n);
        need(dyn[n] == 0, "a new row is zero");
        dyn[n++] = i * i;
    }
    weir_put(t, A_dyn, dyn, (const size_t[]){ n });
    double (*dyn2)[2] = weir_resize(t, A_dyn2, NULL, 0, 4);
    dyn2[3][1] = 8;
    weir_put(t, A_dyn2, dyn2, (const size_t[]){ 4 });
    float *shaped = weir_resize(t, A_shaped, NULL, 0, 2 * 3 * 4);
    for (int i = 0; i < 24; i++) shaped[i] = (float)i;
    weir_put(t, A_shaped, shaped, (const size_t[]){ 2, 3, 4 });
    weir_put(t, A_text, "h\xc3\xa9llo, w\xc3\xb6rld", (const size_t[]){ 14 });
    weir_put(t, A_empty, "", (const size_t[]){ 0 });
    weir_put(t, A_none, NULL, (const size_t[]){ 0 });
    double *big = weir_resize(t, A_big, NULL, 0, BIG);
    for (size_t i = 0; i < BIG; i++) big[i] = (double)i / 7;
    big[17] = -nan("123");
    weir_put(t, A_big, big, (const size_t[]){ BIG });
}

static void step_change(struct weir_task *t)
{
    size_t n, d[WEIR_MAX_DIMS];
    const int *old = weir_get(t, A_dyn, &n);
    int *dyn = weir_resize(t, A_dyn, old, n, 5000);
    need(dyn[9] == 81 && dyn[10] == 0 && dyn[4999] == 0, "resize keeps rows and clears the rest");
    dyn = weir_resize(t, A_dyn, dyn, 5000, 3);
    dyn = weir_resize(t, A_dyn, dyn, 3, 20);
    need(dyn[2] == 4 && dyn[3] == 0 && dyn[9] == 0, "rows cut off come back as zero");
    weir_put(t, A_dyn, dyn, (const size_t[]){ 20 });
    const double *in = weir_get(t, A_big, d);
    need(d[0] == BIG && (size_t)in % 64 == 0 && in[70] == 10, "big");
    double *big = weir_resize(t, A_big, in, d[0], d[0] + 1);
    big[BIG] = 1;
    weir_put(t, A_big, big, (const size_t[]){ BIG + 1 });
    const double (*dyn2)[2] = weir_get(t, A_dyn2, d);
    need(d[0] == 4 && (size_t)dyn2 % 64 == 0 && dyn2[3][1] == 8 && dyn2[0][0] == 0, "dyn2");
    weir_put(t, A_dyn2, dyn2, d);
}

static void step_check(struct weir_task *t)
{
    size_t d[WEIR_MAX_DIMS];
    need(*(const signed char *)weir_get(t, A_i8, NULL) == -5, "i8");
    need(*(const unsigned long *)weir_get(t, A_u64, NULL) == 0xfedcba9876543210ul, "u64");
    need(*(const float *)weir_get(t, A_f, NULL) == -0.1f, "f");
    need(*(const long double *)weir_get(t, A_ld, NULL) == 3.5L, "ld");
    need(*(const _Bool *)weir_get(t, A_b, NULL), "b");
    need(*(const char *)weir_get(t, A_ch, NULL) == 'w', "ch");
    need(*(const enum color *)weir_get(t, A_e, NULL) == GREEN, "e");
    const record *r = weir_get(t, A_rec, NULL);
    need(r->p[1].tag == 'b' && r->p[1].x == 1.5 && r->p[1].s == -1 && !memcmp(r->city, "Paris", 5) && r->ld == 1.25L && r->on &&
         r->c == GREEN && r->f == 2.5f, "rec");
    const double (*fix)[2] = weir_get(t, A_fix, NULL);
    need(fix[2][0] == 5 && isnan(fix[2][1]) && !signbit(fix[2][1]), "fix");
    need(!memcmp(weir_get(t, A_chars, NULL), "weir\n", 6), "chars");
    const int *dyn = weir_get(t, A_dyn, d);
    need(d[0] == 20 && dyn[2] == 4 && dyn[19] == 0, "dyn");
    const float *shaped = weir_get(t, A_shaped, d);
    need(d[0] == 2 && d[1] == 3 && d[2] == 4 && shaped[23] == 23, "shaped");
    need(!strcmp(weir_get(t, A_text, d), "h\xc3\xa9llo, w\xc3\xb6rld") && d[0] == 14, "text");
    need(!strcmp(weir_get(t, A_empty, d), "") && d[0] == 0, "empty");
    (void)weir_get(t, A_none, d);
    need(d[0] == 0, "none");
    const double *big = weir_get(t, A_big, d);
    need(d[0] == BIG + 1 && big[BIG] == 1 && isnan(big[17]), "big");
    const double (*given)[2] = weir_get(t, A_given, d);
    need(d[0] == 3 && given[2][1] == 6, "given");
    need(!strcmp(setlocale(LC_ALL, NULL), "C"), "the locale is C");
    printf("all right, %.1f\n", given[0][1]);
}

#define READS(...) .reads = (const unsigned[]){ __VA_ARGS__ }, .nreads = sizeof (const unsigned[]){ __VA_ARGS__ } / sizeof(unsigned)
#define WRITES(...) .writes = (const unsigned[]){ __VA_ARGS__ }, .nwrites = sizeof (const unsigned[]){ __VA_ARGS__ } / sizeof(unsigned)
static const struct weir_step steps[] = {
    { .name = "make", .run = step_make, .next = (const unsigned[]){ 1 }, .nnext = 1, .foreach = -1,
      WRITES(A_i8, A_u64, A_f, A_ld, A_b, A_ch, A_e, A_rec, A_fix, A_chars, A_dyn, A_dyn2, A_shaped, A_text, A_empty, A_none, A_big),
      .cell = "cell [1]", .line = 1 },
    { .name = "change", .run = step_change, .next = (const unsigned[]){ 2 }, .nnext = 1, .foreach = -1,
      READS(A_dyn, A_dyn2, A_big), WRITES(A_dyn, A_dyn2, A_big), .cell = "cell [2]", .line = 1 },
    { .name = "check", .run = step_check, .foreach = -1,
      READS(A_i8, A_u64, A_f, A_ld, A_b, A_ch, A_e, A_rec, A_fix, A_chars, A_dyn, A_shaped, A_text, A_empty, A_none, A_big, A_given),
      .cell = "cell [3]", .line = 1 },
};

const struct weir_flow weir_flow = { .abi = WEIR_ABI, .name = "Types", .artifacts = artifacts, .nartifacts = NARTIFACTS,
                                     .steps = steps, .nsteps = 3, .first = 0 };
