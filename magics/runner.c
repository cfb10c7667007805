/* See runner.h. */
#include "magics/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    EVENTS_FD = 3,
    MAX_EVENT = 64 << 20, /* one line: a task's output comes in lines, and those have no limit of their own */
    MAX_SAID = 1 << 16
};

struct runner {
    pid_t pid;             /* 0: reaped */
    int events, output;    /* read ends; -1: closed */
    struct buf line;       /* of events, not whole yet */
    struct buf said;
};

extern char **environ;

/* What the child gets: descriptors 0 to 3, a group of its own, no signal of ours. */
static int prepare(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr, int events, int output,
                   const char *directory)
{
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    const int back[] = { SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGQUIT, SIGHUP };
    for (size_t i = 0; i < sizeof back / sizeof *back; i++) {
        sigaddset(&defaults, back[i]);
    }
    int bad = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    bad = bad ? bad : posix_spawn_file_actions_adddup2(files, output, STDOUT_FILENO);
    bad = bad ? bad : posix_spawn_file_actions_adddup2(files, output, STDERR_FILENO);
    bad = bad ? bad : posix_spawn_file_actions_adddup2(files, events, EVENTS_FD);
    bad = bad ? bad : posix_spawn_file_actions_addclosefrom_np(files, EVENTS_FD + 1);
    if (!bad && directory) {
        bad = posix_spawn_file_actions_addchdir_np(files, directory);
    }
    bad = bad ? bad : posix_spawnattr_setpgroup(attr, 0);
    bad = bad ? bad : posix_spawnattr_setsigmask(attr, &none);
    bad = bad ? bad : posix_spawnattr_setsigdefault(attr, &defaults);
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    return bad ? bad : posix_spawnattr_setflags(attr, flags);
}

static enum err_code spawn(struct runner *r, const char *const *argv, int events, int output, const char *directory,
                           struct err *e)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int bad = posix_spawn_file_actions_init(&files);
    if (bad) {
        errno = bad;
        return err_errno(e, "can't start '%s'", argv[0]);
    }
    bad = posix_spawnattr_init(&attr);
    if (!bad) {
        char **words;
        memcpy(&words, &argv, sizeof words); /* posix_spawn's type has no const, but it writes nothing */
        bad = prepare(&files, &attr, events, output, directory);
        bad = bad ? bad : posix_spawn(&r->pid, argv[0], &files, &attr, words, environ);
        (void)posix_spawnattr_destroy(&attr); /* can't fail after init */
    }
    (void)posix_spawn_file_actions_destroy(&files);
    if (bad) {
        r->pid = 0;
        errno = bad;
        return err_errno(e, "can't start '%s'", argv[0]);
    }
    return ERR_NONE;
}

/* A pipe whose ends are above the descriptors that the child is given. */
static int high_pipe(int ends[2])
{
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0) {
        return -1;
    }
    ends[0] = fcntl(low[0], F_DUPFD_CLOEXEC, EVENTS_FD + 1);
    ends[1] = fcntl(low[1], F_DUPFD_CLOEXEC, EVENTS_FD + 1);
    (void)close(low[0]);
    (void)close(low[1]);
    if (ends[0] < 0 || ends[1] < 0) {
        (void)(ends[0] >= 0 && close(ends[0]));
        (void)(ends[1] >= 0 && close(ends[1]));
        return -1;
    }
    return 0;
}

enum err_code runner_start(const char *const *argv, const char *directory, struct runner **out, struct err *e)
{
    struct runner *r = calloc(1, sizeof *r);
    int events[2] = { -1, -1 };
    int output[2] = { -1, -1 };
    if (!r) {
        return err_memory(e);
    }
    r->events = -1;
    r->output = -1;
    buf_init(&r->line, MAX_EVENT);
    buf_init(&r->said, MAX_SAID);
    enum err_code code = ERR_NONE;
    if (high_pipe(events) != 0) {
        code = err_errno(e, "can't make a pipe");
        goto done;
    }
    r->events = events[0];
    if (high_pipe(output) != 0) {
        (void)close(events[1]);
        code = err_errno(e, "can't make a pipe");
        goto done;
    }
    r->output = output[0];
    (void)fcntl(r->events, F_SETFL, O_NONBLOCK);
    (void)fcntl(r->output, F_SETFL, O_NONBLOCK);
    code = spawn(r, argv, events[1], output[1], directory, e);
    (void)close(events[1]);
    (void)close(output[1]);
done:
    if (code) {
        runner_free(r);
    } else {
        *out = r;
    }
    return code;
}

