/* The first line of a flow's cell. */
#include "runtime/lang/stepline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A parsed line as text: "step Grid.start join -> a, b foreach x in xs @ offset". */
static void parsed(const char *text, char *out, size_t size)
{
    struct arena a;
    struct stepline l;
    struct err e = { .code = ERR_NONE };
    arena_init(&a);
    if (stepline_parse(text, strlen(text), &a, &l, &e)) {
        (void)snprintf(out, size, "%s", e.msg);
    } else {
        int n = snprintf(out, size, "%s %s%s%s%s", l.kind == STEPLINE_FLOW ? "flow" : "step", l.flow ? l.flow : "",
                         l.flow && l.step ? "." : "", l.step ? l.step : "", l.join ? " join" : "");
        for (unsigned i = 0; i < l.nnext; i++) {
            n += snprintf(out + n, size - (size_t)n, "%s%s", i ? ", " : " -> ", l.next[i]);
        }
        if (l.variable) {
            n += snprintf(out + n, size - (size_t)n, " foreach %s in %s", l.variable, l.over);
        }
        (void)snprintf(out + n, size - (size_t)n, " @ %zu", l.body);
    }
    arena_done(&a);
}

struct row { const char *text, *want; };

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char got[512];
        parsed(rows[i].text, got, sizeof got);
        assert_string_equal(got, rows[i].want);
    }
}

static void steps_are_read(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "%%step end", "step end @ 10" },
        { "%%step end\n", "step end @ 11" },
        { "%%step start -> a\nbody", "step start -> a @ 18" },
        { "%%step start->a,b , c\n", "step start -> a, b, c @ 22" },
        { "%%step Grid.train -> best", "step Grid.train -> best @ 25" },
        { "%%step best join -> end", "step best join -> end @ 23" },
        { "%%step join", "step join @ 11" },
        { "%%step join join -> join", "step join join -> join @ 24" },
        { "%%step end join", "step end join @ 15" },
        { "%%step s -> t foreach rate in rates", "step s -> t foreach rate in rates @ 35" },
        { "%%step s -> t foreach i in 10", "step s -> t foreach i in 10 @ 29" },
        { "%%step\ts\t->\tt\r\nx", "step s -> t @ 15" },
        { "\n \n%%step end", "step end @ 13" },
        { "  %%step end", "the cell does not begin with `%%step` or `%%flow`" },
    };
    check(rows, sizeof rows / sizeof rows[0]);
}

static void flows_are_read(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "%%flow Grid", "flow Grid @ 11" },
        { "%%flow Grid // the grid\nparam int x;", "flow Grid @ 24" },
        { "%%flow", "the line ends where the flow's name should stand" },
        { "%%flow a b", "'b' stands where the end of the line should" },
    };
    check(rows, sizeof rows / sizeof rows[0]);
}

static void comments_and_continuations_are_no_part_of_it(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "%%step a -> b // foreach x in y\nz", "step a -> b @ 32" },
        { "%%step a -> \\\n  b, \\\n  c\nz", "step a -> b, c @ 25" },
        { "%%step a -> \\\r\n  b\r\nz", "step a -> b @ 20" },
        { "%%step a // more \\\n -> b\nz", "step a @ 25" },
    };
    check(rows, sizeof rows / sizeof rows[0]);
}

static void options_are_refused_by_name(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "%%step a -> b --retry 3", "`--retry` is not supported yet" },
        { "%%step a --timeout=60s", "`--timeout` is not supported yet" },
        { "%%step a -> b gang 4", "`gang` is not supported yet" },
        { "%%step a -> {x: b} on y", "`-> {value: step, ...} on name` is not supported yet" },
        { "%%step a -> b foreach x in xs, y in ys", "`foreach x in xs, y in ys` is not supported yet" },
        { "%%step a -> b foreach (x, y) in zip(xs, ys)", "`foreach (x, y) in zip(...)` is not supported yet" },
        { "%%step a -> b foreach x in f(3)", "an expression after `in` is not supported yet" },
    };
    check(rows, sizeof rows / sizeof rows[0]);
}

static void mistakes_say_what_was_expected(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "%%step", "the line ends where the step's name should stand" },
        { "%%step a ->", "the line ends where the name of a step should stand" },
        { "%%step a -> b,", "the line ends where the name of a step should stand" },
        { "%%step a b", "'b' stands where the end of the line should" },
        { "%%step a -> b c", "'c' stands where the end of the line should" },
        { "%%step a -> b join", "`join` stands before the arrow: `%%step a join -> ...`" },
        { "%%step 3a", "'3a' stands where the step's name should" },
        { "%%step a-b", "'-' stands where the end of the line should" },
        { "%%step for", "'for' is a word of C and can't be the step's name" },
        { "%%step a__b",
          "'a__b' can't be the step's name: names with `__` and names that begin with `weir_` are reserved" },
        { "%%step a -> b foreach x of y", "'of' stands where `in` should" },
        { "%%step a -> b foreach x in",
          "the line ends where what foreach goes over (an array, a parameter, or an integer) should stand" },
        { "%%step a -> b, c foreach x in y",
          "foreach fans out to one step, and here are 2 targets; let that step lead on to the others" },
        { "%%step Grid.", "the line ends where the step's name should stand" },
        { "int x;", "the cell does not begin with `%%step` or `%%flow`" },
    };
    check(rows, sizeof rows / sizeof rows[0]);
}

static void long_names_and_lines_are_refused(void **state)
{
    (void)state;
    char text[20000], got[512];
    (void)snprintf(text, sizeof text, "%%%%step %0150d", 1);
    memset(text + 7, 'a', 150);
    parsed(text, got, sizeof got);
    assert_string_equal(got, "the step's name is longer than 100 characters");
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "%%step ", 7);
    text[sizeof text - 1] = '\0';
    parsed(text, got, sizeof got);
    assert_string_equal(got, "the line is longer than 16384 characters");
}

static void kind_is_told_by_the_first_word(void **state)
{
    (void)state;
    assert_int_equal(stepline_kind("%%flow x", 8), STEPLINE_FLOW);
    assert_int_equal(stepline_kind("\n%%step", 7), STEPLINE_STEP);
    assert_int_equal(stepline_kind("%%steps", 7), STEPLINE_NONE);
    assert_int_equal(stepline_kind("%flow run", 9), STEPLINE_NONE);
    assert_int_equal(stepline_kind("", 0), STEPLINE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_read),
        cmocka_unit_test(flows_are_read),
        cmocka_unit_test(comments_and_continuations_are_no_part_of_it),
        cmocka_unit_test(options_are_refused_by_name),
        cmocka_unit_test(mistakes_say_what_was_expected),
        cmocka_unit_test(long_names_and_lines_are_refused),
        cmocka_unit_test(kind_is_told_by_the_first_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
