/* JSON as text: the same as jansson's own. */
#include "kernel/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Takes value. */
static void expect_as_jansson(json_t *value)
{
    struct buf b;
    char *want = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_non_null(want);
    buf_init(&b, 0);
    assert_true(json_text(&b, value));
    json_t *back = json_loadb(b.data, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_true(json_equal(back, value));
    for (char *p = want; *p; p++) { /* jansson's hexadecimal digits are capitals */
        if (strncmp(p, "\\u00", 4) == 0) {
            p[4] |= 0x20;
            p[5] |= 0x20;
        }
    }
    assert_string_equal(b.data, want);
    json_decref(back);
    json_decref(value);
    free(want);
    buf_done(&b);
}

static void every_character(void **state)
{
    (void)state;
    char ascii[127];
    for (int c = 1; c < 128; c++) {
        ascii[c - 1] = (char)c;
    }
    expect_as_jansson(json_stringn(ascii, sizeof ascii));
    expect_as_jansson(json_stringn("a\0b", 3));
    expect_as_jansson(json_string(""));
    expect_as_jansson(json_string("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xE2\x80\xA8"));
}

static void strings_longer_than_a_chunk(void **state)
{
    (void)state;
    for (size_t len = 4090; len < 4100; len++) {
        char *text = malloc(len);
        assert_non_null(text);
        memset(text, 0x01, len);
        expect_as_jansson(json_stringn(text, len));
        free(text);
    }
}

static void values_of_every_kind(void **state)
{
    (void)state;
    expect_as_jansson(json_loads("{\"z\":[1,-2.5,true,false,null,{},[]],\"a\\\"b\":{\"c\":\"d\"},\"e\":12345678901234}", 0, NULL));
    expect_as_jansson(json_real(0.1));
    expect_as_jansson(json_null());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character),
        cmocka_unit_test(strings_longer_than_a_chunk),
        cmocka_unit_test(values_of_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
