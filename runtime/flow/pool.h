/* A run's zygotes, seen from the runner: started as they are needed, told which tasks to run, heard, stopped.
 *
 * Owns the shared memory, the two pipes, the zygotes' log files. One thread. */
#ifndef WEIR_FLOW_POOL_H
#define WEIR_FLOW_POOL_H

#include "runtime/flow/record.h"

#include <stdbool.h>

enum { POOL_QUEUE = 16 };           /* tasks in the command pipe and running, a zygote: bridges the runner's commits */

struct pool_zygote {
    pid_t pid;                      /* 0: not started */
    int pidfd;                      /* readable once it is dead */
    int out, err;                   /* its log files */
    struct record_area *area;
};

struct pool {
    struct arena_shared shared;
    struct record_header *header;
    struct pool_zygote *zygotes;    /* header->zygotes places */
    unsigned started;
    unsigned in_flight;             /* sent and not answered */
    int commands[2], replies[2];
    const char *zygote_path, *object; /* borrowed */
    const char *log_dir;            /* borrowed: where unlinked log files are made; NULL: in memory. Set before pool_start */
};

struct pool_options {
    unsigned zygotes;               /* at most */
    size_t slot_bytes;              /* what a task's result needs at most */
    const char *zygote_path;        /* NULL: this executable */
    const char *object;             /* "": linked in */
};

/* Make the shared memory and pipes; start nothing. Free with pool_close. The store's path and the
 * run's id are to be put into the header before the first task. */
enum err_code pool_open(struct pool *p, const struct pool_options *o, struct err *e);

/* Start zygotes until n run (at most o->zygotes). */
enum err_code pool_start(struct pool *p, unsigned n, struct err *e);

/* Tasks that may be sent now without blocking. */
unsigned pool_room(const struct pool *p);

/* Send n <= pool_room() offsets of records. */
enum err_code pool_send(struct pool *p, const uint64_t *records, unsigned n, struct err *e);

/* Replies that are there, at most max; 0: none yet. */
enum err_code pool_receive(struct pool *p, struct record_reply *out, unsigned max, unsigned *n, struct err *e);

/* A reply's result; NULL if it makes no sense. */
struct record_result *pool_result(const struct pool *p, const struct record_reply *reply);

/* ERR_TASK, saying why, if a zygote has died. */
enum err_code pool_check(struct pool *p, struct err *e);

/* Queued tasks are answered as skipped from now on. */
void pool_skip(struct pool *p);

/* Kill all that runs, tasks and zygotes; nothing is answered any more. */
void pool_kill(struct pool *p);

/* End the zygotes (killing what runs), free everything. */
void pool_close(struct pool *p);

#endif
