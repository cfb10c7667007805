/* The flows of a session or a saved notebook: which cells are steps, what they make and need, and their C.
 *
 * Cells are registered one by one in any order; each is checked as far as what is known allows. One owner, one thread. */
#ifndef WEIR_LANG_FLOWS_H
#define WEIR_LANG_FLOWS_H

#include "runtime/flow/graph.h"
#include "runtime/lang/index.h"

struct flows;

enum err_code flows_new(struct index *ix, struct flows **out, struct err *e); /* ix borrowed for its life */
void flows_free(struct flows *f);

struct flows_note {           /* strings borrowed until the next call on flows */
    const char *flow;
    const char *step;         /* NULL: it was a %%flow cell */
    bool pending;
    const char *message;      /* "registered: start -> train (foreach rate in rates)", "pending: needs 'rates'" and what it replaced */
};

/* Register a cell whose first line is `%%flow ...` or `%%step ...`; it replaces what the same cell, or another cell of the
 * same step, gave before (`saved`: a second cell of the same step is an error instead, naming both).
 * ERR_SYNTAX, ERR_NAME, ERR_TYPE, ERR_GRAPH: refused, and what was registered before stays. */
enum err_code flows_add(struct flows *f, const struct cell *cell, bool saved, struct flows_note *out, struct err *e);

/* Take a step ("train", or "Grid.train") out of its flow. ERR_NOT_FOUND, naming the steps that there are. */
enum err_code flows_drop(struct flows *f, const char *step, struct err *e);

/* A cell that was a step or %%flow is a plain one now: what it gave is gone. id NULL, or of no such cell: nothing happens. */
void flows_forget(struct flows *f, const char *cell_id);

size_t flows_count(const struct flows *f);
const char *flows_name(const struct flows *f, size_t i);
const char *flows_current(const struct flows *f);           /* newest %%flow, else "main" if it has steps, else NULL */

/* The graph of a flow as far as known (also a broken one, for a picture). In the arena. */
enum err_code flows_graph(struct flows *f, const char *flow, struct arena *a, struct graph *out, struct err *e);

/* All of a flow holds: no pending step, sound graph, every name typed and made on every path. inputs: names given by
 * --input (NULL-terminated; may be NULL). The first problem as error, with its cells. */
enum err_code flows_check(struct flows *f, const char *flow, const char *const *inputs, struct err *e);

/* flow.c: the whole flow as one readable C99 translation unit, each cell's source as a comment above what it became.
 * Checks first. Same cells in any order of registration give the same text but for comments and #line numbers. */
enum err_code flows_unit(struct flows *f, const char *flow, const char *const *inputs, struct buf *out, struct err *e);

/* The same with only `step` in it (NULL: the parameters alone), for compiling it as soon as its cell runs. ERR_PENDING:
 * something is not known yet. */
enum err_code flows_unit_step(struct flows *f, const char *flow, const char *step, struct buf *out, struct err *e);

/* One entry for each name with one value at the flow's end (parameters nobody changed: of step "_parameters"), and one for
 * each step under a split and name that it makes.
 * C declarations under which a finished run's artifacts are values in later cells (see DESIGN in ARCHITECTURE.md, "Values"). */
struct flows_value {
    const char *name;         /* "winner" */
    const char *ctype;        /* "result" */
    const char *step;         /* that declared it last */
    int form;                 /* enum weir_form */
    unsigned ndim;
    bool fans;                /* made inside a foreach: reachable as Flow.step.at[i].name */
};
enum err_code flows_values(struct flows *f, const char *flow, struct arena *a, struct flows_value **out, size_t *count,
                           struct err *e);

#endif
