/* The session linker's names: where cells and the host have put them. A hash table that only grows. */
#ifndef WEIR_BUILD_SYMBOLS_H
#define WEIR_BUILD_SYMBOLS_H

#include "runtime/base/arena.h"

#include <stdbool.h>

struct unit;

struct symbol {
    const char *name;
    void *cell;        /* newest definition in a cell, a function's gate; NULL: none */
    void *host;        /* the host's, or a library's once looked up; NULL: none */
    char *gate;        /* NULL: never a function of a cell */
    struct unit *unit; /* that has the function which the gate leads to; NULL: none yet */
    bool function;     /* what `cell` is */
    bool library;      /* `host` comes from a library, not from us */
};

struct symbols {
    struct symbol *at; /* owned; capacity a power of two */
    size_t count, cap;
    struct arena names;
};

void symbols_init(struct symbols *s);
void symbols_done(struct symbols *s);

/* NULL: unknown. Borrowed until the next symbols_put. */
struct symbol *symbols_find(const struct symbols *s, const char *name, size_t len);

/* Find or make. NULL: out of memory. Borrowed until the next symbols_put. */
struct symbol *symbols_put(struct symbols *s, const char *name, size_t len);

#endif
