/* A task's crash, told by the task itself: the signal handler writes what happened and where into the result, then lets
 * the signal kill the process. Handlers and their stack are set up in the zygote and inherited: no cost a task.
 *
 * Where: the pc, and return addresses along the frame pointers, as offsets into the flow's object. If the pc is elsewhere (libc
 * called by the flow, a jump to nowhere), the first word on the stack that points into the flow's code stands for the
 * caller: libc is built without frame pointers. Everything here may run with a broken heap: no allocation, no stdio. */
#include "runtime/flow/task.h"

#include <dlfcn.h>
#include <fenv.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { HANDLER_STACK = 64 << 10, SCAN_WORDS = 4096, THREAD_STACK = 8 << 20, OVERFLOW_BELOW = 128 << 10 };

static void add_pc(struct weir_task *t, uintptr_t pc)
{
    struct record_result *r = t->result;
    if (pc >= t->env->code && pc < t->env->code_end && r->npcs < RECORD_PCS) {
        r->pcs[r->npcs++] = pc - t->env->load;
    }
}

/* Return addresses on the stack from sp on. Only memory between sp and the stack's top is read. */
static void walk(struct weir_task *t, uintptr_t pc, uintptr_t sp, uintptr_t frame)
{
    uintptr_t top = t->env->stack_top;
    sp = (sp + 7) & ~(uintptr_t)7;
    if (sp >= top) { /* a thread's stack: its extent is not known */
        add_pc(t, pc);
        return;
    }
    if (pc >= t->env->code && pc < t->env->code_end) {
        add_pc(t, pc);
    } else {
        for (uintptr_t at = sp; at + 8 <= top && at < sp + SCAN_WORDS * 8 && !t->result->npcs; at += 8) {
            add_pc(t, *(const uintptr_t *)at - 1);
        }
    }
    while (frame >= sp && frame + 16 <= top && frame % 8 == 0 && t->result->npcs < RECORD_PCS) {
        const uintptr_t *f = (const uintptr_t *)frame;
        add_pc(t, f[1] - 1);
        if (f[0] <= frame) {
            break;
        }
        frame = f[0];
    }
}

/* The read-only input that address lies in; NULL: none. */
static const char *input_at(struct weir_task *t, uintptr_t address)
{
    for (unsigned r = 0; t->values && t->step && r < t->step->nreads; r++) {
        uintptr_t from = (uintptr_t)t->values[r].data;
        if (address >= from && address - from < t->values[r].bytes) {
            return t->env->flow->artifacts[t->step->reads[r]].name;
        }
    }
    return NULL;
}

/* snprintf is not promised to be safe in a handler, but glibc's allocates nothing for these formats. */
static void explain(struct weir_task *t, int sig, const siginfo_t *info, uintptr_t sp)
{
    struct record_result *r = t->result;
    uintptr_t address = (uintptr_t)info->si_addr;
    bool fault = info->si_code > 0 && (sig == SIGSEGV || sig == SIGBUS);
    const char *input = fault ? input_at(t, address) : NULL;
    if (fault && sp - OVERFLOW_BELOW <= address && address < t->env->stack_top && sp <= t->env->stack_top) {
        (void)snprintf(r->reason, sizeof r->reason, "stack overflow: infinite recursion, or a local array that is too large");
    } else if (input) {
        (void)snprintf(r->reason, sizeof r->reason,
                       "segmentation fault: writes to '%s', a read-only input here; `artifact %s;` makes it the step's own",
                       input, input);
    } else if (fault && address < 65536) {
        (void)snprintf(r->reason, sizeof r->reason, "segmentation fault: a null pointer was used (address 0x%lx)",
                       (unsigned long)address);
    } else if (fault && info->si_code != SI_KERNEL) {
        (void)snprintf(r->reason, sizeof r->reason, "segmentation fault at address 0x%lx", (unsigned long)address);
    } else if (sig == SIGFPE && info->si_code == FPE_INTDIV) {
        (void)snprintf(r->reason, sizeof r->reason, "integer division by zero");
    } else {
        r->reason[0] = '\0'; /* the signal's name says it all */
    }
}

static void crashed(int sig, siginfo_t *info, void *context)
{
    struct weir_task *t = task_current();
    if (t && getpid() == t->pid && t->result->state == RECORD_RUNNING) {
        const ucontext_t *u = context;
#if defined(__x86_64__)
        uintptr_t pc = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
        uintptr_t sp = (uintptr_t)u->uc_mcontext.gregs[REG_RSP];
        uintptr_t frame = (uintptr_t)u->uc_mcontext.gregs[REG_RBP];
#elif defined(__aarch64__)
        uintptr_t pc = (uintptr_t)u->uc_mcontext.pc;
        uintptr_t sp = (uintptr_t)u->uc_mcontext.sp;
        uintptr_t frame = (uintptr_t)u->uc_mcontext.regs[29];
#else
#error "registers of this architecture"
#endif
        t->result->sig = sig;
        t->result->sig_code = info->si_code;
        explain(t, sig, info, sp);
        t->result->state = RECORD_CRASHED; /* before walking: a broken stack may end us here */
        walk(t, pc, sp, frame);
    }
    (void)raise(sig); /* SA_RESETHAND: this time it kills, as soon as the handler returns */
}

struct extent { uintptr_t inside, load, code, code_end; };

static int object_extent(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct extent *x = arg;
    uintptr_t code = UINTPTR_MAX;
    uintptr_t code_end = 0;
    bool found = false;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + p->p_vaddr;
        uintptr_t end = from + p->p_memsz;
        found = found || (p->p_type == PT_LOAD && x->inside >= from && x->inside < end);
        if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
            code = from < code ? from : code;
            code_end = end > code_end ? end : code_end;
        }
    }
    if (found) {
        *x = (struct extent){ .load = info->dlpi_addr, .code = code, .code_end = code_end };
    }
    return found;
}

enum err_code task_prepare(struct task_env *env, struct err *e)
{
    static char stack[HANDLER_STACK]; /* one a process; each task has its own copy */
    static char out[4096];
    static char err[1024];
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    struct extent x = { .inside = (uintptr_t)env->flow };
    if (dl_iterate_phdr(object_extent, &x)) {
        env->load = x.load;
        env->code = x.code;
        env->code_end = x.code_end;
    }
    env->zygote = getpid();

    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    if (sigaltstack(&alternate, NULL) < 0) {
        return err_errno(e, "a stack for crash handlers");
    }
    struct sigaction act = { .sa_sigaction = crashed, .sa_flags = (int)(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND) };
    (void)sigemptyset(&act.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (sigaction(signals[i], &act, NULL) < 0) {
            return err_errno(e, "a crash handler");
        }
    }
    /* The stack limit is raised for the arrays of steps; threads would take it as their size. */
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) == 0) {
        (void)pthread_attr_setstacksize(&attr, THREAD_STACK);
        (void)pthread_setattr_default_np(&attr); /* a larger default works too */
        (void)pthread_attr_destroy(&attr);
    }
    free(malloc(1)); /* the heap is set up once, here, and not in every task */
    (void)fesetenv(FE_DFL_ENV);
    if (setvbuf(stdout, out, _IOLBF, sizeof out) || setvbuf(stderr, err, _IOLBF, sizeof err)) {
        return err_set(e, ERR_IO, "line buffering could not be set");
    }
    return ERR_NONE;
}
