/* %runs: the runs in the store, newest first. */
#include "magics/state.h"
#include "runtime/store/store.h"
#include "runtime/view/runs.h"

#include <stdlib.h>

enum err_code magic_runs(struct magics *m, const struct magic_call *call, struct err *e)
{
    uint64_t limit = 20;
    char *store = NULL;
    struct metadata *db = NULL;
    struct meta_run *runs = NULL;
    size_t n = 0;
    struct buf html, text;
    buf_init(&html, 0);
    buf_init(&text, 0);
    enum err_code code = options_number(&call->options, "limit", 0, UINT32_MAX, &limit, e);
    code = code ? code : store_locate(m->host.directory, &store, e);
    code = code ? code : metadata_open(store, false, &db, e);
    if (code == ERR_NOT_FOUND) { /* no store yet, so no runs */
        code = ERR_NONE;
    } else {
        code = code ? code : metadata_runs(db, options_get(&call->options, "flow"), limit, call->arena, &runs, &n, e);
    }
    if (!code && n == 0) {
        say(m, "stdout", "no runs yet\n");
    } else if (!code) {
        runs_write(&html, &text, runs, n);
        show_bundle(m, html.data, text.data, NULL, false);
    }
    metadata_close(db);
    free(store);
    buf_done(&html);
    buf_done(&text);
    return code;
}
