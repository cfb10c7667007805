/* The protocol without sockets and without user code: an outlet that writes down what is said, an interpreter that does
 * what the test tells it. The script of a cell is its text, a letter an action: s stream, r result, d display, e error,
 * h hold (stay running until the test says done), x refuse to start. */
#include "kernel/requests.h"

#include "runtime/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct fixture {
    struct requests *r;
    struct interpreter_events events;
    struct buf said; /* "m1 status busy|m1 > execute_reply ok 1|": parent, (> a reply), type, what matters */
    json_t *last_reply;
    bool running;
    size_t said_before; /* bytes of said when the latest cell came */
    int interrupts, shutdowns, questions;
    struct message *waiting[4]; /* on the socket, until collected */
    size_t nwaiting;
};

/* ---- the outlet ---- */

/* The id in a parent header's text: what stands between the first and the second quote after "msg_id". */
static void say_parent(struct buf *b, const char *parent)
{
    const char *id = parent ? strstr(parent, "\"msg_id\":\"") : NULL;
    if (id) {
        id += strlen("\"msg_id\":\"");
        buf_add(b, id, strcspn(id, "\""));
    } else {
        buf_str(b, "-");
    }
}

static void say(struct fixture *f, const char *parent, const char *mark, const char *type, const json_t *content)
{
    static const char *const fields[] = { "execution_state", "status", "text", "name", "ename", "evalue", "code", "prompt" };
    say_parent(&f->said, parent);
    buf_printf(&f->said, " %s%s", mark, type);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *text = json_string_value(json_object_get(content, fields[i]));
        if (text) {
            buf_printf(&f->said, " %s", text);
        }
    }
    const json_t *count = json_object_get(content, "execution_count");
    if (count) {
        buf_printf(&f->said, " %d", (int)json_integer_value(count));
    }
    buf_char(&f->said, '|');
}

static void mock_reply(void *self, const struct message *request, const char *type, const json_t *metadata,
                       const json_t *content)
{
    (void)metadata;
    struct fixture *f = self;
    say(f, request->header_text, "> ", type, content);
    json_decref(f->last_reply);
    f->last_reply = json_deep_copy(content);
}

static void mock_ask(void *self, const struct message *request, const char *type, const json_t *content,
                     char id[WIRE_ID_SIZE])
{
    struct fixture *f = self;
    say(f, request->header_text, "? ", type, content);
    (void)snprintf(id, WIRE_ID_SIZE, "q%d", ++f->questions);
}

static void mock_publish(void *self, const char *parent, const char *type, const json_t *content)
{
    say(self, parent, "", type, content);
}

static void mock_collect(void *self)
{
    struct fixture *f = self;
    for (size_t i = 0; i < f->nwaiting; i++) {
        requests_receive(f->r, f->waiting[i]);
    }
    f->nwaiting = 0;
}

/* ---- the interpreter ---- */

static void finish(struct fixture *f, bool ok)
{
    json_t *none = json_array();
    f->running = false;
    f->events.done(f->events.ctx, ok, none, NULL);
    json_decref(none);
}

static void act(struct fixture *f, char c)
{
    json_t *data = json_pack("{s:s}", "text/plain", "42");
    json_t *traceback = json_pack("[s]", "line");
    if (c == 's') {
        f->events.stream(f->events.ctx, "stdout", "text", 4);
    } else if (c == 'r') {
        f->events.result(f->events.ctx, data);
    } else if (c == 'd') {
        f->events.display(f->events.ctx, data, NULL, "id", false);
    } else if (c == 'i') {
        f->events.input(f->events.ctx, "name? ", false);
    } else if (c == 'e') {
        f->events.error(f->events.ctx, "E", "why", traceback);
    }
    json_decref(data);
    json_decref(traceback);
}

static enum err_code mock_execute(void *self, const struct execute_request *r, struct err *e)
{
    struct fixture *f = self;
    f->said_before = f->said.len;
    if (strchr(r->code, 'x')) {
        return err_set(e, ERR_IO, "no session");
    }
    assert_false(f->running);
    f->running = true;
    for (const char *p = r->code; *p; p++) {
        act(f, *p);
    }
    if (!strchr(r->code, 'h')) {
        finish(f, strchr(r->code, 'e') == NULL);
    }
    return ERR_NONE;
}

