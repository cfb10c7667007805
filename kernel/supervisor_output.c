/* What a session prints: out of its pipes in order, out of its stdout in time, and on to whoever shows it. See
 * supervisor_state.h.
 *
 *   session's stdout --(written out when it is full, when the cell waits or ends, or when we ask)--> pipe
 *   pipes -> supervisor_drain -> output (the limit of a cell) -> capture (gathers) -> stream messages */
#include "kernel/supervisor_state.h"

#include "runtime/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_CHUNK = 64 << 10,
    DRAIN_MAX = 2 << 20, /* bytes in one go: what the pipes can hold */
    LOOK_MS = 8,         /* between looks at what stdout holds */
    LOOK_PATIENCE = 100  /* looks until a signal that was not answered counts as lost */
};

/* ---- the pipes ---- */

static size_t available(int fd)
{
    int n = 0;
    return fd >= 0 && ioctl(fd, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
}

/* Read at most `most` bytes that a pipe holds now; how many there were. */
static size_t drain(struct supervisor *s, int fd, enum capture_stream stream, size_t most)
{
    char chunk[READ_CHUNK];
    size_t total = 0;
    while (fd >= 0 && total < most) {
        size_t size = most - total < sizeof chunk ? most - total : sizeof chunk;
        ssize_t n = read(fd, chunk, size);
        if (n > 0) {
            supervisor_text(s, stream, chunk, (size_t)n);
            total += (size_t)n;
        }
        if (n == 0 || (n < 0 && errno != EINTR) || (n > 0 && (size_t)n < size)) {
            break; /* a pipe gives all that it has; an end is seen elsewhere */
        }
    }
    return total;
}

/* Nobody can write to an empty pipe any more: it becomes -1. */
static void close_if_over(int *fd)
{
    struct pollfd p = { .fd = *fd };
    if (*fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & POLLHUP) && available(*fd) == 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

/* Before the session writes to stderr it waits until we have read what it had written to stdout (session_stdio.c). So what
 * stderr's pipe holds is older than what stdout's pipe holds; and what stdout's holds while stderr's is empty is older
 * than whatever comes to stderr later. */
void supervisor_drain(struct supervisor *s)
{
    for (size_t total = 0; total < DRAIN_MAX;) {
        total += drain(s, s->process.err, CAPTURE_STDERR, DRAIN_MAX - total);
        size_t out = available(s->process.out);
        if (available(s->process.err) > 0) {
            continue;
        }
        if (out == 0) {
            close_if_over(&s->process.out);
            close_if_over(&s->process.err);
            return;
        }
        /* Counted before it leaves the pipe: whoever adds the count to what the pipe holds must not get too little. */
        (void)atomic_fetch_add(&s->shared->stdout_read, out);
        total += drain(s, s->process.out, CAPTURE_STDOUT, out);
    }
}

/* ---- text that is still in the session's stdout ---- */

void supervisor_look_for_output(struct supervisor *s)
{
    bool wanted = s->process.pid > 0 && s->ready && (s->running || s->threads);
    if (wanted != s->looking) {
        struct timespec period = { .tv_nsec = wanted ? LOOK_MS * 1000000L : 0 };
        struct itimerspec t = { .it_interval = period, .it_value = period };
        (void)timerfd_settime(s->look, 0, &t, NULL); /* the times are sound */
        s->looking = wanted;
        s->unanswered = 0;
    }
}

static bool peek(const struct supervisor *s, uint64_t address, void *to, size_t size)
{
    struct iovec here = { to, size }, there = { (void *)(uintptr_t)address, size };
    return process_vm_readv(s->process.pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

/* Whether stdout holds text; also if we may not look. */
static bool holds_text(const struct supervisor *s)
{
    FILE file;
    struct {
        uint64_t read[3], write_base, write_end;
    } wide; /* how libc's struct of wide characters begins */
    if (!peek(s, s->shared->stdout_file, &file, sizeof file)) {
        return s->shared->stdout_file != 0;
    }
    if (file._mode > 0 && peek(s, (uintptr_t)file._wide_data, &wide, sizeof wide) && wide.write_end > wide.write_base) {
        return true;
    }
    return file._IO_write_ptr > file._IO_write_base;
}

/* What a cell has printed may lie in the session's stdout while the cell waits for something, or a thread prints on after
 * the cell's end. The session is asked to write it out by a signal; never without need, since a signal ends user code's
 * poll() or nanosleep(), and not again before it was answered, since user code may block it. */
void supervisor_look(struct supervisor *s)
{
    uint64_t times = 0;
    (void)!read(s->look, &times, sizeof times); /* only to empty it */
    supervisor_look_for_output(s);
    if (!s->looking || !holds_text(s)) {
        return;
    }
    uint32_t flushes = atomic_load(&s->shared->flushes);
    if (s->unanswered > 0 && flushes == s->flushes && s->unanswered++ < LOOK_PATIENCE) {
        return;
    }
    s->flushes = flushes;
    s->unanswered = 1;
    (void)tgkill(s->process.pid, s->process.pid, session_flush_signal()); /* already dead: SIGCHLD tells */
}

/* ---- passing on ---- */

void supervisor_text(struct supervisor *s, enum capture_stream stream, const char *text, size_t len)
{
    if (!(s->running && s->silent)) {
        output_text(&s->output, stream, text, len);
    }
}

static long long now_us(void)
{
    return clock_ns() / 1000;
}

void supervisor_emit(void *ctx, const char *name, const char *text, size_t len)
{
    struct supervisor *s = ctx;
    s->emitted_us = now_us();
    s->events.stream(s->events.ctx, name, text, len);
}

/* The first text after a while is passed on soon, the next together with what comes in the meantime; an unfinished line
 * later, since the message may follow that makes it a prompt. */
void supervisor_arm_timer(struct supervisor *s)
{
    if (s->armed || !capture_pending(&s->capture)) {
        return;
    }
    long long wait = s->emitted_us + CAPTURE_DELAY_MS * 1000LL - now_us();
    long long least = (capture_in_line(&s->capture) ? CAPTURE_DELAY_MS : CAPTURE_SOON_MS) * 1000LL;
    wait = wait < least ? least : wait;
    struct itimerspec t = { .it_value = { .tv_nsec = (long)wait * 1000 } };
    s->armed = timerfd_settime(s->timer, 0, &t, NULL) == 0;
    if (!s->armed) {
        capture_flush(&s->capture);
    }
}

void supervisor_settle(void *self)
{
    struct supervisor *s = self;
    if (!s->hold) {
        supervisor_drain(s);
    }
    capture_flush(&s->capture);
}
