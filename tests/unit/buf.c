/* Buffers: growing, the maximum, the sticky failure. */
#include "runtime/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void empty_is_an_empty_string(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    assert_string_equal(b.data, "");
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_check(&b, "x", NULL), ERR_NONE);
    buf_done(&b);
}

static void appends_all_kinds(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    buf_str(&b, "a");
    buf_char(&b, 'b');
    buf_add(&b, "c\0d", 3);
    buf_printf(&b, "%d", 42);
    assert_int_equal(b.len, 7);
    assert_memory_equal(b.data, "abc\0d42", 8);
    buf_done(&b);
}

static void long_printf_is_whole(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    buf_printf(&b, "%01000d|", 7);
    assert_int_equal(b.len, 1001);
    assert_string_equal(b.data + 998, "07|");
    buf_done(&b);
}

static void grows_to_its_maximum_and_no_further(void **state)
{
    (void)state;
    struct buf b;
    struct err e;
    buf_init(&b, 100);
    for (int i = 0; i < 100; i++) {
        buf_char(&b, 'x');
    }
    assert_int_equal(buf_check(&b, "text", &e), ERR_NONE);
    buf_char(&b, 'x');
    assert_int_equal(buf_check(&b, "text", &e), ERR_MEMORY);
    assert_string_equal(e.msg, "text: out of memory, or over its limit of 100 bytes");
    assert_int_equal(b.len, 100);
    buf_done(&b);
}

static void failure_sticks_until_cleared(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    buf_str(&b, "12345");
    buf_str(&b, "1");
    assert_int_equal(b.len, 0);
    assert_null(buf_space(&b, 1));
    assert_null(buf_take(&b));
    buf_clear(&b);
    buf_str(&b, "1234");
    assert_string_equal(b.data, "1234");
    assert_false(b.failed);
    buf_done(&b);
}

static void take_gives_the_text_away(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    buf_str(&b, "text");
    char *text = buf_take(&b);
    assert_string_equal(text, "text");
    assert_int_equal(b.len, 0);
    free(text);
    text = buf_take(&b);
    assert_string_equal(text, "");
    free(text);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_is_an_empty_string),     cmocka_unit_test(appends_all_kinds),
        cmocka_unit_test(long_printf_is_whole),         cmocka_unit_test(grows_to_its_maximum_and_no_further),
        cmocka_unit_test(failure_sticks_until_cleared), cmocka_unit_test(take_gives_the_text_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
