/* The store: where it is, who may open it, and that an object is whole, shared and never changed. */
#include "runtime/store/store.h"
#include "runtime/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Each test has an empty folder as its working folder. */
static int enter(void **state)
{
    char name[] = "/tmp/weir-store-XXXXXX";
    (void)unsetenv("WEIR_HOME");
    (void)unsetenv("WEIR_DURABLE");
    *state = mkdtemp(name) && chdir(name) == 0 ? realpath(name, NULL) : NULL;
    return *state ? 0 : -1;
}

static void remove_all(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *d; dir && (d = readdir(dir));) {
        char below[PATH_MAX];
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(below, sizeof below, "%s/%s", path, d->d_name);
        if (unlink(below) < 0) {
            remove_all(below);
        }
    }
    if (dir) {
        closedir(dir);
    }
    (void)rmdir(path);
}

static int leave(void **state)
{
    if (chdir("/") < 0) {
        return -1;
    }
    remove_all(*state);
    free(*state);
    return 0;
}

static size_t files_in(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;
    for (struct dirent *d; dir && (d = readdir(dir));) {
        n += d->d_name[0] != '.';
    }
    if (dir) {
        closedir(dir);
    }
    return n;
}

static void check_located(const char *dir, const char *root, const char *expected)
{
    char *path = NULL;
    char full[PATH_MAX];
    struct err e;
    (void)snprintf(full, sizeof full, "%s%s", root, expected);
    assert_int_equal(store_locate(dir, &path, &e), ERR_NONE);
    assert_string_equal(path, full);
    free(path);
}

/* ---- where it is ---- */

static void without_any_it_is_beside_the_work(void **state)
{
    check_located(".", *state, "/.weir");
    check_located("sub//", *state, "/sub/.weir");
    check_located("/", "", "/.weir");
}

static void the_nearest_ancestor_has_it(void **state)
{
    assert_int_equal(file_mkdirs(".weir", NULL), ERR_NONE);
    assert_int_equal(file_mkdirs("a/.weir", NULL), ERR_NONE);
    assert_int_equal(file_mkdirs("a/b/c", NULL), ERR_NONE);
    check_located("a/b/c", *state, "/a/.weir");
    check_located("a", *state, "/a/.weir");
    check_located("x/y", *state, "/.weir");
}

static void a_file_of_that_name_is_no_store(void **state)
{
    assert_int_equal(file_mkdirs(".weir", NULL), ERR_NONE);
    assert_int_equal(file_mkdirs("a", NULL), ERR_NONE);
    assert_int_equal(file_write_atomic("a/.weir", "", 0, 0644, 0, NULL), ERR_NONE);
    check_located("a", *state, "/.weir");
}

static void weir_home_wins(void **state)
{
    assert_int_equal(file_mkdirs(".weir", NULL), ERR_NONE);
    assert_int_equal(setenv("WEIR_HOME", "elsewhere/", 1), 0);
    check_located(".", *state, "/elsewhere");
    assert_int_equal(setenv("WEIR_HOME", "", 1), 0);
    check_located(".", *state, "/.weir");
}

/* ---- opening ---- */

static void opening_makes_it(void **state)
{
    struct store *s = NULL;
    char *text = NULL;
    size_t len = 0;
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/x/.weir", (char *)*state);
    assert_int_equal(store_open("x/.weir", true, &s, NULL), ERR_NONE);
    assert_string_equal(store_path(s), path);
    assert_int_equal(file_read("x/.weir/version", 10, &text, &len, NULL), ERR_NONE);
    assert_string_equal(text, "1\n");
    free(text);
    store_close(s);
    assert_int_equal(store_open("x/.weir", false, &s, NULL), ERR_NONE);
    store_close(s);
    store_close(NULL);
}

static void opening_what_is_not_there_says_so(void **state)
{
    (void)state;
    struct store *s = NULL;
    struct err e;
    assert_int_equal(store_open("none", false, &s, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.msg, "/none' yet: the first run makes it"));
    assert_int_equal(file_mkdirs("empty", NULL), ERR_NONE);
    assert_int_equal(store_open("empty", false, &s, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.msg, "is no store: it has no file 'version'"));
}

