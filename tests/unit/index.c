/* The index of declarations: libc's names, cells entering and leaving it, what a text reaches. tcc is the oracle for
 * everything that comes out of it. */
#include "runtime/lang/index.h"

#include "runtime/base/buf.h"
#include "runtime/lang/cell.h"
#include "runtime/lang/index_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <libtcc.h>

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

static enum err_code stage(struct fixture *f, const char *id, int number, const char *text)
{
    struct tokens t;
    struct items items;
    struct arena a;
    struct cell cell = { .id = id, .number = number, .text = text, .len = strlen(text) };
    arena_init(&a);
    enum err_code code = lex(text, strlen(text), &t, &f->e);
    assert_int_equal(code, ERR_NONE);
    code = index_includes(f->ix, &t, &f->e);
    code = code ? code : items_split(&t, index_is_typedef, f->ix, &a, &items, &f->e);
    code = code ? code : index_stage(f->ix, &cell, &t, &items, &f->e);
    tokens_done(&t);
    arena_done(&a);
    return code;
}

static void add(struct fixture *f, const char *id, int number, const char *text)
{
    if (stage(f, id, number, text)) {
        fail_msg("%s line %d: %s", f->e.cell, f->e.line, f->e.msg);
    }
    index_commit(f->ix);
}

static const struct decl *find(const struct fixture *f, const char *name)
{
    return index_find(f->ix, name, strlen(name));
}

/* The closure's sources as one text, a piece a line ('|'), user's only. */
static void reach(struct fixture *f, const char *text, char *out, size_t size)
{
    struct tokens t;
    struct arena a;
    struct closure c;
    size_t n = 0;
    arena_init(&a);
    assert_int_equal(lex(text, strlen(text), &t, &f->e), ERR_NONE);
    assert_int_equal(index_closure(f->ix, &t, NULL, &a, &c, &f->e), ERR_NONE);
    out[0] = '\0';
    for (size_t i = 0; i < c.nsources + c.nmacros; i++) {
        const struct source *s = i < c.nsources ? c.sources[i] : c.macros[i - c.nsources];
        if (!s->header && n < size) {
            n += (size_t)snprintf(out + n, size - n, "%s%.*s", n ? "|" : "", (int)s->len, s->text);
        }
    }
    tokens_done(&t);
    arena_done(&a);
}

/* ---- libc ---- */

