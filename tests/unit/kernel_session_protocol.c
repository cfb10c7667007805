/* The framing between kernel and session, over a real socketpair. */
#include "kernel/session_protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    int a, b;
    struct session_input in;
    struct err e;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    int pair[2];
    assert_non_null(f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    f->a = pair[0];
    f->b = pair[1];
    session_input_init(&f->in);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    session_input_done(&f->in);
    (void)close(f->a);
    (void)close(f->b);
    free(f);
    return 0;
}

static void send_op(int fd, const char *op)
{
    struct err e;
    json_t *m = json_pack("{s:s}", "op", op);
    assert_int_equal(session_send(fd, m, &e), ERR_NONE);
    json_decref(m);
}

static void write_raw(int fd, uint32_t length, const char *text)
{
    assert_int_equal(send(fd, &length, sizeof length, 0), sizeof length);
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
}

static void expect_op(json_t *m, const char *op)
{
    assert_string_equal(json_string_value(json_object_get(m, "op")), op);
    json_decref(m);
}

static void test_messages_come_as_they_were_sent(void **state)
{
    struct fixture *f = *state;
    json_t *m = NULL;
    send_op(f->a, "first");
    send_op(f->a, "second");
    assert_int_equal(session_receive(f->b, &m, &f->e), ERR_NONE);
    expect_op(m, "first");
    assert_int_equal(session_receive(f->b, &m, &f->e), ERR_NONE);
    expect_op(m, "second");
}

static void test_end_of_file_is_no_message(void **state)
{
    struct fixture *f = *state;
    json_t *m = (json_t *)f;
    (void)shutdown(f->a, SHUT_WR);
    assert_int_equal(session_receive(f->b, &m, &f->e), ERR_NONE);
    assert_null(m);
}

static void test_a_torn_message_is_an_error(void **state)
{
    struct fixture *f = *state;
    json_t *m = NULL;
    write_raw(f->a, 100, "{");
    (void)shutdown(f->a, SHUT_WR);
    assert_int_equal(session_receive(f->b, &m, &f->e), ERR_IO);
    assert_string_equal(f->e.msg, "the other process ended within a message");
}

static void test_what_is_no_json_and_what_is_too_long(void **state)
{
    struct fixture *f = *state;
    json_t *m = NULL;
    write_raw(f->a, 2, "{{");
    assert_int_equal(session_receive(f->b, &m, &f->e), ERR_FORMAT);
    assert_non_null(strstr(f->e.msg, "a message that is not JSON"));
    write_raw(f->a, SESSION_MESSAGE_MAX + 1u, "");
    assert_int_equal(session_receive(f->b, &m, &f->e), ERR_LIMIT);
    assert_string_equal(f->e.msg, "a message of 268435457 bytes; at most 268435456 are possible");
}

static void test_sending_to_a_peer_that_is_gone(void **state)
{
    struct fixture *f = *state;
    json_t *m = json_object();
    (void)shutdown(f->b, SHUT_RD);
    assert_int_equal(session_send(f->a, m, &f->e), ERR_IO);
    assert_string_equal(f->e.msg, "cannot send to the other process: Broken pipe");
    json_decref(m);
}

static void test_input_gives_messages_byte_by_byte(void **state)
{
    struct fixture *f = *state;
    json_t *m = NULL;
    bool ack = true;
    char wire[64];
    send_op(f->a, "x");
    ssize_t n = recv(f->b, wire, sizeof wire, 0);
    for (ssize_t i = 0; i < n; i++) {
        assert_int_equal(session_input_next(&f->in, &m, &ack, &f->e), ERR_NONE);
        assert_null(m);
        assert_int_equal(send(f->a, wire + i, 1, 0), 1);
        assert_int_equal(session_input_fill(&f->in, f->b, &f->e), ERR_NONE);
    }
    assert_int_equal(session_input_next(&f->in, &m, &ack, &f->e), ERR_NONE);
    expect_op(m, "x");
    assert_false(ack);
    assert_false(f->in.eof);
}

