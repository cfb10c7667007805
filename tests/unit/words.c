/* How near two words are; the distances are the textbook's. */
#include "runtime/base/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static unsigned far(const char *a, const char *b, bool swaps)
{
    return words_distance(a, strlen(a), b, strlen(b), swaps);
}

static void edits_are_counted(void **state)
{
    (void)state;
    assert_int_equal(far("kitten", "sitting", false), 3);
    assert_int_equal(far("saturday", "sunday", false), 3);
    assert_int_equal(far("", "abc", false), 3);
    assert_int_equal(far("abc", "", true), 3);
    assert_int_equal(far("same", "same", true), 0);
}

static void neighbours_exchanged_are_one_edit_only_with_swaps(void **state)
{
    (void)state;
    assert_int_equal(far("pirntf", "printf", false), 2);
    assert_int_equal(far("pirntf", "printf", true), 1);
    assert_int_equal(far("ca", "abc", true), 3); /* no further edit between what was exchanged */
}

static void very_long_words_are_far(void **state)
{
    (void)state;
    char longer[WORDS_MAX + 2];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(far(longer, "a", false), WORDS_FAR);
    assert_int_equal(far("a", longer, true), WORDS_FAR);
    assert_int_equal(far(longer + 1, longer + 1, true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_are_counted),
        cmocka_unit_test(neighbours_exchanged_are_one_edit_only_with_swaps),
        cmocka_unit_test(very_long_words_are_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
