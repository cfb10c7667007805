/* History: its limits, its patterns (checked against SQLite's GLOB), and its answers. */
#include "kernel/history.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct history *history_of(const char *const *codes, size_t count)
{
    struct history *h = NULL;
    assert_int_equal(history_new(&h, NULL), ERR_NONE);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(history_add(h, (int)i + 1, codes[i], NULL), ERR_NONE);
    }
    return h;
}

/* The answer to a request, as JSON text, must be this. */
static void expect(const struct history *h, const char *request, const char *answer)
{
    json_t *r = json_loads(request, 0, NULL), *list = NULL;
    struct err e;
    assert_non_null(r);
    assert_int_equal(history_answer(h, r, &list, &e), ERR_NONE);
    char *text = json_dumps(list, JSON_COMPACT);
    assert_string_equal(text, answer);
    free(text);
    json_decref(list);
    json_decref(r);
}

static void refuse(const char *request, const char *message)
{
    struct history *h = history_of(NULL, 0);
    json_t *r = json_loads(request, 0, NULL), *list = NULL;
    struct err e;
    assert_int_equal(history_answer(h, r, &list, &e), ERR_USAGE);
    assert_string_equal(e.msg, message);
    json_decref(r);
    history_free(h);
}

static const char *const cells[] = { "int a;", "a + 1", "b", "a + 1", "a + 2" };

static void test_tail(void **state)
{
    (void)state;
    struct history *h = history_of(cells, 5);
    expect(h, "{\"hist_access_type\":\"tail\",\"n\":2}", "[[1,4,\"a + 1\"],[1,5,\"a + 2\"]]");
    expect(h, "{\"hist_access_type\":\"tail\",\"n\":0}", "[]");
    expect(h, "{\"hist_access_type\":\"tail\",\"n\":-1}", "[]");
    expect(h, "{\"hist_access_type\":\"tail\",\"n\":null}",
           "[[1,1,\"int a;\"],[1,2,\"a + 1\"],[1,3,\"b\"],[1,4,\"a + 1\"],[1,5,\"a + 2\"]]");
    history_free(h);
}

static void test_range(void **state)
{
    (void)state;
    struct history *h = history_of(cells, 5);
    expect(h, "{\"hist_access_type\":\"range\",\"session\":0,\"start\":2,\"stop\":4}", "[[1,2,\"a + 1\"],[1,3,\"b\"]]");
    expect(h, "{\"hist_access_type\":\"range\",\"session\":1,\"start\":5,\"stop\":null}", "[[1,5,\"a + 2\"]]");
    expect(h, "{\"hist_access_type\":\"range\",\"session\":2,\"start\":1,\"stop\":9}", "[]");
    history_free(h);
}

static void test_search(void **state)
{
    (void)state;
    struct history *h = history_of(cells, 5);
    expect(h, "{\"hist_access_type\":\"search\",\"pattern\":\"a*1\"}", "[[1,2,\"a + 1\"],[1,4,\"a + 1\"]]");
    expect(h, "{\"hist_access_type\":\"search\",\"pattern\":\"a*\",\"unique\":true}",
           "[[1,4,\"a + 1\"],[1,5,\"a + 2\"]]");
    expect(h, "{\"hist_access_type\":\"search\",\"pattern\":\"a*\",\"n\":1}", "[[1,5,\"a + 2\"]]");
    expect(h, "{\"hist_access_type\":\"search\",\"pattern\":\"a\"}", "[]");
    history_free(h);
}

static void test_output(void **state)
{
    (void)state;
    struct history *h = history_of(cells, 2);
    history_set_output(h, 2, "43");
    history_set_output(h, 1, "never shown: not the newest");
    expect(h, "{\"hist_access_type\":\"tail\",\"n\":2,\"output\":true}",
           "[[1,1,[\"int a;\",null]],[1,2,[\"a + 1\",\"43\"]]]");
    history_free(h);
}

