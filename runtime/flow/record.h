/* What runner, zygotes and tasks write into the run's shared memory for each other, and the one message that goes by pipe.
 *
 *   runner  writes  record_task (in the heap)   -> offset into the command pipe (8 bytes, read by any zygote)
 *   zygote  writes  record_area (its own)       what runs now, for live output and for killing it
 *   task    writes  record_result (a slot of its zygote's area), then its small artifacts
 *   zygote  writes  record_reply  into the reply pipe once the task has ended
 *
 * Offsets are from the start of the shared memory. A task's own code may have overwritten its result: the runner checks
 * every number in it. Layouts are between processes of one build only. */
#ifndef WEIR_FLOW_RECORD_H
#define WEIR_FLOW_RECORD_H

#include "runtime/base/sha256.h"
#include "runtime/flow/arena_shared.h"
#include "runtime/include/weir.h"

#include <limits.h>
#include <stdatomic.h>
#include <sys/types.h>

enum {
    RECORD_MAGIC = 0x57454952,
    RECORD_NONE = UINT32_MAX,        /* no artifact, no step: `_parameters` in record_task.step */
    RECORD_ERROR = 1024,             /* bytes of a reason */
    RECORD_PCS = 24,                 /* addresses kept of a crash */
    RECORD_AREA = 4096               /* bytes before the first slot of an area */
};

struct record_header {
    uint32_t magic, abi;
    uint32_t zygotes, slots;         /* slots a zygote */
    uint64_t areas;                  /* offset of the first area */
    uint64_t area_bytes, slot_bytes; /* whole pages */
    _Atomic uint32_t stop;           /* 1: answer without forking */
    char run[64];
    char store[PATH_MAX];            /* absolute path of the .weir folder */
};

/* A value: bytes of an .npy in the heap (or in a slot), or a file in the store. */
struct record_value {
    uint32_t id;                     /* artifact; RECORD_NONE: nothing comes in */
    uint32_t is_file;
    uint64_t size;                   /* bytes of the .npy */
    uint64_t offset;                 /* of them, unless is_file */
    unsigned char digest[SHA256_BYTES]; /* if is_file */
};

struct record_frame {
    uint32_t loop;                   /* the split's loop variable */
    uint32_t unused;
    uint64_t index;
};

struct record_text {                 /* a parameter from the command line */
    uint32_t id;
    uint32_t len;
    uint64_t offset;
};

/* One block: the struct, frames (open foreach splits, outermost first), values (one for each that the step reads), inputs
 * (ninputs rows of such values), texts. */
struct record_task {
    uint64_t bytes;
    uint64_t tag;                    /* the runner's own */
    uint32_t step;
    uint32_t nframes, nvalues, ntexts;
    uint64_t ninputs;
    uint64_t seed;
    uint64_t index;                  /* in the innermost foreach */
};

static inline const struct record_frame *record_frames(const struct record_task *r)
{
    return (const struct record_frame *)(r + 1);
}

static inline const struct record_value *record_values(const struct record_task *r)
{
    return (const struct record_value *)(record_frames(r) + r->nframes);
}

static inline const struct record_value *record_inputs(const struct record_task *r)
{
    return record_values(r) + r->nvalues;
}

static inline const struct record_text *record_texts(const struct record_task *r)
{
    return (const struct record_text *)(record_inputs(r) + r->ninputs * r->nvalues);
}

enum record_state {
    RECORD_EMPTY = 0,                /* forked, or not even that */
    RECORD_RUNNING,
    RECORD_FINISHED,
    RECORD_FAILED,                   /* weir_fail, or the runtime's own reasons */
    RECORD_CRASHED
};

struct record_result {
    uint32_t state;                  /* enum record_state */
    uint32_t noutputs;
    uint64_t used;                   /* bytes of the slot in use */
    uint64_t split;                  /* weir_split's count */
    uint32_t has_split;
    int32_t line;                    /* of a failure, 0: unknown */
    int64_t started;                 /* microseconds since the epoch */
    char cell[128];
    char reason[RECORD_ERROR];
    int32_t sig, sig_code;           /* of a crash */
    uint32_t npcs;
    uint32_t unused;
    uint64_t pcs[RECORD_PCS];        /* offsets from the load address of the flow's object; innermost first */
    struct record_value outputs[];   /* the step's nwrites at most; offsets count from the slot's start */
};

struct record_area {
    _Atomic uint64_t task;           /* offset of the record that runs now, 0: none */
    _Atomic int32_t pid;             /* of its process, 0: none */
    uint32_t slot;
    uint64_t out_start, err_start;   /* of its output in the zygote's two log files */
    int64_t started;
    char error[RECORD_ERROR];        /* why the zygote gave up; "" else */
};

enum record_kind { RECORD_ENDED, RECORD_SKIPPED, RECORD_NOT_FORKED };

struct record_reply {
    uint64_t task;                   /* offset of its record */
    uint32_t zygote, slot;
    uint32_t kind;                   /* enum record_kind */
    int32_t status;                  /* as waitpid gives it; RECORD_NOT_FORKED: errno */
    int64_t started, finished;       /* microseconds since the epoch */
    uint64_t out_start, out_end, err_start, err_end;
};

_Static_assert(sizeof(struct record_header) <= 3 * 4096, "the header's pages");
_Static_assert(sizeof(struct record_area) <= RECORD_AREA, "an area's page");
_Static_assert(sizeof(struct record_reply) <= PIPE_BUF, "a reply is written at once");

#endif
