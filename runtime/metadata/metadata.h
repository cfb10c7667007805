/* What is known of runs: flow, run, step, task, attempt, artifact, object, tag, event. SQLite in WAL mode.
 *
 * One writer a run; commits in batches (metadata_begin .. metadata_commit, about 1,000 tasks or 100 ms); readers at any time.
 * Names are Metaflow's where they mean the same. Times are microseconds since the epoch (UTC). The schema is in
 * metadata/schema.sql.h with a comment a column. */
#ifndef WEIR_METADATA_METADATA_H
#define WEIR_METADATA_METADATA_H

#include "runtime/base/arena.h"
#include "runtime/base/sha256.h"

#include <stdbool.h>
#include <stdint.h>

struct metadata;

/* Open (and create, if create) the database of the store at store_path (…/.weir). Free with metadata_close (takes NULL). */
enum err_code metadata_open(const char *store_path, bool create, struct metadata **out, struct err *e);
void metadata_close(struct metadata *m);

enum err_code metadata_begin(struct metadata *m, struct err *e);
enum err_code metadata_commit(struct metadata *m, struct err *e);

enum meta_status { META_RUNNING = 0, META_DONE = 1, META_FAILED = 2, META_INTERRUPTED = 3 };

struct meta_run {
    int64_t id;               /* row id */
    const char *name;         /* the run's id as users see it: sortable by time and unique without a server */
    const char *flow;
    int status;               /* enum meta_status */
    int64_t started, finished;/* 0: not yet */
    const char *code;         /* sha256 (hex) of flow.c */
    const char *tier;         /* "tcc", "cc" */
    const char *user;
    const char *reason;       /* of a failure, "" else */
    int64_t tasks;            /* recorded */
};

/* Insert; r->id is set; r->name is made when NULL (borrowed from the metadata until close). */
enum err_code metadata_run_add(struct metadata *m, struct meta_run *r, struct err *e);
enum err_code metadata_run_end(struct metadata *m, int64_t run, enum meta_status status, int64_t finished,
                               const char *reason, struct err *e);
/* Keeps the run's lease alive. */
enum err_code metadata_run_beat(struct metadata *m, int64_t run, int64_t now, struct err *e);

/* A value as a row refers to it. */
struct meta_object {
    unsigned char digest[SHA256_BYTES];
    int64_t size;             /* bytes of the .npy */
    const void *data;         /* the bytes if size <= STORE_INLINE, else NULL: a file in objects/ */
};

struct meta_artifact {
    const char *name;
    struct meta_object object;
};

struct meta_task {
    int64_t id;               /* set by metadata_task_add */
    int64_t run;
    const char *step;
    const char *path;         /* indices of the open foreach splits, outermost first: "", "3", "3.0" */
    int status;
    int64_t started, finished;
    int exit_status;          /* as waitpid gives it */
    const char *reason;       /* "" if it went well */
    const char *out, *err;    /* what it printed */
    size_t out_len, err_len;
};

/* Insert a task with its one attempt, its logs (up to 4 KiB inline, else as an object) and the artifacts that it made. */
enum err_code metadata_task_add(struct metadata *m, struct meta_task *t, const struct meta_artifact *artifacts, size_t count,
                                struct err *e);

enum err_code metadata_tag(struct metadata *m, int64_t run, const char *tag, struct err *e);
enum err_code metadata_event(struct metadata *m, int64_t run, int64_t time, const char *kind, const char *text, struct err *e);

/* ---- reading; results live in the arena ---- */

/* Newest first; flow NULL: of every flow; limit 0: all. */
enum err_code metadata_runs(struct metadata *m, const char *flow, size_t limit, struct arena *a, struct meta_run **out,
                            size_t *count, struct err *e);

/* A run by its id or a unique prefix of it, or "latest" (of flow, if not NULL). ERR_NOT_FOUND, ERR_NAME: ambiguous, naming some. */
enum err_code metadata_run_find(struct metadata *m, const char *flow, const char *name, struct arena *a, struct meta_run *out,
                                struct err *e);

/* Tasks of a run in order of step start and path; step NULL: all. Logs included. */
enum err_code metadata_tasks(struct metadata *m, int64_t run, const char *step, struct arena *a, struct meta_task **out,
                             size_t *count, struct err *e);

struct meta_found {
    const char *name, *step, *path;
    int64_t task;
    struct meta_object object;    /* data (inline ones) in the arena */
};

/* Artifacts made in a run, in task order; step, path and name NULL: any. */
enum err_code metadata_artifacts(struct metadata *m, int64_t run, const char *step, const char *path, const char *name,
                                 struct arena *a, struct meta_found **out, size_t *count, struct err *e);

#endif
