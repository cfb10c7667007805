/* See requests.h. */
#include "kernel/requests.h"

#include "kernel/execution.h"
#include "kernel/log.h"
#include "kernel/replies.h"

#include <stdlib.h>
#include <string.h>

enum {
    INDENT_MAX = 256,
    LATE_US = 200000, /* after an error: how long requests from before it may be under way */
    CLOCK_US = 1000   /* how coarse a front end's clock may be: browsers write whole milliseconds */
};

struct requests {
    struct connection connection;
    struct execution execution;
    struct outlet outlet;
    struct interpreter interpreter;
    struct message *queue[REQUESTS_QUEUE_MAX]; /* owned; a ring */
    size_t first, n;
    bool collecting; /* what is on the sockets is being taken in after an error */
    bool pumping; /* the queue is being worked on further up the stack */
    bool stopping;
    long long failed_us; /* when a cell failed that stops those behind it; 0: none has */
};

enum when {
    AT_ONCE,   /* also while a cell runs */
    IN_ORDER,  /* by shell: after the cells sent before it */
    AFTER_CELL /* always after the cells sent before it */
};

struct row {
    const char *type;
    const char *reply; /* NULL: the handler sends what there is to send, or there is no reply */
    enum when when;
    /* The reply's content, new reference; NULL with e set: the reply is an error. */
    json_t *(*answer)(struct requests *r, const struct message *m, struct err *e);
};

/* ---- sending ---- */

/* content: stolen; NULL: an error reply made of e. */
static void send_reply(struct requests *r, const struct message *m, const char *type, json_t *content,
                       const struct err *e)
{
    json_t *sent = content ? content : reply_error(err_name(e->code), e->msg, NULL);
    r->outlet.reply(r->outlet.self, m, type, NULL, sent);
    json_decref(sent);
}

static void publish_status(struct requests *r, const char *parent, const char *state)
{
    json_t *content = json_pack("{s:s}", "execution_state", state);
    r->outlet.publish(r->outlet.self, parent, "status", content);
    json_decref(content);
}

/* ---- the answers ---- */

static json_t *or_memory(json_t *content, struct err *e)
{
    if (!content) {
        err_memory(e);
    }
    return content;
}

static json_t *answer_kernel_info(struct requests *r, const struct message *m, struct err *e)
{
    (void)r, (void)m;
    return or_memory(reply_kernel_info(), e);
}

static json_t *answer_connect(struct requests *r, const struct message *m, struct err *e)
{
    (void)m;
    return or_memory(reply_connect(&r->connection), e);
}

static json_t *answer_comm_info(struct requests *r, const struct message *m, struct err *e)
{
    (void)r, (void)m;
    return or_memory(json_pack("{s:s, s:{}}", "status", "ok", "comms"), e);
}

/* No comm has a target here: one that is opened is closed again, as the protocol asks. */
static json_t *answer_comm_open(struct requests *r, const struct message *m, struct err *e)
{
    (void)e;
    json_t *id = json_object_get(m->content, "comm_id");
    json_t *content = json_is_string(id) ? json_pack("{s:O, s:{}}", "comm_id", id, "data") : NULL;
    if (content) {
        r->outlet.publish(r->outlet.self, m->header_text, "comm_close", content);
        json_decref(content);
    }
    return NULL;
}

static json_t *answer_nothing(struct requests *r, const struct message *m, struct err *e)
{
    (void)r, (void)m, (void)e;
    return NULL;
}

/* The request's code; NULL with e set. */
static const char *code_of(const struct message *m, struct err *e)
{
    const char *code = json_string_value(json_object_get(m->content, "code"));
    if (!code) {
        err_set(e, ERR_USAGE, "%s: 'code' must be a string", m->type);
    }
    return code;
}

static json_t *answer_is_complete(struct requests *r, const struct message *m, struct err *e)
{
    char indent[INDENT_MAX] = "";
    const char *code = code_of(m, e);
    if (!code) {
        return NULL;
    }
    const char *status = r->interpreter.is_complete(r->interpreter.self, code, indent, sizeof indent);
    if (strcmp(status, "incomplete") == 0) {
        return or_memory(json_pack("{s:s, s:s}", "status", status, "indent", indent), e);
    }
    return or_memory(json_pack("{s:s}", "status", status), e);
}

/* The request's cursor in bytes; without one the end. */
static size_t cursor_of(const struct message *m, const char *code)
{
    const json_t *value = json_object_get(m->content, "cursor_pos");
    json_int_t position = json_integer_value(value);
    return json_is_integer(value) ? utf8_offset(code, position < 0 ? 0 : (size_t)position) : strlen(code);
}

/* A cursor of the interpreter's answer, from bytes to code points. */
static size_t position_in(const json_t *answer, const char *name, const char *code, size_t cursor)
{
    const json_t *value = json_object_get(answer, name);
    json_int_t offset = json_integer_value(value);
    return utf8_position(code, json_is_integer(value) && offset >= 0 ? (size_t)offset : cursor);
}

