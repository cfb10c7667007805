/* Memory that is given out and taken back, and literals that are kept once. */
#include "runtime/build/area.h"

#include "runtime/build/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { SIZE = 1 << 20 };

static char *map(void)
{
    void *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(m != MAP_FAILED);
    return m;
}

static void blocks_given_back_join_and_are_zero(void **state)
{
    (void)state;
    struct area a;
    char *base = map();
    assert_true(area_init(&a, base, SIZE));
    struct block x = area_take(&a, 100, 64), y = area_take(&a, 200000, 4096), z = area_take(&a, 16, 1);
    memset(x.at, 1, x.len);
    memset(y.at, 2, y.len);
    memset(z.at, 3, z.len);
    assert_true((uintptr_t)y.at % 4096 == 0 && y.at >= x.at + x.len && z.len == 16);
    area_give(&a, y);
    area_give(&a, x);
    area_give(&a, z);
    assert_int_equal(a.nfree, 1);
    assert_int_equal(a.free[0].len, SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        assert_int_equal(base[i], 0);
    }
    assert_null(area_take(&a, SIZE + 1, 16).at);
    assert_ptr_equal(area_take(&a, SIZE, 16).at, base);
    assert_null(area_take(&a, 1, 16).at);
    area_done(&a);
    (void)munmap(base, SIZE);
}

/* Against a plain map of who has which byte. */
static void random_blocks_never_overlap(void **state)
{
    (void)state;
    enum { BLOCKS = 300, ROUNDS = 20000 };
    static struct block blocks[BLOCKS];
    struct area a;
    char *base = map();
    size_t taken = 0, ranges = 0;
    unsigned seed = 7;
    assert_true(area_init(&a, base, SIZE));
    for (int i = 0; i < ROUNDS; i++) {
        struct block *b = &blocks[rand_r(&seed) % BLOCKS];
        if (b->at) {
            for (size_t k = 0; k < b->len; k++) {
                assert_int_equal(b->at[k], (char)(1 + (b - blocks) % 100));
            }
            taken -= b->len;
            area_give(&a, *b);
            b->at = NULL;
            continue;
        }
        *b = area_take(&a, 1 + (size_t)rand_r(&seed) % 9000, (size_t)1 << rand_r(&seed) % 8);
        for (size_t k = 0; b->at && k < b->len; k++) {
            assert_int_equal(b->at[k], 0);
        }
        if (b->at) {
            memset(b->at, (int)(1 + (b - blocks) % 100), b->len);
            taken += b->len;
        }
    }
    for (size_t i = 0; i < a.nfree; i++) {
        ranges += a.free[i].len;
        assert_true(i == 0 || a.free[i - 1].at + a.free[i - 1].len < a.free[i].at);
    }
    assert_int_equal(ranges + taken, SIZE);
    area_done(&a);
    (void)munmap(base, SIZE);
}

static void a_literal_is_kept_once_and_read_only(void **state)
{
    (void)state;
    struct pool p;
    char *base = map();
    assert_true(pool_init(&p, base, SIZE));
    const char *one = pool_put(&p, "one", 4, 4), *wide = pool_put(&p, "sixteen bytes ..", 16, 16);
    assert_string_equal(one, "one");
    assert_ptr_equal(pool_put(&p, "one", 4, 1), one);
    assert_ptr_not_equal(pool_put(&p, "one", 3, 1), one); /* without its NUL it is another */
    assert_true((uintptr_t)wide % 16 == 0);
    for (int i = 0; i < 1000; i++) {
        assert_non_null(pool_put(&p, (const char *)&i, sizeof i, 4));
    }
    assert_ptr_equal(pool_put(&p, "sixteen bytes ..", 16, 16), wide);
    assert_int_equal(mprotect(base, SIZE, PROT_READ), 0); /* in one piece, as it was */
    assert_null(pool_put(&p, base, SIZE, 1));
    pool_done(&p);
    (void)munmap(base, SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_given_back_join_and_are_zero),
        cmocka_unit_test(random_blocks_never_overlap),
        cmocka_unit_test(a_literal_is_kept_once_and_read_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