static void test_libc_functions_name_their_public_header(void **state)
{
    static const struct { const char *name, *header; } known[] = {
        { "printf", "<stdio.h>" }, { "sqrt", "<math.h>" }, { "chroot", "<unistd.h>" }, { "uint32_t", "<stdint.h>" },
        { "size_t", "<stddef.h>" }, { "struct stat", "<sys/stat.h>" }, { "qsort", "<stdlib.h>" }, { "memcpy", "<string.h>" },
        { "clock_gettime", "<time.h>" }, { "pthread_create", "<pthread.h>" }, { "strtoimax", "<inttypes.h>" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct decl *d = find(*state, known[i].name);
        assert_non_null(d);
        assert_string_equal(d->source->header, known[i].header);
    }
}

static void test_libc_types_resolve(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(index_resolve(f->ix, find(f, "size_t")->type)->spelling, "unsigned long");
    assert_int_equal(index_resolve(f->ix, find(f, "stderr")->type)->kind, CTYPE_POINTER);
    const struct ctype *ts = index_resolve(f->ix, find(f, "struct timespec")->type);
    assert_int_equal(ts->nmembers, 2);
    assert_string_equal(ts->members[0].name, "tv_sec");
    assert_true(index_is_typedef(f->ix, "FILE", 4));
    assert_true(index_is_typedef(f->ix, "bool", 4));
    assert_false(index_is_typedef(f->ix, "printf", 6));
}

static void ignore_message(void *opaque, const char *message)
{
    (void)snprintf(opaque, 512, "%s", message);
}

static bool compiles(const char *text, char *message)
{
    TCCState *s = tcc_new();
    tcc_set_error_func(s, message, ignore_message);
    tcc_set_options(s, "-nostdlib");
    tcc_set_output_type(s, TCC_OUTPUT_MEMORY);
    bool ok = tcc_compile_string(s, text) == 0;
    tcc_delete(s);
    return ok;
}

/* A cell that reaches the name and nothing else. */
static bool reaches_alone(struct fixture *f, const struct entry *entry, char *message)
{
    char text[512];
    struct cell_unit u;
    const struct node *node = entry_live(entry, SPACE_ORDINARY);
    bool function = node && node->decl.kind == DECL_FUNCTION && !entry_macro(entry);
    bool type = node && node->decl.kind == DECL_TYPEDEF;
    const char *use = function ? "(void)" : type ? "(void)(" : "";
    (void)snprintf(text, sizeof text, "static inline void f(void) {\n#ifdef %s\n#endif\n%s%s%s; }", entry->name, use,
                   function || type ? entry->name : "", type ? " *)0" : "");
    struct cell cell = { .number = 1, .text = text, .len = strlen(text) };
    enum err_code code = cell_lower(f->ix, &cell, &u, &f->e);
    (void)snprintf(message, 512, "%s", code ? f->e.msg : "");
    bool ok = !code && compiles(u.text, message);
    index_rollback(f->ix);
    cell_unit_done(&u);
    return ok;
}

static void test_each_name_of_libc_compiles_alone(void **state)
{
    struct fixture *f = *state;
    char message[512];
    size_t tried = 0;
    for (size_t b = 0; b < f->ix->nbuckets; b++) {
        for (const struct entry *entry = f->ix->buckets[b]; entry; entry = entry->next) {
            if (!entry->newest[SPACE_ORDINARY] && !entry->newest[SPACE_MACRO]) {
                continue;
            }
            tried++;
            if (!reaches_alone(f, entry, message)) {
                fail_msg("'%s': %s", entry->name, message);
            }
        }
    }
    assert_true(tried > 4000);
}

/* ---- cells ---- */

static void test_a_cell_is_a_transaction(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(stage(f, "a", 1, "int x = 3; typedef struct { int n; } T;"), ERR_NONE);
    assert_non_null(find(f, "x"));
    assert_true(index_is_typedef(f->ix, "T", 1));
    index_rollback(f->ix);
    assert_null(find(f, "x"));
    assert_false(index_is_typedef(f->ix, "T", 1));
    add(f, "a", 2, "int x = 3;");
    index_rollback(f->ix); /* nothing is staged */
    assert_non_null(find(f, "x"));
}

static void test_a_cell_replaces_what_it_gave(void **state)
{
    struct fixture *f = *state;
    add(f, "a", 1, "int x; int y;");
    add(f, "b", 2, "double z;");
    assert_int_equal(stage(f, "a", 3, "double x;"), ERR_NONE);
    assert_int_equal(find(f, "x")->type->kind, CTYPE_FLOATING);
    assert_null(find(f, "y"));
    index_rollback(f->ix);
    assert_int_equal(find(f, "x")->type->kind, CTYPE_INTEGER);
    assert_non_null(find(f, "y"));
    add(f, "a", 4, "double x;");
    assert_null(find(f, "y"));
    assert_int_equal(find(f, "x")->source->number, 4);
}

static void test_without_id_a_name_is_shadowed_and_comes_back(void **state)
{
    struct fixture *f = *state;
    add(f, NULL, 1, "int x; int y;");
    add(f, "b", 2, "double x;");
    assert_int_equal(find(f, "x")->source->number, 2);
    assert_int_equal(find(f, "y")->source->number, 1);
    add(f, "b", 3, "double other;");
    assert_int_equal(find(f, "x")->source->number, 1);
}

static void test_a_mention_does_not_hide_the_definition(void **state)
{
    struct fixture *f = *state;
    add(f, "a", 1, "int n = 3; int twice(int v) { return 2 * v; }");
    add(f, "b", 2, "extern int n; int twice(int);");
    assert_int_equal(find(f, "n")->source->number, 1);
    assert_true(find(f, "twice")->declaration->is_definition);
}

static void test_syntax_errors_name_cell_and_line(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(stage(f, "a", 7, "int x;\n#if FOO(\nint y;\n#endif"), ERR_SYNTAX);
    assert_string_equal(f->e.cell, "cell [7]");
    assert_int_equal(f->e.line, 2);
    assert_null(find(f, "x"));
}

static void test_a_missing_header_names_the_package(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(stage(f, "a", 7, "\n#include <gsl/gsl_no_such.h>"), ERR_NOT_FOUND);
    assert_string_equal(f->e.msg, "#include <gsl/gsl_no_such.h>: 'gsl/gsl_no_such.h' is not installed; it is in Debian's libgsl-dev");
    assert_int_equal(f->e.line, 2);
}

static void write_header(const char *path, const char *text)
{
    FILE *h = fopen(path, "w");
    assert_true(h && fputs(text, h) >= 0 && fclose(h) == 0);
}

static void test_a_header_of_the_users_own_is_read_again_when_it_changes(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/weir-index-XXXXXX";
    char include[64];
    assert_int_equal(close(mkstemp(path)), 0);
    (void)snprintf(include, sizeof include, "#include \"%s\"", path);
    write_header(path, "typedef struct { int a; } mine;\n#define MINE 1\n");
    add(f, "a", 1, include);
    assert_int_equal(index_resolve(f->ix, find(f, "mine")->type)->nmembers, 1);
    write_header(path, "typedef struct { int a, bb; } mine;\n#define MINE 22\n");
    add(f, "a", 2, include);
    assert_int_equal(index_resolve(f->ix, find(f, "mine")->type)->nmembers, 2);
    assert_non_null(strstr(index_find_macro(f->ix, "MINE", 4)->source->text, "22"));
    (void)unlink(path);
}

static void test_typedefs_and_macros_resolve_through_each_other(void **state)
{
    struct fixture *f = *state;
    add(f, "a", 1, "#define REAL double\ntypedef REAL real; typedef const real *pointer; pointer p; struct s { real r; };"
                   "struct s v; bool flag;");
    const struct ctype *p = index_resolve(f->ix, find(f, "p")->type);
    assert_int_equal(p->kind, CTYPE_POINTER);
    const struct ctype *to = index_resolve(f->ix, p->of);
    assert_string_equal(to->spelling, "double");
    assert_true(to->is_const);
    assert_int_equal(index_resolve(f->ix, find(f, "v")->type)->nmembers, 1);
    assert_int_equal(index_resolve(f->ix, find(f, "flag")->type)->kind, CTYPE_BOOL);
}

static void test_macros_come_and_go(void **state)
{
    struct fixture *f = *state;
    add(f, "a", 1, "#define N 3\n#define F(x) (x)");
    assert_string_equal(index_find_macro(f->ix, "N", 1)->source->text, "#define N 3\n#define F(x) (x)");
    assert_int_equal(index_find_macro(f->ix, "N", 1)->source->len, 11);
    add(f, "b", 2, "#undef N");
    assert_null(index_find_macro(f->ix, "N", 1));
    add(f, "b", 3, "");
    assert_non_null(index_find_macro(f->ix, "N", 1));
}

static void test_conditionals_decide_what_counts(void **state)
{
    struct fixture *f = *state;
    add(f, "a", 1, "#define DEBUG 1\n#if DEBUG\nint yes;\n#else\nint no;\n#endif\n#ifdef NOTHING\nint never;\n#endif");
    assert_non_null(find(f, "yes"));
    assert_null(find(f, "no"));
    assert_null(find(f, "never"));
}

/* ---- closures ---- */

static void test_a_closure_follows_types_functions_macros_and_initialisers(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    add(f, "a", 1, "typedef struct { double r; } T;\n#define SCALE 2\nint unused;");
    add(f, "b", 2, "static double half(double x) { return x / SCALE; }\nT start = { 1 };");
    add(f, "c", 3, "T *make(void) { start.r = half(start.r); return &start; }");
    reach(f, "make()->r", text, sizeof text);
    assert_string_equal(text, "typedef struct { double r; } T;|static double half(double x) { return x / SCALE; }|"
                              "T start = { 1 };|T *make(void) { start.r = half(start.r); return &start; }|#define SCALE 2");
}

static void test_order_is_by_need_then_by_place(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    add(f, "a", 1, "typedef struct { int n; } T;");
    add(f, "b", 2, "T value;");
    add(f, "a", 3, "typedef struct { int n, m; } T;"); /* now later than its user */
    reach(f, "value", text, sizeof text);
    assert_string_equal(text, "typedef struct { int n, m; } T;|T value;");
}

static void test_structs_that_name_each_other_are_in_a_possible_order(void **state)
{
    struct fixture *f = *state;
    struct cell_unit u;
    char message[512] = "";
    add(f, "a", 1, "typedef struct node node;");
    add(f, "b", 2, "struct list { node first; node *last; };");
    add(f, "c", 3, "struct node { struct list *owner; node *next; };");
    add(f, "d", 4, "struct list all;");
    const char *text = "all.first.owner = &all;";
    struct cell cell = { .number = 5, .text = text, .len = strlen(text) };
    /* cell 2 does not compile alone, since node is incomplete there: what a later cell makes of it does */
    assert_int_equal(cell_lower(f->ix, &cell, &u, &f->e), ERR_NONE);
    if (!compiles(u.text, message)) {
        fail_msg("%s\n%s", message, u.text);
    }
    cell_unit_done(&u);
}

static void test_skipped_names_are_not_pulled(void **state)
{
    struct fixture *f = *state;
    struct tokens t;
    struct arena a;
    struct closure c;
    const char *const skip[] = { "index", NULL };
    arena_init(&a);
    assert_int_equal(lex("index", 5, &t, &f->e), ERR_NONE);
    assert_int_equal(index_closure(f->ix, &t, skip, &a, &c, &f->e), ERR_NONE);
    assert_int_equal(c.nsources, 0);
    assert_int_equal(index_closure(f->ix, &t, NULL, &a, &c, &f->e), ERR_NONE);
    assert_int_equal(c.nsources, 1);
    tokens_done(&t);
    arena_done(&a);
}

static void test_pasted_names_are_reached(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    add(f, "a", 1, "#define PRE(x) my_ ## x\n#define BOTH(a, b) a ## b\nint my_one, left_right;");
    reach(f, "PRE(one)", text, sizeof text);
    assert_non_null(strstr(text, "int my_one, left_right;"));
    reach(f, "BOTH(left, _right)", text, sizeof text);
    assert_non_null(strstr(text, "int my_one, left_right;"));
}

static void test_two_meanings_in_live_cells_clash(void **state)
{
    struct fixture *f = *state;
    struct clash clash;
    add(f, "a", 1, "#define N 3\ntypedef int T;");
    add(f, "b", 2, "#define N 4\ntypedef int T;");
    assert_true(index_clash(f->ix, "N", 1, &clash));
    assert_int_equal(clash.first, 1);
    assert_int_equal(clash.second, 2);
    assert_false(index_clash(f->ix, "T", 1, &clash));
    add(f, "b", 3, "typedef int T;");
    assert_false(index_clash(f->ix, "N", 1, &clash));
}

static void test_the_users_names_come_in_order(void **state)
{
    struct fixture *f = *state;
    size_t n;
    add(f, "a", 1, "int b; struct point { int x; };\n#define M 1");
    add(f, "c", 2, "int a(void) { return 1; }");
    const struct decl *const *all = index_user_decls(f->ix, &n);
    assert_int_equal(n, 4);
    assert_string_equal(all[0]->name, "b");
    assert_string_equal(all[1]->name, "struct point");
    assert_string_equal(all[2]->name, "M");
    assert_string_equal(all[3]->name, "a");
}

/* Fifty cells before; what counts is that it does not grow with them. */
static void test_lowering_is_fast(void **state)
{
    struct fixture *f = *state;
    struct timespec begin;
    struct timespec end;
    for (int i = 0; i < 50; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "typedef struct { double v%d; } T%d; T%d x%d; double f%d(T%d *p) { return p->v%d; }", i, i,
                       i, i, i, i, i);
        add(f, NULL, i + 1, text);
    }
    const char *text = "double y = f7(&x7) + f9(&x9); printf(\"%g\\n\", y);";
    struct cell cell = { .number = 60, .text = text, .len = strlen(text) };
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < 100; i++) {
        struct cell_unit u;
        assert_int_equal(cell_lower(f->ix, &cell, &u, &f->e), ERR_NONE);
        index_rollback(f->ix);
        cell_unit_done(&u);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double each = ((double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6) / 100;
    print_message("lowering a cell after 50: %.3f ms\n", each);
    assert_true(each < 5); /* 0.03 unloaded, without sanitizers */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_libc_functions_name_their_public_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_libc_types_resolve, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_name_of_libc_compiles_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_cell_is_a_transaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_cell_replaces_what_it_gave, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_id_a_name_is_shadowed_and_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_mention_does_not_hide_the_definition, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_syntax_errors_name_cell_and_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_missing_header_names_the_package, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_header_of_the_users_own_is_read_again_when_it_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_typedefs_and_macros_resolve_through_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_macros_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_conditionals_decide_what_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_closure_follows_types_functions_macros_and_initialisers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_order_is_by_need_then_by_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_structs_that_name_each_other_are_in_a_possible_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_skipped_names_are_not_pulled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pasted_names_are_reached, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_meanings_in_live_cells_clash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_users_names_come_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lowering_is_fast, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
