/* The sleeping copies of a session that the kernel can wake: one for each cell that can be gone back over.
 *
 *   at[0] .. at[n-1]     oldest first; at[n-1] holds the state as it is now, while no cell has changed it
 *
 * A copy is a child of this process (the session forks it so) and leads a process group of its own. The kernel keeps
 * them, discards them with SIGKILL without waiting, and wakes one in the place of a session that is dead. */
#ifndef WEIR_KERNEL_CHECKPOINT_H
#define WEIR_KERNEL_CHECKPOINT_H

#include "kernel/session_shared.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct checkpoint {
    pid_t pid;
    int count;      /* of the cell after which it was taken; 0: none had run */
    int64_t memory; /* bytes that it may come to hold alone: what the session had */
};

struct checkpoints {
    struct checkpoint at[UNDO_MAX + 1];
    size_t n;
    bool stale; /* the newest was lost: at[n-1] holds an older state */
};

/* A copy of the state as it is now. Older ones are discarded as far as undo and undo_memory ask for it; the new one never is.
 * False: pid is no child of ours, and nothing changes. */
bool checkpoints_push(struct checkpoints *c, struct checkpoint new, const struct settings *settings);

/* Take out the copy `back` places before the newest; newer ones are discarded. *out zeroed and false: there is none. */
bool checkpoints_take(struct checkpoints *c, size_t back, struct checkpoint *out);

/* A child ended; true if it was one of them, which is then forgotten. */
bool checkpoints_ended(struct checkpoints *c, pid_t pid);

/* Discard all. */
void checkpoints_clear(struct checkpoints *c);

#endif
