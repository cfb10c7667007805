/* Registering cells, what users are told, and flow.c, against golden files.
 *
 * tests/flows/golden/NAME.cells holds cells separated by lines `---`; NAME.out what registering them says, NAME.c the
 * flow.c that comes of it when nothing is wrong. WEIR_GOLDEN=update in the environment writes them anew. */
#include "runtime/lang/flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { MAX_CELLS = 64, MAX_FILE = 1 << 20 };

static const char golden[] = "tests/flows/golden";

/* A session: an index and the flows on it. */
struct fixture {
    struct index *ix;
    struct flows *f;
    struct buf said;       /* a line a cell */
};

static void begin(struct fixture *x)
{
    struct err e;
    buf_init(&x->said, 0);
    if (index_new(&x->ix, &e)) {
        fail_msg("%s", e.msg);
    }
    assert_int_equal(flows_new(x->ix, &x->f, &e), ERR_NONE);
}

static void end(struct fixture *x)
{
    flows_free(x->f);
    index_free(x->ix);
    buf_done(&x->said);
}

static void say_error(struct buf *out, const struct err *e)
{
    if (e->cell[0]) {
        buf_printf(out, "%s line %d: ", e->cell, e->line);
    }
    buf_printf(out, "%s: %s\n", err_name(e->code), e->msg);
}

static enum err_code run_plain(struct fixture *x, const struct cell *cell, struct err *e)
{
    struct tokens t = { .count = 0 };
    struct items items;
    struct arena a;
    arena_init(&a);
    enum err_code code = lex(cell->text, cell->len, &t, e);
    code = code ? code : items_split(&t, index_is_typedef, x->ix, &a, &items, e);
    code = code ? code : index_stage(x->ix, cell, &t, &items, e);
    if (!code) {
        index_commit(x->ix);
    }
    tokens_done(&t);
    arena_done(&a);
    return code;
}

static enum err_code run_cell(struct fixture *x, const char *id, int number, const char *text, size_t len, bool saved)
{
    struct err e = { .code = ERR_NONE };
    struct cell cell = { .id = id, .number = number, .text = text, .len = len };
    if (len < 2 || memcmp(text, "%%", 2) != 0) {
        enum err_code code = run_plain(x, &cell, &e);
        if (code) {
            say_error(&x->said, &e);
        }
        return code;
    }
    struct flows_note note;
    enum err_code code = flows_add(x->f, &cell, saved, &note, &e);
    if (code) {
        say_error(&x->said, &e);
    } else {
        buf_printf(&x->said, "cell [%d] %s.%s: %s\n", number, note.flow, note.step ? note.step : "-", note.message);
    }
    return code;
}

/* The same, of a C string in a cell of its own. */
static enum err_code run(struct fixture *x, int number, const char *text)
{
    char id[16];
    (void)snprintf(id, sizeof id, "id-%d", number);
    return run_cell(x, id, number, text, strlen(text), false);
}

struct file { char *text; size_t len; };

static struct file read_file(const char *path)
{
    struct file f = { .text = calloc(1, MAX_FILE + 1) };
    FILE *in = fopen(path, "r");
    assert_non_null(f.text);
    if (in) {
        f.len = fread(f.text, 1, MAX_FILE, in);
        (void)fclose(in);
    }
    return f;
}

struct cells { const char *text[MAX_CELLS]; size_t len[MAX_CELLS]; size_t n; };

static struct cells split(const struct file *f)
{
    struct cells c = { .n = 0 };
    for (const char *p = f->text; p;) {
        const char *stop = strstr(p, "\n---\n");
        assert_true(c.n < MAX_CELLS);
        c.text[c.n] = p;
        c.len[c.n++] = stop ? (size_t)(stop - p) : strlen(p);
        p = stop ? stop + 5 : NULL;
    }
    return c;
}

static void compare(const char *path, const char *got, size_t len)
{
    const char *mode = getenv("WEIR_GOLDEN");
    if (mode && strcmp(mode, "update") == 0) {
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        assert_int_equal(fwrite(got, 1, len, out), len);
        assert_int_equal(fclose(out), 0);
        return;
    }
    struct file want = read_file(path);
    if (want.len != len || memcmp(want.text, got, len) != 0) {
        fail_msg("%s differs; got:\n%s", path, got);
    }
    free(want.text);
}

