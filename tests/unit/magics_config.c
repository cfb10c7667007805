/* %config and %undo, with a host that has three settings and a few cells to undo. */
#include "tests/unit/magics_host.h"

static void check_refused(struct fake *f, const char *cell, enum err_code code, const char *text)
{
    struct err e;
    assert_int_equal(fake_cell(f, 1, cell, &e), code);
    assert_string_equal(e.msg, text);
}

static void check_says(struct fake *f, const char *cell, const char *text)
{
    struct err e;
    buf_clear(&f->out);
    assert_int_equal(fake_cell(f, 1, cell, &e), ERR_NONE);
    assert_string_equal(f->out.data, text);
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

/* ---- %config ---- */

static void config_lists_all_as_a_table(void **state)
{
    struct fake *f = *state;
    struct err e;
    assert_int_equal(fake_cell(f, 1, "%config", &e), ERR_NONE);
    assert_string_equal(f->shown.data, "display\n"
                                       "setting      value  default  what it is\n"
                                       "checkpoint   auto   auto     copies\n"
                                       "undo         10     10       cells to go back\n"
                                       "undo_memory  1 GiB  1 GiB    bytes of copies\n");
    assert_non_null(strstr(f->html.data, "<td style=\"text-align:left\">undo_memory</td>"));
}

static void config_lists_where_a_changed_value_comes_from(void **state)
{
    struct fake *f = *state;
    struct err e;
    f->values.origins[0] = SETTING_ENVIRONMENT;
    assert_int_equal(fake_cell(f, 1, "%config undo=3\n%config", &e), ERR_NONE);
    assert_non_null(strstr(f->shown.data, "checkpoint   auto   WEIR_CHECKPOINT  auto     copies\n"
                                          "undo         3      %config          10       cells to go back\n"));
}

static void config_shows_one_setting(void **state)
{
    struct fake *f = *state;
    check_says(f, "%config undo",
               "undo = 10\n  cells to go back.\n  Possible: a whole number from 0 to 64.\n  Default: 10.\n");
    f->values.origins[0] = SETTING_STORE_FILE;
    check_says(f, "%config checkpoint", "checkpoint = auto\n  copies.\n  Possible: auto, on or off.\n"
                                        "  Default: auto. Set by .weir/config.json.\n");
}

static void config_sets_in_each_way_of_writing(void **state)
{
    struct fake *f = *state;
    const char *const ways[] = { "%config undo = 20", "%config undo=20", "%config undo 20", "%config undo =20",
                                 "%config undo= 20", "%config 'undo = 20' // a comment" };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        f->values.undo = 1;
        check_says(f, ways[i], "undo = 20\n");
        assert_int_equal(f->values.undo, 20);
    }
    check_says(f, "%config undo_memory = 2 MiB", "undo_memory = 2 MiB\n");
    assert_int_equal(f->values.undo_memory, 2 << 20);
    check_says(f, "%config checkpoint OFF", "checkpoint = off\n");
}

static void config_default_is_the_built_in_value_again(void **state)
{
    struct fake *f = *state;
    struct err e;
    assert_int_equal(fake_cell(f, 1, "%config undo = 20", &e), ERR_NONE);
    check_says(f, "%config undo = default", "undo = 10\n");
    assert_int_equal(f->values.origins[1], SETTING_BUILT_IN);
}

static void config_refuses_what_is_not_possible_and_changes_nothing(void **state)
{
    struct fake *f = *state;
    check_refused(f, "%config undo = 65", ERR_USAGE, "undo can't be '65': give it a whole number from 0 to 64");
    check_refused(f, "%config undo =", ERR_USAGE, "undo can't be '': give it a whole number from 0 to 64");
    check_refused(f, "%config undo 2 3", ERR_USAGE, "undo can't be '2 3': give it a whole number from 0 to 64");
    check_refused(f, "%config checkpoint = maybe", ERR_USAGE, "checkpoint can't be 'maybe': give it auto, on or off");
    check_refused(f, "%config undo_memory = much", ERR_USAGE,
                  "undo_memory can't be 'much': give it a size from 0 to 1 TiB, such as 512K, 2M or 1.5 GiB");
    check_refused(f, "%config a b c d e", ERR_USAGE, "%config: 'e' is one word too many");
    assert_int_equal(f->values.undo, 10);
    assert_int_equal(f->values.undo_memory, 1 << 30);
    assert_int_equal(f->values.origins[1], SETTING_BUILT_IN);
}

static void config_names_the_nearest_setting(void **state)
{
    struct fake *f = *state;
    check_refused(f, "%config udno = 3", ERR_NAME,
                  "no setting 'udno' (did you mean 'undo'?); there are checkpoint, undo, undo_memory");
    check_refused(f, "%config = 3", ERR_NAME, "no setting ''; there are checkpoint, undo, undo_memory");
}

static void config_reads_what_user_code_has_scribbled_as_possible_values(void **state)
{
    struct fake *f = *state;
    struct err e;
    f->values = (struct fake_settings){ INT64_MAX, -7, INT64_MIN, { 255, 255, 255 } };
    assert_int_equal(fake_cell(f, 1, "%config", &e), ERR_NONE);
    assert_non_null(strstr(f->shown.data, "checkpoint   off    %config  auto"));
    assert_non_null(strstr(f->shown.data, "undo         0      %config  10"));
}

