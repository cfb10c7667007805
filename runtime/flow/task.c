/* See task.h: a task's life and its inputs.
 *
 * An incoming value is looked at when the step first asks for it. Small ones stand in the shared memory, big ones are files
 * that are mapped; both are read-only. The header in front of each says what it is and is checked against the flow's
 * layout, since values also come from other runs and from outside. For a fixed layout that is one memcmp with the
 * canonical header: a join over 100,000 tasks parses nothing. */
#include "runtime/flow/task.h"

#include "runtime/flow/layout.h"
#include "runtime/store/store.h"
#include "runtime/type/npy.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* weir_fail and signal handlers have no argument to find the task by. Set once, in the forked child. */
static struct weir_task *current;

struct weir_task *task_current(void)
{
    return current;
}

/* ---- failing ---- */

static _Noreturn void fail_at(struct weir_task *t, const char *cell, int line, const char *fmt, va_list args)
{
    if (getpid() != t->pid) { /* a process that the user's code forked: not ours to judge */
        (void)vfprintf(stderr, fmt, args);
        (void)fputc('\n', stderr);
        _exit(1);
    }
    struct record_result *r = t->result;
    (void)vsnprintf(r->reason, sizeof r->reason, fmt, args);
    (void)snprintf(r->cell, sizeof r->cell, "%s", cell ? cell : "");
    r->line = line;
    r->state = RECORD_FAILED;
    (void)fflush(NULL); /* what can't be written any more is lost; the reason is kept */
    _exit(1);
}

void task_fail(struct weir_task *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_at(t, t->step ? t->step->cell : "", 0, fmt, args);
    va_end(args);
}

