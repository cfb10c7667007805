/* Files: reading with a limit, atomic replacement, folders; and UTF-8. */
#include "runtime/base/file.h"
#include "runtime/base/utf8.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int enter(void **state)
{
    char name[] = "/tmp/weir-file-XXXXXX";
    *state = mkdtemp(name) && chdir(name) == 0 ? strdup(name) : NULL;
    return *state ? 0 : -1;
}

static int leave(void **state)
{
    const char *dir = *state;
    int failed = chdir("/") < 0;
    const char *const names[] = { "a", "b/c/d", "b/c", "b", "full" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)remove(path); /* not every test makes it */
    }
    failed = rmdir(dir) < 0 || failed; /* a file left behind fails here */
    free(*state);
    return failed ? -1 : 0;
}

static void written_is_read(void **state)
{
    (void)state;
    char *data = NULL;
    size_t len = 0;
    struct err e;
    assert_int_equal(file_write_atomic("a", "one\0two", 7, 0644, 0, &e), ERR_NONE);
    assert_int_equal(file_read("a", 7, &data, &len, &e), ERR_NONE);
    assert_int_equal(len, 7);
    assert_memory_equal(data, "one\0two", 8);
    free(data);
}

static void a_second_write_replaces_also_a_read_only_file(void **state)
{
    (void)state;
    char *data = NULL;
    size_t len = 0;
    struct stat st;
    assert_int_equal(file_write_atomic("a", "one", 3, 0444, 1, NULL), ERR_NONE);
    assert_int_equal(file_write_atomic("a", "", 0, 0444, 1, NULL), ERR_NONE);
    assert_int_equal(file_read("a", 0, &data, &len, NULL), ERR_NONE);
    assert_int_equal(len, 0);
    assert_string_equal(data, "");
    assert_int_equal(stat("a", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0444);
    free(data);
}

static void too_large_and_missing_files_say_so(void **state)
{
    (void)state;
    char *data = NULL;
    size_t len = 0;
    struct err e;
    assert_int_equal(file_write_atomic("a", "12345", 5, 0644, 0, &e), ERR_NONE);
    assert_int_equal(file_read("a", 4, &data, &len, &e), ERR_LIMIT);
    assert_string_equal(e.msg, "'a' is larger than the limit of 4 bytes");
    assert_int_equal(file_read("none", 4, &data, &len, &e), ERR_NOT_FOUND);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_string_equal(e.msg, "opening 'none': No such file or directory");
    assert_int_equal(file_read("/", 4, &data, &len, &e), ERR_IO);
    assert_null(data);
}

static void files_that_do_not_know_their_size_are_read_whole(void **state)
{
    (void)state;
    char *data = NULL;
    size_t len = 0;
    struct err e;
    assert_int_equal(file_read("/proc/self/smaps", 1 << 20, &data, &len, &e), ERR_NONE);
    assert_true(len > 4096);
    assert_int_equal(strlen(data), len);
    free(data);
    assert_int_equal(file_read("/dev/zero", 100000, &data, &len, &e), ERR_LIMIT);
}

static void folders_are_made_with_those_above(void **state)
{
    (void)state;
    struct stat st;
    struct err e;
    assert_int_equal(file_mkdirs("b/c/d", &e), ERR_NONE);
    assert_int_equal(file_mkdirs("b/c/d/", &e), ERR_NONE);
    assert_int_equal(stat("b/c/d", &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(file_mkdirs("/", &e), ERR_NONE);
}

static void a_file_in_the_way_of_a_folder_is_named(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(file_write_atomic("a", "", 0, 0644, 0, &e), ERR_NONE);
    assert_int_equal(file_mkdirs("a", &e), ERR_EXISTS);
    assert_string_equal(e.msg, "'a' is there, but is no folder");
    assert_int_equal(file_mkdirs("a/b", &e), ERR_IO);
    assert_string_equal(e.msg, "creating folder 'a/b': Not a directory");
}

static void a_failed_write_leaves_nothing(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(mkdir("full", 0755), 0);
    assert_int_equal(file_write_atomic("full", "x", 1, 0644, 0, &e),
                     ERR_IO); /* the temporary one is removed: see leave() */
    int fd = open("/dev/full", O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, "x", 1, "out", &e), ERR_IO);
    assert_string_equal(e.msg, "writing 'out': No space left on device");
    close(fd);
}

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    static const char *const good[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf" };
    static const char *const bad[] = { "\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                       "\xff", "\xc3",     "\xe2\x82" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(utf8_sequence(good[i], strlen(good[i])), strlen(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(utf8_valid(bad[i], strlen(bad[i])));
    }
    assert_true(utf8_valid("", 0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {
        TEST(written_is_read),
        TEST(a_second_write_replaces_also_a_read_only_file),
        TEST(too_large_and_missing_files_say_so),
        TEST(files_that_do_not_know_their_size_are_read_whole),
        TEST(folders_are_made_with_those_above),
        TEST(a_file_in_the_way_of_a_folder_is_named),
        TEST(a_failed_write_leaves_nothing),
        cmocka_unit_test(utf8_is_told_from_other_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
