/* See symbols.h. Open addressing, linear probing. */
#include "runtime/build/symbols.h"

#include "runtime/base/hash.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void symbols_init(struct symbols *s)
{
    *s = (struct symbols){ .at = NULL };
    arena_init(&s->names);
}

void symbols_done(struct symbols *s)
{
    free(s->at);
    arena_done(&s->names);
}

/* The slot of this name, or the free one where it would go. cap > count. */
static struct symbol *slot(const struct symbols *s, const char *name, size_t len)
{
    for (size_t i = (size_t)hash_bytes(0, name, len) & (s->cap - 1);; i = (i + 1) & (s->cap - 1)) {
        struct symbol *at = &s->at[i];
        if (!at->name || (strncmp(at->name, name, len) == 0 && at->name[len] == '\0')) {
            return at;
        }
    }
}

struct symbol *symbols_find(const struct symbols *s, const char *name, size_t len)
{
    if (!s->cap) {
        return NULL;
    }
    struct symbol *at = slot(s, name, len);
    return at->name ? at : NULL;
}

static bool grow(struct symbols *s)
{
    struct symbols bigger = { .cap = s->cap ? s->cap * 2 : 256 };
    bigger.at = calloc(bigger.cap, sizeof *bigger.at);
    if (!bigger.at) {
        return false;
    }
    for (size_t i = 0; i < s->cap; i++) {
        if (s->at[i].name) {
            *slot(&bigger, s->at[i].name, strlen(s->at[i].name)) = s->at[i];
        }
    }
    free(s->at);
    s->at = bigger.at;
    s->cap = bigger.cap;
    return true;
}

struct symbol *symbols_put(struct symbols *s, const char *name, size_t len)
{
    if (s->count * 2 >= s->cap && !grow(s)) {
        return NULL;
    }
    struct symbol *at = slot(s, name, len);
    if (!at->name) {
        at->name = arena_strndup(&s->names, name, len);
        if (!at->name) {
            return NULL;
        }
        s->count++;
    }
    return at;
}
