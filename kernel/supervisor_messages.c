/* What comes from a session: messages, output, and its death. See supervisor.h and supervisor_state.h.
 *
 * Order of output: whatever was printed before a message is in the pipes when the message can be read, and nothing
 * printed after it is there before the message is acknowledged (session_protocol.h). So: message, pipes, handle,
 * acknowledge. */
#include "kernel/supervisor_state.h"

#include "kernel/ending.h"
#include "kernel/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void finish_cell(struct supervisor *s, bool ok, json_t *payload, json_t *user_expressions)
{
    capture_end(&s->capture);
    if (!s->silent) {
        output_end(&s->output);
        capture_flush(&s->capture);
    }
    s->running = s->failed = s->killed = false;
    s->interrupted_at = 0;
    s->events.done(s->events.ctx, ok, payload, user_expressions);
}

static void finish_by(struct supervisor *s, const json_t *done)
{
    json_t *payload = json_object_get(done, "payload");
    json_t *expressions = json_object_get(done, "user_expressions");
    finish_cell(s, json_is_true(json_object_get(done, "ok")), json_is_array(payload) ? payload : NULL,
                json_is_object(expressions) ? expressions : NULL);
}

/* ---- messages of the session ---- */

static const char *text_of(const json_t *m, const char *name, const char *fallback)
{
    const char *text = json_string_value(json_object_get(m, name));
    return text ? text : fallback;
}

static void on_ready(struct supervisor *s, json_t *m)
{
    const char *note = text_of(m, "note", NULL);
    s->ready = true;
    s->waking = false;
    supervisor_take_copy(s, m);
    if (note) {
        (void)snprintf(s->note, sizeof s->note, "%s", note);
    }
    supervisor_send_waiting(s);
    if (s->interrupt_due && s->running) {
        supervisor_interrupt(s);
    }
    s->interrupt_due = false;
}

static void on_stream(struct supervisor *s, json_t *m)
{
    const json_t *text = json_object_get(m, "text");
    bool err = strcmp(text_of(m, "name", "stdout"), "stderr") == 0;
    if (json_is_string(text)) {
        supervisor_text(s, err ? CAPTURE_STDERR : CAPTURE_STDOUT, json_string_value(text), json_string_length(text));
    }
}

static void on_display(struct supervisor *s, json_t *m)
{
    json_t *data = json_object_get(m, "data");
    json_t *metadata = json_object_get(m, "metadata");
    capture_flush(&s->capture);
    if (json_is_object(data)) {
        s->events.display(s->events.ctx, data, json_is_object(metadata) ? metadata : NULL,
                          text_of(m, "display_id", NULL), json_is_true(json_object_get(m, "update")));
    }
}

static void on_clear_output(struct supervisor *s, json_t *m)
{
    capture_flush(&s->capture);
    s->events.clear_output(s->events.ctx, json_is_true(json_object_get(m, "wait")));
}

static void on_result(struct supervisor *s, json_t *m)
{
    json_t *data = json_object_get(m, "data");
    capture_flush(&s->capture);
    if (s->running && json_is_object(data)) {
        s->events.result(s->events.ctx, data);
    }
}

/* The prompt is what the cell has printed since its last newline. A message's own one follows that, as it would on a terminal.
 */
static void on_input(struct supervisor *s, json_t *m)
{
    char line[CAPTURE_LINE_MAX + 1];
    const char *own = text_of(m, "prompt", "");
    size_t len = strnlen(own, CAPTURE_LINE_MAX);
    struct buf prompt;
    if (!s->running || s->dying) {
        return;
    }
    s->question = json_integer_value(json_object_get(m, "id"));
    capture_take_line(&s->capture, line, sizeof line);
    buf_init(&prompt, 0);
    while (len > 0 && ((unsigned char)own[len] & 0xC0) == 0x80) {
        len--; /* no half characters */
    }
    buf_str(&prompt, line);
    buf_add(&prompt, own, len);
    s->events.input(s->events.ctx, prompt.len ? prompt.data : "", json_is_true(json_object_get(m, "password")));
    buf_done(&prompt);
}

static void on_error(struct supervisor *s, json_t *m)
{
    json_t *traceback = json_object_get(m, "traceback");
    capture_flush(&s->capture);
    if (s->running && !s->failed) {
        s->failed = true;
        s->events.error(s->events.ctx, text_of(m, "ename", "Error"), text_of(m, "evalue", ""),
                        json_is_array(traceback) ? traceback : NULL);
    }
}

static void on_done(struct supervisor *s, json_t *m)
{
    if (!s->running) {
        log_line("the session ended a cell that was not running");
        return;
    }
    bool undo = json_integer_value(json_object_get(m, "undo")) > 0;
    if (s->dying || undo) {
        json_decref(s->last_done);
        s->last_done = json_incref(m);
        if (undo) {
            supervisor_kill(s); /* the copy that is woken in its place ends the cell */
        }
        return;
    }
    if (json_is_true(json_object_get(m, "late"))) {
        s->copies.stale = true; /* until on_copy: none has what the cell did. The session counts on that copy already */
    } else {
        supervisor_take_copy(s, m);
    }
    finish_by(s, m);
}

