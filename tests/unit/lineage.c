/* Lineage: what is found where, and that values go with the last node that needs them. */
#include "runtime/flow/lineage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h> /* last: it needs what stands above */

static int open_arena(void **state)
{
    static struct arena_shared a;
    struct err e;
    *state = &a;
    return arena_shared_new(&a, 4096, &e) == ERR_NONE ? 0 : -1;
}

static int close_arena(void **state)
{
    struct arena_shared *a = *state;
    uint64_t live = a->live;
    arena_shared_done(a);
    return live == 0 ? 0 : -1; /* every test gives back all */
}

/* A node with one small value. */
static struct lineage *node(struct arena_shared *a, struct lineage *parent, uint32_t id, uint64_t size)
{
    struct lineage *n = lineage_new(parent, 1);
    assert_non_null(n);
    n->values[0] = (struct record_value){ .id = id, .size = size, .offset = arena_shared_alloc(a, size) };
    return n;
}

static void a_name_is_found_at_its_newest_place(void **state)
{
    struct arena_shared *a = *state;
    struct lineage *one = node(a, NULL, 1, 100);
    struct lineage *two = node(a, one, 2, 200);
    struct lineage *three = node(a, two, 1, 300);
    assert_int_equal(lineage_find(two, 1)->size, 100);
    assert_int_equal(lineage_find(three, 1)->size, 300);
    assert_int_equal(lineage_find(three, 2)->size, 200);
    assert_null(lineage_find(three, 3));
    assert_null(lineage_find(NULL, 1));
    lineage_drop(a, one);
    lineage_drop(a, two);
    lineage_drop(a, three);
}

static void values_live_as_long_as_a_node_that_follows(void **state)
{
    struct arena_shared *a = *state;
    struct lineage *root = node(a, NULL, 1, 64);
    struct lineage *left = node(a, root, 2, 64);
    struct lineage *right = node(a, root, 2, 64);
    lineage_drop(a, root);
    lineage_drop(a, left);
    assert_int_equal(a->live, 128);
    assert_int_equal(lineage_find(right, 1)->size, 64);
    lineage_drop(a, right);
    assert_int_equal(a->live, 0);
}

static void a_kept_node_needs_as_many_drops(void **state)
{
    struct arena_shared *a = *state;
    struct lineage *n = node(a, NULL, 1, 64);
    assert_ptr_equal(lineage_keep(n), n);
    lineage_drop(a, n);
    assert_int_equal(a->live, 64);
    lineage_drop(a, n);
    lineage_drop(a, NULL);
}

static void files_take_no_shared_memory(void **state)
{
    struct arena_shared *a = *state;
    struct lineage *n = lineage_new(NULL, 1);
    n->values[0] = (struct record_value){ .id = 1, .size = 1 << 20, .is_file = 1 };
    lineage_drop(a, n);
    assert_int_equal(a->live, 0);
}

static void a_long_chain_is_dropped_without_recursion(void **state)
{
    struct arena_shared *a = *state;
    struct lineage *last = lineage_new(NULL, 0);
    for (int i = 0; i < 1000000; i++) {
        struct lineage *next = lineage_new(last, 0);
        assert_non_null(next);
        lineage_drop(a, last);
        last = next;
    }
    lineage_drop(a, last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_is_found_at_its_newest_place, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(values_live_as_long_as_a_node_that_follows, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(a_kept_node_needs_as_many_drops, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(files_take_no_shared_memory, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(a_long_chain_is_dropped_without_recursion, open_arena, close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
