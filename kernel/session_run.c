/* User code under guard.
 *
 *   session_run -- sigsetjmp -- entry() -- ... crash, SIGINT, exit ... siglongjmp --> session_run returns
 *
 * SIGSEGV and its like are handled on a stack of their own, so that a full stack can be told. SIGINT leaves at once
 * when the cell's own code runs, or when libc waits in a system call (sleep, read); anywhere else in a library a jump
 * would leave malloc's or stdio's state torn, so a timer of CPU time looks again every few milliseconds, and jumps in
 * any case after 100 ms. The same timer flushes stdout while the cell computes, so that its output is seen in time.
 *
 * The pointer below is the one global of the session: handlers have no other way to it. */
#include "kernel/session.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    ALT_STACK = 64 << 10,
    TICK_NS = 25 * 1000 * 1000, /* CPU time between looks at stdout */
    INTERRUPT_TICK_NS = 1000 * 1000,
    INTERRUPT_TICKS = 25, /* about 4 ms each: clocks of CPU time are that coarse */
    SCAN_WORDS = 4096     /* of stack looked through for a cell's frame above library code */
};

struct guard {
    struct session *session;
    sigjmp_buf out;
    volatile sig_atomic_t active;
    pid_t thread;
    const char *base; /* stack address of session_run's frame */
    struct outcome *outcome;
    timer_t timer;
    bool has_timer;
    volatile sig_atomic_t ticks_left; /* of a pending interrupt; 0: none */
    char alt[ALT_STACK];
};
static struct guard guard;

struct session *session_running(void)
{
    return guard.active ? guard.session : NULL;
}

static int tick_signal(void)
{
    return SIGRTMAX - 1;
}

static bool in_guarded_code(void)
{
    return guard.active && getpid() == guard.session->pid && gettid() == guard.thread;
}

bool session_is_mine(void)
{
    return in_guarded_code();
}

/* ---- frames ---- */

static void add_frame(struct outcome *o, const void *pc)
{
    if (o->nframes < TRACE_FRAMES) {
        o->frames[o->nframes++] = pc;
    }
}

static bool on_stack(uintptr_t address, uintptr_t sp)
{
    return address >= sp && address < (uintptr_t)guard.base && address % sizeof(uintptr_t) == 0;
}

/* Up the chain of frame pointers: code of cells keeps rbp. Only memory between sp and our own frame is read: of
 * other functions' frames, hence not under AddressSanitizer's eyes. */
__attribute__((no_sanitize_address)) static void collect_frames(struct outcome *o, const ucontext_t *context)
{
    const struct build_cells *cells = guard.session->cells;
    uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    uintptr_t sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
    uintptr_t bp = (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
    if (build_cells_has(cells, (const void *)pc)) {
        add_frame(o, (const void *)pc);
    } else {
        /* in a library: the first return address into a cell is its caller's (and its rbp, mostly, still the cell's) */
        uintptr_t at = (sp + 7) & ~(uintptr_t)7;
        for (int i = 0; i < SCAN_WORDS && on_stack(at, sp); i++, at += sizeof at) {
            uintptr_t word = *(const uintptr_t *)at;
            if (build_cells_has(cells, (const void *)(word - 1))) {
                add_frame(o, (const void *)(word - 1));
                if (!on_stack(bp, at)) {
                    bp = 0;
                }
                break;
            }
        }
    }
    uintptr_t below = sp;
    while (o->nframes < TRACE_FRAMES && on_stack(bp, below) && on_stack(bp + sizeof bp, below)) {
        uintptr_t back = ((const uintptr_t *)bp)[1] - 1;
        if (build_cells_has(cells, (const void *)back)) {
            add_frame(o, (const void *)back);
        }
        below = bp + sizeof bp;
        bp = *(const uintptr_t *)bp;
    }
}

/* A fault just below a stack that has grown to its limit. */
static bool is_overflow(const siginfo_t *info, const ucontext_t *context)
{
    struct rlimit limit;
    uintptr_t sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
    uintptr_t fault = (uintptr_t)info->si_addr;
    uintptr_t base = (uintptr_t)guard.base;
    if (info->si_signo != SIGSEGV || sp > base || getrlimit(RLIMIT_STACK, &limit) != 0 ||
        limit.rlim_cur == RLIM_INFINITY) {
        return false;
    }
    uintptr_t used = base - sp;
    uintptr_t slack = 1 << 20; /* what was in use above us, and the guard gap */
    return used + slack >= limit.rlim_cur && fault < sp + slack && fault + 2 * slack > sp;
}

/* ---- handlers ---- */

static void leave(void)
{
    guard.active = 0;
    siglongjmp(guard.out, 1);
}

/* Not the guarded code's: let it do what it would do without us. */
static void as_default(int signo)
{
    (void)signal(signo, SIG_DFL);
    (void)raise(signo);
}

static void on_crash(int signo, siginfo_t *info, void *context)
{
    if (guard.session && getpid() == guard.session->pid && session_has_checkpoint(guard.session)) {
        static struct outcome last;
        guard.base = gettid() == guard.thread ? guard.base : (const char *)__builtin_frame_address(0);
        last.ending = END_SIGNAL;
        last.signal = signo;
        last.code = info->si_code;
        last.address = info->si_addr;
        last.thread = gettid() != guard.thread;
        last.overflow = is_overflow(info, context);
        collect_frames(&last, context);
        session_die(guard.session, &last);
    }
    if (!in_guarded_code()) {
        (void)signal(signo,
                     SIG_DFL); /* a bug of ours, a thread's crash, or a forked child's: the instruction runs again */
        if (info->si_code <= 0) {
            (void)raise(signo);
        }
        return;
    }
    struct outcome *o = guard.outcome;
    o->ending = END_SIGNAL;
    o->signal = signo;
    o->code = info->si_code;
    o->address = info->si_addr;
    o->overflow = is_overflow(info, context);
    collect_frames(o, context);
    leave();
}

/* The cell's code, or just behind a `syscall` instruction. */
static bool may_jump(const ucontext_t *context)
{
    const unsigned char *pc = (const unsigned char *)context->uc_mcontext.gregs[REG_RIP];
    return build_cells_has(guard.session->cells, pc) || (pc[-2] == 0x0f && pc[-1] == 0x05);
}

static void set_timer(long ns)
{
    struct itimerspec every = { .it_interval.tv_nsec = ns, .it_value.tv_nsec = ns };
    if (guard.has_timer) {
        (void)timer_settime(guard.timer, 0, &every, NULL); /* the timer is ours and the times are sound */
    }
}

static void interrupt_now(const ucontext_t *context)
{
    guard.ticks_left = 0;
    guard.outcome->ending = END_INTERRUPT;
    collect_frames(guard.outcome, context);
    leave();
}

static void on_interrupt(int signo, siginfo_t *info, void *context)
{
    (void)info;
    if (guard.session && getpid() != guard.session->pid) {
        as_default(signo);
        return;
    }
    if (guard.session) {
        guard.session->interrupted = 1;
    }
    if (!guard.active) {
        return;
    }
    if (gettid() != guard.thread) { /* the user's thread got it: pass it on */
        (void)tgkill(guard.session->pid, guard.thread, signo);
        return;
    }
    if (may_jump(context)) {
        interrupt_now(context);
    }
    guard.ticks_left = INTERRUPT_TICKS;
    set_timer(INTERRUPT_TICK_NS);
}

static void on_tick(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)info;
    if (!in_guarded_code()) {
        return;
    }
    bool in_cell =
        build_cells_has(guard.session->cells, (const void *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]);
    if (guard.ticks_left > 0 && (--guard.ticks_left == 0 || in_cell)) {
        interrupt_now(context);
    }
    if (in_cell && guard.ticks_left == 0) {
        (void)fflush(stdout); /* no library code is halfway: it is the cell's own that was stopped */
    }
}

