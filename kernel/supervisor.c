/* See supervisor.h. Everything that can be waited for is a descriptor: the session's socket and pipes, SIGCHLD as a
 * signalfd, the age of gathered output as a timerfd; dispatch asks poll which of them are ready. */
#include "kernel/supervisor_state.h"

#include "kernel/log.h"
#include "kernel/settings_load.h"
#include "runtime/base/clock.h"
#include "runtime/lang/items.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    ANSWER_MS = 2000,      /* for a completion */
    GOODBYE_MS = 500,      /* for an idle session to end by itself */
    KILL_AFTER_MS = 250,   /* a second interrupt kills if the first is at least so old (a double click is one) ... */
    KILL_MAGIC_MS = 1000,  /* ... with a magic: what it has started may take a while to stop */
    KILL_WITHIN_MS = 10000 /* ... and at most so old */
};

enum { FD_SOCKET, FD_OUT, FD_ERR, FD_TIMER, FD_LOOK, FD_SIGNALS, FD_COUNT };

static long long now_ms(void)
{
    return clock_ns() / 1000000;
}

/* Tell the session's side what can be undone. */
static void show_copies(struct supervisor *s)
{
    const struct checkpoints *c = &s->copies;
    if (!s->shared) {
        return;
    }
    s->shared->copies = c->n > 0 && !c->stale;
    s->shared->nundo = c->n > 0 ? (int32_t)c->n - 1 : 0;
    for (size_t i = 0; i + 1 < c->n; i++) {
        s->shared->undo_counts[i] = c->at[c->n - 1 - i].count;
    }
}

void supervisor_reset(struct supervisor *s)
{
    process_close(&s->process);
    s->process.pid = 0;
    session_input_done(&s->input);
    s->ready = s->waking = s->interrupt_due = false;
    s->stale = 0;
    json_decref(s->waiting);
    s->waiting = NULL;
    checkpoints_clear(&s->copies);
    show_copies(s);
}

enum err_code supervisor_respawn(struct supervisor *s, struct err *e)
{
    supervisor_reset(s);
    return process_spawn(s->program, s->shared_fd, &s->process, e);
}

void supervisor_interrupt(const struct supervisor *s)
{
    if (s->process.pid > 0) {
        (void)kill(-s->process.pid, SIGINT); /* already dead: SIGCHLD tells */
    }
}

void supervisor_kill(const struct supervisor *s)
{
    if (s->process.pid > 0) {
        (void)kill(s->process.pid, SIGKILL);
    }
}

/* ---- its copies ---- */

void supervisor_take_copy(struct supervisor *s, const json_t *message)
{
    const json_t *threads = json_object_get(message, "threads");
    s->threads = threads ? json_integer_value(threads) > 0 : s->threads;
    struct checkpoint copy = { .pid = (pid_t)json_integer_value(json_object_get(message, "checkpoint")),
                               .count = (int)json_integer_value(json_object_get(message, "count")),
                               .memory = json_integer_value(json_object_get(message, "memory")) };
    if (copy.pid != 0) {
        if (!checkpoints_push(&s->copies, copy, &s->shared->settings)) {
            log_line("the session named process %ld as its copy, which it is not", (long)copy.pid);
        }
    } else if (json_is_true(json_object_get(message, "changed"))) {
        checkpoints_clear(&s->copies); /* none has what it has now */
    }
    show_copies(s);
}

void supervisor_wake(struct supervisor *s, const struct checkpoint *copy, const struct takeover *takeover)
{
    session_input_done(&s->input); /* half a message of the dead one's, perhaps */
    s->shared->takeover = *takeover;
    s->process.pid = copy->pid;
    s->ready = s->interrupt_due = false;
    s->waking = true;
    s->stale = 0;
    show_copies(s);
    (void)kill(copy->pid, session_wake_signal()); /* dead: SIGCHLD tells */
}

