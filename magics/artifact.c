/* %artifact: what runs left, as a list or one by one. */
#include "magics/known.h"
#include "magics/state.h"
#include "magics/values.h"
#include "runtime/base/html.h"
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

/* What the session knows of the flow, if run is the one it made last. */
static void known_run(struct magics *m, const struct meta_run *run, struct arena *a, struct known *out)
{
    const char *last_run, *last_store;
    *out = (struct known){ 0 };
    if (values_last(m->values, &last_run, &last_store) && strcmp(last_run, run->name) == 0) {
        known_flow(m, run->flow, a, out);
    }
}

static enum err_code list(struct magics *m, struct metadata *db, const char *store, const char *name, struct arena *a, struct buf *html,
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
    struct known k;
    known_run(m, &run, a, &k);
    known_lines(&k, lines, n);
    buf_printf(text, "flow '%s', run %s%s\n", run.flow, run.name, n ? "" : ": no artifacts");
    buf_str(html, "<div style=\"font-size:90%\">flow <b>");
    html_escape(html, run.flow);
    buf_str(html, "</b> · run ");
    html_escape(html, run.name);
    buf_str(html, n ? "</div>" : " · no artifacts</div>");
    if (n) {
        artifacts_write_list(html, text, lines, n);
    }
    return ERR_NONE;
}

/* The loop variables and the C type of what was chosen. */
static enum err_code explain(struct magics *m, struct metadata *db, struct artifact_choice *c, struct arena *a, struct err *e)
{
    struct known k;
    struct artifact_loop *loops = NULL;
    size_t n = 0;
    known_run(m, &c->run, a, &k);
    for (size_t i = 0; i < k.nvalues; i++) {
        c->type = strcmp(k.values[i].name, c->found[0].name) == 0 ? k.values[i].ctype : c->type;
    }
    known_loops(&k, c->found[0].step, a, &loops, &n);
    return artifact_loops(db, c, loops, n, a, e);
}

enum err_code magic_artifact(struct magics *m, const struct magic_call *call, struct err *e)
{
    struct show_limits limits = show_defaults;
    uint64_t rows = limits.rows;
    const char *run = options_get(&call->options, "run");
    char *store = NULL;
    struct metadata *db = NULL;
    struct artifact_choice choice = { 0 };
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
        code = list(m, db, store, run, call->arena, &html, &text, e);
    } else if (!code) {
        code = artifact_choose(db, call->options.words[0], run, call->arena, &choice, e);
        code = code ? code : explain(m, db, &choice, call->arena, e);
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
