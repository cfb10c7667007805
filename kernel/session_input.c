/* stdin in cells. Each line that a cell reads is asked of the front end (Jupyter's input_request), which shows what the cell
 * printed last as the prompt.
 *
 *   scanf, fgets, getline ... -> stdin, a stream of ours -> take -> ask -> {"op":"input"} -> kernel -> front end
 *   read(0, ..)  ----------------------------------------^
 *
 * Descriptor 0 is /dev/null, which is what the cell's children read. It says that it is ready to poll and select, and that it
 * is no terminal.
 *
 * Any thread of the user's may ask while a cell runs; when the cell is over it sees the end of the file. While one asks it
 * alone reads from the kernel's socket: the session itself says nothing before session_input_end has driven it out. A question
 * has a number, so that an answer that comes late is told from the one that is waited for. */
#include "kernel/session.h"

#include "kernel/session_protocol.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PASSWORD_MAX = 4096, TURN_NS = 5 * 1000 * 1000 };

static struct {
    struct session *session;
    pid_t pid;              /* whose threads `holder` speaks of */
    FILE *ours;
    struct stat null;       /* of descriptor 0 while it is ours */
    _Atomic pid_t holder;   /* the thread that asks or takes; what follows is its own. 0: none */
    _Atomic bool told;      /* that there is no input, in this cell */
    json_int_t question;    /* number of the latest */
    char *line;             /* owned; typed and not yet read: line[at..len) */
    size_t at, len;
    char password[PASSWORD_MAX];
} input; /* as stdin is: of the process */

static void on_leave(int signo)
{
    (void)signo; /* it only has to break off a ppoll */
}

/* Whether user code of the session runs, on this thread or another; not so in a child that it forked. */
static bool is_running(void)
{
    const struct session *s = session_running();
    return s && getpid() == s->pid;
}

static void forget_line(void)
{
    if (input.line) {
        explicit_bzero(input.line, input.len);
        free(input.line);
    }
    input.line = NULL;
    input.at = input.len = 0;
}

/* ---- whose turn it is ---- */

/* What a thread had before its turn. Within it signals wait, but for where it may be left: in ppoll. */
struct turn {
    sigset_t mask;
    int cancel;
};

static bool is_gone(pid_t thread)
{
    return tgkill(getpid(), thread, 0) != 0;
}

/* A turn that a jump, or a thread's end, has cut short does not count. */
static void wait_turn(const struct turn *t)
{
    const struct timespec pause = { .tv_nsec = TURN_NS };
    pid_t me = gettid(), other = 0;
    while (!atomic_compare_exchange_strong(&input.holder, &other, me) && other != me) {
        if (!is_gone(other)) {
            other = 0;
            (void)ppoll(NULL, 0, &pause, &t->mask);
        }
    }
}

static void end_turn(const struct turn *t)
{
    atomic_store(&input.holder, 0);
    (void)pthread_setcancelstate(t->cancel, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &t->mask, NULL);
}

/* False: there is nothing to read. */
static bool begin_turn(struct turn *t)
{
    static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
    sigset_t all;
    if (!is_running() || session_stdio_closed(&stdin)) {
        return false;
    }
    (void)fflush(stdout); /* the prompt; may block, so it is before our turn */
    (void)sigfillset(&all);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        (void)sigdelset(&all, crashes[i]);
    }
    (void)pthread_sigmask(SIG_BLOCK, &all, &t->mask);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &t->cancel);
    (void)sigdelset(&t->mask, session_leave_signal());
    if (input.session->interrupted && session_is_mine()) {
        (void)raise(SIGINT); /* it is under way: a wait must not swallow it */
    }
    wait_turn(t);
    if (!is_running()) {
        end_turn(t);
        return false;
    }
    return true;
}

/* ---- asking ---- */

/* The answer to the latest question; new reference. NULL: the cell is over. Left by a jump if an interrupt ends it. */
static json_t *await(struct session *s, const struct turn *t)
{
    struct pollfd p = { .fd = s->fd, .events = POLLIN };
    while (is_running()) {
        json_t *m = NULL;
        int cancel;
        (void)pthread_setcancelstate(t->cancel, &cancel);
        int n = ppoll(&p, 1, NULL, &t->mask);
        (void)pthread_setcancelstate(cancel, NULL);
        if (n < 0) {
            continue; /* a signal; the next look is at whether the cell still runs */
        }
        if (session_receive(s->fd, &m, NULL) != ERR_NONE || !m) {
            _exit(0); /* nobody is left to answer, or to tell */
        }
        if (json_integer_value(json_object_get(m, "id")) == input.question) {
            return m;
        }
        json_decref(m); /* the answer to a question that a jump has left */
    }
    return NULL;
}

/* Ask for a line, in our turn. prompt NULL: what was printed last. False: end of file. */
static bool ask(const struct turn *t, const char *prompt, bool password)
{
    struct session *s = input.session;
    forget_line();
    input.question++;
    json_t *text = prompt ? json_string(prompt) : NULL; /* none, if it is not UTF-8 */
    json_t *m = json_pack("{s:s, s:I, s:o*, s:b}", "op", "input", "id", input.question, "prompt", text, "password",
                          (int)password);
    if (!m) {
        return false; /* out of memory */
    }
    if (session_send(s->fd, m, NULL) == ERR_IO) {
        _exit(0); /* as above */
    }
    json_decref(m);
    m = await(s, t);
    const json_t *value = json_object_get(m, "value");
    size_t len = json_string_length(value);
    input.line = json_is_string(value) ? malloc(len + 1) : NULL;
    if (input.line) {
        memcpy(input.line, json_string_value(value), len);
        input.line[len] = '\n';
        input.len = len + 1;
    }
    json_decref(m);
    return input.line != NULL;
}

