/* See flows.h: asking the registered flows. Everything is made anew from cells and index each time. */
#include "runtime/lang/flows_internal.h"
#include "runtime/lang/model_reach.h"
#include "runtime/lang/unit.h"

#include <string.h>

enum { NONE = -1 };

static enum err_code find(const struct flows *f, const char *name, const struct flow **out, struct err *e)
{
    *out = flows_find(f, name);
    if (*out) {
        return ERR_NONE;
    }
    struct buf names;
    buf_init(&names, 0);
    for (size_t i = 0; i < f->count; i++) {
        buf_printf(&names, "%s'%s'", i ? ", " : "; there are ", f->list[i].name);
    }
    const char *what = name ? name : flows_current(f);
    enum err_code code =
        what ? err_set(e, ERR_NOT_FOUND, "no flow '%s'%s", what, names.data)
             : err_set(e, ERR_NOT_FOUND, "no flow%s; write a step in a cell, as `%%%%step start -> end`", names.data);
    buf_done(&names);
    return code;
}

/* ---- the graph ---- */

static const char *copy(struct arena *a, const char *text, bool *failed)
{
    const char *made = text ? arena_strndup(a, text, strlen(text)) : NULL;
    *failed = *failed || (text && !made);
    return made;
}

static struct graph_step copy_step(struct arena *a, const struct flowcell *cell, bool *failed)
{
    const struct stepline *line = &cell->line;
    const char **next = arena_alloc(a, (line->nnext + 1) * sizeof *next);
    *failed = *failed || !next;
    for (unsigned k = 0; next && k < line->nnext; k++) {
        next[k] = copy(a, line->next[k], failed);
    }
    return (struct graph_step){ .name = copy(a, line->step, failed),
                                .next = next,
                                .nnext = line->nnext,
                                .foreach = copy(a, line->variable, failed),
                                .join = line->join,
                                .cell = copy(a, cell->label, failed),
                                .line = 1,
                                .split = NONE,
                                .scope = NONE };
}

enum err_code flows_graph(struct flows *f, const char *name, struct arena *a, struct graph *out, struct err *e)
{
    const struct flow *flow;
    enum err_code code = find(f, name, &flow, e);
    if (code) {
        return code;
    }
    bool failed = false;
    struct graph g = { .flow = copy(a, flow->name, &failed), .first = NONE };
    g.steps = arena_alloc(a, (flow->ncells + 1) * sizeof *g.steps);
    if (!g.steps) {
        return err_memory(e);
    }
    for (size_t i = 0; i < flow->ncells; i++) {
        unsigned at = g.nsteps++;
        struct graph_step step = copy_step(a, flow->cells[i], &failed);
        for (; !failed && at > 0 && strcmp(g.steps[at - 1].name, step.name) > 0; at--) {
            g.steps[at] = g.steps[at - 1];
        }
        g.steps[at] = step;
    }
    if (failed) {
        return err_memory(e);
    }
    (void)graph_check(&g, NULL); /* a broken graph is drawn, too */
    *out = g;
    return ERR_NONE;
}

/* ---- checking and lowering ---- */

struct query {
    struct arena arena;
    struct model model;
};

static enum err_code build(struct flows *f, const char *name, const char *const *inputs, struct query *q, struct err *e)
{
    const struct flow *flow;
    arena_init(&q->arena);
    enum err_code code = find(f, name, &flow, e);
    if (!code) {
        struct model_source from = flows_source(f, flow, inputs);
        code = model_build(&from, &q->arena, &q->model, e);
    }
    return code;
}

/* For a whole flow nothing may be pending: then it is an error of the name or of the graph. */
static enum err_code final(enum err_code code, enum err_code as, struct err *e)
{
    if (code == ERR_PENDING && e) {
        e->code = as;
    }
    return code == ERR_PENDING ? as : code;
}

static enum err_code check_whole(struct query *q, struct err *e)
{
    struct model *m = &q->model;
    if (!m->placed) {
        if (e) {
            *e = m->graph_err;
        }
        return final(m->graph_code, ERR_GRAPH, e);
    }
    return final(unit_check(m, e), ERR_NAME, e);
}

