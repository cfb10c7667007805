/* %artifact: what runs left, as a list or one by one. */
#include "magics/state.h"
#include "magics/values.h"
#include "runtime/view/artifacts.h"
#include "runtime/view/view.h"

#include <stdlib.h>
#include <string.h>

/* The store, and the run that is meant when none is named: the session's last one, else the store's latest. */
static enum err_code find_store(struct magics *m, const char **run, char **store, struct err *e)
{
    const char *last_run, *last_store;
    if (values_last(m->values, &last_run, &last_store)) {
        *store = strdup(last_store);
        *run = *run ? *run : last_run;
        return *store ? ERR_NONE : err_memory(e);
    }
    return store_locate(m->host.directory, store, e);
}

static enum err_code list(struct metadata *db, const char *store, const char *name, struct arena *a, struct buf *html,
                          struct buf *text, struct err *e)
{
    struct meta_run run = { 0 };
    struct artifact_line *lines = NULL;
    size_t n = 0;
    enum err_code code = metadata_run_find(db, NULL, name ? name : "latest", a, &run, e);
    code = code ? code : artifacts_list(db, store, run.id, a, &lines, &n, e);
    if (code) {
        return code;
    }
    buf_printf(text, "flow '%s', run %s%s\n", run.flow, run.name, n ? "" : ": no artifacts");
    buf_str(html, "<div style=\"font-size:90%\">flow <b>");
    view_escape(html, run.flow);
    buf_str(html, "</b> · run ");
    view_escape(html, run.name);
    buf_str(html, n ? "</div>" : " · no artifacts</div>");
    if (n) {
        artifacts_write_list(html, text, lines, n);
    }
    return ERR_NONE;
}

enum err_code magic_artifact(struct magics *m, const struct magic_call *call, struct err *e)
{
    struct show_limits limits = show_defaults;
    uint64_t rows = limits.rows;
    const char *run = options_get(&call->options, "run");
    char *store = NULL;
    struct metadata *db = NULL;
    struct artifact_choice choice;
    struct buf html, text;
    buf_init(&html, 0);
    buf_init(&text, 0);
    enum err_code code = options_number(&call->options, "rows", 1, 100000, &rows, e);
    limits.rows = (size_t)rows;
    code = code ? code : find_store(m, &run, &store, e);
    code = code ? code : metadata_open(store, false, &db, e);
    if (code == ERR_NOT_FOUND) {
        code = err_set(e, ERR_NOT_FOUND, "there are no runs yet: %%flow run makes one");
    }
    if (!code && call->options.nwords == 0) {
        code = list(db, store, run, call->arena, &html, &text, e);
    } else if (!code) {
        code = artifact_choose(db, call->options.words[0], run, call->arena, &choice, e);
        code = code ? code : artifacts_write(&html, &text, store, &choice, &limits, call->arena, e);
    }
    code = code ? code : buf_check(&text, "an artifact's text", e);
    code = code ? code : buf_check(&html, "an artifact's table", e);
    if (!code) {
        if (text.len && text.data[text.len - 1] == '\n') {
            text.data[text.len - 1] = '\0';
        }
        show_bundle(m, html.data, text.data, NULL, false);
    }
    metadata_close(db);
    free(store);
    buf_done(&html);
    buf_done(&text);
    return code;
}
