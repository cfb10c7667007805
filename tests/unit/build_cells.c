/* The session's linker: cells that see each other, by tcc and by cc, in both directions. */
#include "runtime/build/build.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* last: it needs what stands above */

#include "tests/unit/build_home.h"

struct fixture {
    struct build_cells *b;
    struct err e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f || !home_root()) {
        return -1;
    }
    if (build_cells_new(&f->b, &f->e) != ERR_NONE) {
        print_error("%s\n", f->e.msg);
        return -1;
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    build_cells_free(f->b);
    free(f);
    return 0;
}

typedef int function(void);

static function *as_function(void *address)
{
    function *f;
    memcpy(&f, &address, sizeof f);
    return f;
}

/* Add a cell that defines function `name` and run it. */
static int define(struct fixture *f, bool cc, const char *name, const char *text)
{
    struct build_symbol s = { .name = name, .function = true };
    void *entry = NULL;
    enum err_code code = build_cells_add(f->b, "cell [1]", text, strlen(text), name, cc, &s, 1, &entry, &f->e);
    if (code != ERR_NONE) {
        fail_msg("%s", f->e.msg);
    }
    return as_function(entry)();
}

static void variable(struct fixture *f, bool cc, const char *name, bool keeps, const char *text)
{
    struct build_symbol s = { .name = name, .keeps_storage = keeps };
    if (build_cells_add(f->b, "cell [2]", text, strlen(text), NULL, cc, &s, 1, NULL, &f->e) != ERR_NONE) {
        fail_msg("%s", f->e.msg);
    }
}

static void a_cell_runs(void **state)
{
    assert_int_equal(define(*state, false, "f", "int f(void) { return 42; }"), 42);
}

static void a_cell_calls_an_earlier_one(void **state)
{
    (void)define(*state, false, "f", "int f(void) { return 42; }");
    assert_int_equal(define(*state, false, "g", "int f(void); int g(void) { return f() + 1; }"), 43);
}

static void libc_and_libm_are_found(void **state)
{
    assert_int_equal(define(*state, false, "f",
                            "double cbrt(double); unsigned long strlen(const char *);"
                            "int f(void) { return (int)cbrt(27.5) + (int)strlen(\"four\"); }"),
                     7);
}

static void tccs_own_helpers_are_there(void **state)
{
    assert_int_equal(
        define(
            *state, false, "f",
            "struct s { char c[100]; };"
            "int f(void) { double d = 3e9; unsigned long long u = d; long double l = u; struct s a = {{1, 2}}, b = a;"
            "return (int)(u / 1000000000) + b.c[1] + (int)(l / 1e9L); }"),
        8);
}

static void a_variable_is_shared(void **state)
{
    variable(*state, false, "n", false, "int n = 5;");
    (void)define(*state, false, "f", "extern int n; int f(void) { return n += 2; }");
    assert_int_equal(define(*state, false, "g", "extern int n; int g(void) { return n; }"), 7);
}

static void floating_variables_of_other_cells_are_operands_on_either_side(void **state)
{
    variable(*state, false, "a", false, "double a = 1.5;");
    variable(*state, false, "b", false, "double b = 2.5;");
    variable(*state, false, "v", false, "float v[2] = { 1, 4 };");
    assert_int_equal(define(*state, false, "f",
                            "extern double a, b; extern float v[]; int f(void) {"
                            " return (int)(100 * (a + b) + 10 * (a * b < b * a + 1) + (a < b) + v[0] * v[1]); }"),
                     415);
}

static void a_large_array_costs_no_memory_until_it_is_used(void **state)
{
    struct fixture *f = *state;
    variable(f, false, "big", false, "char big[500000000];");
    char *big = build_cells_find(f->b, "big");
    assert_int_equal(big[499999999], 0);
    const struct build_symbol s = { .name = "more" };
    const char *text = "char more[900000000];";
    assert_int_equal(build_cells_add(f->b, "cell [3]", text, strlen(text), NULL, false, &s, 1, NULL, &f->e), ERR_LIMIT);
    assert_string_equal(f->e.msg,
                        "the code and variables of all cells are over 1024 MiB; take large memory with malloc");
}

