/* Magics: what the user types after % and %%. One table: a row is name, line or cell, handler, help, options.
 *
 * Run in the session process. They reach the kernel only through `struct magic_host`. Dispatch, %lsmagic, completion,
 * help (`%flow?`) and the docs come from the row. A new magic is one row, one function, one test, one page. */
#ifndef WEIR_MAGICS_MAGICS_H
#define WEIR_MAGICS_MAGICS_H

#include "runtime/lang/flows.h"
#include "runtime/view/setting.h"

#include <jansson.h>

/* What magics ask of the session. */
struct magic_host {
    void *ctx;
    /* Publish a mime bundle. display_id NULL: none; update: replaces what was shown under that id. data: borrowed. */
    void (*display)(void *ctx, json_t *data, const char *display_id, bool update);
    /* Text under the cell; stream is "stdout" or "stderr". In order with display. */
    void (*stream)(void *ctx, const char *stream, const char *text, size_t len);
    /* Compile and run a plain cell's text in the session, as if the user had run it. label: "cell [3]" or a hidden one's name. */
    enum err_code (*run_cell)(void *ctx, const char *label, const char *text, size_t len, struct err *e);
    /* The text of the cell that ran under an execution count, NULL: none is known. Borrowed until the next cell runs. */
    const char *(*source)(void *ctx, int number);
    /* Run that cell again, its magics too, as the same cell. ERR_NOT_FOUND, or as it fails. */
    enum err_code (*rerun)(void *ctx, int number, struct err *e);
    /* A function or object of the host's that hidden cells may name. */
    enum err_code (*symbol)(void *ctx, const char *name, void *address, struct err *e);
    /* Address of a session variable, NULL: none. */
    void *(*variable)(void *ctx, const char *name);
    /* 1 once the user has interrupted the running cell. */
    bool (*interrupted)(void *ctx);
    /* Execution counts of the cells that can be undone, newest first, at most max: how many there are. */
    size_t (*undoable)(void *ctx, int *counts, size_t max);
    /* Once the running cell is over, go back to before the n newest of them. ERR_LIMIT: there are not so many. */
    enum err_code (*undo)(void *ctx, unsigned n, struct err *e);
    struct setting_store settings;
    struct index *index;          /* borrowed */
    struct flows *flows;          /* borrowed */
    const char *directory;        /* the notebook's folder */
};

struct magics;

enum err_code magics_new(const struct magic_host *host, struct magics **out, struct err *e);  /* host copied */
void magics_free(struct magics *m);

/* Whether a cell begins with a magic of ours (%% in the first line, or % lines only before the C text). */
bool magics_is(const char *text);

/* Run a cell's magics: a %% cell whole, or each % line in column 1; C text between is run through host->run_cell in order, except what magics_is says no to. ERR_NAME for
 * an unknown magic, with the nearest names. */
enum err_code magics_run(struct magics *m, const struct cell *cell, struct err *e);

/* Whether a cell that magics_is may change the session: false if all that it has are magics that only show. */
bool magics_change(const char *text);

/* Before a plain cell is lowered: make the artifacts of finished runs that it names (`winner`, `Grid`) values, by hidden cells. */
enum err_code magics_provide(struct magics *m, const char *text, size_t len, struct err *e);

/* After a plain cell has run: steps that waited for a name it brought are checked, and what is wrong with them is told. */
void magics_settle(struct magics *m);

/* Completions of magic names and options at a cursor; json array of strings. new reference. */
json_t *magics_complete(struct magics *m, const char *line, size_t cursor);

/* Help of a magic as text ("flow" or "%flow"); NULL: unknown. Static. */
const char *magics_help(const char *name);

#endif
