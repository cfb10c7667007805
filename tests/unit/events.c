/* The runner's events: each a line of JSON with the documented members. */
#include "runtime/flow/events.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* last: it needs what stands above */

static const unsigned to_end[] = { 1 };
static const struct weir_artifact artifacts[] = { { .name = "i" } };
static const struct weir_step steps[] = {
    { .name = "start", .next = to_end, .nnext = 1, .foreach = 0, .cell = "cell [1]" },
    { .name = "end", .foreach = -1, .join = 1, .cell = "cell [2]" },
};
static const struct weir_flow flow = { .name = "F", .artifacts = artifacts, .nartifacts = 1, .steps = steps, .nsteps = 2 };

struct pipe { int fds[2]; struct events *v; };

static int open_events(void **state)
{
    static struct pipe p;
    *state = &p;
    if (pipe2(p.fds, O_NONBLOCK) < 0) {
        return -1;
    }
    p.v = events_new(p.fds[1]);
    return p.v ? 0 : -1;
}

static int close_events(void **state)
{
    struct pipe *p = *state;
    events_free(p->v);
    close(p->fds[0]);
    close(p->fds[1]);
    return 0;
}

/* All lines so far as an array. */
static json_t *lines(struct pipe *p)
{
    static char text[65536];
    events_flush(p->v);
    ssize_t n = read(p->fds[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    json_t *all = json_array();
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        json_t *one = json_loads(line, 0, NULL);
        assert_non_null(one);
        assert_int_equal(json_array_append_new(all, one), 0);
    }
    return all;
}

static const char *text_of(json_t *all, size_t i, const char *key)
{
    const char *s = json_string_value(json_object_get(json_array_get(all, i), key));
    assert_non_null(s);
    return s;
}

static void run_tells_the_graph(void **state)
{
    struct pipe *p = *state;
    events_run(p->v, &flow, "r1", "tcc", "/s");
    json_t *all = lines(p);
    json_t *expected = json_loads("{\"event\":\"run\",\"run\":\"r1\",\"flow\":\"F\",\"tier\":\"tcc\",\"store\":\"/s\",\"steps\":["
                                  "{\"name\":\"start\",\"next\":[\"end\"],\"foreach\":true,\"join\":false,\"cell\":\"cell [1]\"},"
                                  "{\"name\":\"end\",\"next\":[],\"foreach\":false,\"join\":true,\"cell\":\"cell [2]\"}]}",
                                  0, NULL);
    assert_int_equal(json_array_size(all), 1);
    assert_true(json_equal(json_array_get(all, 0), expected));
    json_decref(expected);
    json_decref(all);
}

static void progress_comes_ten_times_a_second_and_at_the_end(void **state)
{
    struct pipe *p = *state;
    struct events_count c[2] = { { 0 }, { 0 } };
    for (int i = 0; i <= 100; i++) {
        c[0].done = (uint64_t)i;
        events_progress(p->v, &flow, c, i * 0.0037);
    }
    events_end(p->v, "r1", "done", 0.4, 100, "");
    json_t *all = lines(p);
    assert_int_equal(json_array_size(all), 6);
    json_t *start = json_object_get(json_object_get(json_array_get(all, 4), "steps"), "start");
    assert_int_equal(json_integer_value(json_object_get(start, "done")), 100);
    assert_string_equal(text_of(all, 5, "event"), "end");
    assert_string_equal(text_of(all, 5, "status"), "done");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 5), "tasks")), 100);
    json_decref(all);
}

static void output_of_any_bytes_becomes_text(void **state)
{
    struct pipe *p = *state;
    static const char bytes[] = "a\xff" "b\0c\xc3\xa9\xed\xa0\x80\xe2\x82";
    events_log(p->v, "s", "3", "stdout", bytes, sizeof bytes - 1);
    json_t *all = lines(p);
    json_t *text = json_object_get(json_array_get(all, 0), "text");
    static const char expected[] = "a\xef\xbf\xbd" "b\xef\xbf\xbd" "c\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd";
    assert_int_equal(json_string_length(text), sizeof expected - 1);
    assert_memory_equal(json_string_value(text), expected, sizeof expected - 1);
    json_decref(all);
}

static void failures_beyond_twenty_are_counted(void **state)
{
    struct pipe *p = *state;
    for (int i = 0; i < 25; i++) {
        events_failed(p->v, "s", "", "cell [4]", 3, "no luck");
    }
    events_end(p->v, "r1", "failed", 1, 25, "step 's' failed");
    json_t *all = lines(p);
    assert_int_equal(json_array_size(all), 22);
    assert_string_equal(text_of(all, 0, "reason"), "no luck");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 0), "line")), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 20), "more")), 5);
    json_decref(all);
}

static void without_a_reader_nothing_happens(void **state)
{
    struct pipe *p = *state;
    (void)signal(SIGPIPE, SIG_IGN);
    close(p->fds[0]);
    for (int i = 0; i < 5000; i++) {
        events_log(p->v, "s", "", "stdout", "text\n", 5);
    }
    events_end(p->v, "r1", "done", 1, 1, "");
    struct events *off = events_new(-1);
    events_run(off, &flow, "r1", "tcc", "/s");
    events_end(off, "r1", "done", 1, 1, "");
    events_free(off);
    p->fds[0] = dup(p->fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(run_tells_the_graph, open_events, close_events),
        cmocka_unit_test_setup_teardown(progress_comes_ten_times_a_second_and_at_the_end, open_events, close_events),
        cmocka_unit_test_setup_teardown(output_of_any_bytes_becomes_text, open_events, close_events),
        cmocka_unit_test_setup_teardown(failures_beyond_twenty_are_counted, open_events, close_events),
        cmocka_unit_test_setup_teardown(without_a_reader_nothing_happens, open_events, close_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
