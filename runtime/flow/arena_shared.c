/* See arena_shared.h. The heap is segregated free lists over a bump pointer: a run allocates few different sizes, millions
 * of times. */
#include "runtime/flow/arena_shared.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GIVE_BACK = 1 << 20 };     /* free blocks from here on release their pages */

static const size_t largest = (size_t)64 << 30;
static const size_t smallest = (size_t)64 << 20;

static int create_file(size_t *size)
{
    int fd = memfd_create("weir-run", MFD_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    for (*size = largest; *size >= smallest; *size /= 2) {
        if (ftruncate(fd, (off_t)*size) == 0) {
            return fd;
        }
    }
    (void)close(fd); /* errno of ftruncate tells more */
    return -1;
}

enum err_code arena_shared_new(struct arena_shared *a, size_t reserved, struct err *e)
{
    size_t size;
    int fd = create_file(&size);
    if (fd < 0) {
        return err_errno(e, "the run's shared memory");
    }
    void *base = MAP_FAILED;
    for (; size >= smallest; size /= 2) {
        base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
        if (base != MAP_FAILED) {
            break;
        }
    }
    if (base == MAP_FAILED || reserved >= size) {
        enum err_code code = err_errno(e, "mapping the run's shared memory");
        (void)close(fd);
        if (base != MAP_FAILED) {
            (void)munmap(base, size);
        }
        return code;
    }
    *a = (struct arena_shared){ .base = base, .size = size, .fd = fd };
    a->top = (reserved + ARENA_SHARED_STEP - 1) / ARENA_SHARED_STEP * ARENA_SHARED_STEP;
    return ERR_NONE;
}

enum err_code arena_shared_attach(struct arena_shared *a, int fd, uint64_t from, size_t len, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        return err_errno(e, "the run's shared memory");
    }
    size_t size = (size_t)st.st_size;
    if (from > size || len > size - from) {
        return err_set(e, ERR_FORMAT, "the run's shared memory has %zu bytes, not %zu more from %llu", size, len,
                       (unsigned long long)from);
    }
    char *base = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED) {
        return err_errno(e, "mapping the run's shared memory");
    }
    if (len && mprotect(base + from, len, PROT_READ | PROT_WRITE) < 0) {
        enum err_code code = err_errno(e, "mapping the run's shared memory");
        (void)munmap(base, size);
        return code;
    }
    *a = (struct arena_shared){ .base = base, .size = size, .fd = fd, .top = size };
    return ERR_NONE;
}

void arena_shared_done(struct arena_shared *a)
{
    if (a->base) {
        (void)munmap(a->base, a->size);
        (void)close(a->fd);
    }
    *a = (struct arena_shared){ .fd = -1 };
}

/* The class of a size, and the bytes that its blocks have. */
static unsigned class_of(size_t size, size_t *block)
{
    size_t steps = (size + ARENA_SHARED_STEP - 1) / ARENA_SHARED_STEP;
    if (steps < ARENA_SHARED_SMALL) {
        steps += steps == 0;
        *block = steps * ARENA_SHARED_STEP;
        return (unsigned)steps;
    }
    unsigned bits = 64 - (unsigned)__builtin_clzll(size - 1); /* size <= 1 << bits */
    *block = (size_t)1 << bits;
    return ARENA_SHARED_SMALL + bits;
}

uint64_t arena_shared_alloc(struct arena_shared *a, size_t size)
{
    if (size > a->size) {
        return 0;
    }
    size_t block;
    unsigned k = class_of(size, &block);
    uint64_t offset = a->free[k];
    if (offset) {
        memcpy(&a->free[k], a->base + offset, sizeof a->free[k]);
    } else {
        if (block > a->size - a->top) {
            return 0;
        }
        offset = a->top;
        a->top += block;
    }
    a->live += block;
    return offset;
}

void arena_shared_free(struct arena_shared *a, uint64_t offset, size_t size)
{
    if (!offset) {
        return;
    }
    size_t block;
    unsigned k = class_of(size, &block);
    if (block >= GIVE_BACK) {
        /* Failure only means that the pages stay. */
        (void)fallocate(a->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)block);
    }
    memcpy(a->base + offset, &a->free[k], sizeof a->free[k]);
    a->free[k] = offset;
    a->live -= block;
}

void *arena_shared_at(const struct arena_shared *a, uint64_t offset, uint64_t size)
{
    if (offset > a->size || size > a->size - offset) {
        return NULL;
    }
    return a->base + offset;
}
