/* flow.c as compilers see it: it compiles without a warning everywhere, its lines are the cells', and it means what the
 * cells say. Golden texts are compared in flows.c. */
#include "runtime/lang/flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

/* A compiler takes its output's name away first, so it must be a file of our own. */
static char object[64];
static const char *const tcc[] = {
    "tcc", "-Wall", "-Werror", "-Iruntime/include", "-c", "-o", object, NULL, NULL
};
static const char *const gcc[] = { "gcc", "-O2", "-Wall", "-Werror", "-Iruntime/include", "-c", "-o", object, NULL, NULL };
static const char *const clang[] = { "clang", "-Wall", "-Werror", "-Iruntime/include", "-fsyntax-only", NULL, NULL };

/* Run a compiler on path; what it says goes to said. Its exit status. */
static int compile(const char *const *command, const char *path, char *said, size_t size)
{
    const char *args[16];
    size_t n = 0;
    int ends[2], status = -1;
    pid_t pid;
    posix_spawn_file_actions_t actions;
    for (; command[n]; n++) {
        args[n] = command[n];
    }
    args[n++] = path;
    args[n] = NULL;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], 2), 0);
    assert_int_equal(posix_spawnp(&pid, args[0], &actions, NULL, (char *const *)(uintptr_t)args, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    size_t len = 0;
    char rest[512];
    for (ssize_t got = 1; got > 0;) {
        bool room = len + 1 < size;
        got = room ? read(ends[0], said + len, size - 1 - len) : read(ends[0], rest, sizeof rest);
        len += got > 0 && room ? (size_t)got : 0;
    }
    said[len] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_compiles(const char *path)
{
    const char *const *const all[] = { tcc, gcc, clang };
    char said[4096];
    (void)snprintf(object, sizeof object, "/tmp/weir-flow-unit-%d.o", (int)getpid());
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (compile(all[i], path, said, sizeof said) != 0) {
            (void)unlink(object);
            fail_msg("%s %s:\n%s", all[i][0], path, said);
        }
    }
    (void)unlink(object);
}

static void goldens_compile_without_a_warning(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob("tests/flows/golden/*.c", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        assert_compiles(found.gl_pathv[i]);
    }
    globfree(&found);
}

/* ---- small flows ---- */

struct session { struct index *ix; struct flows *f; struct buf text; char path[64]; };

static void run_cell(struct session *s, int number, const char *text)
{
    char id[16];
    struct err e = { .code = ERR_NONE };
    struct cell cell = { .id = id, .number = number, .text = text, .len = strlen(text) };
    (void)snprintf(id, sizeof id, "id-%d", number);
    if (strncmp(text, "%%", 2) == 0) {
        struct flows_note note;
        if (flows_add(s->f, &cell, false, &note, &e)) {
            fail_msg("%s", e.msg);
        }
        return;
    }
    struct tokens t = { .count = 0 };
    struct items items;
    struct arena a;
    arena_init(&a);
    assert_int_equal(lex(text, cell.len, &t, &e), ERR_NONE);
    assert_int_equal(items_split(&t, index_is_typedef, s->ix, &a, &items, &e), ERR_NONE);
    assert_int_equal(index_stage(s->ix, &cell, &t, &items, &e), ERR_NONE);
    index_commit(s->ix);
    tokens_done(&t);
    arena_done(&a);
}

/* The flow.c of these cells (NULL-terminated), also in the file s->path. */
static void lower(struct session *s, const char *const *cells)
{
    struct err e = { .code = ERR_NONE };
    if (index_new(&s->ix, &e) || flows_new(s->ix, &s->f, &e)) {
        fail_msg("%s", e.msg);
    }
    for (int i = 0; cells[i]; i++) {
        run_cell(s, i + 1, cells[i]);
    }
    buf_init(&s->text, 0);
    if (flows_unit(s->f, NULL, NULL, &s->text, &e)) {
        fail_msg("%s line %d: %s", e.cell, e.line, e.msg);
    }
    (void)snprintf(s->path, sizeof s->path, "/tmp/weir-unit-XXXXXX.c");
    int fd = mkstemps(s->path, 2);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, s->text.data, s->text.len), s->text.len);
    (void)close(fd);
}

static void done(struct session *s)
{
    (void)unlink(s->path);
    buf_done(&s->text);
    flows_free(s->f);
    index_free(s->ix);
}

static void assert_has(const struct session *s, const char *text)
{
    if (!strstr(s->text.data, text)) {
        fail_msg("no `%s` in:\n%s", text, s->text.data);
    }
}

