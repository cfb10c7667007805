/* %flow export DIR: the flow as a C program of its own. */
#include "magics/compiled.h"
#include "magics/state.h"
#include "runtime/export/export.h"

#include <stdio.h>
#include <string.h>

enum { MAX_PATH = 4096 };

enum err_code flow_export(struct magics *m, const struct magic_call *call, struct err *e)
{
    const struct options *o = &call->options;
    const char *flow = NULL;
    char dir[MAX_PATH];
    struct built_flow c;
    built_flow_init(&c);
    if (o->nwords == 0) {
        return err_set(e, ERR_USAGE, "%%flow export needs a folder: %%flow export DIR");
    }
    bool is_absolute = o->words[0][0] == '/'; /* others are beside the notebook */
    int n = snprintf(dir, sizeof dir, "%s%s%s", is_absolute ? "" : m->host.directory, is_absolute ? "" : "/", o->words[0]);
    if (n >= (int)sizeof dir) {
        return err_set(e, ERR_LIMIT, "the folder's path is too long: '%.200s...'", dir);
    }
    enum err_code code = pick_flow(m, options_get(o, "flow"), &flow, e);
    code = code ? code : compiled_make(&c, &m->host, flow, NULL, BUILD_TCC, e);
    code = code ? code : built_flow_open(&c, e);
    if (!code) {
        struct export_request r = { .directory = dir, .unit = c.unit.data, .unit_len = c.unit.len, .flow = c.object.flow,
                                    .source = "a notebook", .force = options_get(o, "force") != NULL };
        code = export_flow(&r, e);
        if (!code) {
            say(m, "stdout", "flow '%s' is in %s: make there gives the program\n", c.object.flow->name, o->words[0]);
        }
    }
    built_flow_done(&c);
    return code;
}
