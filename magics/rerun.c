/* %rerun: cells again as they ran, by execution count; --stale: those that were compiled with what has changed since.
 *
 * A cell that is run again can make others stale (a struct inside a struct), so they are looked for anew until none is
 * left; none runs more than twice. */
#include "magics/state.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RUNS = 4096 };

/* ---- by number ---- */

/* "3" or "3-5". */
static enum err_code parse_range(const char *word, long *first, long *last, struct err *e)
{
    char *end;
    *first = *last = strtol(word, &end, 10);
    if (end != word && *end == '-') {
        const char *second = end + 1;
        *last = strtol(second, &end, 10);
        end = end == second ? NULL : end;
    } else if (end == word) {
        end = NULL;
    }
    if (!end || *end != '\0' || *first < 1 || *last < *first || *last - *first >= MAX_RUNS) {
        return err_set(e, ERR_USAGE, "'%s' is no cell's number: write 3, or 3-5", word);
    }
    return ERR_NONE;
}

/* Those of a range that have run; one that is named alone must have. */
static enum err_code run_range(struct magics *m, const struct magic_call *call, const char *word, struct err *e)
{
    long first, last;
    bool any = false;
    enum err_code code = parse_range(word, &first, &last, e);
    for (long i = first; !code && i <= last; i++) {
        if (i != call->cell->number && m->host.source(m->host.ctx, (int)i)) {
            any = true;
            code = m->host.rerun(m->host.ctx, (int)i, e);
        }
    }
    if (!code && !any) {
        code = err_set(e, ERR_NOT_FOUND, "no cell [%s] has run in this session, or it is too long ago", word);
    }
    return code;
}

static bool is_rerun(const char *text)
{
    return strncmp(text + strspn(text, " \t\n"), "%rerun", 6) == 0;
}

/* The newest cell before this one that is no %rerun itself. */
static enum err_code run_last(struct magics *m, const struct magic_call *call, struct err *e)
{
    for (int i = call->cell->number - 1; i > 0; i--) {
        const char *text = m->host.source(m->host.ctx, i);
        if (text && !is_rerun(text)) {
            return m->host.rerun(m->host.ctx, i, e);
        }
    }
    return err_set(e, ERR_NOT_FOUND, "there is no cell to run again yet");
}

/* ---- stale cells ---- */

static void say_cells(struct magics *m, const char *stream, const struct stale_cell *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        say(m, stream, "cell [%d] (%s)\n", cells[i].number, cells[i].names);
    }
}

struct runs {
    int numbers[MAX_RUNS]; /* cells run, each time once */
    size_t n;
};

static bool may_run(struct runs *r, int number)
{
    unsigned times = 0;
    for (size_t i = 0; i < r->n; i++) {
        times += r->numbers[i] == number;
    }
    if (times >= 2 || r->n == MAX_RUNS) {
        return false;
    }
    r->numbers[r->n++] = number;
    return true;
}

/* All of the list once. *any: some cell ran. */
static enum err_code run_cells(struct magics *m, const struct stale_cell *cells, size_t n, struct runs *r, bool *any,
                               struct err *e)
{
    enum err_code code = ERR_NONE;
    *any = false;
    for (size_t i = 0; i < n && !code; i++) {
        if (!may_run(r, cells[i].number)) {
            continue;
        }
        say(m, "stdout", "cell [%d] (%s)\n", cells[i].number, cells[i].names);
        if (!m->host.source(m->host.ctx, cells[i].number)) {
            return err_set(e, ERR_NOT_FOUND, "the text of cell [%d] is too long ago: run it by hand", cells[i].number);
        }
        *any = true;
        code = m->host.rerun(m->host.ctx, cells[i].number, e);
    }
    return code;
}

/* What remains, after an error or because running it again doesn't help. */
static void say_rest(struct magics *m, struct arena *a)
{
    struct stale_cell *cells;
    size_t n = 0;
    if (index_stale(m->host.index, a, &cells, &n, NULL) == ERR_NONE && n > 0) {
        say(m, "stderr", "still stale:\n");
        say_cells(m, "stderr", cells, n);
    }
}

static enum err_code run_stale(struct magics *m, const struct magic_call *call, struct err *e)
{
    struct stale_cell *cells;
    struct runs *runs = arena_alloc(call->arena, sizeof *runs);
    size_t n = 0, passes = 0;
    bool any = true;
    enum err_code code = runs ? ERR_NONE : err_memory(e);
    while (!code && any) {
        code = index_stale(m->host.index, call->arena, &cells, &n, e);
        if (!code && n == 0 && passes == 0) {
            say(m, "stdout", "nothing is stale\n");
        }
        code = code ? code : run_cells(m, cells, n, runs, &any, e);
        passes++;
    }
    if (code || n > 0) {
        say_rest(m, call->arena);
    }
    return code;
}

static enum err_code list_stale(struct magics *m, const struct magic_call *call, struct err *e)
{
    struct stale_cell *cells;
    size_t n = 0;
    enum err_code code = index_stale(m->host.index, call->arena, &cells, &n, e);
    if (!code && n == 0) {
        say(m, "stdout", "nothing is stale\n");
    } else if (!code) {
        say_cells(m, "stdout", cells, n);
    }
    return code;
}

/* ---- the magic ---- */

static enum err_code run(struct magics *m, const struct magic_call *call, struct err *e)
{
    const struct options *o = &call->options;
    enum err_code code = ERR_NONE;
    if (options_get(o, "stale")) {
        return run_stale(m, call, e);
    }
    for (size_t i = 0; i < o->nwords && !code; i++) {
        code = run_range(m, call, o->words[i], e);
    }
    return code || o->nwords ? code : run_last(m, call, e);
}

enum err_code magic_rerun(struct magics *m, const struct magic_call *call, struct err *e)
{
    const struct options *o = &call->options;
    if (options_get(o, "stale") && o->nwords) {
        return err_set(e, ERR_USAGE, "--stale finds its cells by itself: write %%rerun --stale, or the numbers alone");
    }
    if (options_get(o, "dry-run")) {
        return options_get(o, "stale") ? list_stale(m, call, e)
                                       : err_set(e, ERR_USAGE, "--dry-run goes with --stale: %%rerun --stale --dry-run");
    }
    if (m->rerunning) {
        return err_set(e, ERR_USAGE, "cell [%d] is a %%rerun itself, which is not run again by another", call->cell->number);
    }
    m->rerunning = true;
    enum err_code code = run(m, call, e);
    m->rerunning = false;
    return code;
}