static void a_cell_that_failed_leaves_its_place_clean(void **state)
{
    struct fixture *f = *state;
    const char *text = "int filled[1000] = { [0 ... 999] = -1 }; int nowhere(void); int f(void) { return nowhere(); }";
    assert_int_equal(build_cells_add(f->b, "cell [3]", text, strlen(text), NULL, false, NULL, 0, NULL, &f->e),
                     ERR_COMPILE);
    variable(f, false, "zeros", false, "char zeros[5000];");
    const char *zeros = build_cells_find(f->b, "zeros");
    for (size_t i = 0; i < 5000; i++) {
        assert_int_equal(zeros[i], 0);
    }
}

static double host_double = 3;

static void a_variable_out_of_reach_is_used_all_the_same(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(build_cells_host(f->b, "host_double", &host_double, &f->e), ERR_NONE);
    assert_int_equal(
        define(f, false, "f", "extern double host_double; int f(void) { return (int)(1.5 * host_double * 2); }"), 9);
}

static void a_variable_that_keeps_its_storage_keeps_its_value(void **state)
{
    struct fixture *f = *state;
    variable(f, false, "n", false, "int n = 5;");
    int *before = build_cells_find(f->b, "n");
    variable(f, false, "n", true, "extern int n; int *p_of_n(void) { return &n; }");
    assert_ptr_equal(build_cells_find(f->b, "n"), before);
    assert_int_equal(*before, 5);
}

static void earlier_callers_reach_a_function_defined_again(void **state)
{
    struct fixture *f = *state;
    (void)define(f, false, "f", "int f(void) { return 1; }");
    (void)define(f, false, "g", "int f(void); int g(void) { return 10 * f(); }");
    function *pointer = as_function(build_cells_find(f->b, "f"));
    (void)define(f, false, "f", "int f(void) { return 2; }");
    assert_int_equal(as_function(build_cells_find(f->b, "g"))(), 20);
    assert_int_equal(pointer(), 2);
    (void)define(f, false, "f", "int f(void) { return 3; }");
    assert_int_equal(as_function(build_cells_find(f->b, "g"))(), 30);
    assert_int_equal(pointer(), 3);
}

static void the_shortest_function_can_be_redirected_to_cc_and_its_neighbour_survives(void **state)
{
    struct fixture *f = *state;
    const struct build_symbol both[] = { { .name = "f", .function = true }, { .name = "g", .function = true } };
    const char *text = "void f(void) {} int g(void) { return 7; }";
    assert_int_equal(build_cells_add(f->b, "cell [1]", text, strlen(text), NULL, false, both, 2, NULL, &f->e),
                     ERR_NONE);
    function *g = as_function(build_cells_find(f->b, "g")), *old = as_function(build_cells_find(f->b, "f"));
    assert_int_equal(define(f, true, "f", "int f(void) { return 99; }"), 99);
    assert_int_equal(old(), 99);
    assert_int_equal(g(), 7);
}

static void cc_and_tcc_cells_use_each_other(void **state)
{
    struct fixture *f = *state;
    variable(f, false, "n", false, "int n[2] = {5, 6};");
    (void)define(f, false, "t", "extern int n[]; int t(void) { return n[0]; }");
    assert_int_equal(define(f, true, "c",
                            "extern int n[]; int t(void); int *p = &n[1]; int (*pt)(void) = t;"
                            "int c(void) { n[0]++; return 100 * t() + 10 * *p + pt() + __builtin_popcount(7); }"),
                     600 + 60 + 6 + 3);
    assert_int_equal(define(f, false, "u", "int c(void); int u(void) { return c(); }"), 700 + 60 + 7 + 3);
    assert_int_equal(define(f, false, "c", "int c(void) { return 1; }"), 1);
    assert_int_equal(as_function(build_cells_find(f->b, "u"))(), 1);
}

