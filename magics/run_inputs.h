/* The session's variables given to a run by --input: each kept in the store as an object, by the layout that the compiled
 * flow has for that name. */
#ifndef WEIR_MAGICS_RUN_INPUTS_H
#define WEIR_MAGICS_RUN_INPUTS_H

#include "magics/magics.h"
#include "runtime/build/built_flow.h"

struct run_inputs {
    const char **path;     /* of each name its file, in the arena */
    size_t count;
};

/* Keep the variables called names (NULL-terminated) in the store. c is opened for the layouts.
 * ERR_NAME: no such variable, or one that the flow does not read; ERR_TYPE: one that can't be given. */
enum err_code run_inputs_write(struct run_inputs *r, struct magics *m, struct built_flow *c,
                               const char *const *names, struct arena *a, struct err *e);

#endif
