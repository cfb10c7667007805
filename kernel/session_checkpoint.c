/* Sleeping copies of the session: each is the session as it was when a cell had ended, ready to go on from there.
 *
 *   session:   ... cell ends -- fork --- done -> next cell ... crash
 *   copy:                         \--- sleeps ----------------------- woken by the kernel: it is the session now
 *
 * The copy is a child of the kernel, not of the session: the user's wait() must not find it.
 *
 * What a copy can't hold: threads, and what other processes see. It closes its ends of pipes and sockets, since a reader
 * elsewhere waits for the last writer to close; files stay open, and their offsets are set back when it wakes. */
#include "kernel/session.h"

#include "kernel/ending.h"
#include "kernel/session_protocol.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FIRST_USERS_FD = SESSION_SHARED_FD + 1,
    PLENTY = 256 << 20,    /* bytes below which a copy is not asked whether it fits */
    CLOSED_SHOWN = 4,
    STDOUT_MOST = 1 << 24  /* bytes; with more, its pointers are taken for damaged */
};

/* ---- whether there is room ---- */

/* The beginning of a file of /proc or /sys; false: it can't be read. */
static bool read_start(const char *path, char *to, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, to, size - 1);
    to[n < 0 ? 0 : n] = '\0';
    if (fd >= 0) {
        (void)close(fd);
    }
    return n > 0;
}

/* The number behind a name in such a file; -1: there is none. */
static int64_t number_in(const char *path, const char *name)
{
    char text[2048], *end = NULL;
    const char *at = read_start(path, text, sizeof text) ? strstr(text, name) : NULL;
    long long n = at ? strtoll(at + strlen(name), &end, 10) : -1;
    return at && end == at + strlen(name) ? -1 : n;
}

/* Bytes that are ours alone, or shared only with our copies; while they are few, the most there ever were. */
static int64_t own_memory(void)
{
    char text[128], *at = text;
    struct rusage use;
    if (getrusage(RUSAGE_SELF, &use) == 0 && use.ru_maxrss * 1024 < PLENTY) {
        return use.ru_maxrss * 1024;
    }
    if (!read_start("/proc/self/statm", text, sizeof text)) {
        return 0;
    }
    (void)strtoll(at, &at, 10); /* total */
    long long resident = strtoll(at, &at, 10), shared = strtoll(at, &at, 10);
    return (resident - shared) * (int64_t)sysconf(_SC_PAGESIZE);
}

/* Bytes that the system could still give us, within the limits of a container. */
static int64_t free_memory(void)
{
    int64_t kib = number_in("/proc/meminfo", "MemAvailable:");
    int64_t available = kib < 0 ? INT64_MAX : kib * 1024;
    int64_t most = number_in("/sys/fs/cgroup/memory.max", "");
    int64_t used = number_in("/sys/fs/cgroup/memory.current", "");
    return most >= 0 && used >= 0 && most - used < available ? most - used : available;
}

/* There will be no copy: say so, once. why: the whole reason, with what to do. */
static void say_no_copy(struct session *s, const char *why)
{
    if (!s->told_room) {
        char text[512];
        (void)snprintf(text, sizeof text, "weir: %s. Until there is a copy again, a cell that crashes keeps what it has changed, and "
                       "%%undo is off.\n", why);
        session_say_stream(s, "stderr", text, strlen(text));
    }
    s->told_room = true;
}

static bool room_for_copy(struct session *s, int64_t memory)
{
    int64_t mode = s->shared->settings.checkpoint;
    int64_t available = mode == CHECKPOINT_AUTO && memory > PLENTY ? free_memory() : INT64_MAX;
    if (mode == CHECKPOINT_OFF || memory < available) {
        return mode != CHECKPOINT_OFF;
    }
    char why[256];
    (void)snprintf(why, sizeof why, "the session holds %.1f GB, too much for a copy of it in the %.1f GB that are free; "
                   "%%config checkpoint = on makes one in any case", (double)memory / 1e9, (double)available / 1e9);
    say_no_copy(s, why);
    return false;
}

/* ---- descriptors ---- */

typedef void fd_visitor(struct session *s, int fd, const struct stat *st);

static void visit_fd(struct session *s, int fd, fd_visitor *visit)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && !session_stdio_is_pipe(&st)) {
        visit(s, fd, &st);
    }
}

