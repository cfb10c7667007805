/* See summary.h. */
#include "magics/summary.h"

#include "magics/known.h"
#include "magics/progress.h"
#include "runtime/base/html.h"
#include "runtime/view/table.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_TASKS = 5000 /* beyond that a step's time is what the progress events showed */ };

/* Exact times of the steps, from the tasks' rows. */
static enum err_code read_times(struct progress *p, struct metadata *m, int64_t run, struct arena *a, struct err *e)
{
    struct meta_task *tasks = NULL;
    size_t n = 0;
    enum err_code code = metadata_tasks(m, run, NULL, a, &tasks, &n, e);
    for (unsigned i = 0; !code && i < p->graph.nsteps; i++) {
        int64_t began = INT64_MAX;
        int64_t ended = 0;
        for (size_t k = 0; k < n; k++) {
            if (strcmp(tasks[k].step, p->graph.steps[i].name) == 0) {
                began = tasks[k].started < began ? tasks[k].started : began;
                ended = tasks[k].finished > ended ? tasks[k].finished : ended;
            }
        }
        if (ended > began) {
            p->steps[i].seconds = (double)(ended - began) / 1e6;
        }
    }
    return code;
}

static void write_steps(const struct progress *p, struct buf *html, struct buf *text)
{
    static const char *const heads[] = { "step", "tasks", "failed", "time" };
    unsigned *order = arena_alloc(p->arena, (p->graph.nsteps + 1) * sizeof *order);
    if (!order) {
        return;
    }
    graph_order(&p->graph, order);
    struct table t;
    table_init(&t, heads, 4);
    table_right(&t, 1);
    table_right(&t, 2);
    for (unsigned k = 0; k < p->graph.nsteps; k++) {
        const struct view_step *s = &p->steps[order[k]];
        uint64_t total = s->queued + s->running + s->done + s->failed;
        table_cell(&t, "%s", p->graph.steps[order[k]].name);
        table_cell(&t, s->done == total ? "%" PRIu64 : "%" PRIu64 "/%" PRIu64, s->done, total);
        table_cell(&t, s->failed ? "%" PRIu64 : "", s->failed);
        struct buf time;
        buf_init(&time, 0);
        if (total) {
            view_seconds(&time, s->seconds);
        }
        table_cell(&t, "%s", time.data);
        buf_done(&time);
    }
    table_write(&t, html, text);
    table_done(&t);
}

static void write_artifacts(const struct progress *p, struct metadata *m, int64_t run, struct arena *a, struct buf *html,
                            struct buf *text, struct err *e)
{
    struct artifact_line *lines = NULL;
    size_t n = 0;
    if (artifacts_list(m, p->store, run, a, &lines, &n, e)) {
        buf_printf(text, "artifacts: %s\n", e->msg);
        buf_str(html, "<div>artifacts: ");
        html_escape(html, e->msg);
        buf_str(html, "</div>");
    } else if (n) {
        struct known k;
        known_flow(p->m, p->flow, a, &k);
        known_lines(&k, lines, n);
        buf_char(text, '\n');
        artifacts_write_list(html, text, lines, n);
    }
}

static void write_head(const struct progress *p, struct buf *html, struct buf *text)
{
    struct buf line;
    buf_init(&line, 0);
    buf_printf(&line, "%s in ", strcmp(p->status, "done") == 0 ? "done" : p->status[0] ? p->status : "ended");
    view_seconds(&line, p->elapsed);
    buf_printf(text, "flow '%s', run %s: %s\n", p->flow, p->run, line.data);
    if (view_graph_svg(html, &p->graph, p->steps, NULL)) {
        buf_clear(html); /* too many steps to draw: the table says it all */
    }
    buf_str(html, "<div style=\"font-size:90%\">flow <b>");
    html_escape(html, p->flow);
    buf_str(html, "</b> · run ");
    html_escape(html, p->run);
    buf_str(html, " · ");
    html_escape(html, line.data);
    buf_str(html, "</div>");
    buf_done(&line);
}

void summary_write(struct progress *p, struct buf *html, struct buf *text)
{
    struct arena a;
    struct err e = { 0 };
    struct metadata *m = NULL;
    struct meta_run run = { 0 };
    arena_init(&a);
    enum err_code code = metadata_open(p->store, false, &m, &e);
    code = code ? code : metadata_run_find(m, p->flow, p->run, &a, &run, &e);
    if (!code && run.tasks <= MAX_TASKS) {
        code = read_times(p, m, run.id, &a, &e);
    }
    write_head(p, html, text);
    buf_str(html, "<div style=\"display:flex;flex-wrap:wrap;gap:1em 2em;align-items:flex-start\">");
    write_steps(p, html, text);
    if (!code && run.tasks <= MAX_TASKS) {
        write_artifacts(p, m, run.id, &a, html, text, &e);
    } else if (code) {
        buf_printf(text, "the run's record can't be read: %s\n", e.msg);
    }
    buf_str(html, "</div>");
    if (!text->failed && text->len && text->data[text->len - 1] == '\n') {
        text->data[--text->len] = '\0';
    }
    metadata_close(m);
    arena_done(&a);
}
