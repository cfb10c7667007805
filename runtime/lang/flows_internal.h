/* The registry behind flows.h: flows.c adds and drops cells, flows_query.c asks. */
#ifndef WEIR_LANG_FLOWS_INTERNAL_H
#define WEIR_LANG_FLOWS_INTERNAL_H

#include "runtime/lang/flows.h"
#include "runtime/lang/model.h"

struct flow {
    char *name;
    struct flowcell *head;          /* its %%flow cell; NULL: none */
    struct flowcell **cells;        /* of its steps */
    size_t ncells, cap_cells;
    struct flowcell **refused; /* newest version of steps that did not fit the others: they may once those change */
    size_t nrefused, cap_refused;
};

struct flows {
    struct index *ix;
    struct flow *list;
    size_t count, cap;
    char *current;                  /* name of the flow of the newest %%flow cell; NULL: none yet */
    struct arena notes;             /* of the last flows_note */
};

/* The flow of that name (NULL: the current one). */
struct flow *flows_find(const struct flows *f, const char *name);

/* What model_build needs to know of a flow. */
struct model_source flows_source(const struct flows *f, const struct flow *flow, const char *const *inputs);

/* Place of a step in the flow's cells; -1: none of that name. */
int flow_find_step(const struct flow *flow, const char *step);

/* Both are versions of one cell. */
bool flowcell_same(const struct flowcell *a, const struct flowcell *b);

/* A flow as it would be: the cells' list with replacements, nothing owned. */
struct trial {
    struct flow flow;
    struct flowcell **cells;
    struct arena arena;
    struct model model;
    struct err err;               /* what is wrong or missing */
    enum err_code code;
    bool refused;
};

/* Try cell in flow: alone, then with the versions that were refused before (*with_refused: that helped). t->refused: it
 * does not fit, t->err says why. trial_done after success. */
enum err_code trial_both(struct flows *f, struct flow *flow, struct flowcell *cell, struct trial *t, bool *with_refused,
                         struct err *e);
void trial_done(struct trial *t);

/* What a cell that fits is told; strings live in f->notes. */
enum err_code trial_note(struct flows *f, struct trial *t, const struct flow *flow, const struct flowcell *cell,
                         bool with_refused, struct flows_note *out, struct err *e);

#endif
