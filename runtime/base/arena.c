/* See arena.h. */
#include "runtime/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* An arena a cell of a long session: most hold little. */
enum { FIRST_BLOCK = 512, LARGEST_BLOCK = 4096 };

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *a)
{
    a->blocks = NULL;
}

void arena_done(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > (size_t)-1 / 2) {
        return NULL;
    }
    size = (size + align - 1) / align * align;
    struct arena_block *block = a->blocks;
    if (!block || block->size - block->used < size) {
        size_t room = block && block->size < LARGEST_BLOCK ? 2 * block->size : block ? LARGEST_BLOCK : FIRST_BLOCK;
        room = room > size ? room : size;
        block = malloc(sizeof *block + room);
        if (!block) {
            return NULL;
        }
        *block = (struct arena_block){ .next = a->blocks, .size = room };
        a->blocks = block;
    }
    void *p = block->data + block->used;
    block->used += size;
    return memset(p, 0, size);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *copy = arena_alloc(a, len + 1);
    if (copy && len) {
        memcpy(copy, s, len);
    }
    return copy;
}
