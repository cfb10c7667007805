/* The table of magics and what comes from it: which lines are magics, dispatch, options, help, completion. */
#include "magics/table.h"
#include "magics/table.h"
#include "runtime/lang/parts.h"
#include "tests/unit/magics_host.h"

static void a_magic_stands_in_column_1_where_a_statement_may_begin(void **state)
{
    (void)state;
    assert_true(magics_is("%flow run"));
    assert_true(magics_is("\n\n%flow run\nint x;"));
    assert_true(magics_is("%%step a\nint x;"));
    assert_true(magics_is("int x;\n%flow run"));
    assert_true(magics_is("struct s { int x; };\n%runs"));
    assert_true(magics_is("#include <stdio.h>\n%lsmagic"));
    assert_true(magics_is("// a comment\n%flow show"));
}

static void what_may_be_c_is_c(void **state)
{
    (void)state;
    assert_false(magics_is("int a = x\n%b;"));            /* a remainder */
    assert_false(magics_is("x\n% flow"));
    assert_false(magics_is("!x"));
    assert_false(magics_is("int f(void)\n{\n%flow\n}"));  /* not at file scope */
    assert_false(magics_is("/*\n%flow run\n*/ int x;"));
    assert_false(magics_is("\"\\\n%flow run\\\n\";"));
    assert_false(magics_is("int a = (1\n%flow);"));
    assert_false(magics_is("int x;\n%nonesuch"));         /* after C only a name of the table counts */
    assert_false(magics_is(" %flow run"));                /* not in column 1 */
    assert_false(magics_is("printf(\"%d\");"));
    assert_false(magics_is(""));
}

static void pieces_keep_their_order_and_their_lines(void **state)
{
    (void)state;
    const char *text = "int a;\n%flow \\\n  run\nint b;\n%runs";
    struct arena a;
    struct part *p;
    size_t n;
    arena_init(&a);
    assert_int_equal(parts_split(text, strlen(text), magics_has, NULL, &a, &p, &n, NULL), ERR_NONE);
    assert_int_equal(n, 4);
    assert_int_equal(p[0].kind, PART_C);
    assert_int_equal(p[0].line, 1);
    assert_int_equal(p[1].kind, PART_LINE);
    assert_int_equal(p[1].line, 2);
    assert_memory_equal(p[1].text, "%flow \\\n  run", p[1].len);
    assert_int_equal(p[2].kind, PART_C);
    assert_int_equal(p[3].line, 5);
    arena_done(&a);
}

static void c_between_magics_runs_in_order_with_its_own_line_numbers(void **state)
{
    struct fake *f = *state;
    struct err e;
    assert_int_equal(fake_cell(f, 3, "%flow list\nint a;\n%flow list\nint b;", &e), ERR_NONE);
    assert_string_equal(f->ran.data, "cell [3]|\nint a;\ncell [3]|\n\n\nint b;");
}

static void an_unknown_magic_is_named_with_the_nearest(void **state)
{
    struct fake *f = *state;
    struct err e;
    assert_int_equal(fake_cell(f, 3, "\n%flwo run", &e), ERR_NAME);
    assert_string_equal(e.msg, "no magic '%flwo' (did you mean 'flow'?); there are lsmagic, step, flow, artifact, runs, config, undo, rerun");
    assert_string_equal(e.cell, "cell [3]");
    assert_int_equal(e.line, 2);
}

static void an_unknown_action_is_named_with_the_nearest(void **state)
{
    struct fake *f = *state;
    struct err e;
    assert_int_equal(fake_cell(f, 1, "%flow chekc", &e), ERR_NAME);
    assert_string_equal(e.msg, "no magic '%flow chekc' (did you mean 'check'?); there are run, show, check, list, drop, export");
}

static void an_unknown_option_is_named_with_the_nearest(void **state)
{
    struct fake *f = *state;
    struct err e;
    assert_int_equal(fake_cell(f, 1, "%runs --limt 3", &e), ERR_USAGE);
    assert_string_equal(e.msg, "%runs: no option '--limt' (did you mean 'limit'?); there are --flow, --limit");
}

static void an_option_without_its_value_says_what_it_takes(void **state)
{
    struct fake *f = *state;
    struct err e;
    assert_int_equal(fake_cell(f, 1, "%runs --limit", &e), ERR_USAGE);
    assert_string_equal(e.msg, "%runs: --limit needs a value: --limit N");
    assert_int_equal(fake_cell(f, 1, "%runs --limit ten", &e), ERR_USAGE);
    assert_string_equal(e.msg, "--limit: 'ten' is not a whole number from 0 to 4294967295");
}

