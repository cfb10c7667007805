/* See process.h. */
#include "kernel/process.h"

#include "kernel/session_protocol.h"
#include "kernel/session_shared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PIPE_BYTES = 1 << 20, /* so that a cell that prints much seldom waits */
    SEND_TIMEOUT_S = 10,  /* a session that does not read for so long hangs */
    KILL_ROUNDS = 200     /* of 10 ms */
};

enum err_code process_find(const char *name, char *path, size_t size, struct err *e)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0) {
        return err_errno(e, "cannot read /proc/self/exe");
    }
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    *(slash ? slash : self) = '\0';
    static const char *const places[] = { "", "/../libexec/weir" };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int len = snprintf(path, size, "%s%s/%s", self, places[i], name);
        if (len < 0 || (size_t)len >= size) {
            return err_set(e, ERR_LIMIT, "the path of '%s' is too long", name);
        }
        if (access(path, X_OK) == 0) {
            return ERR_NONE;
        }
    }
    return err_set(e, ERR_NOT_FOUND, "there is no program '%s' in %s or %s/../libexec/weir", name, self, self);
}

/* In the child, between fork and exec: only what is safe in a signal handler. Does not return. */
static void become(const char *program, pid_t parent, int socket, int out, int err, int shared)
{
    static const char failed[] = "weir-kernel: cannot start the session\n";
    sigset_t none;
    (void)sigemptyset(&none);
    for (int s = 1; s < NSIG; s++) {
        (void)signal(s, s == SIGINT ? SIG_IGN : SIG_DFL); /* SIGKILL, SIGSTOP and libc's own refuse */
    }
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDONLY);
    bool ok = getppid() == parent /* else it died before the line above */ && setpgid(0, 0) == 0 && null >= 0 &&
              dup2(null, STDIN_FILENO) == STDIN_FILENO && dup2(out, STDOUT_FILENO) == STDOUT_FILENO &&
              dup2(err, STDERR_FILENO) == STDERR_FILENO && dup2(socket, SESSION_FD) == SESSION_FD &&
              dup2(shared, SESSION_SHARED_FD) == SESSION_SHARED_FD;
    if (ok) {
        (void)close_range(SESSION_SHARED_FD + 1, ~0U, 0);
        (void)execl(program, program, (char *)NULL);
    }
    ssize_t n = write(STDERR_FILENO, failed, sizeof failed - 1);
    (void)n;
    _exit(127);
}

/* All the descriptors above these, so that dup2 to 0..4 in the child overwrites none that it still needs. */
static int high(int fd)
{
    if (fd < 0) {
        return fd;
    }
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, SESSION_SHARED_FD + 1);
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return moved;
}

struct ends {
    int ours[3], theirs[3]; /* socket, stdout, stderr */
};

