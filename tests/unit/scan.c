/* Free identifiers of a body, artifact lines, assignments. */
#include "runtime/base/buf.h"
#include "runtime/lang/assign.h"
#include "runtime/lang/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool is_typedef(void *ctx, const char *name, size_t len)
{
    (void)ctx;
    return (len == 6 && memcmp(name, "size_t", 6) == 0) || (len == 6 && memcmp(name, "result", 6) == 0);
}

static bool is_call(void *ctx, const char *name, size_t len)
{
    (void)ctx;
    return (len == 3 && memcmp(name, "GET", 3) == 0) || (len == 3 && memcmp(name, "FOR", 3) == 0);
}

static const struct scan_options options = { .is_typedef = is_typedef, .is_call = is_call, .word = "artifact" };

/* The free identifiers of text, separated by blanks; arguments of macros in parentheses. */
static void uses(const char *text, char *out, size_t size)
{
    struct tokens t;
    struct arena a;
    struct scan s;
    struct err e = { .code = ERR_NONE };
    arena_init(&a);
    assert_int_equal(lex(text, strlen(text), &t, &e), ERR_NONE);
    out[0] = '\0';
    if (scan_body(&t, 0, (uint32_t)t.count, &options, &a, &s, &e)) {
        (void)snprintf(out, size, "line %d: %s", e.line, e.msg);
    } else {
        for (size_t i = 0; i < s.nuses; i++) {
            const struct token *k = &t.at[s.uses[i].token];
            size_t n = strlen(out);
            (void)snprintf(out + n, size - n, s.uses[i].argument ? "%s(%.*s)" : "%s%.*s", i ? " " : "", (int)k->len,
                           text + k->start);
        }
    }
    tokens_done(&t);
    arena_done(&a);
}

struct row { const char *text, *want; };

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char got[512];
        uses(rows[i].text, got, sizeof got);
        assert_string_equal(got, rows[i].want);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows)[0])

static void locals_are_no_uses(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "int x = y; x = z;", "y z" },
        { "int x = x;", "" },
        { "{ int x; x = 1; } x = 2;", "x" },
        { "for (int i = 0; i < n; i++) s += i; i = 2;", "n s i" },
        { "int a = b, b = a; b++;", "b" },
        { "double v[n], *p = v + m; p[k] = 0;", "n m k" },
        { "if (x) { int x = 1; x++; } else x--;", "x x" },
        { "do { int q; q = w; } while (q);", "w q" },
        { "switch (k) { case A: { int k = 1; k; } default: k; }", "k A k" },
        { "while (a) b;", "a b" },
        { "static int count; count++;", "" },
        { "extern double g; g = 1;", "" },
        { "int (*f)(int x, double y) = g; f(x, y);", "g x y" },
        { "double (*m)[K] = data; m[0][0] = 1;", "K data" },
        { "size_t n = size_t_like;", "size_t size_t_like" },
    };
    CHECK(rows);
}

static void members_tags_and_labels_are_no_uses(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "a.x = b->y.z;", "a b" },
        { "result r = { .rate = rate, .loss = 1 };", "result rate" },
        { "int v[3] = { [i] = j };", "i j" },
        { "struct x { int y; double z[n]; } q; q.y = y;", "n y" },
        { "struct data d; d.data = 1;", "" },
        { "enum { RED, GREEN = base } c = RED; c = GREEN; c = BLUE;", "base BLUE" },
        { "again: x++; goto again;", "x" },
        { "y = a ? b : c;", "y a b c" },
        { "switch (s) { case 1: done: x; }", "s x" },
        { "switch (s) { case a ? b : c: x; }", "s a b c x" },
        { "n = offsetof(struct p, x);", "n offsetof" },
        { "__asm__(\"nop\" : [out] \"=r\"(x));", "x" },
        { "int v __attribute__((unused)) = w;", "w" },
        { "x = sizeof(struct rate) + sizeof rate;", "x rate" },
    };
    CHECK(rows);
}

static void types_made_in_the_body_hide_outer_ones(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "typedef int mine; mine x = y; mine(*p) = &x;", "y" },
        { "int result = 3; result * x;", "x" },
        { "result * x; x = y;", "result y" },
        { "{ typedef int T; T a; } T * b;", "T b" },
    };
    CHECK(rows);
}

