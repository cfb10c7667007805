/* Run a flow: graph, metadata, store, zygotes, events. The same for a notebook, `weir run` and an exported program.
 *
 *   runner (this) --- 8-byte task references ---> zygote (one a core) -- fork --> task
 *      |  shared arena: task records, small artifacts, results  |  one pipe write back per task
 *      `- metadata in batches
 */
#ifndef WEIR_FLOW_RUNNER_H
#define WEIR_FLOW_RUNNER_H

#include "runtime/base/err.h"
#include "runtime/include/weir.h"

#include <stdbool.h>
#include <stdint.h>

struct run_setting { const char *name; const char *value; };

/* Where code at `offset` of the flow's object is, for a crashed task. False: unknown. */
typedef bool run_where(void *ctx, uint64_t offset, char *cell, size_t cell_size, int *line);

struct run_options {
    const char *store;             /* path of the .weir folder; NULL: located from the working folder */
    const char *so_path;           /* the flow's shared object; NULL: the flow is linked into this executable */
    const char *zygote_path;       /* executable of the zygotes; NULL: this executable, by its hidden first argument */
    const char *code;              /* text of flow.c, kept as the run's code; NULL: none */
    const char *tier;              /* "tcc" or "cc", recorded */
    unsigned max_workers;          /* 0: one a core */
    uint64_t seed;                 /* default 0 */
    const struct run_setting *parameters;  /* texts by name */
    unsigned nparameters;
    const struct run_setting *inputs;      /* .npy file by name */
    unsigned ninputs;
    int events_fd;                 /* JSON lines (events.h); -1: none */
    bool progress;                 /* a progress line on stderr when that is a terminal; task output to stdout/stderr */
    run_where *where;
    void *where_ctx;
};

struct run_result {
    char run[64];                  /* its id */
    int status;                    /* enum meta_status */
    uint64_t tasks;
    double seconds;
};

/* Returns when the run has ended and its metadata is committed. SIGINT and SIGTERM end it cleanly (ERR_INTERRUPTED).
 * ERR_USAGE: an unknown or unreadable parameter, naming those there are. ERR_TASK: a task failed: the message has step,
 * cell, line and reason. out is filled in either case once a run id exists. */
enum err_code run_flow(const struct weir_flow *flow, const struct run_options *options, struct run_result *out, struct err *e);

/* The hidden entry of a zygote: argv[1] is ZYGOTE_ARGUMENT. Never returns when it is one. flow NULL: dlopen as told. */
#define ZYGOTE_ARGUMENT "--weir-zygote"
void zygote_main_if_asked(int argc, char **argv, const struct weir_flow *flow);

#endif
