/* Captured output: gathered, ordered, and always valid UTF-8. */
#include "kernel/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What was emitted: "stdout:text|stderr:text|". */
static void record(void *ctx, const char *name, const char *text, size_t len)
{
    struct buf *b = ctx;
    buf_printf(b, "%s:", name);
    buf_add(b, text, len);
    buf_char(b, '|');
}

struct fixture {
    struct capture c;
    struct buf seen;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    buf_init(&f->seen, 0);
    capture_init(&f->c, record, &f->seen);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    capture_done(&f->c);
    buf_done(&f->seen);
    free(f);
    return 0;
}

static void add(struct fixture *f, enum capture_stream s, const char *text)
{
    capture_add(&f->c, s, text, strlen(text));
}

static void test_writes_are_gathered_until_the_flush(void **state)
{
    struct fixture *f = *state;
    add(f, CAPTURE_STDOUT, "a");
    add(f, CAPTURE_STDOUT, "b");
    assert_true(capture_pending(&f->c));
    assert_int_equal(f->seen.len, 0);
    capture_flush(&f->c);
    capture_flush(&f->c);
    assert_string_equal(f->seen.data, "stdout:ab|");
    assert_false(capture_pending(&f->c));
}

static void test_the_other_stream_flushes(void **state)
{
    struct fixture *f = *state;
    add(f, CAPTURE_STDOUT, "a");
    add(f, CAPTURE_STDERR, "b");
    add(f, CAPTURE_STDOUT, "c");
    capture_end(&f->c);
    assert_string_equal(f->seen.data, "stdout:a|stderr:b|stdout:c|");
}

static void test_a_torn_character_waits_for_its_rest(void **state)
{
    struct fixture *f = *state;
    add(f, CAPTURE_STDOUT, "x\xF0\x9F");
    capture_flush(&f->c);
    add(f, CAPTURE_STDERR, "\xE2");
    add(f, CAPTURE_STDOUT, "\x98");
    add(f, CAPTURE_STDERR, "\x82\xAC");
    add(f, CAPTURE_STDOUT, "\x80y");
    capture_end(&f->c);
    assert_string_equal(f->seen.data, "stdout:x|stderr:\xE2\x82\xAC|stdout:\xF0\x9F\x98\x80y|");
}

static void test_a_character_that_never_ends_is_replaced(void **state)
{
    struct fixture *f = *state;
    add(f, CAPTURE_STDOUT, "x\xE2\x82");
    capture_end(&f->c);
    assert_string_equal(f->seen.data, "stdout:x|stdout:\xEF\xBF\xBD|");
}

/* Python: bytes.decode("utf-8", "replace") gives one mark for a cut-off sequence, we give one a byte. */
static void test_invalid_bytes_are_replaced_one_by_one(void **state)
{
    static const char *const invalid[] = { "\xFF", "\xC0\xAF", "\xED\xA0\x80",    "\xF5\x80",
                                           "\x80", "\xE2\x28", "\xF0\x80\x80\x80" };
    static const char *const expected[] = { "?", "??", "???", "??", "?", "?(", "????" };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        struct buf want;
        buf_init(&want, 0);
        buf_str(&want, "stdout:<");
        for (const char *p = expected[i]; *p; p++) {
            buf_str(&want, *p == '?' ? "\xEF\xBF\xBD" : (char[]){ *p, '\0' });
        }
        buf_str(&want, ">|");
        buf_clear(&f->seen);
        add(f, CAPTURE_STDOUT, "<");
        add(f, CAPTURE_STDOUT, invalid[i]);
        add(f, CAPTURE_STDOUT, ">");
        capture_end(&f->c);
        assert_string_equal(f->seen.data, want.data);
        buf_done(&want);
    }
}

static void test_nul_is_replaced(void **state)
{
    struct fixture *f = *state;
    capture_add(&f->c, CAPTURE_STDOUT, "a\0b", 3);
    capture_end(&f->c);
    assert_string_equal(f->seen.data, "stdout:a\xEF\xBF\xBD"
                                      "b|");
}

static void test_valid_text_is_the_same_however_it_is_cut(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";
    static const char want[] = "stdout:a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z|";
    const size_t len = sizeof text - 1;
    for (size_t cut = 0; cut <= len; cut++) {
        for (size_t next = cut; next <= len; next++) {
            buf_clear(&f->seen);
            capture_add(&f->c, CAPTURE_STDOUT, text, cut);
            capture_add(&f->c, CAPTURE_STDOUT, text + cut, next - cut);
            capture_add(&f->c, CAPTURE_STDOUT, text + next, len - next);
            capture_end(&f->c);
            assert_string_equal(f->seen.data, want);
        }
    }
}

static void test_much_text_is_passed_on_at_once(void **state)
{
    struct fixture *f = *state;
    static char many[3 * CAPTURE_BYTES];
    memset(many, 0xFF, sizeof many); /* the worst case: each byte becomes three */
    capture_add(&f->c, CAPTURE_STDOUT, many, sizeof many);
    capture_end(&f->c);
    assert_int_equal(f->seen.len, sizeof many * 3 + 3 * strlen("stdout:|"));
    assert_false(f->c.pending.failed);
}

/* What a prompt would be, then what was emitted. */
static void take_line(struct fixture *f, const char *prompt, const char *seen)
{
    char line[CAPTURE_LINE_MAX + 1];
    capture_take_line(&f->c, line, sizeof line);
    assert_string_equal(line, prompt);
    assert_string_equal(f->seen.data ? f->seen.data : "", seen);
    buf_clear(&f->seen);
}

static void test_the_unfinished_line_is_taken_and_not_emitted(void **state)
{
    struct fixture *f = *state;
    add(f, CAPTURE_STDOUT, "one\ntwo\nname? ");
    take_line(f, "name? ", "stdout:one\ntwo\n|");
    take_line(f, "", "");
}

static void test_a_line_whose_beginning_was_emitted_is_taken_whole(void **state)
{
    struct fixture *f = *state;
    add(f, CAPTURE_STDOUT, "a\nwhat is ");
    capture_flush(&f->c);
    buf_clear(&f->seen);
    add(f, CAPTURE_STDERR, "your name? ");
    take_line(f, "what is your name? ", "");
    add(f, CAPTURE_STDOUT, "again? "); /* what was typed ended the line */
    take_line(f, "again? ", "");
}

static void test_a_line_too_long_for_a_prompt_is_emitted(void **state)
{
    struct fixture *f = *state;
    struct buf text, expected;
    buf_init(&text, 0);
    buf_init(&expected, 0);
    buf_printf(&text, "%*s", CAPTURE_LINE_MAX + 1, "x");
    buf_printf(&expected, "stdout:%s|", text.data);
    add(f, CAPTURE_STDOUT, text.data);
    take_line(f, "", expected.data);
    add(f, CAPTURE_STDOUT, text.data + 1); /* as long as is possible */
    take_line(f, text.data + 1, "");
    buf_done(&text);
    buf_done(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writes_are_gathered_until_the_flush, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_other_stream_flushes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_torn_character_waits_for_its_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_character_that_never_ends_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_invalid_bytes_are_replaced_one_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nul_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_valid_text_is_the_same_however_it_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_much_text_is_passed_on_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_unfinished_line_is_taken_and_not_emitted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_line_whose_beginning_was_emitted_is_taken_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_line_too_long_for_a_prompt_is_emitted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
