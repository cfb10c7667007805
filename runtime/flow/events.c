/* See events.h. Lines are gathered and written when there are many, or when the runner has looked around (events_flush):
 * a write a line would wake the reader 10,000 times. */
#include "runtime/flow/events.h"

#include "runtime/base/buf.h"
#include "runtime/base/file.h"
#include "runtime/base/utf8.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { GATHERED = 32 << 10, FAILED_MOST = 20 };

static const double progress_every = 0.1; /* seconds */

struct events {
    int fd;                 /* -1: off, or the reader is gone */
    struct buf lines;
    json_t *progress;       /* the newest one not written; NULL: none */
    double last_progress;   /* elapsed seconds; < 0: none yet */
    uint64_t failed;
};

struct events *events_new(int fd)
{
    struct events *v = calloc(1, sizeof *v);
    if (v) {
        v->fd = fd;
        v->last_progress = -1;
        buf_init(&v->lines, 0);
    }
    return v;
}

void events_free(struct events *v)
{
    if (v) {
        events_flush(v);
        json_decref(v->progress);
        buf_done(&v->lines);
        free(v);
    }
}

void events_flush(struct events *v)
{
    struct err e;
    if (v->fd < 0 || !v->lines.len) {
        return;
    }
    if (buf_check(&v->lines, "events", &e) || file_write_all(v->fd, v->lines.data, v->lines.len, "events", &e)) {
        v->fd = -1; /* who listened is gone: the run goes on */
    }
    buf_clear(&v->lines);
}

static int add(const char *text, size_t len, void *lines)
{
    buf_add(lines, text, len);
    return 0;
}

/* Write an event; takes it. */
static void emit(struct events *v, json_t *event)
{
    if (event && v->fd >= 0) {
        (void)json_dump_callback(event, add, &v->lines, JSON_COMPACT | JSON_ENSURE_ASCII);
        buf_char(&v->lines, '\n');
        if (v->lines.len >= GATHERED) {
            events_flush(v);
        }
    }
    json_decref(event);
}

/* A string of any bytes: what is not UTF-8, or NUL (which readers of JSON refuse), becomes U+FFFD. */
static json_t *text_value(const char *text, size_t len)
{
    json_t *plain = memchr(text, '\0', len) ? NULL : json_stringn(text, len);
    if (plain) {
        return plain;
    }
    struct buf b;
    buf_init(&b, 0);
    for (size_t i = 0; i < len;) {
        size_t n = text[i] ? utf8_sequence(text + i, len - i) : 0;
        buf_add(&b, n ? text + i : "\xef\xbf\xbd", n ? n : 3);
        i += n ? n : 1;
    }
    json_t *value = b.failed ? json_string("") : json_stringn(b.data, b.len);
    buf_done(&b);
    return value;
}

void events_run(struct events *v, const struct weir_flow *flow, const char *run, const char *tier, const char *store)
{
    if (v->fd < 0) {
        return;
    }
    json_t *steps = json_array();
    for (unsigned i = 0; i < flow->nsteps; i++) {
        const struct weir_step *s = &flow->steps[i];
        json_t *next = json_array();
        for (unsigned k = 0; k < s->nnext; k++) {
            (void)json_array_append_new(next, json_string(flow->steps[s->next[k]].name));
        }
        (void)json_array_append_new(steps, json_pack("{s:s, s:o, s:b, s:b, s:s}", "name", s->name, "next", next, "foreach",
                                                     s->foreach >= 0, "join", s->join, "cell", s->cell));
    }
    emit(v, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "event", "run", "run", run, "flow", flow->name, "tier", tier, "store",
                      text_value(store, strlen(store)), "steps", steps));
    events_flush(v);
}

void events_progress(struct events *v, const struct weir_flow *flow, const struct events_count *steps, double elapsed)
{
    if (v->fd < 0) {
        return;
    }
    json_t *counts = json_object();
    for (unsigned i = 0; i < flow->nsteps; i++) {
        const struct events_count *c = &steps[i];
        (void)json_object_set_new(counts, flow->steps[i].name,
                                  json_pack("{s:I, s:I, s:I, s:I}", "queued", (json_int_t)c->queued, "running",
                                            (json_int_t)c->running, "done", (json_int_t)c->done, "failed",
                                            (json_int_t)c->failed));
    }
    json_t *event = json_pack("{s:s, s:f, s:o}", "event", "progress", "elapsed", elapsed, "steps", counts);
    json_decref(v->progress);
    v->progress = NULL;
    if (v->last_progress >= 0 && elapsed - v->last_progress < progress_every) {
        v->progress = event; /* told with the next one, or at the end */
        return;
    }
    v->last_progress = elapsed;
    emit(v, event);
}

void events_log(struct events *v, const char *step, const char *path, const char *stream, const char *text, size_t len)
{
    if (v->fd >= 0) {
        emit(v, json_pack("{s:s, s:s, s:s, s:s, s:o}", "event", "log", "step", step, "path", path, "stream", stream, "text",
                          text_value(text, len)));
    }
}

void events_failed(struct events *v, const char *step, const char *path, const char *cell, int line, const char *reason)
{
    v->failed++;
    if (v->fd >= 0 && v->failed <= FAILED_MOST) {
        emit(v, json_pack("{s:s, s:s, s:s, s:s, s:i, s:o, s:i}", "event", "failed", "step", step, "path", path, "cell", cell,
                          "line", line, "reason", text_value(reason, strlen(reason)), "more", 0));
    }
}

void events_end(struct events *v, const char *run, const char *status, double elapsed, uint64_t tasks, const char *reason)
{
    if (v->progress) {
        emit(v, v->progress);
        v->progress = NULL;
    }
    if (v->failed > FAILED_MOST) {
        emit(v, json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:I}", "event", "failed", "step", "", "path", "", "cell", "", "line",
                          0, "reason", "more tasks failed", "more", (json_int_t)(v->failed - FAILED_MOST)));
    }
    emit(v, json_pack("{s:s, s:s, s:s, s:f, s:I, s:o}", "event", "end", "run", run, "status", status, "elapsed", elapsed,
                      "tasks", (json_int_t)tasks, "reason", text_value(reason, strlen(reason))));
    events_flush(v);
}
