/* See runner.h. One thread, one loop: send what may run, wait for replies (or signals), take them in, and every 50 ms look
 * at what running tasks print, commit, tell progress.
 *
 * SIGINT and SIGTERM arrive by signalfd, SIGPIPE is held back (a reader of events may go): all three are blocked while the
 * run lasts and as before afterwards. */
#include "runtime/flow/run.h"

#include "runtime/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 50, QUIET_MS = 4 /* without news: what is recorded is committed */, ZYGOTES_MOST = 1024, REPLIES_AT_ONCE = 32 };

struct signals {
    int fd;
    sigset_t before, held;
};

double run_clock(void)
{
    return (double)clock_ns() * 1e-9;
}

int64_t run_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- signals ---- */

static enum err_code signals_hold(struct signals *s, struct err *e)
{
    sigset_t heard;
    (void)sigemptyset(&heard);
    (void)sigaddset(&heard, SIGINT);
    (void)sigaddset(&heard, SIGTERM);
    s->held = heard;
    (void)sigaddset(&s->held, SIGPIPE);
    s->fd = signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->fd < 0) {
        return err_errno(e, "listening for signals");
    }
    (void)pthread_sigmask(SIG_BLOCK, &s->held, &s->before);
    return ERR_NONE;
}

static void signals_release(struct signals *s)
{
    const struct timespec now = { 0 };
    if (s->fd < 0) {
        return;
    }
    if (!sigismember(&s->before, SIGPIPE)) { /* one of ours, not the caller's */
        sigset_t pipe;
        (void)sigemptyset(&pipe);
        (void)sigaddset(&pipe, SIGPIPE);
        (void)sigtimedwait(&pipe, NULL, &now);
    }
    (void)close(s->fd);
    (void)pthread_sigmask(SIG_SETMASK, &s->before, NULL);
    s->fd = -1;
}

/* ---- setting up ---- */

static unsigned cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) {
        return (unsigned)CPU_COUNT(&set);
    }
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

/* Bytes that any task's result may take: its table, and each output inline, twice if it is put again. */
static size_t slot_bytes(const struct weir_flow *flow)
{
    size_t most = flow->nartifacts;
    for (unsigned i = 0; i < flow->nsteps; i++) {
        most = flow->steps[i].nwrites > most ? flow->steps[i].nwrites : most;
    }
    return sizeof(struct record_result) + most * (sizeof(struct record_value) + 2 * (STORE_INLINE + 64)) + 64;
}

static enum err_code allocate(struct run *r, struct err *e)
{
    unsigned zygotes = r->pool.header->zygotes;
    unsigned n = r->flow->nsteps;
    r->nflights = zygotes * POOL_QUEUE;
    r->flights = calloc(r->nflights, sizeof *r->flights);
    r->free_flights = calloc(r->nflights, sizeof *r->free_flights);
    r->logs = calloc(zygotes, sizeof *r->logs);
    r->created = calloc(n, sizeof *r->created);
    r->done = calloc(n, sizeof *r->done);
    r->failed = calloc(n, sizeof *r->failed);
    r->root = lineage_new(NULL, 0);
    r->schedule = schedule_new(r->flow, &r->graph, &r->pool.shared);
    r->events = events_new(r->options->events_fd);
    if (!r->flights || !r->free_flights || !r->logs || !r->created || !r->done || !r->failed || !r->root || !r->schedule ||
        !r->events || !outcome_needs(r)) {
        return err_memory(e);
    }
    for (unsigned i = r->nflights; i-- > 0;) {
        r->free_flights[r->nfree++] = i;
    }
    return ERR_NONE;
}

static enum err_code open_store(struct run *r, struct err *e)
{
    char *path = NULL;
    enum err_code code = ERR_NONE;
    if (!r->options->store) {
        code = store_locate(".", &path, e);
    }
    code = code ? code : store_open(r->options->store ? r->options->store : path, true, &r->store, e);
    free(path);
    if (!code && strlen(store_path(r->store)) >= sizeof r->pool.header->store) {
        code = err_set(e, ERR_LIMIT, "the store's path is too long: '%.200s'", store_path(r->store));
    }
    return code;
}

