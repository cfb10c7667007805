/* What the files share that run user code under guard: session_run.c, session_crash.c, session_interrupt.c,
 * session_frames.c and session_threads.c. Nobody else includes this. All of it is async-signal-safe unless it says
 * otherwise.
 *
 *   session_run -- sigsetjmp -- entry() -- ... crash, SIGINT, exit ... siglongjmp --> session_run returns
 *                                              \--- session_die, if a copy of the session stands by */
#ifndef WEIR_KERNEL_SESSION_GUARD_H
#define WEIR_KERNEL_SESSION_GUARD_H

#include "kernel/session.h"

#include <stdint.h>
#include <time.h>
#include <ucontext.h>

enum { GUARD_TRAPS = 8 };

struct guard {
    struct session *session; /* NULL: session_guard_signals was never called */
    pid_t pid, thread;       /* of the session, and of the thread that runs cells */
    sigjmp_buf out;
    volatile sig_atomic_t active; /* user code runs on that thread */
    volatile sig_atomic_t writing; /* a handler of ours writes out what stdout holds, on that thread */
    uintptr_t base;               /* stack address of session_run's frame */
    struct outcome *outcome;
    timer_t look_timer;
    bool has_look_timer;
    /* a pending interrupt */
    volatile sig_atomic_t pending; /* enum pending of session_interrupt.c */
    struct outcome wanted; /* what the cell ends by, without frames */
    int64_t since; /* of clock_ns */
    /* return addresses on the stack that stand replaced, see session_interrupt.c */
    struct guard_trap {
        uintptr_t slot, original;
    } traps[GUARD_TRAPS];
    unsigned ntraps;
};

/* The one global of the session: handlers have no other way to it. */
extern struct guard session_guard;

/* Whether this is the session, not a child that the user forked. (session_is_mine: and its thread for cells, in one.) */
bool session_guard_ours(void);

/* Leave the guarded code: session_run returns with its outcome. On that thread, while it is active. */
_Noreturn void session_guard_leave(void);

/* ---- session_crash.c ---- */

void session_crash_signals(void);

/* Where the stack on which cells run can't grow any further. */
uintptr_t session_stack_low(void);

/* End the session, whose copy goes on, by this outcome. The first of several threads that come here is told of. */
_Noreturn void session_crash_die(const struct outcome *o);

/* ---- session_frames.c ---- */

/* The frames of cells' code, innermost first, into o. Whatever the stack holds, this does not crash. */
void session_frames(struct outcome *o, const ucontext_t *context);
void session_frames_at(struct outcome *o, uintptr_t pc, uintptr_t sp, uintptr_t bp);

/* Read memory that may not be there. */
bool session_peek(uintptr_t at, void *to, size_t len);

/* The innermost return address into a cell's code that stands on the stack above sp. */
struct frames_return {
    uintptr_t slot; /* where it stands; 0: none was found */
    uintptr_t address;
    bool through_library; /* there is a library's frame below it: neither libc's, the loader's nor ours */
};
struct frames_return session_frames_return(uintptr_t sp);

/* Which part of the process a code address belongs to. */
enum place { PLACE_CELL, PLACE_LIBRARY, PLACE_LIBC, PLACE_SESSION, PLACE_UNKNOWN };
enum place session_place(uintptr_t pc);

/* ---- session_interrupt.c ---- */

void session_interrupt_signals(void);

/* Make the cell, which runs on another thread, end by this outcome as soon as that harms nothing. */
void session_interrupt_end_cell(const struct outcome *o);

/* It has ended, one way or another: nothing is pending. Not in a handler. */
void session_interrupt_over(void);

/* Stands in a replaced return address. */
extern const char session_trap[];

/* ---- session_threads.c ---- */

/* The stack of the calling thread, of those that the user started. low 0: unknown. */
struct thread_stack {
    uintptr_t low, high;
};
struct thread_stack session_thread_stack(void);

#endif
