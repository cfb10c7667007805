/* The session process: it owns the user's cells, compiles and runs them, one at a time, on its main thread.
 *
 *   session_main.c     start, the loop over messages
 *   session.c          one execute request: magics or a plain cell, then the answer
 *   session_run.c      user code under guard, and how it ends by exit; session_guard.h is what these share:
 *   session_crash.c      SIGSEGV and its like, in the cell's thread and others
 *   session_interrupt.c  the stop button
 *   session_frames.c     cells' frames on a stack that may be damaged
 *   session_threads.c    threads that user code starts
 *   session_checkpoint.c  sleeping copies of the session, and how a crashed one is replaced by one
 *   session_trace.c    machine frames as `cell [7] line 3 in f`, with the source line
 *   session_texts.c    the cells' texts, for tracebacks and %rerun
 *   session_libc.c     what cells get in place of libc's exit, atexit ...
 *   session_stdio.c    stdout and stderr in order; what cells may do with the three streams
 *   session_write.c    what cells get in place of libc's write, sleep, fork ...
 *   session_input.c    stdin: what a cell reads is asked of the front end
 *   session_value.c    the value of a last expression as text and table
 *   session_host.c     what magics may ask of us
 *   session_look.c     complete and inspect
 *
 * Inside kernel/session*.c only. Nothing here locks, and user threads come only into session_input.c and session_stdio.c. */
#ifndef WEIR_KERNEL_SESSION_H
#define WEIR_KERNEL_SESSION_H

#include "kernel/session_shared.h"
#include "magics/magics.h"
#include "runtime/build/build.h"
#include "runtime/lang/cell.h"

#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

/* An error as Jupyter shows it. Zeroed: none. */
struct failure {
    char *ename, *evalue; /* owned */
    json_t *traceback;    /* owned; array of strings */
};

/* A cell's text as it came, for the lines in tracebacks. */
struct shown_cell {
    char label[64];
    char *text;  /* owned */
    char *entry; /* owned; its function's name, not to be shown; may be NULL */
    char *id;    /* owned; the front end's, NULL: none */
    uint32_t next; /* session_texts.c's */
};

enum { COPY_OFFSETS = 64, COPY_CLOSED = 4 };

/* What a sleeping copy of the session knows of what it has not. */
struct copy {
    int threads;    /* of the user's, when it was forked */
    bool connected; /* there was a pipe or socket */
    size_t nclosed;
    int closed[COPY_CLOSED]; /* the first of the descriptors that it closed */
    size_t noffsets;
    struct copy_offset {
        int fd;
        off_t at;
    } offsets[COPY_OFFSETS];
};

/* A function that cells get instead of libc's. */
struct session_symbol {
    const char *name;
    uintptr_t function;
};

enum { SESSION_FDS_END = 200 }; /* descriptors of ours that a user should not meet are behind this */

struct session {
    int fd;                        /* to the kernel */
    struct session_shared *shared; /* mapped; never NULL */
    pid_t pid;                     /* ours: a child that the user forked has another */
    pid_t kernel;                  /* the kernel's; 0: none started us, and there are no copies */
    bool copied;                   /* the newest copy has all that earlier cells did */
    bool told_room;                /* the user knows that a copy doesn't fit */
    struct copy copy;
    struct index *index;
    struct flows *flows;
    struct build_cells *cells;
    struct magics *magics;
    char directory[4096];
    struct texts *texts; /* owned; session_texts.c */
    /* the running request */
    const char *cell_id; /* borrowed from the request */
    int count;
    bool silent;
    bool allow_stdin;       /* the front end gives input */
    int undo;               /* cells to go back over once it is over; 0: none */
    bool program;           /* a cell with a main runs: exit ends that, and nothing else */
    bool changed;           /* it compiled, or a magic ran: the state may be another */
    bool quiet_value;       /* a value is kept, not sent (user_expressions) */
    bool value_is_last;     /* no code of the user's runs after the cell's value */
    json_t *value;          /* owned; mime bundle of the last expression, NULL: none */
    struct failure failure; /* of user code; set when session_cell says ERR_TASK */
    volatile sig_atomic_t interrupted;
};

