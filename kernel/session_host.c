/* What magics may ask of the session (struct magic_host). */
#include "kernel/session.h"

#include <stdio.h>
#include <string.h>

static void host_display(void *ctx, json_t *data, const char *display_id, bool update)
{
    session_say(ctx, json_pack("{s:s, s:O, s:{}, s:s?, s:b}", "op", "display", "data", data, "metadata", "display_id",
                               display_id, "update", update));
}

static void host_stream(void *ctx, const char *stream, const char *text, size_t len)
{
    session_say_stream(ctx, stream, text, len);
}

static enum err_code host_run_cell(void *ctx, const char *label, const char *text, size_t len, struct err *e)
{
    struct session *s = ctx;
    struct cell cell = { .number = s->count, .text = text, .len = len };
    char own[64];
    cell_label(s->count, own, sizeof own);
    if (strcmp(own, label) == 0) { /* the C between a cell's magics: the cell itself */
        cell.id = s->cell_id; /* its text is remembered whole, with the same lines */
    } else {
        cell.id = label; /* a hidden one replaces the hidden one of the same name */
        cell.number = 0;
    }
    return session_cell(s, &cell, label, e);
}

static const char *host_source(void *ctx, int number)
{
    char label[64];
    cell_label(number, label, sizeof label);
    const struct shown_cell *c = session_shown(ctx, label);
    return c ? c->text : NULL;
}

static enum err_code host_rerun(void *ctx, int number, struct err *e)
{
    return session_rerun(ctx, number, e);
}

static enum err_code host_symbol(void *ctx, const char *name, void *address, struct err *e)
{
    struct session *s = ctx;
    return build_cells_host(s->cells, name, address, e);
}

static void *host_variable(void *ctx, const char *name)
{
    const struct session *s = ctx;
    return build_cells_find(s->cells, name);
}

static bool host_interrupted(void *ctx)
{
    const struct session *s = ctx;
    return s->interrupted != 0;
}

static size_t host_undoable(void *ctx, int *counts, size_t max)
{
    const struct session_shared *shared = ((const struct session *)ctx)->shared;
    size_t n = shared->nundo < 0 ? 0 : shared->nundo > UNDO_MAX ? UNDO_MAX : (size_t)shared->nundo;
    for (size_t i = 0; i < n && i < max; i++) {
        counts[i] = shared->undo_counts[i];
    }
    return n;
}

static enum err_code host_undo(void *ctx, unsigned n, struct err *e)
{
    struct session *s = ctx;
    size_t most = host_undoable(ctx, NULL, 0);
    if (n < 1 || n > most) {
        return err_set(e, ERR_LIMIT, "%u cells can't be undone, but 1 to %zu", n, most);
    }
    s->undo = (int)n; /* at most UNDO_MAX */
    return ERR_NONE;
}

struct magic_host session_host(struct session *s)
{
    return (struct magic_host){ .ctx = s,
                                .display = host_display,
                                .stream = host_stream,
                                .run_cell = host_run_cell,
                                .source = host_source,
                                .rerun = host_rerun,
                                .symbol = host_symbol,
                                .variable = host_variable,
                                .interrupted = host_interrupted,
                                .undoable = host_undoable,
                                .undo = host_undo,
                                .settings = settings_store(&s->shared->settings),
                                .index = s->index,
                                .flows = s->flows,
                                .directory = s->directory };
}
