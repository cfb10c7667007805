/* See flows.h: registering cells.
 *
 * A new cell is tried: the flow's model is made with it in place of what it replaces. What is wrong with it, alone or
 * against the others, refuses it; what waits for other cells leaves it pending. A version that was refused because of
 * another cell is remembered: when that cell is run again, both are taken (else a type that two cells share could never
 * be changed). */
#include "runtime/lang/flowcell.h"
#include "runtime/lang/flows_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

/* ---- the registry ---- */

enum err_code flows_new(struct index *ix, struct flows **out, struct err *e)
{
    struct flows *f = calloc(1, sizeof *f);
    if (!f) {
        return err_memory(e);
    }
    f->ix = ix;
    arena_init(&f->notes);
    *out = f;
    return ERR_NONE;
}

static void flow_done(struct flow *flow)
{
    for (size_t i = 0; i < flow->ncells; i++) {
        flowcell_free(flow->cells[i]);
    }
    for (size_t i = 0; i < flow->nrefused; i++) {
        flowcell_free(flow->refused[i]);
    }
    flowcell_free(flow->head);
    free(flow->cells);
    free(flow->refused);
    free(flow->name);
}

void flows_free(struct flows *f)
{
    if (f) {
        for (size_t i = 0; i < f->count; i++) {
            flow_done(&f->list[i]);
        }
        free(f->list);
        free(f->current);
        arena_done(&f->notes);
        free(f);
    }
}

struct flow *flows_find(const struct flows *f, const char *name)
{
    const char *wanted = name ? name : flows_current(f);
    for (size_t i = 0; wanted && i < f->count; i++) {
        if (strcmp(f->list[i].name, wanted) == 0) {
            return &f->list[i];
        }
    }
    return NULL;
}

int flow_find_step(const struct flow *flow, const char *step)
{
    for (size_t i = 0; i < flow->ncells; i++) {
        if (strcmp(flow->cells[i]->line.step, step) == 0) {
            return (int)i;
        }
    }
    return NONE;
}

struct model_source flows_source(const struct flows *f, const struct flow *flow, const char *const *inputs)
{
    return (struct model_source){ .ix = f->ix,
                                  .flow = flow->name,
                                  .head = flow->head,
                                  .cells = (const struct flowcell *const *)flow->cells,
                                  .ncells = flow->ncells,
                                  .inputs = inputs };
}

/* The flow of that name, made if there is none. NULL: out of memory. */
static struct flow *flow_get(struct flows *f, const char *name)
{
    struct flow *flow = flows_find(f, name);
    if (flow) {
        return flow;
    }
    if (f->count == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 4;
        struct flow *room = realloc(f->list, cap * sizeof *room);
        if (!room) {
            return NULL;
        }
        f->list = room;
        f->cap = cap;
    }
    char *copy = strdup(name);
    if (!copy) {
        return NULL;
    }
    f->list[f->count] = (struct flow){ .name = copy };
    return &f->list[f->count++];
}

static bool list_add(struct flowcell ***list, size_t *n, size_t *cap, struct flowcell *cell)
{
    if (*n == *cap) {
        size_t grown = *cap ? *cap * 2 : 8;
        struct flowcell **room = realloc(*list, grown * sizeof *room);
        if (!room) {
            return false;
        }
        *list = room;
        *cap = grown;
    }
    (*list)[(*n)++] = cell;
    return true;
}

static void list_remove(struct flowcell **list, size_t *n, size_t i)
{
    flowcell_free(list[i]);
    list[i] = list[--*n];
}

/* A flow without cells is gone. */
static void drop_empty_flows(struct flows *f)
{
    for (size_t i = f->count; i-- > 0;) {
        if (!f->list[i].head && !f->list[i].ncells && !f->list[i].nrefused) {
            if (f->current && strcmp(f->current, f->list[i].name) == 0) {
                free(f->current);
                f->current = NULL;
            }
            flow_done(&f->list[i]);
            memmove(&f->list[i], &f->list[i + 1], (--f->count - i) * sizeof *f->list);
        }
    }
}

/* ---- taking a cell ---- */

bool flowcell_same(const struct flowcell *a, const struct flowcell *b)
{
    return a->id && b->id && strcmp(a->id, b->id) == 0;
}

/* Take out of every flow what this cell gave before. */
static void remove_cell(struct flows *f, const struct flowcell *cell)
{
    for (size_t k = 0; k < f->count; k++) {
        struct flow *flow = &f->list[k];
        for (size_t i = flow->ncells; i-- > 0;) {
            if (flow->cells[i] != cell && flowcell_same(flow->cells[i], cell)) {
                list_remove(flow->cells, &flow->ncells, i);
            }
        }
        for (size_t i = flow->nrefused; i-- > 0;) {
            if (flow->refused[i] != cell && flowcell_same(flow->refused[i], cell)) {
                list_remove(flow->refused, &flow->nrefused, i);
            }
        }
        if (flow->head && flow->head != cell && flowcell_same(flow->head, cell)) {
            flowcell_free(flow->head);
            flow->head = NULL;
        }
    }
}

