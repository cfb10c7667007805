/* See zygote.h.
 *
 *   read 8 bytes (which task)  ->  fork  ->  wait  ->  kill what the task left behind  ->  one write (record_reply)
 *
 * Measured on 2 cores, 10,000 tasks that keep 144 bytes and print a line: 129 us each, of which fork, exit and wait of an empty
 * program are 65. A child forked ahead that sleeps until its task comes: 149; zygotes bound to a core each: 130.
 *
 * All zygotes read the same command pipe, so that no task waits behind a long one. Descriptors 1 and 2 are this
 * zygote's two log files, opened for appending: a task's output is what was added while it ran. */
#include "runtime/flow/zygote.h"

#include "runtime/base/sha256.h"
#include "runtime/flow/flow_object.h"
#include "runtime/flow/runner.h"
#include "runtime/flow/task.h"

#include <dlfcn.h> /* RTLD_NOW */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct zygote {
    struct arena_shared shared;
    struct record_header *header;
    struct record_area *area;
    struct task_env env;
    uint32_t number;
    uint32_t slot;                /* the next one to use */
    int commands, replies;
    bool hashes;                  /* tasks keep large values */
    uint64_t out_end, err_end;    /* of the log files, after the last task */
};

static int64_t now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t end_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static enum err_code attach(struct zygote *z, char **argv, struct err *e)
{
    int fd = (int)strtol(argv[ZYGOTE_ARG_SHARED], NULL, 10);
    z->commands = (int)strtol(argv[ZYGOTE_ARG_COMMANDS], NULL, 10);
    z->replies = (int)strtol(argv[ZYGOTE_ARG_REPLIES], NULL, 10);
    z->number = (uint32_t)strtoul(argv[ZYGOTE_ARG_NUMBER], NULL, 10);
    struct record_header header;
    const int fds[] = { fd, z->commands, z->replies };
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        (void)fcntl(fds[i], F_SETFD, FD_CLOEXEC); /* nothing for programs that a task starts */
    }
    if (pread(fd, &header, sizeof header, 0) != sizeof header || header.magic != RECORD_MAGIC || header.abi != WEIR_ABI ||
        z->number >= header.zygotes) {
        return err_set(e, ERR_FORMAT, "the runner and its zygote are of different versions");
    }
    uint64_t from = header.areas + z->number * header.area_bytes;
    enum err_code code = arena_shared_attach(&z->shared, fd, from, header.area_bytes, e);
    if (!code) {
        z->header = arena_shared_at(&z->shared, 0, sizeof header);
        z->area = arena_shared_at(&z->shared, from, header.area_bytes);
    }
    return code;
}

static enum err_code load(struct zygote *z, char **argv, const struct weir_flow *flow, struct err *e)
{
    const char *object = argv[ZYGOTE_ARG_OBJECT];
    if (object[0]) {
        struct flow_object o;
        if (flow_object_open(&o, object, RTLD_NOW | RTLD_GLOBAL, e)) {
            return err_context(e, "loading the flow");
        }
        flow = o.flow;
    }
    if (!flow) {
        return err_set(e, ERR_FORMAT, "this program holds no flow");
    }
    if (flow->abi != WEIR_ABI) {
        return err_set(e, ERR_FORMAT, "the flow was compiled for another version of Weir");
    }
    z->env = (struct task_env){ .flow = flow, .shared = &z->shared, .header = z->header, .stack_top = (uintptr_t)argv };
    return task_prepare(&z->env, e);
}

/* Once a task has hashed a file of its own, have the algorithm ready for those after it: looking it up costs a task 0.4 ms,
 * and the memory it takes costs every fork. */
static void learn(struct zygote *z, const struct record_result *result, unsigned writes)
{
    struct err e;
    for (unsigned i = 0; !z->hashes && i < writes && i < result->noutputs; i++) {
        if (result->outputs[i].is_file) {
            z->hashes = true;
            (void)sha256_prepare(&e); /* a task that can't hash says so itself */
        }
    }
}

static void run_one(struct zygote *z, uint64_t offset, struct record_reply *reply)
{
    const struct record_task *record = arena_shared_at(&z->shared, offset, sizeof *record);
    struct record_result *result = (struct record_result *)((char *)z->area + RECORD_AREA + z->slot * z->header->slot_bytes);
    unsigned writes = record->step == RECORD_NONE ? z->env.flow->nartifacts : z->env.flow->steps[record->step].nwrites;
    *reply = (struct record_reply){ .task = offset, .zygote = z->number, .slot = z->slot, .started = now(),
                                    .out_start = z->out_end, .err_start = z->err_end };
    result->state = RECORD_EMPTY;
    result->noutputs = result->npcs = result->has_split = 0;
    result->line = result->sig = 0;
    result->split = 0;
    result->cell[0] = result->reason[0] = '\0';
    result->used = sizeof *result + writes * sizeof result->outputs[0];
    z->slot = (z->slot + 1) % z->header->slots;
    z->area->out_start = z->out_end;
    z->area->err_start = z->err_end;
    z->area->started = reply->started;
    atomic_store(&z->area->task, offset);

    pid_t pid = fork();
    if (pid == 0) {
        task_run(&z->env, record, result);
    }
    if (pid < 0) {
        reply->kind = RECORD_NOT_FORKED;
        reply->status = errno;
    } else {
        atomic_store(&z->area->pid, pid);
        while (waitpid(pid, &reply->status, 0) < 0 && errno == EINTR) {
        }
        (void)kill(-pid, SIGKILL); /* processes that the task started and left: its group. Mostly there are none */
    }
    atomic_store(&z->area->pid, 0);
    atomic_store(&z->area->task, 0);
    learn(z, result, writes);
    reply->finished = now();
    reply->out_end = z->out_end = end_of(STDOUT_FILENO);
    reply->err_end = z->err_end = end_of(STDERR_FILENO);
}

static int serve(struct zygote *z)
{
    for (;;) {
        uint64_t offset;
        ssize_t n = read(z->commands, &offset, sizeof offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n != sizeof offset) {
            return n == 0 ? 0 : 1; /* the runner closed the pipe */
        }
        struct record_reply reply = { .task = offset, .zygote = z->number, .kind = RECORD_SKIPPED };
        if (!atomic_load(&z->header->stop)) {
            run_one(z, offset, &reply);
        }
        if (write(z->replies, &reply, sizeof reply) != sizeof reply) {
            return 1; /* the runner is gone */
        }
    }
}

int zygote_serve(int argc, char **argv, const struct weir_flow *flow)
{
    struct zygote z = { 0 };
    struct err e = { 0 };
    if (argc != ZYGOTE_ARGS) {
        return 2;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != (pid_t)strtol(argv[ZYGOTE_ARG_PARENT], NULL, 10)) {
        return 1; /* the runner died before that */
    }
    (void)unsetenv("LD_BIND_NOW"); /* meant for this process only */
    if (attach(&z, argv, &e)) {
        return 1;
    }
    if (load(&z, argv, flow, &e)) {
        (void)snprintf(z.area->error, sizeof z.area->error, "%s", e.msg);
        return 1;
    }
    return serve(&z);
}

void zygote_main_if_asked(int argc, char **argv, const struct weir_flow *flow)
{
    if (argc == ZYGOTE_ARGS && strcmp(argv[ZYGOTE_ARG_MARK], ZYGOTE_ARGUMENT) == 0) {
        _exit(zygote_serve(argc, argv, flow));
    }
}
