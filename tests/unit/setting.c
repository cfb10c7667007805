/* Settings as people type them: sizes, numbers, choices, and back to text. */
#include "runtime/view/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* after the four above, which it needs */
#include <cmocka.h>

#include "tests/unit/comma_locale.h"

struct chosen {
    int64_t mode, size, count;
    uint8_t origins[3];
};

static const char *const modes[] = { "auto", "on", "off", NULL };
static const struct setting rows[] = {
    { .name = "mode", .kind = SETTING_CHOICE, .greatest = 2, .choices = modes, .offset = offsetof(struct chosen, mode) },
    { .name = "size", .kind = SETTING_BYTES, .preset = 2 << 20, .greatest = INT64_C(1) << 50,
      .offset = offsetof(struct chosen, size) },
    { .name = "count", .kind = SETTING_NUMBER, .preset = 10, .least = 1, .greatest = 64,
      .offset = offsetof(struct chosen, count) },
    { 0 },
};

enum { MODE, SIZE, COUNT };

static void sizes_are_read_in_all_their_ways(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } sizes[] = { { "0", 0 },
                  { "4096", 4096 },
                  { "512B", 512 },
                  { "7 bytes", 7 },
                  { "512k", 524288 },
                  { "2M", 2097152 },
                  { "2MiB", 2097152 },
                  { "2 mib", 2097152 },
                  { "2MB", 2000000 },
                  { "1.5G", 1610612736 },
                  { "0.5K", 512 },
                  { "1.000001 TB", 1000001000000 },
                  { "1024T", INT64_C(1) << 50 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t got = -1;
        assert_int_equal(setting_parse(&rows[SIZE], sizes[i].text, &got, NULL), ERR_NONE);
        assert_int_equal(got, sizes[i].bytes);
    }
}

static void what_is_no_size_is_refused(void **state)
{
    (void)state;
    const char *const texts[] = { "",  "M",    "2X",  "-1",  "+1",        "1.5",      "1,5G", "1.M", ".5M", " 1", "1 ",
                                  "2M 3", "0x10", "1e3", "nan", "1025T", "9223372036854775807", "99999999999999999999T",
                                  "1.0000001M", "8388608T" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t got = -1;
        struct err e;
        assert_int_equal(setting_parse(&rows[SIZE], texts[i], &got, &e), ERR_USAGE);
        assert_int_equal(got, -1);
    }
}

static void a_refusal_names_setting_value_and_what_is_possible(void **state)
{
    (void)state;
    int64_t got;
    struct err e;
    assert_int_equal(setting_parse(&rows[SIZE], "2X", &got, &e), ERR_USAGE);
    assert_string_equal(e.msg, "size can't be '2X': give it a size from 0 to 1024 TiB, such as 512K, 2M or 1.5 GiB");
    assert_int_equal(setting_parse(&rows[MODE], "of", &got, &e), ERR_USAGE);
    assert_string_equal(e.msg, "mode can't be 'of': give it auto, on or off");
    assert_int_equal(setting_parse(&rows[COUNT], "0", &got, &e), ERR_USAGE);
    assert_string_equal(e.msg, "count can't be '0': give it a whole number from 1 to 64");
}

static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    int64_t got;
    struct err e;
    char text[101] = "x"; /* the 60th byte is the first of an e with an accent */
    for (size_t i = 1; i + 1 < sizeof text - 1; i += 2) {
        memcpy(text + i, "\xc3\xa9", 2);
    }
    assert_int_equal(setting_parse(&rows[COUNT], text, &got, &e), ERR_USAGE);
    char wanted[128] = "count can't be '";
    memcpy(wanted + strlen(wanted), text, 59);
    memcpy(wanted + strlen(wanted), "': give", 8);
    assert_memory_equal(e.msg, wanted, strlen(wanted));
}

static void values_are_shown_short_and_read_back_the_same(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes;
        const char *text;
    } sizes[] = { { 0, "0" },
                  { 1, "1 B" },
                  { 1000, "1 kB" },
                  { 1024, "1 KiB" },
                  { 1536, "1.5 KiB" },
                  { 2097152, "2 MiB" },
                  { 2000000, "2 MB" },
                  { 1610612736, "1.5 GiB" },
                  { 2097153, "2097153 B" },
                  { INT64_C(1) << 50, "1024 TiB" } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char text[SETTING_TEXT_MAX];
        int64_t back = -1;
        assert_string_equal(setting_format(&rows[SIZE], sizes[i].bytes, text), sizes[i].text);
        assert_int_equal(setting_parse(&rows[SIZE], text, &back, NULL), ERR_NONE);
        assert_int_equal(back, sizes[i].bytes);
    }
}

static void a_comma_locale_changes_nothing(void **state)
{
    (void)state;
    char text[SETTING_TEXT_MAX];
    int64_t got = 0;
    comma_locale();
    enum err_code code = setting_parse(&rows[SIZE], "1.5K", &got, NULL);
    (void)setting_format(&rows[SIZE], 1536, text);
    (void)setlocale(LC_ALL, "C");
    assert_int_equal(code, ERR_NONE);
    assert_int_equal(got, 1536);
    assert_string_equal(text, "1.5 KiB");
}

static void choices_are_read_whatever_their_case(void **state)
{
    (void)state;
    int64_t got = -1;
    assert_int_equal(setting_parse(&rows[MODE], "OFF", &got, NULL), ERR_NONE);
    assert_int_equal(got, 2);
}

static void a_refused_value_leaves_the_store_as_it_was(void **state)
{
    (void)state;
    struct chosen c = { .count = 3, .origins = { 0, 0, SETTING_ENVIRONMENT } };
    struct setting_store s = { .rows = rows, .values = &c, .origins = c.origins };
    struct err e;
    char text[SETTING_TEXT_MAX];
    assert_int_equal(setting_set(&s, "count", "65", SETTING_TYPED, &e), ERR_USAGE);
    assert_int_equal(setting_set(&s, "cuont", "4", SETTING_TYPED, &e), ERR_NAME);
    assert_string_equal(e.msg, "no setting 'cuont' (did you mean 'count'?); there are mode, size, count");
    assert_int_equal(c.count, 3);
    assert_string_equal(setting_origin(&s, &rows[COUNT], text), "WEIR_COUNT");
    assert_int_equal(setting_set(&s, "count", "4", SETTING_TYPED, &e), ERR_NONE);
    assert_string_equal(setting_text(&s, "count", text), "4");
    assert_string_equal(setting_origin(&s, &rows[COUNT], text), "%config");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read_in_all_their_ways),
        cmocka_unit_test(what_is_no_size_is_refused),
        cmocka_unit_test(a_refusal_names_setting_value_and_what_is_possible),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(values_are_shown_short_and_read_back_the_same),
        cmocka_unit_test(a_comma_locale_changes_nothing),
        cmocka_unit_test(choices_are_read_whatever_their_case),
        cmocka_unit_test(a_refused_value_leaves_the_store_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