/* Each open descriptor, as the system lists them. */
static void list_fds(struct session *s, fd_visitor *visit)
{
    _Alignas(struct dirent64) char entries[4096];
    int fds = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (ssize_t n; fds >= 0 && (n = getdents64(fds, entries, sizeof entries)) > 0;) {
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *d = (const struct dirent64 *)(entries + at);
            int fd = (int)strtol(d->d_name, NULL, 10); /* of "." and "..": 0 */
            if (fd >= FIRST_USERS_FD && fd != fds) {
                visit_fd(s, fd, visit);
            }
            at += d->d_reclen;
        }
    }
    if (fds >= 0) {
        (void)close(fds);
    }
}

/* Each of the user's descriptors. Without malloc: the session would have its pages copied for it, and it may be dying. They are numbered from
 * below, so one poll, which tells what is open, finds them all but in a session that has very many. */
static void each_fd(struct session *s, fd_visitor *visit)
{
    struct pollfd p[SESSION_FDS_END - FIRST_USERS_FD];
    nfds_t n = sizeof p / sizeof *p;
    for (nfds_t i = 0; i < n; i++) {
        p[i] = (struct pollfd){ .fd = FIRST_USERS_FD + (int)i };
    }
    if (poll(p, n, 0) < 0 || !(p[n - 1].revents & POLLNVAL)) {
        list_fds(s, visit);
        return;
    }
    for (nfds_t i = 0; i < n; i++) {
        if (!(p[i].revents & POLLNVAL)) {
            visit_fd(s, p[i].fd, visit);
        }
    }
}

static bool is_connection(const struct stat *st)
{
    return S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode);
}

/* Where files are read or written next: before the fork, since the copy shares the offsets with the session, which goes on
 * at once. */
static void note_descriptor(struct session *s, int fd, const struct stat *st)
{
    struct copy *c = &s->copy;
    c->connected = c->connected || is_connection(st);
    if (S_ISREG(st->st_mode) && c->noffsets < COPY_OFFSETS) {
        c->offsets[c->noffsets++] = (struct copy_offset){ .fd = fd, .at = lseek(fd, 0, SEEK_CUR) };
    }
}

/* In the copy. */
static void close_connection(struct session *s, int fd, const struct stat *st)
{
    struct copy *c = &s->copy;
    if (is_connection(st)) {
        (void)close(fd);
        c->closed[c->nclosed < CLOSED_SHOWN ? c->nclosed : CLOSED_SHOWN - 1] = fd;
        c->nclosed++;
    }
}

static void restore_offsets(const struct session *s)
{
    for (size_t i = 0; i < s->copy.noffsets; i++) {
        (void)lseek(s->copy.offsets[i].fd, s->copy.offsets[i].at, SEEK_SET); /* the file may have been cut since */
    }
}

/* ---- the copy ---- */

/* Until the kernel wakes us. It is our parent, once a helper that forked us has ended, and we end with it. */
static void sleep_until_woken(struct session *s)
{
    sigset_t wake;
    while (getppid() != s->kernel && getppid() > 1 && kill(s->kernel, 0) == 0) {
        (void)sched_yield();
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != s->kernel) {
        _exit(0);
    }
    if (s->copy.connected) {
        each_fd(s, close_connection);
    }
    (void)sigemptyset(&wake);
    (void)sigaddset(&wake, session_wake_signal());
    while (sigwaitinfo(&wake, NULL) < 0) {
    }
}

/* Messages that the dead session was still to read. */
static void drop_messages(int fd)
{
    char bytes[4096];
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
}

/* While we have one thread: a fork whose child is the kernel's, by one system call. What libc's fork does besides is for
 * threads' locks, but for two things: the thread's own number, and its list of robust mutexes. 0: we are the child; -1. */
static pid_t clone_sibling(void)
{
    int *tid = NULL;
    void *robust = NULL;
    size_t robust_size = 0;
    if (prctl(PR_GET_TID_ADDRESS, &tid) != 0 || syscall(SYS_get_robust_list, 0, &robust, &robust_size) != 0) {
        return -1;
    }
    long pid = syscall(SYS_clone, CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, 0, NULL, tid, 0);
    if (pid == 0) {
        (void)syscall(SYS_set_robust_list, robust, robust_size);
    }
    return (pid_t)pid;
}

/* With threads: libc's fork, with all that libraries have registered for one, called by a helper that then ends, so that the
 * kernel adopts the child. The helper is made by vfork: it shares our memory and costs little. 0: we are the child; -1. */
static pid_t fork_adopted(void)
{
    volatile pid_t child = -1;
    pid_t helper = vfork();
    if (helper == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            return 0;
        }
        child = pid;
        _exit(0);
    }
    if (helper > 0) {
        (void)waitpid(helper, NULL, 0); /* taken by a thread of the user's, or ignored: it has ended all the same */
    }
    return child;
}

