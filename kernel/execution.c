/* See execution.h. */
#include "kernel/execution.h"

#include "kernel/log.h"
#include "kernel/replies.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20 }; /* bytes of a line */

/* What a terminal sends for Ctrl-D. Front ends have no key for it, so that it may be written, too. */
static const char end_of_file[] = "\x04", end_as_typed[] = "^D";

static const char refused[] = "weir: a line of input has at most 1 MiB. Type a shorter one, or let the cell read a file: "
                              "freopen(\"input.txt\", \"r\", stdin)\n";

enum err_code execution_init(struct execution *x, struct err *e)
{
    *x = (struct execution){ 0 };
    return history_new(&x->history, e);
}

void execution_done(struct execution *x)
{
    message_free(x->running);
    json_decref(x->error);
    json_decref(x->question);
    json_decref(x->input);
    history_free(x->history);
    free(x->last_parent);
    *x = (struct execution){ 0 };
}

/* ---- what a cell shows ---- */

static void announce(struct execution *x);

/* Publish content (stolen) as the running cell's, or as the latest one's: a thread may write after its cell's end. */
static void publish(struct execution *x, const char *type, json_t *content)
{
    if (!content) {
        log_line("cannot publish '%s': out of memory, or text that is not UTF-8", type);
        return;
    }
    announce(x);
    if (!(x->running && x->silent)) {
        const char *parent = x->running ? x->running->header_text : x->last_parent;
        x->outlet.publish(x->outlet.self, parent, type, content);
    }
    json_decref(content);
}

/* Say what comes before all that the cell shows, once. Not earlier than it must be: the interpreter is at work meanwhile. */
static void announce(struct execution *x)
{
    json_t *input = x->input;
    if (!x->unannounced) {
        return;
    }
    x->unannounced = false;
    x->input = NULL;
    json_t *busy = json_pack("{s:s}", "execution_state", "busy");
    x->outlet.publish(x->outlet.self, x->running->header_text, "status", busy);
    json_decref(busy);
    if (input) {
        publish(x, "execute_input", input);
    }
}

static void on_stream(void *ctx, const char *name, const char *text, size_t len)
{
    json_t *string = json_stringn_nocheck(text, len); /* it is UTF-8 */
    publish(ctx, "stream", string ? json_pack("{s:s, s:o}", "name", name, "text", string) : NULL);
}

static void on_display(void *ctx, json_t *data, json_t *metadata, const char *display_id, bool update)
{
    json_t *transient = display_id ? json_pack("{s:s}", "display_id", display_id) : json_object();
    json_t *meta = metadata ? json_incref(metadata) : json_object();
    publish(ctx, update ? "update_display_data" : "display_data",
            json_pack("{s:O, s:o, s:o}", "data", data, "metadata", meta, "transient", transient));
}

static void on_clear_output(void *ctx, bool wait)
{
    publish(ctx, "clear_output", json_pack("{s:b}", "wait", wait));
}

static void on_result(void *ctx, json_t *data)
{
    struct execution *x = ctx;
    const char *plain = json_string_value(json_object_get(data, "text/plain"));
    if (x->running && x->store && plain) {
        history_set_output(x->history, x->count, plain);
    }
    publish(x, "execute_result", json_pack("{s:i, s:O, s:{}}", "execution_count", x->count, "data", data, "metadata"));
}

static void forget_question(struct execution *x)
{
    json_decref(x->question);
    x->question = NULL;
}

static void send_question(struct execution *x)
{
    x->outlet.ask(x->outlet.self, x->running, "input_request", x->question, x->asked);
}

static void on_input(void *ctx, const char *prompt, bool password)
{
    struct execution *x = ctx;
    forget_question(x);
    x->question = x->running ? json_pack("{s:s, s:b}", "prompt", prompt, "password", (int)password) : NULL;
    if (x->question) {
        announce(x);
        send_question(x);
    } else {
        log_line("the interpreter asks for input that nobody can give");
    }
}

static bool same_client(const struct message *a, const struct message *b)
{
    if (a->nidentities != b->nidentities) {
        return false;
    }
    for (size_t i = 0; i < a->nidentities; i++) {
        if (a->identities[i].len != b->identities[i].len ||
            memcmp(a->identities[i].data, b->identities[i].data, a->identities[i].len) != 0) {
            return false;
        }
    }
    return true;
}

/* A reply need not say what it answers; if it does, it has to be right. */
static bool is_for_another(const struct execution *x, const struct message *m)
{
    const char *type = json_string_value(json_object_get(m->parent, "msg_type"));
    const char *id = json_string_value(json_object_get(m->parent, "msg_id"));
    return type && id && strcmp(type, "input_request") == 0 && strcmp(id, x->asked) != 0;
}

