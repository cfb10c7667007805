/* Values from the command line: notations, exact ranges, and what people are told. */
#include "runtime/type/parse.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/comma_locale.h"

static struct weir_artifact scalar(const char *ctype, int kind, size_t size)
{
    return (struct weir_artifact){
        .name = "x", .ctype = ctype, .form = WEIR_FIXED, .field = { .name = "x", .size = size, .kind = kind }
    };
}

static struct weir_artifact array(const char *ctype, int kind, size_t size, size_t dim)
{
    struct weir_artifact a = scalar(ctype, kind, size);
    a.field.ndim = 1;
    a.field.dim[0] = dim;
    a.form = dim ? WEIR_FIXED : WEIR_DYNAMIC;
    return a;
}

static void good(struct weir_artifact a, const char *text, const void *expected, size_t bytes, size_t count)
{
    struct buf out;
    struct err e = { 0 };
    size_t dim[WEIR_MAX_DIMS] = { 0 };
    buf_init(&out, 0);
    assert_int_equal(parse_value(&a, text, &out, dim, &e), ERR_NONE);
    assert_int_equal(out.len, bytes);
    assert_memory_equal(out.data, expected, bytes);
    assert_int_equal(dim[0], count);
    buf_done(&out);
}

static void bad(struct weir_artifact a, const char *text, const char *message)
{
    struct buf out;
    struct err e;
    size_t dim[WEIR_MAX_DIMS] = { 7 };
    buf_init(&out, 0);
    assert_int_equal(parse_value(&a, text, &out, dim, &e), ERR_USAGE);
    assert_string_equal(e.msg, message);
    assert_int_equal(out.len, 0);
    assert_int_equal(dim[0], 7);
    assert_int_equal(parse_value(&a, text, &out, NULL, NULL), ERR_USAGE);
    buf_done(&out);
}

#define GOOD(a, text, T, ...) good(a, text, &(T){ __VA_ARGS__ }, sizeof(T), 0)

static void integers_in_cs_notations(void **state)
{
    (void)state;
    struct weir_artifact a = scalar("int", WEIR_INT, 4);
    GOOD(a, "42", int, 42);
    GOOD(a, " -42 ", int, -42);
    GOOD(a, "+7", int, 7);
    GOOD(a, "0x1F", int, 31);
    GOOD(a, "010", int, 8);
    GOOD(a, "0", int, 0);
    GOOD(a, "5L", int, 5);
}

static void every_size_takes_its_range_and_no_more(void **state)
{
    (void)state;
    GOOD(scalar("signed char", WEIR_INT, 1), "-128", signed char, -128);
    GOOD(scalar("short", WEIR_INT, 2), "32767", short, 32767);
    GOOD(scalar("int", WEIR_INT, 4), "-2147483648", int, INT32_MIN);
    GOOD(scalar("long", WEIR_INT, 8), "-9223372036854775808", long, INT64_MIN);
    GOOD(scalar("long", WEIR_INT, 8), "9223372036854775807", long, INT64_MAX);
    GOOD(scalar("unsigned char", WEIR_UINT, 1), "255", unsigned char, 255);
    GOOD(scalar("unsigned", WEIR_UINT, 4), "4294967295", unsigned, UINT32_MAX);
    GOOD(scalar("unsigned long", WEIR_UINT, 8), "18446744073709551615", unsigned long, UINT64_MAX);
    bad(scalar("signed char", WEIR_INT, 1), "128", "--x: 128 is out of range: a signed char is from -128 to 127");
    bad(scalar("short", WEIR_INT, 2), "-32769", "--x: -32769 is out of range: a short is from -32768 to 32767");
    bad(scalar("int", WEIR_INT, 4), "2147483648",
        "--x: 2147483648 is out of range: an int is from -2147483648 to 2147483647");
    bad(scalar("long", WEIR_INT, 8), "9223372036854775808",
        "--x: 9223372036854775808 is out of range: a long is from -9223372036854775808 to 9223372036854775807");
    bad(scalar("long", WEIR_INT, 8), "-99999999999999999999",
        "--x: -99999999999999999999 is out of range: a long is from -9223372036854775808 to 9223372036854775807");
    bad(scalar("unsigned", WEIR_UINT, 4), "-1", "--x: -1 is out of range: an unsigned is from 0 to 4294967295");
    bad(scalar("size_t", WEIR_UINT, 8), "18446744073709551616",
        "--x: 18446744073709551616 is out of range: a size_t is from 0 to 18446744073709551615");
    GOOD(scalar("unsigned", WEIR_UINT, 4), "-0", unsigned, 0);
}

static void what_is_no_integer_says_so(void **state)
{
    (void)state;
    struct weir_artifact a = scalar("int", WEIR_INT, 4);
    bad(a, "ten", "--x: 'ten' is not an int");
    bad(a, "", "--x: '' is not an int");
    bad(a, "1.5", "--x: '1.5' is not an int");
    bad(a, "1e3", "--x: '1e3' is not an int");
    bad(a, "1 2", "--x: '1 2' is not an int");
    bad(a, "--1", "--x: '--1' is not an int");
    bad(a, "08", "--x: '08' is not an int");
}

