/* What cells get in place of a few functions of libc.
 *
 *   exit and its like   end the cell, not the session
 *   atexit              what a program registers runs when its exit or its main ends it
 *
 * More of them are in session_write.c and session_input.c.
 * In a child that the user forked they are what they are in libc. */
#include "kernel/session.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_HANDLERS = 128 };

static struct {
    void (*at[EXIT_HANDLERS])(void);
    int count;
} handlers; /* as libc's own list is: of the process */

void session_exit_handlers(void)
{
    while (handlers.count > 0) {
        handlers.at[--handlers.count]();
    }
}

void session_forget_exit_handlers(void)
{
    handlers.count = 0;
}

static int cell_atexit(void (*function)(void))
{
    if (handlers.count == EXIT_HANDLERS) {
        return -1;
    }
    handlers.at[handlers.count++] = function;
    return 0;
}

static void cell_exit(int status)
{
    if (session_running()) {
        session_exit_handlers();
    }
    (void)session_leave(status, "exit");
    exit(status);
}

static void cell_immediate_exit(int status)
{
    (void)session_leave(status, "_exit");
    _exit(status);
}

static void cell_quick_exit(int status)
{
    (void)session_leave(status, "quick_exit");
    _exit(status);
}

static void cell_undefined(const char *name)
{
    (void)session_leave_undefined(name);
    (void)fprintf(stderr, "weir: '%s' is declared but not defined yet: run the cell that defines it\n", name); /* in a thread */
    abort();
}

static enum err_code give(struct build_cells *cells, const struct session_symbol *symbols, size_t n, struct err *e)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < n && !code; i++) {
        code = build_cells_host(cells, symbols[i].name, (void *)symbols[i].function, e);
    }
    return code;
}

enum err_code session_libc(struct build_cells *cells, struct err *e)
{
    static const struct session_symbol ours[] = {
        { "exit", (uintptr_t)cell_exit },
        { "_exit", (uintptr_t)cell_immediate_exit },
        { "_Exit", (uintptr_t)cell_immediate_exit },
        { "quick_exit", (uintptr_t)cell_quick_exit },
        { "atexit", (uintptr_t)cell_atexit },
        { "weir_session_value", (uintptr_t)weir_session_value },
    };
    size_t n_input, n_write;
    const struct session_symbol *input = session_input_symbols(&n_input), *write = session_write_symbols(&n_write);
    build_cells_undefined(cells, cell_undefined);
    enum err_code code = give(cells, ours, sizeof ours / sizeof *ours, e);
    code = code ? code : give(cells, input, n_input, e);
    return code ? code : give(cells, write, n_write, e);
}