static void a_newer_version_is_refused_with_advice(void **state)
{
    (void)state;
    struct store *s = NULL;
    struct err e;
    assert_int_equal(file_mkdirs(".weir", NULL), ERR_NONE);
    assert_int_equal(file_write_atomic(".weir/version", "2\n", 2, 0644, 0, NULL), ERR_NONE);
    assert_int_equal(store_open(".weir", true, &s, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "was made by a newer Weir (version 2, this one knows 1): "
                                  "upgrade Weir, or set WEIR_HOME to another folder"));
    assert_int_equal(file_write_atomic(".weir/version", "what\n", 5, 0644, 0, NULL), ERR_NONE);
    assert_int_equal(store_open(".weir", true, &s, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "should hold the store's version, but holds 'what"));
}

static void dead_writers_files_go_and_living_ones_stay(void **state)
{
    (void)state;
    struct store *s = NULL;
    assert_int_equal(store_open(".weir", true, &s, NULL), ERR_NONE);
    store_close(s);
    assert_int_equal(file_write_atomic(".weir/tmp/dead", "x", 1, 0444, 0, NULL), ERR_NONE);
    assert_int_equal(file_write_atomic(".weir/tmp/living", "x", 1, 0444, 0, NULL), ERR_NONE);
    int fd = open(".weir/tmp/living", O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(store_open(".weir", false, &s, NULL), ERR_NONE);
    assert_int_equal(access(".weir/tmp/living", F_OK), 0);
    assert_int_equal(access(".weir/tmp/dead", F_OK), -1);
    close(fd);
    store_close(s);
}

/* ---- objects ---- */

/* Put size bytes and get them back; the digest is that of all of them. */
static void put_and_get(size_t size)
{
    unsigned char *payload = malloc(size + 1);
    unsigned char digest[SHA256_BYTES];
    unsigned char expected[SHA256_BYTES];
    char header[] = "header";
    struct store_map map;
    struct err e;
    assert_non_null(payload);
    for (size_t i = 0; i < size; i++) {
        payload[i] = (unsigned char)(i * 7 + i / 4096);
    }
    const struct iovec parts[] = { { header, 6 }, { payload, size } };
    assert_int_equal(sha256_parts(parts, 2, expected, NULL), ERR_NONE);
    assert_int_equal(store_put(".weir", header, 6, payload, size, digest, &e), ERR_NONE);
    assert_memory_equal(digest, expected, SHA256_BYTES);
    assert_int_equal(store_get(".weir", digest, &map, &e), ERR_NONE);
    assert_int_equal(map.len, 6 + size);
    assert_memory_equal(map.data, header, 6);
    assert_int_equal(memcmp((const char *)map.data + 6, payload, size), 0);
    store_unmap(&map);
    assert_int_equal(files_in(".weir/tmp"), 0);
    free(payload);
}

static void what_is_put_is_got(void **state)
{
    (void)state;
    put_and_get(0);
    put_and_get(1);
    put_and_get(5000);
    put_and_get((1 << 20) - 6);
    put_and_get(1 << 20);
    put_and_get((3 << 20) + 17);
}

static void an_empty_object_is_one_too(void **state)
{
    (void)state;
    unsigned char digest[SHA256_BYTES];
    struct store_map map;
    assert_int_equal(store_put(".weir", NULL, 0, NULL, 0, digest, NULL), ERR_NONE);
    assert_int_equal(store_get(".weir", digest, &map, NULL), ERR_NONE);
    assert_int_equal(map.len, 0);
    assert_non_null(map.data);
    store_unmap(&map);
}

/* The inode of the object with this content, put again. */
static ino_t put_inode(const void *data, size_t len, char *path, size_t path_size)
{
    unsigned char digest[SHA256_BYTES];
    struct stat st;
    assert_int_equal(store_put(".weir", NULL, 0, data, len, digest, NULL), ERR_NONE);
    store_object_path(".weir", digest, path, path_size);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, len);
    assert_int_equal(st.st_mode & 0777, 0444);
    return st.st_ino;
}

