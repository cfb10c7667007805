/* See pool.h. Zygotes are told of their death by pidfd, not by the end of a pipe: a process that a task left behind
 * may hold the pipe. */
#include "runtime/flow/pool.h"

#include "runtime/flow/runner.h"
#include "runtime/flow/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { PAGE = 4096 };

static size_t pages(size_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

static enum err_code set_up(struct pool *p, const struct pool_options *o, struct err *e)
{
    uint32_t slots = o->zygotes * POOL_QUEUE + 1; /* one zygote may run them all before the runner looks */
    size_t slot = pages(o->slot_bytes);
    size_t area = RECORD_AREA + slots * slot;
    size_t areas = pages(sizeof(struct record_header));
    enum err_code code = arena_shared_new(&p->shared, areas + o->zygotes * area, e);
    if (code) {
        return code;
    }
    p->header = arena_shared_at(&p->shared, 0, sizeof *p->header);
    p->header->magic = RECORD_MAGIC;
    p->header->abi = WEIR_ABI;
    p->header->zygotes = o->zygotes;
    p->header->slots = slots;
    p->header->areas = areas;
    p->header->area_bytes = area;
    p->header->slot_bytes = slot;
    p->zygotes = calloc(o->zygotes, sizeof *p->zygotes);
    if (!p->zygotes) {
        return err_memory(e);
    }
    for (unsigned i = 0; i < o->zygotes; i++) {
        p->zygotes[i] = (struct pool_zygote){ .pidfd = -1, .out = -1, .err = -1 };
        p->zygotes[i].area = arena_shared_at(&p->shared, areas + i * area, area);
    }
    return ERR_NONE;
}

enum err_code pool_open(struct pool *p, const struct pool_options *o, struct err *e)
{
    *p = (struct pool){ .shared = { .fd = -1 }, .commands = { -1, -1 }, .replies = { -1, -1 },
                        .zygote_path = o->zygote_path, .object = o->object };
    enum err_code code = set_up(p, o, e);
    if (!code && (pipe2(p->commands, O_CLOEXEC) < 0 || pipe2(p->replies, O_CLOEXEC) < 0 ||
                  fcntl(p->replies[0], F_SETFL, O_NONBLOCK) < 0)) {
        code = err_errno(e, "pipes to the tasks");
    }
    if (code) {
        pool_close(p);
    }
    return code;
}

/* ---- starting one ---- */

/* A file that only appends and has no name. */
static int log_file(const char *dir)
{
    int fd = dir ? open(dir, O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        return fd;
    }
    fd = memfd_create("weir-log", MFD_CLOEXEC);
    if (fd >= 0 && fcntl(fd, F_SETFL, O_APPEND) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Fixed arrays of steps are locals: a gigabyte of stack, where memory and the system's limit allow. Set before exec,
 * since the kernel leaves room below the stack by it; the old limit is put back. */
static void stack_limit(struct rlimit *saved, bool raise)
{
    if (!raise) {
        (void)setrlimit(RLIMIT_STACK, saved);
        return;
    }
    struct rlimit r;
    if (getrlimit(RLIMIT_STACK, saved) < 0) {
        return;
    }
    r = *saved;
    rlim_t want = (rlim_t)1 << 30;
    rlim_t quarter = (rlim_t)sysconf(_SC_PHYS_PAGES) * PAGE / 4;
    want = quarter < want ? quarter : want;
    want = want > r.rlim_max ? r.rlim_max : want;
    if (r.rlim_cur != RLIM_INFINITY && r.rlim_cur < want) {
        r.rlim_cur = want;
        (void)setrlimit(RLIMIT_STACK, &r);
    }
}

/* The environment for a zygote: all symbols bound at its start, since a task would bind its own again and again (12 page
 * faults of 51). The strings are borrowed; free the array. */
static char **zygote_environment(void)
{
    static char bind_now[] = "LD_BIND_NOW=1"; /* the zygote takes it out again */
    size_t n = 0;
    while (environ[n]) {
        n++;
    }
    char **copy = malloc((n + 2) * sizeof *copy);
    if (copy) {
        memcpy(copy, environ, n * sizeof *copy);
        copy[n] = bind_now;
        copy[n + 1] = NULL;
    }
    return copy;
}

/* What the child's descriptors become: 0 nothing, 1 and 2 its logs, 3.. what argv tells. */
enum { CHILD_SHARED = 3, CHILD_COMMANDS, CHILD_REPLIES };

static int spawn_actions(const struct pool *p, const struct pool_zygote *z, posix_spawn_file_actions_t *actions)
{
    int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    const int from[] = { z->out, z->err, p->shared.fd, p->commands[0], p->replies[1] };
    /* Sources have been made to lie above the targets, so that none is overwritten before it is used. */
    for (int i = 0; !error && i < 5; i++) {
        error = posix_spawn_file_actions_adddup2(actions, from[i], STDOUT_FILENO + i);
    }
    return error;
}

/* Make *fd lie above the child's targets. */
static enum err_code lift(int *fd, struct err *e)
{
    if (*fd > CHILD_REPLIES) {
        return ERR_NONE;
    }
    int high = fcntl(*fd, F_DUPFD_CLOEXEC, CHILD_REPLIES + 1);
    if (high < 0) {
        return err_errno(e, "descriptors for the tasks");
    }
    close(*fd);
    *fd = high;
    return ERR_NONE;
}

static int spawn(struct pool *p, struct pool_zygote *z, char *const argv[])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    sigset_t defaults;
    struct rlimit saved;
    char **env = zygote_environment();
    int error = env ? posix_spawn_file_actions_init(&actions) : ENOMEM;
    if (error) {
        free(env);
        return error;
    }
    error = posix_spawnattr_init(&attr);
    if (!error) {
        (void)sigemptyset(&none);
        (void)sigfillset(&defaults);
        (void)posix_spawnattr_setsigmask(&attr, &none);
        (void)posix_spawnattr_setsigdefault(&attr, &defaults);
        (void)posix_spawnattr_setpgroup(&attr, 0); /* Ctrl-C is for the runner */
        (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        error = spawn_actions(p, z, &actions);
        if (!error) {
            stack_limit(&saved, true);
            error = posix_spawn(&z->pid, argv[0], &actions, &attr, argv, env);
            stack_limit(&saved, false);
        }
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    free(env);
    return error;
}

static enum err_code start_one(struct pool *p, unsigned number, struct err *e)
{
    struct pool_zygote *z = &p->zygotes[number];
    char shared[16], commands[16], replies[16], num[16], parent[16];
    char mark[] = ZYGOTE_ARGUMENT;
    const char *path = p->zygote_path ? p->zygote_path : "/proc/self/exe";
    char *argv[ZYGOTE_ARGS + 1] = { (char *)(uintptr_t)path, mark, shared, commands, replies, num, parent,
                                    (char *)(uintptr_t)p->object, NULL };
    (void)snprintf(shared, sizeof shared, "%d", CHILD_SHARED);
    (void)snprintf(commands, sizeof commands, "%d", CHILD_COMMANDS);
    (void)snprintf(replies, sizeof replies, "%d", CHILD_REPLIES);
    (void)snprintf(num, sizeof num, "%u", number);
    (void)snprintf(parent, sizeof parent, "%d", (int)getpid());
    z->out = log_file(p->log_dir);
    z->err = log_file(p->log_dir);
    if (z->out < 0 || z->err < 0) {
        return err_errno(e, "a file for the tasks' output");
    }
    int *fds[] = { &z->out, &z->err, &p->shared.fd, &p->commands[0], &p->replies[1] };
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (lift(fds[i], e)) {
            return ERR_IO;
        }
    }
    int error = spawn(p, z, argv);
    if (error) {
        z->pid = 0;
        errno = error;
        return err_errno(e, "starting '%s'", path);
    }
    z->pidfd = (int)syscall(SYS_pidfd_open, z->pid, 0);
    if (z->pidfd < 0) {
        return err_errno(e, "watching a process (pidfd_open)");
    }
    (void)fcntl(z->pidfd, F_SETFD, FD_CLOEXEC);
    return ERR_NONE;
}

enum err_code pool_start(struct pool *p, unsigned n, struct err *e)
{
    while (p->started < n && p->started < p->header->zygotes) {
        unsigned number = p->started++; /* counted also when it fails half way, so that it is cleaned up */
        enum err_code code = start_one(p, number, e);
        if (code) {
            return code;
        }
    }
    return ERR_NONE;
}

/* ---- talking ---- */

unsigned pool_room(const struct pool *p)
{
    unsigned most = p->started * POOL_QUEUE;
    return most > p->in_flight ? most - p->in_flight : 0;
}

enum err_code pool_send(struct pool *p, const uint64_t *records, unsigned n, struct err *e)
{
    while (n) {
        unsigned part = n < PIPE_BUF / sizeof *records ? n : PIPE_BUF / (unsigned)sizeof *records;
        ssize_t put = write(p->commands[1], records, part * sizeof *records);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put != (ssize_t)(part * sizeof *records)) {
            return err_errno(e, "sending tasks");
        }
        records += part;
        n -= part;
        p->in_flight += part;
    }
    return ERR_NONE;
}

enum err_code pool_receive(struct pool *p, struct record_reply *out, unsigned max, unsigned *n, struct err *e)
{
    *n = 0;
    ssize_t got = read(p->replies[0], out, max * sizeof *out);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? ERR_NONE : err_errno(e, "hearing from tasks");
    }
    *n = (unsigned)((size_t)got / sizeof *out);
    if ((size_t)got % sizeof *out || *n > p->in_flight) {
        return err_set(e, ERR_FORMAT, "a task wrote into its zygote's pipe");
    }
    p->in_flight -= *n;
    return ERR_NONE;
}

struct record_result *pool_result(const struct pool *p, const struct record_reply *reply)
{
    if (reply->zygote >= p->started || reply->slot >= p->header->slots) {
        return NULL;
    }
    char *area = (char *)p->zygotes[reply->zygote].area;
    return (struct record_result *)(area + RECORD_AREA + reply->slot * p->header->slot_bytes);
}

void pool_skip(struct pool *p)
{
    atomic_store(&p->header->stop, 1);
}

/* ---- the end ---- */

enum err_code pool_check(struct pool *p, struct err *e)
{
    for (unsigned i = 0; i < p->started; i++) {
        struct pool_zygote *z = &p->zygotes[i];
        int status = 0;
        pid_t dead = z->pid ? waitpid(z->pid, &status, WNOHANG) : 0;
        if (dead == 0 || (dead < 0 && errno != ECHILD)) { /* ECHILD: the caller ignores SIGCHLD, so its end is not kept */
            continue;
        }
        z->pid = 0;
        z->area->error[sizeof z->area->error - 1] = '\0';
        if (z->area->error[0]) {
            return err_set(e, ERR_TASK, "%s", z->area->error);
        }
        if (WIFSIGNALED(status)) {
            return err_set(e, ERR_TASK, "a process that starts tasks was killed by signal %d (%s), from outside or for want "
                                        "of memory", WTERMSIG(status), strsignal(WTERMSIG(status)));
        }
        return err_set(e, ERR_TASK, "a process that starts tasks ended with status %d", WEXITSTATUS(status));
    }
    return ERR_NONE;
}

void pool_kill(struct pool *p)
{
    for (unsigned i = 0; i < p->started; i++) {
        struct pool_zygote *z = &p->zygotes[i];
        if (!z->pid) {
            continue;
        }
        /* Stopped first: what it says of its task then stays true until that is dead. */
        (void)kill(z->pid, SIGSTOP);
        pid_t task = atomic_load(&z->area->pid);
        if (task > 1) {
            (void)kill(-task, SIGKILL);
            (void)kill(task, SIGKILL); /* it may not have its group yet */
        }
        (void)kill(z->pid, SIGKILL);   /* a task that was just forked dies with it (PR_SET_PDEATHSIG) */
        while (waitpid(z->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        z->pid = 0;
    }
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

void pool_close(struct pool *p)
{
    if (p->zygotes) {
        pool_kill(p);
        for (unsigned i = 0; i < p->header->zygotes; i++) {
            close_fd(&p->zygotes[i].pidfd);
            close_fd(&p->zygotes[i].out);
            close_fd(&p->zygotes[i].err);
        }
        free(p->zygotes);
        p->zygotes = NULL;
    }
    for (int i = 0; i < 2; i++) {
        close_fd(&p->commands[i]);
        close_fd(&p->replies[i]);
    }
    arena_shared_done(&p->shared);
}
