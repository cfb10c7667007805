/* A session from its messages: what a cell shows, keeps, and says when it fails. Both ends of the socket are ours. */
#include "kernel/session.h"

#include "kernel/session_protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h> /* last: it needs what stands above */

#include "tests/unit/build_home.h"

struct fixture {
    struct session s;
    int peer;
    int count;
    struct err e;
    /* of the last cell */
    char *result, *ename, *evalue, *traceback, *streams; /* owned; NULL: none came */
    json_t *done;
};

static void forget(struct fixture *f)
{
    free(f->result);
    free(f->ename);
    free(f->evalue);
    free(f->traceback);
    free(f->streams);
    json_decref(f->done);
    f->result = f->ename = f->evalue = f->traceback = f->streams = NULL;
    f->done = NULL;
}

/* Every test begins with the same session: starting one costs more than all that is done here. */
static struct fixture shared;

static int setup_group(void **state)
{
    int fds[2];
    if (!home_root() ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
        return -1;
    }
    shared.peer = fds[1];
    if (session_init(&shared.s, fds[0], &shared.e) != ERR_NONE) {
        print_error("%s\n", shared.e.msg);
        return -1;
    }
    *state = &shared;
    return 0;
}

static int teardown_group(void **state)
{
    (void)state;
    forget(&shared);
    session_done(&shared.s);
    return 0;
}

static char *joined(const json_t *lines)
{
    struct buf b;
    size_t i;
    json_t *line;
    buf_init(&b, 0);
    json_array_foreach(lines, i, line)
    {
        buf_printf(&b, "%s%s", i ? "\n" : "", json_string_value(line));
    }
    return buf_take(&b);
}

static char *text_of(const json_t *m, const char *key)
{
    const char *text = json_string_value(json_object_get(m, key));
    return text ? strdup(text) : NULL;
}

static void take(struct fixture *f, const json_t *m)
{
    const char *op = json_string_value(json_object_get(m, "op"));
    if (strcmp(op, "result") == 0) {
        free(f->result);
        f->result = text_of(json_object_get(m, "data"), "text/plain");
    } else if (strcmp(op, "error") == 0) {
        f->ename = text_of(m, "ename");
        f->evalue = text_of(m, "evalue");
        f->traceback = joined(json_object_get(m, "traceback"));
    } else if (strcmp(op, "stream") == 0 && !f->streams) {
        f->streams = text_of(m, "text");
    }
}

static void send_request(struct fixture *f, json_t *request)
{
    bool end;
    forget(f);
    if (session_handle(&f->s, request, &end, &f->e) != ERR_NONE) {
        fail_msg("%s", f->e.msg);
    }
    json_decref(request);
    while (!f->done) {
        json_t *m = NULL;
        assert_int_equal(session_receive(f->peer, &m, &f->e), ERR_NONE);
        const char *op = json_string_value(json_object_get(m, "op"));
        if (strcmp(op, "done") == 0 || strcmp(op, "reply") == 0) {
            f->done = m;
            return;
        }
        take(f, m);
        json_decref(m);
    }
}

static void run(struct fixture *f, const char *code)
{
    session_guard_signals(&f->s); /* cmocka has handlers of its own */
    send_request(f, json_pack("{s:s, s:s, s:n, s:i, s:b, s:{}}", "op", "execute", "code", code, "cell_id", "count",
                              ++f->count, "silent", false, "user_expressions"));
}

static const char *value_of(struct fixture *f, const char *code)
{
    run(f, code);
    if (f->traceback) {
        fail_msg("%s", f->traceback);
    }
    assert_non_null(f->result);
    return f->result;
}

static void fails(struct fixture *f, const char *code, const char *ename)
{
    run(f, code);
    assert_non_null(f->ename);
    assert_string_equal(f->ename, ename);
    assert_false(json_is_true(json_object_get(f->done, "ok")));
}

/* ---- values ---- */

