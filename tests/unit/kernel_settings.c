/* The kernel's settings: the table, and where their first values come from. Each test has a folder with a home and a
 * notebook in it. */
#include "kernel/session_shared.h"
#include "kernel/settings_load.h"
#include "runtime/base/file.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* after those above, which it needs */
#include <cmocka.h>

struct place {
    char dir[64];
    struct buf warnings;
    struct settings settings; /* as loaded */
};

static const char *const made[] = { "user/.config/weir/config.json", "user/.config/weir", "user/.config", "user",
                                    "xdg/weir/config.json", "xdg/weir", "xdg", "book/.weir/config.json", "book/.weir",
                                    "book/sub", "book", "" };

static int enter(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/weir-settings-XXXXXX");
    buf_init(&p->warnings, 0);
    *state = p;
    if (!mkdtemp(p->dir)) {
        return -1;
    }
    char home[PATH_MAX];
    (void)snprintf(home, sizeof home, "%s/user", p->dir);
    for (const struct setting *row = settings_table(); row->name; row++) {
        char variable[SETTING_TEXT_MAX];
        (void)unsetenv(setting_variable(row, variable));
    }
    return setenv("HOME", home, 1) | unsetenv("XDG_CONFIG_HOME") | unsetenv("WEIR_HOME");
}

static int leave(void **state)
{
    struct place *p = *state;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        char path[PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/%s", p->dir, made[i]);
        (void)remove(path); /* not every test makes it */
    }
    bool left = access(p->dir, F_OK) == 0;
    buf_done(&p->warnings);
    free(p);
    return left ? -1 : 0;
}

static void put_file(const struct place *p, const char *name, const char *text)
{
    char path[PATH_MAX], folder[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", p->dir, name);
    file_parent(path, folder, sizeof folder);
    assert_int_equal(file_mkdirs(folder, NULL), ERR_NONE);
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, 0, NULL), ERR_NONE);
}

static void load(struct place *p, const char *folder)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", p->dir, folder);
    buf_clear(&p->warnings);
    p->settings = settings_load(path, &p->warnings);
}

static void check_origin(struct place *p, const char *name, const char *wanted)
{
    struct setting_store s = settings_store(&p->settings);
    const struct setting *row = NULL;
    char text[SETTING_TEXT_MAX];
    assert_int_equal(setting_find(s.rows, name, &row, NULL), ERR_NONE);
    assert_string_equal(setting_origin(&s, row, text), wanted);
}

/* The one warning, without the test's folder in front of the file's name. */
static void check_warning(const struct place *p, const char *file, const char *text)
{
    char wanted[2 * PATH_MAX];
    (void)snprintf(wanted, sizeof wanted, "weir: %s/%s: %s\n", p->dir, file, text);
    assert_string_equal(p->warnings.data, wanted);
}

/* ---- the table ---- */

static void every_row_is_whole_and_its_default_possible(void **state)
{
    (void)state;
    for (const struct setting *row = settings_table(); row->name; row++) {
        char text[SETTING_TEXT_MAX];
        int64_t back = -1;
        assert_true(row->help[0] && row->help[strlen(row->help) - 1] != '.');
        assert_true(row->least <= row->preset && row->preset <= row->greatest);
        assert_int_equal(setting_parse(row, setting_format(row, row->preset, text), &back, NULL), ERR_NONE);
        assert_int_equal(back, row->preset);
        for (const struct setting *other = settings_table(); other < row; other++) {
            assert_string_not_equal(other->name, row->name);
            assert_int_not_equal(other->offset, row->offset);
        }
    }
}

static void the_defaults_are_those_of_the_manual(void **state)
{
    (void)state;
    struct settings s = settings_defaults();
    assert_int_equal(s.checkpoint, CHECKPOINT_AUTO);
    assert_int_equal(s.undo, 10);
    assert_int_equal(s.undo_memory, 1073741824);
    assert_int_equal(s.output_limit, 2097152);
    assert_int_equal(s.output_file_limit, 1073741824);
}

static void undo_reaches_no_further_than_the_kernel_keeps_count(void **state)
{
    (void)state;
    struct settings s = settings_defaults();
    struct setting_store store = settings_store(&s);
    char text[SETTING_TEXT_MAX];
    s.undo = INT64_MAX;
    assert_int_equal(strtol(setting_text(&store, "undo", text), NULL, 10), UNDO_MAX);
}

