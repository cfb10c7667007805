/* What comes from a session: messages, output, and its death. See supervisor.h and supervisor_state.h.
 *
 * Order of output: whatever was printed before a message is in the pipes when the message can be read, and nothing
 * printed after it is there before the message is acknowledged (session_protocol.h). So: message, pipes, handle,
 * acknowledge. */
#include "kernel/supervisor_state.h"

#include "kernel/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_CHUNK = 64 << 10,
    DRAIN_MAX = 1 << 20 /* bytes of a pipe in one go: what it can hold */
};

/* Read what a pipe holds now. A closed one becomes -1. */
static void drain(struct supervisor *s, int *fd, enum capture_stream stream)
{
    char chunk[READ_CHUNK];
    for (size_t total = 0; *fd >= 0 && total < DRAIN_MAX;) {
        ssize_t n = read(*fd, chunk, sizeof chunk);
        if (n > 0) {
            capture_add(&s->capture, stream, chunk, (size_t)n);
            total += (size_t)n;
            if ((size_t)n < sizeof chunk) {
                return; /* a pipe gives all that it has */
            }
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else if (n < 0 && errno == EAGAIN) {
            return;
        } else {
            (void)close(*fd);
            *fd = -1;
        }
    }
}

void supervisor_drain(struct supervisor *s)
{
    drain(s, &s->process.out, CAPTURE_STDOUT);
    drain(s, &s->process.err, CAPTURE_STDERR);
}

static void finish_cell(struct supervisor *s, bool ok, json_t *payload, json_t *user_expressions)
{
    capture_end(&s->capture);
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
    (void)m;
    s->ready = true;
    if (s->interrupt_due && s->running) {
        supervisor_signal(s, SIGINT);
    }
    s->interrupt_due = false;
}

static void on_stream(struct supervisor *s, json_t *m)
{
    const json_t *text = json_object_get(m, "text");
    bool err = strcmp(text_of(m, "name", "stdout"), "stderr") == 0;
    if (json_is_string(text)) {
        capture_add(&s->capture, err ? CAPTURE_STDERR : CAPTURE_STDOUT, json_string_value(text),
                    json_string_length(text));
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
    struct err e;
    if (!s->running) {
        log_line("the session ended a cell that was not running");
        return;
    }
    if (s->dying) {
        json_decref(s->last_done);
        s->last_done = json_incref(m);
        return;
    }
    capture_end(&s->capture);
    if (s->checkpoint.commit(s->checkpoint.self, s, &e) != ERR_NONE) {
        log_line("the session's checkpoint could not be kept: %s", e.msg);
    }
    finish_by(s, m);
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
                { "reply", on_reply },   { "ready", on_ready } };
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
        supervisor_signal(s, SIGKILL);
    } else if (s->input.eof && !s->dying) {
        supervisor_signal(s, SIGKILL); /* it closed its end: whatever it does now, it cannot tell us */
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

static void tell_death(struct supervisor *s, const char *how, bool restored)
{
    char text[SUPERVISOR_NOTE_MAX];
    const char *name = s->killed ? "KeyboardInterrupt" : "SessionDied";
    (void)snprintf(text, sizeof text, "%s %s; %s", s->killed ? "the cell did not stop, and its session" : "the session",
                   how, restored ? "the state from before the cell is back" : "its variables and functions are lost");
    if (s->last_done) {
        (void)snprintf(s->note, sizeof s->note, "weir: after the previous cell %s\n", text);
        finish_by(s, s->last_done);
    } else if (s->running) {
        if (!s->failed) {
            s->events.error(s->events.ctx, name, text, NULL);
        }
        finish_cell(s, false, NULL, NULL);
    } else {
        (void)snprintf(s->note, sizeof s->note, "weir: between the cells %s\n", text);
    }
    json_decref(s->last_done);
    s->last_done = NULL;
}

void supervisor_bury(struct supervisor *s, int status)
{
    struct err e;
    char how[128];
    bool restored = false;
    supervisor_signal(s, SIGKILL); /* what it started and left behind */
    read_last_words(s);
    process_describe(status, how, sizeof how);
    log_line("the session %s", how);
    if (!s->ready) {
        supervisor_reset(s); /* one that cannot even start is not tried again before the next cell */
    } else if (s->checkpoint.take_over(s->checkpoint.self, s, status, &restored, &e) != ERR_NONE) {
        log_line("no new session: %s", e.msg);
        supervisor_reset(s);
    }
    tell_death(s, how, restored);
}