static const char *const *inputs_of(const char *name)
{
    static const char *const inputs[] = { "table", "n", NULL };
    return strcmp(name, "input") == 0 ? inputs : NULL;
}

/* The flow.c after running the cells in this order (a permutation); false: it is not sound. */
static bool unit_of(struct fixture *x, const struct cells *c, const size_t *order, const char *name, struct buf *out,
                    struct err *e)
{
    for (size_t i = 0; i < c->n; i++) {
        char id[16];
        size_t k = order ? order[i] : i;
        (void)snprintf(id, sizeof id, "id-%zu", k + 1);
        (void)run_cell(x, id, (int)k + 1, c->text[k], c->len[k],
                       strncmp(name, "saved", 5) == 0); /* what it says is compared */
    }
    return flows_unit(x->f, NULL, inputs_of(name), out, e) == ERR_NONE;
}

static void check_golden(const char *name)
{
    char path[256];
    struct fixture x;
    struct buf unit;
    struct err e = { .code = ERR_NONE };
    begin(&x);
    buf_init(&unit, 0);
    (void)snprintf(path, sizeof path, "%s/%s.cells", golden, name);
    struct file f = read_file(path);
    struct cells c = split(&f);
    bool sound = unit_of(&x, &c, NULL, name, &unit, &e);
    buf_str(&x.said, "check: ");
    if (flows_check(x.f, NULL, inputs_of(name), &e)) {
        say_error(&x.said, &e);
    } else {
        buf_str(&x.said, "sound\n");
    }
    (void)snprintf(path, sizeof path, "%s/%s.out", golden, name);
    compare(path, x.said.data, x.said.len);
    if (sound && strncmp(name, "err_", 4) != 0) {
        (void)snprintf(path, sizeof path, "%s/%s.c", golden, name);
        compare(path, unit.data, unit.len);
    }
    buf_done(&unit);
    free(f.text);
    end(&x);
}

