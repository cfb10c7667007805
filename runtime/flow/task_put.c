/* What a task makes: artifacts kept (weir_put), memory for growing ones (weir_resize), parameters, the fan-out's size.
 *
 * A value becomes the bytes of its .npy: canonical header, then the payload with padding zero and NaNs canonical. Up to
 * STORE_INLINE bytes they go into the result's slot; the runner hashes them. Larger ones go to the store from here, so
 * that hashing and writing run on all cores. Memory that weir_resize gave is made canonical in place: the step is over, and
 * a copy of 200 MB costs as much as hashing it. An input put again unchanged keeps its object. */
#include "runtime/flow/task.h"

#include "runtime/store/store.h"
#include "runtime/type/npy.h"
#include "runtime/type/parse.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MAPPED_FROM = 1 << 20, GROW_FIRST = 1024 };

/* ---- memory of growing artifacts ---- */

static struct task_block *block_find(struct weir_task *t, unsigned id)
{
    struct task_block *b = t->blocks;
    while (b && b->id != id) {
        b = b->next;
    }
    return b;
}

/* Zeroed memory of cap bytes for b; false: none. */
static bool block_alloc(struct task_block *b, size_t cap)
{
    b->cap = (cap + 63) / 64 * 64;
    b->cap += b->cap == 0 ? 64 : 0;
    b->mapped = b->cap >= MAPPED_FROM;
    if (!b->mapped) {
        b->data = aligned_alloc(64, b->cap);
        return b->data && memset(b->data, 0, b->cap);
    }
    void *p = mmap(NULL, b->cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return false;
    }
    (void)madvise(p, b->cap, MADV_HUGEPAGE); /* fewer faults; without it all works too */
    b->data = p;
    return true;
}

static void block_release(struct task_block *b)
{
    if (b->mapped) {
        (void)munmap(b->data, b->cap);
    } else {
        free(b->data);
    }
}

/* Make b at least cap bytes, its first `keep` ones kept and everything behind them zero. */
static bool block_grow(struct task_block *b, size_t keep, size_t cap)
{
    if (b->mapped) {
        void *p = mremap(b->data, b->cap, cap, MREMAP_MAYMOVE);
        if (p == MAP_FAILED) {
            return false;
        }
        if (keep < b->cap) {
            memset((char *)p + keep, 0, b->cap - keep);
        }
        b->data = p;
        b->cap = cap;
        (void)madvise(p, cap, MADV_HUGEPAGE);
        return true;
    }
    struct task_block bigger = *b;
    if (!block_alloc(&bigger, cap)) {
        return false;
    }
    memcpy(bigger.data, b->data, keep);
    block_release(b);
    *b = bigger;
    return true;
}

/* A block of at least cap bytes that holds `keep` bytes of data and zeros behind them up to `want`. */
static void *block_hold(struct weir_task *t, unsigned id, const void *data, size_t keep, size_t want, size_t cap)
{
    struct task_block *b = block_find(t, id);
    bool ok = true;
    if (b && data && b->data == data) {
        if (want <= b->cap) {
            memset(b->data + keep, 0, want - keep);
        } else {
            ok = block_grow(b, keep, cap);
        }
    } else {
        struct task_block fresh = { .id = id };
        ok = block_alloc(&fresh, cap);
        if (ok && keep) {
            memcpy(fresh.data, data, keep);
        }
        if (b && ok) {
            fresh.next = b->next;
            block_release(b);
            *b = fresh;
        } else if (ok) {
            b = malloc(sizeof *b);
            ok = b != NULL;
            if (ok) {
                fresh.next = t->blocks;
                *b = fresh;
                t->blocks = b;
            }
        }
    }
    if (!ok) {
        task_fail(t, "out of memory: %zu bytes for '%s'", cap, task_artifact(t, id)->name);
    }
    return b->data;
}

/* Bytes of a row; fails the task when `rows` of them are more than memory can be. */
static size_t row_bytes(struct weir_task *t, unsigned id, size_t rows)
{
    const struct weir_artifact *a = task_artifact(t, id);
    size_t row = a->field.size;
    for (unsigned i = 1; a->form == WEIR_DYNAMIC && i < a->field.ndim; i++) {
        row *= a->field.dim[i];
    }
    size_t bytes;
    if (__builtin_mul_overflow(row, rows, &bytes) || bytes > SIZE_MAX / 4) {
        task_fail(t, "'%s' with %zu rows would be larger than memory", a->name, rows);
    }
    return row;
}

void *weir_resize(struct weir_task *t, unsigned id, const void *data, size_t have, size_t want)
{
    size_t row = row_bytes(t, id, want);
    size_t keep = data ? (have < want ? have : want) : 0;
    return block_hold(t, id, data, keep * row, want * row, want * row);
}

void *weir_grow(struct weir_task *t, unsigned id, const void *data, size_t have)
{
    size_t row = row_bytes(t, id, have + 1);
    size_t want = (have + 1) * row;
    size_t cap = want < GROW_FIRST / 2 ? GROW_FIRST : want * 2;
    return block_hold(t, id, data, data ? have * row : 0, want, cap);
}

/* ---- keeping a value ---- */