static void every_row_is_in_the_readme(void **state)
{
    (void)state;
    char *readme = NULL;
    size_t len = 0;
    struct err e;
    if (file_read("README.md", 1 << 20, &readme, &len, &e) != ERR_NONE) {
        fail_msg("%s: the tests run in the project's folder", e.msg);
    }
    for (const struct setting *row = settings_table(); row->name; row++) {
        char line[256], preset[SETTING_TEXT_MAX];
        (void)snprintf(line, sizeof line, "| `%s` | %s | ", row->name, setting_format(row, row->preset, preset));
        if (!strstr(readme, line)) {
            fail_msg("README.md has no line that begins with %s", line);
        }
    }
    free(readme);
}

/* ---- loading ---- */

static void without_files_and_environment_the_built_in_values_hold(void **state)
{
    struct place *p = *state;
    struct settings built_in = settings_defaults();
    load(p, "book");
    assert_memory_equal(&p->settings, &built_in, sizeof built_in);
    assert_string_equal(p->warnings.data, "");
    check_origin(p, "undo", "");
}

static void each_layer_wins_over_those_before_it(void **state)
{
    struct place *p = *state;
    put_file(p, "user/.config/weir/config.json",
             "{\"undo\": 1, \"undo_memory\": \"1M\", \"output_limit\": \"1 MiB\", \"checkpoint\": \"on\"}");
    put_file(p, "book/.weir/config.json", "{\"undo\": 2, \"undo_memory\": 2097152}");
    assert_int_equal(setenv("WEIR_UNDO", "3", 1), 0);
    load(p, "book");
    assert_string_equal(p->warnings.data, "");
    assert_int_equal(p->settings.undo, 3);
    assert_int_equal(p->settings.undo_memory, 2 << 20);
    assert_int_equal(p->settings.output_limit, 1 << 20);
    assert_int_equal(p->settings.checkpoint, CHECKPOINT_ON);
    check_origin(p, "undo", "WEIR_UNDO");
    check_origin(p, "undo_memory", ".weir/config.json");
    check_origin(p, "output_limit", "~/.config/weir/config.json");
    check_origin(p, "output_file_limit", "");
}

static void a_notebook_further_down_takes_the_nearest_stores_file(void **state)
{
    struct place *p = *state;
    put_file(p, "book/.weir/config.json", "{\"undo\": 2}");
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/book/sub", p->dir);
    assert_int_equal(file_mkdirs(path, NULL), ERR_NONE);
    load(p, "book/sub");
    assert_int_equal(p->settings.undo, 2);
}

static void xdg_config_home_takes_the_place_of_dot_config(void **state)
{
    struct place *p = *state;
    char xdg[PATH_MAX];
    put_file(p, "user/.config/weir/config.json", "{\"undo\": 1}");
    put_file(p, "xdg/weir/config.json", "{\"undo\": 5}");
    (void)snprintf(xdg, sizeof xdg, "%s/xdg", p->dir);
    assert_int_equal(setenv("XDG_CONFIG_HOME", xdg, 1), 0);
    load(p, "book");
    assert_int_equal(p->settings.undo, 5);
    assert_int_equal(setenv("XDG_CONFIG_HOME", "not/absolute", 1), 0);
    load(p, "book");
    assert_int_equal(p->settings.undo, 1);
}

static void true_and_false_are_on_and_off(void **state)
{
    struct place *p = *state;
    put_file(p, "book/.weir/config.json", "{\"checkpoint\": false}");
    load(p, "book");
    assert_int_equal(p->settings.checkpoint, CHECKPOINT_OFF);
    put_file(p, "book/.weir/config.json", "{\"checkpoint\": true}");
    load(p, "book");
    assert_int_equal(p->settings.checkpoint, CHECKPOINT_ON);
}

/* ---- what is wrong ---- */

static void a_bad_value_is_told_and_the_rest_of_the_file_holds(void **state)
{
    struct place *p = *state;
    put_file(p, "book/.weir/config.json", "{\"undo\": \"many\", \"output_limit\": \"1M\"}");
    load(p, "book");
    check_warning(p, "book/.weir/config.json", "undo can't be 'many': give it a whole number from 0 to 64");
    assert_int_equal(p->settings.undo, 10);
    assert_int_equal(p->settings.output_limit, 1 << 20);
}