static void what_tcc_refuses_goes_to_cc_unasked(void **state)
{
    assert_int_equal(
        define(*state, false, "f", "__int128 big = 1; int f(void) { big <<= 100; return (int)(big >> 98); }"), 4);
}

static void names_of_the_host_program_do_not_get_in_the_way(void **state)
{
    struct fixture *f = *state;
    assert_non_null(dlsym(RTLD_DEFAULT, "buf_init")); /* exported by this very program */
    (void)define(f, false, "buf_init", "int buf_init(void) { return 5; }");
    assert_int_equal(
        define(f, true, "c",
               "int buf_init(void); int buf_add(void) { return 3; } int c(void) { return buf_init() + buf_add(); }"),
        8);
}

static int host_function(int x)
{
    return x * 3;
}

static void a_symbol_of_the_host_beats_a_library(void **state)
{
    struct fixture *f = *state;
    int (*function_pointer)(int) = host_function;
    void *address;
    memcpy(&address, &function_pointer, sizeof address);
    assert_int_equal(build_cells_host(f->b, "getpagesize", address, &f->e), ERR_NONE);
    assert_int_equal(define(f, false, "f", "int getpagesize(int); int f(void) { return getpagesize(-2); }"), -6);
    assert_int_equal(
        define(f, true, "g", "int getpagesize(int); int g(void) { int (*p)(int) = getpagesize; return p(-2); }"), -6);
}

static void an_error_names_every_line_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    const struct build_symbol s = { .name = "f", .function = true };
    const char *text = "#line 1 \"cell [3]\"\nint f(void) {\n    return x;\n}\nint g(void) { return \"a\" * 2; }\n";
    (void)define(f, false, "f", "int f(void) { return 1; }");
    assert_int_equal(build_cells_add(f->b, "cell [3]", text, strlen(text), "f", false, &s, 1, NULL, &f->e),
                     ERR_COMPILE);
    assert_string_equal(f->e.msg, "cell [3] line 2: error: 'x' undeclared (first use in this function)\n"
                                  "        return x;\n"
                                  "               ^\n"
                                  "cell [3] line 4: error: invalid operands to binary * (have 'char *' and 'int')\n"
                                  "    int g(void) { return \"a\" * 2; }\n"
                                  "                             ^");
    assert_string_equal(f->e.cell, "cell [3]");
    assert_int_equal(f->e.line, 2);
    assert_int_equal(as_function(build_cells_find(f->b, "f"))(), 1);
}

static const char *users_line(void *ctx, const char *cell, int line, size_t *len)
{
    (void)ctx;
    assert_string_equal(cell, "cell [3]");
    const char *text = line == 1 ? "\tn + x + nx * x" : NULL;
    *len = text ? strlen(text) : 0;
    return text;
}

static void the_caret_is_moved_to_the_users_own_line(void **state)
{
    struct fixture *f = *state;
    const char *text = "#line 1 \"cell [3]\"\nint n; void f(void) { int weir_v = (n + 1 + nx * x); }\n";
    build_cells_lines(f->b, users_line, NULL);
    assert_int_equal(build_cells_add(f->b, "cell [3]", text, strlen(text), NULL, false, NULL, 0, NULL, &f->e),
                     ERR_COMPILE);
    assert_string_equal(f->e.msg,
                        "cell [3] line 1: error: 'nx' undeclared (first use in this function); did you mean 'n'?\n"
                        "    \tn + x + nx * x\n"
                        "    \t        ^\n"
                        "cell [3] line 1: error: 'x' undeclared (first use in this function)\n"
                        "    \tn + x + nx * x\n"
                        "    \t             ^");
}