static void mock_settle(void *self)
{
    (void)self; /* it prints nothing between cells */
}

static const char *mock_is_complete(void *self, const char *code, char *indent, size_t size)
{
    (void)self;
    (void)snprintf(indent, size, "  ");
    return code[0] == '{' ? "incomplete" : "complete";
}

static json_t *mock_complete(void *self, const char *code, size_t cursor)
{
    struct fixture *f = self;
    (void)code;
    return f->running ? NULL
                      : json_pack("{s:[s], s:i, s:I}", "matches", "printf", "cursor_start", 3, "cursor_end",
                                  (json_int_t)cursor);
}

static json_t *mock_inspect(void *self, const char *code, size_t cursor)
{
    (void)self, (void)code, (void)cursor;
    return json_pack("{s:b, s:{s:s}}", "found", 1, "data", "text/plain", "int");
}

static void mock_interrupt(void *self)
{
    ((struct fixture *)self)->interrupts++;
}

static void mock_input(void *self, const char *line, size_t len)
{
    struct buf *said = &((struct fixture *)self)->said;
    buf_str(said, "input ");
    buf_add(said, line ? line : "(end of file)", line ? len : strlen("(end of file)"));
    buf_str(said, "|");
}

static void mock_shutdown(void *self, bool restart)
{
    (void)restart;
    ((struct fixture *)self)->shutdowns++;
}

/* ---- messages ---- */

static struct message *message(const char *id, const char *type, enum channel channel, json_t *content)
{
    struct message *m = calloc(1, sizeof *m);
    struct buf header;
    assert_non_null(m);
    buf_init(&header, 0);
    buf_printf(&header, "{\"msg_id\":\"%s\",\"msg_type\":\"%s\"}", id, type);
    m->header = json_loads(header.data, 0, NULL);
    m->identities = (void *)buf_take(&header); /* the block that message_free frees */
    m->header_text = (char *)m->identities;
    m->type = json_string_value(json_object_get(m->header, "msg_type"));
    m->id = json_string_value(json_object_get(m->header, "msg_id"));
    m->metadata = json_object();
    m->content = content;
    m->channel = (int)channel;
    return m;
}

static struct message *cell(const char *id, const char *code)
{
    return message(id, "execute_request", CHANNEL_SHELL, json_pack("{s:s}", "code", code));
}

static void ask(struct fixture *f, const char *id, const char *type, json_t *content)
{
    requests_receive(f->r, message(id, type, CHANNEL_SHELL, content));
}

/* What was said since the last call. */
static void expect(struct fixture *f, const char *text)
{
    assert_string_equal(f->said.data, text);
    buf_clear(&f->said);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct connection connection = { .shell_port = 1, .hb_port = 5 };
    struct err e;
    buf_init(&f->said, 0);
    assert_int_equal(requests_new(&connection, &f->r, &e), ERR_NONE);
    f->events = requests_events(f->r);
    requests_start(f->r,
                   &(struct outlet){ .self = f, .reply = mock_reply, .ask = mock_ask, .publish = mock_publish,
                                    .collect = mock_collect },
                   &(struct interpreter){ .self = f,
                                          .execute = mock_execute,
                                          .settle = mock_settle,
                                          .is_complete = mock_is_complete,
                                          .interrupt = mock_interrupt,
                                          .input = mock_input,
                                          .complete = mock_complete,
                                          .inspect = mock_inspect,
                                          .shutdown = mock_shutdown });
    expect(f, "- status starting|");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    requests_free(f->r);
    buf_done(&f->said);
    json_decref(f->last_reply);
    free(f);
    return 0;
}

/* ---- input ---- */

/* to: id of the question that it names; NULL: none. */
static struct message *typed(json_t *value, const char *to)
{
    struct message *m = message("i", "input_reply", CHANNEL_STDIN, json_pack("{s:o}", "value", value));
    m->parent = to ? json_pack("{s:s, s:s}", "msg_type", "input_request", "msg_id", to) : json_object();
    return m;
}

static void type(struct fixture *f, const char *text, const char *to)
{
    requests_receive(f->r, typed(json_string(text), to));
}