static void a_word_too_many_is_refused(void **state)
{
    struct fake *f = *state;
    struct err e;
    assert_int_equal(fake_cell(f, 1, "%flow show A B", &e), ERR_USAGE);
    assert_string_equal(e.msg, "%flow show: 'B' is one word too many");
}

static void a_cell_magic_in_the_middle_of_a_cell_is_refused(void **state)
{
    struct fake *f = *state;
    struct err e;
    assert_true(magics_is("int x;\n%%step a"));
    assert_int_equal(fake_cell(f, 1, "int x;\n%%step a", &e), ERR_SYNTAX);
    assert_string_equal(e.msg, "%%step must be the first line of its cell");
    assert_int_equal(f->ran.len, 0);
}

static void one_percent_too_few_or_many_is_told(void **state)
{
    struct fake *f = *state;
    struct err e;
    assert_int_equal(fake_cell(f, 1, "%step a", &e), ERR_USAGE);
    assert_string_equal(e.msg, "step is a cell magic: write %%step");
    assert_int_equal(fake_cell(f, 1, "%%runs", &e), ERR_USAGE);
    assert_string_equal(e.msg, "runs is a line magic: write %runs");
}

static void question_mark_and_help_explain_a_magic(void **state)
{
    struct fake *f = *state;
    struct err e;
    const char *const asks[] = { "%flow run --help", "%flow run -h" };
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&f->out);
        assert_int_equal(fake_cell(f, 1, asks[i], &e), ERR_NONE);
        assert_non_null(strstr(f->out.data, "%flow run [FLOW] [--PARAMETER VALUE]... [options]\n"));
        assert_non_null(strstr(f->out.data, "  --max-workers N   "));
    }
    const char *const whole[] = { "%flow?", "%flow ?", "%flow --help", "%%flow?", "%flow" };
    for (size_t i = 0; i < 5; i++) {
        buf_clear(&f->out);
        assert_int_equal(fake_cell(f, 1, whole[i], &e), ERR_NONE);
        assert_non_null(strstr(f->out.data, "%flow export DIR"));
        assert_non_null(strstr(f->out.data, "%%flow NAME"));
    }
}

static void every_row_has_help_and_a_usage(void **state)
{
    (void)state;
    for (const struct magic *r = magics_table(); r->name; r++) {
        assert_non_null(magics_help(r->name));
        assert_true(r->help[0] != '\0' && r->help[strlen(r->help) - 1] != '.');
        assert_non_null(r->usage);
        assert_true(r->run != NULL || r->actions != NULL);
        for (const struct magic *a = r->actions; a && a->name; a++) {
            assert_non_null(a->run);
            assert_true(a->help[0] != '\0' && a->help[strlen(a->help) - 1] != '.');
        }
    }
    assert_string_equal(magics_help("%flow"), magics_help("flow"));
    assert_null(magics_help("nonesuch"));
}

static void lsmagic_lists_every_row(void **state)
{
    struct fake *f = *state;
    struct err e;
    assert_int_equal(fake_cell(f, 1, "%lsmagic", &e), ERR_NONE);
    for (const struct magic *r = magics_table(); r->name; r++) {
        assert_non_null(strstr(f->out.data, r->name));
    }
}

static void check_matches(struct fake *f, const char *line, const char *wanted)
{
    json_t *list = magics_complete(f->magics, line, strlen(line));
    struct buf text;
    buf_init(&text, 0);
    size_t i;
    json_t *match;
    json_array_foreach(list, i, match) {
        buf_printf(&text, "%s%s", i ? " " : "", json_string_value(match));
    }
    assert_string_equal(text.data, wanted);
    json_decref(list);
    buf_done(&text);
}

static void completion_knows_magics_actions_and_options(void **state)
{
    struct fake *f = *state;
    check_matches(f, "%a", "%artifact");
    check_matches(f, "%%", "%%step %%flow");
    check_matches(f, "%flow ", "run show check list drop export");
    check_matches(f, "%flow e", "export");
    check_matches(f, "%flow run --max", "--max-workers");
    check_matches(f, "%artifact --r", "--run --rows");
    check_matches(f, "%nonesuch ", "");
    check_matches(f, "int x", "");
}

static void only_what_may_change_the_session_can_be_undone(void **state)
{
    (void)state;
    assert_true(magics_change("%flow run"));
    assert_true(magics_change("%%step a\nint x;"));
    assert_true(magics_change("%config\n%flow run"));
    assert_true(magics_change("%flow \\\n  run"));
    assert_true(magics_change("%flow 'run'"));
    assert_false(magics_change("%flow list\n%flow show Grid"));
    assert_false(magics_change("%config undo = 3\n%runs\n%lsmagic"));
    assert_false(magics_change("%undo --list"));
    assert_false(magics_change("%nonesuch"));
    assert_false(magics_change("int x;\n%runs")); /* the C part tells by itself */
}

