/* Memory of one reserved mapping, given out in blocks and taken back: what a cell leaves is used again. */
#ifndef WEIR_BUILD_AREA_H
#define WEIR_BUILD_AREA_H

#include <stdbool.h>
#include <stddef.h>

struct area {
    char *base;
    size_t size;
    struct range {
        size_t at, len;
    } *free; /* owned; by place, none touching the next */
    size_t nfree, cap;
};

/* A block. Zeroed: none. */
struct block {
    char *at;
    size_t len;
};

/* base[0..size) is the caller's, zeroed and aligned to a page. False: out of memory. */
bool area_init(struct area *a, char *base, size_t size);
void area_done(struct area *a);

/* len bytes (> 0), zeroed, aligned to a power of two up to a page. at NULL: no room. */
struct block area_take(struct area *a, size_t len, size_t align);

/* Take a block back; its bytes become zero. */
void area_give(struct area *a, struct block b);

#endif