static void remove_step(struct flow *flow, const char *step)
{
    int old = flow_find_step(flow, step);
    if (old != NONE) {
        list_remove(flow->cells, &flow->ncells, (size_t)old);
    }
    for (size_t i = flow->nrefused; i-- > 0;) {
        if (strcmp(flow->refused[i]->line.step, step) == 0) {
            list_remove(flow->refused, &flow->nrefused, i);
        }
    }
}

/* Takes cell. */
static enum err_code take(struct flows *f, const char *name, struct flowcell *cell, struct err *e)
{
    remove_cell(f, cell);
    struct flow *flow = flow_get(f, name);
    if (flow && cell->line.kind == STEPLINE_FLOW) {
        char *copy = strdup(name);
        if (copy) {
            flowcell_free(flow->head);
            flow->head = cell;
            free(f->current);
            f->current = copy;
            return ERR_NONE;
        }
    } else if (flow) {
        remove_step(flow, cell->line.step);
        if (list_add(&flow->cells, &flow->ncells, &flow->cap_cells, cell)) {
            return ERR_NONE;
        }
    }
    flowcell_free(cell);
    return err_memory(e);
}

/* All versions that were refused now fit. */
static enum err_code take_refused(struct flows *f, struct flow *flow, struct err *e)
{
    char *name = strdup(flow->name);
    enum err_code code = name ? ERR_NONE : err_memory(e);
    while (!code && flow->nrefused) {
        struct flowcell *cell = flow->refused[--flow->nrefused];
        code = take(f, name, cell, e);
        flow = flows_find(f, name);
    }
    free(name);
    return code;
}

/* Remember (and own) a version that did not fit. */
static void keep_refused(struct flow *flow, struct flowcell *cell)
{
    for (size_t i = flow->nrefused; i-- > 0;) {
        if (flowcell_same(flow->refused[i], cell) || strcmp(flow->refused[i]->line.step, cell->line.step) == 0) {
            list_remove(flow->refused, &flow->nrefused, i);
        }
    }
    if (!list_add(&flow->refused, &flow->nrefused, &flow->cap_refused, cell)) {
        flowcell_free(cell); /* then it has to be run once more */
    }
}

/* ---- registering ---- */

/* The flow that a cell belongs to: what its line says, else that of its first run, else the current one. */
static const char *flow_name_of(const struct flows *f, const struct flowcell *cell)
{
    if (cell->line.flow) {
        return cell->line.flow;
    }
    for (size_t k = 0; k < f->count; k++) {
        for (size_t i = 0; i < f->list[k].ncells; i++) {
            if (flowcell_same(f->list[k].cells[i], cell)) {
                return f->list[k].name;
            }
        }
        for (size_t i = 0; i < f->list[k].nrefused; i++) {
            if (flowcell_same(f->list[k].refused[i], cell)) {
                return f->list[k].name;
            }
        }
    }
    return f->current ? f->current : "main";
}

static enum err_code check_saved(const struct flow *flow, const struct flowcell *cell, struct err *e)
{
    if (cell->line.kind == STEPLINE_FLOW) {
        if (flow->head) {
            return err_at(e, ERR_EXISTS, cell->label, 1,
                          "the flow '%s' has two %%%%flow cells: %s and %s; keep one of them", flow->name,
                          flow->head->label, cell->label);
        }
        return ERR_NONE;
    }
    int old = flow_find_step(flow, cell->line.step);
    if (old != NONE) {
        return err_at(e, ERR_EXISTS, cell->label, 1,
                      "the step '%s' is defined twice: in %s and in %s; keep one of them", cell->line.step,
                      flow->cells[old]->label, cell->label);
    }
    return ERR_NONE;
}

/* The headers that the cell includes enter the index, and what the cell gave as a plain one leaves it. */
static enum err_code stage_includes(struct flows *f, struct flowcell *cell, bool *staged, struct err *e)
{
    const char *text = flowcell_includes(cell);
    if (!text) {
        return err_memory(e);
    }
    if (!text[0] && !cell->id) {
        return ERR_NONE;
    }
    struct cell plain = { .id = cell->id, .number = cell->number, .text = text, .len = strlen(text) };
    struct tokens t = { .count = 0 };
    struct items items;
    struct arena a;
    arena_init(&a);
    enum err_code code = lex(plain.text, plain.len, &t, e);
    code = code ? code : items_split(&t, index_is_typedef, f->ix, &a, &items, e);
    if (!code) {
        code = index_stage(f->ix, &plain, &t, &items, e);
        *staged = !code;
        if (code && e) {
            (void)snprintf(e->cell, sizeof e->cell, "%s", cell->label); /* cut at the limit on purpose */
        }
    }
    tokens_done(&t);
    arena_done(&a);
    return code;
}

