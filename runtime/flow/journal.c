/* Metadata of a run in batches (see run.h): a transaction is open while tasks come in, and is committed every 1,000 tasks, after
 * 100 ms, or as soon as nothing comes in for some milliseconds, so that readers see the run grow and a commit's cost is shared. */
#include "runtime/flow/run.h"

#include <string.h>

enum { BATCH_TASKS = 1000 };
static const double batch_seconds = 0.1;
static const double beat_seconds = 5;

static enum err_code open_batch(struct run *r, struct err *e)
{
    if (r->batch) {
        return ERR_NONE;
    }
    enum err_code code = metadata_begin(r->metadata, e);
    if (!code) {
        r->batch = true;
        r->batched = 0;
        r->batch_began = run_clock();
    }
    return code;
}

static enum err_code close_batch(struct run *r, struct err *e)
{
    if (!r->batch) {
        return ERR_NONE;
    }
    r->batch = false;
    return metadata_commit(r->metadata, e);
}

enum err_code journal_begin(struct run *r, struct err *e)
{
    const struct run_options *o = r->options;
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX] = "";
    enum err_code code = ERR_NONE;
    if (o->code) {
        code = store_put(store_path(r->store), NULL, 0, o->code, strlen(o->code), digest, e);
        if (code) {
            return code;
        }
        sha256_hex(digest, hex);
    }
    struct meta_run row = { .flow = r->flow->name, .status = META_RUNNING, .started = r->started, .code = hex,
                            .tier = o->tier ? o->tier : "", .reason = "" };
    code = open_batch(r, e);
    code = code ? code : metadata_run_add(r->metadata, &row, e);
    if (!code) {
        r->id = row.id;
        r->beat = run_clock();
        size_t len = strnlen(row.name, sizeof r->name - 1);
        memcpy(r->name, row.name, len);
        r->name[len] = '\0';
    }
    return code;
}

enum err_code journal_task(struct run *r, const struct meta_task *t, const struct meta_artifact *a, size_t n, struct err *e)
{
    struct meta_task row = *t;
    row.run = r->id;
    enum err_code code = open_batch(r, e);
    code = code ? code : metadata_task_add(r->metadata, &row, a, n, e);
    if (!code) {
        r->batched++;
        r->tasks++;
    }
    return code;
}

enum err_code journal_tick(struct run *r, bool quiet, struct err *e)
{
    double now = run_clock();
    enum err_code code = ERR_NONE;
    if (now - r->beat >= beat_seconds) {
        r->beat = now;
        code = open_batch(r, e);
        code = code ? code : metadata_run_beat(r->metadata, r->id, run_now(), e);
    }
    if (!code && r->batch && (quiet || r->batched >= BATCH_TASKS || now - r->batch_began >= batch_seconds)) {
        code = close_batch(r, e);
    }
    return code;
}

enum err_code journal_end(struct run *r, enum meta_status status, const char *reason, struct err *e)
{
    enum err_code code = open_batch(r, e);
    code = code ? code : metadata_run_end(r->metadata, r->id, status, run_now(), reason, e);
    enum err_code closed = close_batch(r, code ? NULL : e);
    return code ? code : closed;
}
