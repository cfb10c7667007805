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
    struct flowcell **refused;      /* newest version of steps that did not fit the others: they may once those change */
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

/* Name of the n-th flow's step in cells; NONE: -1. */
int flow_find_step(const struct flow *flow, const char *step);

#endif
