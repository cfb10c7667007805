/* weir-kernel: the program that Jupyter starts. Reads the connection file, starts the session, opens the channels, and
 * then runs the one loop that waits for all of them.
 *
 *   clients <-> channels <-> requests <-> supervisor <-> weir-session (the user's code) */
#include "kernel/channels.h"
#include "kernel/iopub.h"
#include "kernel/log.h"
#include "kernel/process.h"
#include "kernel/replies.h"
#include "kernel/requests.h"
#include "kernel/session_shared.h"
#include "kernel/supervisor.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { INTERPRETER_FDS = 8 };

struct kernel {
    struct connection connection;
    struct requests *requests;
    struct supervisor *supervisor;
    struct channels *channels;
    struct interpreter interpreter;
    int signals; /* fd of SIGINT, SIGTERM, SIGHUP */
    int parent;  /* pidfd of the Jupyter that started us; -1: none that we should go with */
    bool ended;  /* by a signal, or with the parent */
};

static const char help[] =
    "Usage: weir-kernel -f CONNECTION_FILE\n"
    "The Jupyter kernel of Weir: C in cells, and cells as the steps of a workflow. Jupyter starts it.\n"
    "\n"
    "  -f FILE       the connection file that Jupyter wrote\n"
    "  -h, --help    this text\n"
    "  --version     the version\n";

static enum err_code open_signals(struct kernel *k, struct err *e)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL); /* cannot fail with these arguments; threads started later inherit it */
    (void)signal(SIGPIPE, SIG_IGN);
    k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return k->signals >= 0 ? ERR_NONE : err_errno(e, "cannot watch signals");
}

/* Jupyter names itself in JPY_PARENT_PID when its kernels are to end with it, however it ends. */
static int open_parent(void)
{
    const char *text = getenv("JPY_PARENT_PID");
    long pid = text ? strtol(text, NULL, 10) : 0;
    return pid > 1 && pid == getppid() ? pidfd_open((pid_t)pid, 0) : -1;
}

static enum err_code start(struct kernel *k, const char *path, struct err *e)
{
    char program[PATH_MAX];
    enum err_code rc = ERR_NONE;
    if ((rc = connection_read(path, &k->connection, e)) || (rc = open_signals(k, e)) ||
        (rc = process_find("weir-session", program, sizeof program, e)) ||
        (rc = requests_new(&k->connection, &k->requests, e))) {
        return rc;
    }
    k->parent = open_parent();
    (void)setenv(SESSION_TUNABLES_NAME, SESSION_TUNABLES, 0); /* the user's own stays; without it large heaps cost more */
    process_adopt_orphans();
    struct supervisor_options options = { .program = program, .events = requests_events(k->requests) };
    /* First the session, which takes longest to be ready; the sockets are opened meanwhile. */
    if ((rc = supervisor_new(&options, &k->supervisor, e)) ||
        (rc = channels_open(&k->connection, requests_receive, k->requests, &k->channels, e))) {
        return rc;
    }
    struct outlet outlet = channels_outlet(k->channels);
    k->interpreter = supervisor_interpreter(k->supervisor);
    requests_start(k->requests, &outlet, &k->interpreter);
    return ERR_NONE;
}

static void take_signals(struct kernel *k)
{
    struct signalfd_siginfo info;
    while (read(k->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGINT) {
            requests_interrupt(k->requests);
        } else {
            k->ended = true;
        }
    }
}

/* Wait for something to happen, and deal with it. */
static void turn(struct kernel *k)
{
    zmq_pollitem_t items[CHANNELS_ITEMS + INTERPRETER_FDS + 2];
    int fds[INTERPRETER_FDS];
    bool shell = !requests_full(k->requests);
    bool congested = channels_congested(k->channels);
    supervisor_hold(k->supervisor, congested);
    channels_items(k->channels, shell, items);
    size_t n = k->interpreter.fds(k->interpreter.self, fds, INTERPRETER_FDS);
    for (size_t i = 0; i < n; i++) {
        items[CHANNELS_ITEMS + i] = (zmq_pollitem_t){ .fd = fds[i], .events = ZMQ_POLLIN };
    }
    size_t count = CHANNELS_ITEMS + n;
    items[count++] = (zmq_pollitem_t){ .fd = k->signals, .events = ZMQ_POLLIN };
    if (k->parent >= 0) {
        items[count++] = (zmq_pollitem_t){ .fd = k->parent, .events = ZMQ_POLLIN };
    }
    if (zmq_poll(items, (int)count, congested ? IOPUB_RETRY_MS : -1) < 0 && zmq_errno() != EINTR) {
        log_line("the kernel ends: %s", zmq_strerror(zmq_errno()));
        k->ended = true;
        return;
    }
    if (k->parent >= 0 && items[count - 1].revents) {
        log_line("the kernel ends: Jupyter is gone");
        k->ended = true;
        return;
    }
    take_signals(k);
    channels_dispatch(k->channels, shell);
    if (!requests_stopping(k->requests)) {
        k->interpreter.dispatch(k->interpreter.self);
    }
}

static int run(const char *path)
{
    struct kernel k = { .signals = -1, .parent = -1 };
    struct err e;
    int status = EXIT_SUCCESS;
    if (start(&k, path, &e) != ERR_NONE) {
        log_line("%s", e.msg);
        status = EXIT_FAILURE;
        goto done;
    }
    while (!k.ended && !requests_stopping(k.requests)) {
        turn(&k);
    }
done:
    supervisor_free(k.supervisor);
    channels_close(k.channels);
    requests_free(k.requests);
    if (k.signals >= 0) {
        (void)close(k.signals);
    }
    if (k.parent >= 0) {
        (void)close(k.parent);
    }
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "help", no_argument, NULL, 'h' },
                                             { "version", no_argument, NULL, 'V' },
                                             { NULL, 0, NULL, 0 } };
    const char *path = NULL;
    for (int c = 0; (c = getopt_long(argc, argv, "f:h", options, NULL)) != -1;) {
        if (c == 'h') {
            return fputs(help, stdout) < 0;
        }
        if (c == 'V') {
            return puts("weir-kernel " WEIR_VERSION) < 0;
        }
        if (c != 'f') {
            return EXIT_FAILURE; /* getopt has said why */
        }
        path = optarg;
    }
    if (!path || optind != argc) {
        (void)fputs(help, stderr); /* nobody is left to tell */
        return EXIT_FAILURE;
    }
    return run(path);
}