/* Zygotes start while the database opens. */
static enum err_code open_pool(struct run *r, char *log_dir, size_t size, struct err *e)
{
    const struct run_options *o = r->options;
    unsigned zygotes = o->max_workers ? o->max_workers : cores();
    bool splits = false;
    const struct pool_options p = { .zygotes = zygotes < ZYGOTES_MOST ? zygotes : ZYGOTES_MOST,
                                    .slot_bytes = slot_bytes(r->flow), .zygote_path = o->zygote_path,
                                    .object = o->so_path ? o->so_path : "" };
    enum err_code code = pool_open(&r->pool, &p, e);
    if (code) {
        return code;
    }
    (void)snprintf(log_dir, size, "%s/tmp", store_path(r->store));
    (void)snprintf(r->pool.header->store, sizeof r->pool.header->store, "%s", store_path(r->store));
    r->pool.log_dir = log_dir;
    for (unsigned i = 0; i < r->flow->nsteps; i++) {
        splits = splits || r->flow->steps[i].nnext > 1 || r->flow->steps[i].foreach >= 0;
    }
    return pool_start(&r->pool, splits ? 2 : 1, e);
}

static enum err_code begin(struct run *r, struct err *e)
{
    enum err_code code = metadata_open(store_path(r->store), true, &r->metadata, e);
    code = code ? code : journal_begin(r, e);
    if (code) {
        return code;
    }
    memcpy(r->pool.header->run, r->name, sizeof r->name);
    events_run(r->events, r->flow, r->name, r->options->tier ? r->options->tier : "", store_path(r->store));
    code = given_inputs(r, e);
    if (code) {
        return code;
    }
    return r->flow->parameters ? dispatch_parameters(r, e) : outcome_start(r, e);
}

/* ---- the loop ---- */

/* Wait for something to hear, at most LOOK_MS, or QUIET_MS while something is not committed. *quiet: nothing came.
 * interrupted and dead tell what else did. */
