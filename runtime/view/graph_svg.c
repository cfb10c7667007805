/* A flow's graph as SVG. See view.h.
 *
 * No ids, no classes, no scripts: several pictures on a page can't disturb one another, and JupyterLab's sanitiser leaves
 * them as they are. Arrows come in horizontally, so that their heads are plain triangles. */
#include "runtime/base/html.h"
#include "runtime/view/layout.h"
#include "runtime/view/view.h"

#include <inttypes.h>
#include <string.h>

/* Middle tones that read on white and on near-black, used at low opacity behind text in the page's own colour. */
#define COLOR_DONE "#2da44e"
#define COLOR_RUNNING "#3b82f6"
#define COLOR_FAILED "#e5484d"
#define COLOR_IDLE "currentColor"

enum { STACK = 4 /* pixels between the boxes of a stack */ };

static uint64_t total(const struct view_step *s)
{
    return s->queued + s->running + s->done + s->failed;
}

static const char *color(const struct view_step *s)
{
    if (!s || total(s) == 0) {
        return COLOR_IDLE;
    }
    if (s->failed) {
        return COLOR_FAILED;
    }
    if (s->done == total(s)) {
        return COLOR_DONE;
    }
    return s->running || s->done ? COLOR_RUNNING : COLOR_IDLE;
}

static void draw_edge(struct buf *out, const struct layout *l, const struct layout_edge *edge)
{
    const struct layout_node *from = &l->nodes[edge->from];
    const struct layout_node *to = &l->nodes[edge->to];
    double x = from->x + from->width + (from->many ? STACK * 2 : 0);
    double y = from->y + LAYOUT_BOX_HEIGHT / 2.0;
    double tip = to->x;
    double end = to->y + LAYOUT_BOX_HEIGHT / 2.0;
    buf_printf(out, "<path d=\"M%.1f %.1f", x, y);
    for (unsigned k = 0; k <= edge->nvia; k++) {
        bool last = k == edge->nvia;
        double nx = last ? tip - 7 : edge->via[k].x;
        double ny = last ? end : edge->via[k].y;
        double half = (nx - x) / 2;
        buf_printf(out, "C%.1f %.1f %.1f %.1f %.1f %.1f", x + half, y, nx - half, ny, nx, ny);
        x = nx;
        y = ny;
    }
    buf_str(out, "\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\".55\" stroke-width=\"1.5\"/>");
    buf_printf(out, "<path d=\"M%.1f %.1fl-8 -4v8z\" fill=\"currentColor\" fill-opacity=\".7\"/>", tip, end);
}

/* The loop variable, once at the split's right side. */
static void draw_label(struct buf *out, const struct layout *l, const struct layout_edge *edge)
{
    if (!edge->label) {
        return;
    }
    const struct layout_node *from = &l->nodes[edge->from];
    buf_printf(out,
               "<text x=\"%.1f\" y=\"%.1f\" font-size=\"11\" fill=\"currentColor\" fill-opacity=\".75\">",
               from->x + from->width + 8, from->y + LAYOUT_BOX_HEIGHT / 2.0 - 8);
    html_escape(out, edge->label);
    buf_str(out, "</text>");
}

static void draw_rect(struct buf *out, double x, double y, double width, const char *fill, const char *rest)
{
    buf_printf(out,
               "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"8\" fill=\"%s\" stroke=\"%s\" "
               "stroke-width=\"1.3\" %s/>",
               x, y, width, LAYOUT_BOX_HEIGHT, fill, fill, rest);
}

/* What stands under a step's name: counts and time while it runs, else what is special about it. */
static void draw_second_line(struct buf *out, const struct graph_step *step, const struct view_step *s)
{
    if (!step) {
        buf_str(out, "no such cell yet");
        return;
    }
    if (!s || total(s) == 0) {
        buf_str(out, step->join ? "join" : "");
        return;
    }
    if (s->failed) {
        buf_printf(out, "%" PRIu64 " failed of %" PRIu64, s->failed, total(s));
        return;
    }
    buf_printf(out, "%" PRIu64 "/%" PRIu64, s->done, total(s));
    if (s->seconds > 0) {
        buf_str(out, " · ");
        view_seconds(out, s->seconds);
    }
}

static void draw_node(struct buf *out, const struct layout_node *n, const struct graph_step *step,
                      const struct view_step *s)
{
    const char *fill = color(s);
    buf_str(out, "<g><title>");
    html_escape(out, n->name);
    if (step && step->cell && step->cell[0]) {
        buf_str(out, ", ");
        html_escape(out, step->cell);
    }
    buf_str(out, "</title>");
    for (int k = n->many ? 2 : 0; k > 0; k--) {
        draw_rect(out, n->x + STACK * k, n->y + STACK * k, n->width, fill, "fill-opacity=\".05\" stroke-opacity=\".45\"");
    }
    const char *look = !step ? "fill-opacity=\"0\" stroke-opacity=\".6\" stroke-dasharray=\"4 3\""
                             : "fill-opacity=\".16\" stroke-opacity=\".8\"";
    draw_rect(out, n->x, n->y, n->width, fill, look);
    if (s && s->done && s->done < total(s)) {
        buf_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"3\" rx=\"1.5\" fill=\"%s\"/>", n->x + 6,
                   n->y + LAYOUT_BOX_HEIGHT - 5.0, (n->width - 12) * (double)s->done / (double)total(s), fill);
    }
    struct buf second;
    buf_init(&second, 0);
    draw_second_line(&second, step, s);
    double middle = n->x + n->width / 2;
    buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-weight=\"600\" fill=\"currentColor\">", middle,
               n->y + (second.len ? 20 : 28));
    html_escape(out, n->name);
    buf_str(out, "</text>");
    if (second.len) {
        buf_printf(out,
                   "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-size=\"11\" fill=\"currentColor\" "
                   "fill-opacity=\".8\">%s</text>",
                   middle, n->y + 36, second.data);
    }
    buf_str(out, "</g>");
    buf_done(&second);
}

enum err_code view_graph_svg(struct buf *out, const struct graph *g, const struct view_step *states, struct err *e)
{
    struct arena a;
    arena_init(&a);
    struct layout l = { 0 };
    enum err_code code = layout_graph(g, &a, &l, e);
    if (code) {
        goto done;
    }
    double width = l.width + STACK * 2;
    double height = l.height + STACK * 2;
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
               "height=\"%.0f\" style=\"max-width:100%%;height:auto\" font-family=\"sans-serif\" font-size=\"13\">",
               width, height, width, height);
    buf_str(out, "<title>flow ");
    html_escape(out, g->flow ? g->flow : "");
    buf_str(out, "</title>");
    for (unsigned i = 0; i < l.nedges; i++) {
        draw_edge(out, &l, &l.edges[i]);
    }
    for (unsigned i = 0; i < l.nnodes; i++) {
        int step = l.nodes[i].step;
        draw_node(out, &l.nodes[i], step < 0 ? NULL : &g->steps[step], states && step >= 0 ? &states[step] : NULL);
    }
    for (unsigned i = 0; i < l.nedges; i++) {
        draw_label(out, &l, &l.edges[i]);
    }
    buf_str(out, "</svg>");
    code = buf_check(out, "the flow's picture", e);
done:
    arena_done(&a);
    return code;
}
