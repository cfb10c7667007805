/* Options as people type them: splitting, parsing, numbers, help, near names. */
#include "runtime/view/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* after the four above, which it needs */
#include <cmocka.h>

static const struct option_row rows[] = {
    { "seed", "N", "seed of the run" },
    { "force", NULL, "write over files" },
    { 0 },
};

static void check_split(const char *line, const char *wanted)
{
    struct arena a;
    struct buf text;
    const char **words;
    size_t n;
    arena_init(&a);
    buf_init(&text, 0);
    assert_int_equal(options_split(line, strlen(line), &a, &words, &n, NULL), ERR_NONE);
    for (size_t i = 0; i < n; i++) {
        buf_printf(&text, "[%s]", words[i]);
    }
    assert_string_equal(text.data, wanted);
    buf_done(&text);
    arena_done(&a);
}

static void words_are_parted_by_blanks_and_kept_by_quotes(void **state)
{
    (void)state;
    check_split(" a  b\tc ", "[a][b][c]");
    check_split("--x 'a b' \"c d\" e\\ f", "[--x][a b][c d][e f]");
    check_split("''", "[]");
    check_split("", "");
    check_split("a \\\n b", "[a][b]");
}

static void a_comment_begins_only_after_a_blank(void **state)
{
    (void)state;
    check_split("run // it", "[run]");
    check_split("http://x/y", "[http://x/y]");
    check_split("// all", "");
}

static void an_open_quote_is_an_error(void **state)
{
    (void)state;
    struct arena a;
    struct err e;
    const char **words;
    size_t n;
    arena_init(&a);
    assert_int_equal(options_split("a 'b", 4, &a, &words, &n, &e), ERR_USAGE);
    assert_string_equal(e.msg, "the quote ' is not closed");
    arena_done(&a);
}

static void values_stand_behind_a_blank_or_an_equals_sign(void **state)
{
    (void)state;
    struct arena a;
    struct options o;
    uint64_t seed = 0;
    const char *const words[] = { "file", "--seed", "3", "--force", "--seed=7", "--", "--seed" };
    arena_init(&a);
    assert_int_equal(options_parse(rows, false, words, 7, &a, &o, NULL), ERR_NONE);
    assert_int_equal(options_number(&o, "seed", 0, 100, &seed, NULL), ERR_NONE);
    assert_int_equal(seed, 7); /* the last one counts */
    assert_string_equal(options_get(&o, "force"), "");
    assert_int_equal(o.nwords, 2);
    assert_string_equal(o.words[1], "--seed");
    arena_done(&a);
}

static void names_in_no_row_are_kept_when_others_may_know_them(void **state)
{
    (void)state;
    struct arena a;
    struct options o;
    const char *const words[] = { "--epochs", "-5", "--rates=1,2" };
    arena_init(&a);
    assert_int_equal(options_parse(rows, true, words, 3, &a, &o, NULL), ERR_NONE);
    assert_int_equal(o.nvalues, 2);
    assert_string_equal(o.values[0].name, "epochs");
    assert_string_equal(o.values[0].value, "-5");
    assert_true(o.values[1].other);
    assert_null(options_get(&o, "epochs")); /* in no row: not ours */
    arena_done(&a);
}

static void check_refused(const char *const *words, size_t n, const char *message)
{
    struct arena a;
    struct options o;
    struct err e;
    arena_init(&a);
    assert_int_equal(options_parse(rows, false, words, n, &a, &o, &e), ERR_USAGE);
    assert_string_equal(e.msg, message);
    arena_done(&a);
}

static void what_is_wrong_with_an_option_is_told(void **state)
{
    (void)state;
    check_refused((const char *const[]){ "--sede", "1" }, 2, "no option '--sede' (did you mean 'seed'?); there are --seed, --force");
    check_refused((const char *const[]){ "--seed" }, 1, "--seed needs a value: --seed N");
    check_refused((const char *const[]){ "--force=yes" }, 1, "--force takes no value, but was given 'yes'");
}

static void help_is_aligned(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    options_help(&b, rows);
    assert_string_equal(b.data, "  --seed N   seed of the run\n  --force    write over files\n");
    buf_done(&b);
}

static void near_names_are_offered_the_nearest_first(void **state)
{
    (void)state;
    const char *const names[] = { "train", "strain", "best" };
    struct buf b;
    buf_init(&b, 0);
    options_nearest(&b, "trian", names, 3);
    assert_string_equal(b.data, " (did you mean 'train' or 'strain'?)");
    buf_clear(&b);
    options_nearest(&b, "zzz", names, 3);
    assert_string_equal(b.data, "");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_parted_by_blanks_and_kept_by_quotes),
        cmocka_unit_test(a_comment_begins_only_after_a_blank),
        cmocka_unit_test(an_open_quote_is_an_error),
        cmocka_unit_test(values_stand_behind_a_blank_or_an_equals_sign),
        cmocka_unit_test(names_in_no_row_are_kept_when_others_may_know_them),
        cmocka_unit_test(what_is_wrong_with_an_option_is_told),
        cmocka_unit_test(help_is_aligned),
        cmocka_unit_test(near_names_are_offered_the_nearest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