/* The place for artifact id in the result; the same one again when it is put twice. */
static struct record_value *output_of(struct weir_task *t, const struct weir_artifact *a, unsigned id)
{
    struct record_result *r = t->result;
    for (uint32_t i = 0; i < r->noutputs; i++) {
        if (r->outputs[i].id == id) {
            return &r->outputs[i];
        }
    }
    unsigned most = t->step ? t->step->nwrites : t->env->flow->nartifacts;
    bool known = !t->step && (a->flags & WEIR_PARAMETER);
    for (unsigned i = 0; t->step && i < t->step->nwrites; i++) {
        known = known || t->step->writes[i] == id;
    }
    if (!known || r->noutputs >= most) {
        task_fail(t, "'%s' makes '%s' without saying so", t->name, a->name);
    }
    struct record_value *value = &r->outputs[r->noutputs];
    *value = (struct record_value){ .id = id };
    return value;
}

/* The output is whole: count it if it is new. */
static void output_done(struct weir_task *t, const struct record_value *value)
{
    if (value == &t->result->outputs[t->result->noutputs]) {
        t->result->noutputs++;
    }
}

static void keep_inline(struct weir_task *t, const struct weir_artifact *a, struct record_value *value,
                        const struct buf *header, const void *data, size_t n, size_t bytes)
{
    struct record_result *r = t->result;
    size_t total = header->len + bytes;
    bool again = value->offset && value->size >= total && !value->is_file;
    uint64_t at = again ? value->offset : (r->used + 63) / 64 * 64;
    if (at + total > t->env->header->slot_bytes) {
        task_fail(t, "artifact '%s' is put too often in one task", a->name);
    }
    unsigned char *to = (unsigned char *)r + at;
    memcpy(to, header->data, header->len);
    if (a->form == WEIR_TEXT) {
        memcpy(to + header->len, data, bytes);
    } else if (bytes) {
        npy_canonical(&a->field, to + header->len, data, n);
    }
    value->offset = at;
    value->size = total;
    value->is_file = 0;
    r->used = again ? r->used : at + total;
}

static void keep_file(struct weir_task *t, const struct weir_artifact *a, struct record_value *value,
                      const struct buf *header, const void *data, size_t n, size_t bytes)
{
    struct err e;
    const struct record_value *same = task_incoming(t, data, bytes, header);
    if (same) {
        memcpy(value->digest, same->digest, sizeof value->digest);
    } else {
        const void *payload = data;
        struct task_block *own = block_find(t, value->id);
        struct task_block copy = { 0 };
        if (a->form != WEIR_TEXT && !npy_is_plain(&a->field)) {
            bool in_place = own && own->data == data;
            if (!in_place && !block_alloc(&copy, bytes)) {
                task_fail(t, "out of memory: %zu bytes to keep '%s'", bytes, a->name);
            }
            void *to = in_place ? own->data : copy.data;
            npy_canonical(&a->field, to, data, n);
            payload = to;
        }
        if (store_put(t->env->header->store, header->data, header->len, payload, bytes, value->digest, &e)) {
            task_fail(t, "artifact '%s': %s", a->name, e.msg);
        }
        if (copy.data) {
            block_release(&copy);
        }
    }
    value->size = header->len + bytes;
    value->is_file = 1;
    value->offset = 0;
}

void weir_put(struct weir_task *t, unsigned id, const void *data, const size_t *dim)
{
    const struct weir_artifact *a = task_artifact(t, id);
    struct record_value *value = output_of(t, a, id);
    size_t dims[WEIR_MAX_DIMS] = { 0 };
    size_t n = task_dims(t, a, dim, dims);
    size_t bytes = n * a->field.size;
    if (a->form == WEIR_TEXT) {
        bytes = data ? (dim ? strnlen(data, dim[0]) : strlen(data)) : 0;
    }
    if (!data && bytes) {
        task_fail(t, "artifact '%s' has no value", a->name);
    }
    struct buf header;
    struct err e;
    buf_init(&header, 0);
    enum err_code code = npy_header(&header, &a->field, a->form == WEIR_FIXED || a->form == WEIR_TEXT ? NULL : dims,
                                    bytes, &e);
    code = code ? code : buf_check(&header, a->name, &e);
    if (code) {
        task_fail(t, "artifact '%s': %s", a->name, e.msg);
    }
    if (header.len + bytes <= STORE_INLINE) {
        keep_inline(t, a, value, &header, data, n, bytes);
    } else {
        keep_file(t, a, value, &header, data, n, bytes);
    }
    output_done(t, value);
    buf_done(&header);
}

void weir_split(struct weir_task *t, size_t count)
{
    t->result->split = count;
    t->result->has_split = 1;
}

void weir_parameter(struct weir_task *t, unsigned id, const void *data, const size_t *dim)
{
    const struct weir_artifact *a = task_artifact(t, id);
    for (uint32_t i = 0; i < t->record->ntexts; i++) {
        const struct record_text *text = &record_texts(t->record)[i];
        if (text->id != id) {
            continue;
        }
        struct buf value;
        struct err e;
        size_t dims[WEIR_MAX_DIMS] = { 0 };
        buf_init(&value, SIZE_MAX / 4);
        memcpy(dims, a->field.dim, sizeof dims);
        const char *given = arena_shared_at(t->env->shared, text->offset, (uint64_t)text->len + 1);
        enum err_code code = parse_value(a, given ? given : "", &value, dims, &e);
        code = code ? code : buf_check(&value, a->name, &e);
        if (code) {
            task_fail(t, "%s", e.msg);
        }
        size_t length = value.len;
        weir_put(t, id, value.data, a->form == WEIR_TEXT ? &length : dims);
        buf_done(&value);
        return;
    }
    if (!data && (a->flags & WEIR_REQUIRED)) {
        task_fail(t, "parameter '%s' has no default: give it, --%s VALUE", a->name, a->name);
    }
    weir_put(t, id, data, dim);
}