static void test_bad_requests_are_refused(void **state)
{
    (void)state;
    refuse("{}", "history_request: hist_access_type must be 'tail', 'range' or 'search'");
    refuse("{\"hist_access_type\":\"all\"}", "history_request: hist_access_type must be 'tail', 'range' or 'search'");
    refuse("{\"hist_access_type\":\"tail\",\"n\":\"2\"}", "history_request: 'n' must be an integer");
    refuse("{\"hist_access_type\":\"search\",\"pattern\":2}", "history_request: 'pattern' must be a string");
}

static void test_the_oldest_entries_go_first(void **state)
{
    (void)state;
    struct history *h = history_of(NULL, 0);
    for (int i = 1; i <= HISTORY_ENTRIES_MAX + 3; i++) {
        assert_int_equal(history_add(h, i, "x", NULL), ERR_NONE);
    }
    expect(h, "{\"hist_access_type\":\"range\",\"start\":0,\"stop\":6}", "[[1,4,\"x\"],[1,5,\"x\"]]");
    history_free(h);
}

static void test_large_entries_do_not_pile_up(void **state)
{
    (void)state;
    struct history *h = history_of(NULL, 0);
    size_t size = HISTORY_BYTES_MAX / 2;
    char *code = calloc(size + 1, 1);
    assert_non_null(code);
    memset(code, 'x', size);
    for (int i = 1; i <= 4; i++) {
        assert_int_equal(history_add(h, i, code, NULL), ERR_NONE);
    }
    assert_int_equal(history_add(h, 5, "y", NULL), ERR_NONE);
    expect(h, "{\"hist_access_type\":\"search\",\"pattern\":\"y\"}", "[[1,5,\"y\"]]");
    expect(h, "{\"hist_access_type\":\"range\",\"start\":1,\"stop\":4}", "[]");
    free(code);
    history_free(h);
}

static bool sqlite_glob(sqlite3_stmt *s, const char *pattern, const char *text)
{
    assert_int_equal(sqlite3_bind_text(s, 1, text, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(s, 2, pattern, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    bool is = sqlite3_column_int(s, 0) != 0;
    assert_int_equal(sqlite3_reset(s), SQLITE_OK);
    return is;
}

static void test_glob_is_sqlites(void **state)
{
    (void)state;
    static const char *const patterns[] = { "",
                                            "*",
                                            "?",
                                            "a",
                                            "a*",
                                            "*a",
                                            "*a*b*",
                                            "a?c",
                                            "[a-c]",
                                            "[^a-c]",
                                            "[]a]",
                                            "[^]a]",
                                            "[a-]",
                                            "[-a]",
                                            "[a",
                                            "[",
                                            "[]",
                                            "[^",
                                            "a[b-d]*",
                                            "**",
                                            "*?*",
                                            "\\*",
                                            "?\xE2\x82\xAC",
                                            "[\xC3\xA4-\xE2\x82\xAC]",
                                            "*[0-9]*",
                                            "a*a*a*a*b" };
    static const char *const texts[] = { "",
                                         "a",
                                         "b",
                                         "ab",
                                         "abc",
                                         "a\nb",
                                         "]",
                                         "-",
                                         "[",
                                         "[a",
                                         "^",
                                         "*",
                                         "\\*",
                                         "\xE2\x82\xAC",
                                         "x\xE2\x82\xAC",
                                         "\xC3\xB6",
                                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                         "a 1",
                                         "z" };
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT ?1 GLOB ?2", -1, &s, NULL), SQLITE_OK);
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
            if (history_glob(patterns[p], texts[t]) != sqlite_glob(s, patterns[p], texts[t])) {
                fail_msg("pattern '%s', text '%s'", patterns[p], texts[t]);
            }
        }
    }
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tail),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_bad_requests_are_refused),
        cmocka_unit_test(test_the_oldest_entries_go_first),
        cmocka_unit_test(test_large_entries_do_not_pile_up),
        cmocka_unit_test(test_glob_is_sqlites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