static void floating_numbers(void **state)
{
    (void)state;
    GOOD(scalar("double", WEIR_FLOAT, 8), "0.1", double, 0.1);
    GOOD(scalar("double", WEIR_FLOAT, 8), "-1e-3", double, -1e-3);
    GOOD(scalar("double", WEIR_FLOAT, 8), "0x1p-2", double, 0.25);
    GOOD(scalar("double", WEIR_FLOAT, 8), "-inf", double, -INFINITY);
    GOOD(scalar("double", WEIR_FLOAT, 8), "1e-400", double, 0);
    GOOD(scalar("float", WEIR_FLOAT, 4), "0.1", float, 0.1f);
    const long double value = -2.5L;
    unsigned char bytes[sizeof value] = { 0 };
    memcpy(bytes, &value, 10);
    good(scalar("long double", WEIR_FLOAT, sizeof value), "-2.5", bytes, sizeof value, 0);
    volatile long double one = 1;
    if (one + LDBL_EPSILON > one) { /* valgrind computes with 53 bits */
        const long double third = 1.0L / 3;
        memcpy(bytes, &third, 10);
        good(scalar("long double", WEIR_FLOAT, sizeof third), "0.333333333333333333342", bytes, sizeof third, 0);
    }
    GOOD(scalar("double", WEIR_FLOAT, 8), "-nan", uint64_t, 0x7ff8000000000000); /* canonical */
    bad(scalar("double", WEIR_FLOAT, 8), "x", "--x: 'x' is not a double");
    bad(scalar("double", WEIR_FLOAT, 8), "0,5", "--x: '0,5' is not a double");
    bad(scalar("double", WEIR_FLOAT, 8), "1e999", "--x: 1e999 is beyond the range of a double");
    bad(scalar("float", WEIR_FLOAT, 4), "1e39", "--x: 1e39 is beyond the range of a float");
}

static void the_users_locale_changes_nothing(void **state)
{
    (void)state;
    comma_locale();
    GOOD(scalar("double", WEIR_FLOAT, 8), "0.5", double, 0.5);
    assert_non_null(setlocale(LC_ALL, "C"));
}

static void booleans_characters_enums(void **state)
{
    (void)state;
    static const struct weir_enumerator levels[] = { { "HOT", 3 }, { "COLD", -1 } };
    static const struct weir_type type = { .name = "enum level", .size = 4, .enumerators = levels, .nenumerators = 2 };
    struct weir_artifact a = scalar("enum level", WEIR_ENUM, 4);
    a.field.type = &type;
    GOOD(a, "HOT", int, 3);
    GOOD(a, "COLD", int, -1);
    bad(a, "warm", "--x: 'warm' is none of HOT, COLD");
    GOOD(scalar("bool", WEIR_BOOL, 1), "true", _Bool, 1);
    GOOD(scalar("bool", WEIR_BOOL, 1), "0", _Bool, 0);
    bad(scalar("bool", WEIR_BOOL, 1), "yes", "--x: 'yes' is neither true nor false");
    GOOD(scalar("char", WEIR_CHAR, 1), "a", char, 'a');
    GOOD(scalar("char", WEIR_CHAR, 1), " ", char, ' ');
    bad(scalar("char", WEIR_CHAR, 1), "ab", "--x: 'ab' is not one character");
    bad(scalar("char", WEIR_CHAR, 1), "", "--x: '' is not one character");
}

static void lists(void **state)
{
    (void)state;
    const double rates[] = { 0.1, 0.01 };
    good(array("double []", WEIR_FLOAT, 8, 0), "0.1, 0.01", rates, sizeof rates, 2);
    good(array("double []", WEIR_FLOAT, 8, 0), "", "", 0, 0);
    good(array("double [2]", WEIR_FLOAT, 8, 2), "0.1,0.01", rates, sizeof rates, 0);
    bad(array("double [3]", WEIR_FLOAT, 8, 3), "0.1,0.01", "--x: double [3] has 3 elements, and 2 came");
    bad(array("double [3]", WEIR_FLOAT, 8, 3), "", "--x: double [3] has 3 elements, and 0 came");
    bad(array("double []", WEIR_FLOAT, 8, 0), "1,x,2", "--x: 'x' is not a double (element 1 of '1,x,2')");
    bad(array("int []", WEIR_INT, 4, 0), "1,", "--x: '' is not an int (element 1 of '1,')");
    bad(array("int []", WEIR_INT, 4, 0), "x", "--x: 'x' is not an int");
}

static void text(void **state)
{
    (void)state;
    struct weir_artifact a = {
        .name = "x", .ctype = "char *", .form = WEIR_TEXT, .field = { .size = 8, .kind = WEIR_STRING }
    };
    good(a, " a, b ", " a, b ", 6, 6);
    good(a, "", "", 0, 0);
    good(array("char [6]", WEIR_CHAR, 1, 6), "Oslo", "Oslo\0", 6, 0);
    good(array("char []", WEIR_CHAR, 1, 0), "a,b", "a,b", 3, 3);
    bad(array("char [3]", WEIR_CHAR, 1, 3), "Oslo", "--x: 'Oslo' has 4 bytes, and char [3] holds 3");
}

static void what_text_cannot_give_says_so(void **state)
{
    (void)state;
    struct weir_artifact a = scalar("struct point", WEIR_STRUCT, 16);
    bad(a, "1,2", "--x: a struct point can't be given as text");
    a = array("double [][2]", WEIR_FLOAT, 8, 0);
    a.field.ndim = 2;
    bad(a, "1,2", "--x: double [][2] can't be given as text, only arrays of one dimension");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_in_cs_notations),
        cmocka_unit_test(every_size_takes_its_range_and_no_more),
        cmocka_unit_test(what_is_no_integer_says_so),
        cmocka_unit_test(floating_numbers),
        cmocka_unit_test(the_users_locale_changes_nothing),
        cmocka_unit_test(booleans_characters_enums),
        cmocka_unit_test(lists),
        cmocka_unit_test(text),
        cmocka_unit_test(what_text_cannot_give_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
