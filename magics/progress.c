/* See progress.h. */
#include "magics/progress.h"

#include "magics/summary.h"
#include "runtime/base/clock.h"
#include "runtime/base/html.h"

#include <stdio.h>
#include <string.h>

enum { SHOW_EVERY_MS = 100 };

enum err_code progress_init(struct progress *p, struct magics *m, const char *flow, struct arena *a, struct err *e)
{
    *p = (struct progress){ .m = m, .arena = a, .flow = flow };
    enum err_code code = flows_graph(m->host.flows, flow, a, &p->graph, e);
    if (code) {
        return code;
    }
    p->steps = arena_alloc(a, (p->graph.nsteps + 1) * sizeof *p->steps);
    p->began = arena_alloc(a, (p->graph.nsteps + 1) * sizeof *p->began);
    if (!p->steps || !p->began) {
        return err_memory(e);
    }
    for (unsigned i = 0; i < p->graph.nsteps; i++) {
        p->began[i] = -1;
    }
    (void)snprintf(p->display_id, sizeof p->display_id, "weir-run-%u-%p", ++m->displays, (void *)m);
    return ERR_NONE;
}

/* ---- the display while it runs ---- */

static uint64_t all_running(const struct progress *p)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < p->graph.nsteps; i++) {
        n += p->steps[i].running;
    }
    return n;
}

static void show_live(struct progress *p)
{
    struct buf html, text;
    buf_init(&html, 0);
    buf_init(&text, 0);
    bool picture = view_graph_svg(&html, &p->graph, p->steps, NULL) == ERR_NONE; /* too big: the line below is enough */
    if (!picture) {
        buf_clear(&html);
    }
    buf_str(&html, "<div style=\"font-size:90%\">flow <b>");
    html_escape(&html, p->flow);
    buf_str(&html, "</b> · run ");
    html_escape(&html, p->run);
    buf_printf(&html, " · %llu running · ", (unsigned long long)all_running(p));
    view_seconds(&html, p->elapsed);
    buf_str(&html, "</div>");
    buf_printf(&text, "flow '%s', run %s, ", p->flow, p->run);
    view_seconds(&text, p->elapsed);
    buf_char(&text, '\n');
    (void)view_graph_text(&text, &p->graph, p->steps, NULL);
    if (!html.failed && !text.failed) {
        show_bundle(p->m, html.data, text.data, p->display_id, p->shown);
        p->shown = true;
        p->last = clock_ns();
    }
    buf_done(&html);
    buf_done(&text);
}

static bool is_due(const struct progress *p)
{
    return !p->shown || (clock_ns() - p->last) / 1000000 >= SHOW_EVERY_MS;
}

/* ---- events ---- */

static const char *text_of(json_t *event, const char *key)
{
    const char *text = json_string_value(json_object_get(event, key));
    return text ? text : "";
}

static void copy_text(char *out, size_t size, json_t *event, const char *key)
{
    (void)snprintf(out, size, "%s", text_of(event, key)); /* longer ones are cut */
}

static uint64_t number_of(json_t *object, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(object, key));
    return n > 0 ? (uint64_t)n : 0;
}

static void take_progress(struct progress *p, json_t *event)
{
    p->elapsed = json_number_value(json_object_get(event, "elapsed"));
    json_t *steps = json_object_get(event, "steps");
    for (unsigned i = 0; i < p->graph.nsteps; i++) {
        json_t *counts = json_object_get(steps, p->graph.steps[i].name);
        if (!counts) {
            continue;
        }
        struct view_step *s = &p->steps[i];
        bool was_done = s->done && !s->queued && !s->running;
        s->queued = number_of(counts, "queued");
        s->running = number_of(counts, "running");
        s->done = number_of(counts, "done");
        s->failed = number_of(counts, "failed");
        if (p->began[i] < 0 && (s->running || s->done || s->failed)) {
            p->began[i] = p->elapsed;
        }
        if (p->began[i] >= 0 && !was_done) {
            s->seconds = p->elapsed - p->began[i];
        }
    }
    if (is_due(p)) {
        show_live(p);
    }
}

/* Each line of a task's output with its step and indices in front. */
static void take_log(struct progress *p, json_t *event)
{
    const char *step = text_of(event, "step");
    const char *path = text_of(event, "path");
    const char *stream = strcmp(text_of(event, "stream"), "stderr") == 0 ? "stderr" : "stdout";
    const char *text = text_of(event, "text");
    struct buf out;
    buf_init(&out, 0);
    while (*text) {
        size_t len = strcspn(text, "\n");
        buf_printf(&out, "[%s%s%s] ", step, path[0] ? " " : "", path);
        buf_add(&out, text, len);
        buf_char(&out, '\n');
        text += len + (text[len] == '\n');
    }
    if (!out.failed && out.len) {
        p->m->host.stream(p->m->host.ctx, stream, out.data, out.len);
    }
    buf_done(&out);
}

static void take_failed(struct progress *p, json_t *event)
{
    uint64_t more = number_of(event, "more");
    p->failures += 1 + more;
    if (p->failure[0]) {
        return;
    }
    const char *path = text_of(event, "path");
    (void)snprintf(p->failure, sizeof p->failure, "step '%s'%s%s failed: %s", text_of(event, "step"), path[0] ? ", index " : "",
                   path, text_of(event, "reason"));
    copy_text(p->cell, sizeof p->cell, event, "cell");
    p->line = (int)json_integer_value(json_object_get(event, "line"));
}

void progress_event(void *ctx, json_t *event)
{
    struct progress *p = ctx;
    const char *kind = text_of(event, "event");
    if (strcmp(kind, "run") == 0) {
        copy_text(p->run, sizeof p->run, event, "run");
        copy_text(p->store, sizeof p->store, event, "store");
        show_live(p);
    } else if (strcmp(kind, "progress") == 0) {
        take_progress(p, event);
    } else if (strcmp(kind, "log") == 0) {
        take_log(p, event);
    } else if (strcmp(kind, "failed") == 0) {
        take_failed(p, event);
    } else if (strcmp(kind, "end") == 0) {
        copy_text(p->run, sizeof p->run, event, "run");
        copy_text(p->status, sizeof p->status, event, "status");
        copy_text(p->reason, sizeof p->reason, event, "reason");
        p->elapsed = json_number_value(json_object_get(event, "elapsed"));
        p->tasks = number_of(event, "tasks");
    }
}

void progress_finish(struct progress *p)
{
    struct buf html, text;
    if (!p->shown) {
        return; /* no run came to be */
    }
    buf_init(&html, 0);
    buf_init(&text, 0);
    summary_write(p, &html, &text);
    if (!html.failed && !text.failed) {
        show_bundle(p->m, html.data, text.data, p->display_id, true);
    }
    buf_done(&html);
    buf_done(&text);
}