static enum err_code wait_for(struct run *r, struct pollfd *fds, const struct signals *s, bool *quiet, bool *interrupted,
                              bool *dead, struct err *e)
{
    unsigned n = 2 + r->pool.started;
    fds[0] = (struct pollfd){ .fd = r->pool.replies[0], .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
    for (unsigned i = 0; i < r->pool.started; i++) {
        fds[2 + i] = (struct pollfd){ .fd = r->pool.zygotes[i].pidfd, .events = POLLIN };
    }
    int ready = poll(fds, n, r->batch ? QUIET_MS : LOOK_MS);
    *quiet = ready == 0;
    if (ready < 0 && errno != EINTR) {
        return err_errno(e, "waiting for tasks");
    }
    struct signalfd_siginfo info;
    *interrupted = (fds[1].revents & POLLIN) && read(s->fd, &info, sizeof info) == sizeof info;
    for (unsigned i = 0; i < r->pool.started; i++) {
        *dead = *dead || fds[2 + i].revents;
    }
    return ERR_NONE;
}

static enum err_code hear(struct run *r, struct err *e)
{
    struct record_reply replies[REPLIES_AT_ONCE];
    unsigned n;
    enum err_code code;
    do {
        code = pool_receive(&r->pool, replies, REPLIES_AT_ONCE, &n, e);
        for (unsigned i = 0; !code && i < n; i++) {
            code = outcome(r, &replies[i], e);
        }
    } while (!code && n == REPLIES_AT_ONCE);
    return code;
}

static enum err_code look(struct run *r, bool quiet, struct events_count *counts, struct err *e)
{
    double now = run_clock();
    enum err_code code = journal_tick(r, quiet, e);
    if (code || now - r->looked < LOOK_MS * 1e-3) {
        return code;
    }
    r->looked = now;
    code = logs_live(r, e);
    progress_counts(r, counts);
    events_progress(r->events, r->flow, counts, now - r->clock);
    events_flush(r->events);
    progress_line(r, false);
    return code;
}

/* Until all tasks have ended, one failed, or the user interrupts. */
static enum err_code loop(struct run *r, const struct signals *s, struct err *e)
{
    struct pollfd *fds = calloc(2 + r->pool.header->zygotes, sizeof *fds);
    struct events_count *counts = calloc(r->flow->nsteps, sizeof *counts);
    enum err_code code = fds && counts ? ERR_NONE : err_memory(e);
    while (!code) {
        bool quiet = false;
        bool interrupted = false;
        bool dead = false;
        code = r->failure.code ? ERR_NONE : dispatch(r, e);
        if (code || !r->pool.in_flight) {
            break;
        }
        code = wait_for(r, fds, s, &quiet, &interrupted, &dead, e);
        code = code ? code : hear(r, e);
        code = code || !dead ? code : pool_check(&r->pool, e);
        code = code ? code : look(r, quiet, counts, e);
        if (!code && interrupted) {
            code = err_set(e, ERR_INTERRUPTED, "the run was interrupted");
        }
    }
    if (!code && r->failure.code) {
        *e = r->failure;
        code = r->failure.code;
    }
    if (counts) {
        if (code) {
            pool_kill(&r->pool);
        }
        progress_counts(r, counts);
        events_progress(r->events, r->flow, counts, run_clock() - r->clock);
    }
    free(fds);
    free(counts);
    return code;
}

/* ---- the whole ---- */

static void end(struct run *r, struct run_result *out, enum err_code *code, struct err *e)
{
    static const char *const names[] = { "running", "done", "failed", "interrupted" };
    enum meta_status status = *code == ERR_INTERRUPTED ? META_INTERRUPTED : *code ? META_FAILED : META_DONE;
    struct err late;
    pool_kill(&r->pool);
    enum err_code recorded = *code && *code != r->failure.code ? outcome_interrupted(r, &late) : ERR_NONE;
    recorded = recorded ? recorded : journal_end(r, status, *code ? e->msg : "", &late);
    if (recorded && !*code) {
        *e = late;
        *code = recorded;
        status = META_FAILED;
    }
    double seconds = run_clock() - r->clock;
    events_end(r->events, r->name, names[status], seconds, r->tasks, *code ? e->msg : "");
    progress_line(r, true);
    *out = (struct run_result){ .status = status, .tasks = r->tasks, .seconds = seconds };
    memcpy(out->run, r->name, sizeof out->run);
}

static void release(struct run *r)
{
    for (unsigned i = 0; i < r->nflights && r->flights; i++) {
        if (r->flights[i].used) {
            dispatch_release(r, &r->flights[i]);
        }
    }
    schedule_free(r->schedule);
    lineage_drop(&r->pool.shared, r->root);
    events_free(r->events);
    pool_close(&r->pool);
    metadata_close(r->metadata);
    store_close(r->store);
    buf_done(&r->scratch[0]);
    buf_done(&r->scratch[1]);
    free(r->flights);
    free(r->free_flights);
    free(r->needed);
    free(r->inputs);
    free(r->logs);
    free(r->created);
    free(r->done);
    free(r->failed);
    arena_done(&r->arena);
}

enum err_code run_flow(const struct weir_flow *flow, const struct run_options *options, struct run_result *out, struct err *e)
{
    struct run r = { .flow = flow, .options = options, .started = run_now(), .clock = run_clock() };
    struct signals signals = { .fd = -1 };
    char log_dir[PATH_MAX + 8];
    struct err local;
    e = e ? e : &local;
    if (flow->abi != WEIR_ABI) {
        return err_set(e, ERR_FORMAT, "flow '%s' was compiled for another version of Weir", flow->name);
    }
    r.pool = (struct pool){ .shared = { .fd = -1 }, .commands = { -1, -1 }, .replies = { -1, -1 } };
    arena_init(&r.arena);
    buf_init(&r.scratch[0], 0);
    buf_init(&r.scratch[1], 0);
    enum err_code code = given_check(flow, options, e);
    code = code ? code : flow_graph(flow, &r.arena, &r.graph, e);
    code = code ? code : signals_hold(&signals, e);
    code = code ? code : open_store(&r, e);
    code = code ? code : open_pool(&r, log_dir, sizeof log_dir, e);
    code = code ? code : allocate(&r, e);
    code = code ? code : begin(&r, e);
    code = code ? code : loop(&r, &signals, e);
    if (r.id) {
        end(&r, out, &code, e);
    }
    release(&r);
    signals_release(&signals);
    return code;
}