static void arguments_of_macros_are_marked(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "x = GET(r, loss) + GET(a);", "x GET (r) (loss) GET (a)" },
        { "FOR(i, n) { x += i; }", "FOR (i) (n) x i" },
        { "FOR(i, n) x += i;", "FOR (i) (n) x i" },
    };
    CHECK(rows);
}

static void expressions_of_gnu_c_are_walked(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "x = ({ int y = z; y; }) + y;", "x z y" },
        { "__typeof__(x) y = x; y;", "x x" },
        { "p = (result){ .x = y };", "p result y" },
        { "x = _Generic(y, int: a, default: b);", "x y a b" },
        { "#pragma omp parallel\nx++;", "x" },
    };
    CHECK(rows);
}

static void mistakes_are_told_with_their_line(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "x = 1;\ny = (2;\n", "line 2: '(' is never closed" },
        { "x = 1;\n}\n", "line 2: '}' without its partner" },
        { "x = 1", "line 1: the statement has no ';'" },
        { "{ x = 1 }", "line 1: the statement has no ';'" },
        { "if (x)", "line 1: a statement is missing at the end" },
        { "\nelse x;", "line 2: 'else' without 'if'" },
        { "do x;", "line 1: 'while' expected after the statement of 'do'" },
        { "int f(int x) { return x; }", "line 1: a function inside a step; define it in a plain cell" },
        { "x = \"abc", "line 1: a string or character is never closed" },
        { "x; /* abc", "line 1: a comment is never closed" },
        { "if (x) { artifact int y; }",
          "line 1: `artifact` inside a block; declare it in the step's outermost block and assign it here" },
        { "artifact static int x;", "line 1: after `artifact` stands a type, without static, extern or typedef" },
    };
    CHECK(rows);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    char text[3000], got[200];
    memset(text, '{', 1200);
    memset(text + 1200, '}', 1200);
    text[2400] = '\0';
    uses(text, got, sizeof got);
    assert_string_equal(got, "line 1: brackets are nested too deep");
    for (int i = 0; i < 600; i++) {
        memcpy(text + 4 * i, "do  ", 4);
    }
    text[2400] = '\0';
    uses(text, got, sizeof got);
    assert_string_equal(got, "line 1: statements are nested too deep");
}

/* ---- artifact lines ---- */

static void items(const char *text, char *out, size_t size)
{
    struct tokens t;
    struct arena a;
    struct scan s;
    struct err e = { .code = ERR_NONE };
    arena_init(&a);
    assert_int_equal(lex(text, strlen(text), &t, &e), ERR_NONE);
    assert_int_equal(scan_body(&t, 0, (uint32_t)t.count, &options, &a, &s, &e), ERR_NONE);
    out[0] = '\0';
    for (size_t i = 0; i < s.nitems; i++) {
        struct buf type;
        buf_init(&type, 0);
        if (s.items[i].type) {
            ctype_print(&type, s.items[i].type, s.items[i].name);
        } else {
            buf_printf(&type, "(in) %s", s.items[i].name);
        }
        size_t n = strlen(out);
        (void)snprintf(out + n, size - n, "%s%s%s", i ? "; " : "", type.data,
                       s.items[i].init_end > s.items[i].init_first ? " =" : "");
        buf_done(&type);
    }
    tokens_done(&t);
    arena_done(&a);
}

static void artifact_lines_are_found(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "artifact int x = 1;", "int x =" },
        { "artifact double data[][2]; data[0][0] = 1;", "double data[][2]" },
        { "artifact x;", "(in) x" },
        { "artifact x, y;", "(in) x; (in) y" },
        { "artifact int a = f(1, 2), *b, c[3] = {1, 2};", "int a =; int *b; int c[3] =" },
        { "artifact result r = { .rate = 1 };", "result r =" },
        { "artifact unknown u;", "unknown u" },
        { "int artifact = 3; artifact = 4; artifact++;", "" },
        { "x.artifact = 3; f(artifact);", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char got[512];
        items(rows[i].text, got, sizeof got);
        assert_string_equal(got, rows[i].want);
    }
}