static void on_flush(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)info, (void)context;
    if (guard.session && getpid() == guard.session->pid) {
        session_stdio_flush();
    }
}

/* Writing to a closed pipe is an error code here; programs that cells start get the default back, unlike with SIG_IGN.
 */
static void on_pipe(int signo)
{
    (void)signo;
}

static void take(int signo, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction a = { .sa_flags = SA_SIGINFO | SA_ONSTACK | flags };
    a.sa_sigaction = handler;
    (void)sigemptyset(&a.sa_mask);
    (void)sigaction(signo, &a, NULL); /* can only fail for bad numbers */
}

void session_guard_signals(struct session *s)
{
    static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    static const int defaults[] = { SIGCHLD, SIGALRM, SIGTERM };
    if (!guard.session) {
        struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = tick_signal() };
        guard.has_timer = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &guard.timer) == 0;
    }
    guard.session = s;
    stack_t alt = { .ss_sp = guard.alt, .ss_size = sizeof guard.alt };
    (void)sigaltstack(&alt, NULL); /* fails only while it is in use, when it is set already */
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        take(crashes[i], on_crash, SA_NODEFER);
    }
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        (void)signal(defaults[i], SIG_DFL);
    }
    (void)signal(SIGPIPE, on_pipe);
    take(SIGINT, on_interrupt, SA_NODEFER);
    take(tick_signal(), on_tick, SA_RESTART);
    take(session_flush_signal(), on_flush, SA_RESTART);
}

void session_guard_renew(struct session *s)
{
    guard.session = NULL; /* a timer is not inherited */
    guard.active = 0;
    session_guard_signals(s);
}

/* ---- running ---- */

static bool leave_as(enum ending ending, bool stay)
{
    if (!in_guarded_code()) {
        return false;
    }
    guard.outcome->ending = ending;
    ucontext_t context;
    if (getcontext(&context) == 0) {
        collect_frames(guard.outcome, &context);
    }
    if (session_has_checkpoint(guard.session) && !stay) {
        session_die(guard.session, guard.outcome);
    }
    leave();
    return true;
}

bool session_leave(int status, const char *called)
{
    if (in_guarded_code()) {
        guard.outcome->status = status;
        guard.outcome->called = called;
    }
    return leave_as(END_EXIT, guard.session && guard.session->program);
}

bool session_leave_input(void)
{
    return leave_as(END_INPUT, false);
}

/* A child that the user forked must not go on as a second session. */
static void end_child(void)
{
    (void)fflush(NULL); /* it is going anyway */
    _exit(0);
}

__attribute__((noinline)) void session_run(struct session *s, void (*entry)(void), struct outcome *out)
{
    *out = (struct outcome){ .ending = END_RETURN };
    guard.outcome = out;
    guard.thread = gettid();
    guard.base = __builtin_frame_address(0);
    guard.ticks_left = 0;
    if (sigsetjmp(guard.out, 1) == 0) {
        set_timer(TICK_NS);
        guard.active = 1;
        if (s->interrupted) { /* it came while the cell was being compiled */
            out->ending = END_INTERRUPT;
        } else {
            build_cells_construct(s->cells);
            if (entry) {
                entry();
            }
        }
        guard.active = 0;
    }
    set_timer(0);
    if (getpid() != s->pid) {
        end_child();
    }
    (void)alarm(0); /* whom it was set for is gone */
    session_guard_signals(s);
}
