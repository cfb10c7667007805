/* stdin in cells. Each line that a cell reads is asked of the front end (Jupyter's input_request), which shows what the cell
 * printed last as the prompt.
 *
 *   scanf, fgets, getline ... -> stdin, a stream of ours -> take_line -> {"op":"input"} -> kernel -> front end
 *   read(0, ..)  -----------------------------------------^
 *
 * Descriptor 0 is /dev/null, which is what the cell's children read. Only the cell's own thread can ask: others, and
 * forked children, see end of file. */
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
    FILE *ours;
    struct stat null; /* of descriptor 0 while it is ours */
    char *line;       /* owned; typed and not yet read: line[at..len) */
    size_t at, len;
    bool streaming;   /* within a read of the stream; still true afterwards: an interrupt has jumped out of it */
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
    if (!s || !session_is_mine() || session_stdio_closed(&stdin)) {
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

const struct session_symbol *session_input_symbols(size_t *n)
{
    static struct session_symbol symbols[3];
    const struct {
        const char *name;
        uintptr_t function;
    } ours[] = {
        { "read", (uintptr_t)cell_read },
        { "readv", (uintptr_t)cell_readv },
        { "getpass", (uintptr_t)cell_getpass },
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
    input.ours = fopencookie(NULL, "r", functions);
    if (!input.ours || fstat(STDIN_FILENO, &input.null) != 0) {
        return err_errno(e, "can't make a stdin for cells");
    }
    session_stdio_replace(&stdin, input.ours, STDIN_FILENO);
    return ERR_NONE;
}

void session_input_begin(struct session *s)
{
    input.session = s;
    if (input.streaming) {
        input.streaming = false;
        funlockfile(input.ours); /* what read it held its lock */
    }
    forget_line();
    explicit_bzero(input.password, sizeof input.password);
    if (stdin == input.ours) {
        __fpurge(stdin);
        clearerr(stdin);
    }
}
