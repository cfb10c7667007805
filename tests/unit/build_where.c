/* Offsets in a flow's object to cell, line and function, for both tiers. The oracle is a function that returns its own
 * return address. */
#include "runtime/build/build.h"

#include <dlfcn.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* last: it needs what stands above */

#include "tests/unit/build_home.h"

static const char text[] =
    "#include \"weir.h\"\n"
    "#line 1 \"cell [2]\"\n"
    "__attribute__((noinline)) static void *here(void) { return ((void **)__builtin_frame_address(0))[1]; }\n"
    "#line 1 \"cell [3]\"\n"
    "int unrelated(int x) {\n"
    "    return x * 2; }\n"
    "void *ask(void)\n"
    "{\n"
    "    void *p;\n"
    "    p = here();\n"
    "    return p;\n"
    "}\n"
    "const struct weir_flow weir_flow = { .abi = WEIR_ABI, .name = \"F\" };\n";

static char dir[] = "/tmp/weir-test-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return home_root() && mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return home_remove(dir);
}

static char *built(enum build_tier tier)
{
    char *so = NULL;
    struct err e;
    /* a frame to look into, also at -O2 */
    setenv("WEIR_CFLAGS", "-fno-omit-frame-pointer -fno-optimize-sibling-calls", 1);
    if (build_flow(text, strlen(text), dir, tier, &so, NULL, &e) != ERR_NONE) {
        fail_msg("%s", e.msg);
    }
    return so;
}

static void check(enum build_tier tier)
{
    char *so = built(tier);
    void *handle = dlopen(so, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(handle);
    void *symbol = dlsym(handle, "ask");
    void *(*ask)(void);
    memcpy(&ask, &symbol, sizeof ask);
    struct link_map *map = NULL;
    assert_int_equal(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
    uint64_t pc = (uint64_t)(uintptr_t)ask() - 1; /* within the call */
    struct build_where w;
    assert_true(build_flow_where(so, pc - (uint64_t)map->l_addr, &w));
    assert_string_equal(w.cell, "cell [3]");
    assert_string_equal(w.function, "ask");
    assert_int_equal(w.line, 6);
    dlclose(handle);
    free(so);
}

static void tccs_code(void **state)
{
    (void)state;
    check(BUILD_TCC);
}

static void ccs_code(void **state)
{
    (void)state;
    check(BUILD_CC);
}

static void a_missing_object_is_not_known(void **state)
{
    (void)state;
    struct build_where w;
    assert_false(build_flow_where("/nonexistent/k.tcc.so", 64, &w));
    assert_false(build_flow_where("/nonexistent/k.cc.so", 64, &w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* in this order: the cc object would serve the tcc tier too */
        cmocka_unit_test(tccs_code),
        cmocka_unit_test(ccs_code),
        cmocka_unit_test(a_missing_object_is_not_known),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