/* Fork a copy. True: we are the copy, and have been woken. *pid in the session: of the copy; -1: there is none, and errno
 * says why. */
static bool fork_copy(struct session *s, pid_t *pid)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before); /* no handler may run in a process that shares our memory */
    each_fd(s, note_descriptor);
    pid_t child = s->copy.threads == 0 ? clone_sibling() : -1;
    child = child < 0 ? fork_adopted() : child;
    if (child == 0) {
        (void)setpgid(0, 0); /* what is sent to the session's group must not meet it */
        sleep_until_woken(s);
        (void)signal(SIGINT, SIG_IGN); /* drops one that has met it before */
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return true;
    }
    *pid = child;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return false;
}

/* What a process doesn't inherit from the one that it was forked from. */
static void become_session(struct session *s)
{
    s->pid = getpid();
    drop_messages(s->fd);
    restore_offsets(s);
    session_guard_renew(s);
}

static json_t *copy_report(struct session *s, const char *op, pid_t pid, int64_t memory)
{
    s->copied = pid != 0;
    return json_pack("{s:s, s:I, s:i, s:I, s:i, s:b}", "op", op, "checkpoint", (json_int_t)pid, "count", s->count,
                     "memory", (json_int_t)memory, "threads", s->copy.threads, "changed", 1);
}

/* ---- waking ---- */

/* What a copy finds when it is woken. */
struct waking {
    struct takeover takeover;
    struct last_words words;
    struct copy copy; /* what it has not */
};

static void say_copy_losses(const struct copy *c, struct buf *b)
{
    if (c->threads > 0) {
        buf_printf(b, "%d thread%s that ran before the cell %s ended.\n", c->threads, c->threads == 1 ? "" : "s",
                   c->threads == 1 ? "has" : "have");
    }
    if (c->nclosed > 0) {
        buf_str(b, "Pipes and sockets from before the cell are closed: descriptor");
        buf_str(b, c->nclosed == 1 ? " " : "s ");
        for (size_t i = 0; i < c->nclosed && i < CLOSED_SHOWN; i++) {
            buf_printf(b, "%s%d", i ? ", " : "", c->closed[i]);
        }
        buf_str(b, c->nclosed > CLOSED_SHOWN ? " and more.\n" : ".\n");
    }
}

/* What a copy can't bring back, a line each; empty: nothing is missing. */
static void say_losses(const struct waking *k, struct buf *b)
{
    const struct takeover *t = &k->takeover;
    const struct last_words *w = &k->words;
    say_copy_losses(&k->copy, b);
    if (t->ended > 0) {
        buf_printf(b, "%d process%s that the cell had started %s ended.\n", t->ended, t->ended == 1 ? "" : "es",
                   t->ended == 1 ? "was" : "were");
    }
    if (w->said == 1 && w->files > 0) {
        buf_printf(b, "What the cell wrote to files stays written (%.*s%s).\n", WORDS_FILE - 1, w->file,
                   w->files > 1 ? " and others" : "");
    }
    if (!t->current) {
        buf_str(b, "The latest copy of the session was lost too: what the cells after it did is gone.\n");
    }
}

static void end_crashed_cell(struct session *s, const struct waking *k)
{
    const struct takeover *t = &k->takeover;
    const struct last_words *w = &k->words;
    struct buf losses;
    buf_init(&losses, 0);
    session_learn_code(s);
    say_losses(k, &losses);
    if (t->killed || w->said != 1) {
        session_explain_death(s, t->status, t->killed, &s->failure);
    } else {
        session_explain(s, &w->outcome, &s->failure);
    }
    session_explain_rollback(&s->failure, losses.data);
    session_forget_code(s);
    session_say_failure(s);
    session_say(s, json_pack("{s:s, s:b, s:[], s:{}}", "op", "done", "ok", 0, "payload", "user_expressions"));
    buf_done(&losses);
}

static void end_undo(struct session *s, const struct waking *k)
{
    const struct takeover *t = &k->takeover;
    struct buf b;
    int n = t->nundone < 0 ? 0 : t->nundone > UNDO_MAX ? UNDO_MAX : t->nundone;
    buf_init(&b, 0);
    buf_str(&b, "Undone:");
    for (int i = 0; i < n; i++) {
        buf_printf(&b, "%s cell [%d]", i ? "," : "", t->undone[i]);
    }
    buf_str(&b, ". Files are as they were left.\n");
    say_copy_losses(&k->copy, &b);
    session_say_stream(s, "stdout", b.data ? b.data : "", b.len);
    session_say(s, json_pack("{s:s, s:b, s:[], s:{}}", "op", "done", "ok", 1, "payload", "user_expressions"));
    buf_done(&b);
}

