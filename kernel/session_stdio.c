/* stdin, stdout and stderr as cells see them.
 *
 *   stdout   libc's own, fully buffered, into a pipe to the kernel
 *   stderr   a stream of ours: before it writes, it has stdout written and waits until the kernel has read that, so that
 *            both appear in the order in which the cell wrote them (supervisor_drain relies on it)
 *   stdin    a stream of ours, see session_input.c
 *
 * Streams of ours have no descriptor, so what libc can't do with them is put right for cells: fileno, freopen, fclose. */
#include "kernel/session.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    STREAMS = 2,
    PATIENCE_US = 50 * 1000, /* for the kernel to read what is in a pipe; it may be held up by slow clients */
    PAUSE_US = 20,
    BUFFER = 64 << 10
};

/* What libc has in place of a lock (bits/types/struct_FILE.h has only the pointer). */
struct stream_lock {
    int lock, count;
    void *owner;
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
} stdio; /* as the streams are: of the process */

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

static int cell_fileno(FILE *f)
{
    const struct replaced *r = find(f);
    return r ? r->fd : fileno(f);
}

/* libc's own stream, which has the descriptor, takes the place of ours. What is a terminal for other programs is the front
 * end here. A failure closes the stream, as everywhere. */
static FILE *cell_freopen(const char *path, const char *mode, FILE *f)
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

static int cell_fclose(FILE *f)
{
    struct replaced *r = find(f);
    if (!r) {
        return fclose(f);
    }
    use_ours(r);
    r->closed = true;
    __fpurge(r->ours);
    return 0;
}

/* ---- order ---- */

static bool is_pipe(int fd, const struct stat *pipe)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_dev == pipe->st_dev && st.st_ino == pipe->st_ino;
}

bool session_stdio_is_pipe(int fd)
{
    return is_pipe(fd, &stdio.out) || is_pipe(fd, &stdio.err);
}

/* Until the kernel has read what stdout wrote. */
static void wait_for_stdout(void)
{
    struct timespec pause = { .tv_nsec = PAUSE_US * 1000L };
    int waiting = 0;
    for (int us = 0; us < PATIENCE_US && ioctl(STDOUT_FILENO, FIONREAD, &waiting) == 0 && waiting > 0; us += PAUSE_US) {
        (void)nanosleep(&pause, NULL);
    }
}

void session_stdio_order(void)
{
    int saved = errno;
    if (stdio.session && getpid() == stdio.session->pid && is_pipe(STDERR_FILENO, &stdio.err) &&
        is_pipe(STDOUT_FILENO, &stdio.out)) {
        if (__fpending(stdout) > 0) {
            (void)fflush(stdout); /* a closed stdout is the user's */
        }
        wait_for_stdout();
    }
    errno = saved;
}

static ssize_t write_error(void *cookie, const char *text, size_t size)
{
    (void)cookie;
    session_stdio_order();
    ssize_t n = write(STDERR_FILENO, text, size);
    return n < 0 ? 0 : n; /* what a stream of this kind takes for a failure */
}

static ssize_t cell_write(int fd, const void *data, size_t size)
{
    if (fd == STDERR_FILENO) {
        session_stdio_order();
    }
    return write(fd, data, size);
}

static ssize_t cell_writev(int fd, const struct iovec *data, int count)
{
    if (fd == STDERR_FILENO) {
        session_stdio_order();
    }
    return writev(fd, data, count);
}

static int cell_vdprintf(int fd, const char *format, va_list args)
{
    if (fd == STDERR_FILENO) {
        session_stdio_order();
    }
    return vdprintf(fd, format, args);
}

__attribute__((format(printf, 2, 3))) static int cell_dprintf(int fd, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = cell_vdprintf(fd, format, args);
    va_end(args);
    return n;
}

/* ---- writing out in time ---- */

void session_stdio_flush(void)
{
    const struct stream_lock *lock = (const struct stream_lock *)stdout->_lock;
    int saved = errno;
    /* not if it is this thread that is in the middle of printing: a lock taken twice would let us in */
    if (lock && lock->owner != (void *)pthread_self() && ftrylockfile(stdout) == 0) {
        (void)fflush_unlocked(stdout);
        funlockfile(stdout);
    }
    errno = saved;
}

/* ---- life ---- */

const struct session_symbol *session_stdio_symbols(size_t *n)
{
    static struct session_symbol symbols[9];
    const struct {
        const char *name;
        uintptr_t function;
    } ours[] = {
        { "fileno", (uintptr_t)cell_fileno },     { "fileno_unlocked", (uintptr_t)cell_fileno },
        { "freopen", (uintptr_t)cell_freopen },   { "freopen64", (uintptr_t)cell_freopen },
        { "fclose", (uintptr_t)cell_fclose },
        { "write", (uintptr_t)cell_write },       { "writev", (uintptr_t)cell_writev },
        { "vdprintf", (uintptr_t)cell_vdprintf }, { "dprintf", (uintptr_t)cell_dprintf },
    };
    *n = sizeof ours / sizeof *ours;
    for (size_t i = 0; i < *n; i++) {
        symbols[i] = (struct session_symbol){ ours[i].name, (void *)ours[i].function };
    }
    return symbols;
}

enum err_code session_stdio_open(struct session *s, struct err *e)
{
    const cookie_io_functions_t functions = { .write = write_error };
    s->shared->stdout_base = (uintptr_t)&stdout->_IO_write_base;
    s->shared->stdout_end = (uintptr_t)&stdout->_IO_write_ptr;
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
    if (!is_pipe(STDOUT_FILENO, &stdio.out)) {
        (void)dup2(stdio.saved_out, STDOUT_FILENO);
    }
    for (size_t i = 0; i < stdio.n; i++) {
        use_ours(&stdio.streams[i]);
    }
}
