/* The stop button: SIGINT ends the cell, soon, and where it harms nothing.
 *
 *   in the cell's own code        at once
 *   in a system call that waits   at once, if the cell has called it; if a library has, the library may give up first
 *   anywhere else                 a jump could leave malloc's or stdio's state torn: the library shall come back to us
 *
 * For the last, the return address into the cell that stands on the stack is replaced by session_trap's: when the library
 * function returns, the cell does not go on. Besides, a timer looks every half millisecond. What takes longer than
 * PATIENCE_US is left all the same, if it is a library (a matrix product) or a function of libc's that has no state
 * (memcpy); anything after LONG_US.
 *
 * A write is begun again when an interrupt breaks it off: the reader of our stdout reads on, and what stdio holds would
 * be lost. */
#include "kernel/session_guard.h"

#include "runtime/base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    LOOK_NS = 500 * 1000,
    PATIENCE_US = 4000,
    LONG_US = 100 * 1000,
    SYSCALL_SIZE = 2, /* bytes: 0f 05 */
    NUMBER_SIZE = 5   /* b8 and four bytes: movl $number, %eax */
};

enum pending {
    PENDING_NONE,
    PENDING_ASKED, /* by another thread; the cell's has not heard of it yet */
    PENDING_NOW
};

/* ---- the timer ---- */

static void set_look_timer(long ns)
{
    struct itimerspec every = { .it_interval.tv_nsec = ns, .it_value.tv_nsec = ns };
    if (session_guard.has_look_timer) {
        (void)timer_settime(session_guard.look_timer, 0, &every, NULL); /* the timer is ours and the times are sound */
    }
}

static void make_look_timer(void)
{
    struct guard *g = &session_guard;
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = session_look_signal() };
    event._sigev_un._tid = g->thread; /* libc has no public name for it */
    g->has_look_timer = timer_create(CLOCK_MONOTONIC, &event, &g->look_timer) == 0;
}

static long waited_us(void)
{
    return (long)((clock_ns() - session_guard.since) / 1000);
}

/* ---- leaving ---- */

static _Noreturn void leave(uintptr_t pc, uintptr_t sp, uintptr_t bp)
{
    struct guard *g = &session_guard;
    *g->outcome = g->wanted;
    session_frames_at(g->outcome, pc, sp, bp);
    session_guard_leave();
}

/* Where a replaced return address leads to: keeps what a function returns in, in case that the cell has to go on. */
__asm__(".text\n"
        ".globl session_trap\n"
        ".hidden session_trap\n"
        ".type session_trap, @function\n"
        "session_trap:\n"
        "    push %rax\n" /* where the return address stood */
        "    push %rbp\n"
        "    mov %rsp, %rbp\n"
        "    push %rax\n"
        "    push %rdx\n"
        "    sub $32, %rsp\n"
        "    movups %xmm0, (%rsp)\n"
        "    movups %xmm1, 16(%rsp)\n"
        "    lea 8(%rbp), %rdi\n"
        "    mov (%rbp), %rsi\n"
        "    and $-16, %rsp\n"
        "    call session_trapped\n"
        "    mov %rax, 8(%rbp)\n"
        "    lea -48(%rbp), %rsp\n"
        "    movups (%rsp), %xmm0\n"
        "    movups 16(%rsp), %xmm1\n"
        "    add $32, %rsp\n"
        "    pop %rdx\n"
        "    pop %rax\n"
        "    pop %rbp\n"
        "    ret\n"
        ".size session_trap, . - session_trap\n");

uintptr_t session_trapped(uintptr_t slot, uintptr_t bp);

/* A library function has come back. Returns where it was called from: a child that the user forked goes on there. */
__attribute__((used)) uintptr_t session_trapped(uintptr_t slot, uintptr_t bp)
{
    const struct guard *g = &session_guard;
    uintptr_t original = 0;
    for (unsigned i = 0; i < g->ntraps; i++) {
        original = g->traps[i].slot == slot ? g->traps[i].original : original;
    }
    if (session_is_mine() && g->pending) {
        leave(original - 1, slot + sizeof slot, bp);
    }
    return original;
}

/* Replace the innermost return address into a cell. Already replaced ones are passed over: should one have been no
 * return address at all but an old word, the next look takes the one above it. */
static void trap_return(const struct frames_return *r)
{
    struct guard *g = &session_guard;
    uintptr_t trap = (uintptr_t)session_trap;
    /* (On another stack there may be anything above; in a handler's frame stands where it goes on, not a return.) */
    if (r->slot > session_stack_low() && r->slot < g->base && g->ntraps < GUARD_TRAPS && !g->writing) {
        g->traps[g->ntraps++] = (struct guard_trap){ .slot = r->slot, .original = r->address };
        memcpy((void *)r->slot, &trap, sizeof trap);
    }
}

