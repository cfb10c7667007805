/* From a task's reply to lineage, metadata and schedule (see run.h).
 *
 * The result was written by a process that ran the user's code: each number in it is copied, then checked, then used. Values that
 * a later step reads are kept in the heap; others live on in the metadata only, so that memory holds what is needed. */
#include "runtime/flow/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* ---- what later steps read ---- */

static void mark_after(struct run *r, unsigned from, bool *row, bool *seen)
{
    const struct weir_step *s = &r->flow->steps[from];
    for (unsigned i = 0; i < s->nnext; i++) {
        unsigned next = s->next[i];
        if (seen[next]) {
            continue;
        }
        seen[next] = true;
        for (unsigned k = 0; k < r->flow->steps[next].nreads; k++) {
            row[r->flow->steps[next].reads[k]] = true;
        }
        mark_after(r, next, row, seen);
    }
}

bool outcome_needs(struct run *r)
{
    size_t width = r->flow->nartifacts;
    r->needed = calloc((r->flow->nsteps + 1) * (width + 1), sizeof *r->needed);
    bool *seen = calloc(r->flow->nsteps, sizeof *seen);
    if (!r->needed || !seen) {
        free(seen);
        return false;
    }
    for (unsigned i = 0; i < r->flow->nsteps; i++) {
        memset(seen, 0, r->flow->nsteps * sizeof *seen);
        mark_after(r, i, r->needed + i * width, seen);
    }
    for (unsigned i = 0; i < r->flow->nsteps; i++) {
        for (unsigned k = 0; k < r->flow->steps[i].nreads; k++) {
            r->needed[r->flow->nsteps * width + r->flow->steps[i].reads[k]] = true;
        }
    }
    free(seen);
    return true;
}

/* ---- what the task made ---- */

/* The task's outputs, copied and checked. */
struct outputs {
    struct record_value *values;
    struct meta_artifact *artifacts;
    uint32_t n;
};

static void outputs_done(struct outputs *o)
{
    free(o->values);
    free(o->artifacts);
    *o = (struct outputs){ 0 };
}

static bool may_write(const struct run *r, const struct flight *f, uint32_t id)
{
    if (f->parameters) {
        return id < r->flow->nartifacts && (r->flow->artifacts[id].flags & WEIR_PARAMETER);
    }
    const struct weir_step *s = &r->flow->steps[f->spec.step];
    for (unsigned i = 0; i < s->nwrites; i++) {
        if (s->writes[i] == id) {
            return true;
        }
    }
    return false;
}

/* ERR_FORMAT: what it left makes no sense. data: where offsets count from. */
static enum err_code check_value(const struct run *r, const struct flight *f, const struct record_value *v, struct err *e)
{
    uint64_t slot = r->pool.header->slot_bytes;
    bool inside = v->offset <= slot && v->size <= slot - v->offset && v->size && v->size <= STORE_INLINE;
    if (!may_write(r, f, v->id) || (!v->is_file && !inside)) {
        return err_set(e, ERR_FORMAT, "overwritten results");
    }
    return ERR_NONE;
}

static enum err_code artifact_of(const struct run *r, const struct record_value *v, const void *data, struct meta_artifact *out,
                                 struct err *e)
{
    *out = (struct meta_artifact){ .name = r->flow->artifacts[v->id].name, .object = { .size = (int64_t)v->size } };
    if (v->is_file) {
        memcpy(out->object.digest, v->digest, SHA256_BYTES);
        return ERR_NONE;
    }
    out->object.data = data;
    const struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = v->size };
    return sha256_parts(&part, 1, out->object.digest, e);
}

/* Of `_parameters` the --input files' values, too. result NULL: nothing else.
 * ERR_FORMAT: the task spoiled them; other codes are the run's own trouble. */
