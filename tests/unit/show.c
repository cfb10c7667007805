/* Values and tables as people read them: goldens, and floating numbers that read back equal. */
#include "runtime/type/show.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/comma_locale.h"

#define MEMBER(S, m, k)                                                                                                \
    {                                                                                                                  \
        .name = #m, .offset = offsetof(S, m), .size = sizeof(((S *)0)->m), .kind = k                                   \
    }

struct point {
    double x, y;
};
static const struct weir_field point_members[] = { MEMBER(struct point, x, WEIR_FLOAT),
                                                   MEMBER(struct point, y, WEIR_FLOAT) };
static const struct weir_type point_type = {
    .name = "struct point", .size = sizeof(struct point), .members = point_members, .nmembers = 2
};
static const struct weir_enumerator colors[] = { { "RED", 0 }, { "GREEN", 5 }, { "BLUE", -1 } };
static const struct weir_type color_type = {
    .name = "enum color", .size = 4, .enumerators = colors, .nenumerators = 3
};

struct city {
    char name[8];
    struct point at;
    int color;
    int counts[3];
    const char *note;
};
static const struct weir_field city_members[] = {
    { .name = "name", .offset = offsetof(struct city, name), .size = 1, .kind = WEIR_CHAR, .ndim = 1, .dim = { 8 } },
    { .name = "at",
      .offset = offsetof(struct city, at),
      .size = sizeof(struct point),
      .kind = WEIR_STRUCT,
      .type = &point_type },
    { .name = "color", .offset = offsetof(struct city, color), .size = 4, .kind = WEIR_ENUM, .type = &color_type },
    { .name = "counts", .offset = offsetof(struct city, counts), .size = 4, .kind = WEIR_INT, .ndim = 1, .dim = { 3 } },
    { .name = "note", .offset = offsetof(struct city, note), .size = 8, .kind = WEIR_STRING },
};
static const struct weir_type city_type = {
    .name = "city", .size = sizeof(struct city), .members = city_members, .nmembers = 5
};

static void check(const struct weir_field *f, const void *data, const char *expected)
{
    struct buf out;
    struct err e;
    buf_init(&out, 0);
    assert_int_equal(show_value(&out, f, data, NULL, &e), ERR_NONE);
    assert_string_equal(out.data, expected);
    buf_done(&out);
}

#define SHOW(T, k, expected, ...)                                                                                      \
    check(&(struct weir_field){ .name = "x", .size = sizeof(T), .kind = k }, &(T){ __VA_ARGS__ }, expected)

/* ---- scalars ---- */

static void integers_of_every_size(void **state)
{
    (void)state;
    SHOW(signed char, WEIR_INT, "-128", -128);
    SHOW(short, WEIR_INT, "-1", -1);
    SHOW(int, WEIR_INT, "-2147483648", INT_MIN);
    SHOW(long, WEIR_INT, "-9223372036854775808", LONG_MIN);
    SHOW(unsigned char, WEIR_UINT, "255", 255);
    SHOW(unsigned short, WEIR_UINT, "65535", 65535);
    SHOW(unsigned, WEIR_UINT, "4294967295", UINT_MAX);
    SHOW(unsigned long, WEIR_UINT, "18446744073709551615", ULONG_MAX);
    SHOW(_Bool, WEIR_BOOL, "true", 1);
    SHOW(_Bool, WEIR_BOOL, "false", 0);
}

static void floating_is_shortest_and_never_looks_like_an_integer(void **state)
{
    (void)state;
    SHOW(double, WEIR_FLOAT, "0.1", 0.1);
    SHOW(double, WEIR_FLOAT, "0.30000000000000004", 0.1 + 0.2);
    SHOW(double, WEIR_FLOAT, "2.0", 2);
    SHOW(double, WEIR_FLOAT, "-0.0", -0.0);
    SHOW(double, WEIR_FLOAT, "1e+22", 1e22);
    SHOW(double, WEIR_FLOAT, "123456789012345.0", 123456789012345);
    SHOW(double, WEIR_FLOAT, "5e-324", 5e-324);
    SHOW(double, WEIR_FLOAT, "1.7976931348623157e+308", DBL_MAX);
    SHOW(double, WEIR_FLOAT, "inf", INFINITY);
    SHOW(double, WEIR_FLOAT, "-inf", -INFINITY);
    SHOW(double, WEIR_FLOAT, "nan", -NAN);
    SHOW(float, WEIR_FLOAT, "0.1", 0.1f);
    SHOW(float, WEIR_FLOAT, "16777216.0", 16777216.0f);
    SHOW(float, WEIR_FLOAT, "1e-45", 1e-45f);
    SHOW(long double, WEIR_FLOAT, "0.25",
         0.25L); /* more digits: in test_npy_numpy.py, since valgrind has only 53 bits */
    SHOW(long double, WEIR_FLOAT, "2.0", 2.0L);
    SHOW(long double, WEIR_FLOAT, "nan", (long double)NAN);
}