/* A cell that has asked its first question, and waits. */
static void start_asking(struct fixture *f)
{
    requests_receive(f->r, cell("m1", "ih"));
    buf_clear(&f->said);
}

static void test_input_is_asked_of_the_client_and_taken_once(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "ih"));
    expect(f, "m1 status busy|m1 execute_input ih 1|m1 ? input_request name? |");
    type(f, "Ada", NULL);
    type(f, "again", NULL); /* nobody asked for that */
    expect(f, "input Ada|");
}

static void test_ctrl_d_is_the_end_of_the_file_also_in_two_characters(void **state)
{
    struct fixture *f = *state;
    start_asking(f);
    type(f, "\x04", NULL);
    act(f, 'i');
    type(f, "^D", NULL);
    act(f, 'i');
    type(f, "^D?", NULL);
    expect(f, "input (end of file)|m1 ? input_request name? |input (end of file)|m1 ? input_request name? |input ^D?|");
}

static void test_an_answer_to_an_earlier_question_is_dropped(void **state)
{
    struct fixture *f = *state;
    start_asking(f);
    act(f, 'i'); /* the cell has given up the first, and asks anew */
    buf_clear(&f->said);
    type(f, "late", "q1");
    expect(f, "");
    type(f, "right", "q2");
    expect(f, "input right|");
}

static void test_an_answer_may_name_another_request_or_none(void **state)
{
    struct fixture *f = *state;
    struct message *m = typed(json_string("x"), NULL);
    (void)json_object_update_new(m->parent, json_pack("{s:s, s:s}", "msg_type", "execute_request", "msg_id", "m1"));
    start_asking(f);
    requests_receive(f->r, m);
    expect(f, "input x|");
}

static void test_the_end_of_the_cell_forgets_its_question(void **state)
{
    struct fixture *f = *state;
    start_asking(f);
    finish(f, false);
    requests_receive(f->r, cell("m2", "h"));
    buf_clear(&f->said);
    type(f, "late", NULL);
    expect(f, "");
}

static void test_input_of_another_client_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame *whole = malloc(sizeof *whole);
    assert_non_null(whole);
    whole[0] = (struct frame){ "them", 4 };
    struct message *m = typed(json_string("theirs"), "q1");
    free(m->identities);
    m->identities = whole;
    m->header_text = NULL;
    m->nidentities = 1;
    start_asking(f);
    requests_receive(f->r, m);
    expect(f, "");
}

static void test_input_that_is_too_long_or_no_text_is_asked_for_again(void **state)
{
    struct fixture *f = *state;
    static const char again[] = "m1 stream weir: a line of input has at most 1 MiB. Type a shorter one, or let the cell read a file: "
                                "freopen(\"input.txt\", \"r\", stdin)\n stderr|m1 ? input_request name? |";
    size_t len = (1 << 20) + 1;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'x', len);
    start_asking(f);
    requests_receive(f->r, typed(json_stringn(text, len), NULL));
    expect(f, again);
    requests_receive(f->r, typed(json_integer(5), NULL));
    expect(f, again);
    requests_receive(f->r, typed(json_stringn(text, len - 1), NULL));
    assert_int_equal(f->said.len, strlen("input ") + len - 1 + strlen("|"));
    free(text);
}

static void test_input_may_hold_nul(void **state)
{
    struct fixture *f = *state;
    start_asking(f);
    requests_receive(f->r, typed(json_stringn("a\0b", 3), NULL));
    assert_memory_equal(f->said.data, "input a\0b|", 10);
}

/* ---- execute ---- */

static void test_a_cell_from_busy_to_idle(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "sdr"));
    expect(f, "m1 status busy|m1 execute_input sdr 1|m1 stream text stdout|m1 display_data|m1 execute_result 1|"
              "m1 > execute_reply ok 1|m1 status idle|");
    assert_true(json_is_array(json_object_get(f->last_reply, "payload")));
    assert_true(json_is_object(json_object_get(f->last_reply, "user_expressions")));
}

static void test_an_error_is_published_and_replied(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "e"));
    expect(f, "m1 status busy|m1 execute_input e 1|m1 error E why|m1 > execute_reply error E why 1|m1 status idle|");
    assert_string_equal(json_string_value(json_array_get(json_object_get(f->last_reply, "traceback"), 0)), "line");
}

