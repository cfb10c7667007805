/* Trying a new cell (see flows_internal.h), and saying how it stands. */
#include "runtime/lang/flows_internal.h"
#include "runtime/lang/resolve.h"
#include "runtime/lang/unit.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

/* Put cell into the trial's list for those that it replaces. */
static void trial_put(struct trial *t, struct flowcell *cell)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->flow.ncells; i++) {
        struct flowcell *old = t->cells[i];
        if (!flowcell_same(old, cell) &&
            (cell->line.kind == STEPLINE_FLOW || strcmp(old->line.step, cell->line.step) != 0)) {
            t->cells[kept++] = old;
        }
    }
    if (cell->line.kind == STEPLINE_FLOW) {
        t->flow.head = cell;
    } else {
        t->cells[kept++] = cell;
        t->flow.head = t->flow.head && flowcell_same(t->flow.head, cell) ? NULL : t->flow.head;
    }
    t->flow.ncells = kept;
}

static bool blames(const struct model *m, const struct flowcell *cell)
{
    return m->blame[0] == cell || m->blame[1] == cell;
}

/* What of the new cell can be checked alone: its names. */
static enum err_code check_new(struct trial *t, const struct flowcell *cell)
{
    struct model *m = &t->model;
    struct resolved res;
    if (cell->line.kind == STEPLINE_FLOW) {
        return resolve_parameters(m, &t->arena, &res, &t->err);
    }
    for (unsigned i = 0; i < m->graph.nsteps; i++) {
        if (m->steps[i].cell == cell) {
            return resolve_step(m, i, &t->arena, &res, &t->err);
        }
    }
    return ERR_NONE;
}

static void try_model(struct flows *f, struct trial *t, const struct flowcell *cell)
{
    struct model_source from = flows_source(f, &t->flow, NULL);
    t->code = model_build(&from, &t->arena, &t->model, &t->err);
    t->refused =
        t->code && t->code != ERR_PENDING && (t->code == ERR_GRAPH || t->code == ERR_MEMORY || blames(&t->model, cell));
    if (!t->code) {
        t->code = check_new(t, cell);
        t->refused = t->code && t->code != ERR_PENDING;
    }
}

void trial_done(struct trial *t)
{
    arena_done(&t->arena);
    free(t->cells);
}

/* with_refused: the versions that were refused before take part. */
static enum err_code trial_run(struct flows *f, const struct flow *flow, struct flowcell *cell, bool with_refused,
                               struct trial *t, struct err *e)
{
    *t = (struct trial){ .flow = *flow };
    arena_init(&t->arena);
    t->cells = calloc(flow->ncells + flow->nrefused + 1, sizeof(struct flowcell *));
    if (!t->cells) {
        return err_memory(e);
    }
    if (flow->ncells) {
        memcpy(t->cells, flow->cells, flow->ncells * sizeof *t->cells);
    }
    t->flow.cells = t->cells;
    for (size_t i = 0; with_refused && i < flow->nrefused; i++) {
        trial_put(t, flow->refused[i]);
    }
    trial_put(t, cell);
    try_model(f, t, cell);
    return ERR_NONE;
}

/* Try alone, then with what was refused. *refused: the new cell does not fit (e says why). */
enum err_code trial_both(struct flows *f, struct flow *flow, struct flowcell *cell, struct trial *t,
                              bool *with_refused, struct err *e)
{
    *with_refused = false;
    enum err_code code = trial_run(f, flow, cell, false, t, e);
    if (code || !t->refused || !flow->nrefused) {
        return code;
    }
    struct trial second;
    code = trial_run(f, flow, cell, true, &second, e);
    if (code || second.refused) {
        trial_done(&second);
        return code;
    }
    trial_done(t);
    *t = second;
    t->model.arena = &t->arena; /* it pointed into second */
    *with_refused = true;
    return ERR_NONE;
}

/* ---- what the user is told ---- */