static void an_object_that_is_there_is_not_written_again(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char *big = calloc(2, 1 << 20);
    assert_non_null(big);
    ino_t small_inode = put_inode("abc", 3, path, sizeof path);
    assert_string_equal(path, ".weir/objects/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(put_inode("abc", 3, path, sizeof path), small_inode);
    ino_t big_inode = put_inode(big, 2 << 20, path, sizeof path);
    assert_int_equal(put_inode(big, 2 << 20, path, sizeof path), big_inode);
    assert_int_equal(files_in(".weir/tmp"), 0);
    free(big);
}

static void an_object_cut_by_a_crash_is_made_whole(void **state)
{
    (void)state;
    char path[PATH_MAX];
    (void)put_inode("abc", 3, path, sizeof path);
    assert_int_equal(truncate(path, 1), 0);
    (void)put_inode("abc", 3, path, sizeof path);
}

static void durable_gives_the_same(void **state)
{
    (void)state;
    assert_int_equal(setenv("WEIR_DURABLE", "1", 1), 0);
    put_and_get(5000);
    put_and_get(2 << 20);
}

static void a_missing_object_is_named(void **state)
{
    (void)state;
    unsigned char digest[SHA256_BYTES] = { 0xab };
    struct store_map map;
    struct err e;
    assert_int_equal(store_get(".weir", digest, &map, &e), ERR_NOT_FOUND);
    assert_string_equal(e.msg, "object ab00000000000000000000000000000000000000000000000000000000000000"
                               " is not in the store '.weir'");
}

static void a_store_that_cannot_be_written_says_so(void **state)
{
    (void)state;
    unsigned char digest[SHA256_BYTES] = { 7 };
    struct err e;
    assert_int_equal(file_write_atomic(".weir", "", 0, 0644, 0, NULL), ERR_NONE); /* a file in its place */
    assert_int_equal(store_put(".weir", NULL, 0, "x", 1, digest, &e), ERR_IO);
    assert_string_equal(e.msg, "writing into the store '.weir': Not a directory");
    assert_int_equal(digest[0], 7);
}

static void processes_writing_the_same_objects_agree(void **state)
{
    (void)state;
    pid_t children[4];
    for (size_t c = 0; c < 4; c++) {
        children[c] = fork();
        if (children[c] == 0) {
            int bad = 0;
            for (int i = 0; i < 200; i++) {
                struct store *s = NULL;
                unsigned char digest[SHA256_BYTES];
                bad += store_put(".weir", "h", 1, &i, sizeof i, digest, NULL) != ERR_NONE;
                if (i % 20 == 0) { /* somebody cleans meanwhile */
                    bad += store_open(".weir", true, &s, NULL) != ERR_NONE;
                    store_close(s);
                }
            }
            _exit(bad != 0);
        }
    }
    for (size_t c = 0; c < 4; c++) {
        int status = -1;
        assert_int_equal(waitpid(children[c], &status, 0), children[c]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(files_in(".weir/tmp"), 0);
}

static void a_killed_writer_leaves_no_torn_object(void **state)
{
    (void)state;
    size_t size = 64 << 20;
    char *data = calloc(1, size);
    struct store *s = NULL;
    assert_non_null(data);
    assert_int_equal(store_open(".weir", true, &s, NULL), ERR_NONE);
    pid_t child = fork();
    if (child == 0) {
        for (;;) {
            unsigned char digest[SHA256_BYTES];
            data[0]++;
            (void)store_put(".weir", NULL, 0, data, size, digest, NULL);
        }
    }
    while (files_in(".weir/tmp") == 0) {
        (void)sched_yield();
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    store_close(s);
    assert_int_equal(store_open(".weir", false, &s, NULL), ERR_NONE);
    assert_int_equal(files_in(".weir/tmp"), 0);
    store_close(s);
    DIR *dir = opendir(".weir/objects");
    for (struct dirent *d; dir && (d = readdir(dir));) {
        char path[PATH_MAX];
        (void)snprintf(path, sizeof path, ".weir/objects/%s", d->d_name);
        DIR *inner = d->d_name[0] == '.' ? NULL : opendir(path);
        for (struct dirent *o; inner && (o = readdir(inner));) {
            struct stat st;
            if (o->d_name[0] != '.') {
                assert_int_equal(fstatat(dirfd(inner), o->d_name, &st, 0), 0);
                assert_int_equal(st.st_size, size);
            }
        }
        if (inner) {
            closedir(inner);
        }
    }
    if (dir) {
        closedir(dir);
    }
    free(data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {
        TEST(without_any_it_is_beside_the_work),
        TEST(the_nearest_ancestor_has_it),
        TEST(a_file_of_that_name_is_no_store),
        TEST(weir_home_wins),
        TEST(opening_makes_it),
        TEST(opening_what_is_not_there_says_so),
        TEST(a_newer_version_is_refused_with_advice),
        TEST(dead_writers_files_go_and_living_ones_stay),
        TEST(what_is_put_is_got),
        TEST(an_empty_object_is_one_too),
        TEST(an_object_that_is_there_is_not_written_again),
        TEST(an_object_cut_by_a_crash_is_made_whole),
        TEST(durable_gives_the_same),
        TEST(a_missing_object_is_named),
        TEST(a_store_that_cannot_be_written_says_so),
        TEST(processes_writing_the_same_objects_agree),
        TEST(a_killed_writer_leaves_no_torn_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