/* Reap whatever ended; the session's orphans end as our children too. */
static void reap(struct supervisor *s)
{
    struct signalfd_siginfo info;
    ssize_t got = read(s->signals, &info, sizeof info);
    (void)got; /* only to empty it: several children may be behind one signal */
    int status = 0, session_status = 0;
    bool died = false;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid == s->process.pid) {
            died = true;
            session_status = status;
        } else if (checkpoints_ended(&s->copies, pid)) {
            show_copies(s);
        }
    }
    if (died) {
        supervisor_bury(s, session_status);
    }
}

/* ---- the interpreter ---- */

static json_t *execute_message(const struct execute_request *r)
{
    return json_pack("{s:s, s:s, s:s?, s:i, s:b, s:b, s:O*}", "op", "execute", "code", r->code, "cell_id", r->cell_id,
                     "count", r->count, "silent", (int)r->silent, "allow_stdin", (int)r->allow_stdin,
                     "user_expressions", r->user_expressions);
}

static enum err_code execute(void *self, const struct execute_request *r, struct err *e)
{
    struct supervisor *s = self;
    enum err_code rc = ERR_NONE;
    if (s->process.pid == 0 && (rc = supervisor_respawn(s, e)) != ERR_NONE) {
        return rc;
    }
    json_t *m = execute_message(r);
    if (!m) {
        return err_memory(e);
    }
    s->running = true;
    s->silent = r->silent;
    s->count = r->count;
    s->has_magic = r->code[0] == '%' || strstr(r->code, "\n%"); /* or what looks like one */
    s->waiting = m;
    if (s->ready) {
        supervisor_send_waiting(s);
    }
    return ERR_NONE;
}

/* As the cell's output, since they may hold bytes that are not UTF-8. */
static void tell_warnings(struct supervisor *s)
{
    if (s->warnings.len > 0) {
        capture_add(&s->capture, CAPTURE_STDERR, s->warnings.data, s->warnings.len);
        capture_flush(&s->capture);
    }
    buf_done(&s->warnings);
}

void supervisor_send_waiting(struct supervisor *s)
{
    struct err why;
    json_t *m = s->waiting;
    if (!m) {
        return;
    }
    s->waiting = NULL;
    if (s->note[0] && !s->silent) {
        s->events.stream(s->events.ctx, "stderr", s->note, strlen(s->note));
        s->note[0] = '\0';
    }
    s->started = process_now();
    if (!s->silent) { /* else what threads of earlier cells print still counts as the latest one's */
        output_begin(&s->output, s->count, &s->shared->settings);
        tell_warnings(s);
    }
    supervisor_look_for_output(s);
    if (session_send(s->process.socket, m, &why) != ERR_NONE) {
        log_line("the session is killed: %s", why.msg);
        supervisor_kill(s); /* its death is what the user hears of */
    }
    json_decref(m);
}

/* Magic lines before the C text are complete each by itself; a %% cell ends with an empty line. */
static const char *is_complete(void *self, const char *code, char *indent, size_t size)
{
    (void)self;
    static const char *const words[] = { [COMPLETE] = "complete", [INCOMPLETE] = "incomplete", [INVALID] = "invalid" };
    indent[0] = '\0';
    const char *text = code + strspn(code, " \t\r\n");
    if (strncmp(text, "%%", 2) == 0) {
        const char *last = strrchr(text, '\n');
        return last && last[1 + strspn(last + 1, " \t\r")] == '\0' ? "complete" : "incomplete";
    }
    while (*text == '%') {
        const char *end = strchr(text, '\n');
        if (!end) {
            return text[strlen(text) - 1] == '\\' ? "incomplete" : "complete";
        }
        text = end + 1;
    }
    return text[strspn(text, " \t\r\n")] ? words[items_complete(text, indent, size)] : "complete";
}

static void interrupt(void *self)
{
    struct supervisor *s = self;
    if (!s->running) {
        return;
    }
    if (!s->ready) {
        s->interrupt_due = true;
        return;
    }
    long long now = now_ms();
    long long age = s->interrupted_at ? now - s->interrupted_at : 0;
    if (age >= (s->has_magic ? KILL_MAGIC_MS : KILL_AFTER_MS) && age <= KILL_WITHIN_MS) {
        s->killed = true;
        supervisor_kill(s);
        return;
    }
    if (age == 0 || age > KILL_WITHIN_MS) {
        s->interrupted_at = now;
    }
    supervisor_interrupt(s);
}