static json_t *answer_complete(struct requests *r, const struct message *m, struct err *e)
{
    const char *code = code_of(m, e);
    if (!code) {
        return NULL;
    }
    size_t cursor = cursor_of(m, code);
    json_t *answer = r->interpreter.complete(r->interpreter.self, code, cursor);
    json_t *matches = json_object_get(answer, "matches");
    json_t *metadata = json_object_get(answer, "metadata");
    /* clang-format off */
    json_t *content = json_pack("{s:s, s:o, s:I, s:I, s:o}", "status", "ok",
                                "matches", json_is_array(matches) ? json_incref(matches) : json_array(),
                                "cursor_start", (json_int_t)position_in(answer, "cursor_start", code, cursor),
                                "cursor_end", (json_int_t)position_in(answer, "cursor_end", code, cursor),
                                "metadata", json_is_object(metadata) ? json_incref(metadata) : json_object());
    /* clang-format on */
    json_decref(answer);
    return or_memory(content, e);
}

static json_t *answer_inspect(struct requests *r, const struct message *m, struct err *e)
{
    const char *code = code_of(m, e);
    if (!code) {
        return NULL;
    }
    json_t *answer = r->interpreter.inspect(r->interpreter.self, code, cursor_of(m, code));
    json_t *data = json_object_get(answer, "data");
    int found = json_is_true(json_object_get(answer, "found")) && json_is_object(data);
    json_t *content = json_pack("{s:s, s:b, s:o, s:{}}", "status", "ok", "found", found, "data",
                                found ? json_incref(data) : json_object(), "metadata");
    json_decref(answer);
    return or_memory(content, e);
}

static json_t *answer_history(struct requests *r, const struct message *m, struct err *e)
{
    json_t *list = NULL;
    if (history_answer(r->execution.history, m->content, &list, e) != ERR_NONE) {
        return NULL;
    }
    return or_memory(json_pack("{s:s, s:o}", "status", "ok", "history", list), e);
}

static json_t *answer_interrupt(struct requests *r, const struct message *m, struct err *e)
{
    (void)m;
    requests_interrupt(r);
    return or_memory(json_pack("{s:s}", "status", "ok"), e);
}

/* The session ends only after the reply is on its way: see `handle`. Other clients hear of it on iopub. */
static json_t *answer_shutdown(struct requests *r, const struct message *m, struct err *e)
{
    int restart = json_is_true(json_object_get(m->content, "restart"));
    json_t *content = json_pack("{s:s, s:b}", "status", "ok", "restart", restart);
    if (content) {
        r->outlet.publish(r->outlet.self, m->header_text, "shutdown_reply", content);
    }
    r->stopping = true;
    return or_memory(content, e);
}

static const struct row rows[] = {
    { "execute_request", NULL, AFTER_CELL, NULL },
    { "history_request", "history_reply", IN_ORDER, answer_history },
    { "shutdown_request", "shutdown_reply", IN_ORDER, answer_shutdown },
    { "interrupt_request", "interrupt_reply", AT_ONCE, answer_interrupt },
    { "kernel_info_request", "kernel_info_reply", AT_ONCE, answer_kernel_info },
    { "is_complete_request", "is_complete_reply", AT_ONCE, answer_is_complete },
    { "complete_request", "complete_reply", AT_ONCE, answer_complete },
    { "inspect_request", "inspect_reply", AT_ONCE, answer_inspect },
    { "comm_info_request", "comm_info_reply", AT_ONCE, answer_comm_info },
    { "connect_request", "connect_reply", AT_ONCE, answer_connect },
    { "comm_open", NULL, AT_ONCE, answer_comm_open },
    { "comm_msg", NULL, AT_ONCE, answer_nothing },
    { "comm_close", NULL, AT_ONCE, answer_nothing },
};

static const struct row *row_of(const struct message *m)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].type, m->type) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

/* ---- order ---- */

/* Handle one request now; takes m. */
static void handle(struct requests *r, struct message *m)
{
    const struct row *row = row_of(m);
    if (row && !row->answer) {
        execution_start(&r->execution, m); /* goes on in `finished` */
        return;
    }
    publish_status(r, m->header_text, "busy");
    struct err e = { .code = ERR_NONE };
    json_t *content = row ? row->answer(r, m, &e) : NULL;
    if (row && row->reply) {
        send_reply(r, m, row->reply, content, &e);
    }
    publish_status(r, m->header_text, "idle");
    if (r->stopping) {
        r->interpreter.shutdown(r->interpreter.self, json_is_true(json_object_get(m->content, "restart")));
    } else if (r->execution.running) {
        publish_status(r, r->execution.running->header_text, "busy"); /* front ends show the state said last */
    }
    message_free(m);
}

static void pump(struct requests *r)
{
    if (r->pumping) {
        return;
    }
    r->pumping = true;
    while (!r->execution.running && r->n > 0 && !r->stopping) {
        struct message *m = r->queue[r->first];
        r->first = (r->first + 1) % REQUESTS_QUEUE_MAX;
        r->n--;
        handle(r, m);
    }
    r->pumping = false;
}

