/* How much of a cell's text is shown, and the file with all of it. */
#include "kernel/output.h"

#include "runtime/base/file.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/build_home.h"

struct fixture {
    struct capture capture;
    struct output o;
    struct settings settings;
    struct buf out, err; /* what was shown */
    char home[64];
};

static void record(void *ctx, const char *name, const char *text, size_t len)
{
    struct fixture *f = ctx;
    buf_add(strcmp(name, "stderr") == 0 ? &f->err : &f->out, text, len);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) {
        return -1;
    }
    (void)snprintf(f->home, sizeof f->home, "/tmp/weir-output-XXXXXX");
    if (!mkdtemp(f->home) || setenv("WEIR_HOME", f->home, 1) != 0) {
        free(f);
        return -1;
    }
    buf_init(&f->out, 0);
    buf_init(&f->err, 0);
    capture_init(&f->capture, record, f);
    output_init(&f->o, &f->capture);
    f->settings = settings_defaults();
    f->settings.output_limit = 20;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    output_done(&f->o);
    capture_done(&f->capture);
    buf_done(&f->out);
    buf_done(&f->err);
    int removed = home_remove(f->home);
    free(f);
    return removed;
}

static void begin(struct fixture *f)
{
    static int count;
    output_begin(&f->o, ++count, &f->settings);
}

static void print(struct fixture *f, const char *text)
{
    output_text(&f->o, CAPTURE_STDOUT, text, strlen(text));
}

static void end(struct fixture *f)
{
    output_end(&f->o);
    capture_end(&f->capture);
}

static void expect_file(const struct fixture *f, const char *text, size_t len)
{
    struct err e;
    char *data = NULL;
    size_t got = 0;
    assert_int_equal(file_read(f->o.path, 1 << 20, &data, &got, &e), ERR_NONE);
    assert_int_equal(got, len);
    assert_memory_equal(data, text, len);
    free(data);
}

static void what_is_within_the_limit_is_shown_and_leaves_no_file(void **state)
{
    struct fixture *f = *state;
    begin(f);
    print(f, "nineteen characters");
    print(f, "!");
    end(f);
    assert_string_equal(f->out.data, "nineteen characters!");
    assert_int_equal(f->err.len, 0);
    assert_string_equal(f->o.path, "");
}

static void beyond_the_limit_whole_lines_are_shown_and_all_is_in_the_file(void **state)
{
    struct fixture *f = *state;
    char want[512];
    begin(f);
    print(f, "one\ntwo\n");
    print(f, "three\nfour\nfive\nsix\n");
    output_text(&f->o, CAPTURE_STDERR, "\xFF\0seven", 7);
    end(f);
    assert_string_equal(f->out.data, "one\ntwo\nthree\nfour\n");
    expect_file(f, "one\ntwo\nthree\nfour\nfive\nsix\n\xFF\0seven", 35);
    (void)snprintf(want, sizeof want,
                   "\nweir: the cell has printed more than 20 bytes; what follows is not shown here. All of it: %s\n"
                   "weir: the cell printed 35 bytes in all; it is in %s\n",
                   f->o.path, f->o.path);
    assert_string_equal(f->err.data, want);
}

static void a_long_line_is_cut_between_characters(void **state)
{
    struct fixture *f = *state;
    begin(f);
    print(f, "0123456789abcdefghi\xE2\x82\xAC and more");
    end(f);
    assert_string_equal(f->out.data, "0123456789abcdefghi");
}

static void the_file_has_a_limit_of_its_own(void **state)
{
    struct fixture *f = *state;
    f->settings.output_file_limit = 30;
    begin(f);
    print(f, "0123456789012345678901234567890123456789");
    print(f, "and on");
    end(f);
    expect_file(f, "012345678901234567890123456789", 30);
    assert_non_null(strstr(f->err.data, "weir: the cell printed 46 bytes in all; the first 30 bytes of it are in "));
    assert_non_null(strstr(f->err.data, ": output_file_limit is reached.\n"));
}

static void a_file_that_cannot_grow_is_told_and_ends_nothing(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, small = { .rlim_cur = 32 };
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    begin(f);
    print(f, "0123456789012345678901234567890123456789"); /* the file is begun */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    print(f, "0123456789");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    end(f);
    assert_non_null(strstr(f->err.data, "weir: the cell printed 50 bytes in all; the first 40 bytes of it are in "));
    assert_non_null(strstr(f->err.data, ": it can't be written.\n"));
}

static void streams_may_change_only_so_often(void **state)
{
    struct fixture *f = *state;
    f->settings.output_limit = 1 << 20;
    begin(f);
    for (int i = 0; i < 100000; i++) {
        output_text(&f->o, i % 2 ? CAPTURE_STDERR : CAPTURE_STDOUT, "x", 1);
    }
    end(f);
    assert_true(f->out.len >= 1250 && f->out.len < 20000);
    assert_non_null(strstr(f->err.data, "x\nweir: the cell changes too often between stdout and stderr; what follows is not "
                                        "shown here. All of it: "));
    assert_non_null(strstr(f->err.data, "weir: the cell printed 100.0 kB in all; it is in "));
}

static void text_after_the_cells_end_counts_as_its_own(void **state)
{
    struct fixture *f = *state;
    begin(f);
    print(f, "0123456789\n");
    end(f);
    print(f, "and from a thread\n");
    expect_file(f, "0123456789\nand from a thread\n", 29);
    begin(f);
    print(f, "the next\n");
    end(f);
    assert_string_equal(f->out.data, "0123456789\nand from the next\n");
}

/* 40 MB shown, with a limit of 64 MB: no more than 16 MiB of them are kept in memory, and no file is left. */
static void a_high_limit_costs_no_memory(void **state)
{
    struct fixture *f = *state;
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    f->settings.output_limit = 64 << 20;
    buf_done(&f->out);
    buf_init(&f->out, 1); /* what is shown does not matter here: it fails */
    begin(f);
    for (int i = 0; i < 40; i++) {
        output_text(&f->o, CAPTURE_STDOUT, block, sizeof block);
        assert_true(f->o.kept.cap <= 32 << 20);
    }
    assert_int_equal(f->o.written, 40 << 20);
    end(f);
    char path[sizeof f->o.path];
    memcpy(path, f->o.path, sizeof path);
    begin(f);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(f->err.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_within_the_limit_is_shown_and_leaves_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beyond_the_limit_whole_lines_are_shown_and_all_is_in_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut_between_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_file_has_a_limit_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_grow_is_told_and_ends_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(streams_may_change_only_so_often, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text_after_the_cells_end_counts_as_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_high_limit_costs_no_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
