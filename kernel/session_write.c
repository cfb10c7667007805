/* What cells get in place of libc's functions that write past stdio, wait, or start a process, and of those that streams of
 * ours (session_stdio.c) don't take.
 *
 *   write(1, ..)             what printf has left in stdout goes first
 *   write(2, ..)             and the kernel has read it, so that it is shown first
 *   fork, system, exec ..    the same: the child may write to either, and must not print a second time what stdout holds
 *   sleep, poll ..           stdout is written out before they wait: it is seen in time, and no signal of ours ends them
 *   putc_unlocked ..         are putc: session_stdio_flush relies on the lock
 *   fwprintf(stderr, ..)     such a stream takes bytes alone: the text is made here */
#include "kernel/session.h"

#include <alloca.h>
#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* cell_NAME: first BEFORE, then libc's NAME. */
#define CELL(BEFORE, TYPE, NAME, PARAMETERS, ARGUMENTS)                                                                \
    static TYPE cell_##NAME PARAMETERS                                                                                 \
    {                                                                                                                  \
        BEFORE;                                                                                                        \
        return NAME ARGUMENTS;                                                                                         \
    }

/* ---- writing ---- */

CELL(session_stdio_before(fd), ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
CELL(session_stdio_before(fd), ssize_t, writev, (int fd, const struct iovec *data, int count), (fd, data, count))

static int cell_vdprintf(int fd, const char *format, va_list args)
{
    session_stdio_before(fd);
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

/* ---- waiting ---- */

#define WAITS session_stdio_before(STDOUT_FILENO)

CELL(WAITS, unsigned, sleep, (unsigned seconds), (seconds))
CELL(WAITS, int, usleep, (useconds_t us), (us))
CELL(WAITS, int, nanosleep, (const struct timespec *wanted, struct timespec *left), (wanted, left))
CELL(WAITS, int, clock_nanosleep, (clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left),
     (clock, flags, wanted, left))
CELL(WAITS, int, thrd_sleep, (const struct timespec *wanted, struct timespec *left), (wanted, left))
CELL(WAITS, int, pause, (void), ())
CELL(WAITS, int, poll, (struct pollfd *fds, nfds_t n, int ms), (fds, n, ms))
CELL(WAITS, int, ppoll, (struct pollfd *fds, nfds_t n, const struct timespec *time, const sigset_t *mask),
     (fds, n, time, mask))
CELL(WAITS, int, select, (int n, fd_set *in, fd_set *out, fd_set *other, struct timeval *time),
     (n, in, out, other, time))
CELL(WAITS, int, pselect,
     (int n, fd_set *in, fd_set *out, fd_set *other, const struct timespec *time, const sigset_t *mask),
     (n, in, out, other, time, mask))
CELL(WAITS, int, epoll_wait, (int fd, struct epoll_event *events, int most, int ms), (fd, events, most, ms))

/* ---- starting processes ---- */

#define STARTS session_stdio_order()

CELL(STARTS, pid_t, fork, (void), ())
CELL(STARTS, FILE *, popen, (const char *command, const char *mode), (command, mode))
CELL(STARTS, int, posix_spawn,
     (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
      char *const argv[], char *const env[]),
     (pid, path, actions, attributes, argv, env))
CELL(STARTS, int, posix_spawnp,
     (pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
      char *const argv[], char *const env[]),
     (pid, file, actions, attributes, argv, env))
CELL(STARTS, int, execv, (const char *path, char *const argv[]), (path, argv))
CELL(STARTS, int, execvp, (const char *file, char *const argv[]), (file, argv))
CELL(STARTS, int, execve, (const char *path, char *const argv[], char *const env[]), (path, argv, env))
CELL(STARTS, int, execvpe, (const char *file, char *const argv[], char *const env[]), (file, argv, env))

/* libc's own, by another name: what the user's cell asks a shell for is the user's business. */
static int (*const libc_system)(const char *) = system;

static int cell_system(const char *command)
{
    STARTS;
    int status = libc_system(command); /* ignores SIGINT meanwhile; what it has started gets it too */
    if (session_is_mine() && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) {
        (void)raise(SIGINT);
    }
    return status;
}

/* The array that execl's arguments stand for; NULL ends them. After it, `args` is at what follows. */
#define COLLECT(FIRST, ARGV, ARGS)                                                                                     \
    do {                                                                                                               \
        va_list counted;                                                                                               \
        size_t n = 1;                                                                                                  \
        va_copy(counted, ARGS);                                                                                        \
        for (const char *a = FIRST; a; a = va_arg(counted, const char *)) {                                            \
            n++;                                                                                                       \
        }                                                                                                              \
        va_end(counted);                                                                                               \
        (ARGV) = alloca(n * sizeof *(ARGV));                                                                           \
        size_t i = 0;                                                                                                  \
        for (char *a = (char *)(uintptr_t)FIRST; a; a = va_arg(ARGS, char *)) {                                        \
            (ARGV)[i++] = a;                                                                                           \
        }                                                                                                              \
        (ARGV)[i] = NULL;                                                                                              \
    } while (0)

static int cell_execl(const char *path, const char *first, ...)
{
    char **argv;
    va_list args;
    va_start(args, first);
    COLLECT(first, argv, args);
    va_end(args);
    return cell_execv(path, argv);
}

static int cell_execlp(const char *file, const char *first, ...)
{
    char **argv;
    va_list args;
    va_start(args, first);
    COLLECT(first, argv, args);
    va_end(args);
    return cell_execvp(file, argv);
}

static int cell_execle(const char *path, const char *first, ...)
{
    char **argv;
    va_list args;
    va_start(args, first);
    COLLECT(first, argv, args);
    char *const *env = va_arg(args, char *const *);
    va_end(args);
    return cell_execve(path, argv, env);
}

/* ---- wide characters to stderr ---- */

/* text as bytes of the locale; what it can't say is an error, as in libc. */
static int put_wide(const wchar_t *text, FILE *f)
{
    size_t size = wcstombs(NULL, text, 0);
    char *bytes = size == (size_t)-1 ? NULL : malloc(size + 1);
    int result = EOF;
    if (bytes) {
        (void)wcstombs(bytes, text, size + 1);
        result = fwrite(bytes, 1, size, f) == size ? 0 : EOF;
    }
    free(bytes);
    return result;
}

static int cell_vfwprintf(FILE *f, const wchar_t *format, va_list args)
{
    if (!session_stdio_is_stderr(f)) {
        return vfwprintf(f, format, args);
    }
    wchar_t *text = NULL;
    size_t size = 0;
    FILE *memory = open_wmemstream(&text, &size);
    int n = memory ? vfwprintf(memory, format, args) : -1;
    if (memory && fclose(memory) != 0) {
        n = -1;
    }
    if (n >= 0 && put_wide(text, f) != 0) {
        n = -1;
    }
    free(text);
    return n;
}

static int cell_fwprintf(FILE *f, const wchar_t *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = cell_vfwprintf(f, format, args);
    va_end(args);
    return n;
}

static int cell_fputws(const wchar_t *text, FILE *f)
{
    return session_stdio_is_stderr(f) ? put_wide(text, f) : fputws(text, f);
}

static wint_t cell_fputwc(wchar_t c, FILE *f)
{
    if (!session_stdio_is_stderr(f)) {
        return fputwc(c, f);
    }
    return put_wide((wchar_t[]){ c, L'\0' }, f) == 0 ? (wint_t)c : WEOF;
}

/* ---- the table ---- */

/* NAME by ours; NAME, which we call something else; NAME by another one of libc. */
#define OURS(NAME) { #NAME, (uintptr_t)cell_##NAME }

const struct session_symbol *session_write_symbols(size_t *n)
{
    static const struct session_symbol symbols[] = {
        OURS(write), OURS(writev), OURS(dprintf), OURS(vdprintf),
        OURS(sleep), OURS(usleep), OURS(nanosleep), OURS(clock_nanosleep), OURS(thrd_sleep), OURS(pause),
        OURS(poll), OURS(ppoll), OURS(select), OURS(pselect), OURS(epoll_wait),
        OURS(fork), { "vfork", (uintptr_t)cell_fork }, OURS(popen), OURS(system), OURS(posix_spawn), OURS(posix_spawnp),
        OURS(execv), OURS(execvp), OURS(execve), OURS(execvpe), OURS(execl), OURS(execlp), OURS(execle),
        OURS(vfwprintf), OURS(fwprintf), OURS(fputws), OURS(fputwc), { "putwc", (uintptr_t)cell_fputwc },
        { "fileno", (uintptr_t)session_stdio_fileno }, { "fileno_unlocked", (uintptr_t)session_stdio_fileno },
        { "freopen", (uintptr_t)session_stdio_freopen }, { "freopen64", (uintptr_t)session_stdio_freopen },
        { "fclose", (uintptr_t)session_stdio_fclose },
        { "putc_unlocked", (uintptr_t)fputc }, { "fputc_unlocked", (uintptr_t)fputc },
        { "putchar_unlocked", (uintptr_t)putchar }, { "fputs_unlocked", (uintptr_t)fputs },
        { "fwrite_unlocked", (uintptr_t)fwrite },
    };
    *n = sizeof symbols / sizeof *symbols;
    return symbols;
}
