/* A flow of the session, checked and compiled. */
#ifndef WEIR_MAGICS_COMPILED_H
#define WEIR_MAGICS_COMPILED_H

#include "magics/magics.h"
#include "runtime/build/built_flow.h"

/* inputs: names of --input, NULL-terminated, or NULL. Errors name cell and line. built_flow_done(out) also after a failure. */
enum err_code compiled_make(struct built_flow *out, const struct magic_host *host, const char *flow,
                            const char *const *inputs, enum build_tier tier, struct err *e);

#endif