static void for_each_golden(const char *pattern, void (*check)(const char *name))
{
    char path[256];
    glob_t found;
    (void)snprintf(path, sizeof path, "%s/%s.cells", golden, pattern);
    assert_int_equal(glob(path, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char name[256];
        (void)snprintf(name, sizeof name, "%s", found.gl_pathv[i] + strlen(golden) + 1);
        name[strlen(name) - strlen(".cells")] = '\0';
        check(name);
    }
    globfree(&found);
}

static void goldens_hold(void **state)
{
    (void)state;
    for_each_golden("*", check_golden);
}

/* ---- order of registration ---- */

static void shuffle(size_t *order, size_t n, unsigned *seed)
{
    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    for (size_t i = n; i-- > 1;) {
        *seed = *seed * 1103515245u + 12345u;
        size_t k = (*seed >> 16) % (i + 1), keep = order[i];
        order[i] = order[k];
        order[k] = keep;
    }
}

/* Plain cells keep their order before the others, as they have to compile; a %%flow cell comes before the steps. */
static void settle(const struct cells *c, size_t *order)
{
    size_t sorted[MAX_CELLS], n = 0;
    for (int rank = 0; rank < 3; rank++) {
        for (size_t i = 0; i < c->n; i++) {
            size_t k = rank == 2 ? order[i] : i;
            int mine = strncmp(c->text[k], "%%flow", 6) == 0 ? 1 : strncmp(c->text[k], "%%", 2) == 0 ? 2 : 0;
            if (mine == rank) {
                sorted[n++] = k;
            }
        }
    }
    memcpy(order, sorted, n * sizeof *order);
}

static void check_shuffled(const char *name)
{
    char path[256];
    if (strncmp(name, "err_", 4) == 0 || strncmp(name, "saved", 5) == 0) {
        return;
    }
    (void)snprintf(path, sizeof path, "%s/%s.cells", golden, name);
    struct file f = read_file(path);
    struct cells c = split(&f);
    struct buf first;
    struct err e = { .code = ERR_NONE };
    buf_init(&first, 0);
    unsigned seed = 7;
    for (int round = 0; round < 4; round++) {
        struct fixture x;
        struct buf unit;
        size_t order[MAX_CELLS];
        begin(&x);
        buf_init(&unit, 0);
        shuffle(order, c.n, &seed);
        settle(&c, order);
        if (!unit_of(&x, &c, round ? order : NULL, name, round ? &unit : &first, &e)) {
            fail_msg("%s: %s\n%s", name, e.msg, x.said.data);
        }
        if (round) {
            assert_string_equal(unit.data, first.data);
        }
        buf_done(&unit);
        end(&x);
    }
    buf_done(&first);
    free(f.text);
}

static void order_of_registration_does_not_show(void **state)
{
    (void)state;
    for_each_golden("*", check_shuffled);
}

static void order_of_plain_cells_does_not_show(void **state)
{
    (void)state;
    static const char *const cells[] = {
        "typedef struct { int a; } one;", "double two(double x) { return x * 2; }", "#define THREE 3",
        "%%step end\nartifact one o = { THREE }; artifact double y = two(1);",
    };
    struct buf text[2];
    for (int round = 0; round < 2; round++) {
        struct fixture x;
        struct err e;
        begin(&x);
        buf_init(&text[round], 0);
        for (int i = 0; i < 3; i++) {
            int k = round ? 2 - i : i;
            assert_int_equal(run(&x, k + 1, cells[k]), ERR_NONE);
        }
        assert_int_equal(run(&x, 4, cells[3]), ERR_NONE);
        assert_int_equal(flows_unit(x.f, NULL, NULL, &text[round], &e), ERR_NONE);
        end(&x);
    }
    assert_string_equal(text[0].data, text[1].data);
    buf_done(&text[0]);
    buf_done(&text[1]);
}

/* ---- running cells again ---- */

static void running_a_cell_again_replaces_it(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    begin(&x);
    assert_int_equal(run(&x, 1, "%%step start -> end"), ERR_NONE);
    assert_int_equal(run(&x, 2, "%%step end"), ERR_NONE);
    assert_int_equal(run(&x, 1, "%%step begin -> end"), ERR_NONE);
    assert_int_equal(flows_check(x.f, NULL, NULL, &e), ERR_NONE);
    assert_int_equal(flows_drop(x.f, "start", &e), ERR_NOT_FOUND);
    assert_string_equal(e.msg, "no step 'start'; there are 'main.end', 'main.begin'");
    end(&x);
}

static void step_stays_in_the_flow_of_its_first_run(void **state)
{
    (void)state;
    struct fixture x;
    begin(&x);
    (void)run(&x, 1, "%%flow A");
    (void)run(&x, 2, "%%step start -> end");
    (void)run(&x, 3, "%%flow B");
    (void)run(&x, 2, "%%step start -> end\nint x;");
    (void)run(&x, 4, "%%step start -> end");
    (void)run(&x, 5, "%%step A.end");
    assert_string_equal(x.said.data, "cell [1] A.-: registered: flow A\n"
                                     "cell [2] A.start: pending: needs step 'end'\n"
                                     "cell [3] B.-: registered: flow B\n"
                                     "cell [2] A.start: pending: needs step 'end'\n"
                                     "cell [4] B.start: pending: needs step 'end'\n"
                                     "cell [5] A.end: registered: end\n");
    assert_string_equal(flows_current(x.f), "B");
    assert_int_equal(flows_count(x.f), 2);
    end(&x);
}

static void refused_cell_leaves_what_was_there(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    begin(&x);
    assert_int_equal(run(&x, 1, "%%step end\nartifact int x = 1;"), ERR_NONE);
    assert_int_equal(run(&x, 1, "%%step end\nartifact int *x;"), ERR_TYPE);
    assert_int_equal(flows_check(x.f, NULL, NULL, &e), ERR_NONE);
    end(&x);
}

static void plain_cell_that_changes_a_type_is_seen_at_once(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    struct buf unit;
    begin(&x);
    buf_init(&unit, 0);
    (void)run(&x, 1, "typedef struct { int a; } thing;");
    (void)run(&x, 2, "%%step end\nartifact thing t;");
    assert_int_equal(flows_unit(x.f, NULL, NULL, &unit, &e), ERR_NONE);
    assert_non_null(strstr(unit.data, "struct { int a; } thing"));
    buf_clear(&unit);
    (void)run(&x, 1, "typedef struct { int a; double b; } thing;");
    assert_int_equal(flows_unit(x.f, NULL, NULL, &unit, &e), ERR_NONE);
    assert_non_null(strstr(unit.data, "struct { int a; double b; } thing"));
    (void)run(&x, 1, "typedef struct { int a; void *p; } thing;");
    assert_int_equal(flows_unit(x.f, NULL, NULL, &unit, &e), ERR_TYPE);
    assert_string_equal(
        e.msg, "artifact 't' can't be kept: its member 't.p' is a pointer; keep an array (`T x[]`), or text in "
               "`char name[24]`, instead");
    buf_done(&unit);
    end(&x);
}

static void pending_step_is_ready_once_its_cell_has_run(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    struct buf unit;
    begin(&x);
    buf_init(&unit, 0);
    (void)run(&x, 1, "%%step end\nartifact double y = later(2);");
    assert_string_equal(x.said.data, "cell [1] main.end: pending: needs 'later'\n");
    assert_int_equal(flows_unit_step(x.f, "main", "end", &unit, &e), ERR_PENDING);
    (void)run(&x, 2, "double later(double x) { return x; }");
    assert_int_equal(flows_unit_step(x.f, "main", "end", &unit, &e), ERR_NONE);
    assert_int_equal(flows_check(x.f, NULL, NULL, &e), ERR_NONE);
    buf_done(&unit);
    end(&x);
}

static void values_of_earlier_runs_are_no_part_of_a_flow(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    begin(&x);
    (void)run(&x, 1, "%%step start -> end\nartifact int win = 1;");
    (void)run_cell(&x, "values: winner", 0, "int winner;", 11, false);
    (void)run(&x, 2, "%%step end\nprintf(\"%d\\n\", winner);");
    assert_int_equal(flows_check(x.f, NULL, NULL, &e), ERR_NAME);
    assert_string_equal(e.msg, "step 'end' needs 'winner', which no earlier step makes; there are 'win'");
    end(&x);
}

static void dropping_takes_a_step_out(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    begin(&x);
    (void)run(&x, 1, "%%step start -> end");
    (void)run(&x, 2, "%%step end");
    (void)run(&x, 3, "%%step lost -> start");
    assert_int_equal(flows_drop(x.f, "main.lost", &e), ERR_NONE);
    assert_int_equal(flows_check(x.f, "main", NULL, &e), ERR_NONE);
    assert_int_equal(flows_drop(x.f, "start", &e), ERR_NONE);
    assert_int_equal(flows_drop(x.f, "end", &e), ERR_NONE);
    assert_int_equal(flows_count(x.f), 0);
    assert_null(flows_current(x.f));
    assert_int_equal(flows_check(x.f, NULL, NULL, &e), ERR_NOT_FOUND);
    end(&x);
}

static void cell_that_becomes_a_plain_one_is_forgotten(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    begin(&x);
    (void)run(&x, 1, "%%step start -> end");
    (void)run(&x, 2, "%%step end");
    flows_forget(x.f, "id-1");
    flows_forget(x.f, "nobody");
    flows_forget(x.f, NULL);
    assert_int_equal(flows_check(x.f, NULL, NULL, &e), ERR_NONE);
    assert_int_equal(flows_drop(x.f, "start", &e), ERR_NOT_FOUND);
    flows_forget(x.f, "id-2");
    assert_int_equal(flows_count(x.f), 0);
    end(&x);
}

static void parameters_alone_make_a_unit(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    struct buf unit;
    begin(&x);
    buf_init(&unit, 0);
    (void)run(&x, 1, "%%flow F\nparam int n = 3; // how many");
    assert_int_equal(flows_unit_step(x.f, "F", NULL, &unit, &e), ERR_NONE);
    assert_non_null(strstr(unit.data, "weir__parameters"));
    assert_non_null(strstr(unit.data, ".help = \"how many\", .initial = \"3\""));
    assert_non_null(strstr(unit.data, ".nsteps = 0"));
    buf_done(&unit);
    end(&x);
}

/* ---- inputs, values, graphs ---- */

static void inputs_must_be_variables(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    static const char *const unknown[] = { "nothing", NULL }, *const pointer[] = { "p", NULL },
                             *const parameter[] = { "n", NULL };
    begin(&x);
    (void)run(&x, 1, "double *p;");
    (void)run(&x, 2, "%%flow F\nparam int n = 3;");
    (void)run(&x, 3, "%%step end");
    assert_int_equal(flows_check(x.f, NULL, unknown, &e), ERR_USAGE);
    assert_string_equal(e.msg, "--input nothing: no plain cell defines a variable 'nothing'");
    assert_int_equal(flows_check(x.f, NULL, pointer, &e), ERR_TYPE);
    assert_non_null(strstr(e.msg, "--input p: artifact 'p' is a pointer, which can't be kept"));
    assert_int_equal(flows_check(x.f, NULL, parameter, &e), ERR_USAGE);
    assert_string_equal(e.msg, "--input n: 'n' is a parameter of the flow; give it as --n VALUE");
    end(&x);
}

static void values_tell_which_step_made_them(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    struct arena a;
    struct flows_value *v = NULL;
    size_t n = 0;
    begin(&x);
    arena_init(&a);
    (void)run(&x, 1, "%%step start -> w foreach i in 3\nartifact int data[];");
    (void)run(&x, 2, "%%step w -> j\nartifact double y = i;");
    (void)run(&x, 3, "%%step j join -> end\nartifact data;");
    (void)run(&x, 4, "%%step end");
    assert_int_equal(flows_values(x.f, NULL, &a, &v, &n, &e), ERR_NONE);
    assert_int_equal(n, 2);
    assert_string_equal(v[0].name, "data");
    assert_string_equal(v[0].step, "j");
    assert_string_equal(v[0].ctype, "int []");
    assert_int_equal(v[0].form, 1);
    assert_false(v[0].fans);
    assert_string_equal(v[1].name, "y");
    assert_string_equal(v[1].step, "w");
    assert_true(v[1].fans);
    arena_done(&a);
    end(&x);
}

static void broken_graph_can_be_drawn(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    struct arena a;
    struct graph g;
    begin(&x);
    arena_init(&a);
    (void)run(&x, 1, "%%step start -> b, a");
    (void)run(&x, 2, "%%step a -> nowhere");
    assert_int_equal(flows_graph(x.f, NULL, &a, &g, &e), ERR_NONE);
    assert_int_equal(g.nsteps, 2);
    assert_string_equal(g.steps[0].name, "a");
    assert_int_equal(g.steps[0].rank, 1);
    assert_string_equal(g.steps[1].next[0], "b");
    arena_done(&a);
    end(&x);
}

/* ---- speed ---- */

static double milliseconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* cannot fail */
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void ten_steps_are_lowered_in_no_time(void **state)
{
    (void)state;
    struct fixture x;
    struct err e;
    begin(&x);
    for (int i = 0; i < 10; i++) {
        char text[300];
        (void)snprintf(text, sizeof text,
                       "%%%%step s%d%s%.0d\nartifact double a%d[][3]; resize(a%d, 10);\n"
                       "for (size_t i = 0; i < len(a%d); i++) a%d[i][0] = i;",
                       i, i < 9 ? " -> s" : "", i < 9 ? i + 1 : 0, i, i, i, i);
        assert_int_equal(run(&x, i + 1, text), ERR_NONE);
    }
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        struct buf unit;
        buf_init(&unit, 0);
        double start = milliseconds();
        if (flows_unit(x.f, NULL, NULL, &unit, &e)) {
            fail_msg("%s", e.msg);
        }
        double took = milliseconds() - start;
        best = took < best ? took : best;
        buf_done(&unit);
    }
    print_message("ten steps: %.2f ms\n", best);
    assert_true(best < 20); /* sanitizers and a busy machine included */
    end(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens_hold),
        cmocka_unit_test(order_of_registration_does_not_show),
        cmocka_unit_test(order_of_plain_cells_does_not_show),
        cmocka_unit_test(running_a_cell_again_replaces_it),
        cmocka_unit_test(step_stays_in_the_flow_of_its_first_run),
        cmocka_unit_test(refused_cell_leaves_what_was_there),
        cmocka_unit_test(plain_cell_that_changes_a_type_is_seen_at_once),
        cmocka_unit_test(pending_step_is_ready_once_its_cell_has_run),
        cmocka_unit_test(values_of_earlier_runs_are_no_part_of_a_flow),
        cmocka_unit_test(dropping_takes_a_step_out),
        cmocka_unit_test(cell_that_becomes_a_plain_one_is_forgotten),
        cmocka_unit_test(parameters_alone_make_a_unit),
        cmocka_unit_test(inputs_must_be_variables),
        cmocka_unit_test(values_tell_which_step_made_them),
        cmocka_unit_test(broken_graph_can_be_drawn),
        cmocka_unit_test(ten_steps_are_lowered_in_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
