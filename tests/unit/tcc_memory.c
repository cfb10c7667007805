/* The memory that libtcc works in. */
#include "runtime/build/tcc_memory.h"

#include "runtime/build/build.h"
#include "runtime/build/tcc.h"

#include <libtcc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void blocks_keep_their_bytes_when_they_grow(void **state)
{
    (void)state;
    char *a = tcc_memory_malloc(5), *b = tcc_memory_malloc(7);
    memcpy(a, "abcd", 5);
    memcpy(b, "efghij", 7);
    a = tcc_memory_realloc(a, 100);
    b = tcc_memory_realloc(tcc_memory_realloc(b, 16), 5000);
    assert_string_equal(a, "abcd");
    assert_string_equal(b, "efghij");
    assert_true((uintptr_t)a % 16 == 0 && (uintptr_t)b % 16 == 0);
    assert_null(tcc_memory_realloc(a, 0));
    tcc_memory_reset();
}

static void blocks_that_are_given_back_are_used_again(void **state)
{
    (void)state;
    char *first = tcc_memory_malloc(3000), *other = tcc_memory_malloc(3000);
    for (int i = 0; i < 1000; i++) { /* more in all than the region has */
        char *grown = tcc_memory_realloc(tcc_memory_malloc(1 << 20), 3 << 20);
        assert_true(grown > other && grown < first + (32 << 20));
        tcc_memory_free(grown);
    }
    tcc_memory_free(first);
    assert_ptr_equal(tcc_memory_malloc(2500), first);
    tcc_memory_reset();
}

static void all_blocks_go_at_the_end_of_a_compilation(void **state)
{
    (void)state;
    char *first = tcc_memory_malloc(1 << 20);
    memset(first, 'x', 1 << 20);
    (void)tcc_memory_malloc(100);
    tcc_memory_reset();
    assert_ptr_equal(tcc_memory_malloc(10), first);
    tcc_memory_reset();
}

static void zeroed_memory_is_zero_when_it_is_used_again(void **state)
{
    (void)state;
    memset(tcc_memory_malloc(1000), 'x', 1000);
    tcc_memory_reset();
    char zeros[1000] = { 0 };
    assert_memory_equal(tcc_memory_calloc(10, 100), zeros, 1000);
    assert_null(tcc_memory_calloc(SIZE_MAX / 2, 3));
    tcc_memory_reset();
}

static void more_than_the_region_has_comes_from_libc(void **state)
{
    (void)state;
    size_t large = (size_t)300 << 20;
    char *p = tcc_memory_malloc(large);
    assert_non_null(p);
    p[large - 1] = 'z';
    p = tcc_memory_realloc(p, large + 1);
    assert_int_equal(p[large - 1], 'z');
    tcc_memory_free(p);
    tcc_memory_reset();
}

static bool compiles(const char *text)
{
    const char *include_dir = NULL;
    struct tcc t;
    bool ok = build_paths(&include_dir, NULL, NULL, NULL) == ERR_NONE &&
              tcc_begin(&t, TCC_OUTPUT_OBJ, NULL, include_dir, NULL) == ERR_NONE;
    if (ok) {
        ok = tcc_compile(&t, text);
        tcc_done(&t);
    }
    return ok;
}

static void a_forked_copy_compiles_with_memory_of_its_own(void **state)
{
    (void)state;
    assert_true(compiles("int f(int x) { return x + 1; }"));
    char *left = tcc_memory_malloc(4096);
    memset(left, 'x', 4096);
    tcc_memory_reset();
    pid_t pid = fork();
    if (pid == 0) { /* what the parent has written is not here */
        bool wiped = left[4095] == 0;
        bool other = compiles("struct s { int a; }; int g(struct s *p) { return p->a; }") && !compiles("int ;=");
        _exit(!wiped || !other);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(compiles("int h(void) { return 3; }"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_their_bytes_when_they_grow),
        cmocka_unit_test(blocks_that_are_given_back_are_used_again),
        cmocka_unit_test(all_blocks_go_at_the_end_of_a_compilation),
        cmocka_unit_test(zeroed_memory_is_zero_when_it_is_used_again),
        cmocka_unit_test(more_than_the_region_has_comes_from_libc),
        cmocka_unit_test(a_forked_copy_compiles_with_memory_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
