/* The session's variables given to a run by --input: each written as an .npy file, by the layout that the compiled flow
 * has for that name. */
#ifndef WEIR_MAGICS_RUN_INPUTS_H
#define WEIR_MAGICS_RUN_INPUTS_H

#include "magics/compiled.h"

struct run_inputs {
    const char **path;     /* of each name its file, in the arena */
    size_t count;
};

/* Write the variables called names (NULL-terminated) into the store's tmp. c is opened for the layouts.
 * ERR_NAME: no such variable, or one that the flow does not read; ERR_TYPE: one that can't be given. run_inputs_remove also
 * after a failure. */
enum err_code run_inputs_write(struct run_inputs *r, struct magics *m, struct compiled *c,
                               const char *const *names, struct arena *a, struct err *e);
void run_inputs_remove(struct run_inputs *r);

#endif
