/* See schedule.h. */
#include "runtime/flow/schedule.h"

#include <stdlib.h>
#include <string.h>

/* On the stack of what is ready: one task, or the rest of a split's tasks. */
struct ready {
    struct task_spec spec;         /* if frame is NULL */
    struct frame *frame;           /* owned reference */
    uint64_t next;                 /* of its tasks */
};

struct schedule {
    const struct weir_flow *flow;
    const struct graph *graph;
    struct arena_shared *shared;
    int *join_of;                  /* of each step that splits: the step that closes it; else -1 */
    struct ready *stack;
    size_t n, cap;
};

struct schedule *schedule_new(const struct weir_flow *flow, const struct graph *graph, struct arena_shared *shared)
{
    struct schedule *s = calloc(1, sizeof *s);
    int *join_of = malloc((flow->nsteps + 1) * sizeof *join_of);
    if (!s || !join_of) {
        free(s);
        free(join_of);
        return NULL;
    }
    *s = (struct schedule){ .flow = flow, .graph = graph, .shared = shared, .join_of = join_of };
    for (unsigned i = 0; i < flow->nsteps; i++) {
        join_of[i] = -1;
    }
    for (unsigned i = 0; i < flow->nsteps; i++) {
        if (flow->steps[i].join && graph->steps[i].split >= 0) {
            join_of[graph->steps[i].split] = (int)i;
        }
    }
    return s;
}

/* ---- references ---- */

static struct frame *frame_keep(struct frame *f)
{
    if (f) {
        f->references++;
    }
    return f;
}

static void frame_drop(struct schedule *s, struct frame *f)
{
    while (f && --f->references == 0) {
        struct frame *outer = f->outer;
        for (uint64_t i = 0; f->leaves && i < f->count; i++) {
            lineage_drop(s->shared, f->leaves[i]);
        }
        lineage_drop(s->shared, f->node);
        free(f->leaves);
        free(f);
        f = outer;
    }
}

void task_spec_drop(struct schedule *s, struct task_spec *spec)
{
    lineage_drop(s->shared, spec->node);
    frame_drop(s, spec->joined);
    frame_drop(s, spec->frame);
    *spec = (struct task_spec){ 0 };
}

void schedule_free(struct schedule *s)
{
    if (!s) {
        return;
    }
    while (s->n) {
        struct ready *r = &s->stack[--s->n];
        if (r->frame) {
            frame_drop(s, r->frame);
        } else {
            task_spec_drop(s, &r->spec);
        }
    }
    free(s->stack);
    free(s->join_of);
    free(s);
}

/* ---- making tasks ready ---- */

static struct ready *push(struct schedule *s)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        struct ready *grown = realloc(s->stack, cap * sizeof *grown);
        if (!grown) {
            return NULL;
        }
        s->stack = grown;
        s->cap = cap;
    }
    struct ready *r = &s->stack[s->n++];
    *r = (struct ready){ 0 };
    return r;
}

static enum err_code push_task(struct schedule *s, unsigned step, struct lineage *node, struct frame *frame, uint64_t index,
                               struct frame *joined, struct err *e)
{
    struct ready *r = push(s);
    if (!r) {
        return err_memory(e);
    }
    r->spec = (struct task_spec){ .step = step, .node = lineage_keep(node), .frame = frame_keep(frame), .index = index,
                                  .joined = frame_keep(joined) };
    return ERR_NONE;
}

/* All of a split's tasks have come: its join may run, in the place of the split's task. */
static enum err_code push_join(struct schedule *s, struct frame *f, uint64_t *ready, struct err *e)
{
    unsigned join = (unsigned)s->join_of[f->split];
    ready[join]++;
    return push_task(s, join, f->node, f->outer, f->outer_index, f, e);
}

/* A task that follows another: into its step, or into the join that closes the frame. */
static enum err_code enter(struct schedule *s, unsigned step, struct lineage *node, struct frame *frame, uint64_t index,
                           uint64_t *ready, struct err *e)
{
    if (!s->flow->steps[step].join) {
        ready[step]++;
        return push_task(s, step, node, frame, index, NULL, e);
    }
    frame->leaves[index] = lineage_keep(node);
    frame->arrived++;
    return frame->arrived == frame->count ? push_join(s, frame, ready, e) : ERR_NONE;
}

