/* The run's shared memory: blocks, their reuse, and what a zygote may write. */
#include "runtime/flow/arena_shared.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h> /* last: it needs what stands above */

enum { RESERVED = 3 * 4096 };

static int open_arena(void **state)
{
    static struct arena_shared a;
    struct err e;
    *state = &a;
    return arena_shared_new(&a, RESERVED, &e) == ERR_NONE ? 0 : -1;
}

static int close_arena(void **state)
{
    arena_shared_done(*state);
    return 0;
}

static void blocks_are_aligned_apart_and_behind_what_is_reserved(void **state)
{
    struct arena_shared *a = *state;
    uint64_t last = RESERVED;
    for (size_t size = 1; size < 20000; size += 97) {
        uint64_t at = arena_shared_alloc(a, size);
        assert_true(at >= last);
        assert_int_equal(at % 64, 0);
        memset(arena_shared_at(a, at, size), 0xff, size);
        last = at + size;
    }
}

static void a_freed_block_is_used_again(void **state)
{
    struct arena_shared *a = *state;
    const size_t sizes[] = { 1, 64, 65, 4096, 8127, 8128, 8129, 100000, 3 << 20 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t one = arena_shared_alloc(a, sizes[i]);
        uint64_t two = arena_shared_alloc(a, sizes[i]);
        uint64_t live = a->live;
        arena_shared_free(a, one, sizes[i]);
        arena_shared_free(a, two, sizes[i]);
        assert_true(a->live < live);
        assert_int_equal(arena_shared_alloc(a, sizes[i]), two);
        assert_int_equal(arena_shared_alloc(a, sizes[i]), one);
        assert_int_equal(a->live, live);
    }
}

static void a_large_freed_block_gives_its_memory_back(void **state)
{
    struct arena_shared *a = *state;
    const size_t size = 64 << 20;
    struct stat full, empty;
    uint64_t at = arena_shared_alloc(a, size);
    memset(arena_shared_at(a, at, size), 1, size);
    assert_int_equal(fstat(a->fd, &full), 0);
    arena_shared_free(a, at, size);
    assert_int_equal(fstat(a->fd, &empty), 0);
    assert_true(full.st_blocks - empty.st_blocks >= (60 << 20) / 512);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct arena_shared *a = *state;
    assert_int_equal(arena_shared_alloc(a, a->size), 0);
    assert_int_equal(arena_shared_alloc(a, SIZE_MAX), 0);
    assert_null(arena_shared_at(a, a->size, 1));
    assert_null(arena_shared_at(a, 64, UINT64_MAX));
    assert_non_null(arena_shared_at(a, a->size - 8, 8));
}

/* Attach in a child and write at offset; the signal that ends it, 0: none. */
static int write_attached(const struct arena_shared *a, uint64_t offset)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct arena_shared mine;
        struct err e;
        (void)signal(SIGSEGV, SIG_DFL);
        if (arena_shared_attach(&mine, dup(a->fd), 4096, 4096, &e)) {
            _exit(2);
        }
        mine.base[offset] = 'x';
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_zygote_writes_its_own_pages_only(void **state)
{
    struct arena_shared *a = *state;
    const struct rlimit none = { 0, 0 };
    (void)setrlimit(RLIMIT_CORE, &none);
    assert_int_equal(write_attached(a, 4096), 0);
    assert_int_equal(write_attached(a, 8191), 0);
    assert_int_equal(a->base[4096], 'x');
    assert_int_equal(write_attached(a, 0), SIGSEGV);
    assert_int_equal(write_attached(a, 8192), SIGSEGV);
    assert_int_equal(write_attached(a, RESERVED + 64), SIGSEGV);
}

static void a_place_that_is_not_there_is_refused(void **state)
{
    struct arena_shared *a = *state;
    struct arena_shared other;
    struct err e;
    int fd = dup(a->fd);
    assert_int_equal(arena_shared_attach(&other, fd, a->size, 4096, &e), ERR_FORMAT);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_are_aligned_apart_and_behind_what_is_reserved, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(a_freed_block_is_used_again, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(a_large_freed_block_gives_its_memory_back, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(a_zygote_writes_its_own_pages_only, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(a_place_that_is_not_there_is_refused, open_arena, close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