static enum err_code take_outputs(struct run *r, const struct flight *f, const struct record_result *result,
                                  struct outputs *out, struct err *e)
{
    uint32_t most = f->parameters ? r->flow->nartifacts : r->flow->steps[f->spec.step].nwrites;
    uint32_t n = result ? result->noutputs : 0;
    uint32_t inputs = f->parameters ? r->ninputs : 0;
    if (n > most) {
        return err_set(e, ERR_FORMAT, "overwritten results");
    }
    out->values = calloc(n + inputs + 1, sizeof *out->values);
    out->artifacts = calloc(n + inputs + 1, sizeof *out->artifacts);
    if (!out->values || !out->artifacts) {
        return err_memory(e);
    }
    if (n) {
        memcpy(out->values, result->outputs, n * sizeof *out->values);
    }
    for (; out->n < n; out->n++) {
        const struct record_value *v = &out->values[out->n];
        enum err_code code = check_value(r, f, v, e);
        code = code ? code : artifact_of(r, v, (const char *)result + v->offset, &out->artifacts[out->n], e);
        if (code) {
            return code;
        }
    }
    for (uint32_t i = 0; i < inputs; i++) {
        const struct record_value *v = &r->inputs[i];
        enum err_code code = artifact_of(r, v, r->pool.shared.base + v->offset, &out->artifacts[out->n], e);
        if (code) {
            return code;
        }
        out->values[out->n++] = *v;
    }
    return ERR_NONE;
}

/* The lineage that follows the task: its needed values on top of what came in. */
static struct lineage *follow(struct run *r, const struct flight *f, const struct outputs *o)
{
    const bool *needed = r->needed + (f->parameters ? r->flow->nsteps : f->spec.step) * (size_t)r->flow->nartifacts;
    struct lineage *parent = f->parameters ? r->root : f->spec.node;
    uint32_t n = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        n += needed[o->values[i].id];
    }
    if (!n) {
        return lineage_keep(parent);
    }
    struct lineage *node = lineage_new(parent, n);
    n = 0;
    for (uint32_t i = 0; node && i < o->n; i++) {
        const struct record_value *v = &o->values[i];
        if (!needed[v->id]) {
            continue;
        }
        struct record_value *to = &node->values[n++];
        *to = *v;
        if (!v->is_file) {
            to->offset = arena_shared_alloc(&r->pool.shared, v->size);
            if (!to->offset) {
                to->is_file = 1; /* nothing to free */
                lineage_drop(&r->pool.shared, node);
                return NULL;
            }
            memcpy(r->pool.shared.base + to->offset, o->artifacts[i].object.data, v->size);
        }
    }
    return node;
}

static enum err_code succeed(struct run *r, struct flight *f, uint64_t split, const struct outputs *o, struct err *e)
{
    struct lineage *node = follow(r, f, o);
    if (!node) {
        return err_set(e, ERR_MEMORY, "the run's shared memory is full");
    }
    enum err_code code;
    if (f->parameters) {
        lineage_drop(&r->pool.shared, r->root);
        r->root = lineage_keep(node);
        code = schedule_begin(r->schedule, node, e);
        r->created[r->flow->first]++;
    } else {
        r->done[f->spec.step]++;
        code = schedule_done(r->schedule, &f->spec, node, split, r->created, e);
    }
    lineage_drop(&r->pool.shared, node);
    return code;
}

/* ---- recording ---- */

/* The first failure becomes the run's: "step 'train' [3] failed at cell [4] line 3: reason". */
static void fail(struct run *r, const struct flight *f, const struct err *why)
{
    const char *step = run_step_name(r, f);
    char at[160] = "";
    if (!f->parameters) {
        r->failed[f->spec.step]++;
    }
    events_failed(r->events, step, f->path, why->cell, why->line, why->msg);
    pool_skip(&r->pool);
    if (r->failure.code) {
        return;
    }
    if (why->cell[0] && why->line) {
        (void)snprintf(at, sizeof at, " at %s line %d", why->cell, why->line);
    } else if (why->cell[0]) {
        (void)snprintf(at, sizeof at, " in %s", why->cell);
    }
    if (f->parameters) {
        (void)err_at(&r->failure, ERR_TASK, why->cell, why->line, "the parameters%s: %s", at, why->msg);
    } else {
        (void)err_at(&r->failure, ERR_TASK, why->cell, why->line, "step '%s'%s%s%s failed%s: %s", step, f->path[0] ? " [" : "",
                     f->path, f->path[0] ? "]" : "", at, why->msg);
    }
}

