/* Texts of the views: times, sizes, and the graph as lines. See view.h. */
#include "runtime/view/layout.h"
#include "runtime/view/view.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void view_seconds(struct buf *out, double seconds)
{
    if (seconds < 0.0995) {
        buf_printf(out, "%.3g ms", seconds < 0 ? 0.0 : seconds * 1e3);
    } else if (seconds < 9.95) {
        buf_printf(out, "%.2f s", seconds);
    } else if (seconds < 119.5) {
        buf_printf(out, "%.0f s", seconds);
    } else {
        uint64_t whole = (uint64_t)(seconds + 0.5);
        buf_printf(out, "%" PRIu64 " min %" PRIu64 " s", whole / 60, whole % 60);
    }
}

void view_bytes(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
    if (bytes < 1000) {
        buf_printf(out, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
        return;
    }
    double value = (double)bytes / 1000;
    unsigned unit = 0;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    buf_printf(out, "%.3g %s", value, units[unit]);
}

static void print_counts(struct buf *out, const struct view_step *s)
{
    uint64_t total = s->queued + s->running + s->done + s->failed;
    buf_printf(out, "%" PRIu64 "/%" PRIu64, s->done, total);
    if (s->failed) {
        buf_printf(out, ", %" PRIu64 " failed", s->failed);
    } else if (s->running) {
        buf_str(out, " running");
    } else if (total && s->done == total) {
        buf_str(out, " done");
    }
    if (s->seconds > 0) {
        buf_str(out, "  ");
        view_seconds(out, s->seconds);
    }
}

/* "train join -> a, b (foreach rate)" */
static void print_step(struct buf *out, const struct graph_step *s)
{
    buf_printf(out, "%s%s", s->name, s->join ? " (join)" : "");
    for (unsigned k = 0; k < s->nnext; k++) {
        buf_printf(out, "%s%s", k == 0 ? " -> " : ", ", s->next[k]);
    }
    if (s->foreach) {
        buf_printf(out, " (foreach %s)", s->foreach);
    }
}

enum err_code view_graph_text(struct buf *out, const struct graph *g, const struct view_step *states, struct err *e)
{
    struct arena a;
    arena_init(&a);
    struct buf line;
    buf_init(&line, 0);
    struct layout l = { 0 };
    enum err_code code = layout_graph(g, &a, &l, e);
    if (code) {
        goto done;
    }
    size_t widest = 0;
    for (unsigned i = 0; i < g->nsteps; i++) {
        buf_clear(&line);
        print_step(&line, &g->steps[i]);
        widest = line.len > widest ? line.len : widest;
    }
    for (unsigned rank = 0; rank < l.nnodes; rank++) {
        for (unsigned i = 0; i < g->nsteps; i++) {
            if (l.nodes[i].rank != rank) {
                continue;
            }
            buf_clear(&line);
            print_step(&line, &g->steps[i]);
            buf_str(out, line.data);
            if (states) {
                buf_printf(out, "%*s", (int)(widest - line.len + 2), "");
                print_counts(out, &states[i]);
            }
            buf_char(out, '\n');
        }
    }
    code = buf_check(out, "the flow's picture", e);
done:
    buf_done(&line);
    arena_done(&a);
    return code;
}