/* Whether the front end gives input; else the cell ends here. A thread can't end it, and sees the end of the file. */
static bool is_allowed(void)
{
    if (!is_running() || input.session->allow_stdin) {
        return true;
    }
    (void)session_leave_input();
    if (!atomic_exchange(&input.told, true)) {
        (void)fputs("weir: a thread reads from stdin, and this front end gives no input (allow_stdin is false): it sees the end of "
                    "the file\n", stderr);
    }
    return false;
}

/* As read(2) does it. ask_more false: only what was typed already. */
static size_t take(void *to, size_t size, bool ask_more)
{
    struct turn t;
    if (size == 0 || !is_allowed() || !begin_turn(&t)) {
        return 0;
    }
    if (input.at == input.len && ask_more) {
        (void)ask(&t, NULL, false);
    }
    size_t n = input.len - input.at < size ? input.len - input.at : size;
    if (n > 0) {
        memcpy(to, input.line + input.at, n);
        input.at += n;
    }
    end_turn(&t);
    return n;
}

static ssize_t stream_read(void *cookie, char *to, size_t size)
{
    (void)cookie;
    return (ssize_t)take(to, size, true);
}

/* As a terminal answers: fflush(stdin) and the like then do no harm. */
static int stream_seek(void *cookie, off64_t *offset, int whence)
{
    (void)cookie, (void)offset, (void)whence;
    errno = ESPIPE;
    return -1;
}

/* ---- what cells get instead of libc's ---- */

/* Descriptor 0 is not what a cell has put there. */
static bool is_ours(int fd)
{
    struct stat st;
    return fd == STDIN_FILENO && is_running() && fstat(fd, &st) == 0 && st.st_dev == input.null.st_dev &&
           st.st_ino == input.null.st_ino;
}

static ssize_t cell_read(int fd, void *to, size_t size)
{
    return is_ours(fd) ? (ssize_t)take(to, size, true) : read(fd, to, size);
}

static ssize_t cell_readv(int fd, const struct iovec *to, int count)
{
    if (!is_ours(fd)) {
        return readv(fd, to, count);
    }
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        size_t n = take(to[i].iov_base, to[i].iov_len, total == 0);
        total += n;
        if (n < to[i].iov_len) {
            break;
        }
    }
    return (ssize_t)total;
}

static char *cell_getpass(const char *prompt)
{
    struct turn t;
    if (!is_allowed() || !begin_turn(&t)) {
        return NULL;
    }
    bool got = ask(&t, prompt ? prompt : "", true);
    size_t len = got ? input.len - 1 : 0;
    len = len < PASSWORD_MAX ? len : PASSWORD_MAX - 1;
    if (got) {
        memcpy(input.password, input.line, len);
        input.password[len] = '\0';
    }
    forget_line();
    end_turn(&t);
    return got ? input.password : NULL;
}

const struct session_symbol *session_input_symbols(size_t *n)
{
    static const struct session_symbol symbols[] = {
        { "read", (uintptr_t)cell_read },
        { "readv", (uintptr_t)cell_readv },
        { "getpass", (uintptr_t)cell_getpass },
    };
    *n = sizeof symbols / sizeof *symbols;
    return symbols;
}

/* ---- life ---- */

enum err_code session_input_open(struct session *s, struct err *e)
{
    const cookie_io_functions_t functions = { .read = stream_read, .seek = stream_seek };
    input.session = s;
    input.pid = getpid();
    if (input.ours) {
        return ERR_NONE;
    }
    input.ours = fopencookie(NULL, "r", functions);
    if (!input.ours || fstat(STDIN_FILENO, &input.null) != 0) {
        return err_errno(e, "can't make a stdin for cells");
    }
    input.ours->_fileno = STDIN_FILENO; /* for libraries that ask by fileno */
    session_stdio_replace(&stdin, input.ours, STDIN_FILENO);
    return ERR_NONE;
}

void session_input_begin(struct session *s)
{
    input.session = s;
    if (input.pid != getpid()) { /* a copy of the session, woken: its only thread is this one */
        input.pid = getpid();
        atomic_store(&input.holder, 0);
    }
    atomic_store(&input.told, false);
    forget_line();
    explicit_bzero(input.password, sizeof input.password);
    if (stdin == input.ours) {
        __fpurge(stdin);
        clearerr_unlocked(stdin);
    }
}

void session_input_end(void)
{
    const struct timespec pause = { .tv_nsec = TURN_NS / 10 };
    struct sigaction leave = { .sa_handler = on_leave };
    pid_t me = gettid(), other = atomic_load(&input.holder);
    if (other != 0 && other != me) {
        (void)sigaction(session_leave_signal(), &leave, NULL); /* can only fail for bad numbers */
    }
    while (other != 0 && other != me && tgkill(getpid(), other, session_leave_signal()) == 0) {
        (void)nanosleep(&pause, NULL);
        other = atomic_load(&input.holder);
    }
    (void)atomic_compare_exchange_strong(&input.holder, &other, 0); /* cut short by a jump, or by the thread's end */
    session_stdio_unlock(input.ours); /* what has jumped out of a read has left it locked */
}