/* The number of the system call that the signal broke off; -1: none. */
static long broken_call(const ucontext_t *c)
{
    unsigned char code[NUMBER_SIZE + SYSCALL_SIZE];
    uintptr_t pc = (uintptr_t)c->uc_mcontext.gregs[REG_RIP];
    int32_t number = 0;
    if (c->uc_mcontext.gregs[REG_RAX] != -EINTR || !session_peek(pc - sizeof code, code, sizeof code) ||
        code[NUMBER_SIZE] != 0x0f || code[NUMBER_SIZE + 1] != 0x05) {
        return -1;
    }
    memcpy(&number, code + 1, sizeof number);
    return code[0] == 0xb8 ? number : INT32_MAX; /* a number that is none: not known, and not needed */
}

static void begin_again(ucontext_t *c, long number)
{
    c->uc_mcontext.gregs[REG_RAX] = number;
    c->uc_mcontext.gregs[REG_RIP] -= SYSCALL_SIZE;
}

/* Whether the code at pc may be left though it is halfway. */
static bool may_tear(const ucontext_t *c, long waited)
{
    const struct guard *g = &session_guard;
    uintptr_t pc = (uintptr_t)c->uc_mcontext.gregs[REG_RIP];
    uintptr_t sp = (uintptr_t)c->uc_mcontext.gregs[REG_RSP];
    if (waited < PATIENCE_US || waited >= LONG_US) {
        return waited >= LONG_US;
    }
    enum place place = session_place(pc);
    if (place == PLACE_LIBC) { /* called by the cell, running ever since, and it has put nothing on the stack */
        return g->ntraps > 0 && g->traps[0].slot == sp;
    }
    return place != PLACE_SESSION;
}

static void consider(ucontext_t *c)
{
    uintptr_t pc = (uintptr_t)c->uc_mcontext.gregs[REG_RIP];
    uintptr_t sp = (uintptr_t)c->uc_mcontext.gregs[REG_RSP];
    uintptr_t bp = (uintptr_t)c->uc_mcontext.gregs[REG_RBP];
    long waited = waited_us(), number = broken_call(c);
    bool leaves = build_cells_has(session_guard.session->cells, (const void *)pc);
    struct frames_return r = { .slot = 0 };
    if (!leaves) {
        r = session_frames_return(sp);
        if (number == SYS_write || number == SYS_writev) {
            leaves = waited >= PATIENCE_US;
        } else if (number >= 0) {
            leaves = waited >= PATIENCE_US || !r.through_library;
        } else {
            leaves = may_tear(c, waited);
        }
    }
    if (leaves) {
        leave(pc, sp, bp);
    }
    trap_return(&r);
    if (number == SYS_write || number == SYS_writev) {
        begin_again(c, number);
    }
}

/* ---- signals ---- */

static void begin_waiting(void)
{
    session_guard.pending = PENDING_NOW;
    session_guard.since = clock_ns();
    set_look_timer(LOOK_NS);
}

static void on_interrupt(int signo, siginfo_t *info, void *context)
{
    (void)info;
    struct guard *g = &session_guard;
    if (!session_guard_ours()) { /* a child that the user forked: as without us */
        (void)signal(signo, SIG_DFL);
        (void)raise(signo);
        return;
    }
    g->session->interrupted = 1;
    if (!g->active) {
        return;
    }
    if (gettid() != g->thread) { /* the user's thread got it: pass it on */
        (void)tgkill(g->pid, g->thread, signo);
        return;
    }
    if (g->pending != PENDING_NOW) {
        g->wanted = (struct outcome){ .ending = END_INTERRUPT };
        begin_waiting();
    }
    consider(context);
}

static void on_look(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)info;
    if (!session_is_mine() || session_guard.pending == PENDING_NONE) {
        return;
    }
    if (session_guard.pending == PENDING_ASKED) {
        begin_waiting();
    }
    consider(context);
}

void session_interrupt_end_cell(const struct outcome *o)
{
    struct guard *g = &session_guard;
    if (g->pending == PENDING_NONE) {
        g->wanted = *o;
        g->wanted.nframes = 0;
        g->pending = PENDING_ASKED;
        (void)tgkill(g->pid, g->thread, session_look_signal());
    }
}

void session_interrupt_over(void)
{
    struct guard *g = &session_guard;
    if (g->pending != PENDING_NONE) {
        set_look_timer(0);
    }
    g->pending = PENDING_NONE;
    g->ntraps = 0;
}

void session_interrupt_signals(void)
{
    struct sigaction interrupt = { .sa_flags = SA_SIGINFO | SA_ONSTACK, .sa_sigaction = on_interrupt };
    struct sigaction look = { .sa_flags = SA_SIGINFO | SA_ONSTACK, .sa_sigaction = on_look };
    (void)sigaddset(&interrupt.sa_mask, session_look_signal());
    (void)sigaddset(&look.sa_mask, SIGINT);
    (void)sigaction(SIGINT, &interrupt, NULL); /* can only fail for bad numbers */
    (void)sigaction(session_look_signal(), &look, NULL);
    if (!session_guard.has_look_timer) {
        make_look_timer();
    }
}
