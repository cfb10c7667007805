/* Errors: what a message says after it was set, put in context, or cut. */
#include "runtime/base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void set_gives_code_and_message(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(err_set(&e, ERR_NAME, "step '%s' is not there", "a"), ERR_NAME);
    assert_int_equal(e.code, ERR_NAME);
    assert_string_equal(e.msg, "step 'a' is not there");
    assert_int_equal(e.line, 0);
    assert_string_equal(e.cell, "");
}

static void at_says_where(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(err_at(&e, ERR_TYPE, "cell [3]", 7, "no"), ERR_TYPE);
    assert_string_equal(e.cell, "cell [3]");
    assert_int_equal(e.line, 7);
    (void)err_at(&e, ERR_TYPE, NULL, 1, "no");
    assert_string_equal(e.cell, "");
}

static void errno_appends_the_systems_reason(void **state)
{
    (void)state;
    struct err e;
    errno = ENOENT;
    assert_int_equal(err_errno(&e, "opening '%s'", "x"), ERR_IO);
    assert_string_equal(e.msg, "opening 'x': No such file or directory");
}

static void context_goes_in_front_and_keeps_code_and_place(void **state)
{
    (void)state;
    struct err e;
    (void)err_at(&e, ERR_TYPE, "cell [3]", 7, "no int");
    assert_int_equal(err_context(&e, "artifact '%s'", "x"), ERR_TYPE);
    assert_string_equal(e.msg, "artifact 'x': no int");
    assert_int_equal(e.line, 7);
}

static void a_message_may_be_made_from_itself(void **state)
{
    (void)state;
    struct err e;
    (void)err_set(&e, ERR_IO, "inner");
    (void)err_set(&e, ERR_IO, "outer (%s)", e.msg);
    assert_string_equal(e.msg, "outer (inner)");
}

static void long_text_is_cut(void **state)
{
    (void)state;
    struct err e;
    char text[2 * ERR_MESSAGE_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)err_set(&e, ERR_IO, "%s", text);
    assert_int_equal(strlen(e.msg), ERR_MESSAGE_MAX - 1);
    (void)err_context(&e, "%s", text);
    assert_int_equal(strlen(e.msg), ERR_MESSAGE_MAX - 1);
}

static void without_an_err_the_code_is_passed_on(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_LIMIT, "x"), ERR_LIMIT);
    assert_int_equal(err_memory(NULL), ERR_MEMORY);
    errno = EIO;
    assert_int_equal(err_errno(NULL, "x"), ERR_IO);
}

static void every_code_has_a_name(void **state)
{
    (void)state;
    for (int code = 0; code < ERR_CODES; code++) {
        assert_non_null(err_name((enum err_code)code));
    }
    assert_string_equal(err_name(ERR_COMPILE), "CompileError");
    assert_string_equal(err_name(ERR_CODES), "Error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_gives_code_and_message),
        cmocka_unit_test(at_says_where),
        cmocka_unit_test(errno_appends_the_systems_reason),
        cmocka_unit_test(context_goes_in_front_and_keeps_code_and_place),
        cmocka_unit_test(a_message_may_be_made_from_itself),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(without_an_err_the_code_is_passed_on),
        cmocka_unit_test(every_code_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