static void config_completes_names_and_choices(void **state)
{
    struct fake *f = *state;
    check_matches(f, "%con", "%config");
    check_matches(f, "%config ", "checkpoint undo undo_memory");
    check_matches(f, "%config undo", "undo undo_memory");
    check_matches(f, "%config checkpoint ", "auto on off default");
    check_matches(f, "%config checkpoint = o", "on off");
    check_matches(f, "%config checkpoint=o", "checkpoint=on checkpoint=off");
    check_matches(f, "%config undo = ", "default");
    check_matches(f, "%config nonesuch = ", "");
}

/* ---- %undo ---- */

static void undo_goes_back_over_the_last_cell_or_some(void **state)
{
    struct fake *f = *state;
    f->nundoable = 3;
    check_says(f, "%undo", "");
    assert_int_equal(f->undone, 1);
    check_says(f, "\n%undo 3\n\n", "");
    assert_int_equal(f->undone, 3);
}

static void undo_refuses_what_is_no_number_of_cells(void **state)
{
    struct fake *f = *state;
    f->nundoable = 3;
    const char *const words[] = { "0", "x", "-1", "1x", "1.5", "99999999999999999999" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char cell[64], text[128];
        (void)snprintf(cell, sizeof cell, "%%undo %s", words[i]);
        (void)snprintf(text, sizeof text,
                       "'%s' is not a number of cells: %%undo goes back over the last one, %%undo 3 over three", words[i]);
        check_refused(f, cell, ERR_USAGE, text);
    }
    check_refused(f, "%undo 1 2", ERR_USAGE, "%undo: '2' is one word too many");
    check_refused(f, "%undo --list 2", ERR_USAGE, "%undo --list takes no number");
    assert_int_equal(f->undone, 0);
}

static void undo_takes_a_cell_of_its_own(void **state)
{
    struct fake *f = *state;
    struct err e;
    f->nundoable = 3;
    const char *const cells[] = { "int x;\n%undo", "%undo\nint x;", "%undo\n%undo", "%config undo = 3\n%undo" };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        check_refused(f, cells[i], ERR_USAGE, "%undo takes a cell of its own: nothing of this one has run");
    }
    assert_int_equal(fake_cell(f, 7, "int x;\n%undo", &e), ERR_USAGE);
    assert_string_equal(e.cell, "cell [7]");
    assert_int_equal(e.line, 2);
    assert_int_equal(f->undone, 0);
    assert_int_equal(f->ran.len, 0);
    assert_int_equal(f->values.undo, 10);
}

static void undo_lists_what_can_be_undone(void **state)
{
    struct fake *f = *state;
    struct err e;
    f->nundoable = 2;
    f->undoable[0] = 12;
    f->undoable[1] = 9;
    assert_int_equal(fake_cell(f, 1, "%undo --list", &e), ERR_NONE);
    assert_string_equal(f->shown.data, "display\n"
                                       "magic    goes back to\n"
                                       "%undo 1  before cell [12]\n"
                                       "%undo 2  before cell [9]\n");
    assert_int_equal(f->undone, 0);
}

static void a_comment_may_stand_beside_undo(void **state)
{
    struct fake *f = *state;
    struct err e;
    f->nundoable = 3;
    assert_int_equal(fake_cell(f, 1, "// back\n%undo 2\n\n", &e), ERR_NONE);
    assert_int_equal(f->undone, 2);
}

static void undo_says_how_far_it_goes(void **state)
{
    struct fake *f = *state;
    f->nundoable = 2;
    check_refused(f, "%undo 3", ERR_LIMIT, "only the last 2 cells can be undone (%undo --list); the settings undo (10) and "
                                           "undo_memory (1 GiB) say how much is kept, see %config");
    f->nundoable = 1;
    check_refused(f, "%undo 2", ERR_LIMIT, "only the last cell can be undone (%undo --list); the settings undo (10) and "
                                           "undo_memory (1 GiB) say how much is kept, see %config");
    assert_int_equal(f->undone, 0);
}

static void undo_says_why_nothing_can_be_undone(void **state)
{
    struct fake *f = *state;
    check_refused(f, "%undo", ERR_LIMIT, "nothing can be undone: no cell has changed the session yet, or the copy of it that "
                                         "this needs is gone (see %config undo_memory)");
    f->values.undo = 0;
    check_refused(f, "%undo", ERR_LIMIT, "nothing can be undone: the setting undo is 0. %config undo = 10, and the cells "
                                         "after it can be");
    f->values.checkpoint = 2;
    check_refused(f, "%undo", ERR_LIMIT, "nothing can be undone: checkpoints are off. %config checkpoint = on, and the cells "
                                         "after it can be");
    check_says(f, "%undo --list", "nothing can be undone: checkpoints are off. %config checkpoint = on, and the cells "
                                  "after it can be.\n");
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
        WITH_HOST(config_lists_all_as_a_table),
        WITH_HOST(config_lists_where_a_changed_value_comes_from),
        WITH_HOST(config_shows_one_setting),
        WITH_HOST(config_sets_in_each_way_of_writing),
        WITH_HOST(config_default_is_the_built_in_value_again),
        WITH_HOST(config_refuses_what_is_not_possible_and_changes_nothing),
        WITH_HOST(config_names_the_nearest_setting),
        WITH_HOST(config_reads_what_user_code_has_scribbled_as_possible_values),
        WITH_HOST(config_completes_names_and_choices),
        WITH_HOST(undo_goes_back_over_the_last_cell_or_some),
        WITH_HOST(undo_refuses_what_is_no_number_of_cells),
        WITH_HOST(undo_takes_a_cell_of_its_own),
        WITH_HOST(undo_lists_what_can_be_undone),
        WITH_HOST(a_comment_may_stand_beside_undo),
        WITH_HOST(undo_says_how_far_it_goes),
        WITH_HOST(undo_says_why_nothing_can_be_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
