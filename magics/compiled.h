/* A flow of the session, compiled: its text, its shared object, and the store that both are kept in. */
#ifndef WEIR_MAGICS_COMPILED_H
#define WEIR_MAGICS_COMPILED_H

#include "magics/magics.h"
#include "runtime/build/build.h"
#include "runtime/include/weir.h"

struct compiled {
    struct buf unit;                /* flow.c */
    char *store, *so_path;          /* owned */
    enum build_tier tier;           /* that it was compiled with */
    void *object;                   /* of dlopen; NULL: not opened */
    const struct weir_flow *tables; /* borrowed from the object */
};

/* Check and compile. inputs: names of --input, NULL-terminated, or NULL. Errors name cell and line. compiled_done also
 * after a failure. */
enum err_code compiled_make(struct compiled *c, const struct magic_host *host, const char *flow, const char *const *inputs,
                            enum build_tier tier, struct err *e);

/* Open the object for its tables; none of its functions is called. */
enum err_code compiled_open(struct compiled *c, struct err *e);
void compiled_done(struct compiled *c);

#endif