static void test_a_cell_that_cannot_start_is_an_error(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "x"));
    expect(f, "m1 status busy|m1 execute_input x 1|m1 error IOError no session|"
              "m1 > execute_reply error IOError no session 1|m1 status idle|");
}

static void test_a_cell_is_at_work_while_its_beginning_is_published(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "h"));
    assert_int_equal(f->said_before, 0);
    expect(f, "m1 status busy|m1 execute_input h 1|");
}

static void test_silent_says_nothing_and_counts_nothing(void **state)
{
    struct fixture *f = *state;
    ask(f, "m1", "execute_request", json_pack("{s:s, s:b}", "code", "sdre", "silent", 1));
    expect(f, "m1 status busy|m1 > execute_reply error E why 0|m1 status idle|");
    requests_receive(f->r, cell("m2", ""));
    expect(f, "m2 status busy|m2 execute_input  1|m2 > execute_reply ok 1|m2 status idle|");
}

static void test_only_kept_cells_count(void **state)
{
    struct fixture *f = *state;
    ask(f, "m1", "execute_request", json_pack("{s:s, s:b}", "code", "1", "store_history", 0));
    requests_receive(f->r, cell("m2", " \n"));
    requests_receive(f->r, cell("m3", "3"));
    requests_receive(f->r, cell("m4", "4"));
    expect(f, "m1 status busy|m1 execute_input 1 1|m1 > execute_reply ok 1|m1 status idle|"
              "m2 status busy|m2 execute_input  \n 1|m2 > execute_reply ok 1|m2 status idle|"
              "m3 status busy|m3 execute_input 3 1|m3 > execute_reply ok 1|m3 status idle|"
              "m4 status busy|m4 execute_input 4 2|m4 > execute_reply ok 2|m4 status idle|");
}

static void test_cells_wait_for_each_other(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "h"));
    requests_receive(f->r, cell("m2", "h"));
    requests_receive(f->r, cell("m3", "3"));
    expect(f, "m1 status busy|m1 execute_input h 1|");
    finish(f, true);
    expect(f, "m1 > execute_reply ok 1|m1 status idle|m2 status busy|m2 execute_input h 2|");
    finish(f, true);
    expect(f, "m2 > execute_reply ok 2|m2 status idle|m3 status busy|m3 execute_input 3 3|m3 > execute_reply ok 3|"
              "m3 status idle|");
}

static void test_an_error_aborts_what_waits_and_what_is_on_the_socket(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "h"));
    requests_receive(f->r, cell("m2", "2"));
    f->waiting[f->nwaiting++] = cell("m3", "3");
    act(f, 'e');
    buf_clear(&f->said);
    finish(f, false);
    expect(f,
           "m1 > execute_reply error E why 1|m1 status idle|m2 status busy|m2 > execute_reply aborted|m2 status idle|"
           "m3 status busy|m3 > execute_reply aborted|m3 status idle|");
    requests_receive(f->r, cell("m4", "4"));
    expect(f, "m4 status busy|m4 execute_input 4 2|m4 > execute_reply ok 2|m4 status idle|");
}

/* A cell whose header says that it was sent so many microseconds ago. */
static struct message *old_cell(const char *id, long long us)
{
    struct message *m = cell(id, id);
    long long then = wire_now_us() - us;
    time_t seconds = (time_t)(then / 1000000);
    struct tm utc;
    char date[64];
    (void)gmtime_r(&seconds, &utc);
    size_t n = strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(date + n, sizeof date - n, ".%06lldZ", then % 1000000);
    (void)json_object_set_new(m->header, "date", json_string(date));
    return m;
}

static void test_a_cell_sent_before_an_error_but_come_after_it_is_aborted(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "e"));
    buf_clear(&f->said);
    requests_receive(f->r, old_cell("m2", 50000));
    expect(f, "m2 status busy|m2 > execute_reply aborted|m2 status idle|");
    requests_receive(f->r, old_cell("m3", 0));     /* sent knowing of it */
    requests_receive(f->r, old_cell("m4", 50000)); /* the error is no longer the latest thing that happened */
    expect(f, "m3 status busy|m3 execute_input m3 2|m3 > execute_reply ok 2|m3 status idle|"
              "m4 status busy|m4 execute_input m4 3|m4 > execute_reply ok 3|m4 status idle|");
}

