/* weir-session: started by weir-kernel with a socket as descriptor 3; see session_protocol.h and session.h. */
#include "kernel/session.h"

#include "kernel/session_protocol.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* User code that reads stdin sees its end. What is printed is kept together; session_run flushes it in time. */
static enum err_code prepare_files(struct err *e)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0) {
        return err_errno(e, "can't open /dev/null");
    }
    if (null != STDIN_FILENO) {
        (void)close(null);
    }
    if (fcntl(SESSION_FD, F_SETFD, FD_CLOEXEC) != 0) {
        return err_errno(e, "descriptor %d is not the kernel's socket: weir-session is started by weir-kernel",
                         SESSION_FD);
    }
    return ERR_NONE;
}

/* libc has read it; what cells start has nothing to do with it. */
static void drop_tunables(void)
{
    const char *value = getenv(SESSION_TUNABLES_NAME);
    if (value && strcmp(value, SESSION_TUNABLES) == 0) {
        (void)unsetenv(SESSION_TUNABLES_NAME);
    }
}

/* The session's own few megabytes, from `low` on, stay in small pages: a huge one would be copied piece by piece, and makes
 * each copy's page table longer. */
static void keep_small_pages(char *low)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    char *from = (char *)(((uintptr_t)low + page - 1) & ~(page - 1));
    char *top = sbrk(0);
    if (top > from) {
        (void)madvise(from, (size_t)(top - from), MADV_NOHUGEPAGE);
    }
    (void)prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
}

static enum err_code serve(struct session *s, struct err *e)
{
    enum err_code code = ERR_NONE;
    bool end = false;
    while (!code && !end) {
        json_t *message = NULL;
        code = session_receive(s->fd, &message, e);
        if (!code && !message) {
            return ERR_NONE; /* the kernel is gone */
        }
        code = code ? code : session_handle(s, message, &end, e);
        json_decref(message);
    }
    return code;
}

/* Whatever the user's cells or magics started goes too: we lead the process group that they are in. */
static void end_group(void)
{
    if (getpgrp() == getpid()) {
        (void)signal(SIGTERM, SIG_IGN);
        (void)kill(0, SIGTERM);
    }
}

int main(void)
{
    struct err e;
    static struct session s;                /* zeroed; as large as its path */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* also while a cell runs for ever */
    (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* until keep_small_pages */
    char *heap = sbrk(0);
    drop_tunables();
    enum err_code code = prepare_files(&e);
    code = code ? code : session_init(&s, SESSION_FD, &e);
    if (!code) {
        session_guard_signals(&s);
        keep_small_pages(heap);
        json_t *ready = session_checkpoint(&s, "ready");
        if (ready) {
            session_say(&s, ready);
        }
        (void)malloc_trim(0); /* what the start has used and given back: each copy's page tables would have it */
        code = serve(&s, &e);
    }
    if (code) {
        (void)fprintf(stderr, "weir-session: %s\n", e.msg);
    }
    end_group();
    session_done(&s);
    return code ? EXIT_FAILURE : EXIT_SUCCESS;
}
