/* The session's linker: cells that see each other, by tcc and by cc, in both directions. */
#include "runtime/build/cells.h"

#include <dlfcn.h>
#include <pthread.h>
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
    for (int i = 0; i < 9; i++) {
        variable(f, false, "big", false, "double big[200000000];");
    }
    double *big = build_cells_find(f->b, "big");
    assert_true(big[199999999] == 0);
    const struct build_symbol s = { .name = "more" };
    for (int i = 0; i < 100; i++) {
        const char *text = "double more[200000000];";
        enum err_code code = build_cells_add(f->b, "cell [3]", text, strlen(text), NULL, false, &s, 1, NULL, &f->e);
        if (code) {
            assert_int_equal(code, ERR_LIMIT);
            assert_string_equal(
                f->e.msg, "the code and variables of all cells are over 65536 MiB; take large memory with malloc");
            return;
        }
    }
    fail_msg("174 GB fit");
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
        assert_int_equal(w.line, cc ? 4 : 3); /* by cc, the body begins behind the jump through the gate */
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

/* ---- functions that change ---- */

static void a_function_keeps_its_address_when_it_is_replaced(void **state)
{
    struct fixture *f = *state;
    (void)define(f, false, "f", "int f(void) { return 1; }");
    const void *before = build_cells_find(f->b, "f");
    assert_int_equal(define(f, false, "f", "int f(void) { return 2; }"), 2);
    assert_int_equal(define(f, true, "f", "int f(void) { return 3; }"), 3);
    assert_ptr_equal(build_cells_find(f->b, "f"), before);
}

static void a_function_of_another_type_leaves_its_callers_alone(void **state)
{
    struct fixture *f = *state;
    const struct build_symbol other = { .name = "f", .function = true, .other_type = true };
    const char *text = "double f(double x) { return x; }";
    (void)define(f, false, "f", "int f(void) { return 1; }");
    (void)define(f, false, "g", "int f(void); int g(void) { return f(); }");
    assert_int_equal(build_cells_add(f->b, "cell [3]", text, strlen(text), NULL, false, &other, 1, NULL, &f->e), ERR_NONE);
    build_cells_ran(f->b);
    assert_int_equal(as_function(build_cells_find(f->b, "g"))(), 1);
    assert_int_equal(define(f, false, "h", "double f(double); int h(void) { return (int)f(7); }"), 7);
}

static jmp_buf undefined_left;
static char undefined_name[64];

static void on_undefined(const char *name)
{
    (void)snprintf(undefined_name, sizeof undefined_name, "%s", name);
    longjmp(undefined_left, 1);
}

/* A function that calls `later` and one that gives its address, by either compiler. */
static void call_before_and_after(struct fixture *f, bool cc)
{
    const struct build_symbol s[] = { { .name = "f", .function = true }, { .name = "later", .function = true, .declared = true } };
    const char *text = "int later(int); int (*p)(int) = later; int f(void) { return later(2) + p(3); }";
    assert_int_equal(build_cells_add(f->b, "cell [1]", text, strlen(text), NULL, cc, s, 2, NULL, &f->e), ERR_NONE);
    undefined_name[0] = '\0';
    if (setjmp(undefined_left) == 0) {
        (void)as_function(build_cells_find(f->b, "f"))();
        fail_msg("it returned");
    }
    assert_string_equal(undefined_name, "later");
    assert_null(build_cells_find(f->b, "later"));
    const struct build_symbol d = { .name = "later", .function = true };
    text = "int later(int n) { return 10 * n; }";
    assert_int_equal(build_cells_add(f->b, "cell [2]", text, strlen(text), NULL, !cc, &d, 1, NULL, &f->e), ERR_NONE);
    assert_int_equal(as_function(build_cells_find(f->b, "f"))(), 50);
}

static void a_declared_function_may_be_defined_by_a_later_cell(void **state)
{
    struct fixture *f = *state;
    build_cells_undefined(f->b, on_undefined);
    call_before_and_after(f, false);
}

static void the_same_by_cc(void **state)
{
    struct fixture *f = *state;
    build_cells_undefined(f->b, on_undefined);
    call_before_and_after(f, true);
}

/* ---- what is given back ---- */

static size_t free_bytes(const struct area *a)
{
    size_t sum = 0;
    for (size_t i = 0; i < a->nfree; i++) {
        sum += a->free[i].len;
    }
    return sum;
}

struct room {
    size_t units, code, data;
};

static struct room room_of(const struct fixture *f)
{
    return (struct room){ f->b->nunits, free_bytes(&f->b->code), free_bytes(&f->b->data) };
}

/* Add a cell with its entry `run` and, if name isn't NULL, a function, run it, and give back what can be. */
static void run_cell(struct fixture *f, const char *name, const char *text)
{
    struct build_symbol s = { .name = name, .function = true };
    void *entry = NULL;
    if (build_cells_add(f->b, "cell [9]", text, strlen(text), "run", false, &s, name ? 1 : 0, &entry, &f->e) != ERR_NONE) {
        fail_msg("%s", f->e.msg);
    }
    (void)as_function(entry)();
    build_cells_ran(f->b);
}