static void test_an_error_does_not_abort_other_requests(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "h"));
    ask(f, "m2", "history_request", json_pack("{s:s}", "hist_access_type", "tail"));
    requests_receive(f->r, cell("m3", "3"));
    buf_clear(&f->said);
    finish(f, false);
    expect(f, "m1 > execute_reply error Error the cell failed without saying why 1|m1 status idle|"
              "m3 status busy|m3 > execute_reply aborted|m3 status idle|"
              "m2 status busy|m2 > history_reply ok|m2 status idle|");
}

static void test_without_stop_on_error_nothing_is_aborted(void **state)
{
    struct fixture *f = *state;
    ask(f, "m1", "execute_request", json_pack("{s:s, s:b}", "code", "h", "stop_on_error", 0));
    requests_receive(f->r, cell("m2", "2"));
    buf_clear(&f->said);
    finish(f, false);
    assert_non_null(strstr(f->said.data, "m2 > execute_reply ok 2|"));
}

static void test_late_output_belongs_to_the_latest_cell(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", ""));
    buf_clear(&f->said);
    act(f, 's');
    expect(f, "m1 stream text stdout|");
}

static void test_a_request_without_code_is_refused(void **state)
{
    struct fixture *f = *state;
    ask(f, "m1", "execute_request", json_object());
    assert_string_equal(json_string_value(json_object_get(f->last_reply, "evalue")),
                        "execute_request: 'code' must be a string without NUL characters");
    ask(f, "m2", "inspect_request", json_object());
    assert_string_equal(json_string_value(json_object_get(f->last_reply, "evalue")),
                        "inspect_request: 'code' must be a string");
}

/* ---- the others ---- */

static void test_a_request_during_a_cell_leaves_the_kernel_busy(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "h"));
    buf_clear(&f->said);
    ask(f, "m2", "kernel_info_request", json_object());
    expect(f, "m2 status busy|m2 > kernel_info_reply ok|m2 status idle|m1 status busy|");
    finish(f, true);
}

static void test_completion_converts_cursors(void **state)
{
    struct fixture *f = *state;
    /* The euro sign is one character and three bytes. */
    ask(f, "m1", "complete_request", json_pack("{s:s, s:i}", "code", "\xE2\x82\xACprin", "cursor_pos", 5));
    assert_int_equal(json_integer_value(json_object_get(f->last_reply, "cursor_start")), 1);
    assert_int_equal(json_integer_value(json_object_get(f->last_reply, "cursor_end")), 5);
    assert_int_equal(json_array_size(json_object_get(f->last_reply, "matches")), 1);
}

static void test_completion_during_a_cell_is_empty(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "h"));
    ask(f, "m2", "complete_request", json_pack("{s:s, s:i}", "code", "prin", "cursor_pos", 4));
    assert_int_equal(json_array_size(json_object_get(f->last_reply, "matches")), 0);
    assert_int_equal(json_integer_value(json_object_get(f->last_reply, "cursor_start")), 4);
    finish(f, true);
}

static void test_inspect_and_is_complete(void **state)
{
    struct fixture *f = *state;
    ask(f, "m1", "inspect_request", json_pack("{s:s, s:i}", "code", "a", "cursor_pos", 1));
    assert_true(json_is_true(json_object_get(f->last_reply, "found")));
    ask(f, "m2", "is_complete_request", json_pack("{s:s}", "code", "{"));
    assert_string_equal(json_string_value(json_object_get(f->last_reply, "indent")), "  ");
    ask(f, "m3", "is_complete_request", json_pack("{s:s}", "code", "a"));
    assert_null(json_object_get(f->last_reply, "indent"));
}

static void test_an_interrupt_reaches_a_running_cell_only(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, message("m1", "interrupt_request", CHANNEL_CONTROL, json_object()));
    assert_int_equal(f->interrupts, 0);
    requests_receive(f->r, cell("m2", "h"));
    requests_receive(f->r, message("m3", "interrupt_request", CHANNEL_CONTROL, json_object()));
    assert_int_equal(f->interrupts, 1);
    finish(f, false);
}

