/* See tcc_memory.h. Blocks are powers of two in size, head included, and are cut off the region one after the other; one that
 * is given back waits in the list of its size. All go together at the end. A compilation that needs more than the region
 * gets it from libc. */
#include "runtime/build/tcc_memory.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    REGION_BITS = 28,
    REGION = 1 << REGION_BITS,
    KEPT = 8 << 20, /* stays ours between compilations; a small cell spreads over 4 MiB, and writes to 0.1 of them */
    BITS_LEAST = 5,
    ALIGN = 16,
    NAMES = 128 << 10
};

struct block {
    alignas(ALIGN) unsigned bits; /* its size: 1 << bits */
    struct block *next;           /* in its list, while it is free: where the user's bytes would be */
};
enum { HEAD = ALIGN };

/* libtcc's state is one for the process, and so is its memory. */
static struct {
    char *base; /* NULL: none */
    bool tried;
    size_t used;
    struct block *waiting[REGION_BITS + 1];
} memory;

/* libtcc's table of names, NAMES bytes, which each compilation begins by clearing. The Makefile makes it known under this
 * name, if it is what we know. */
extern char tcc_memory_names[] __attribute__((weak));

static void wipe_names_on_fork(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)tcc_memory_names + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)tcc_memory_names + NAMES) & ~(page - 1);
    if (tcc_memory_names != NULL) {
        (void)madvise((void *)from, end - from, MADV_WIPEONFORK); /* costs time if it fails, nothing else */
    }
}

static bool open_region(void)
{
    if (!memory.tried) {
        memory.tried = true;
        void *map = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (map != MAP_FAILED) {
            (void)madvise(map, REGION, MADV_WIPEONFORK); /* as above */
            memory.base = map;
        }
        wipe_names_on_fork();
    }
    return memory.base != NULL;
}

static bool is_ours(const void *p)
{
    return memory.base && (const char *)p >= memory.base && (const char *)p < memory.base + REGION;
}

static struct block *block_of(void *p)
{
    return (struct block *)((char *)p - HEAD);
}

static unsigned bits_for(size_t size)
{
    unsigned bits = BITS_LEAST;
    while (((size_t)1 << bits) - HEAD < size) {
        bits++;
    }
    return bits;
}

void *tcc_memory_malloc(size_t size)
{
    if (!open_region() || size > REGION - HEAD) {
        return malloc(size);
    }
    unsigned bits = bits_for(size);
    struct block *b = memory.waiting[bits];
    if (b) {
        memory.waiting[bits] = b->next;
    } else if (((size_t)1 << bits) <= REGION - memory.used) {
        b = (struct block *)(memory.base + memory.used);
        b->bits = bits;
        memory.used += (size_t)1 << bits;
    } else {
        return malloc(size);
    }
    return (char *)b + HEAD;
}

void *tcc_memory_calloc(size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    void *p = tcc_memory_malloc(count * size);
    return p ? memset(p, 0, count * size) : NULL;
}

void tcc_memory_free(void *p)
{
    if (!is_ours(p)) {
        free(p);
        return;
    }
    struct block *b = block_of(p);
    b->next = memory.waiting[b->bits];
    memory.waiting[b->bits] = b;
}

void *tcc_memory_realloc(void *p, size_t size)
{
    if (p && !is_ours(p)) {
        return realloc(p, size);
    }
    size_t room = p ? ((size_t)1 << block_of(p)->bits) - HEAD : 0;
    if (p && size > 0 && size <= room) {
        return p;
    }
    void *grown = size > 0 ? tcc_memory_malloc(size) : NULL;
    if (grown && p) {
        memcpy(grown, p, room < size ? room : size);
    }
    if (p && (grown || size == 0)) {
        tcc_memory_free(p);
    }
    return grown;
}

void tcc_memory_reset(void)
{
    if (memory.used > KEPT) {
        (void)madvise(memory.base + KEPT, memory.used - KEPT, MADV_DONTNEED); /* if not, it is used again */
    }
    memory.used = 0;
    memset(memory.waiting, 0, sizeof memory.waiting);
}