/* ---- session.c ---- */

/* Everything a session needs, in *s (zeroed before); answers to fd. directory: the working folder. Done with
 * session_done, also after a failure. */
enum err_code session_init(struct session *s, int fd, struct err *e);
void session_done(struct session *s);

/* Handle one message; answers go to s->fd. *end: the session is to end. An error is about the connection. */
enum err_code session_handle(struct session *s, const json_t *message, bool *end, struct err *e);

/* Compile and run one plain cell (no magics); a value is sent as a result. ERR_TASK: user code failed, and s->failure
 * says how; else it did not run, and e says why. */
enum err_code session_cell(struct session *s, const struct cell *cell, const char *label, struct err *e);

/* Run the cell that ran under this count again, magics and all, as itself. ERR_NOT_FOUND, or as session_cell. */
enum err_code session_rerun(struct session *s, int number, struct err *e);

/* Send s->failure as the cell's error, and forget it. */
void session_say_failure(struct session *s);

/* Send a message whose data is steals; flushes the user's output first. */
void session_say(struct session *s, json_t *message);
void session_say_stream(struct session *s, const char *stream, const char *text, size_t len);

/* ---- session_run.c ---- */

/* Take the signals over. Once, before the first run; anew before each cell, since user code may have changed them. */
void session_guard_signals(struct session *s);

/* Once more, all of it, in a process that was forked from the one that had done so. */
void session_guard_renew(struct session *s);

/* Call entry (NULL: only the newest cell's constructors) under guard. */
void session_run(struct session *s, void (*entry)(void), struct outcome *out);

/* End the guarded code from inside, also from a thread that it started: does not return. Outside of it, and in forked
 * children: false. The second, for input that nobody gives: on the cell's thread only. */
bool session_leave(int status, const char *called);
bool session_leave_input(void);
bool session_leave_undefined(const char *name); /* a function that is only declared has been called */

/* Whether this is the thread that runs the cell, within it. */
bool session_is_mine(void);

/* The session whose code runs (for what cells call); NULL: none. */
struct session *session_running(void);

/* ---- session_checkpoint.c ---- */

/* Fork a copy of the session as it is now. The message that tells the kernel of it: {"op":op, "checkpoint":pid or 0,
 * "count":N, "memory":bytes, "changed":true}, new reference. NULL: we are the copy, woken much later; a cell that ran
 * then is answered already. */
json_t *session_checkpoint(struct session *s, const char *op);

/* Whether a copy from before this cell stands by: then user code that crashes or exits ends this process
 * (session_die), and the copy goes on. Else the cell is left by a jump. Async-signal-safe. */
bool session_has_checkpoint(const struct session *s);

/* Leave word of how user code ended, write out what stdout holds, and end the process: the kernel wakes the copy, which
 * tells the user. Async-signal-safe, on any thread. Only if session_has_checkpoint. */
_Noreturn void session_die(struct session *s, const struct outcome *o);

/* ---- session_threads.c ---- */

/* How many threads of the user's there are. */
int session_user_threads(void);

/* ---- session_trace.c ---- */

/* outcome (not END_RETURN) as an error. label: of the cell that ran. */
void session_explain(struct session *s, const struct outcome *o, struct failure *out);

/* The session's death as an error, when user code left no word. */
void session_explain_death(struct session *s, int wait_status, bool killed, struct failure *out);

/* Put under a failure that the state from before the cell is back, and what is not (lines; NULL, "": nothing). */
void session_explain_rollback(struct failure *f, const char *losses);

/* Put under a failure that what the cell had changed so far stays. */
void session_explain_kept(struct failure *f);

/* A failure from e: compile errors and the like. */
void session_failure_of(const struct err *e, struct failure *out);
void session_failure_done(struct failure *f);

