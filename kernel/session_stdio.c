/* stdin, stdout and stderr as cells see them.
 *
 *   stdout   libc's own, fully buffered, into a pipe to the kernel
 *   stderr   a stream of ours: before it writes, it has stdout written and waits until the kernel has read that, so that
 *            both appear in the order in which the cell wrote them (supervisor_drain relies on it)
 *   stdin    a stream of ours, see session_input.c
 *
 * Streams of ours have no descriptor, so what libc can't do with them is put right for cells (session_write.c): fileno,
 * freopen, fclose, wide characters. */
#include "kernel/session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    STREAMS = 2,
    YIELDS = 100,      /* tries without a pause */
    PAUSE_US = 20,     /* in truth about 75: timers are that coarse */
    PAUSES = 10000,    /* most of them, for the kernel to read what is in a pipe: slow clients may hold it up */
    BUFFER = 64 << 10,
    NEED_LOCK = 0x80   /* libc's own _IO_FLAGS2_NEED_LOCK: putchar takes the lock also while there is one thread */
};

static struct {
    struct session *session;
    struct stat out, err; /* of descriptors 1 and 2 while they are the pipes */
    int saved_out, saved_err;
    char buffer[BUFFER]; /* stdout's */
    struct replaced {
        FILE **variable, *ours, *libc;
        int fd;
        bool closed; /* by fclose, in this cell */
    } streams[STREAMS];
    size_t n;
} stdio = { .saved_out = -1, .saved_err = -1 }; /* as the streams are: of the process */

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool leads_to(int fd, const struct stat *pipe)
{
    struct stat st;
    return fstat(fd, &st) == 0 && is_same(&st, pipe);
}

/* ---- streams of ours in the place of libc's ---- */

void session_stdio_replace(FILE **variable, FILE *ours, int fd)
{
    stdio.streams[stdio.n++] = (struct replaced){ .variable = variable, .ours = ours, .libc = *variable, .fd = fd };
    *variable = ours;
}

/* Which of them f is: ours, or libc's that a freopen has put back into its place. */
static struct replaced *find(const FILE *f)
{
    for (size_t i = 0; i < stdio.n; i++) {
        const struct replaced *r = &stdio.streams[i];
        if (f == r->ours || (f == r->libc && f == *r->variable)) {
            return &stdio.streams[i];
        }
    }
    return NULL;
}

/* Undo a freopen. Both streams stay as long as the process, since cells may have kept either pointer. */
static void use_ours(struct replaced *r)
{
    if (*r->variable == r->ours) {
        return;
    }
    *r->variable = r->ours;
    if (r->fd == STDIN_FILENO) {
        (void)freopen("/dev/null", "r", r->libc); /* as it was */
    } else {
        (void)fflush(r->libc);
        (void)dup2(stdio.saved_err, STDERR_FILENO);
    }
}

bool session_stdio_closed(FILE **variable)
{
    for (size_t i = 0; i < stdio.n; i++) {
        if (stdio.streams[i].variable == variable) {
            return stdio.streams[i].closed;
        }
    }
    return false;
}

int session_stdio_fileno(FILE *f)
{
    const struct replaced *r = find(f);
    return r ? r->fd : fileno(f);
}

/* libc's own stream, which has the descriptor, takes the place of ours. What is a terminal for other programs is the front
 * end here. A failure closes the stream, as everywhere. */
FILE *session_stdio_freopen(const char *path, const char *mode, FILE *f)
{
    struct replaced *r = find(f);
    if (!r) {
        return freopen(path, mode, f);
    }
    if (path && strcmp(path, "/dev/tty") == 0) {
        use_ours(r);
        r->closed = false;
        return r->ours;
    }
    if (f == r->ours && !path) {
        return f; /* only another mode */
    }
    if (f == r->ours && r->fd == STDIN_FILENO && access(path, R_OK) != 0) {
        r->closed = true;
        return NULL;
    }
    FILE *opened = freopen(path, mode, r->libc);
    if (opened) {
        *r->variable = opened;
    }
    return opened;
}

/* A cell's end of the three standard streams is not the session's. */
int session_stdio_fclose(FILE *f)
{
    struct replaced *r = find(f);
    if (r) {
        use_ours(r);
        r->closed = true;
        __fpurge(r->ours);
        return 0;
    }
    bool ours = f == stdout && stdio.session && getpid() == stdio.session->pid && leads_to(STDOUT_FILENO, &stdio.out);
    return ours ? fflush(f) : fclose(f);
}

bool session_stdio_is_stderr(const FILE *f)
{
    const struct replaced *r = find(f);
    return r && r->fd == STDERR_FILENO && f == r->ours;
}

/* ---- order ---- */

bool session_stdio_is_pipe(const struct stat *st)
{
    return is_same(st, &stdio.out) || is_same(st, &stdio.err);
}

/* Whether this thread is in the middle of printing: a signal handler of the user's prints then, or of ours. The lock would
 * let it in. */
static bool is_busy_here(FILE *f)
{
    const struct { /* what libc has in place of a lock (bits/types/struct_FILE.h has only the pointer) */
        int lock, count;
        void *owner;
    } *lock = (const void *)f->_lock;
    return lock && lock->lock != 0 && lock->owner == (void *)pthread_self();
}