static void errors_are_told_in_lines_of_the_cell(void **state)
{
    (void)state;
    struct session s;
    char said[4096];
    static const char *const cells[] = {
        "%%step start -> \\\n  end\nartifact double data[][2];\nartifact int\n  n = 3;\nint bad = \"x\" * "
        "n;\nresize(data, n);",
        "%%step end",
        NULL,
    };
    lower(&s, cells);
    assert_int_not_equal(compile(gcc, s.path, said, sizeof said), 0);
    assert_non_null(strstr(said, "cell [1]:6:"));
    assert_int_not_equal(compile(tcc, s.path, said, sizeof said), 0);
    assert_non_null(strstr(said, "cell [1]:6:"));
    done(&s);
}

static void type_that_slips_through_is_caught_by_the_compiler(void **state)
{
    (void)state;
    struct session s;
    char said[4096];
    static const char *const cells[] = {
        "typedef struct { char c[5]; } five;",
        "%%step start -> end\nartifact int v[sizeof(five)];",
        "%%step end\nartifact int v[3 * 2];",
        NULL,
    };
    lower(&s, cells);
    assert_int_not_equal(compile(gcc, s.path, said, sizeof said), 0);
    assert_non_null(
        strstr(said, "cell [3]:2:1: error: static assertion failed: \"v has one type in a flow: see cell [2] line 2"));
    assert_int_not_equal(compile(tcc, s.path, said, sizeof said), 0);
    assert_non_null(strstr(said, "cell [3]:2:"));
    done(&s);
}

static void sizes_that_only_the_compiler_knows_are_constants(void **state)
{
    (void)state;
    struct session s;
    static const char *const cells[] = {
        "typedef struct { char c[5]; } five;\nenum { A = sizeof(int), B };\n#define TWO(x) (2 * (x))",
        "%%step start -> end\nartifact int v[sizeof(five)], w[B], u[TWO(2)];\nv[4] = w[4] = u[3] = 1;",
        "%%step end\nartifact int w[5];\nartifact v;\nprintf(\"%d\\n\", v[0] + u[1]);", NULL,
    };
    lower(&s, cells);
    assert_has(&s, "int v[sizeof(five)]");
    assert_compiles(s.path);
    done(&s);
}

static void names_of_the_user_do_not_collide(void **state)
{
    (void)state;
    struct session s;
    static const char *const cells[] = {
        "enum { A_x = 3 };\nint step_end(int A_y) { return A_y; }\nint weir_flows = 2;",
        "%%step start -> end\nartifact int x = A_x + step_end(weir_flows);", "%%step end\nprintf(\"%d\\n\", x);", NULL,
    };
    lower(&s, cells);
    assert_compiles(s.path);
    done(&s);
}

static void words_that_the_user_declared_are_left_alone(void **state)
{
    (void)state;
    struct session s;
    static const char *const cells[] = {
        "int len(int x) { return x + 1; }\ntypedef struct { int push, inputs; } odd;",
        "%%step start -> end\nodd o = { .push = len(3) };\no.inputs = o.push;\nint current = 2, fail = "
        "current;\nartifact int x = o.inputs + fail;",
        "%%step end\n(void)x;",
        NULL,
    };
    lower(&s, cells);
    assert_has(&s, "odd o = { .push = len(3) };");
    assert_has(&s, "int current = 2, fail = current;");
    assert_compiles(s.path);
    done(&s);
}

static void locals_hide_artifacts(void **state)
{
    (void)state;
    struct session s;
    static const char *const cells[] = {
        "%%step start -> end\nartifact double v[2] = {1, 2};\nartifact int m[2][2];",
        "%%step end\ndouble s = v[0];\n{ double v = 3; s += v; }\nfor (int m = 0; m < 2; m++) { s += m; }\nprintf(\"%g "
        "%d\\n\", s, m[1][1]);",
        NULL,
    };
    lower(&s, cells);
    assert_has(&s, "double s = (*v)[0];\n{ double v = 3; s += v; }");
    assert_has(&s, "(*m)[1][1]");
    assert_compiles(s.path);
    done(&s);
}

static void macros_may_name_plain_artifacts(void **state)
{
    (void)state;
    struct session s;
    static const char *const cells[] = {
        "#define SCALED(x) ((x) * factor)\n#define TWICE SCALED(2)\n#define FOR(i, n) for (int i = 0; i < (n); "
        "i++)\n#define GET(s, m) (s).m",
        "typedef struct { double loss; } result;",
        "%%step start -> end\nartifact double factor = 2;\nartifact result r;",
        "%%step end\nFOR(k, 3) { printf(\"%g %d %g\\n\", TWICE, k, GET(r, loss)); }",
        NULL,
    };
    lower(&s, cells);
    assert_has(&s, "const double factor = *(const double *)weir_get(weir__t, A_factor, NULL);");
    assert_compiles(s.path);
    done(&s);
}

