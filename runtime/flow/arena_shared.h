/* The memory that a run's processes share: one sparse memory file, mapped at will by the runner and its zygotes.
 *
 *   0            reserved              heap                                   size
 *   | record_header | zygote areas ...  | task records, small artifacts ...    |
 *
 * Places in it are offsets, since every process maps it elsewhere. The runner alone allocates in the heap; a zygote (and
 * so a task) maps all of it read-only but for its own area, so that a wild pointer of the user's can spoil that
 * task's result only. Memory is used as pages are touched; what is freed is used again, large blocks go back to the
 * system. One owner, one thread. */
#ifndef WEIR_FLOW_ARENA_SHARED_H
#define WEIR_FLOW_ARENA_SHARED_H

#include "runtime/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
    ARENA_SHARED_STEP = 64,       /* blocks are aligned to and sized in this */
    ARENA_SHARED_SMALL = 128,     /* classes of k * STEP; beyond that powers of two */
    ARENA_SHARED_CLASSES = ARENA_SHARED_SMALL + 64
};

struct arena_shared {
    char *base;                   /* start of the mapping */
    size_t size;                  /* bytes mapped */
    int fd;
    uint64_t top;                 /* first byte of the heap never given out */
    uint64_t live;                /* bytes in blocks given out */
    uint64_t free[ARENA_SHARED_CLASSES]; /* first free block of each class, 0: none; each holds the next one's offset */
};

/* A new memory file whose first `reserved` bytes are not the heap's. As large as the system lets it be (64 GiB sparse).
 * ERR_IO, ERR_MEMORY. Free with arena_shared_done. */
enum err_code arena_shared_new(struct arena_shared *a, size_t reserved, struct err *e);

/* Map the one behind fd (takes fd), writable in [from, from + len) only; whole pages. */
enum err_code arena_shared_attach(struct arena_shared *a, int fd, uint64_t from, size_t len, struct err *e);
void arena_shared_done(struct arena_shared *a);

/* Offset of size bytes (not zeroed), 64-byte aligned; 0: the file is full. Free with the same size. */
uint64_t arena_shared_alloc(struct arena_shared *a, size_t size);
void arena_shared_free(struct arena_shared *a, uint64_t offset, size_t size);

/* Address of [offset, offset + size); NULL if that is not inside. */
void *arena_shared_at(const struct arena_shared *a, uint64_t offset, uint64_t size);

#endif
