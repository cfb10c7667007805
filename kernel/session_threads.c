/* Threads that user code starts, itself or through a library (OpenMP's): each gets a stack for signal handlers, so that
 * a crash on a full stack can be told, and its bounds are known.
 *
 * The two functions take the place of libc's by being in the program: the loader finds them first, for cells and for
 * libraries. */
#include "kernel/session_guard.h"

#include "runtime/base/threads.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <threads.h>

enum { ALT_STACK = 64 << 10 };

/* What a thread begins with; owned by it. */
struct beginning {
    void *(*posix)(void *); /* or */
    thrd_start_t standard;
    void *argument;
};

/* libc's own. */
typedef int posix_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int standard_create(thrd_t *, thrd_start_t, void *);

static _Thread_local struct thread_stack stack;
static pthread_key_t alt_stack_key; /* its destructor gives the stack back */
static once_flag alt_stack_once = ONCE_FLAG_INIT;
static bool has_key;

struct thread_stack session_thread_stack(void)
{
    return stack;
}

int session_user_threads(void)
{
    int n = threads_besides_first();
    return n > 0 ? n : 0;
}

static void release(void *alt)
{
    stack_t none = { .ss_flags = SS_DISABLE };
    (void)sigaltstack(&none, NULL); /* not in use: no handler runs */
    (void)munmap(alt, ALT_STACK);
}

static void make_key(void)
{
    has_key = pthread_key_create(&alt_stack_key, release) == 0;
}

static void learn_bounds(void)
{
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
            stack = (struct thread_stack){ .low = (uintptr_t)low, .high = (uintptr_t)low + size };
        }
        (void)pthread_attr_destroy(&attributes);
    }
}

/* Without memory for all this the thread runs all the same. */
static struct beginning begin(void *ctx)
{
    struct beginning *given = ctx, b = *given;
    free(given);
    learn_bounds();
    call_once(&alt_stack_once, make_key);
    void *alt = mmap(NULL, ALT_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (alt != MAP_FAILED) {
        stack_t s = { .ss_sp = alt, .ss_size = ALT_STACK };
        if (!has_key || pthread_setspecific(alt_stack_key, alt) != 0 || sigaltstack(&s, NULL) != 0) {
            (void)munmap(alt, ALT_STACK);
        }
    }
    return b;
}

static void *run_posix(void *ctx)
{
    struct beginning b = begin(ctx);
    return b.posix(b.argument);
}

static int run_standard(void *ctx)
{
    struct beginning b = begin(ctx);
    return b.standard(b.argument);
}

static struct beginning *keep(struct beginning b)
{
    struct beginning *kept = malloc(sizeof *kept);
    if (kept) {
        *kept = b;
    }
    return kept;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    posix_create *create;
    void *address = dlsym(RTLD_NEXT, "pthread_create");
    struct beginning *b = keep((struct beginning){ .posix = run, .argument = argument });
    if (!b || !address) {
        free(b);
        return EAGAIN;
    }
    memcpy(&create, &address, sizeof create);
    int failed = create(thread, attributes, run_posix, b);
    if (failed) {
        free(b);
    }
    return failed;
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *argument)
{
    standard_create *create;
    void *address = dlsym(RTLD_NEXT, "thrd_create");
    struct beginning *b = keep((struct beginning){ .standard = run, .argument = argument });
    if (!b || !address) {
        free(b);
        return b ? thrd_error : thrd_nomem;
    }
    memcpy(&create, &address, sizeof create);
    int failed = create(thread, run_standard, b);
    if (failed != thrd_success) {
        free(b);
    }
    return failed;
}
