/* stdin in cells. Each line that a cell reads is asked of the front end (Jupyter's input_request), which shows what the cell
 * printed last as the prompt.
 *
 *   scanf, fgets, getline ... -> stdin, a stream of ours -> take_line -> {"op":"input"} -> kernel -> front end
 *   read(0, ..)  -----------------------------------------^
 *
 * Descriptor 0 is /dev/null, which is what the cell's children read. Only the cell's own thread can ask: others, and
 * forked children, see end of file. What libc would do with a stream that has no descriptor is put right for cells: fileno,
 * freopen, fclose. */
#include "kernel/session.h"

#include "kernel/session_protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PASSWORD_MAX = 4096 };

static struct {
    struct session *session;
    FILE *libc, *ours;
    struct stat null; /* of descriptor 0 while it is ours */
    char *line;       /* owned; typed and not yet read: line[at..len) */
    size_t at, len;
    bool streaming;   /* within a read of the stream; still true afterwards: an interrupt has jumped out of it */
    bool closed;      /* by fclose(stdin) */
    char password[PASSWORD_MAX];
} input; /* as stdin is: of the process */

static void forget_line(void)
{
    free(input.line);
    input.line = NULL;
    input.at = input.len = 0;
}

/* Wait for the kernel's answer, and for an interrupt, which jumps. New reference; NULL: the kernel is gone. */
static json_t *await(struct session *s)
{
    struct pollfd p = { .fd = s->fd, .events = POLLIN };
    json_t *m = NULL;
    sigset_t interrupt;
    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, SIGINT);
    while (poll(&p, 1, -1) < 0 && errno == EINTR) {
    }
    (void)sigprocmask(SIG_BLOCK, &interrupt, NULL); /* a message is read whole */
    if (session_receive(s->fd, &m, NULL) != ERR_NONE || !m) {
        _exit(0); /* nobody is left to answer, or to tell */
    }
    (void)sigprocmask(SIG_UNBLOCK, &interrupt, NULL);
    return m;
}

/* Ask for a line. prompt NULL: what was printed last. False: end of file. */
static bool ask(const char *prompt, bool password)
{
    struct session *s = session_running();
    if (!s || !session_is_mine() || input.closed) {
        return false;
    }
    if (!s->allow_stdin) {
        (void)session_leave_input();
        return false;
    }
    forget_line();
    session_say(s, json_pack("{s:s, s:s*, s:b}", "op", "input", "prompt", prompt, "password", (int)password));
    json_t *m = await(s);
    const char *value = json_string_value(json_object_get(m, "value"));
    if (value) {
        input.len = strlen(value) + 1;
        input.line = malloc(input.len + 1);
        if (input.line) {
            memcpy(input.line, value, input.len - 1);
            memcpy(input.line + input.len - 1, "\n", 2);
        }
    }
    json_decref(m);
    return input.line != NULL;
}

/* As read(2) does it. */
static ssize_t take(void *to, size_t size)
{
    if (input.at == input.len && !ask(NULL, false)) {
        return 0;
    }
    size_t n = input.len - input.at < size ? input.len - input.at : size;
    memcpy(to, input.line + input.at, n);
    input.at += n;
    return (ssize_t)n;
}

static ssize_t stream_read(void *cookie, char *to, size_t size)
{
    (void)cookie;
    input.streaming = true;
    ssize_t n = take(to, size);
    input.streaming = false;
    return n;
}

/* ---- what cells get instead of libc's ---- */

/* Descriptor 0 is not what a cell has put there. */
static bool is_ours(int fd)
{
    struct stat st;
    return fd == STDIN_FILENO && session_running() && fstat(fd, &st) == 0 && st.st_dev == input.null.st_dev &&
           st.st_ino == input.null.st_ino;
}

static ssize_t cell_read(int fd, void *to, size_t size)
{
    return is_ours(fd) ? take(to, size) : read(fd, to, size);
}

static ssize_t cell_readv(int fd, const struct iovec *to, int count)
{
    return is_ours(fd) && count > 0 ? take(to[0].iov_base, to[0].iov_len) : readv(fd, to, count);
}

static char *cell_getpass(const char *prompt)
{
    if (!ask(prompt ? prompt : "", true)) {
        return NULL;
    }
    (void)snprintf(input.password, sizeof input.password, "%.*s", (int)(input.len - 1), input.line);
    explicit_bzero(input.line, input.len);
    forget_line();
    return input.password;
}

static int cell_fileno(FILE *f)
{
    return f == input.ours ? STDIN_FILENO : fileno(f);
}

/* The stream of ours stays: libc's own, whose descriptor is 0, takes its place. */
static FILE *cell_freopen(const char *path, const char *mode, FILE *f)
{
    if (f != input.ours) {
        return freopen(path, mode, f);
    }
    FILE *opened = freopen(path, mode, input.libc);
    if (opened) {
        stdin = opened;
    }
    return opened;
}

static int cell_fclose(FILE *f)
{
    if (f != input.ours) {
        return fclose(f);
    }
    input.closed = true;
    __fpurge(f);
    return 0;
}

const struct session_symbol *session_input_symbols(size_t *n)
{
    static struct session_symbol symbols[8];
    const struct {
        const char *name;
        uintptr_t function;
    } ours[] = {
        { "read", (uintptr_t)cell_read },        { "readv", (uintptr_t)cell_readv },
        { "getpass", (uintptr_t)cell_getpass },  { "fileno", (uintptr_t)cell_fileno },
        { "fileno_unlocked", (uintptr_t)cell_fileno }, { "freopen", (uintptr_t)cell_freopen },
        { "freopen64", (uintptr_t)cell_freopen }, { "fclose", (uintptr_t)cell_fclose },
    };
    *n = sizeof ours / sizeof *ours;
    for (size_t i = 0; i < *n; i++) {
        symbols[i] = (struct session_symbol){ ours[i].name, (void *)ours[i].function };
    }
    return symbols;
}

/* ---- life ---- */

enum err_code session_input_open(struct session *s, struct err *e)
{
    const cookie_io_functions_t functions = { .read = stream_read };
    input.session = s;
    if (input.ours) {
        return ERR_NONE;
    }
    input.libc = stdin;
    input.ours = fopencookie(NULL, "r", functions);
    if (!input.ours || fstat(STDIN_FILENO, &input.null) != 0) {
        return err_errno(e, "can't make a stdin for cells");
    }
    stdin = input.ours;
    return ERR_NONE;
}

void session_input_begin(struct session *s)
{
    input.session = s;
    if (input.streaming) {
        input.streaming = false;
        funlockfile(input.ours); /* what read it held its lock */
    }
    input.closed = false;
    forget_line();
    explicit_bzero(input.password, sizeof input.password);
    if (stdin == input.ours) {
        __fpurge(stdin);
        clearerr(stdin);
    }
}

void session_input_restore(void)
{
    if (stdin != input.ours) {
        stdin = input.ours;
        (void)freopen("/dev/null", "r", input.libc);
    }
}