static void scalars(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(value_of(f, "1 + 2"), "3");
    assert_string_equal(value_of(f, "5 / 2.0"), "2.5");
    assert_string_equal(value_of(f, "'a'"), "97"); /* in C a character constant is an int */
    assert_string_equal(value_of(f, "(char)'a'"), "'a'");
    assert_string_equal(value_of(f, "\"text\""), "\"text\"");
    assert_string_equal(value_of(f, "(size_t)7"), "7");
}

static void a_statement_shows_nothing(void **state)
{
    struct fixture *f = *state;
    run(f, "int quiet_one = 3;\nquiet_one + 1;");
    assert_null(f->traceback);
    assert_null(f->result);
    assert_true(json_is_true(json_object_get(f->done, "ok")));
}

static void a_call_of_a_void_function_shows_nothing(void **state)
{
    struct fixture *f = *state;
    run(f, "void nothing_to_show(void) {}\nnothing_to_show()");
    assert_null(f->traceback);
    assert_null(f->result);
}

/* ---- state ---- */

static void variables_live_on(void **state)
{
    struct fixture *f = *state;
    run(f, "int lives = 20;");
    run(f, "lives++;");
    assert_string_equal(value_of(f, "lives * 2"), "42");
}

static void a_loop_beside_declarations(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(
        value_of(
            f,
            "int squares[5];\nfor (int i = 0; i < 5; i++) { squares[i] = i * i; }\nint biggest = squares[4];\nbiggest"),
        "16");
}

static void a_function_defined_again_serves_its_earlier_callers(void **state)
{
    struct fixture *f = *state;
    run(f, "int rate_of(int x) { return x; }");
    run(f, "int twice(int x) { return 2 * rate_of(x); }\nint (*kept)(int) = rate_of;");
    run(f, "int rate_of(int x) { return 100 * x; }");
    assert_string_equal(value_of(f, "twice(2)"), "400");
    assert_string_equal(value_of(f, "kept(3)"), "300");
}

static void a_type_defined_again(void **state)
{
    struct fixture *f = *state;
    run(f, "struct spot { int x; };\nstruct spot here = { 5 };");
    run(f, "struct spot { double x, y; };\nstruct spot there = { 1.5, 2.5 };");
    assert_null(f->traceback);
    assert_string_equal(value_of(f, "there.x + there.y"), "4.0");
}

static void a_variable_declared_again_starts_anew(void **state)
{
    struct fixture *f = *state;
    run(f, "int anew = 5;\nanew = 7;");
    assert_string_equal(value_of(f, "int anew = 1;\nanew"), "1");
    assert_string_equal(value_of(f, "double anew = 2.5;\nanew"), "2.5");
}

static void static_variables_of_a_function_live_on(void **state)
{
    struct fixture *f = *state;
    run(f, "int tick_count(void) { static int n; return ++n; }");
    run(f, "tick_count();");
    assert_string_equal(value_of(f, "tick_count()"), "2");
}

static void libc_and_libm_without_includes(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(value_of(f, "sqrt(16.0) + strlen(\"abc\") + abs(-2)"), "9.0");
}

static void macros_of_earlier_cells(void **state)
{
    struct fixture *f = *state;
    run(f, "#define SCALE(x) ((x) * FACTOR)\n#define FACTOR 3");
    assert_string_equal(value_of(f, "SCALE(14)"), "42");
}

static void a_program_with_main(void **state)
{
    struct fixture *f = *state;
    run(f, "#include <stdio.h>\n#include <stdlib.h>\nstatic int sum(const int *a, int n) { int s = 0; for (int i = 0; "
           "i < n; i++) s += a[i]; return s; }\n"
           "int main(int argc, char **argv)\n{\n    int a[] = {1, 2, 3};\n    if (sum(a, 3) != 6 || argc < 0 || !argv) "
           "return 1;\n    exit(0);\n}");
    assert_null(f->traceback);
    assert_null(f->result);
    assert_string_equal(value_of(f, "#include <stdlib.h>\nint main(void) { exit(3); }"), "main ended with status 3");
}

