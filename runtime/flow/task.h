/* A task, inside the process that was forked for it: its inputs, what it puts, how it fails.
 *
 * What lowered steps call (weir.h) works on a struct weir_task; weir_fail and the signal handlers find it through the one
 * static pointer that task.c owns, since they get no argument. Lives from fork to _exit; frees nothing. */
#ifndef WEIR_FLOW_TASK_H
#define WEIR_FLOW_TASK_H

#include "runtime/base/buf.h"
#include "runtime/flow/record.h"

#include <stdbool.h>

/* What a zygote knows before it forks. */
struct task_env {
    const struct weir_flow *flow;
    struct arena_shared *shared;
    const struct record_header *header;
    uintptr_t load;                /* load address of the flow's object */
    uintptr_t code, code_end;      /* its executable part */
    uintptr_t stack_top;           /* above every frame of the user's: main's argv lies there */
    pid_t zygote;
};

/* An incoming value, once looked at. */
struct task_view {
    const unsigned char *start;    /* of the .npy; NULL: not loaded yet */
    const unsigned char *data;     /* its payload (WEIR_TEXT: a copy with NUL) */
    size_t bytes;                  /* of the payload */
    size_t dim[WEIR_MAX_DIMS];     /* all the artifact's dims; WEIR_TEXT: dim[0] the length */
};

/* Memory given out by weir_resize. */
struct task_block {
    struct task_block *next;
    unsigned id;
    bool mapped;                   /* by mmap, else from aligned_alloc */
    char *data;
    size_t cap;                    /* bytes */
};

struct weir_task {
    const struct task_env *env;
    const struct record_task *record;
    struct record_result *result;
    const struct weir_step *step;  /* NULL: `_parameters` */
    const char *name;
    pid_t pid;
    struct task_view *values;      /* one for each that the step reads */
    struct task_view **inputs;     /* rows of such, each made when first asked for */
    struct buf *expected;          /* of each read: canonical header (WEIR_FIXED) or descr, made when first needed */
    struct task_block *blocks;
};

/* In the child: run the step, write the result, _exit. */
_Noreturn void task_run(const struct task_env *env, const struct record_task *record, struct record_result *result);

/* In the zygote: crash handlers on their own stack (inherited by every task), standard FP mode, line buffering. Sets
 * what env says of the code; flow and stack_top are there already. */
enum err_code task_prepare(struct task_env *env, struct err *e);

/* End the task as failed, for a reason of the runtime's: no place but the step's cell. */
_Noreturn void task_fail(struct weir_task *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The task of this process; NULL: none. */
struct weir_task *task_current(void);

const struct weir_artifact *task_artifact(struct weir_task *t, unsigned id);

/* The run-time dims of an artifact as the functions of weir.h take them (NULL for WEIR_FIXED), all of them, into out.
 * Returns the number of elements (WEIR_TEXT: 1); fails the task on overflow. */
size_t task_dims(struct weir_task *t, const struct weir_artifact *a, const size_t *dim, size_t out[WEIR_MAX_DIMS]);

/* The incoming value that data is, if it is one (its view's payload): to be put again unchanged. NULL: none. */
const struct record_value *task_incoming(struct weir_task *t, const void *data, size_t bytes, const struct buf *header);

#endif