static void implicit_declarations_are_errors(void **state)
{
    struct fixture *f = *state;
    const char *text = "#line 1 \"cell [3]\"\nint f(void) { return sqrt(2.0) > 1; }\n";
    assert_int_equal(build_cells_add(f->b, "cell [3]", text, strlen(text), NULL, false, NULL, 0, NULL, &f->e),
                     ERR_COMPILE);
    assert_string_equal(f->e.msg, "cell [3] line 1: error: implicit declaration of function 'sqrt'\n"
                                  "    int f(void) { return sqrt(2.0) > 1; }\n"
                                  "                         ^\n"
                                  "cell [3] line 1: note: include '<math.h>' or provide a declaration of 'sqrt'");
}

static void a_declared_name_that_nobody_defines_is_an_error(void **state)
{
    struct fixture *f = *state;
    const struct build_symbol s = { .name = "f", .function = true };
    const char *text = "int nowhere(void); int f(void) { return nowhere(); }";
    assert_int_equal(build_cells_add(f->b, "cell [3]", text, strlen(text), "f", false, &s, 1, NULL, &f->e),
                     ERR_COMPILE);
    assert_string_equal(f->e.msg,
                        "cell [3]: error: 'nowhere' is declared but defined nowhere: no cell and no library has it");
    assert_null(build_cells_find(f->b, "f"));
}

static void a_code_address_is_found_in_cell_and_line(void **state)
{
    struct fixture *f = *state;
    struct build_where w;
    const char *text = "#line 1 \"cell [7]\"\nint z(void) { return 0; }\n\nint f(int n) {\n    n++;\n    return n; "
                       "}\nint me(void) { return f(1); }\n";
    for (int cc = 0; cc < 2; cc++) {
        const struct build_symbol s[] = { { .name = "z", .function = true }, { .name = "f", .function = true } };
        assert_int_equal(build_cells_add(f->b, "cell [7]", text, strlen(text), NULL, cc, s, 2, NULL, &f->e), ERR_NONE);
        const char *pc = build_cells_find(f->b, "f");
        assert_true(build_cells_has(f->b, pc));
        assert_true(build_cells_where(f->b, pc, &w));
        assert_string_equal(w.cell, "cell [7]");
        assert_string_equal(w.function, "f");
        assert_int_equal(w.line, 3);
    }
    assert_false(build_cells_where(f->b, state, &w));
}

static void constructors_run_when_told(void **state)
{
    struct fixture *f = *state;
    variable(f, false, "n", false, "int n; __attribute__((constructor)) static void c(void) { n = 9; }");
    int *n = build_cells_find(f->b, "n");
    assert_int_equal(*n, 0);
    build_cells_construct(f->b);
    assert_int_equal(*n, 9);
    build_cells_construct(f->b);
    assert_int_equal(*n, 9);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cell_runs),
        TEST(a_cell_calls_an_earlier_one),
        TEST(libc_and_libm_are_found),
        TEST(tccs_own_helpers_are_there),
        TEST(a_variable_is_shared),
        TEST(floating_variables_of_other_cells_are_operands_on_either_side),
        TEST(a_large_array_costs_no_memory_until_it_is_used),
        TEST(a_cell_that_failed_leaves_its_place_clean),
        TEST(a_variable_out_of_reach_is_used_all_the_same),
        TEST(a_variable_that_keeps_its_storage_keeps_its_value),
        TEST(earlier_callers_reach_a_function_defined_again),
        TEST(the_shortest_function_can_be_redirected_to_cc_and_its_neighbour_survives),
        TEST(cc_and_tcc_cells_use_each_other),
        TEST(what_tcc_refuses_goes_to_cc_unasked),
        TEST(names_of_the_host_program_do_not_get_in_the_way),
        TEST(a_symbol_of_the_host_beats_a_library),
        TEST(an_error_names_every_line_and_changes_nothing),
        TEST(the_caret_is_moved_to_the_users_own_line),
        TEST(implicit_declarations_are_errors),
        TEST(a_declared_name_that_nobody_defines_is_an_error),
        TEST(a_code_address_is_found_in_cell_and_line),
        TEST(constructors_run_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
