/* See runs.h. */
#include "runtime/view/runs.h"

#include "runtime/view/table.h"
#include "runtime/view/view.h"

#include <inttypes.h>
#include <time.h>

const char *run_status_text(int status)
{
    switch ((enum meta_status)status) {
    case META_RUNNING:
        return "running";
    case META_DONE:
        return "done";
    case META_FAILED:
        return "failed";
    case META_INTERRUPTED:
        return "interrupted";
    }
    return "unknown";
}

void runs_write(struct buf *html, struct buf *text, const struct meta_run *runs, size_t count)
{
    static const char *const heads[] = { "run", "flow", "status", "started", "time", "tasks", "reason" };
    struct table t;
    table_init(&t, heads, 7);
    table_right(&t, 5);
    for (size_t i = 0; i < count; i++) {
        const struct meta_run *r = &runs[i];
        char when[32] = "";
        struct tm parts;
        time_t seconds = (time_t)(r->started / 1000000);
        if (localtime_r(&seconds, &parts)) {
            (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts); /* always fits */
        }
        struct buf took;
        buf_init(&took, 0);
        if (r->finished > r->started) {
            view_seconds(&took, (double)(r->finished - r->started) / 1e6);
        }
        table_cell(&t, "%s", r->name);
        table_cell(&t, "%s", r->flow);
        table_cell(&t, "%s", run_status_text(r->status));
        table_cell(&t, "%s", when);
        table_cell(&t, "%s", took.data);
        table_cell(&t, "%" PRId64, r->tasks);
        table_cell(&t, "%s", r->reason);
        buf_done(&took);
    }
    table_write(&t, html, text);
    table_done(&t);
}
