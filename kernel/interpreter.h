/* The seam between Jupyter's protocol and whatever runs cells. The kernel process speaks the protocol and knows only this;
 * `supervisor` implements it with a session process, tests with a mock, so that the protocol is tested without user code. */
#ifndef WEIR_KERNEL_INTERPRETER_H
#define WEIR_KERNEL_INTERPRETER_H

#include "runtime/base/err.h"

#include <jansson.h>
#include <stdbool.h>

struct execute_request {
    const char *code;
    const char *cell_id;          /* NULL: unknown */
    int count;                    /* execution count, as shown */
    bool silent;
    bool allow_stdin;
    json_t *user_expressions;     /* borrowed; object of name -> expression, may be NULL */
};

/* What a cell sends while it runs and when it ends. All json is borrowed. Called on the thread that runs the poll loop. */
struct interpreter_events {
    void *ctx;
    void (*stream)(void *ctx, const char *name, const char *text, size_t len);
    void (*display)(void *ctx, json_t *data, json_t *metadata, const char *display_id, bool update);
    void (*clear_output)(void *ctx, bool wait);
    void (*result)(void *ctx, json_t *data);
    /* The cell waits for a line of input: answer by interpreter.input. prompt: UTF-8. */
    void (*input)(void *ctx, const char *prompt, bool password);
    void (*error)(void *ctx, const char *ename, const char *evalue, json_t *traceback);
    /* The cell is over: payload (array) and user_expressions (object of results) may be NULL. ok false: error was called. */
    void (*done)(void *ctx, bool ok, json_t *payload, json_t *user_expressions);
};

struct interpreter {
    void *self;
    /* Pass on what has been printed until now: it belongs to the latest cell, and the next one is to begin. */
    void (*settle)(void *self);
    /* Start a cell. Its events follow from the poll loop; done comes exactly once, also when the session dies. */
    enum err_code (*execute)(void *self, const struct execute_request *r, struct err *e);
    /* "complete", "incomplete" (with indent), "invalid". Answered at once, also while a cell runs. */
    const char *(*is_complete)(void *self, const char *code, char *indent, size_t size);
    void (*interrupt)(void *self);
    /* The line that the cell waits for, without its newline: UTF-8, NUL is possible; NULL: end of file. */
    void (*input)(void *self, const char *line, size_t len);
    /* New reference: {"matches": [...], "cursor_start": n, "cursor_end": n} / {"found": bool, "data": {...}}. */
    json_t *(*complete)(void *self, const char *code, size_t cursor);
    json_t *(*inspect)(void *self, const char *code, size_t cursor);
    void (*shutdown)(void *self, bool restart);
    /* Descriptors to poll for reading (at most max); dispatch handles what is ready. */
    size_t (*fds)(void *self, int *fds, size_t max);
    void (*dispatch)(void *self);
};

#endif
