/* See area.h. First fit; large blocks go back to the system at once. */
#include "runtime/build/area.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { UNIT = 16, PAGE = 4096, LARGE = 64 << 10 };

bool area_init(struct area *a, char *base, size_t size)
{
    *a = (struct area){ .base = base, .size = size, .cap = 64 };
    a->free = calloc(a->cap, sizeof *a->free);
    if (!a->free) {
        return false;
    }
    a->free[a->nfree++] = (struct range){ .at = 0, .len = size };
    return true;
}

void area_done(struct area *a)
{
    free(a->free);
    *a = (struct area){ .base = NULL };
}

/* Room for one more range. */
static bool reserve(struct area *a)
{
    if (a->nfree < a->cap) {
        return true;
    }
    struct range *grown = realloc(a->free, a->cap * 2 * sizeof *grown);
    if (!grown) {
        return false;
    }
    a->free = grown;
    a->cap *= 2;
    return true;
}

static void remove_range(struct area *a, size_t i)
{
    memmove(&a->free[i], &a->free[i + 1], (a->nfree - i - 1) * sizeof *a->free);
    a->nfree--;
}

static void insert_range(struct area *a, size_t i, struct range r)
{
    memmove(&a->free[i + 1], &a->free[i], (a->nfree - i) * sizeof *a->free);
    a->free[i] = r;
    a->nfree++;
}

struct block area_take(struct area *a, size_t len, size_t align)
{
    if (len > a->size || !reserve(a)) {
        return (struct block){ .at = NULL };
    }
    len = (len + UNIT - 1) & ~(size_t)(UNIT - 1);
    align = align < UNIT ? UNIT : align;
    for (size_t i = 0; i < a->nfree; i++) {
        struct range *r = &a->free[i];
        size_t skip = (size_t)(-(uintptr_t)(a->base + r->at) & (align - 1));
        if (skip > r->len || len > r->len - skip) {
            continue;
        }
        size_t at = r->at + skip, left = r->len - skip - len;
        if (skip && left) {
            r->len = skip;
            insert_range(a, i + 1, (struct range){ .at = at + len, .len = left });
        } else if (skip) {
            r->len = skip;
        } else if (left) {
            *r = (struct range){ .at = at + len, .len = left };
        } else {
            remove_range(a, i);
        }
        return (struct block){ .at = a->base + at, .len = len };
    }
    return (struct block){ .at = NULL };
}

/* Zero again. Whole pages of a large one cost nothing from here on. */
static void clear(struct block b)
{
    char *first = b.at + (-(uintptr_t)b.at & (PAGE - 1));
    if (b.len < LARGE) {
        memset(b.at, 0, b.len);
        return;
    }
    size_t pages = (size_t)(b.at + b.len - first) & ~(size_t)(PAGE - 1);
    memset(b.at, 0, (size_t)(first - b.at));
    if (madvise(first, pages, MADV_DONTNEED) != 0) { /* locked in memory */
        memset(first, 0, pages);
    }
    memset(first + pages, 0, (size_t)(b.at + b.len - first) - pages);
}

void area_give(struct area *a, struct block b)
{
    if (!b.at) {
        return;
    }
    clear(b);
    size_t at = (size_t)(b.at - a->base), low = 0, high = a->nfree;
    while (low < high) { /* the first range behind it */
        size_t middle = low + (high - low) / 2;
        if (a->free[middle].at < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct range *before = low > 0 ? &a->free[low - 1] : NULL, *behind = low < a->nfree ? &a->free[low] : NULL;
    bool joins = before && before->at + before->len == at;
    if (behind && at + b.len == behind->at) {
        behind->at = at;
        behind->len += b.len;
        if (joins) {
            before->len += behind->len;
            remove_range(a, low);
        }
    } else if (joins) {
        before->len += b.len;
    } else if (reserve(a)) { /* else the block is lost */
        insert_range(a, low, (struct range){ .at = at, .len = b.len });
    }
}