static void random_doubles_read_back_equal(void **state)
{
    (void)state;
    struct weir_field f = { .name = "x", .size = 8, .kind = WEIR_FLOAT };
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13; /* xorshift64 */
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double x;
        struct buf out;
        memcpy(&x, &bits, sizeof x);
        if (isnan(x)) {
            continue;
        }
        buf_init(&out, 0);
        assert_int_equal(show_value(&out, &f, &x, NULL, NULL), ERR_NONE);
        double back = strtod(out.data, NULL);
        assert_memory_equal(&back, &x, sizeof x);
        buf_done(&out);
    }
}

static void the_users_locale_changes_nothing(void **state)
{
    (void)state;
    comma_locale();
    SHOW(double, WEIR_FLOAT, "2.5", 2.5);
    SHOW(double, WEIR_FLOAT, "0.1", 0.1);
    assert_non_null(setlocale(LC_ALL, "C"));
}

static void characters_are_escaped(void **state)
{
    (void)state;
    SHOW(char, WEIR_CHAR, "'a'", 'a');
    SHOW(char, WEIR_CHAR, "'\\''", '\'');
    SHOW(char, WEIR_CHAR, "'\"'", '"');
    SHOW(char, WEIR_CHAR, "'\\n'", '\n');
    SHOW(char, WEIR_CHAR, "'\\0'", '\0');
    SHOW(char, WEIR_CHAR, "'\\\\'", '\\');
    SHOW(char, WEIR_CHAR, "'\\377'", (char)0xff);
    SHOW(char, WEIR_CHAR, "'\\033'", 27);
}

static void enums_are_named(void **state)
{
    (void)state;
    struct weir_field f = { .name = "x", .size = 4, .kind = WEIR_ENUM, .type = &color_type };
    check(&f, &(int){ 5 }, "GREEN");
    check(&f, &(int){ -1 }, "BLUE");
    check(&f, &(int){ 7 }, "(enum color) 7");
    check(&f, &(int){ -7 }, "(enum color) -7");
    struct weir_type flags = { .name = "flags", .size = 4, .enumerators = colors, .nenumerators = 2 };
    f.type = &flags;
    check(&f, &(unsigned){ 4000000000 }, "(flags) 4000000000");
}

static void pointers_show_their_address(void **state)
{
    (void)state;
    SHOW(void *, WEIR_POINTER, "NULL", NULL);
    SHOW(void *, WEIR_POINTER, "0x1234", (void *)0x1234);
    struct weir_field f = { .name = "x", .size = 8, .kind = WEIR_POINTER, .type = &point_type };
    check(&f, &(void *){ (void *)0x1234 }, "(struct point *) 0x1234");
}

/* ---- text ---- */

static void strings_are_quoted_and_escaped(void **state)
{
    (void)state;
    SHOW(const char *, WEIR_STRING, "NULL", NULL);
    SHOW(const char *, WEIR_STRING, "\"\"", "");
    SHOW(const char *, WEIR_STRING, "\"a\\\"b\\\\c\\n\\0011\"",
         "a\"b\\c\n\1"
         "1");
    SHOW(const char *, WEIR_STRING, "\"gr\xc3\xbc\xc3\x9f\"", "gr\xc3\xbc\xc3\x9f");
    SHOW(const char *, WEIR_STRING, "\"\\377\\303\"", "\xff\xc3");
}

static void char_arrays_end_at_their_nul_or_their_end(void **state)
{
    (void)state;
    struct weir_field f = { .name = "x", .size = 1, .kind = WEIR_CHAR, .ndim = 1, .dim = { 4 } };
    check(&f, "ab\0d", "\"ab\"");
    check(&f, "abcd", "\"abcd\"");
    check(&f, "\0bcd", "\"\"");
    f.dim[0] = 0;
    check(&f, "", "\"\"");
    f = (struct weir_field){ .name = "x", .size = 1, .kind = WEIR_CHAR, .ndim = 2, .dim = { 2, 3 } };
    check(&f, "ab\0def", "{\"ab\", \"def\"}");
}