static void lengths_stay_in_registers(void **state)
{
    (void)state;
    struct session s;
    static const char *const cells[] = {
        "%%step start -> end\nartifact char text[];\nartifact double m[2][len(text) + 1];\nresize(text, 10); "
        "push(text, 'x'); m[1][0] = 1;",
        "%%step end\nprintf(\"%zu %zu\\n\", len(text), dim(m, 1));",
        NULL,
    };
    lower(&s, cells);
    assert_null(strstr(s.text.data, "&text"));
    assert_null(strstr(s.text.data, "&m__d"));
    assert_compiles(s.path);
    done(&s);
}

static void only_what_is_used_is_read(void **state)
{
    (void)state;
    struct session s;
    static const char *const cells[] = {
        "%%step start -> next\nartifact int a = 1, b = 2, c = 3;",
        "%%step next -> end\nartifact int a = 5;\nartifact b;\nb += c;",
        "%%step end\n(void)a;",
        NULL,
    };
    lower(&s, cells);
    assert_has(&s, ".reads = (const unsigned[]){ A_b, A_c }, .nreads = 2,\n        .writes = (const unsigned[]){ A_a, "
                   "A_b }, .nwrites = 2,");
    assert_has(&s, ".reads = (const unsigned[]){ A_a }, .nreads = 1,\n        .foreach = -1");
    done(&s);
}

static void value_before_a_new_one_may_be_used_to_make_it(void **state)
{
    (void)state;
    struct session s;
    static const char *const cells[] = {
        "%%step start -> end\nartifact int n = 1;", "%%step end\nartifact int n = n + 1;", NULL,
    };
    lower(&s, cells);
    assert_has(&s, "int n = *(const int *)weir_get(weir__t, A_n, NULL);");
    assert_compiles(s.path);
    done(&s);
}

static void anchor_is_the_first_function(void **state)
{
    (void)state;
    struct session s;
    static const char *const cells[] = { "int f(void) { return 1; }", "%%step end\nartifact int x = f();", NULL };
    lower(&s, cells);
    assert_true(strstr(s.text.data, "void weir_flow_anchor(void) /*") < strstr(s.text.data, "int f(void)"));
    done(&s);
}

/* The comment above a step turns back into its cell. */
static void comments_convert_back(void **state)
{
    (void)state;
    struct session s;
    static const char cell[] = "%%step end // x\n\nchar *a = \"one \\\ntwo\"; // $ \\$\n\t/* */ (void)a;";
    static const char *const cells[] = { cell, NULL };
    lower(&s, cells);
    const char *p = strstr(s.text.data, "/* ---- cell [1] ---- */\n");
    assert_non_null(p);
    struct buf back;
    buf_init(&back, 0);
    for (p = strchr(p, '\n') + 1; strncmp(p, "//", 2) == 0; p = strchr(p, '\n') + 1) {
        size_t len = strcspn(p, "\n"), skip = p[2] == ' ' ? 3 : 2, bare = len;
        while (bare > skip && p[bare - 1] == '$') {
            bare--;
        }
        bool marked = bare < len && bare > skip && p[bare - 1] == '\\';
        buf_add(&back, p + skip, len - skip - marked);
        buf_char(&back, '\n');
    }
    assert_int_equal(back.len, strlen(cell) + 1);
    assert_memory_equal(back.data, cell, strlen(cell));
    buf_done(&back);
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens_compile_without_a_warning),
        cmocka_unit_test(errors_are_told_in_lines_of_the_cell),
        cmocka_unit_test(type_that_slips_through_is_caught_by_the_compiler),
        cmocka_unit_test(sizes_that_only_the_compiler_knows_are_constants),
        cmocka_unit_test(names_of_the_user_do_not_collide),
        cmocka_unit_test(words_that_the_user_declared_are_left_alone),
        cmocka_unit_test(locals_hide_artifacts),
        cmocka_unit_test(macros_may_name_plain_artifacts),
        cmocka_unit_test(lengths_stay_in_registers),
        cmocka_unit_test(only_what_is_used_is_read),
        cmocka_unit_test(value_before_a_new_one_may_be_used_to_make_it),
        cmocka_unit_test(anchor_is_the_first_function),
        cmocka_unit_test(comments_convert_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