/* The newest cell's code and text, left where a copy finds them if the cell crashes (struct session_shared). */
void session_leave_code(struct session *s, const char *label);

/* In the copy: learn what the dead session left, for a traceback; forget it. */
void session_learn_code(struct session *s);
void session_forget_code(struct session *s);

/* A line of a remembered cell, for the linker's messages (a build_line). ctx: the session. */
const char *session_line(void *ctx, const char *label, int line, size_t *len);

/* ---- session_texts.c ---- */

/* Remember the text of the running cell (copied) and its entry. Out of memory only costs lines in tracebacks. */
void session_remember(struct session *s, const char *label, const char *text, size_t len);
void session_remember_entry(struct session *s, const char *label, const char *entry);

/* NULL: not remembered, or no more. Borrowed until the next session_remember. */
struct shown_cell *session_shown(struct session *s, const char *label);
void session_texts_done(struct session *s);

/* ---- session_libc.c ---- */

/* Our own exit, sleep and so on, and weir_session_value, as symbols for cells. */
enum err_code session_libc(struct build_cells *cells, struct err *e);

/* Run what the cell registered with atexit, newest first, and forget it. Guarded user code. */
void session_exit_handlers(void);
void session_forget_exit_handlers(void);

/* ---- session_input.c ---- */

/* Put a stdin that asks in the place of libc's. Once. */
enum err_code session_input_open(struct session *s, struct err *e);

/* Before a cell: what was typed and not read is forgotten. */
void session_input_begin(struct session *s);

/* User code has ended, one way or another: a thread of its that waits for input sees the end of the file. Before the session
 * says anything. */
void session_input_end(void);

/* What cells get instead of libc's read, readv and getpass. */
const struct session_symbol *session_input_symbols(size_t *n);

/* ---- session_stdio.c ---- */

/* Put a stderr in the place of libc's that keeps the order with stdout. Once. */
enum err_code session_stdio_open(struct session *s, struct err *e);

/* Put a stream of ours in the place of libc's, whose descriptor is fd. */
void session_stdio_replace(FILE **variable, FILE *ours, int fd);

/* Whether the cell has closed it. */
bool session_stdio_closed(FILE **variable);

/* Before a cell; after a program's main: what it did to the three streams by freopen is undone. */
void session_stdio_begin(struct session *s);
void session_stdio_restore(void);

/* Whether it is one of the two pipes to the kernel. */
bool session_stdio_is_pipe(const struct stat *st);

/* Give back a stream's lock that this thread holds, however often: a jump has left it. */
void session_stdio_unlock(FILE *f);

/* Before something is written to stderr, or a child is started that may: write out what stdout holds, and wait until the
 * kernel has read it. */
void session_stdio_order(void);

/* Before something is written to descriptor fd itself: if it is stdout's or stderr's, what stdout holds goes first. */
void session_stdio_before(int fd);

/* Write out what stdout holds, unless that is in use. Async-signal-safe. */
void session_stdio_flush(void);

/* libc's fileno, freopen and fclose, also for streams of ours. */
int session_stdio_fileno(FILE *f);
FILE *session_stdio_freopen(const char *path, const char *mode, FILE *f);
int session_stdio_fclose(FILE *f);

/* Whether f is our stderr, which takes bytes alone. */
bool session_stdio_is_stderr(const FILE *f);

/* ---- session_write.c ---- */

/* What cells get instead of libc's write, sleep, fork and so on. */
const struct session_symbol *session_write_symbols(size_t *n);

/* ---- session_host.c ---- */

struct magic_host session_host(struct session *s);

/* ---- session_look.c ---- */

/* {"op":"reply","matches":[..],"cursor_start":N,"cursor_end":N}: new reference; NULL: out of memory. Cursors in bytes.
 */
json_t *session_complete(struct session *s, const char *code, size_t cursor);

/* {"op":"reply","found":B,"data":{"text/plain":S}}: the same. */
json_t *session_inspect(struct session *s, const char *code, size_t cursor);

#endif
