/* A run, inside the runner: what its parts (logs, journal, outcome, dispatch) share. runner.c owns it.
 *
 *   schedule -> dispatch -> pool ... zygotes ... pool -> outcome -> schedule
 *                                             logs, journal, events
 */
#ifndef WEIR_FLOW_RUN_H
#define WEIR_FLOW_RUN_H

#include "runtime/base/buf.h"
#include "runtime/flow/events.h"
#include "runtime/flow/flow_graph.h"
#include "runtime/flow/pool.h"
#include "runtime/flow/runner.h"
#include "runtime/flow/schedule.h"
#include "runtime/metadata/metadata.h"
#include "runtime/store/store.h"

enum { RUN_PATH = 1024, RUN_FRAMES = FLOW_GRAPH_DEPTH };

/* A task that was sent. */
struct flight {
    bool used;
    bool parameters;               /* it is `_parameters`: spec is empty */
    struct task_spec spec;
    uint64_t record;               /* its block in the heap */
    char path[RUN_PATH];           /* "3.0" */
};

/* A zygote's two log files as the runner reads them: [0] stdout, [1] stderr. */
struct log_place {
    uint64_t shown;                /* told to events and terminal up to here */
    uint64_t released;             /* pages given back up to here */
};

struct run {
    const struct weir_flow *flow;
    const struct run_options *options;
    struct graph graph;
    struct arena arena;            /* of graph */
    struct pool pool;
    struct schedule *schedule;
    struct lineage *root;          /* parameters and inputs */
    struct store *store;
    struct metadata *metadata;
    struct events *events;
    char name[64];
    int64_t id;                    /* row of the run; 0: none yet */
    int64_t started;
    double clock;                  /* CLOCK_MONOTONIC seconds at the start */

    struct flight *flights;
    unsigned nflights;
    unsigned *free_flights;        /* a stack */
    unsigned nfree;

    bool *needed;                  /* [step][artifact]: read by some step after it; last row: after the start */
    struct record_value *inputs;   /* from --input, in id order; recorded with `_parameters` */
    unsigned ninputs;

    struct log_place (*logs)[2];   /* one pair a zygote */
    struct buf scratch[2];         /* text of a log, by stream */

    bool batch;                    /* a transaction is open */
    unsigned batched;              /* tasks in it */
    double batch_began, beat, looked; /* monotonic seconds */

    uint64_t *created, *done, *failed; /* tasks by step */
    uint64_t tasks;                /* recorded */
    struct err failure;            /* the first one; code ERR_NONE: none */
};

double run_clock(void);            /* monotonic seconds */
int64_t run_now(void);             /* microseconds since the epoch */

static inline const char *run_step_name(const struct run *r, const struct flight *f)
{
    return f->parameters ? "_parameters" : r->flow->steps[f->spec.step].name;
}

/* ---- given.c: parameters and inputs ---- */

/* Every parameter and input is one of the flow's, reads as its type, and none is missing. ERR_USAGE naming those there are. */
enum err_code given_check(const struct weir_flow *flow, const struct run_options *o, struct err *e);

/* Read the --input files into r->inputs (bytes in the heap, or in the store). */
enum err_code given_inputs(struct run *r, struct err *e);

/* The value of parameter id as the command line has it; NULL: not given. */
const char *given_text(const struct run_options *o, const char *name);

/* ---- dispatch.c: from what is ready to the pool ---- */

/* Send what may run while there is room; starts zygotes for it. */
enum err_code dispatch(struct run *r, struct err *e);
enum err_code dispatch_parameters(struct run *r, struct err *e);
/* Which task an offset in the heap is; NULL: none of ours. */
struct flight *dispatch_find(struct run *r, uint64_t record);
void dispatch_release(struct run *r, struct flight *f);

/* ---- outcome.c: from a reply to lineage, metadata, schedule ---- */

bool outcome_needs(struct run *r);            /* fill r->needed; false: out of memory */
enum err_code outcome(struct run *r, const struct record_reply *reply, struct err *e);
/* Of a flow without `parameters`: what --input gave is recorded as made by `_parameters`, and the first step may run. */
enum err_code outcome_start(struct run *r, struct err *e);
/* Record the tasks that run now as interrupted (after pool_kill). */
enum err_code outcome_interrupted(struct run *r, struct err *e);

/* ---- failure.c: a reason in words ---- */

/* Why a task failed, into why: message reason only; cell and line where known. result NULL: nothing is known of it. */
void failure_explain(struct run *r, const struct flight *f, const struct record_reply *reply,
                     const struct record_result *result, struct err *why);

/* ---- logs.c: what tasks print ---- */

struct log_text {
    const char *text;              /* "" if none; valid until log_text_done */
    size_t len;
    void *map;                     /* of a large one */
    size_t map_len;
};
/* [from, to) of a zygote's log (0 stdout, 1 stderr). A large one is mapped, a small one copied. */
enum err_code log_read(struct run *r, unsigned zygote, int stream, uint64_t from, uint64_t to, struct log_text *out,
                       struct err *e);
void log_text_done(struct log_text *t);
/* Show the whole lines that running tasks have printed so far. Kills a task that prints without end. */
enum err_code logs_live(struct run *r, struct err *e);
/* A task has ended with this output: show the rest of it, give its pages back later. */
void logs_ended(struct run *r, const struct flight *f, const struct record_reply *reply, const struct log_text text[2]);
enum { LOG_MOST = 1 << 30 };       /* bytes a task may print */

/* ---- journal.c: metadata in batches ---- */

enum err_code journal_begin(struct run *r, struct err *e);    /* the run's row, its code */
enum err_code journal_task(struct run *r, const struct meta_task *t, const struct meta_artifact *a, size_t n, struct err *e);
enum err_code journal_tick(struct run *r, bool quiet, struct err *e); /* commit what has waited long enough; quiet: all */
enum err_code journal_end(struct run *r, enum meta_status status, const char *reason, struct err *e);

/* ---- progress.c: for people at a terminal ---- */

void progress_text(struct run *r, const char *step, const char *path, int stream, const char *text, size_t len);
void progress_line(struct run *r, bool last);
/* Tasks by step as events tell them. */
void progress_counts(struct run *r, struct events_count *out);

#endif
