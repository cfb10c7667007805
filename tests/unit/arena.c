/* Arenas: alignment, zeroes, large and many allocations. */
#include "runtime/base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void memory_is_aligned_and_zero(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    for (size_t n = 1; n < 100; n++) {
        unsigned char *p = arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(p[i], 0);
        }
        memset(p, 0xff, n);
    }
    arena_done(&a);
}

static void earlier_memory_stays_when_blocks_are_added(void **state)
{
    (void)state;
    struct arena a;
    char *texts[1000];
    arena_init(&a);
    for (size_t i = 0; i < 1000; i++) {
        char text[16] = { (char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676), '\0' };
        texts[i] = arena_strndup(&a, text, strlen(text));
        (void)arena_alloc(&a, i);
    }
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(texts[i][0], 'a' + (int)(i % 26));
        assert_int_equal(texts[i][1], 'a' + (int)(i / 26 % 26));
    }
    arena_done(&a);
}

static void large_allocations_get_their_own_block(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    char *big = arena_alloc(&a, 1 << 20);
    assert_non_null(big);
    big[(1 << 20) - 1] = 1;
    assert_null(arena_alloc(&a, SIZE_MAX));
    arena_done(&a);
    assert_null(a.blocks);
}

static void strndup_takes_any_bytes(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    assert_string_equal(arena_strndup(&a, NULL, 0), "");
    assert_memory_equal(arena_strndup(&a, "a\0b", 3), "a\0b", 4);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_and_zero),
        cmocka_unit_test(earlier_memory_stays_when_blocks_are_added),
        cmocka_unit_test(large_allocations_get_their_own_block),
        cmocka_unit_test(strndup_takes_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
