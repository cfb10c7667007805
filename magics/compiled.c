/* See compiled.h. */
#include "magics/compiled.h"

#include "runtime/store/store.h"

enum err_code compiled_make(struct built_flow *out, const struct magic_host *host, const char *flow,
                            const char *const *inputs, enum build_tier tier, struct err *e)
{
    built_flow_init(out);
    enum err_code code = flows_unit(host->flows, flow, inputs, &out->unit, e); /* checks all of it first */
    code = code ? code : store_locate(host->directory, &out->store, e);
    return code ? code : built_flow_compile(out, tier, e);
}