static enum err_code add_cell(struct flows *f, struct flowcell *cell, struct flows_note *out, struct err *e)
{
    struct flow *flow = flow_get(f, cell->flow);
    struct trial t = { .code = ERR_NONE };
    bool with_refused = false;
    if (!flow) {
        flowcell_free(cell);
        return err_memory(e);
    }
    enum err_code code = trial_both(f, flow, cell, &t, &with_refused, e);
    if (code || t.refused) {
        bool about_others =
            t.refused && flow->ncells && t.code != ERR_MEMORY && (t.code == ERR_GRAPH || t.model.blame[1]);
        if (t.refused && e) {
            *e = t.err;
        }
        code = code ? code : t.code;
        trial_done(&t);
        if (about_others && cell->line.kind == STEPLINE_STEP) {
            keep_refused(flow, cell);
        } else {
            flowcell_free(cell);
        }
        return code;
    }
    code = trial_note(f, &t, flow, cell, with_refused, out, e);
    trial_done(&t);
    if (!code && with_refused) {
        code = take_refused(f, flow, e);
    }
    if (code) {
        flowcell_free(cell);
        return code;
    }
    return take(f, out->flow, cell, e);
}

enum err_code flows_add(struct flows *f, const struct cell *cell, bool saved, struct flows_note *out, struct err *e)
{
    struct flowcell *made = NULL;
    bool staged = false;
    enum err_code code = flowcell_new(cell, &made, e);
    if (code) {
        return code;
    }
    const char *name = flow_name_of(f, made);
    made->flow = arena_strndup(&made->arena, name, strlen(name));
    const struct flow *known = made->flow ? flows_find(f, made->flow) : NULL;
    code = made->flow ? ERR_NONE : err_memory(e);
    if (!code && saved && known) {
        code = check_saved(known, made, e);
    }
    code = code ? code : stage_includes(f, made, &staged, e);
    if (code) {
        flowcell_free(made);
    } else {
        code = add_cell(f, made, out, e); /* takes it */
    }
    if (staged && code) {
        index_rollback(f->ix);
    } else if (staged) {
        index_commit(f->ix);
    }
    drop_empty_flows(f);
    return code;
}

/* ---- dropping ---- */

static enum err_code unknown_step(const struct flows *f, const char *step, struct err *e)
{
    struct buf names;
    buf_init(&names, 0);
    for (size_t k = 0; k < f->count; k++) {
        for (size_t i = 0; i < f->list[k].ncells; i++) {
            buf_printf(&names, "%s'%s.%s'", names.len ? ", " : "; there are ", f->list[k].name,
                       f->list[k].cells[i]->line.step);
        }
    }
    enum err_code code = err_set(e, ERR_NOT_FOUND, "no step '%s'%s", step, names.data);
    buf_done(&names);
    return code;
}

enum err_code flows_drop(struct flows *f, const char *step, struct err *e)
{
    const char *dot = strchr(step, '.');
    struct flow *flow = flows_find(f, NULL);
    if (dot) {
        flow = NULL;
        for (size_t k = 0; k < f->count; k++) {
            bool same = strncmp(f->list[k].name, step, (size_t)(dot - step)) == 0 && !f->list[k].name[dot - step];
            flow = same ? &f->list[k] : flow;
        }
        step = dot + 1;
    }
    int at = flow ? flow_find_step(flow, step) : NONE;
    for (size_t k = 0; at == NONE && !dot && k < f->count; k++) {
        flow = &f->list[k];
        at = flow_find_step(flow, step);
    }
    if (at == NONE) {
        return unknown_step(f, step, e);
    }
    remove_step(flow, step);
    drop_empty_flows(f);
    return ERR_NONE;
}

void flows_forget(struct flows *f, const char *cell_id)
{
    const struct flowcell plain = { .id = cell_id };
    remove_cell(f, &plain);
    drop_empty_flows(f);
}

size_t flows_count(const struct flows *f)
{
    return f->count;
}

const char *flows_name(const struct flows *f, size_t i)
{
    return i < f->count ? f->list[i].name : NULL;
}

const char *flows_current(const struct flows *f)
{
    if (f->current) {
        return f->current;
    }
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->list[i].name, "main") == 0 && f->list[i].ncells) {
            return f->list[i].name;
        }
    }
    return f->count == 1 ? f->list[0].name : NULL; /* only made by `%%step Flow.step` */
}