static void types_of_artifacts_must_be_global(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "struct p { int x; };\nartifact struct p q;",
          "line 2: 'p', the type of 'q', is defined inside this step; move its definition into a plain cell, so that "
          "other steps know "
          "it" },
        { "typedef int mine; artifact mine x[3];", "line 1: 'mine', the type of 'x', is defined inside this step; move "
                                                   "its definition into a plain cell, so that other steps "
                                                   "know it" },
        { "artifact enum { A } x;",
          "line 1: the type of 'x' is spelt out here; define it in a plain cell and use its name, so that "
          "other steps can use it too" },
    };
    CHECK(rows);
}

/* ---- assignments ---- */

/* Whether the first `x` of text is assigned. */
static bool assigned(const char *text)
{
    struct tokens t;
    struct arena a;
    struct scan s;
    struct err e = { .code = ERR_NONE };
    bool is = false;
    arena_init(&a);
    assert_int_equal(lex(text, strlen(text), &t, &e), ERR_NONE);
    assert_int_equal(scan_body(&t, 0, (uint32_t)t.count, &options, &a, &s, &e), ERR_NONE);
    for (uint32_t i = 0; i < t.count; i++) {
        if (token_is(&t, i, "x")) {
            is = assign_is_target(&t, s.match, i, i + 1);
            break;
        }
    }
    tokens_done(&t);
    arena_done(&a);
    return is;
}

static void assignments_are_seen(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "x = 1;",      "x += 1;",         "x <<= 1;",          "x++;",        "--x;",           "x[i] = 1;",
        "x.f++;",      "x[i][j].f -= 2;", "(x) = 1;",          "(*x) = 1;",   "*x = 1;",        "*x++;",
        "(*x).f = 1;", "++(x.f);",        "y = x = 2;",        "if (y) ++x;", "if (y) *x = 1;", "f(x = 2);",
        "x->f = 1;",   "((x)[1]) = 2;",   "for (x = 0; ; ) ;",
    };
    static const char *const no[] = {
        "y = x;",
        "x == 1;",
        "y[x] = 1;",
        "y = *x;",
        "if (x) y++;",
        "while (x) --y;",
        "f(x)->g = 1;",
        "y * x;",
        "a[i] = x[i];",
        "y = (x); z = 1;",
        "(y)[x] += 1;",
        "x <= 2;",
        "y = x ? 1 : 2;",
        "y += x;",
        "y = -x; y--;",
        "y = (double)x; y++;",
        "&x;",
    };
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (!assigned(yes[i])) {
            fail_msg("not seen: %s", yes[i]);
        }
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        if (assigned(no[i])) {
            fail_msg("seen, but there is none: %s", no[i]);
        }
    }
}

/* ---- functions ---- */

static void parameters_of_functions_are_locals(void **state)
{
    (void)state;
    static const char text[] =
        "double f(int n, const double x[n], struct p *q) { double s = 0; for (int i = 0; i < n; i++) s += x[i] * "
        "rate; return s + q->rate; }";
    struct tokens t;
    struct arena a;
    struct scan s;
    struct cdeclaration d;
    struct scan_options o = options;
    o.word = NULL;
    arena_init(&a);
    assert_int_equal(lex(text, sizeof text - 1, &t, NULL), ERR_NONE);
    assert_int_equal(ctype_parse(&t, 0, is_typedef, NULL, &a, &d, NULL), ERR_NONE);
    assert_int_equal(scan_declaration(&t, &d, &o, &a, &s, NULL), ERR_NONE);
    assert_int_equal(s.nuses, 1);
    assert_true(scan_is(&t, s.uses[0].token, "rate"));
    assert_int_equal(s.ntags, 1);
    tokens_done(&t);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locals_are_no_uses),
        cmocka_unit_test(members_tags_and_labels_are_no_uses),
        cmocka_unit_test(types_made_in_the_body_hide_outer_ones),
        cmocka_unit_test(arguments_of_macros_are_marked),
        cmocka_unit_test(expressions_of_gnu_c_are_walked),
        cmocka_unit_test(mistakes_are_told_with_their_line),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(artifact_lines_are_found),
        cmocka_unit_test(types_of_artifacts_must_be_global),
        cmocka_unit_test(assignments_are_seen),
        cmocka_unit_test(parameters_of_functions_are_locals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