static void input(void *self, const char *line, size_t len)
{
    struct supervisor *s = self;
    struct err why;
    if (!s->ready || !s->running) {
        return;
    }
    json_t *value = line ? json_stringn(line, len) : json_null();
    json_t *m = json_pack("{s:s, s:I, s:o}", "op", "input", "id", (json_int_t)s->question, "value", value);
    if (!m) {
        err_memory(&why);
    }
    if (!m || session_send(s->process.socket, m, &why) != ERR_NONE) {
        log_line("the session is killed: %s", why.msg);
        supervisor_kill(s);
    }
    json_decref(m);
}

/* Ask the session, and wait for its reply. NULL: it runs a cell, or does not answer in time. */
static json_t *ask(struct supervisor *s, const char *op, const char *code, size_t cursor)
{
    struct err e;
    if (!s->ready || s->running || s->stale > 0) {
        return NULL;
    }
    json_t *m = json_pack("{s:s, s:s, s:I}", "op", op, "code", code, "cursor", (json_int_t)cursor);
    enum err_code rc = m ? session_send(s->process.socket, m, &e) : ERR_MEMORY;
    json_decref(m);
    long long until = now_ms() + ANSWER_MS;
    while (rc == ERR_NONE && !s->reply && !s->input.eof && now_ms() < until) {
        struct pollfd p = { .fd = s->process.socket, .events = POLLIN };
        if (poll(&p, 1, (int)(until - now_ms())) > 0) {
            supervisor_read(s);
        }
    }
    json_t *reply = s->reply;
    s->reply = NULL;
    s->stale += !reply;
    return reply;
}

static json_t *complete(void *self, const char *code, size_t cursor)
{
    return ask(self, "complete", code, cursor);
}

static json_t *inspect(void *self, const char *code, size_t cursor)
{
    return ask(self, "inspect", code, cursor);
}

static void shut_down(void *self, bool restart)
{
    struct supervisor *s = self;
    (void)restart; /* the front end starts the next kernel */
    struct err e;
    int status = 0;
    if (s->process.pid > 0 && s->ready && !s->running) {
        json_t *m = json_pack("{s:s}", "op", "shutdown");
        if (m && session_send(s->process.socket, m, &e) == ERR_NONE) {
            (void)process_wait(&s->process, GOODBYE_MS, &status);
        }
        json_decref(m);
    }
    process_kill_all();
    supervisor_reset(s);
    s->running = false;
}

/* ---- the poll loop's side ---- */

static void list_fds(const struct supervisor *s, int fds[FD_COUNT])
{
    bool mute = s->hold || s->process.pid == 0;
    fds[FD_SOCKET] = mute || s->input.eof ? -1 : s->process.socket;
    fds[FD_OUT] = mute ? -1 : s->process.out;
    fds[FD_ERR] = mute ? -1 : s->process.err;
    fds[FD_TIMER] = s->timer;
    fds[FD_LOOK] = s->look;
    fds[FD_SIGNALS] = s->signals;
}

static size_t get_fds(void *self, int *fds, size_t max)
{
    int all[FD_COUNT];
    size_t n = 0;
    list_fds(self, all);
    for (size_t i = 0; i < FD_COUNT; i++) {
        if (all[i] >= 0 && n < max) {
            fds[n++] = all[i];
        }
    }
    return n;
}

