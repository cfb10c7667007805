/* The interpreter that is a process: starts weir-session, sends it cells, passes on what it says and prints, and
 * replaces it when it dies. Never waits for it, but for completions and at shutdown. On the thread of the poll loop.
 *
 *   cell:   execute ... done, with the pid of a sleeping copy of the session as it is now
 *   death:  the newest copy is woken, and ends the cell with one `error` and `done`; without one a fresh session is
 *           started, and the state is lost
 *   %undo:  the session is ended and an older copy woken
 *
 * It takes over SIGCHLD for the whole process. */
#ifndef WEIR_KERNEL_SUPERVISOR_H
#define WEIR_KERNEL_SUPERVISOR_H

#include "kernel/interpreter.h"

struct supervisor;

struct supervisor_options {
    const char *program; /* path of the session's program; copied */
    struct interpreter_events events;
};

/* Start a session; it gets ready while the caller goes on. Blocks SIGCHLD in this thread: call it before others are
 * started. Free with supervisor_free, which ends the session too. */
enum err_code supervisor_new(const struct supervisor_options *options, struct supervisor **out, struct err *e);
void supervisor_free(struct supervisor *s);

/* It as an interpreter; borrowed from s. */
struct interpreter supervisor_interpreter(struct supervisor *s);

/* Read no output for now: clients are slow. The session goes on until its pipes are full. */
void supervisor_hold(struct supervisor *s, bool hold);

#endif
