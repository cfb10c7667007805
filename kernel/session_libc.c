/* What cells get in place of a few functions of libc.
 *
 *   exit and its like   end the cell, not the session
 *   atexit              what a program registers runs when its exit or its main ends it
 *   sleep and its like  show what was printed before they wait
 *   fork, popen, system the same, so that a child does not print it a second time
 *
 * In a child that the user forked they are what they are in libc. */
#include "kernel/session.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
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

static unsigned cell_sleep(unsigned seconds)
{
    (void)fflush(stdout); /* shown in time, or when the cell ends */
    return sleep(seconds);
}

static int cell_usleep(useconds_t us)
{
    (void)fflush(stdout);
    return usleep(us);
}

static int cell_nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)fflush(stdout);
    return nanosleep(wanted, left);
}

static int cell_clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left)
{
    (void)fflush(stdout);
    return clock_nanosleep(clock, flags, wanted, left);
}

static int cell_thrd_sleep(const struct timespec *wanted, struct timespec *left)
{
    (void)fflush(stdout);
    return thrd_sleep(wanted, left);
}

static int cell_pause(void)
{
    (void)fflush(stdout);
    return pause();
}

static pid_t cell_fork(void)
{
    session_stdio_order();
    (void)fflush(stdout);
    return fork();
}

static FILE *cell_popen(const char *command, const char *mode)
{
    session_stdio_order();
    (void)fflush(stdout);
    return popen(command, mode);
}

/* libc's own, by another name: what the user's cell asks a shell for is the user's business. */
static int (*const libc_system)(const char *) = system;

static int cell_system(const char *command)
{
    session_stdio_order();
    (void)fflush(stdout);
    int status = libc_system(command); /* ignores SIGINT meanwhile; what it has started gets it too */
    if (session_is_mine() && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) {
        (void)raise(SIGINT);
    }
    return status;
}

enum err_code session_libc(struct build_cells *cells, struct err *e)
{
    const struct {
        const char *name;
        uintptr_t function;
    } ours[] = {
        { "exit", (uintptr_t)cell_exit },
        { "_exit", (uintptr_t)cell_immediate_exit },
        { "_Exit", (uintptr_t)cell_immediate_exit },
        { "quick_exit", (uintptr_t)cell_quick_exit },
        { "atexit", (uintptr_t)cell_atexit },
        { "sleep", (uintptr_t)cell_sleep },
        { "usleep", (uintptr_t)cell_usleep },
        { "nanosleep", (uintptr_t)cell_nanosleep },
        { "clock_nanosleep", (uintptr_t)cell_clock_nanosleep },
        { "thrd_sleep", (uintptr_t)cell_thrd_sleep },
        { "pause", (uintptr_t)cell_pause },
        { "fork", (uintptr_t)cell_fork },
        { "popen", (uintptr_t)cell_popen },
        { "system", (uintptr_t)cell_system },
        { "weir_session_value", (uintptr_t)weir_session_value },
    };
    enum err_code code = ERR_NONE;
    size_t n;
    const struct session_symbol *(*const more[])(size_t *) = { session_input_symbols, session_stdio_symbols };
    for (size_t i = 0; i < sizeof ours / sizeof *ours && !code; i++) {
        code = build_cells_host(cells, ours[i].name, (void *)ours[i].function, e);
    }
    for (size_t k = 0; k < sizeof more / sizeof *more; k++) {
        const struct session_symbol *symbols = more[k](&n);
        for (size_t i = 0; i < n && !code; i++) {
            code = build_cells_host(cells, symbols[i].name, symbols[i].address, e);
        }
    }
    return code;
}
