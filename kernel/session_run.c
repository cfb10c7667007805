/* Running user code: it ends by returning, or one of the other files of the guard (session_guard.h) makes it end.
 *
 * exit ends the cell. A copy of the session goes on if one stands by, since a program's exit leaves nothing as it was;
 * in a cell with a main it is how that main ends, so the cell is left by a jump. */
#include "kernel/session_guard.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct guard session_guard;

struct session *session_running(void)
{
    return session_guard.active ? session_guard.session : NULL;
}

bool session_guard_ours(void)
{
    return session_guard.session && getpid() == session_guard.pid;
}

bool session_is_mine(void)
{
    return session_guard.active && session_guard_ours() && gettid() == session_guard.thread;
}

void session_guard_leave(void)
{
    session_guard.active = 0;
    siglongjmp(session_guard.out, 1);
}

/* ---- what is printed is seen in time ---- */

/* The kernel asks for it. */
static void on_flush(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)info, (void)context;
    if (session_guard_ours()) {
        bool mine = session_is_mine();
        session_guard.writing += mine;
        session_stdio_flush();
        session_guard.writing -= mine;
    }
}

/* ---- signals ---- */

static void take(int signo, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction a = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART, .sa_sigaction = handler };
    (void)sigaction(signo, &a, NULL); /* can only fail for bad numbers */
}

/* Writing to a closed pipe is an error code here; programs that cells start get the default back, unlike with SIG_IGN.
 */
static void on_pipe(int signo)
{
    (void)signo;
}

/* Whether it is the user's code that calls, and not the last of us: a thread may go on between the cells. */
static bool may_leave(void)
{
    const struct guard *g = &session_guard;
    return session_guard_ours() && (g->active || (gettid() != g->thread && session_has_checkpoint(g->session)));
}

/* exit, called inside a library: one of the handlers that libc runs then. */
static void on_library_exit(int status, void *ctx)
{
    if (may_leave()) {
        (void)on_exit(on_library_exit, ctx); /* this one is used up */
        (void)session_leave(status, "exit");
    }
}

void session_guard_signals(struct session *s)
{
    static const int defaults[] = { SIGCHLD, SIGALRM, SIGTERM };
    static bool exit_is_ours;
    if (!session_guard.session) {
        session_guard.has_look_timer = false;
    }
    session_guard.session = s;
    session_guard.pid = s->pid;
    session_guard.thread = gettid();
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        (void)signal(defaults[i], SIG_DFL);
    }
    (void)signal(SIGPIPE, on_pipe);
    session_crash_signals();
    session_interrupt_signals();
    take(session_flush_signal(), on_flush);
    if (!exit_is_ours) {
        exit_is_ours = on_exit(on_library_exit, NULL) == 0;
    }
}

void session_guard_renew(struct session *s)
{
    session_guard.session = NULL; /* a timer is not inherited */
    session_guard.active = 0;
    session_guard_signals(s);
}

/* ---- running ---- */

static void leave_as(struct outcome *o, bool stay)
{
    struct guard *g = &session_guard;
    ucontext_t context;
    if (getcontext(&context) == 0) {
        session_frames(o, &context);
    }
    if (session_has_checkpoint(g->session) && !stay) {
        session_crash_die(o);
    }
    if (!o->thread) {
        *g->outcome = *o;
        session_guard_leave();
    }
    session_interrupt_end_cell(o);
    pthread_exit(NULL);
}

bool session_leave(int status, const char *called)
{
    struct outcome o = { .ending = END_EXIT,
                         .status = status,
                         .called = called,
                         .thread = gettid() != session_guard.thread };
    if (may_leave()) {
        leave_as(&o, session_guard.session->program);
    }
    return false;
}

bool session_leave_input(void)
{
    struct outcome o = { .ending = END_INPUT };
    if (session_is_mine()) {
        leave_as(&o, false);
    }
    return false;
}

bool session_leave_undefined(const char *name)
{
    struct outcome o = { .ending = END_UNDEFINED, .thread = gettid() != session_guard.thread };
    (void)snprintf(o.name, sizeof o.name, "%s", name); /* cut, it is still told */
    if (may_leave()) {
        leave_as(&o, false);
    }
    return false;
}

/* A child that the user forked must not go on as a second session. */
static void end_child(void)
{
    (void)fflush(NULL); /* it is going anyway */
    _exit(0);
}

/* What a jump out of libc may have left: locks of streams, and a thread that can be cancelled anywhere. */
extern FILE *_IO_list_all __attribute__((weak)); /* libc's: all streams, linked by _chain */

static void mend_libc(void)
{
    (void)pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
    for (FILE *f = &_IO_list_all ? _IO_list_all : stdout; f; f = f->_chain) {
        session_stdio_unlock(f);
    }
}

__attribute__((noinline)) void session_run(struct session *s, void (*entry)(void), struct outcome *out)
{
    struct guard *g = &session_guard;
    volatile int threads = session_user_threads();
    *out = (struct outcome){ .ending = END_RETURN };
    g->outcome = out;
    g->writing = 0;
    g->base = (uintptr_t)__builtin_frame_address(0);
    if (sigsetjmp(g->out, 1) == 0) {
        g->active = 1;
        if (s->interrupted) { /* it came while the cell was being compiled */
            out->ending = END_INTERRUPT;
        } else {
            build_cells_construct(s->cells);
            if (entry) {
                entry();
            }
        }
        g->active = 0;
    } else {
        mend_libc();
    }
    session_interrupt_over();
    if (!session_guard_ours()) {
        end_child();
    }
    if (out->ending == END_INTERRUPT) {
        out->threads = session_user_threads() - threads;
    }
    (void)alarm(0); /* whom it was set for is gone */
    session_guard_signals(s);
}