/* A cell that was sent before a failure could be known: all cells of a notebook are sent at once, and a cell may fail
 * before the next has arrived. */
static bool is_late(const struct requests *r, const struct message *m)
{
    const char *date = json_string_value(json_object_get(m->header, "date"));
    if (!r->failed_us || strcmp(m->type, "execute_request") != 0 || wire_now_us() > r->failed_us + LATE_US) {
        return false;
    }
    long long sent = date ? wire_date_us(date) : -1;
    if (sent < 0) {
        return r->collecting; /* it does not say: it counts as sent before, if it was there */
    }
    return sent + (sent % CLOCK_US ? 0 : CLOCK_US) < r->failed_us;
}

/* Takes m. */
static void answer_aborted(struct requests *r, struct message *m)
{
    struct err e;
    err_memory(&e);
    publish_status(r, m->header_text, "busy");
    send_reply(r, m, "execute_reply", json_pack("{s:s}", "status", "aborted"), &e);
    publish_status(r, m->header_text, "idle");
    message_free(m);
}

/* Answer every execute_request that waits with `aborted`; other requests stay, in order. */
static void abort_queue(struct requests *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->n; i++) {
        struct message *m = r->queue[(r->first + i) % REQUESTS_QUEUE_MAX];
        if (strcmp(m->type, "execute_request") != 0) {
            r->queue[(r->first + kept++) % REQUESTS_QUEUE_MAX] = m;
            continue;
        }
        answer_aborted(r, m);
    }
    r->n = kept;
}

/* The cell of m is over and answered. */
static void finished(void *ctx, struct message *m, bool failed)
{
    struct requests *r = ctx;
    publish_status(r, m->header_text, "idle");
    message_free(m);
    r->failed_us = failed ? r->execution.ended_us : 0;
    if (failed) {
        bool pumping = r->pumping;
        r->pumping = true; /* nothing starts while what has been sent already is aborted: what waits, and what was sent
                            * before the failure (requests_receive tells); what answers it is not */
        abort_queue(r);
        r->collecting = true;
        r->outlet.collect(r->outlet.self);
        r->collecting = false;
        r->pumping = pumping;
    }
    pump(r);
}

/* Takes m. */
static void receive_input(struct requests *r, struct message *m)
{
    const char *why = strcmp(m->type, "input_reply") == 0 ? execution_input(&r->execution, m) : "unknown request";
    if (why) {
        log_line("dropped '%s' on stdin: %s", m->type, why);
    }
    message_free(m);
}

void requests_receive(void *ctx, struct message *m)
{
    struct requests *r = ctx;
    const struct row *row = row_of(m);
    if (m->channel == CHANNEL_STDIN) {
        receive_input(r, m);
        return;
    }
    if (!row) {
        log_line("dropped '%s' on shell or control: unknown request", m->type);
        message_free(m);
        return;
    }
    bool queued = row->when == AFTER_CELL || (row->when == IN_ORDER && m->channel == CHANNEL_SHELL);
    if (r->stopping || (queued && r->n == REQUESTS_QUEUE_MAX)) {
        log_line("dropped '%s': %s", m->type, r->stopping ? "the kernel is ending" : "the queue is full");
        message_free(m);
        return;
    }
    if (!queued) {
        handle(r, m);
        return;
    }
    if (is_late(r, m)) {
        answer_aborted(r, m);
        return;
    }
    r->queue[(r->first + r->n++) % REQUESTS_QUEUE_MAX] = m;
    pump(r);
}

/* ---- the rest ---- */

enum err_code requests_new(const struct connection *connection, struct requests **out, struct err *e)
{
    struct requests *r = calloc(1, sizeof *r);
    if (!r) {
        return err_memory(e);
    }
    enum err_code rc = execution_init(&r->execution, e);
    if (rc != ERR_NONE) {
        free(r);
        return rc;
    }
    r->connection = *connection;
    r->execution.finished = finished;
    r->execution.ctx = r;
    *out = r;
    return ERR_NONE;
}

void requests_free(struct requests *r)
{
    if (!r) {
        return;
    }
    for (size_t i = 0; i < r->n; i++) {
        message_free(r->queue[(r->first + i) % REQUESTS_QUEUE_MAX]);
    }
    execution_done(&r->execution);
    free(r);
}

struct interpreter_events requests_events(struct requests *r)
{
    return execution_events(&r->execution);
}

void requests_start(struct requests *r, const struct outlet *outlet, const struct interpreter *interpreter)
{
    r->outlet = r->execution.outlet = *outlet;
    r->interpreter = r->execution.interpreter = *interpreter;
    publish_status(r, NULL, "starting");
}

void requests_interrupt(struct requests *r)
{
    if (r->execution.running) {
        r->interpreter.interrupt(r->interpreter.self);
    }
}

bool requests_full(const struct requests *r)
{
    return r->n == REQUESTS_QUEUE_MAX;
}

bool requests_stopping(const struct requests *r)
{
    return r->stopping;
}
