/* From a task that may run to its record in the shared memory and the zygotes' pipe (see run.h). */
#include "runtime/flow/run.h"

#include <stdio.h>
#include <string.h>

/* Of a task's random numbers: the same in any run with the same seed. FNV-1a of the name, splitmix64 over all. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t seed_of(uint64_t run_seed, const char *step, const struct record_frame *frames, unsigned n)
{
    uint64_t name = 0xcbf29ce484222325u;
    for (; *step; step++) {
        name = (name ^ (unsigned char)*step) * 0x100000001b3u;
    }
    uint64_t seed = mix(mix(run_seed) ^ name);
    for (unsigned i = 0; i < n; i++) {
        seed = mix(seed ^ frames[i].index);
    }
    return seed;
}

struct flight *dispatch_find(struct run *r, uint64_t record)
{
    const struct record_task *t = arena_shared_at(&r->pool.shared, record, sizeof *t);
    if (record < r->pool.header->areas || !t || t->tag >= r->nflights) {
        return NULL;
    }
    struct flight *f = &r->flights[t->tag];
    return f->used && f->record == record ? f : NULL;
}

void dispatch_release(struct run *r, struct flight *f)
{
    const struct record_task *t = arena_shared_at(&r->pool.shared, f->record, sizeof *t);
    arena_shared_free(&r->pool.shared, f->record, t->bytes);
    if (!f->parameters) {
        task_spec_drop(r->schedule, &f->spec);
    }
    f->used = false;
    r->free_flights[r->nfree++] = (unsigned)(f - r->flights);
}

static void fill_values(const struct weir_step *step, const struct lineage *node, struct record_value *out)
{
    for (unsigned i = 0; i < step->nreads; i++) {
        const struct record_value *v = lineage_find(node, step->reads[i]);
        if (v) {
            out[i] = *v;
        } else {
            out[i] = (struct record_value){ .id = RECORD_NONE };
        }
    }
}

/* A flight with a zeroed record of this size. */
static struct flight *take_flight(struct run *r, size_t bytes, struct record_task **record, struct err *e)
{
    struct flight *f = &r->flights[r->free_flights[r->nfree - 1]]; /* there are as many as the pool has room */
    *f = (struct flight){ .used = true, .record = arena_shared_alloc(&r->pool.shared, bytes) };
    *record = f->record ? arena_shared_at(&r->pool.shared, f->record, bytes) : NULL;
    if (!*record) {
        f->used = false;
        (void)err_set(e, ERR_LIMIT, "a task's inputs (%zu bytes of records) do not fit into the run's shared memory", bytes);
        return NULL;
    }
    r->nfree--;
    **record = (struct record_task){ .bytes = bytes, .tag = (uint64_t)(f - r->flights) };
    return f;
}

static void name_path(struct flight *f, const struct record_frame *frames, unsigned n)
{
    size_t used = 0;
    for (unsigned i = 0; i < n && used < sizeof f->path; i++) {
        int len = snprintf(f->path + used, sizeof f->path - used, "%s%llu", i ? "." : "",
                           (unsigned long long)frames[i].index);
        used += (size_t)len;
    }
}

/* Takes spec. */
static enum err_code make_record(struct run *r, struct task_spec *spec, uint64_t *offset, struct err *e)
{
    const struct weir_step *step = &r->flow->steps[spec->step];
    struct record_frame frames[RUN_FRAMES];
    unsigned n = task_spec_frames(r->schedule, spec, frames, RUN_FRAMES); /* the graph is not deeper: checked */
    uint64_t ninputs = spec->joined ? spec->joined->count : 0;
    struct record_task *record;
    size_t bytes = sizeof *record + n * sizeof frames[0] + (ninputs + 1) * step->nreads * sizeof(struct record_value);
    struct flight *f = take_flight(r, bytes, &record, e);
    if (!f) {
        task_spec_drop(r->schedule, spec);
        return ERR_LIMIT;
    }
    f->spec = *spec;
    name_path(f, frames, n);
    record->step = spec->step;
    record->nframes = n;
    record->nvalues = step->nreads;
    record->ninputs = ninputs;
    record->seed = seed_of(r->options->seed, step->name, frames, n);
    record->index = n ? frames[n - 1].index : 0;
    struct record_frame *to = (struct record_frame *)(record + 1);
    memcpy(to, frames, n * sizeof frames[0]);
    struct record_value *values = (struct record_value *)(to + n);
    fill_values(step, spec->node, values);
    for (uint64_t i = 0; i < ninputs; i++) {
        fill_values(step, spec->joined->leaves[i], values + (i + 1) * step->nreads);
    }
    *offset = f->record;
    return ERR_NONE;
}

enum err_code dispatch(struct run *r, struct err *e)
{
    enum { AT_ONCE = 64 };
    uint64_t offsets[AT_ONCE];
    struct task_spec spec;
    enum err_code code = ERR_NONE;
    for (bool more = true; !code && more;) {
        unsigned n = 0;
        unsigned room = pool_room(&r->pool);
        while (!code && n < AT_ONCE && n < room && (more = schedule_next(r->schedule, &spec))) {
            code = make_record(r, &spec, &offsets[n], e);
            n += !code;
        }
        enum err_code sent = pool_send(&r->pool, offsets, n, code ? NULL : e);
        code = code ? code : sent;
        if (!code && r->pool.in_flight > r->pool.started && r->pool.started < r->pool.header->zygotes) {
            code = pool_start(&r->pool, r->pool.in_flight, e);
        } else if (n == room) {
            break;
        }
    }
    return code;
}

/* The texts' bytes stand behind the records that point to them. */
enum err_code dispatch_parameters(struct run *r, struct err *e)
{
    const struct weir_flow *flow = r->flow;
    size_t bytes = sizeof(struct record_task);
    uint32_t n = 0;
    for (unsigned id = 0; id < flow->nartifacts; id++) {
        const char *text = flow->artifacts[id].flags & WEIR_PARAMETER ? given_text(r->options, flow->artifacts[id].name) : NULL;
        bytes += text ? sizeof(struct record_text) + strlen(text) + 1 : 0;
        n += text != NULL;
    }
    struct record_task *record;
    struct flight *f = take_flight(r, bytes, &record, e);
    if (!f) {
        return ERR_LIMIT;
    }
    f->parameters = true;
    record->step = RECORD_NONE;
    record->ntexts = n;
    record->seed = seed_of(r->options->seed, "_parameters", NULL, 0);
    struct record_text *texts = (struct record_text *)(record + 1);
    uint64_t at = f->record + sizeof *record + n * sizeof *texts;
    n = 0;
    for (unsigned id = 0; id < flow->nartifacts; id++) {
        const char *text = flow->artifacts[id].flags & WEIR_PARAMETER ? given_text(r->options, flow->artifacts[id].name) : NULL;
        if (text) {
            size_t len = strlen(text);
            texts[n++] = (struct record_text){ .id = id, .len = (uint32_t)len, .offset = at };
            memcpy(r->pool.shared.base + at, text, len + 1);
            at += len + 1;
        }
    }
    uint64_t offset = f->record;
    return pool_send(&r->pool, &offset, 1, e);
}