/* ---- failures ---- */

static void all_compile_errors_are_told(void **state)
{
    struct fixture *f = *state;
    fails(f, "int broken(int x) {\n    return x + undefined_y;\n}\nint broken2(void) { return undefined_z; }",
          "CompileError");
    assert_non_null(strstr(f->traceback, "line 2: error: 'undefined_y' undeclared (first use in this function)"));
    assert_non_null(strstr(f->traceback, "line 4: error: 'undefined_z' undeclared (first use in this function)"));
}

static void a_cell_that_does_not_compile_changes_nothing(void **state)
{
    struct fixture *f = *state;
    run(f, "int untouched = 5;\nint keeper(void) { return 1; }");
    fails(f, "int untouched = 6;\nint keeper(void) { return 2; }\nint more = nonsense;", "CompileError");
    assert_string_equal(value_of(f, "untouched + keeper()"), "6");
    fails(f, "more", "CompileError");
}

static void a_syntax_error(void **state)
{
    struct fixture *f = *state;
    run(f, "int (;");
    assert_non_null(f->ename);
    run(f, "int fine_again = 1;");
    assert_null(f->ename);
}

static void a_crash_names_cell_line_and_callers(void **state)
{
    struct fixture *f = *state;
    char expected[512];
    run(f, "int first_of(const int *p)\n{\n    return p[0];\n}");
    int at = f->count;
    fails(f, "int unused_local = 1;\nfirst_of(NULL);", "SegmentationFault");
    (void)snprintf(expected, sizeof expected,
                   "SegmentationFault: NULL pointer: no memory at address 0x0\n"
                   "cell [%d] line 3 in first_of\n    return p[0];\ncell [%d] line 2\n    first_of(NULL);\n"
                   "What the cell had changed before this stays changed.",
                   at, at + 1);
    assert_string_equal(f->traceback, expected);
    assert_string_equal(value_of(f, "1 + 1"), "2");
}

static void exit_in_a_plain_cell_is_an_error(void **state)
{
    struct fixture *f = *state;
    fails(f, "exit(3);", "Exit");
    assert_string_equal(f->evalue, "called exit(3)");
}

static void what_tcc_cannot_compile_works_all_the_same(void **state)
{
    struct fixture *f = *state;
    run(f, "int before_cc = 4;");
    assert_string_equal(value_of(f, "__builtin_popcount(255) + before_cc"), "12");
}

/* ---- the rest of a request ---- */

static void user_expressions_are_evaluated_afterwards(void **state)
{
    struct fixture *f = *state;
    session_guard_signals(&f->s);
    send_request(f, json_pack("{s:s, s:s, s:n, s:i, s:b, s:{s:s, s:s}}", "op", "execute", "code", "int for_later = 6;",
                              "cell_id", "count", ++f->count, "silent", false, "user_expressions", "good",
                              "for_later * 7", "bad", "no_such_name"));
    const json_t *results = json_object_get(f->done, "user_expressions");
    const json_t *good = json_object_get(results, "good"), *bad = json_object_get(results, "bad");
    assert_string_equal(json_string_value(json_object_get(good, "status")), "ok");
    assert_string_equal(json_string_value(json_object_get(json_object_get(good, "data"), "text/plain")), "42");
    assert_string_equal(json_string_value(json_object_get(bad, "status")), "error");
    assert_string_equal(json_string_value(json_object_get(bad, "ename")), "CompileError");
    assert_null(f->result);
}

static void a_silent_cell_shows_no_value(void **state)
{
    struct fixture *f = *state;
    session_guard_signals(&f->s);
    send_request(f, json_pack("{s:s, s:s, s:n, s:i, s:b}", "op", "execute", "code", "1 + 1", "cell_id", "count",
                              ++f->count, "silent", true));
    assert_null(f->result);
    assert_true(json_is_true(json_object_get(f->done, "ok")));
}