void session_stdio_unlock(FILE *f)
{
    while (is_busy_here(f)) {
        funlockfile(f);
    }
}

static size_t in_stdout_pipe(void)
{
    int n = 0; /* of our pipe, wherever descriptor 1 leads now */
    return ioctl(stdio.saved_out, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
}

/* The next try; false: enough of them. A pause is made once the other side had its chance. */
static bool try_again(int tries)
{
    struct timespec pause = { .tv_nsec = PAUSE_US * 1000L };
    if (tries < YIELDS) {
        (void)sched_yield();
    } else if (tries - YIELDS < PAUSES && !(stdio.session && stdio.session->interrupted)) {
        (void)nanosleep(&pause, NULL);
    } else {
        return false;
    }
    return true;
}

/* Write out what stdout holds, if need be after another thread that prints. */
static void write_stdout(void)
{
    if (is_busy_here(stdout)) {
        return;
    }
    /* No long wait: this may be a signal's handler, and the thread that it stopped about to take the lock; or who holds it may
     * wait for us. */
    for (int tries = 0; ftrylockfile(stdout) != 0; tries++) {
        if (__libc_single_threaded || tries == YIELDS) {
            return;
        }
        (void)sched_yield();
    }
    if (__fpending(stdout) > 0) {
        (void)fflush_unlocked(stdout); /* a closed stdout is the user's */
    }
    funlockfile(stdout);
}

/* Until the kernel has read what is in the pipe now. (Not until it is empty: others may print on and on.) */
static void wait_for_kernel(void)
{
    const struct session *s = stdio.session;
    size_t waiting = s ? in_stdout_pipe() : 0;
    if (waiting == 0) {
        return;
    }
    uint64_t goal = atomic_load(&s->shared->stdout_read) + waiting;
    for (int tries = 0; (int64_t)(atomic_load(&s->shared->stdout_read) - goal) < 0 && in_stdout_pipe() > 0; tries++) {
        if (!try_again(tries)) {
            return;
        }
    }
}

void session_stdio_order(void)
{
    int saved = errno;
    write_stdout();
    wait_for_kernel();
    errno = saved;
}

void session_stdio_before(int fd)
{
    if (fd == STDERR_FILENO) {
        session_stdio_order();
    } else if (fd == STDOUT_FILENO) {
        int saved = errno;
        write_stdout();
        errno = saved;
    }
}

static ssize_t write_error(void *cookie, const char *text, size_t size)
{
    (void)cookie;
    session_stdio_order();
    size_t done = 0;
    while (done < size) {
        ssize_t n = write(STDERR_FILENO, text + done, size - done);
        if (n < 0 && errno != EINTR) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)done; /* less than size: a stream of this kind takes it for a failure */
}

/* ---- writing out in time ---- */

void session_stdio_flush(void)
{
    int saved = errno;
    /* a pipe that is filling up would make us wait; and then the kernel has enough to read */
    if (in_stdout_pipe() <= PIPE_BUF && !is_busy_here(stdout) && ftrylockfile(stdout) == 0) {
        if (__fpending(stdout) > 0) {
            (void)fflush_unlocked(stdout);
        }
        funlockfile(stdout);
    }
    if (stdio.session) {
        atomic_fetch_add(&stdio.session->shared->flushes, 1);
    }
    errno = saved;
}

/* ---- life ---- */

enum err_code session_stdio_open(struct session *s, struct err *e)
{
    const cookie_io_functions_t functions = { .write = write_error };
    s->shared->stdout_file = (uintptr_t)stdout;
    if (stdio.session) {
        stdio.session = s;
        return ERR_NONE;
    }
    stdio.session = s;
    stdio.saved_out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, SESSION_FDS_END);
    stdio.saved_err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, SESSION_FDS_END);
    FILE *ours = fopencookie(NULL, "w", functions);
    if (!ours || stdio.saved_out < 0 || stdio.saved_err < 0 || fstat(STDOUT_FILENO, &stdio.out) != 0 ||
        fstat(STDERR_FILENO, &stdio.err) != 0) {
        return err_errno(e, "can't prepare stdout and stderr for cells");
    }
    (void)setvbuf(ours, NULL, _IONBF, 0); /* else libc buffers it: it appears all the same, in other pieces */
    (void)setvbuf(stdout, stdio.buffer, _IOFBF, sizeof stdio.buffer);
    stdout->_flags2 |= NEED_LOCK; /* else session_stdio_flush could not tell that putchar is halfway */
    session_stdio_replace(&stderr, ours, STDERR_FILENO);
    return ERR_NONE;
}

void session_stdio_begin(struct session *s)
{
    stdio.session = s;
    for (size_t i = 0; i < stdio.n; i++) {
        stdio.streams[i].closed = false;
    }
}

void session_stdio_restore(void)
{
    (void)fflush(stdout);
    if (!leads_to(STDOUT_FILENO, &stdio.out)) {
        (void)dup2(stdio.saved_out, STDOUT_FILENO);
    }
    for (size_t i = 0; i < stdio.n; i++) {
        use_ours(&stdio.streams[i]);
    }
}