const char *execution_input(struct execution *x, const struct message *m)
{
    const json_t *value = json_object_get(m->content, "value");
    size_t len = json_string_length(value);
    if (!x->running || !x->question) {
        return "nobody asked for input";
    }
    if (!same_client(m, x->running)) {
        return "another client was asked";
    }
    if (is_for_another(x, m)) {
        return "it answers another question";
    }
    if (!json_is_string(value) || len > INPUT_MAX) {
        on_stream(x, "stderr", refused, sizeof refused - 1);
        send_question(x);
        return "its 'value' is no text of at most 1 MiB: asked again";
    }
    const char *text = json_string_value(value);
    bool end = strcmp(text, end_of_file) == 0 || strcmp(text, end_as_typed) == 0;
    forget_question(x);
    x->interpreter.input(x->interpreter.self, end ? NULL : text, len);
    return NULL;
}

static void on_error(void *ctx, const char *ename, const char *evalue, json_t *traceback)
{
    struct execution *x = ctx;
    json_t *error = reply_error(ename, evalue, traceback);
    json_t *content = json_copy(error);
    if (content) {
        (void)json_object_del(content, "status"); /* the message has what the reply has, but for this */
    }
    publish(x, "error", content);
    json_decref(x->error);
    x->error = error;
}

/* ---- start and end ---- */

/* The execute_reply's content; new reference. */
static json_t *reply_content(const struct execution *x, bool ok, json_t *payload, json_t *user_expressions)
{
    json_t *content = NULL;
    if (ok) {
        content = json_pack("{s:s}", "status", "ok");
    } else if (x->error) {
        content = json_copy(x->error);
    } else {
        content = reply_error("Error", "the cell failed without saying why", NULL);
    }
    if (content) {
        (void)json_object_set_new(content, "execution_count", json_integer(x->count));
        (void)json_object_set_new(content, "payload", payload ? json_incref(payload) : json_array());
        (void)json_object_set_new(content, "user_expressions",
                                  user_expressions ? json_incref(user_expressions) : json_object());
    }
    return content;
}

static void on_done(void *ctx, bool ok, json_t *payload, json_t *user_expressions)
{
    struct execution *x = ctx;
    if (!x->running) {
        log_line("the interpreter ended a cell that was not running");
        return;
    }
    struct message *m = x->running;
    forget_question(x);
    announce(x);
    x->ended_us = wire_now_us();
    json_t *content = reply_content(x, ok, payload, user_expressions);
    json_t *metadata = json_pack("{s:s}", "started", x->started);
    x->outlet.reply(x->outlet.self, m, "execute_reply", metadata, content);
    json_decref(content);
    json_decref(metadata);
    json_decref(x->error);
    x->error = NULL;
    if (!x->silent) { /* nothing may appear in a silent cell's place */
        free(x->last_parent);
        x->last_parent = strdup(m->header_text); /* NULL, out of memory: late output has no parent */
    }
    x->running = NULL;
    x->finished(x->ctx, m, !ok && x->stop_on_error && !x->silent);
}

struct interpreter_events execution_events(struct execution *x)
{
    return (struct interpreter_events){ .ctx = x,
                                        .stream = on_stream,
                                        .display = on_display,
                                        .clear_output = on_clear_output,
                                        .result = on_result,
                                        .input = on_input,
                                        .error = on_error,
                                        .done = on_done };
}

static void fail(struct execution *x, const struct err *e)
{
    on_error(x, err_name(e->code), e->msg, NULL);
    on_done(x, false, NULL, NULL);
}

static bool flag(const json_t *content, const char *name, bool fallback)
{
    const json_t *value = json_object_get(content, name);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n\f\v")] == '\0';
}

static const char *cell_id_of(const struct message *m)
{
    return json_string_value(json_object_get(m->metadata, "cellId"));
}

void execution_start(struct execution *x, struct message *m)
{
    struct err e;
    const json_t *code = json_object_get(m->content, "code");
    const char *text = json_is_string(code) ? json_string_value(code) : "";
    x->interpreter.settle(x->interpreter.self);
    x->running = m;
    x->unannounced = true;
    x->silent = flag(m->content, "silent", false);
    x->store = !x->silent && flag(m->content, "store_history", true) && !is_blank(text);
    x->stop_on_error = flag(m->content, "stop_on_error", true);
    x->count = x->silent ? x->counter : x->counter + 1;
    wire_date(x->started);
    if (!json_is_string(code) || strlen(text) != json_string_length(code)) {
        err_set(&e, ERR_USAGE, "execute_request: 'code' must be a string without NUL characters");
        fail(x, &e);
        return;
    }
    if (x->store) {
        x->counter = x->count;
        if (history_add(x->history, x->count, text, &e) != ERR_NONE) {
            log_line("cell [%d] is not in the history: %s", x->count, e.msg);
        }
    }
    x->input = json_pack("{s:O, s:i}", "code", code, "execution_count", x->count);
    json_t *wanted = json_object_get(m->content, "user_expressions");
    struct execute_request request = { .code = text,
                                       .cell_id = cell_id_of(m),
                                       .count = x->count,
                                       .silent = x->silent,
                                       .allow_stdin = flag(m->content, "allow_stdin", false),
                                       .user_expressions = json_is_object(wanted) ? wanted : NULL };
    if (x->interpreter.execute(x->interpreter.self, &request, &e) != ERR_NONE) {
        fail(x, &e);
    }
    announce(x);
}