static void rerun_runs_cells_by_number_and_range(void **state)
{
    struct fake *f = *state;
    struct err e;
    f->sources[1] = f->sources[2] = f->sources[4] = "x++;";
    assert_int_equal(fake_cell(f, 5, "%rerun 2 1-4", &e), ERR_NONE);
    assert_string_equal(f->ran.data, "again 2|again 1|again 2|again 4|");
}

static void rerun_alone_runs_the_last_cell_that_is_no_rerun(void **state)
{
    struct fake *f = *state;
    struct err e;
    f->sources[2] = "x++;";
    f->sources[3] = " %rerun";
    assert_int_equal(fake_cell(f, 4, "%rerun", &e), ERR_NONE);
    assert_string_equal(f->ran.data, "again 2|");
    f->sources[2] = NULL;
    assert_int_equal(fake_cell(f, 4, "%rerun", &e), ERR_NOT_FOUND);
    assert_string_equal(e.msg, "there is no cell to run again yet");
}

static void rerun_stops_at_the_first_error(void **state)
{
    struct fake *f = *state;
    struct err e;
    f->sources[1] = f->sources[2] = f->sources[3] = "x++;";
    f->failing = 2;
    assert_int_equal(fake_cell(f, 4, "%rerun 1-3", &e), ERR_COMPILE);
    assert_string_equal(f->ran.data, "again 1|again 2|");
}

static void rerun_says_what_is_wrong_with_its_words(void **state)
{
    struct fake *f = *state;
    struct err e;
    static const struct { const char *line; enum err_code code; const char *text; } rows[] = {
        { "%rerun x", ERR_USAGE, "'x' is no cell's number: write 3, or 3-5" },
        { "%rerun 3-", ERR_USAGE, "'3-' is no cell's number: write 3, or 3-5" },
        { "%rerun 5-3", ERR_USAGE, "'5-3' is no cell's number: write 3, or 3-5" },
        { "%rerun 0", ERR_USAGE, "'0' is no cell's number: write 3, or 3-5" },
        { "%rerun 6", ERR_NOT_FOUND, "no cell [6] has run in this session, or it is too long ago" },
        { "%rerun --stale 3", ERR_USAGE, "--stale finds its cells by itself: write %rerun --stale, or the numbers alone" },
        { "%rerun --dry-run", ERR_USAGE, "--dry-run goes with --stale: %rerun --stale --dry-run" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(fake_cell(f, 4, rows[i].line, &e), rows[i].code);
        assert_string_equal(e.msg, rows[i].text);
    }
    assert_int_equal(f->ran.len, 0);
}

static int set_up(void **state)
{
    static struct fake fake;
    fake_init(&fake, ".", false);
    *state = &fake;
    return 0;
}

static int tear_down(void **state)
{
    fake_done(*state);
    return 0;
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_magic_stands_in_column_1_where_a_statement_may_begin),
        cmocka_unit_test(what_may_be_c_is_c),
        cmocka_unit_test(pieces_keep_their_order_and_their_lines),
        WITH_HOST(c_between_magics_runs_in_order_with_its_own_line_numbers),
        WITH_HOST(an_unknown_magic_is_named_with_the_nearest),
        WITH_HOST(an_unknown_action_is_named_with_the_nearest),
        WITH_HOST(an_unknown_option_is_named_with_the_nearest),
        WITH_HOST(an_option_without_its_value_says_what_it_takes),
        WITH_HOST(a_word_too_many_is_refused),
        WITH_HOST(a_cell_magic_in_the_middle_of_a_cell_is_refused),
        WITH_HOST(one_percent_too_few_or_many_is_told),
        WITH_HOST(question_mark_and_help_explain_a_magic),
        cmocka_unit_test(every_row_has_help_and_a_usage),
        WITH_HOST(lsmagic_lists_every_row),
        WITH_HOST(completion_knows_magics_actions_and_options),
        WITH_HOST(rerun_runs_cells_by_number_and_range),
        WITH_HOST(rerun_alone_runs_the_last_cell_that_is_no_rerun),
        WITH_HOST(rerun_stops_at_the_first_error),
        WITH_HOST(rerun_says_what_is_wrong_with_its_words),
        cmocka_unit_test(only_what_may_change_the_session_can_be_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