static void long_text_is_cut_between_characters(void **state)
{
    (void)state;
    struct show_limits limits = show_defaults;
    struct weir_field f = { .name = "x", .size = 1, .kind = WEIR_CHAR, .ndim = 1, .dim = { 8 } };
    struct buf out;
    buf_init(&out, 0);
    limits.text = 3;
    assert_int_equal(show_value(&out, &f,
                                "ab\xc3\xbc"
                                "efgh",
                                &limits, NULL),
                     ERR_NONE);
    assert_string_equal(out.data, "\"ab\"... 6 more");
    buf_clear(&out);
    f = (struct weir_field){ .name = "x", .size = 8, .kind = WEIR_STRING };
    assert_int_equal(show_value(&out, &f, &(const char *){ "abcd" }, &limits, NULL), ERR_NONE);
    assert_string_equal(out.data, "\"abc\"...");
    buf_done(&out);
}

static void bad_pointers_are_addresses(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char expected[64];
    assert_true(map != MAP_FAILED);
    memset(map, 'x', page);
    assert_int_equal(mprotect(map + page, page, PROT_NONE), 0);
    SHOW(const char *, WEIR_STRING, "(char *) 0x1", (const char *)1);
    (void)snprintf(expected, sizeof expected, "(char *) %p", (void *)(map + page - 2)); /* runs out of its page */
    SHOW(const char *, WEIR_STRING, expected, map + page - 2);
    map[page - 1] = '\0';
    SHOW(const char *, WEIR_STRING, "\"x\"", map + page - 2); /* ends in time */
    assert_int_equal(munmap(map, 2 * page), 0);
}

/* ---- structs and arrays ---- */

static void structs_are_one_line(void **state)
{
    (void)state;
    struct weir_field f = { .name = "x", .size = sizeof(struct city), .kind = WEIR_STRUCT, .type = &city_type };
    struct city oslo = { "Oslo", { 59.9, 10 }, 5, { 1, 2, 3 }, NULL };
    check(&f, &oslo,
          "{.name = \"Oslo\", .at = {.x = 59.9, .y = 10.0}, .color = GREEN, .counts = {1, 2, 3}, .note = NULL}");
}

static void deep_structs_are_cut(void **state)
{
    (void)state;
    struct weir_field f = { .name = "x", .size = sizeof(struct city), .kind = WEIR_STRUCT, .type = &city_type };
    struct city oslo = { .name = "Oslo" };
    struct show_limits limits = show_defaults;
    struct buf out;
    buf_init(&out, 0);
    limits.depth = 1;
    assert_int_equal(show_value(&out, &f, &oslo, &limits, NULL), ERR_NONE);
    assert_string_equal(out.data, "{.name = \"Oslo\", .at = {...}, .color = RED, .counts = {0, 0, 0}, .note = NULL}");
    buf_done(&out);
}

static void arrays_are_cut(void **state)
{
    (void)state;
    int values[100];
    for (int i = 0; i < 100; i++) {
        values[i] = i;
    }
    struct weir_field f = { .name = "x", .size = 4, .kind = WEIR_INT, .ndim = 1, .dim = { 3 } };
    check(&f, values, "{0, 1, 2}");
    f.dim[0] = 10;
    check(&f, values, "{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}");
    f.dim[0] = 100;
    check(&f, values, "{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... 90 more}");
    f.dim[0] = 0;
    check(&f, values, "{}");
}

static void rows_have_lines_and_are_cut_at_ten(void **state)
{
    (void)state;
    short values[100][2];
    for (short i = 0; i < 100; i++) {
        values[i][0] = i;
        values[i][1] = (short)-i;
    }
    struct weir_field f = { .name = "x", .size = 2, .kind = WEIR_INT, .ndim = 2, .dim = { 100, 2 } };
    check(
        &f, values,
        "{{0, 0},\n {1, -1},\n {2, -2},\n {3, -3},\n {4, -4},\n {5, -5},\n {6, -6},\n {7, -7},\n {8, -8},\n {9, -9},\n"
        " ... 90 more rows}");
}