static void test_input_does_not_wait_and_sees_the_end(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(session_input_fill(&f->in, f->b, &f->e), ERR_NONE);
    assert_false(f->in.eof);
    (void)shutdown(f->a, SHUT_WR);
    assert_int_equal(session_input_fill(&f->in, f->b, &f->e), ERR_NONE);
    assert_true(f->in.eof);
}

/* A child sends a display and then a byte of its own: the byte must not come before the acknowledgement. */
static void test_what_a_cell_shows_waits_until_it_is_handled(void **state)
{
    struct fixture *f = *state;
    json_t *m = NULL;
    bool ack = false;
    int order[2];
    char c = 0;
    assert_int_equal(pipe(order), 0);
    pid_t child = fork();
    if (child == 0) {
        json_t *shown = json_pack("{s:s}", "op", "display");
        bool ok = session_send(f->b, shown, &f->e) == ERR_NONE && write(order[1], "x", 1) == 1;
        _exit(!ok);
    }
    while (!m) {
        assert_int_equal(session_input_fill(&f->in, f->a, &f->e), ERR_NONE);
        assert_int_equal(session_input_next(&f->in, &m, &ack, &f->e), ERR_NONE);
    }
    expect_op(m, "display");
    assert_true(ack);
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    session_ack(f->a);
    assert_int_equal(read(order[0], &c, 1), 1);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)close(order[0]);
    (void)close(order[1]);
}

static void test_a_result_that_is_the_last_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    json_t *m = NULL;
    bool ack = true;
    int status = 1;
    pid_t child = fork();
    if (child == 0) {
        json_t *result = json_pack("{s:s, s:b}", "op", "result", "last", 1);
        _exit(session_send(f->b, result, &f->e) != ERR_NONE);
    }
    assert_int_equal(waitpid(child, &status, 0), child); /* nobody has acknowledged anything */
    assert_int_equal(status, 0);
    assert_int_equal(session_input_fill(&f->in, f->a, &f->e), ERR_NONE);
    assert_int_equal(session_input_next(&f->in, &m, &ack, &f->e), ERR_NONE);
    expect_op(m, "result");
    assert_false(ack);
}

static void test_an_answer_that_comes_instead_of_the_acknowledgement_is_dropped(void **state)
{
    struct fixture *f = *state;
    json_t *m = json_pack("{s:s, s:o}", "op", "input", "value", json_sprintf("%*s", 10000, "late"));
    pid_t child = fork();
    if (child == 0) { /* the session: shows something, then takes what comes next */
        json_t *shown = json_pack("{s:s}", "op", "error"), *next = NULL;
        bool ok = session_send(f->b, shown, &f->e) == ERR_NONE && session_receive(f->b, &next, &f->e) == ERR_NONE;
        _exit(!ok || strcmp(json_string_value(json_object_get(next, "op")), "execute") != 0);
    }
    int status = 1;
    assert_int_equal(session_send(f->a, m, &f->e), ERR_NONE);
    session_ack(f->a);
    send_op(f->a, "execute");
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    json_decref(m);
}

static void test_a_stray_acknowledgement_is_skipped(void **state)
{
    struct fixture *f = *state;
    json_t *m = NULL;
    session_ack(f->a);
    send_op(f->a, "x");
    assert_int_equal(session_receive(f->b, &m, &f->e), ERR_NONE);
    expect_op(m, "x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_messages_come_as_they_were_sent),      TEST(test_end_of_file_is_no_message),
        TEST(test_a_torn_message_is_an_error),           TEST(test_what_is_no_json_and_what_is_too_long),
        TEST(test_sending_to_a_peer_that_is_gone),       TEST(test_input_gives_messages_byte_by_byte),
        TEST(test_input_does_not_wait_and_sees_the_end), TEST(test_what_a_cell_shows_waits_until_it_is_handled),
        TEST(test_a_result_that_is_the_last_is_not_waited_for),
        TEST(test_an_answer_that_comes_instead_of_the_acknowledgement_is_dropped),
        TEST(test_a_stray_acknowledgement_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
