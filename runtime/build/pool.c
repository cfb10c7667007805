/* See pool.h. Open addressing, linear probing. */
#include "runtime/build/pool.h"

#include "runtime/base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

bool pool_init(struct pool *p, char *base, size_t size)
{
    *p = (struct pool){ .base = base, .size = size };
    return mprotect(base, size, PROT_READ) == 0;
}

void pool_done(struct pool *p)
{
    free(p->table);
    *p = (struct pool){ .base = NULL };
}

static bool grow(struct pool *p)
{
    size_t cap = p->cap ? p->cap * 2 : 256;
    struct literal *table = calloc(cap, sizeof *table);
    if (!table) {
        return false;
    }
    for (size_t i = 0; i < p->cap; i++) {
        size_t to = (size_t)p->table[i].hash & (cap - 1);
        while (p->table[i].len && table[to].len) {
            to = (to + 1) & (cap - 1);
        }
        if (p->table[i].len) {
            table[to] = p->table[i];
        }
    }
    free(p->table);
    p->table = table;
    p->cap = cap;
    return true;
}

/* Copy to base + at, whose pages can be written only meanwhile. */
static bool store(struct pool *p, size_t at, const char *bytes, size_t len)
{
    size_t first = at & ~(size_t)(PAGE - 1), end = (at + len + PAGE - 1) & ~(size_t)(PAGE - 1);
    if (mprotect(p->base + first, end - first, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    memcpy(p->base + at, bytes, len);
    return mprotect(p->base + first, end - first, PROT_READ) == 0;
}

const char *pool_put(struct pool *p, const char *bytes, size_t len, size_t align)
{
    if (p->count * 2 >= p->cap && !grow(p)) {
        return NULL;
    }
    uint64_t hash = hash_bytes(0, bytes, len);
    size_t i = (size_t)hash & (p->cap - 1);
    for (; p->table[i].len; i = (i + 1) & (p->cap - 1)) {
        const struct literal *l = &p->table[i];
        if (l->hash == hash && l->len == len && (l->at & (align - 1)) == 0 &&
            memcmp(p->base + l->at, bytes, len) == 0) {
            return p->base + l->at;
        }
    }
    size_t at = (p->used + align - 1) & ~(align - 1);
    if (at > p->size || len == 0 || len > p->size - at || !store(p, at, bytes, len)) {
        return NULL;
    }
    p->used = at + len;
    p->table[i] = (struct literal){ .at = (uint32_t)at, .len = (uint32_t)len, .hash = hash };
    p->count++;
    return p->base + at;
}