static void dispatch(void *self)
{
    struct supervisor *s = self;
    struct pollfd p[FD_COUNT];
    int fds[FD_COUNT];
    list_fds(s, fds);
    for (int i = 0; i < FD_COUNT; i++) {
        p[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
    }
    if (poll(p, FD_COUNT, 0) <= 0) {
        return;
    }
    if (p[FD_SOCKET].revents) {
        supervisor_read(s);
    } else if (p[FD_OUT].revents || p[FD_ERR].revents) {
        supervisor_drain(s);
    }
    if (p[FD_TIMER].revents) {
        uint64_t times = 0;
        s->armed = read(s->timer, &times, sizeof times) < 0 && s->armed;
        capture_flush(&s->capture);
    }
    if (p[FD_LOOK].revents) {
        supervisor_look(s);
    }
    if (p[FD_SIGNALS].revents) {
        reap(s);
    }
    supervisor_arm_timer(s);
}

struct interpreter supervisor_interpreter(struct supervisor *s)
{
    return (struct interpreter){ .self = s,
                                 .settle = supervisor_settle,
                                 .execute = execute,
                                 .is_complete = is_complete,
                                 .interrupt = interrupt,
                                 .input = input,
                                 .complete = complete,
                                 .inspect = inspect,
                                 .shutdown = shut_down,
                                 .fds = get_fds,
                                 .dispatch = dispatch };
}

void supervisor_hold(struct supervisor *s, bool hold)
{
    s->hold = hold;
}

static void log_warnings(const struct supervisor *s)
{
    static const char mark[] = "weir: "; /* the log has its own */
    const char *line = s->warnings.data;
    for (const char *end; line && (end = strchr(line, '\n')); line = end + 1) {
        line += strncmp(line, mark, sizeof mark - 1) == 0 ? sizeof mark - 1 : 0;
        log_line("%.*s", (int)(end - line), line);
    }
}

static enum err_code open_shared(struct supervisor *s, struct err *e)
{
    int fd = memfd_create("weir-session", MFD_CLOEXEC);
    s->shared_fd = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, SESSION_SHARED_FD + 1); /* see process.c */
    if (fd >= 0) {
        (void)close(fd);
    }
    void *map = MAP_FAILED;
    if (s->shared_fd >= 0 && ftruncate(s->shared_fd, sizeof *s->shared) == 0) {
        map = mmap(NULL, sizeof *s->shared, PROT_READ | PROT_WRITE, MAP_SHARED, s->shared_fd, 0);
    }
    if (map == MAP_FAILED) {
        return err_errno(e, "cannot make memory to share with a session");
    }
    s->shared = map;
    s->shared->settings = settings_load(".", &s->warnings);
    log_warnings(s);
    return ERR_NONE;
}

static enum err_code open_all(struct supervisor *s, const char *program, struct err *e)
{
    sigset_t child;
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, NULL); /* cannot fail with these arguments */
    s->program = strdup(program);
    s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    s->look = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    s->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (!s->program) {
        return err_memory(e);
    }
    if (s->timer < 0 || s->look < 0 || s->signals < 0) {
        return err_errno(e, "cannot watch over a session");
    }
    enum err_code rc = open_shared(s, e);
    return rc ? rc : supervisor_respawn(s, e);
}

enum err_code supervisor_new(const struct supervisor_options *options, struct supervisor **out, struct err *e)
{
    struct supervisor *s = calloc(1, sizeof *s);
    if (!s) {
        return err_memory(e);
    }
    s->events = options->events;
    s->process = (struct process){ .socket = -1, .out = -1, .err = -1 };
    s->timer = s->look = s->signals = s->shared_fd = -1;
    session_input_init(&s->input);
    capture_init(&s->capture, supervisor_emit, s);
    output_init(&s->output, &s->capture);
    buf_init(&s->warnings, 0);
    enum err_code rc = open_all(s, options->program, e);
    if (rc != ERR_NONE) {
        supervisor_free(s);
        return rc;
    }
    *out = s;
    return ERR_NONE;
}

void supervisor_free(struct supervisor *s)
{
    if (!s) {
        return;
    }
    if (s->process.pid > 0) {
        shut_down(s, false);
    }
    session_input_done(&s->input);
    capture_done(&s->capture);
    output_done(&s->output);
    buf_done(&s->warnings);
    if (s->timer >= 0) {
        (void)close(s->timer);
    }
    if (s->look >= 0) {
        (void)close(s->look);
    }
    if (s->signals >= 0) {
        (void)close(s->signals);
    }
    if (s->shared) {
        (void)munmap(s->shared, sizeof *s->shared);
    }
    if (s->shared_fd >= 0) {
        (void)close(s->shared_fd);
    }
    json_decref(s->reply);
    json_decref(s->last_done);
    free(s->program);
    free(s);
}
