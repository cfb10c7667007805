/* Memory that is freed all at once: for what lives and dies together (a parsed cell, a request).
 *
 * Embedded in its owner; not for sharing between threads. */
#ifndef WEIR_BASE_ARENA_H
#define WEIR_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first, owned */
};

void arena_init(struct arena *a);
void arena_done(struct arena *a);

/* size bytes, zeroed, aligned for any type; borrowed until arena_done. NULL: out of memory. */
void *arena_alloc(struct arena *a, size_t size);

/* A copy of s[0..len), NUL-terminated; borrowed until arena_done. NULL: out of memory. */
char *arena_strndup(struct arena *a, const char *s, size_t len);

#endif
