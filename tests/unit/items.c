/* A cell split into items, and is_complete. */
#include "runtime/lang/items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One letter an item: # F(unction) D(eclaration) S(tatement) E(xpression). */
static enum err_code kinds(const char *text, char *out, size_t size, struct err *e)
{
    struct tokens t;
    struct arena a;
    struct items items = { 0 };
    arena_init(&a);
    assert_int_equal(lex(text, strlen(text), &t, e), ERR_NONE);
    enum err_code code = items_split(&t, NULL, NULL, &a, &items, e);
    size_t n = 0;
    for (size_t i = 0; !code && i < items.count && n + 1 < size; i++) {
        out[n++] = "#FDSE"[items.at[i].kind];
        assert_true(items.at[i].first < items.at[i].end && items.at[i].end <= t.count);
        assert_true(i == 0 || items.at[i].first >= items.at[i - 1].end);
    }
    out[n] = '\0';
    tokens_done(&t);
    arena_done(&a);
    return code;
}

static void test_items_by_kind(void **state)
{
    static const struct { const char *text, *kinds; } table[] = {
        { "", "" },
        { ";;", "" },
        { "int x = 3; x", "DE" },
        { "#include <stdio.h>\nint main(void) { return 0; }", "#F" },
        { "for (int i = 0; i < 3; i++) { f(i); } x++;", "SS" },
        { "if (a) b; else if (c) d; else { e; } f", "SE" },
        { "do x--; while (x); y;", "SS" },
        { "again: x++; if (x < 3) goto again;", "SS" },
        { "switch (x) { case 1: f(); default: ; } x ? y : z", "SE" },
        { "typedef int T; T x; T * y; x * y", "DDDE" },
        { "#define REAL double\nREAL x; REAL *p;", "#DD" },
        { "struct p { int x; }; struct p q = { 1 }; q.x", "DDE" },
        { "each(i, 3) { f(i); } x", "SE" },
        { "{ int local; } x = 1;", "SS" },
        { "case_of(x); while (1) if (y) break;", "SS" },
        { "int f(a) int a; { return a; } f(1)", "FE" },
        { "({ int t = 1; t; })", "E" },
        { "(struct p){ 1, 2 }", "E" },
        { "x\n#define N 3", "E#" },
        { "#if A\n1\n#else\n2\n#endif", "#E#E#" },
        { "x = (int[]){ 1, 2 }[0];", "S" },
        { "_Static_assert(1, \"\"); enum { A, B };", "DD" },
        { "T (x); a < b;", "SS" },
        { "\"a\" \"b\"", "E" },
        { "for (;;) ; while (0);", "SS" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char got[64];
        struct err e = { 0 };
        if (kinds(table[i].text, got, sizeof got, &e) || strcmp(got, table[i].kinds) != 0) {
            fail_msg("%s\n%s, not %s (%s)", table[i].text, got, table[i].kinds, e.msg);
        }
    }
}

static void test_errors_say_what_and_where(void **state)
{
    static const struct { const char *text; int line; const char *message; } table[] = {
        { "f(1;\n", 1, "'(' is never closed" },
        { "x = 1;\n}", 2, "'}' closes nothing" },
        { "f(\n]", 2, "']' does not close the '(' of line 1" },
        { "int x = \"abc;\n", 1, "a string is not closed on its line" },
        { "char c = 'ab;\n", 1, "a character constant is not closed on its line" },
        { "x; /* no\nend", 2, "a comment is never closed: '*/' expected" },
        { "\nelse x;", 2, "'else' without 'if'" },
        { "if x;", 1, "'(' expected" },
        { "do x; until (y);", 1, "'while (...);' expected after 'do'" },
        { "return 1", 1, "';' expected before the end" },
        { "int x", 1, "'=', ',' or ';' expected before the end" },
        { "int 3;", 1, "a name expected before '3'" },
        { "x \\", 1, "the last line ends in a backslash" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char got[64];
        struct err e;
        assert_int_equal(kinds(table[i].text, got, sizeof got, &e), ERR_SYNTAX);
        assert_string_equal(e.msg, table[i].message);
        assert_int_equal(e.line, table[i].line);
    }
}

static void test_nesting_has_a_limit(void **state)
{
    char *text = malloc(200001);
    char got[64];
    struct err e;
    (void)state;
    assert_non_null(text);
    memset(text, '(', 200000);
    text[200000] = '\0';
    assert_int_equal(kinds(text, got, sizeof got, &e), ERR_SYNTAX);
    assert_non_null(strstr(e.msg, "brackets nest deeper than 1000"));
    for (size_t i = 0; i + 3 < 200000; i += 3) {
        memcpy(text + i, "do ", 3);
    }
    text[199998] = '\0';
    assert_int_equal(kinds(text, got, sizeof got, &e), ERR_SYNTAX);
    assert_non_null(strstr(e.msg, "statements nest too deep"));
    free(text);
}

static void test_is_complete(void **state)
{
    static const struct { const char *text; enum completeness answer; const char *indent; } table[] = {
        { "", COMPLETE, "" },
        { "int x = 3;", COMPLETE, "" },
        { "x", COMPLETE, "" },
        { "x +", INCOMPLETE, "" },
        { "x++", COMPLETE, "" },
        { "int x", INCOMPLETE, "" },
        { "int f(void)", INCOMPLETE, "    " },
        { "int f(void) {", INCOMPLETE, "    " },
        { "int f(void) { if (x) {", INCOMPLETE, "        " },
        { "int f(void) { }", COMPLETE, "" },
        { "f(1,", INCOMPLETE, "    " },
        { "struct p { int x; }", INCOMPLETE, "" },
        { "if (x)", INCOMPLETE, "    " },
        { "if (x) y; else", INCOMPLETE, "    " },
        { "for (;;) x++;", COMPLETE, "" },
        { "/* open", INCOMPLETE, "" },
        { "#define A \\", INCOMPLETE, "" },
        { "#define A 1", COMPLETE, "" },
        { "#if A\nint x;", INCOMPLETE, "" },
        { "#if A\nint x;\n#endif", COMPLETE, "" },
        { "\"open", INVALID, "" },
        { ")", INVALID, "" },
        { "int 3x;", INVALID, "" },
        { "else x;", INVALID, "" },
        { "foo bar = 3;", COMPLETE, "" },
        { "%flow show", COMPLETE, "" },
        { "%%step a -> b\nint x;", INCOMPLETE, "" },
        { "%%step a -> b\nint x;\n\n", COMPLETE, "" },
        { "!ls", COMPLETE, "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char indent[32];
        enum completeness got = items_complete(table[i].text, indent, sizeof indent);
        if (got != table[i].answer || strcmp(indent, table[i].indent) != 0) {
            fail_msg("%s: %d '%s'", table[i].text, (int)got, indent);
        }
    }
}

static void test_indent_is_cut_to_its_room(void **state)
{
    char indent[3] = "xx";
    (void)state;
    assert_int_equal(items_complete("{ {", indent, sizeof indent), INCOMPLETE);
    assert_string_equal(indent, "  ");
    assert_int_equal(items_complete("{ {", NULL, 0), INCOMPLETE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_by_kind),
        cmocka_unit_test(test_errors_say_what_and_where),
        cmocka_unit_test(test_nesting_has_a_limit),
        cmocka_unit_test(test_is_complete),
        cmocka_unit_test(test_indent_is_cut_to_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