static struct frame *frame_new(const struct task_spec *spec, struct lineage *node, uint64_t count)
{
    struct frame *f = calloc(1, sizeof *f);
    struct lineage **leaves = calloc(count ? count : 1, sizeof *leaves);
    if (!f || !leaves) {
        free(f);
        free(leaves);
        return NULL;
    }
    *f = (struct frame){ .outer = frame_keep(spec->frame), .outer_index = spec->index, .references = 1, .split = spec->step,
                         .node = lineage_keep(node), .count = count, .leaves = leaves };
    return f;
}

/* Open a split: one entry of the stack yields its tasks. (None of them is a join: the graph's check refuses that.) */
static enum err_code open_split(struct schedule *s, const struct task_spec *spec, struct lineage *node, uint64_t count,
                                uint64_t *ready, struct err *e)
{
    const struct weir_step *step = &s->flow->steps[spec->step];
    bool fans = step->foreach >= 0;
    struct frame *f = frame_new(spec, node, count);
    if (!f) {
        return err_set(e, ERR_MEMORY, "out of memory for %llu tasks of '%s'", (unsigned long long)count,
                       s->flow->steps[step->next[0]].name);
    }
    enum err_code code = ERR_NONE;
    if (count == 0) {
        code = push_join(s, f, ready, e);
    } else {
        struct ready *r = push(s);
        if (!r) {
            code = err_memory(e);
        } else {
            r->frame = frame_keep(f);
        }
        for (uint64_t i = 0; !code && !fans && i < count; i++) {
            ready[step->next[i]]++;
        }
        ready[step->next[0]] += fans ? count : 0;
    }
    frame_drop(s, f);
    return code;
}

enum err_code schedule_begin(struct schedule *s, struct lineage *root, struct err *e)
{
    return push_task(s, s->flow->first, root, NULL, 0, NULL, e);
}

enum err_code schedule_done(struct schedule *s, struct task_spec *spec, struct lineage *node, uint64_t split,
                            uint64_t *ready, struct err *e)
{
    const struct weir_step *step = &s->flow->steps[spec->step];
    enum err_code code = ERR_NONE;
    if (step->foreach >= 0 || step->nnext > 1) {
        code = open_split(s, spec, node, step->foreach >= 0 ? split : step->nnext, ready, e);
    } else if (step->nnext == 1) {
        code = enter(s, step->next[0], node, spec->frame, spec->index, ready, e);
    }
    task_spec_drop(s, spec);
    return code;
}

/* ---- taking them ---- */

static unsigned target_of(const struct schedule *s, const struct frame *f, uint64_t i)
{
    const struct weir_step *split = &s->flow->steps[f->split];
    return split->next[split->foreach >= 0 ? 0 : i];
}

bool schedule_next(struct schedule *s, struct task_spec *out)
{
    while (s->n) {
        struct ready *r = &s->stack[s->n - 1];
        if (!r->frame) {
            *out = r->spec;
            s->n--;
            return true;
        }
        struct frame *f = r->frame;
        uint64_t i = r->next++;
        if (r->next == f->count) {
            s->n--; /* the last one: the reference below becomes the task's */
        } else {
            (void)frame_keep(f);
        }
        *out = (struct task_spec){ .step = target_of(s, f, i), .node = lineage_keep(f->node), .frame = f, .index = i };
        return true;
    }
    return false;
}

unsigned task_spec_frames(const struct schedule *s, const struct task_spec *spec, struct record_frame *out, unsigned max)
{
    unsigned n = 0;
    for (const struct frame *f = spec->frame; f; f = f->outer) {
        n += s->flow->steps[f->split].foreach >= 0;
    }
    unsigned i = n;
    uint64_t index = spec->index;
    for (const struct frame *f = spec->frame; f; index = f->outer_index, f = f->outer) {
        int loop = s->flow->steps[f->split].foreach;
        if (loop >= 0 && --i < max) {
            out[i] = (struct record_frame){ .loop = (uint32_t)loop, .index = index };
        }
    }
    return n;
}
