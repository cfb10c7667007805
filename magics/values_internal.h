/* Between values.c (what runs left) and values_cells.c (the hidden cells' text). */
#ifndef WEIR_MAGICS_VALUES_INTERNAL_H
#define WEIR_MAGICS_VALUES_INTERNAL_H

#include "magics/state.h"
#include "magics/values.h"
#include "runtime/view/artifacts.h"

/* All that a step made under one name. */
struct column {
    const char *step, *name;
    struct meta_found *found;      /* in task order */
    struct artifact_value *opened; /* one each; data NULL: not looked at yet */
    size_t count;
};

/* A finished run. */
struct left_run {
    struct left_run *next;
    struct arena arena;            /* owns everything below */
    const char *flow, *run, *store;
    int cell;                      /* number of the cell that ran it */
    struct flows_value *values;
    char (*prints)[SHA256_HEX];    /* of each value's type as it was then */
    bool *final;                   /* of each value: it is a name of its own (else only Flow.step.name) */
    bool *given;                   /* of each value: a hidden cell has made it */
    bool given_flow;               /* the struct of the flow's name */
    size_t nvalues;
    struct column *columns;
    size_t ncolumns, cap_columns;
    bool handed;                   /* cells may hold pointers into it */
};

struct values {
    struct magics *m;
    struct left_run *runs;         /* the newest of each flow, newest first */
    struct left_run *old;          /* replaced, but cells may still point into them */
    char *last_run, *last_store;
    struct err err;                /* of weir_value in the hidden cell that runs; code 0: none */
};

enum { VALUES_LABEL = 160 };

/* The hidden cell's name for a value: "values: winner". */
void values_label(const char *name, char out[VALUES_LABEL]);
bool values_is_label(const char *cell_id);

/* A fingerprint of all that a type's text reaches in the index now. ERR_NAME, ERR_PENDING and so on when it is not there. */
enum err_code values_print(struct index *ix, const char *ctype, char out[SHA256_HEX], struct err *e);

/* Text of the hidden cell that makes value i of a run a name of its own. */
enum err_code values_text_name(const struct left_run *run, size_t i, struct buf *out, struct err *e);

/* Text of the one that makes the flow's name a struct of its steps. */
enum err_code values_text_flow(struct values *v, struct left_run *run, struct buf *out, struct err *e);

/* What `step` made under `name`, read from the store once. count 0: nothing. */
enum err_code values_column(struct left_run *run, const char *step, const char *name, struct column **out, struct err *e);

/* Named by hidden cells, as a host symbol: the bytes of value i of step.name in a run of this session, whose element (or all of a fixed
 * one) has to have `size` bytes (0: a string); dims go to dim. Borrowed for the session's life. NULL: v->err says why. */
const void *weir_value(void *values, const char *flow, const char *step, size_t i, const char *name, size_t size,
                       size_t *dim);

#endif