static void test_shutdown_by_control_does_not_wait(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "h"));
    buf_clear(&f->said);
    requests_receive(f->r, message("m2", "shutdown_request", CHANNEL_CONTROL, json_pack("{s:b}", "restart", 1)));
    expect(f, "m2 status busy|m2 shutdown_reply ok|m2 > shutdown_reply ok|m2 status idle|");
    assert_int_equal(f->shutdowns, 1);
    assert_true(requests_stopping(f->r));
}

static void test_shutdown_by_shell_waits_for_the_cell(void **state)
{
    struct fixture *f = *state;
    requests_receive(f->r, cell("m1", "h"));
    ask(f, "m2", "shutdown_request", json_object());
    assert_false(requests_stopping(f->r));
    finish(f, true);
    assert_true(requests_stopping(f->r));
}

static void test_a_comm_that_is_opened_is_closed(void **state)
{
    struct fixture *f = *state;
    ask(f, "m1", "comm_open", json_pack("{s:s}", "comm_id", "c"));
    expect(f, "m1 status busy|m1 comm_close|m1 status idle|");
    ask(f, "m2", "comm_msg", json_object());
    expect(f, "m2 status busy|m2 status idle|");
}

static void test_unknown_requests_and_unasked_input_are_dropped(void **state)
{
    struct fixture *f = *state;
    ask(f, "m1", "no_such_request", json_object());
    requests_receive(f->r, message("m2", "input_reply", CHANNEL_STDIN, json_object()));
    requests_receive(f->r, message("m3", "execute_request", CHANNEL_STDIN, json_object()));
    expect(f, "");
}

static void test_a_full_queue_says_so(void **state)
{
    struct fixture *f = *state;
    char id[16];
    requests_receive(f->r, cell("m", "h"));
    for (int i = 0; i < REQUESTS_QUEUE_MAX; i++) {
        assert_false(requests_full(f->r));
        (void)snprintf(id, sizeof id, "m%d", i);
        requests_receive(f->r, cell(id, ""));
    }
    assert_true(requests_full(f->r));
    finish(f, false);
    assert_false(requests_full(f->r));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_cell_from_busy_to_idle),
        TEST(test_an_error_is_published_and_replied),
        TEST(test_a_cell_that_cannot_start_is_an_error),
        TEST(test_a_cell_is_at_work_while_its_beginning_is_published),
        TEST(test_silent_says_nothing_and_counts_nothing),
        TEST(test_only_kept_cells_count),
        TEST(test_cells_wait_for_each_other),
        TEST(test_an_error_aborts_what_waits_and_what_is_on_the_socket),
        TEST(test_a_cell_sent_before_an_error_but_come_after_it_is_aborted),
        TEST(test_an_error_does_not_abort_other_requests),
        TEST(test_without_stop_on_error_nothing_is_aborted),
        TEST(test_late_output_belongs_to_the_latest_cell),
        TEST(test_a_request_without_code_is_refused),
        TEST(test_a_request_during_a_cell_leaves_the_kernel_busy),
        TEST(test_completion_converts_cursors),
        TEST(test_completion_during_a_cell_is_empty),
        TEST(test_inspect_and_is_complete),
        TEST(test_an_interrupt_reaches_a_running_cell_only),
        TEST(test_shutdown_by_control_does_not_wait),
        TEST(test_shutdown_by_shell_waits_for_the_cell),
        TEST(test_input_is_asked_of_the_client_and_taken_once),
        TEST(test_ctrl_d_is_the_end_of_the_file_also_in_two_characters),
        TEST(test_an_answer_to_an_earlier_question_is_dropped),
        TEST(test_an_answer_may_name_another_request_or_none),
        TEST(test_the_end_of_the_cell_forgets_its_question),
        TEST(test_input_of_another_client_is_dropped),
        TEST(test_input_that_is_too_long_or_no_text_is_asked_for_again),
        TEST(test_input_may_hold_nul),
        TEST(test_a_comm_that_is_opened_is_closed),
        TEST(test_unknown_requests_and_unasked_input_are_dropped),
        TEST(test_a_full_queue_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
