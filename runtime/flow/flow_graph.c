/* See flow_graph.h. Drawing follows the graph's nesting: what lies between a split and its join is indented under the split. */
#include "runtime/flow/flow_graph.h"

#include <string.h>

enum { CELL_COLUMN = 44 };

enum err_code flow_graph(const struct weir_flow *flow, struct arena *a, struct graph *out, struct err *e)
{
    *out = (struct graph){ .flow = flow->name, .nsteps = flow->nsteps };
    out->steps = arena_alloc(a, (flow->nsteps + 1) * sizeof *out->steps);
    if (!out->steps) {
        return err_memory(e);
    }
    for (unsigned i = 0; i < flow->nsteps; i++) {
        const struct weir_step *s = &flow->steps[i];
        const char **next = arena_alloc(a, (s->nnext + 1) * sizeof *next);
        if (!next) {
            return err_memory(e);
        }
        for (unsigned k = 0; k < s->nnext; k++) {
            next[k] = flow->steps[s->next[k]].name;
        }
        out->steps[i] = (struct graph_step){
            .name = s->name, .next = next, .nnext = s->nnext, .join = s->join != 0, .cell = s->cell, .line = s->line,
            .foreach = s->foreach >= 0 ? flow->artifacts[s->foreach].name : NULL
        };
    }
    enum err_code code = graph_check(out, e);
    for (unsigned i = 0; !code && i < flow->nsteps; i++) {
        if (out->steps[i].depth > FLOW_GRAPH_DEPTH) {
            code = err_set(e, ERR_LIMIT, "step '%s' lies inside %u fan-outs; %d are the most", flow->steps[i].name,
                           out->steps[i].depth, FLOW_GRAPH_DEPTH);
        }
    }
    return code;
}

/* ---- as text ---- */

/* Columns that UTF-8 text takes: its characters. */
static size_t columns(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return n;
}

static void put_line(struct buf *out, const struct graph *g, const struct graph_step *s, const char *lead)
{
    size_t from = out->len;
    buf_printf(out, "%s%s", lead, s->name);
    if (s->foreach) {
        buf_printf(out, "  -> %s, for each %s", s->next[0], s->foreach);
    }
    const char *sep = "  <- ";
    for (unsigned i = 0; s->join && i < g->nsteps; i++) {
        for (unsigned k = 0; k < g->steps[i].nnext; k++) {
            if (strcmp(g->steps[i].next[k], s->name) == 0) {
                buf_printf(out, "%s%s%s", sep, strcmp(sep, ", ") ? "joins " : "", g->steps[i].name);
                sep = ", ";
            }
        }
    }
    if (s->cell && s->cell[0] && !out->failed) {
        size_t used = columns(out->data + from, out->len - from);
        buf_printf(out, "%*s%s", used < CELL_COLUMN ? (int)(CELL_COLUMN - used) : 2, "", s->cell);
    }
    buf_char(out, '\n');
}

/* From step on, up to the join that closes the split around it (returned) or the end (-1). lead stands before the first
 * line, rest before the others. */
static int put_chain(struct buf *out, const struct graph *g, int step, const char *lead, const char *rest)
{
    while (step >= 0 && !out->failed) {
        const struct graph_step *s = &g->steps[step];
        put_line(out, g, s, lead);
        lead = rest;
        int next = s->nnext ? graph_find(g, s->next[0]) : -1;
        if (s->nnext > 1 || s->foreach) {
            int join = -1;
            for (unsigned i = 0; i < s->nnext; i++) {
                struct buf first;
                struct buf more;
                bool last = i + 1 == s->nnext;
                buf_init(&first, 0);
                buf_init(&more, 0);
                buf_printf(&first, "%s %s ", rest, s->foreach ? "╘═" : last ? "└─" : "├─");
                buf_printf(&more, "%s %s ", rest, last ? "  " : "│ ");
                join = put_chain(out, g, graph_find(g, s->next[i]), first.data, more.data);
                out->failed = out->failed || first.failed || more.failed;
                buf_done(&first);
                buf_done(&more);
            }
            next = join;
        } else if (next >= 0 && g->steps[next].join) {
            return next;
        }
        step = next;
    }
    return -1;
}

enum err_code flow_graph_text(struct buf *out, const struct graph *g, struct err *e)
{
    (void)put_chain(out, g, g->first, "", "");
    return buf_check(out, "the graph", e);
}
