/* SIGSEGV and its like, in the cell's thread and in those that the user started.
 *
 * They are handled on a stack of their own, so that a full stack can be told. If a copy of the session stands by, the
 * process ends with word of how, and nothing here needs sound memory; else the cell is left by a jump, and a crash of a
 * thread ends the session. */
#include "kernel/session_guard.h"

#include <sys/resource.h>
#include <unistd.h>

enum {
    ALT_STACK = 64 << 10,
    SLACK = 1 << 20, /* what was in use above a stack's base, and the gap below its end */
    MAIN_STACK = 8 << 20,
    LARGEST_FRAME = 1 << 30 /* a stack pointer further away is not a stack's */
};

uintptr_t session_stack_low(void)
{
    struct rlimit limit;
    bool known = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    uintptr_t size = known ? limit.rlim_cur : MAIN_STACK;
    return session_guard.base > size ? session_guard.base - size : 0;
}

/* A fault where a full stack would have had to grow. */
static bool is_overflow(const siginfo_t *info, const ucontext_t *context, bool thread)
{
    struct thread_stack stack = session_thread_stack();
    uintptr_t sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
    uintptr_t fault = (uintptr_t)info->si_addr;
    uintptr_t low = thread ? stack.low : session_stack_low();
    uintptr_t high = thread ? stack.high : session_guard.base;
    uintptr_t end = low + (thread ? (uintptr_t)sysconf(_SC_PAGESIZE) : SLACK);
    bool fault_is_told = info->si_signo == SIGSEGV && info->si_code > 0 && info->si_code != SI_KERNEL;
    return fault_is_told && low > LARGEST_FRAME && sp < high && sp > low - LARGEST_FRAME && fault < end &&
           fault + SLACK > (sp < low ? sp : low);
}

/* ---- dying ---- */

static _Noreturn void wait_for_the_end(void)
{
    for (;;) {
        (void)pause();
    }
}

/* Of several threads that end the session at once the first has the word. False: this one had it already. */
static bool claim_last_word(void)
{
    static pid_t first;
    pid_t nobody = 0, self = gettid();
    if (__atomic_compare_exchange_n(&first, &nobody, self, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        return true;
    }
    if (first != self) {
        wait_for_the_end();
    }
    return false;
}

void session_crash_die(const struct outcome *o)
{
    (void)claim_last_word();
    session_die(session_guard.session, o);
}

static _Noreturn void die_by(int signo, const siginfo_t *info, const ucontext_t *context)
{
    static struct outcome last;
    static volatile sig_atomic_t again;
    if (claim_last_word()) {
        bool thread = gettid() != session_guard.thread;
        last = (struct outcome){ .ending = END_SIGNAL,
                                 .signal = signo,
                                 .code = info->si_code,
                                 .address = info->si_addr,
                                 .thread = thread };
        last.overflow = is_overflow(info, context, thread);
        session_frames(&last, context);
    } else if (again++ > 0) { /* a crash of ours while the first was told; what is known of that must do */
        (void)kill(session_guard.pid, SIGKILL);
        wait_for_the_end();
    }
    session_die(session_guard.session, &last);
}

static void on_crash(int signo, siginfo_t *info, void *context)
{
    if (session_guard_ours() && session_has_checkpoint(session_guard.session)) {
        die_by(signo, info, context);
    }
    if (!session_is_mine()) { /* a bug of ours, a thread's crash, or a forked child's: the instruction runs again */
        (void)signal(signo, SIG_DFL);
        if (info->si_code <= 0 || info->si_code == SI_KERNEL || signo == SIGTRAP) {
            (void)raise(signo);
        }
        return;
    }
    struct outcome *o = session_guard.outcome;
    *o = (struct outcome){ .ending = END_SIGNAL, .signal = signo, .code = info->si_code, .address = info->si_addr };
    o->overflow = is_overflow(info, context, false);
    session_frames(o, context);
    session_guard_leave();
}

void session_crash_signals(void)
{
    static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGXCPU, SIGXFSZ };
    static char alt_stack[ALT_STACK];
    stack_t alt = { .ss_sp = alt_stack, .ss_size = sizeof alt_stack };
    (void)sigaltstack(&alt, NULL); /* fails only while it is in use, when it is set already */
    struct sigaction a = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER, .sa_sigaction = on_crash };
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        (void)sigaction(crashes[i], &a, NULL); /* can only fail for bad numbers */
    }
}