static enum err_code record(struct run *r, const struct flight *f, const struct record_reply *reply, int status,
                            const char *reason, const struct outputs *o, struct err *e)
{
    struct log_text text[2] = { { .text = "" }, { .text = "" } };
    enum err_code code = log_read(r, reply->zygote, 0, reply->out_start, reply->out_end, &text[0], e);
    code = code ? code : log_read(r, reply->zygote, 1, reply->err_start, reply->err_end, &text[1], e);
    if (!code) {
        logs_ended(r, f, reply, text);
        const struct meta_task row = { .step = run_step_name(r, f), .path = f->path, .status = status,
                                       .started = reply->started, .finished = reply->finished,
                                       .exit_status = reply->status, .reason = reason, .out = text[0].text,
                                       .err = text[1].text, .out_len = text[0].len, .err_len = text[1].len };
        code = journal_task(r, &row, o->artifacts, o->n, e);
    }
    log_text_done(&text[0]);
    log_text_done(&text[1]);
    return code;
}

enum err_code outcome(struct run *r, const struct record_reply *reply, struct err *e)
{
    struct flight *f = dispatch_find(r, reply->task);
    const struct record_result *result = pool_result(&r->pool, reply);
    struct outputs o = { 0 };
    struct err why = { 0 };
    if (!f || reply->zygote >= r->pool.started) {
        return err_set(e, ERR_FORMAT, "a task wrote into its zygote's pipe");
    }
    enum err_code code = ERR_NONE;
    if (reply->kind == RECORD_SKIPPED) {
        goto done;
    }
    bool ok = reply->kind == RECORD_ENDED && reply->status == 0 && result && result->state == RECORD_FINISHED;
    if (ok) {
        code = take_outputs(r, f, result, &o, e);
        ok = code != ERR_FORMAT;
        code = ok ? code : ERR_NONE;
    }
    if (!ok) {
        outputs_done(&o);
        failure_explain(r, f, reply, result, &why);
    }
    code = code ? code : record(r, f, reply, ok ? META_DONE : META_FAILED, why.msg, &o, e);
    if (code) {
        goto done;
    }
    if (ok) {
        code = succeed(r, f, result->split, &o, e);
    } else {
        fail(r, f, &why);
    }
done:
    outputs_done(&o);
    dispatch_release(r, f);
    return code;
}

enum err_code outcome_start(struct run *r, struct err *e)
{
    struct flight none = { .parameters = true };
    struct outputs o = { 0 };
    enum err_code code = ERR_NONE;
    if (r->ninputs) {
        int64_t now = run_now();
        const struct meta_task row = { .step = "_parameters", .path = "", .status = META_DONE, .started = now, .finished = now,
                                       .reason = "", .out = "", .err = "" };
        code = take_outputs(r, &none, NULL, &o, e);
        code = code ? code : journal_task(r, &row, o.artifacts, o.n, e);
    }
    code = code ? code : succeed(r, &none, 0, &o, e);
    outputs_done(&o);
    return code;
}

enum err_code outcome_interrupted(struct run *r, struct err *e)
{
    enum err_code code = ERR_NONE;
    for (unsigned i = 0; !code && i < r->pool.started; i++) {
        const struct record_area *area = r->pool.zygotes[i].area;
        struct flight *f = dispatch_find(r, atomic_load(&area->task));
        if (!f) {
            continue;
        }
        const struct record_reply reply = { .task = f->record, .zygote = i, .kind = RECORD_ENDED, .status = SIGKILL,
                                            .started = area->started, .finished = run_now(), .out_start = area->out_start,
                                            .out_end = UINT64_MAX, .err_start = area->err_start, .err_end = UINT64_MAX };
        const struct outputs none = { 0 };
        code = record(r, f, &reply, META_INTERRUPTED, "interrupted", &none, e);
        dispatch_release(r, f);
    }
    return code;
}