static void a_bad_value_leaves_that_of_the_layer_before(void **state)
{
    struct place *p = *state;
    put_file(p, "book/.weir/config.json", "{\"undo\": 7}");
    assert_int_equal(setenv("WEIR_UNDO", "65", 1), 0);
    load(p, "book");
    assert_string_equal(p->warnings.data, "weir: WEIR_UNDO: undo can't be '65': give it a whole number from 0 to 64\n");
    assert_int_equal(p->settings.undo, 7);
    check_origin(p, "undo", ".weir/config.json");
}

static void values_of_other_kinds_are_refused_as_they_are_written(void **state)
{
    struct place *p = *state;
    const char *const values[] = { "null", "[1]", "{\"a\":1}", "1.5", "-1" };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[64], wanted[128];
        (void)snprintf(text, sizeof text, "{\"undo\": %s}", values[i]);
        (void)snprintf(wanted, sizeof wanted, "undo can't be '%s': give it a whole number from 0 to 64", values[i]);
        put_file(p, "book/.weir/config.json", text);
        load(p, "book");
        check_warning(p, "book/.weir/config.json", wanted);
    }
}

static void an_unknown_name_is_told_with_the_nearest(void **state)
{
    struct place *p = *state;
    put_file(p, "user/.config/weir/config.json", "{\"udno\": 3}");
    load(p, "book");
    assert_non_null(strstr(p->warnings.data, "no setting 'udno' (did you mean 'undo'?); there are checkpoint, undo, "));
}

static void a_file_that_is_no_json_is_told_with_its_line(void **state)
{
    struct place *p = *state;
    put_file(p, "book/.weir/config.json", "{\"undo\": 3,\n\"output_limit\" 4}");
    load(p, "book");
    check_warning(p, "book/.weir/config.json", "line 2: ':' expected near '4'; nothing of this file is used");
    assert_int_equal(p->settings.undo, 10);
    put_file(p, "book/.weir/config.json", "[3]");
    load(p, "book");
    check_warning(p, "book/.weir/config.json",
                  "a list where an object like {\"undo\": 20} is wanted; nothing of this file is used");
}

static void what_is_no_file_is_told_and_never_waited_for(void **state)
{
    struct place *p = *state;
    char path[PATH_MAX];
    put_file(p, "book/.weir/config.json", "");
    (void)snprintf(path, sizeof path, "%s/book/.weir/config.json", p->dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    load(p, "book");
    check_warning(p, "book/.weir/config.json", "it is no file");
}

static void a_file_too_large_is_told(void **state)
{
    struct place *p = *state;
    char text[(64 << 10) + 2];
    memset(text, ' ', sizeof text);
    text[sizeof text - 1] = '\0';
    put_file(p, "book/.weir/config.json", text);
    load(p, "book");
    assert_non_null(strstr(p->warnings.data, "is larger than the limit of 65536 bytes"));
}

#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole_and_its_default_possible),
        cmocka_unit_test(the_defaults_are_those_of_the_manual),
        cmocka_unit_test(undo_reaches_no_further_than_the_kernel_keeps_count),
        cmocka_unit_test(every_row_is_in_the_readme),
        IN_A_PLACE(without_files_and_environment_the_built_in_values_hold),
        IN_A_PLACE(each_layer_wins_over_those_before_it),
        IN_A_PLACE(a_notebook_further_down_takes_the_nearest_stores_file),
        IN_A_PLACE(xdg_config_home_takes_the_place_of_dot_config),
        IN_A_PLACE(true_and_false_are_on_and_off),
        IN_A_PLACE(a_bad_value_is_told_and_the_rest_of_the_file_holds),
        IN_A_PLACE(a_bad_value_leaves_that_of_the_layer_before),
        IN_A_PLACE(values_of_other_kinds_are_refused_as_they_are_written),
        IN_A_PLACE(an_unknown_name_is_told_with_the_nearest),
        IN_A_PLACE(a_file_that_is_no_json_is_told_with_its_line),
        IN_A_PLACE(what_is_no_file_is_told_and_never_waited_for),
        IN_A_PLACE(a_file_too_large_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
