/* The index's table of names: spelling -> entry -> newest node in each name space. See index_internal.h. */
#include "runtime/lang/index_internal.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 8192 };

static uint32_t name_hash(const char *s, size_t len)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < len; i++) {
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    }
    return h;
}

static struct entry *find_hashed(const struct index *ix, const char *s, size_t len, uint32_t hash)
{
    if (!ix->nbuckets) {
        return NULL;
    }
    for (struct entry *n = ix->buckets[hash & (ix->nbuckets - 1)]; n; n = n->next) {
        if (n->hash == hash && n->len == len && memcmp(n->name, s, len) == 0) {
            return n;
        }
    }
    return NULL;
}

struct entry *entry_find(const struct index *ix, const char *s, size_t len)
{
    return find_hashed(ix, s, len, name_hash(s, len));
}

static bool grow(struct index *ix)
{
    size_t n = ix->nbuckets ? ix->nbuckets * 2 : FIRST_BUCKETS;
    struct entry **buckets = calloc(n, sizeof *buckets);
    if (!buckets) {
        return false;
    }
    for (size_t i = 0; i < ix->nbuckets; i++) {
        while (ix->buckets[i]) {
            struct entry *moved = ix->buckets[i];
            ix->buckets[i] = moved->next;
            moved->next = buckets[moved->hash & (n - 1)];
            buckets[moved->hash & (n - 1)] = moved;
        }
    }
    free(ix->buckets);
    ix->buckets = buckets;
    ix->nbuckets = n;
    return true;
}

struct entry *entry_intern(struct index *ix, const char *s, size_t len)
{
    uint32_t hash = name_hash(s, len);
    struct entry *entry = find_hashed(ix, s, len, hash);
    if (entry || (ix->nentries >= ix->nbuckets && !grow(ix))) {
        return entry;
    }
    entry = arena_alloc(&ix->arena, sizeof *entry);
    const char *name = arena_strndup(&ix->arena, s, len);
    if (!entry || !name) {
        return NULL;
    }
    *entry = (struct entry){ .name = name, .len = (uint32_t)len, .hash = hash };
    entry->next = ix->buckets[hash & (ix->nbuckets - 1)];
    ix->buckets[hash & (ix->nbuckets - 1)] = entry;
    ix->nentries++;
    return entry;
}

struct node *entry_live(const struct entry *entry, enum space space)
{
    struct node *node = entry ? entry->newest[space] : NULL;
    while (node && node->dead) {
        node = node->older;
    }
    return node;
}

struct node *entry_header(const struct entry *entry, enum space space)
{
    struct node *node = entry ? entry->newest[space] : NULL;
    while (node && (node->dead || !node->piece->record->is_header)) {
        node = node->older;
    }
    return node;
}

struct node *node_new(struct index *ix, struct piece *piece, const char *name, size_t len, enum space space,
                      enum decl_kind kind)
{
    struct entry *entry = entry_intern(ix, name, len);
    struct node *node = entry ? arena_alloc(&piece->record->arena, sizeof *node) : NULL;
    if (!node) {
        return NULL;
    }
    node->decl = (struct decl){ .kind = kind, .name = entry->name, .source = &piece->source };
    node->entry = entry;
    node->space = space;
    node->piece = piece;
    node->sibling = piece->nodes;
    piece->nodes = node;
    node->older = entry->newest[space];
    entry->newest[space] = node;
    return node;
}

void node_remove(struct node *node)
{
    struct node **at = &node->entry->newest[node->space];
    while (*at && *at != node) {
        at = &(*at)->older;
    }
    if (*at) {
        *at = node->older;
    }
}

struct node *entry_macro(const struct entry *entry)
{
    struct node *node = entry_live(entry, SPACE_MACRO);
    if (!node || node->piece->is_undef) {
        return NULL;
    }
    const struct node *ordinary = node->piece->record->is_header ? entry_live(entry, SPACE_ORDINARY) : NULL;
    return ordinary && !ordinary->piece->record->is_header ? NULL : node;
}

void record_kill(struct record *r)
{
    r->dead = true;
    for (struct piece *p = r->first; p; p = p->next) {
        for (struct node *n = p->nodes; n; n = n->sibling) {
            n->dead = true;
        }
    }
}

void record_revive(struct record *r)
{
    r->dead = false;
    for (struct piece *p = r->first; p; p = p->next) {
        for (struct node *n = p->nodes; n; n = n->sibling) {
            n->dead = false;
        }
    }
}