void weir_fail(const char *file, int line, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (current) {
        fail_at(current, file, line, fmt, args);
    }
    (void)fprintf(stderr, "%s line %d: ", file, line);
    (void)vfprintf(stderr, fmt, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(1); /* outside of a task: as a program's own fatal error */
}

/* ---- what comes in ---- */

const struct weir_artifact *task_artifact(struct weir_task *t, unsigned id)
{
    if (id >= t->env->flow->nartifacts) {
        task_fail(t, "the flow has no artifact number %u", id);
    }
    return &t->env->flow->artifacts[id];
}

size_t task_dims(struct weir_task *t, const struct weir_artifact *a, const size_t *dim, size_t out[WEIR_MAX_DIMS])
{
    const struct weir_field *f = &a->field;
    size_t n = 1;
    for (unsigned i = 0; i < f->ndim && i < WEIR_MAX_DIMS; i++) {
        bool given = dim && (a->form == WEIR_SHAPED || (a->form == WEIR_DYNAMIC && i == 0));
        out[i] = given ? dim[i] : f->dim[i];
        if (__builtin_mul_overflow(n, out[i], &n)) {
            task_fail(t, "artifact '%s' would have more elements than memory has bytes", a->name);
        }
    }
    size_t bytes;
    if (__builtin_mul_overflow(n, f->size, &bytes) || bytes > SIZE_MAX / 4) {
        task_fail(t, "artifact '%s' would be larger than memory", a->name);
    }
    return a->form == WEIR_TEXT ? 1 : n;
}

/* Which of the step's reads artifact id is. */
static unsigned read_of(struct weir_task *t, unsigned id)
{
    for (unsigned i = 0; t->step && i < t->step->nreads; i++) {
        if (t->step->reads[i] == id) {
            return i;
        }
    }
    task_fail(t, "'%s' reads '%s' without saying so", t->name, task_artifact(t, id)->name);
}

/* The header, or for other forms the descr, that read number r has to have. */
static const struct buf *expected(struct weir_task *t, unsigned r, const struct weir_artifact *a)
{
    if (!t->expected) {
        t->expected = calloc(t->step->nreads, sizeof *t->expected);
        if (!t->expected) {
            task_fail(t, "out of memory");
        }
    }
    struct buf *b = &t->expected[r];
    if (!b->len) {
        struct err e;
        buf_init(b, 0);
        enum err_code code = a->form == WEIR_FIXED ? npy_header(b, &a->field, NULL, 0, &e) : npy_descr(b, &a->field, &e);
        code = code ? code : buf_check(b, a->name, &e);
        if (code) {
            task_fail(t, "artifact '%s': %s", a->name, e.msg);
        }
    }
    return b;
}

/* Read the header at start the long way. */
static void parse(struct weir_task *t, unsigned r, const struct weir_artifact *a, size_t size, struct task_view *v)
{
    struct arena mem;
    struct npy n;
    struct err e;
    arena_init(&mem);
    if (npy_read(v->start, size, true, &mem, &n, &e)) {
        task_fail(t, "artifact '%s': %s", a->name, e.msg);
    }
    const char *descr = a->form == WEIR_DYNAMIC || a->form == WEIR_SHAPED ? expected(t, r, a)->data : NULL;
    if (layout_check(a, descr, &n, &e)) {
        task_fail(t, "%s", e.msg);
    }
    v->data = v->start + n.payload;
    v->bytes = n.bytes;
    memcpy(v->dim, n.field.dim, sizeof v->dim);
    if (a->form == WEIR_TEXT) {
        v->dim[0] = strnlen((const char *)v->data, v->bytes);
    }
    arena_done(&mem);
}

/* The bytes of a value: in the shared memory, or its file mapped. */
static const unsigned char *bytes_of(struct weir_task *t, const struct weir_artifact *a, const struct record_value *value)
{
    if (!value->is_file) {
        const unsigned char *at = arena_shared_at(t->env->shared, value->offset, value->size);
        return at ? at : (task_fail(t, "artifact '%s' is lost", a->name), NULL);
    }
    struct store_map map;
    struct err e;
    errno = 0;
    if (store_get(t->env->header->store, value->digest, &map, &e)) {
        task_fail(t, "artifact '%s': %s%s", a->name, e.msg,
                  errno == ENOMEM ? " (a process can hold about 65,000 large artifacts open: read fewer in one step)" : "");
    }
    if (map.len != value->size) {
        task_fail(t, "artifact '%s': its file has %zu bytes instead of %llu", a->name, map.len,
                  (unsigned long long)value->size);
    }
    return map.data;
}

static void load(struct weir_task *t, unsigned r, const struct record_value *value, struct task_view *v)
{
    const struct weir_artifact *a = task_artifact(t, value->id);
    v->start = bytes_of(t, a, value);
    const struct buf *want = a->form == WEIR_FIXED ? expected(t, r, a) : NULL;
    if (want && value->size >= want->len && memcmp(v->start, want->data, want->len) == 0) {
        v->data = v->start + want->len;
        v->bytes = value->size - want->len;
        memcpy(v->dim, a->field.dim, sizeof v->dim);
        if (v->bytes != task_dims(t, a, NULL, v->dim) * a->field.size) {
            task_fail(t, "artifact '%s' is cut short", a->name);
        }
    } else {
        parse(t, r, a, value->size, v);
    }
    if (a->form == WEIR_TEXT) {
        char *text = aligned_alloc(64, (v->dim[0] + 64) / 64 * 64); /* room for the NUL */
        if (!text) {
            task_fail(t, "out of memory for '%s'", a->name);
        }
        memcpy(text, v->data, v->dim[0]);
        text[v->dim[0]] = '\0';
        v->data = (const unsigned char *)text;
    }
}

/* What a view gives to the step: data and the dims it asks for. */
static const void *give(const struct weir_artifact *a, const struct task_view *v, size_t *dim)
{
    if (dim) {
        unsigned n = a->form == WEIR_SHAPED ? a->field.ndim : (a->form == WEIR_FIXED ? 0 : 1);
        for (unsigned i = 0; i < n; i++) {
            dim[i] = v ? v->dim[i] : 0;
        }
    }
    return v ? v->data : NULL;
}

const void *weir_get(struct weir_task *t, unsigned id, size_t *dim)
{
    const struct weir_artifact *a = task_artifact(t, id);
    unsigned r = read_of(t, id);
    const struct record_value *value = &record_values(t->record)[r];
    if (value->id == RECORD_NONE) {
        return give(a, NULL, dim);
    }
    if (!t->values) {
        t->values = calloc(t->step->nreads, sizeof *t->values);
        if (!t->values) {
            task_fail(t, "out of memory");
        }
    }
    if (!t->values[r].start) {
        load(t, r, value, &t->values[r]);
    }
    return give(a, &t->values[r], dim);
}

size_t weir_index(struct weir_task *t, unsigned id)
{
    for (uint32_t i = t->record->nframes; i-- > 0;) {
        if (record_frames(t->record)[i].loop == id) {
            return record_frames(t->record)[i].index;
        }
    }
    task_fail(t, "'%s' is no loop variable around '%s'", task_artifact(t, id)->name, t->name);
}

size_t weir_inputs(struct weir_task *t)
{
    return t->record->ninputs;
}

static const struct record_value *input_value(struct weir_task *t, size_t i, unsigned id, unsigned *r)
{
    if (i >= t->record->ninputs) {
        task_fail(t, "inputs.at[%zu] of %llu", i, (unsigned long long)t->record->ninputs);
    }
    *r = read_of(t, id);
    return &record_inputs(t->record)[i * t->record->nvalues + *r];
}

const void *weir_input(struct weir_task *t, size_t i, unsigned id, size_t *dim)
{
    const struct weir_artifact *a = task_artifact(t, id);
    unsigned r;
    const struct record_value *value = input_value(t, i, id, &r);
    if (value->id == RECORD_NONE) {
        return give(a, NULL, dim);
    }
    if (!t->inputs) {
        t->inputs = calloc(t->record->ninputs, sizeof *t->inputs);
    }
    if (t->inputs && !t->inputs[i]) {
        t->inputs[i] = calloc(t->step->nreads, sizeof **t->inputs);
    }
    if (!t->inputs || !t->inputs[i]) {
        task_fail(t, "out of memory for %llu inputs", (unsigned long long)t->record->ninputs);
    }
    if (!t->inputs[i][r].start) {
        load(t, r, value, &t->inputs[i][r]);
    }
    return give(a, &t->inputs[i][r], dim);
}

const void *weir_input_all(struct weir_task *t, unsigned id)
{
    const struct weir_artifact *a = task_artifact(t, id);
    size_t count = t->record->ninputs;
    size_t dims[WEIR_MAX_DIMS];
    size_t one = task_dims(t, a, NULL, dims) * a->field.size;
    size_t total;
    if (a->form != WEIR_FIXED || __builtin_mul_overflow(count, one, &total) || total > SIZE_MAX - 64) {
        task_fail(t, "inputs.all needs a fixed-size artifact, and memory for all: '%s' is %s", a->name, a->ctype);
    }
    unsigned char *all = aligned_alloc(64, (total + 64) / 64 * 64);
    if (!all) {
        task_fail(t, "out of memory for %zu times '%s' (%zu bytes)", count, a->name, one);
    }
    for (size_t i = 0; i < count; i++) {
        unsigned r;
        const struct record_value *value = input_value(t, i, id, &r);
        if (value->id == RECORD_NONE) {
            task_fail(t, "inputs.all.%s: incoming task %zu has no '%s'", a->name, i, a->name);
        }
        struct task_view v = { 0 };
        load(t, r, value, &v);
        memcpy(all + i * one, v.data, one);
        if (value->is_file) { /* copied: any number of files can be gathered */
            struct store_map map = { .data = v.start, .len = value->size };
            store_unmap(&map);
        }
    }
    return all;
}

const struct record_value *task_incoming(struct weir_task *t, const void *data, size_t bytes, const struct buf *header)
{
    for (unsigned r = 0; t->values && t->step && r < t->step->nreads; r++) {
        const struct task_view *v = &t->values[r];
        const struct record_value *value = &record_values(t->record)[r];
        if (v->start && v->data == data && v->bytes == bytes && value->is_file && value->size == header->len + bytes &&
            memcmp(v->start, header->data, header->len) == 0) {
            return value;
        }
    }
    return NULL;
}

struct weir_current weir_current(struct weir_task *t)
{
    return (struct weir_current){ .run = t->env->header->run,
                                  .flow = t->env->flow->name,
                                  .step = t->name,
                                  .index = t->record->index,
                                  .seed = t->record->seed };
}

/* ---- its life ---- */

void task_run(const struct task_env *env, const struct record_task *record, struct record_result *result)
{
    static struct weir_task task;
    struct weir_task *t = &task;
    const struct weir_flow *flow = env->flow;
    *t = (struct weir_task){ .env = env, .record = record, .result = result, .pid = getpid() };
    t->step = record->step == RECORD_NONE ? NULL : &flow->steps[record->step];
    t->name = t->step ? t->step->name : "_parameters";
    result->state = RECORD_RUNNING;
    current = t;

    (void)setpgid(0, 0);                        /* of ourselves: can't fail */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != env->zygote) {             /* it died before that */
        _exit(1);
    }
    srand((unsigned)record->seed);              /* random() too: glibc has one state for both */
    srand48((long)(record->seed >> 32));

    void (*run)(struct weir_task *) = t->step ? t->step->run : flow->parameters;
    run(t);
    if (getpid() != t->pid) {                   /* a process of the user's own that came back from the step */
        _exit(0);
    }
    if (t->step && t->step->foreach >= 0 && !result->has_split) {
        task_fail(t, "'%s' fans out over '%s' without saying how often", t->name,
                  flow->artifacts[t->step->foreach].name);
    }
    (void)fflush(NULL); /* a log that can't be written is no reason to fail */
    result->state = RECORD_FINISHED;
    _exit(0);
}
