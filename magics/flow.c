/* %flow show, check, list, drop. */
#include "magics/known.h"
#include "magics/state.h"
#include "runtime/build/build.h"
#include "runtime/view/view.h"

#include <string.h>

static const char *word(const struct magic_call *call)
{
    return call->options.nwords ? call->options.words[0] : NULL;
}

enum err_code flow_show(struct magics *m, const struct magic_call *call, struct err *e)
{
    const char *flow = NULL;
    struct graph g = { 0 };
    struct buf html, text;
    buf_init(&html, 0);
    buf_init(&text, 0);
    enum err_code code = pick_flow(m, word(call), &flow, e);
    code = code ? code : flows_graph(m->host.flows, flow, call->arena, &g, e);
    code = code ? code : view_graph_svg(&html, &g, NULL, e);
    code = code ? code : view_graph_text(&text, &g, NULL, e);
    if (!code) {
        size_t end = text.len && text.data[text.len - 1] == '\n' ? text.len - 1 : text.len;
        text.data[end] = '\0';
        show_bundle(m, html.data, text.data, NULL, false);
    }
    buf_done(&html);
    buf_done(&text);
    return code;
}

enum err_code flow_check(struct magics *m, const struct magic_call *call, struct err *e)
{
    const char *flow = NULL;
    struct graph g = { 0 };
    enum err_code code = pick_flow(m, word(call), &flow, e);
    struct buf unit;
    buf_init(&unit, 0);
    code = code ? code : flows_check(m->host.flows, flow, NULL, e);
    code = code ? code : flows_unit(m->host.flows, flow, NULL, &unit, e);
    code = code ? code : buf_check(&unit, "the flow's text", e);
    code = code ? code : build_check(unit.data, unit.len, e);
    code = code ? code : flows_graph(m->host.flows, flow, call->arena, &g, e);
    if (!code) {
        unsigned splits = 0;
        for (unsigned i = 0; i < g.nsteps; i++) {
            splits += g.steps[i].foreach || g.steps[i].nnext > 1;
        }
        say(m, "stdout", "flow '%s' is sound: %u step%s", flow, g.nsteps, g.nsteps == 1 ? "" : "s");
        if (splits) {
            say(m, "stdout", ", %u split%s, each closed by its join", splits, splits == 1 ? "" : "s");
        }
        say(m, "stdout", "\n");
    }
    buf_done(&unit);
    return code;
}

enum err_code flow_list(struct magics *m, const struct magic_call *call, struct err *e)
{
    struct flows *f = m->host.flows;
    const char *current = flows_current(f);
    if (flows_count(f) == 0) {
        say(m, "stdout", "no flow yet: begin one with %%%%flow NAME or %%%%step NAME\n");
        return ERR_NONE;
    }
    for (size_t i = 0; i < flows_count(f); i++) {
        struct graph g = { 0 };
        struct known k;
        const char *name = flows_name(f, i);
        enum err_code code = flows_graph(f, name, call->arena, &g, e);
        if (code) {
            return code;
        }
        known_flow(m, name, call->arena, &k);
        say(m, "stdout", "%s%s: %u step%s", name, current && strcmp(current, name) == 0 ? " (current)" : "", g.nsteps,
            g.nsteps == 1 ? "" : "s");
        for (unsigned s = 0; s < g.nsteps; s++) {
            say(m, "stdout", "%s%s", s ? ", " : ": ", k.order ? k.graph.steps[k.order[s]].name : g.steps[s].name);
        }
        say(m, "stdout", "\n");
    }
    return ERR_NONE;
}

enum err_code flow_drop(struct magics *m, const struct magic_call *call, struct err *e)
{
    if (!word(call)) {
        return err_set(e, ERR_USAGE, "%%flow drop needs a step: %%flow drop STEP");
    }
    enum err_code code = flows_drop(m->host.flows, word(call), e);
    if (!code) {
        say(m, "stdout", "step '%s' dropped\n", word(call));
    }
    return code;
}