static void close_all(const int *fds)
{
    for (int i = 0; i < 3; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
}

static enum err_code make_ends(struct ends *x, struct err *e)
{
    for (int i = 0; i < 3; i++) {
        x->ours[i] = x->theirs[i] = -1;
    }
    for (int i = 0; i < 3; i++) {
        int pair[2];
        int rc = i == 0 ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) : pipe2(pair, O_CLOEXEC);
        if (rc != 0) {
            return err_errno(e, "cannot make a channel to the session");
        }
        x->ours[i] = high(pair[0]);
        x->theirs[i] = high(pair[1]);
        if (x->ours[i] < 0 || x->theirs[i] < 0) {
            return err_errno(e, "cannot make a channel to the session");
        }
        if (i > 0) {
            (void)fcntl(x->ours[i], F_SETFL, O_NONBLOCK);
            (void)fcntl(x->ours[i], F_SETPIPE_SZ, PIPE_BYTES); /* refused: it stays at 64 KiB */
        }
    }
    struct timeval patience = { .tv_sec = SEND_TIMEOUT_S };
    (void)setsockopt(x->ours[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return ERR_NONE;
}

enum err_code process_spawn(const char *program, int shared, struct process *out, struct err *e)
{
    struct ends x;
    pid_t parent = getpid();
    pid_t pid = -1;
    enum err_code rc = make_ends(&x, e);
    if (rc == ERR_NONE) {
        pid = fork();
        if (pid == 0) {
            become(program, parent, x.theirs[0], x.theirs[1], x.theirs[2], shared);
        }
        if (pid < 0) {
            rc = err_errno(e, "cannot start '%s'", program);
        }
    }
    close_all(x.theirs);
    if (rc != ERR_NONE) {
        close_all(x.ours);
        return rc;
    }
    (void)setpgid(pid, pid); /* as the child does: whoever comes first */
    *out = (struct process){ .pid = pid, .socket = x.ours[0], .out = x.ours[1], .err = x.ours[2] };
    return ERR_NONE;
}

void process_close(struct process *p)
{
    close_all((int[]){ p->socket, p->out, p->err });
    p->socket = p->out = p->err = -1;
}

bool process_wait(const struct process *p, int ms, int *status)
{
    int fd = pidfd_open(p->pid, 0);
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    if (fd >= 0) {
        (void)poll(&ready, 1, ms); /* interrupted: as if the time were over */
        (void)close(fd);
    }
    return waitpid(p->pid, status, WNOHANG) == p->pid;
}

void process_adopt_orphans(void)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* refused: orphans go to init, as usual */
}

long long process_now(void)
{
    struct timespec t;
    long hz = sysconf(_SC_CLK_TCK);
    (void)clock_gettime(CLOCK_BOOTTIME, &t); /* cannot fail with this clock */
    return (long long)t.tv_sec * hz + t.tv_nsec / (1000000000L / hz);
}

/* Field 22 of its stat; -1: it is gone. */
static long long started_at(pid_t pid)
{
    char path[64], line[1024];
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *f = fopen(path, "re");
    bool got = f && fgets(line, sizeof line, f);
    if (f) {
        (void)fclose(f); /* it was only read */
    }
    const char *field = got ? strrchr(line, ')') : NULL; /* the name before may hold anything */
    for (int i = 2; field && i < 22; i++) {
        field = strchr(field + 1, ' ');
    }
    return field ? strtoll(field, NULL, 10) : -1;
}

/* Each child of a process, whichever of its threads started it. */
static void each_child(const char *parent, void (*visit)(void *ctx, pid_t child), void *ctx)
{
    char path[320];
    (void)snprintf(path, sizeof path, "/proc/%s/task", parent);
    DIR *tasks = opendir(path);
    for (struct dirent *d = tasks ? readdir(tasks) : NULL; d; d = readdir(tasks)) {
        (void)snprintf(path, sizeof path, "/proc/%s/task/%.20s/children", parent, d->d_name);
        FILE *f = d->d_name[0] == '.' ? NULL : fopen(path, "re");
        long pid = 0;
        while (f && fscanf(f, "%ld", &pid) == 1) {
            if (pid > 1) {
                visit(ctx, (pid_t)pid);
            }
        }
        if (f) {
            (void)fclose(f); /* it was only read */
        }
    }
    if (tasks) {
        (void)closedir(tasks);
    }
}

static void kill_one(void *ctx, pid_t pid)
{
    (void)ctx;
    (void)kill(pid, SIGKILL);
}

static void kill_tree(void *ctx, pid_t pid)
{
    char name[24];
    (void)snprintf(name, sizeof name, "%ld", (long)pid);
    each_child(name, kill_tree, ctx);
    (void)kill(pid, SIGKILL);
}

struct younger {
    long long since;
    const struct checkpoint *spared;
    size_t n;
    int killed;
};

static void kill_younger(void *ctx, pid_t pid)
{
    struct younger *y = ctx;
    for (size_t i = 0; i < y->n; i++) {
        if (y->spared[i].pid == pid) {
            return;
        }
    }
    if (started_at(pid) >= y->since) {
        kill_tree(NULL, pid);
        y->killed++;
    }
}

int process_kill_younger(long long since, const struct checkpoint *spared, size_t n)
{
    struct younger y = { .since = since, .spared = spared, .n = n };
    each_child("self", kill_younger, &y);
    return y.killed;
}

void process_kill_all(void)
{
    struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
    for (int round = 0; round < KILL_ROUNDS; round++) {
        each_child("self", kill_one, NULL);
        pid_t pid = 0;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        }
        if (pid < 0 && errno == ECHILD) {
            return; /* a killed child's own children would have become ours */
        }
        (void)nanosleep(&pause, NULL);
    }
}