static void three_dimensions_nest(void **state)
{
    (void)state;
    int values[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
    struct weir_field f = { .name = "x", .size = 4, .kind = WEIR_INT, .ndim = 3, .dim = { 2, 3, 2 } };
    check(&f, values, "{{{0, 1},\n  {2, 3},\n  {4, 5}},\n {{6, 7},\n  {8, 9},\n  {10, 11}}}");
    f.dim[1] = 0;
    check(&f, values, "{{},\n {}}");
}

static void arrays_of_structs_have_lines_and_those_inside_do_not(void **state)
{
    (void)state;
    struct point values[3] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
    struct weir_field f = {
        .name = "x", .size = sizeof(struct point), .kind = WEIR_STRUCT, .type = &point_type, .ndim = 1, .dim = { 3 }
    };
    check(&f, values, "{{.x = 1.0, .y = 2.0},\n {.x = 3.0, .y = 4.0},\n {.x = 5.0, .y = 6.0}}");
    struct weir_field member = { .name = "m", .size = 4, .kind = WEIR_INT, .ndim = 2, .dim = { 2, 2 } };
    struct weir_type t = { .name = "t", .size = 16, .members = &member, .nmembers = 1 };
    f = (struct weir_field){ .name = "x", .size = 16, .kind = WEIR_STRUCT, .type = &t };
    check(&f, (int[]){ 1, 2, 3, 4 }, "{.m = {{1, 2}, {3, 4}}}");
    struct buf out;
    buf_init(&out, 0);
    f = (struct weir_field){ .name = "x", .size = 4, .kind = WEIR_INT, .ndim = 2, .dim = { 2, 2 } };
    assert_int_equal(show_line(&out, &f, (int[]){ 1, 2, 3, 4 }, NULL, NULL), ERR_NONE);
    assert_string_equal(out.data, "{{1, 2}, {3, 4}}");
    buf_done(&out);
}

static void what_has_no_layout_is_a_question_mark(void **state)
{
    (void)state;
    struct weir_field bits = { .name = "bits", .kind = WEIR_OTHER };
    struct weir_type t = { .name = "t", .size = 4, .members = &bits, .nmembers = 1 };
    struct weir_field f = { .name = "x", .size = 4, .kind = WEIR_STRUCT, .type = &t };
    check(&f, &(int){ 0 }, "{.bits = ?}");
}

static void a_huge_array_is_shown_at_once(void **state)
{
    (void)state;
    size_t n = 1000000;
    struct weir_field f = { .name = "x",
                            .size = sizeof(struct city),
                            .kind = WEIR_STRUCT,
                            .type = &city_type,
                            .ndim = 3,
                            .dim = { 100, 100, 100 } };
    struct city *cities = calloc(n, sizeof *cities);
    struct buf out;
    clock_t start = clock();
    assert_non_null(cities);
    buf_init(&out, 0);
    assert_int_equal(show_value(&out, &f, cities, NULL, NULL), ERR_NONE);
    assert_int_equal(show_table(&out, &out, &f, cities, NULL, NULL), ERR_NONE);
    assert_true((clock() - start) / (CLOCKS_PER_SEC / 10) < 20); /* 2 s: under a sanitizer, too */
    assert_true(out.len < 1 << 20);
    buf_done(&out);
    free(cities);
}

/* ---- tables ---- */

static void check_table(const struct weir_field *f, const void *data, const char *text, const char *html)
{
    struct buf t;
    struct buf h;
    buf_init(&t, 0);
    buf_init(&h, 0);
    assert_int_equal(show_table(html ? &h : NULL, &t, f, data, NULL, NULL), ERR_NONE);
    assert_string_equal(t.data, text);
    if (html) {
        assert_string_equal(h.data, html);
    }
    buf_done(&t);
    buf_done(&h);
}

static void a_scalar_is_one_cell(void **state)
{
    (void)state;
    struct weir_field f = { .name = "total", .size = 4, .kind = WEIR_INT };
    check_table(&f, &(int){ 42 }, "total\n   42\n",
                "<table>\n<thead><tr><th>total</th></tr></thead>\n<tbody>\n<tr><td>42</td></tr>\n</tbody>\n</table>\n");
    f.name = "";
    check_table(&f, &(int){ 42 }, "value\n   42\n", NULL);
}

static void a_table_of_structs_has_a_column_a_member(void **state)
{
    (void)state;
    struct weir_field f = {
        .name = "x", .size = sizeof(struct city), .kind = WEIR_STRUCT, .type = &city_type, .ndim = 1, .dim = { 2 }
    };
    struct city cities[2] = { { "Oslo", { 59.9, 10 }, 5, { 1, 2, 3 }, "a <b>&\"c" },
                              { "Rio", { -22.9, -43.25 }, 0, { 0 }, NULL } };
    check_table(&f, cities,
                "   name     at.x    at.y  color  counts     note\n"
                "0  \"Oslo\"   59.9    10.0  GREEN  {1, 2, 3}  \"a <b>&\\\"c\"\n"
                "1  \"Rio\"   -22.9  -43.25  RED    {0, 0, 0}  NULL\n",
                "<table>\n<thead><tr><th></th><th>name</th><th>at.x</th><th>at.y</th><th>color</th><th>counts</th>"
                "<th>note</th></tr></thead>\n<tbody>\n"
                "<tr><th>0</th><td>&quot;Oslo&quot;</td><td>59.9</td><td>10.0</td><td>GREEN</td><td>{1, 2, 3}</td>"
                "<td>&quot;a &lt;b&gt;&amp;\\&quot;c&quot;</td></tr>\n"
                "<tr><th>1</th><td>&quot;Rio&quot;</td><td>-22.9</td><td>-43.25</td><td>RED</td><td>{0, 0, 0}</td>"
                "<td>NULL</td></tr>\n</tbody>\n</table>\n");
}

static void tables_of_arrays_are_cut_and_say_so(void **state)
{
    (void)state;
    int values[1200];
    for (int i = 0; i < 1200; i++) {
        values[i] = i;
    }
    struct weir_field f = { .name = "x", .size = 4, .kind = WEIR_INT, .ndim = 1, .dim = { 12 } };
    check_table(&f, values, "   x\n0  0\n1  1\n2  2\n3  3\n4  4\n5  5\n6  6\n7  7\n8  8\n9  9\n... 2 more rows\n",
                NULL);
    f.ndim = 2;
    f.dim[0] = 2;
    f.dim[1] = 12;
    check_table(&f, values,
                "    0   1   2   3   4   5   6   7   8   9\n0   0   1   2   3   4   5   6   7   8   9\n"
                "1  12  13  14  15  16  17  18  19  20  21\n... 2 more columns\n",
                NULL);
    f.dim[0] = 0;
    check_table(&f, values, "  0  1  2  3  4  5  6  7  8  9\n... 2 more columns\n", NULL);
}

static void tables_of_three_dimensions_name_their_rows(void **state)
{
    (void)state;
    int values[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    struct weir_field f = { .name = "x", .size = 4, .kind = WEIR_INT, .ndim = 3, .dim = { 2, 2, 2 } };
    check_table(&f, values, "        0  1\n[0][0]  0  1\n[0][1]  2  3\n[1][0]  4  5\n[1][1]  6  7\n", NULL);
}

static void text_is_one_cell(void **state)
{
    (void)state;
    struct weir_field f = { .name = "x", .size = 1, .kind = WEIR_CHAR, .ndim = 1, .dim = { 4 } };
    check_table(&f, "abcd", "x\n\"abcd\"\n", NULL);
    f = (struct weir_field){ .name = "x", .size = 1, .kind = WEIR_CHAR, .ndim = 2, .dim = { 2, 3 } };
    check_table(&f, "\xc3\xbc\0def", "   x\n0  \"\xc3\xbc\"\n1  \"def\"\n", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_of_every_size),
        cmocka_unit_test(floating_is_shortest_and_never_looks_like_an_integer),
        cmocka_unit_test(random_doubles_read_back_equal),
        cmocka_unit_test(the_users_locale_changes_nothing),
        cmocka_unit_test(characters_are_escaped),
        cmocka_unit_test(enums_are_named),
        cmocka_unit_test(pointers_show_their_address),
        cmocka_unit_test(strings_are_quoted_and_escaped),
        cmocka_unit_test(char_arrays_end_at_their_nul_or_their_end),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(bad_pointers_are_addresses),
        cmocka_unit_test(structs_are_one_line),
        cmocka_unit_test(deep_structs_are_cut),
        cmocka_unit_test(arrays_are_cut),
        cmocka_unit_test(rows_have_lines_and_are_cut_at_ten),
        cmocka_unit_test(three_dimensions_nest),
        cmocka_unit_test(arrays_of_structs_have_lines_and_those_inside_do_not),
        cmocka_unit_test(what_has_no_layout_is_a_question_mark),
        cmocka_unit_test(a_huge_array_is_shown_at_once),
        cmocka_unit_test(a_scalar_is_one_cell),
        cmocka_unit_test(a_table_of_structs_has_a_column_a_member),
        cmocka_unit_test(tables_of_arrays_are_cut_and_say_so),
        cmocka_unit_test(tables_of_three_dimensions_name_their_rows),
        cmocka_unit_test(text_is_one_cell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