/* The note for the next cell: a thread of the user's has crashed, or somebody killed the session. New string; NULL: out of
 * memory. */
static json_t *idle_note(struct session *s, const struct waking *k)
{
    struct buf b;
    char how[128];
    buf_init(&b, 0);
    ending_describe(k->takeover.status, how, sizeof how);
    if (k->words.said == 1) {
        size_t i;
        json_t *line;
        session_explain(s, &k->words.outcome, &s->failure);
        buf_printf(&b, "weir: after cell [%d] a thread crashed, and the session with it; its state is back.\n", s->count);
        json_array_foreach(s->failure.traceback, i, line)
        {
            buf_printf(&b, "  %s\n", json_string_value(line));
        }
        session_failure_done(&s->failure);
    } else {
        buf_printf(&b, "weir: after cell [%d] the session %s; its state is back.\n", s->count, how);
    }
    say_losses(k, &b);
    json_t *note = json_stringn(b.data, b.len);
    buf_done(&b);
    return note;
}

/* We were a copy, and the session is dead: we are the session now. */
static void go_on(struct session *s)
{
    struct waking k;
    pid_t pid = 0;
    do { /* a copy that is forked here starts here, when it is woken */
        k = (struct waking){ .takeover = s->shared->takeover, .words = s->shared->words, .copy = s->copy };
        k.words.file[WORDS_FILE - 1] = '\0';
        s->shared->words.said = 0; /* if we should die of them, the next copy won't */
        become_session(s);
        s->copy = (struct copy){ .threads = 0 };
    } while (fork_copy(s, &pid));
    json_t *ready = copy_report(s, "ready", pid > 0 ? pid : 0, own_memory());
    if (k.takeover.kind == TAKEOVER_IDLE) {
        (void)json_object_set_new(ready, "note", idle_note(s, &k));
    }
    session_say(s, ready);
    if (k.takeover.kind == TAKEOVER_CELL) {
        end_crashed_cell(s, &k);
    } else if (k.takeover.kind == TAKEOVER_UNDO) {
        end_undo(s, &k);
    }
}

json_t *session_checkpoint(struct session *s, const char *op)
{
    pid_t pid = 0;
    int64_t memory = own_memory();
    s->copy = (struct copy){ .threads = session_user_threads() };
    (void)fflush(stdout); /* or the copy would print it again */
    if (s->kernel > 0 && room_for_copy(s, memory)) {
        if (fork_copy(s, &pid)) {
            go_on(s);
            return NULL;
        }
        if (pid > 0) {
            s->told_room = false;
        } else {
            char why[128];
            (void)snprintf(why, sizeof why, "no copy of the session could be made: %s", strerror(errno));
            say_no_copy(s, why);
            pid = 0;
        }
    }
    return copy_report(s, op, pid, memory);
}

/* ---- dying ---- */

bool session_has_checkpoint(const struct session *s)
{
    return s->copied && s->shared->copies == 1;
}

/* What stdout holds, without its lock: nobody else goes on. */
static void write_out(void)
{
    const char *from = stdout->_IO_write_base;
    size_t len = (size_t)(stdout->_IO_write_ptr - from);
    if (stdout->_IO_write_ptr <= from || len > STDOUT_MOST) {
        return;
    }
    while (len > 0) {
        ssize_t n = write(stdout->_fileno, from, len);
        if (n <= 0) {
            return;
        }
        from += n;
        len -= (size_t)n;
    }
}

/* A file that is open for writing, and is not memory. */
static void note_written(struct session *s, int fd, const struct stat *st)
{
    struct last_words *w = &s->shared->words;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || !S_ISREG(st->st_mode) || !st->st_nlink || w->files++ > 0) {
        return;
    }
    char link[32] = "/proc/self/fd/", digits[12];
    size_t at = strlen(link), n = 0;
    for (int rest = fd; rest > 0; rest /= 10) {
        digits[n++] = (char)('0' + rest % 10);
    }
    while (n > 0) {
        link[at++] = digits[--n];
    }
    ssize_t len = readlink(link, w->file, WORDS_FILE - 1);
    w->file[len < 0 ? 0 : len] = '\0';
}

_Noreturn void session_die(struct session *s, const struct outcome *o)
{
    struct last_words *w = &s->shared->words;
    w->outcome = *o;
    w->files = 0;
    w->file[0] = '\0';
    each_fd(s, note_written);
    w->said = 1;
    write_out();
    (void)kill(s->pid, SIGKILL); /* all threads, and no handler of the user's */
    for (;;) {
        (void)pause();
    }
}
