/* See source.h. */
#include "runtime/cli/source.h"

#include "runtime/base/file.h"
#include "runtime/cli/unit_cache.h"
#include "runtime/lang/flows.h"
#include "runtime/lang/notebook.h"
#include "runtime/lang/parts.h"
#include "runtime/store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_UNIT = 64 << 20, PATH_SIZE = 4096 };

static bool has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), k = strlen(suffix);
    return n >= k && strcmp(path + n - k, suffix) == 0;
}

/* ---- a notebook ---- */

static bool any_name(void *ctx, const char *name, size_t len)
{
    (void)ctx, (void)name, (void)len; /* magics are not known here, nor run */
    return true;
}

/* Declare what a plain cell does: text is its C, a copy with each magic's line blank. */
static enum err_code declare_cell(struct index *ix, const struct cell *cell, const struct part *parts, size_t count,
                                  struct arena *a, struct err *e)
{
    struct tokens t = { 0 };
    struct items items = { 0 };
    struct cell plain = *cell;
    char *text = arena_strndup(a, cell->text, cell->len);
    if (!text) {
        return err_memory(e);
    }
    for (size_t i = 0; i < count; i++) {
        char *from = text + (parts[i].text - cell->text);
        for (size_t k = 0; parts[i].kind == PART_LINE && k < parts[i].len; k++) {
            from[k] = from[k] == '\n' ? '\n' : ' ';
        }
    }
    plain.text = text;
    enum err_code code = lex(text, cell->len, &t, e);
    code = code ? code : index_includes(ix, &t, e);
    code = code ? code : items_split(&t, index_is_typedef, ix, a, &items, e);
    code = code ? code : index_stage(ix, &plain, &t, &items, e);
    if (code == ERR_NONE) {
        index_commit(ix);
    }
    tokens_done(&t);
    return code;
}

static bool is_flow_cell(const struct part *p)
{
    return p->kind == PART_CELL && p->name_len == 4 && (memcmp(p->name, "step", 4) == 0 || memcmp(p->name, "flow", 4) == 0);
}

static enum err_code add_cell(struct index *ix, struct flows *flows, const struct cell *cell, struct err *e)
{
    struct flows_note note;
    struct part *parts = NULL;
    size_t count = 0;
    struct arena a;
    arena_init(&a);
    enum err_code code = parts_split(cell->text, cell->len, any_name, NULL, &a, &parts, &count, e);
    bool flow_cell = !code && count && is_flow_cell(&parts[0]);
    if (flow_cell) {
        code = flows_add(flows, cell, true, &note, e);
    } else if (!code && !(count && parts[0].kind == PART_CELL)) { /* another magic's cell is nothing that a flow is made of */
        code = declare_cell(ix, cell, parts, count, &a, e);
    }
    if (code && !flow_cell && e && !e->cell[0]) {
        cell_label(cell->number, e->cell, sizeof e->cell);
    }
    arena_done(&a);
    return code;
}

static enum err_code lower_notebook(const char *path, const struct notebook *nb, const struct source_options *o,
                                    struct buf *unit, struct err *e)
{
    struct index *ix = NULL;
    struct flows *flows = NULL;
    enum err_code code = index_new(&ix, e);
    code = code ? code : flows_new(ix, &flows, e);
    for (size_t i = 0; i < nb->ncells && !code; i++) {
        code = add_cell(ix, flows, &nb->cells[i], e);
    }
    if (!code) {
        const char *flow = o->flow ? o->flow : flows_current(flows);
        code = flow ? flows_unit(flows, flow, o->inputs, unit, e)
                    : err_set(e, ERR_NOT_FOUND, "'%s' has no %%%%step cell, so there is no flow in it", path);
    }
    flows_free(flows);
    index_free(ix);
    return code;
}

/* *fresh: the cache file's path if the text is to be kept there once it has compiled, else "". */
static enum err_code unit_of_notebook(const char *path, const char *store, const struct source_options *o, struct buf *unit,
                                      char fresh[PATH_SIZE], struct err *e)
{
    struct notebook nb;
    fresh[0] = '\0';
    enum err_code code = notebook_read(path, &nb, e);
    if (!code) {
        char cache[PATH_SIZE];
        bool cached = unit_cache_path(store, &nb, o->flow, o->inputs, cache, sizeof cache);
        if (!cached || !unit_cache_read(cache, unit)) {
            code = lower_notebook(path, &nb, o, unit, e);
            (void)snprintf(fresh, PATH_SIZE, "%s", cached ? cache : "");
        }
    }
    notebook_done(&nb);
    return code;
}

static enum err_code unit_of_c(const char *path, struct buf *unit, struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    enum err_code code = file_read(path, MAX_UNIT, &text, &len, e);
    if (!code) {
        buf_add(unit, text, len);
        free(text);
        code = buf_check(unit, path, e);
    }
    return code;
}

/* ---- compiled ---- */

/* A notebook or flow.c into a shared object. The working folder is the file's meanwhile, since that is where its own headers are. */
static enum err_code build_file(const char *name, bool notebook, const struct source_options *o, struct built_flow *out,
                                struct err *e)
{
    char fresh[PATH_SIZE] = "";
    enum err_code code = notebook ? unit_of_notebook(name, out->store, o, &out->unit, fresh, e) : unit_of_c(name, &out->unit, e);
    code = code ? code : built_flow_compile(out, o->tier, e);
    if (!code && fresh[0]) {
        unit_cache_write(fresh, &out->unit);
    }
    return code;
}

static enum err_code build_in_folder(const char *path, const char *folder, bool notebook, const struct source_options *o,
                                     struct built_flow *out, struct err *e)
{
    const char *slash = strrchr(path, '/');
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (here < 0 || chdir(folder) != 0) {
        enum err_code code = err_errno(e, "folder '%s'", here < 0 ? "." : folder);
        if (here >= 0) {
            (void)close(here);
        }
        return code;
    }
    enum err_code code = build_file(slash ? slash + 1 : path, notebook, o, out, e);
    if (fchdir(here) != 0 && !code) {
        code = err_errno(e, "the folder that this began in");
    }
    (void)close(here);
    return code;
}

enum err_code source_open(const char *path, const struct source_options *o, struct built_flow *out, char *folder, size_t size,
                          struct err *e)
{
    built_flow_init(out);
    bool notebook = has_suffix(path, ".ipynb"), c = has_suffix(path, ".c"), so = has_suffix(path, ".so");
    if (!notebook && !c && !so) {
        return err_set(e, ERR_USAGE, "'%s' is no .ipynb, .c or .so file", path);
    }
    out->tier = o->tier;
    file_parent(so ? "." : path, folder, size);
    enum err_code code = store_locate(folder, &out->store, e);
    if (so && !code) {
        out->so_path = realpath(path, NULL);
        code = out->so_path ? ERR_NONE : err_errno(e, "'%s'", path);
    } else if (!code) {
        code = build_in_folder(path, folder, notebook, o, out, e);
    }
    return code ? code : built_flow_open(out, e);
}