/* Read what is there; a closed pipe becomes -1. */
static void drain(int *fd, struct buf *into)
{
    char block[1 << 16];
    for (;;) {
        ssize_t n = read(*fd, block, sizeof block);
        if (n > 0) {
            buf_add(into, block, (size_t)n);
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else {
            if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
                (void)close(*fd);
                *fd = -1;
            }
            return;
        }
        if ((size_t)n < sizeof block) {
            return;
        }
    }
}

static enum err_code hand_over(struct runner *r, void (*event)(void *ctx, json_t *event), void *ctx, struct err *e)
{
    size_t at = 0;
    enum err_code code = buf_check(&r->line, "the runner's events", e);
    while (!code) {
        const char *newline = memchr(r->line.data + at, '\n', r->line.len - at);
        if (!newline) {
            break;
        }
        size_t len = (size_t)(newline - (r->line.data + at));
        json_error_t why;
        json_t *object = json_loadb(r->line.data + at, len, 0, &why);
        if (!json_is_object(object)) {
            code = err_set(e, ERR_FORMAT, "the runner said what is no event: %.200s", r->line.data + at);
        } else {
            event(ctx, object);
        }
        json_decref(object);
        at += len + 1;
    }
    memmove(r->line.data, r->line.data + at, r->line.len - at);
    r->line.len -= at;
    r->line.data[r->line.len] = '\0';
    return code;
}

/* Whether it is dead, though somebody that it left behind may hold its pipes open. It stays to be reaped. */
static bool has_exited(const struct runner *r)
{
    siginfo_t info = { 0 };
    return r->pid <= 0 || (waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == r->pid);
}

enum err_code runner_listen(struct runner *r, int timeout_ms, void (*event)(void *ctx, json_t *event), void *ctx,
                            bool *ended, struct err *e)
{
    struct pollfd fds[2] = { { .fd = r->events, .events = POLLIN }, { .fd = r->output, .events = POLLIN } };
    enum err_code code = ERR_NONE;
    int n = poll(fds, 2, timeout_ms);
    if (n < 0 && errno != EINTR) {
        return err_errno(e, "can't wait for the runner");
    }
    if (n > 0 && fds[1].revents) {
        drain(&r->output, &r->said);
    }
    if (n > 0 && fds[0].revents) {
        drain(&r->events, &r->line);
        code = hand_over(r, event, ctx, e);
    }
    *ended = (r->events < 0 && r->output < 0) || (n == 0 && has_exited(r));
    return code;
}

void runner_interrupt(struct runner *r)
{
    if (r->pid > 0) {
        (void)kill(r->pid, SIGINT); /* gone already: it will be reaped */
    }
}

int runner_wait(struct runner *r, const char **said)
{
    int status = -1;
    *said = r->said.data;
    if (r->pid <= 0) {
        return -1;
    }
    pid_t got;
    do {
        got = waitpid(r->pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    pid_t asked = r->pid;
    r->pid = 0;
    return got == asked ? status : -1;
}

void runner_free(struct runner *r)
{
    if (!r) {
        return;
    }
    if (r->pid > 0) {
        const char *said;
        (void)kill(r->pid, SIGKILL);
        (void)runner_wait(r, &said);
    }
    if (r->events >= 0) {
        (void)close(r->events);
    }
    if (r->output >= 0) {
        (void)close(r->output);
    }
    buf_done(&r->line);
    buf_done(&r->said);
    free(r);
}