static bool completes(struct fixture *f, const char *code, const char *wanted)
{
    size_t i;
    json_t *match;
    send_request(f, json_pack("{s:s, s:s, s:I}", "op", "complete", "code", code, "cursor", (json_int_t)strlen(code)));
    json_array_foreach(json_object_get(f->done, "matches"), i, match)
    {
        if (strcmp(json_string_value(match), wanted) == 0) {
            return true;
        }
    }
    return false;
}

static void completion_of_names_members_and_magics(void **state)
{
    struct fixture *f = *state;
    run(f, "struct pupil { int grade; double score; };\nstruct pupil anna, class_of[3], *best_pupil = &anna;\nint "
           "completable_name;");
    assert_true(completes(f, "1 + complet", "completable_name"));
    assert_int_equal(json_integer_value(json_object_get(f->done, "cursor_start")), 4);
    assert_true(completes(f, "anna.gr", "grade"));
    assert_true(completes(f, "best_pupil->", "score"));
    assert_true(completes(f, "class_of[1].sc", "score"));
    assert_false(completes(f, "anna.gr", "score"));
    assert_true(completes(f, "print", "printf"));
    assert_true(completes(f, "%fl", "%flow"));
}

static void inspection_of_names_and_magics(void **state)
{
    struct fixture *f = *state;
    run(f, "double area_of(double w, double h) { return w * h; }");
    send_request(f, json_pack("{s:s, s:s, s:i}", "op", "inspect", "code", "area_of(1, 2)", "cursor", 3));
    assert_true(json_is_true(json_object_get(f->done, "found")));
    const char *text = json_string_value(json_object_get(json_object_get(f->done, "data"), "text/plain"));
    assert_non_null(strstr(text, "double area_of(double w, double h);\n\ncell ["));
    send_request(f, json_pack("{s:s, s:s, s:i}", "op", "inspect", "code", "no_such_name_at_all", "cursor", 3));
    assert_false(json_is_true(json_object_get(f->done, "found")));
}

static void an_unknown_request_is_an_error(void **state)
{
    struct fixture *f = *state;
    bool end;
    json_t *request = json_pack("{s:s}", "op", "dance");
    assert_int_equal(session_handle(&f->s, request, &end, &f->e), ERR_FORMAT);
    json_decref(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),
        cmocka_unit_test(a_statement_shows_nothing),
        cmocka_unit_test(a_call_of_a_void_function_shows_nothing),
        cmocka_unit_test(variables_live_on),
        cmocka_unit_test(a_loop_beside_declarations),
        cmocka_unit_test(a_function_defined_again_serves_its_earlier_callers),
        cmocka_unit_test(a_type_defined_again),
        cmocka_unit_test(a_variable_declared_again_starts_anew),
        cmocka_unit_test(static_variables_of_a_function_live_on),
        cmocka_unit_test(libc_and_libm_without_includes),
        cmocka_unit_test(macros_of_earlier_cells),
        cmocka_unit_test(a_program_with_main),
        cmocka_unit_test(all_compile_errors_are_told),
        cmocka_unit_test(a_cell_that_does_not_compile_changes_nothing),
        cmocka_unit_test(a_syntax_error),
        cmocka_unit_test(a_crash_names_cell_line_and_callers),
        cmocka_unit_test(exit_in_a_plain_cell_is_an_error),
        cmocka_unit_test(what_tcc_cannot_compile_works_all_the_same),
        cmocka_unit_test(user_expressions_are_evaluated_afterwards),
        cmocka_unit_test(a_silent_cell_shows_no_value),
        cmocka_unit_test(completion_of_names_members_and_magics),
        cmocka_unit_test(inspection_of_names_and_magics),
        cmocka_unit_test(an_unknown_request_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