static void describe_line(const struct flowcell *cell, struct buf *out)
{
    const struct stepline *line = &cell->line;
    if (line->kind == STEPLINE_FLOW) {
        buf_printf(out, "flow %s", line->flow);
        return;
    }
    buf_printf(out, "%s%s", line->step, line->join ? " (join)" : "");
    for (unsigned i = 0; i < line->nnext; i++) {
        buf_printf(out, "%s%s", i ? ", " : " -> ", line->next[i]);
    }
    if (line->variable) {
        buf_printf(out, " (foreach %s in %s)", line->variable, line->over);
    }
}

/* The step's own first target that no cell has made yet. */
static const char *missing_target(const struct trial *t, const struct flowcell *cell)
{
    for (unsigned i = 0; i < cell->line.nnext; i++) {
        if (graph_find(&t->model.graph, cell->line.next[i]) == NONE) {
            return cell->line.next[i];
        }
    }
    return NULL;
}

/* What is left to say: what it waits for, or what is wrong elsewhere now. */
static void describe_state(struct trial *t, const struct flowcell *cell, bool *pending, struct buf *out)
{
    struct model *m = &t->model;
    const char *target = missing_target(t, cell);
    if (t->code) {
        *pending = true;
        if (m->missing && m->blame[0] == cell) {
            buf_printf(out, "pending: needs '%s'", m->missing);
        } else if (m->blame[0] == cell || !t->err.cell[0]) {
            buf_printf(out, "pending: %s", t->err.msg);
        } else {
            buf_printf(out, "pending: %s line %d: %s", t->err.cell, t->err.line, t->err.msg);
        }
    } else if (target) {
        *pending = true;
        buf_printf(out, "pending: needs step '%s'", target);
    } else if (m->graph_code == ERR_GRAPH && strcmp(m->graph_err.cell, cell->label) == 0) {
        *pending = true;
        buf_printf(out, "pending: %s", m->graph_err.msg);
    } else if (m->placed && unit_check(m, &t->err)) {
        buf_printf(out, "registered: ");
        describe_line(cell, out);
        buf_printf(out, "; but in %s line %d: %s", t->err.cell, t->err.line, t->err.msg);
    }
    if (!out->len) {
        buf_str(out, "registered: ");
        describe_line(cell, out);
    }
}

/* Which cell's step this one replaces. */
static void describe_replaced(const struct flow *flow, const struct flowcell *cell, struct buf *out)
{
    if (cell->line.kind == STEPLINE_FLOW) {
        if (flow->head && !flowcell_same(flow->head, cell) && flow->head->number != cell->number) {
            buf_printf(out, "; it replaces flow %s of %s", flow->name, flow->head->label);
        }
        return;
    }
    int old = flow_find_step(flow, cell->line.step);
    if (old != NONE && !flowcell_same(flow->cells[old], cell) && flow->cells[old]->number != cell->number) {
        buf_printf(out, "; it replaces step '%s' of %s", cell->line.step, flow->cells[old]->label);
    }
}

enum err_code trial_note(struct flows *f, struct trial *t, const struct flow *flow, const struct flowcell *cell,
                                bool with_refused, struct flows_note *out, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    struct flows_note note = { .pending = false };
    describe_state(t, cell, &note.pending, &text);
    describe_replaced(flow, cell, &text);
    for (size_t i = 0; with_refused && i < flow->nrefused; i++) {
        if (strcmp(flow->refused[i]->line.step, cell->line.step ? cell->line.step : "") != 0) {
            buf_printf(&text, "; with it step '%s' of %s, which was refused before", flow->refused[i]->line.step,
                       flow->refused[i]->label);
        }
    }
    arena_done(&f->notes);
    arena_init(&f->notes);
    note.flow = arena_strndup(&f->notes, flow->name, strlen(flow->name));
    note.step = cell->line.step ? arena_strndup(&f->notes, cell->line.step, strlen(cell->line.step)) : NULL;
    note.message = arena_strndup(&f->notes, text.data, text.len);
    bool ok = note.flow && note.message && !text.failed && (note.step || !cell->line.step);
    buf_done(&text);
    *out = ok ? note : *out;
    return ok ? ERR_NONE : err_memory(e);
}
