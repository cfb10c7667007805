/* %%step and %%flow: a cell becomes part of a flow, and what is wrong with it is told at once. */
#include "magics/state.h"

#include "runtime/build/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- steps that wait ---- */

/* step NULL, here and below: the parameters of the %%flow cell. */
static bool is_step(const struct pending *p, const char *flow, const char *step)
{
    bool same = step && p->step ? strcmp(p->step, step) == 0 : step == p->step;
    return same && strcmp(p->flow, flow) == 0;
}

static void forget_pending(struct magics *m, const char *flow, const char *step)
{
    for (size_t i = 0; i < m->npending; i++) {
        if (is_step(&m->pending[i], flow, step)) {
            free(m->pending[i].flow);
            free(m->pending[i].step);
            m->pending[i--] = m->pending[--m->npending];
        }
    }
}

/* More than the table holds are not told about later; run and check find them all the same. */
static void remember_pending(struct magics *m, const char *flow, const char *step)
{
    if (m->npending == MAGICS_MAX_PENDING) {
        return;
    }
    struct pending p = { strdup(flow), step ? strdup(step) : NULL };
    if (!p.flow || (step && !p.step)) {
        free(p.flow);
        free(p.step);
        return;
    }
    m->pending[m->npending++] = p;
}

/* Compile one step by itself. ERR_PENDING: it still waits. */
static enum err_code check_step(struct magics *m, const char *flow, const char *step, struct err *e)
{
    struct buf unit;
    buf_init(&unit, 0);
    enum err_code code = flows_unit_step(m->host.flows, flow, step, &unit, e);
    code = code ? code : buf_check(&unit, "a step's text", e);
    code = code ? code : build_check(unit.data, unit.len, e);
    buf_done(&unit);
    return code;
}

/* Compile those pending steps whose needs have appeared; says which are complete now, and shows their errors. */
static void settle_pending(struct magics *m)
{
    for (size_t i = 0; i < m->npending;) {
        struct err e = { 0 };
        struct pending p = m->pending[i];
        enum err_code code = check_step(m, p.flow, p.step, &e);
        if (code == ERR_PENDING) {
            i++;
            continue;
        }
        m->pending[i] = m->pending[--m->npending];
        const char *kind = p.step ? "step" : "flow";
        const char *name = p.step ? p.step : p.flow;
        if (code == ERR_NOT_FOUND || code == ERR_NAME) {
            /* dropped meanwhile */
        } else if (code) {
            char where[160] = "";
            if (e.cell[0]) {
                (void)snprintf(where, sizeof where, "%s line %d: ", e.cell, e.line); /* fits: a cell's name is short */
            }
            say(m, "stderr", "%s '%s': %s%s\n", kind, name, where, e.msg);
        } else {
            say(m, "stdout", "%s '%s' is no longer pending\n", kind, name);
        }
        free(p.flow);
        free(p.step);
    }
}

void magics_settle(struct magics *m)
{
    if (!m->providing) {
        settle_pending(m);
    }
}

/* ---- the cell ---- */

/* "step 'train' registered: train -> best", "flow 'Grid' registered". */
static void tell(struct magics *m, const struct flows_note *note)
{
    char plain[256];
    const char *message = note->message;
    (void)snprintf(plain, sizeof plain, "registered: flow %s", note->flow); /* a flow's says its name twice */
    if (!note->step && strncmp(message, plain, strlen(plain)) == 0) {
        say(m, "stdout", "flow '%s' registered%s\n", note->flow, message + strlen(plain));
        return;
    }
    say(m, "stdout", "%s '%s' %s\n", note->step ? "step" : "flow", note->step ? note->step : note->flow, message);
}

enum err_code magic_step(struct magics *m, const struct magic_call *call, struct err *e)
{
    struct flows_note note = { 0 };
    enum err_code code = flows_add(m->host.flows, call->cell, false, &note, e);
    if (code) {
        return code;
    }
    /* copies: the next call takes the note's strings away */
    char *flow = arena_strndup(call->arena, note.flow, strlen(note.flow));
    char *step = note.step ? arena_strndup(call->arena, note.step, strlen(note.step)) : NULL;
    if (!flow || (note.step && !step)) {
        return err_memory(e);
    }
    tell(m, &note);
    bool pending = note.pending;
    forget_pending(m, flow, step);
    code = check_step(m, flow, step, e);
    if (code == ERR_PENDING) {
        remember_pending(m, flow, step);
        if (!pending) {
            say(m, "stdout", "pending: %s\n", e->msg);
        }
        code = ERR_NONE;
    }
    settle_pending(m);
    return code;
}