static void on_copy(struct supervisor *s, json_t *m)
{
    supervisor_take_copy(s, m);
    supervisor_look_for_output(s);
}

static void on_reply(struct supervisor *s, json_t *m)
{
    if (s->stale > 0) {
        s->stale--;
        return;
    }
    json_decref(s->reply);
    s->reply = json_incref(m);
}

static void handle(struct supervisor *s, json_t *m)
{
    static const struct {
        const char *op;
        void (*act)(struct supervisor *s, json_t *m);
    } ops[] = { { "stream", on_stream }, { "display", on_display }, { "clear_output", on_clear_output },
                { "result", on_result }, { "error", on_error },     { "done", on_done },
                { "reply", on_reply },   { "copy", on_copy },       { "ready", on_ready },     { "input", on_input } };
    const char *op = text_of(m, "op", "");
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (strcmp(ops[i].op, op) == 0) {
            ops[i].act(s, m);
            return;
        }
    }
    log_line("the session sent an unknown message '%s'", op);
}

void supervisor_read(struct supervisor *s)
{
    struct err e;
    json_t *m = NULL;
    bool ack = false;
    enum err_code rc = session_input_fill(&s->input, s->process.socket, &e);
    while (rc == ERR_NONE && (rc = session_input_next(&s->input, &m, &ack, &e)) == ERR_NONE && m) {
        supervisor_drain(s);
        handle(s, m);
        json_decref(m);
        if (ack && s->process.socket >= 0) {
            session_ack(s->process.socket);
        }
    }
    if (rc != ERR_NONE) {
        log_line("the session is killed: %s", e.msg);
        s->input.eof = true;
        supervisor_kill(s);
    } else if (s->input.eof && !s->dying) {
        supervisor_kill(s); /* it closed its end: whatever it does now, it cannot tell us */
    }
}

/* ---- death ---- */

/* What it printed and sent before it died. */
static void read_last_words(struct supervisor *s)
{
    char next = 0;
    s->dying = true;
    while (!s->input.eof && recv(s->process.socket, &next, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) {
        supervisor_read(s); /* until end of file, or nothing is left and others hold the socket */
    }
    supervisor_drain(s);
    capture_end(&s->capture);
    s->dying = false;
}

/* There is no copy to go back to. */
static void tell_loss(struct supervisor *s, const char *how)
{
    char text[SUPERVISOR_NOTE_MAX / 2];
    const char *name = s->killed ? "KeyboardInterrupt" : "SessionDied";
    (void)snprintf(text, sizeof text, "%s %s; its variables and functions are lost",
                   s->killed ? "the cell did not stop, and its session" : "the session", how);
    if (s->running && !s->last_done) {
        if (!s->failed) {
            s->events.error(s->events.ctx, name, text, NULL);
        }
        finish_cell(s, false, NULL, NULL);
    } else {
        (void)snprintf(s->note, sizeof s->note, "weir: %s %s\n", s->last_done ? "after the previous cell" : "between the cells",
                       text);
    }
}

/* What the copy that is to be woken has to know. */
static struct takeover describe(struct supervisor *s, size_t back, int status)
{
    bool in_cell = s->running && !s->last_done;
    struct takeover t = { .kind = back > 0 ? TAKEOVER_UNDO : in_cell ? TAKEOVER_CELL : TAKEOVER_IDLE,
                          .status = status,
                          .killed = s->killed,
                          .count = s->count,
                          .current = !s->copies.stale && !s->waking };
    if (in_cell) {
        t.ended = process_kill_younger(s->started, s->copies.at, s->copies.n);
    }
    for (size_t i = 0; i < back && i < s->copies.n && i < UNDO_MAX; i++) {
        t.undone[t.nundone++] = s->copies.at[s->copies.n - 1 - i].count;
    }
    return t;
}

static size_t undo_of(const json_t *done)
{
    json_int_t n = json_integer_value(json_object_get(done, "undo"));
    return n < 0 ? 0 : n > UNDO_MAX ? UNDO_MAX : (size_t)n;
}

/* Whether a copy goes on; else a fresh session does, and the user has been told. */
static bool replace(struct supervisor *s, int status, const char *how)
{
    struct err e;
    struct checkpoint copy;
    size_t back = undo_of(s->last_done);
    bool began = s->ready || s->waking;
    struct takeover takeover = describe(s, back, status);
    if (began && checkpoints_take(&s->copies, back, &copy)) {
        supervisor_wake(s, &copy, &takeover);
        return true;
    }
    supervisor_reset(s);
    if (began && supervisor_respawn(s, &e) != ERR_NONE) { /* one that cannot even start: not before the next cell */
        log_line("no new session: %s", e.msg);
    }
    tell_loss(s, how);
    return false;
}

void supervisor_bury(struct supervisor *s, int status)
{
    char how[128];
    read_last_words(s);
    ending_describe(status, how, sizeof how);
    log_line("the session %s", how);
    if (s->last_done) {
        supervisor_take_copy(s, s->last_done);
    }
    bool copy = replace(s, status, how);
    json_t *done = s->last_done;
    s->last_done = NULL;
    if (done && !(copy && undo_of(done) > 0)) { /* else the copy ends the cell */
        finish_by(s, done);
    }
    json_decref(done);
}
