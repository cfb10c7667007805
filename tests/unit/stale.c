/* What is out of date in the index, and that what is replaced is freed. */
#include "runtime/lang/index.h"

#include "runtime/lang/cell.h"
#include "runtime/lang/index_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct index *ix;
    struct err e;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    return f && index_new(&f->ix, &f->e) == ERR_NONE ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    index_free(f->ix);
    free(f);
    return 0;
}

/* Run a cell, as far as the index is concerned. */
static void add(struct fixture *f, const char *id, int number, const char *text)
{
    struct cell_unit u;
    struct cell cell = { .id = id, .number = number, .text = text, .len = strlen(text) };
    if (cell_lower(f->ix, &cell, &u, &f->e)) {
        fail_msg("%s line %d: %s", f->e.cell, f->e.line, f->e.msg);
    }
    index_commit(f->ix);
    cell_unit_done(&u);
}

/* "2: area, total; 3: left" */
static void check(struct fixture *f, const char *wanted)
{
    struct stale_cell *cells;
    struct arena a;
    char text[512] = "";
    size_t n = 0, used = 0;
    arena_init(&a);
    assert_int_equal(index_stale(f->ix, &a, &cells, &n, &f->e), ERR_NONE);
    for (size_t i = 0; i < n; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d: %s", i ? "; " : "", cells[i].number, cells[i].names);
    }
    assert_string_equal(text, wanted);
    arena_done(&a);
}

static void a_change_is_stale_until_the_cell_has_run_again(void **state)
{
    struct fixture *f = *state;
    add(f, "a", 1, "#define N 3");
    add(f, "b", 2, "int a[N]; int n(void) { return N; }\nint none;");
    check(f, "");
    add(f, "a", 3, "#define N 4");
    check(f, "2: a, n");
    add(f, "b", 4, "int a[N]; int n(void) { return N; }\nint none;");
    check(f, "");
}

static void staleness_goes_through_types_and_macros(void **state)
{
    struct fixture *f = *state;
    add(f, "a", 1, "struct inner { int x; };");
    add(f, "b", 2, "typedef struct { struct inner i; } outer;\n#define X(o) ((o)->i.x)");
    add(f, "c", 3, "int get(outer *o) { return X(o); }");
    add(f, "d", 4, "int call(void *o) { return get(o); }");
    add(f, "a", 5, "struct inner { long x; };");
    check(f, "2: outer; 3: get; 4: call"); /* call declares get, whose parameter is an outer */
}

static void what_a_newer_cell_has_taken_over_is_not_stale(void **state)
{
    struct fixture *f = *state;
    add(f, NULL, 1, "typedef int T;");
    add(f, NULL, 2, "T twice(T a) { return 2 * a; }");
    add(f, NULL, 3, "typedef long T;");
    check(f, "2: twice");
    add(f, NULL, 4, "T twice(T a) { return 2 * a; }");
    check(f, "");
}

static void what_does_not_change_a_meaning_is_not_stale(void **state)
{
    struct fixture *f = *state;
    add(f, "a", 1, "struct s { int a; }; int v; int f(int n) { return n; }\n#define N 1");
    add(f, "b", 2, "int use(struct s *p) { return p->a + v + f(N); }");
    add(f, "a", 3, "struct s { int a; /* a */ }; int v = 7; int f(int m) { return m + 1; }\n#define N   1 // one");
    check(f, "");
    add(f, "c", 4, "int v(int N, int s) { return N + s; }");
    check(f, "2: use");
}

static void locals_and_members_are_not_taken_for_globals(void **state)
{
    struct fixture *f = *state;
    add(f, "a", 1, "int v; typedef int T;");
    add(f, "b", 2, "struct m { int v; }; int use(struct m *p, int q) { int T = 3; { long v = q; p->v = v + T; } return p->v; }");
    add(f, "a", 3, "double v; typedef double T;");
    check(f, "");
}

static void a_hidden_cell_is_never_stale(void **state)
{
    struct fixture *f = *state;
    add(f, "a", 1, "typedef int T;");
    add(f, "values", 0, "T hidden;");
    add(f, "a", 2, "typedef long T;");
    check(f, "");
}

static size_t count_records(const struct index *ix)
{
    size_t n = 0;
    for (const struct record *r = ix->records; r; r = r->next) {
        n += !r->is_header;
    }
    return n;
}

static void replaced_cells_are_freed(void **state)
{
    struct fixture *f = *state;
    char text[200];
    for (int i = 1; i <= 3000; i++) {
        (void)snprintf(text, sizeof text, "struct s { int a%d; }; int get(struct s *p) { return p->a%d; } int x = %d;", i, i, i);
        add(f, i % 2 ? NULL : "id", i, text);
        add(f, NULL, i, "x + 1");
    }
    assert_in_range(count_records(f->ix), 1, 1500); /* of those that a newer cell hides, some stay to fall back to */
    assert_int_equal(count_records(f->ix), f->ix->ncells);
    assert_non_null(index_find(f->ix, "struct s", 8));
    check(f, "");
}

static void what_is_bound_to_an_old_type_keeps_it(void **state)
{
    struct fixture *f = *state;
    struct cell_unit u;
    add(f, "a", 1, "struct s { int first; };");
    add(f, "b", 2, "struct s kept;");
    add(f, "a", 3, "struct s { double second; };");
    for (int i = 4; i < 1500; i++) {
        add(f, "c", i, i % 2 ? "int other;" : "long other;");
    }
    const char *text = "kept.first = 1;";
    struct cell cell = { .number = 2000, .text = text, .len = strlen(text) };
    assert_int_equal(cell_lower(f->ix, &cell, &u, &f->e), ERR_NONE);
    assert_non_null(strstr(u.text, "int first"));
    index_rollback(f->ix);
    cell_unit_done(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_change_is_stale_until_the_cell_has_run_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(staleness_goes_through_types_and_macros, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_newer_cell_has_taken_over_is_not_stale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_change_a_meaning_is_not_stale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(locals_and_members_are_not_taken_for_globals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hidden_cell_is_never_stale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replaced_cells_are_freed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_bound_to_an_old_type_keeps_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
