/* Flows as shared objects: both tiers, the cache, the fall-back to cc, and the messages. */
#include "runtime/build/build.h"
#include "runtime/include/weir.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* last: it needs what stands above */

#include "tests/unit/build_home.h"

#define FLOW "\nconst struct weir_flow weir_flow = { .abi = WEIR_ABI, .name = \"F\" };\n"
#define HEAD "#include \"weir.h\"\n#line 1 \"cell [4]\"\n"

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

static enum err_code build(const char *text, enum build_tier tier, char **so, enum build_tier *used, struct err *e)
{
    char folder[64];
    (void)snprintf(folder, sizeof folder, "%s/a/build", dir);
    return build_flow(text, strlen(text), folder, tier, so, used, e);
}

static const char *flow_name(const char *so)
{
    static char name[32];
    void *handle = dlopen(so, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(handle);
    const struct weir_flow *flow = dlsym(handle, "weir_flow");
    assert_non_null(flow);
    (void)snprintf(name, sizeof name, "%s", flow->name);
    dlclose(handle);
    return name;
}

static void each_tier_gives_an_object_with_the_flow(void **state)
{
    (void)state;
    for (int tier = BUILD_TCC; tier <= BUILD_CC; tier++) {
        char *so = NULL;
        struct err e;
        enum build_tier used;
        assert_int_equal(build("#include \"weir.h\"" FLOW, (enum build_tier)tier, &so, &used, &e), ERR_NONE);
        assert_int_equal(used, tier);
        assert_string_equal(flow_name(so), "F");
        free(so);
    }
}

static void the_same_text_is_built_once(void **state)
{
    (void)state;
    const char *text = "#include \"weir.h\"\nint once;" FLOW;
    char *first = NULL, *second = NULL;
    struct stat a, b;
    assert_int_equal(build(text, BUILD_TCC, &first, NULL, NULL), ERR_NONE);
    assert_int_equal(stat(first, &a), 0);
    assert_int_equal(build(text, BUILD_TCC, &second, NULL, NULL), ERR_NONE);
    assert_int_equal(stat(second, &b), 0);
    assert_string_equal(first, second);
    assert_int_equal(a.st_ino, b.st_ino);
    free(first);
    free(second);
}

static void cc_flags_of_the_user_make_another_object(void **state)
{
    (void)state;
    const char *text = "#include \"weir.h\"\nint flags;" FLOW;
    char *plain = NULL, *with = NULL;
    assert_int_equal(build(text, BUILD_TCC, &plain, NULL, NULL), ERR_NONE);
    setenv("WEIR_CFLAGS", "-DX=1 '-DY=\"a b\"'", 1);
    assert_int_equal(build(text, BUILD_TCC, &with, NULL, NULL), ERR_NONE);
    unsetenv("WEIR_CFLAGS");
    assert_string_not_equal(plain, with);
    free(plain);
    free(with);
}

static void a_flow_with_an_anchor_of_its_own_stays_with_tcc(void **state)
{
    (void)state;
    char *so = NULL;
    enum build_tier used = BUILD_CC;
    const char *text = "#include \"weir.h\"\nvoid weir_flow_anchor(void);\nvoid weir_flow_anchor(void)\n{\n}" FLOW;
    assert_int_equal(build(text, BUILD_TCC, &so, &used, NULL), ERR_NONE);
    assert_int_equal(used, BUILD_TCC);
    free(so);
}

static void what_tcc_refuses_is_built_by_cc(void **state)
{
    (void)state;
    char *so = NULL;
    enum build_tier used = BUILD_TCC;
    assert_int_equal(
        build("#include \"weir.h\"\n_Atomic int n; int f(void) { return ++n; }" FLOW, BUILD_TCC, &so, &used, NULL),
        ERR_NONE);
    assert_int_equal(used, BUILD_CC);
    assert_string_equal(flow_name(so), "F");
    free(so);
}

static void every_error_is_told_with_cell_line_and_caret(void **state)
{
    (void)state;
    const char *text = HEAD "static int f(void) {\n\treturn missing; }\n#line 1 \"cell [5]\"\n\nstatic const int k = "
                            "1; static void g(void) { k = 2; }" FLOW;
    for (int tier = BUILD_TCC; tier <= BUILD_CC; tier++) {
        char *so = NULL;
        struct err e;
        assert_int_equal(build(text, (enum build_tier)tier, &so, NULL, &e), ERR_COMPILE);
        assert_null(so);
        assert_string_equal(e.msg, "cell [4] line 2: error: 'missing' undeclared (first use in this function)\n"
                                   "    \treturn missing; }\n"
                                   "    \t       ^\n"
                                   "cell [5] line 2: error: assignment of read-only variable 'k'\n"
                                   "    static const int k = 1; static void g(void) { k = 2; }\n"
                                   "                                                    ^");
    }
}

static void what_tcc_only_warns_of_is_an_error(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        { "static void f(void) { return 1; }", "'return' with a value, in function returning void" },
        { "static double f(void) { return sqrt(2.0); }", "implicit declaration of function 'sqrt'" },
        { "static void f(const int *p) { *p = 1; }", "assignment of read-only location '*p'" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[512];
        struct err e;
        (void)snprintf(text, sizeof text, HEAD "%s" FLOW, wrong[i][0]);
        assert_int_equal(build_check(text, strlen(text), &e), ERR_COMPILE);
        assert_non_null(strstr(e.msg, wrong[i][1]));
        assert_int_equal(e.line, 1);
    }
}

static void without_cc_tccs_own_message_is_told(void **state)
{
    (void)state;
    struct err e;
    const char *text = HEAD "\nint f(void) { return missing; }" FLOW;
    setenv("WEIR_CC", "/nonexistent/cc", 1);
    enum err_code code = build_check(text, strlen(text), &e);
    unsetenv("WEIR_CC");
    assert_int_equal(code, ERR_COMPILE);
    assert_string_equal(e.msg, "cell [4] line 2: error: 'missing' undeclared");
}

static void many_errors_are_cut(void **state)
{
    (void)state;
    struct err e;
    struct buf text;
    buf_init(&text, 0);
    buf_str(&text, HEAD);
    for (int i = 0; i < 13; i++) {
        buf_printf(&text, "int f%d(void) { return m%d; }\n", i, i);
    }
    buf_str(&text, FLOW);
    assert_int_equal(build_check(text.data, text.len, &e), ERR_COMPILE);
    assert_non_null(strstr(e.msg, "'m9' undeclared"));
    assert_null(strstr(e.msg, "'m10'"));
    assert_non_null(strstr(e.msg, "\n... 3 more errors"));
    buf_done(&text);
}

static void a_folder_that_cannot_be_made_is_told(void **state)
{
    (void)state;
    struct err e;
    char *so = NULL;
    const char *text = "#include \"weir.h\"" FLOW;
    assert_int_not_equal(build_flow(text, strlen(text), "/proc/nothing/here", BUILD_TCC, &so, NULL, &e), ERR_NONE);
    assert_non_null(strstr(e.msg, "/proc/nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tier_gives_an_object_with_the_flow),
        cmocka_unit_test(the_same_text_is_built_once),
        cmocka_unit_test(cc_flags_of_the_user_make_another_object),
        cmocka_unit_test(a_flow_with_an_anchor_of_its_own_stays_with_tcc),
        cmocka_unit_test(what_tcc_refuses_is_built_by_cc),
        cmocka_unit_test(every_error_is_told_with_cell_line_and_caret),
        cmocka_unit_test(what_tcc_only_warns_of_is_an_error),
        cmocka_unit_test(without_cc_tccs_own_message_is_told),
        cmocka_unit_test(many_errors_are_cut),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