enum err_code flows_check(struct flows *f, const char *flow, const char *const *inputs, struct err *e)
{
    struct query q;
    enum err_code code = final(build(f, flow, inputs, &q, e), ERR_NAME, e);
    code = code ? code : check_whole(&q, e);
    struct buf text;
    buf_init(&text, 0);
    code = code ? code : unit_write(&q.model, UNIT_ALL, &text, e); /* helpers that name artifacts show here */
    buf_done(&text);
    arena_done(&q.arena);
    return code;
}

enum err_code flows_unit(struct flows *f, const char *flow, const char *const *inputs, struct buf *out, struct err *e)
{
    struct query q;
    enum err_code code = final(build(f, flow, inputs, &q, e), ERR_NAME, e);
    if (!code && !q.model.placed) {
        code = check_whole(&q, e);
    }
    code = code ? code : final(unit_write(&q.model, UNIT_ALL, out, e), ERR_NAME, e);
    arena_done(&q.arena);
    return code;
}

enum err_code flows_unit_step(struct flows *f, const char *flow, const char *step, struct buf *out, struct err *e)
{
    struct query q;
    enum err_code code = build(f, flow, NULL, &q, e);
    if (!code) {
        int only = step ? graph_find(&q.model.graph, step) : UNIT_PARAMETERS;
        if (only == NONE) {
            code = err_set(e, ERR_NOT_FOUND, "the flow '%s' has no step '%s'", q.model.flow, step);
        } else {
            code = unit_write(&q.model, only, out, e);
        }
    }
    arena_done(&q.arena);
    return code;
}

/* ---- values ---- */

/* The step that gives the flow's last version of name; NONE: there is no one version at the end. */
static int last_maker(const struct model *m, unsigned name)
{
    int maker = NONE;
    unsigned last = m->order[m->graph.nsteps - 1];
    if (model_after(m, last, name) != REACH_HERE) {
        return NONE;
    }
    for (unsigned i = 0; i < m->graph.nsteps; i++) {
        unsigned step = m->order[i];
        maker = m->steps[step].declares[name] && m->graph.steps[step].scope == NONE ? (int)step : maker;
    }
    return maker;
}

static struct flows_value value_of(const struct model *m, unsigned name, const char *step, bool fans, struct arena *a,
                                   bool *failed)
{
    const struct model_name *n = &m->names[name];
    return (struct flows_value){ .name = copy(a, n->name, failed),
                                 .ctype = copy(a, n->shape.spelling, failed),
                                 .step = copy(a, step, failed),
                                 .form = n->shape.form,
                                 .ndim = n->shape.ndim,
                                 .fans = fans };
}

static enum err_code list_values(const struct model *m, struct arena *a, struct flows_value **out, size_t *count,
                                 struct err *e)
{
    size_t n = 0, most = (size_t)m->nnames * (m->graph.nsteps + 1);
    struct flows_value *list = arena_alloc(a, (most + 1) * sizeof *list);
    bool failed = !list;
    for (unsigned name = 0; name < m->nnames && !failed; name++) {
        enum name_role role = m->names[name].role;
        if (role == NAME_LOOP || role == NAME_INPUT) {
            continue;
        }
        int last = last_maker(m, name);
        if (last != NONE) {
            list[n++] = value_of(m, name, m->graph.steps[last].name, false, a, &failed);
        } else if (role == NAME_PARAMETER) {
            list[n++] = value_of(m, name, "_parameters", false, a, &failed);
        }
        for (unsigned i = 0; i < m->graph.nsteps; i++) {
            unsigned step = m->order[i];
            if (m->steps[step].declares[name] &&
                m->graph.steps[step].scope != NONE) { /* under a split: Flow.step.name */
                list[n++] = value_of(m, name, m->graph.steps[step].name, m->graph.steps[step].depth > 0, a, &failed);
            }
        }
    }
    if (failed) {
        return err_memory(e);
    }
    *out = list;
    *count = n;
    return ERR_NONE;
}

enum err_code flows_values(struct flows *f, const char *flow, struct arena *a, struct flows_value **out, size_t *count,
                           struct err *e)
{
    struct query q;
    enum err_code code = final(build(f, flow, NULL, &q, e), ERR_NAME, e);
    if (!code && !q.model.placed) {
        code = check_whole(&q, e);
    }
    code = code ? code : list_values(&q.model, a, out, count, e);
    arena_done(&q.arena);
    return code;
}
