/* String literals and constants of cells, each kept once and for ever, in memory that can only be read.
 *
 * A pointer to a literal may be stored anywhere, so a cell's memory could never be given back if it held them. */
#ifndef WEIR_BUILD_POOL_H
#define WEIR_BUILD_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool {
    char *base;
    size_t size, used;
    struct literal {
        uint32_t at, len; /* len 0: free place */
        uint64_t hash;
    } *table; /* owned; capacity a power of two */
    size_t count, cap;
};

/* base[0..size) is the caller's: mapped, zeroed, aligned to a page. False: it can't be made read-only. */
bool pool_init(struct pool *p, char *base, size_t size);
void pool_done(struct pool *p);

/* Where these bytes are, aligned to align (at most 16). NULL: no room. */
const char *pool_put(struct pool *p, const char *bytes, size_t len, size_t align);

#endif