static void check_room(const struct fixture *f, struct room before, bool same_code, bool same_data)
{
    struct room now = room_of(f);
    assert_true((now.code == before.code) == same_code);
    assert_true((now.data == before.data) == same_data);
    assert_true((now.units == before.units) == same_code);
}

static void a_cell_that_has_run_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    variable(f, false, "n", false, "double n;");
    build_cells_ran(f->b);
    const char *const texts[] = {
        "extern double n; int run(void) { n += 1.5; return 0; }",
        "int puts(const char *); char *getenv(const char *); int run(void) { return getenv(\"no such\") != 0; }",
        "extern double n; struct weir_field { const char *name; void *p; }; void memcpy(void *, void *, long);"
        "int run(void) { static const struct weir_field weir_f = { \"shown\", 0 }; static double weir_v = 3;"
        " memcpy(&n, &weir_v, sizeof n); return weir_f.name[0]; }",
        "int run(void) { int sum = 0; for (int i = 0; i < 5; i++) switch (i) { case 1: goto on; case 2: sum += 2; on:; }"
        " return sum; }",
    };
    struct room before = room_of(f);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        run_cell(f, NULL, texts[i]);
        check_room(f, before, true, true);
    }
}

static void what_a_pointer_may_point_to_stays(void **state)
{
    struct fixture *f = *state;
    variable(f, false, "keep", false, "void *keep;");
    struct room before = room_of(f);
    run_cell(f, NULL, "extern void *keep; int run(void) { static int counted = 41; counted++; keep = &counted; return 0; }");
    check_room(f, before, true, false);
    int **keep = build_cells_find(f->b, "keep");
    const int *counted = *keep;
    before = room_of(f);
    run_cell(f, NULL, "extern void *keep; int run(void) { keep = &&here; here: return 0; }");
    check_room(f, before, false, true);
    run_cell(f, NULL, "int run(void) { static int filled[100] = { [0 ... 99] = -1 }; return filled[3]; }");
    assert_int_equal(*counted, 42);
}

static void a_string_literal_outlives_its_cell_and_is_there_once(void **state)
{
    struct fixture *f = *state;
    variable(f, false, "s", false, "const char *s;");
    const char **s = build_cells_find(f->b, "s");
    run_cell(f, NULL, "extern const char *s; int run(void) { s = \"a text\"; return 0; }");
    const char *first = *s;
    size_t used = f->b->literals.used;
    for (int i = 0; i < 100; i++) {
        run_cell(f, NULL, "extern const char *s; int run(void) { s = \"a text\"; return 1; }");
    }
    assert_ptr_equal(*s, first);
    assert_string_equal(first, "a text");
    assert_int_equal(f->b->literals.used, used);
}

static void code_of_a_replaced_function_is_given_back(void **state)
{
    struct fixture *f = *state;
    run_cell(f, "f", "int f(void) { return 1; } int run(void) { return f(); }");
    struct room before = room_of(f);
    for (int i = 0; i < 50; i++) {
        run_cell(f, "f", "int f(void) { return 2; } int run(void) { return f(); }");
    }
    check_room(f, before, true, true);
    assert_int_equal(as_function(build_cells_find(f->b, "f"))(), 2);
}

static void *wait_for(void *lock)
{
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return NULL;
}

static void but_not_while_another_thread_lives(void **state)
{
    struct fixture *f = *state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;
    run_cell(f, "f", "int f(void) { return 1; } int run(void) { return f(); }");
    struct room before = room_of(f);
    pthread_mutex_lock(&lock);
    assert_int_equal(pthread_create(&thread, NULL, wait_for, &lock), 0);
    run_cell(f, "f", "int f(void) { return 2; } int run(void) { return f(); }");
    check_room(f, before, false, true);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    while (room_of(f).units != before.units) { /* a joined thread may be listed a moment longer */
        run_cell(f, NULL, "int run(void) { return 0; }");
    }
    check_room(f, before, true, true);
}

static void a_cell_may_use_many_functions_of_libraries(void **state)
{
    struct fixture *f = *state;
    (void)define(f, false, "f",
                 "void *malloc(unsigned long); void free(void *); void *memset(void *, int, unsigned long);"
                 "int abs(int); int puts(const char *); int getpid(void); extern char **environ;"
                 "int f(void) { void *p = malloc(5); void *(*m)(unsigned long) = malloc; int (*q)(const char *) = puts;"
                 " memset(p, abs(-1), 5); void (*r)(void *) = free; int (*g)(void) = getpid; free(p);"
                 " return !environ + !m + !q + !r + !g + (getpid() < 0); }");
    assert_int_equal(f->b->newest->so, 0); /* tcc's */
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
        TEST(a_function_keeps_its_address_when_it_is_replaced),
        TEST(a_function_of_another_type_leaves_its_callers_alone),
        TEST(a_declared_function_may_be_defined_by_a_later_cell),
        TEST(the_same_by_cc),
        TEST(a_cell_that_has_run_leaves_nothing),
        TEST(what_a_pointer_may_point_to_stays),
        TEST(a_string_literal_outlives_its_cell_and_is_there_once),
        TEST(code_of_a_replaced_function_is_given_back),
        TEST(but_not_while_another_thread_lives),
        TEST(a_cell_may_use_many_functions_of_libraries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
