/* See replay.h. Digests are uniformly distributed already, so their first bytes serve as the hash. */
#include "kernel/replay.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

static const unsigned char free_slot[REPLAY_DIGEST];

void replay_init(struct replay *r)
{
    *r = (struct replay){ 0 };
}

void replay_done(struct replay *r)
{
    free(r->now.slots);
    free(r->before.slots);
    replay_init(r);
}

/* The digest's slot, or the free one where it belongs. The set is never full. */
static unsigned char *find(const struct replay_set *s, const unsigned char *digest)
{
    uint64_t hash;
    memcpy(&hash, digest, sizeof hash);
    size_t i = (size_t)hash & (s->cap - 1);
    while (memcmp(s->slots[i], free_slot, REPLAY_DIGEST) != 0 && memcmp(s->slots[i], digest, REPLAY_DIGEST) != 0) {
        i = (i + 1) & (s->cap - 1);
    }
    return s->slots[i];
}

static bool set_has(const struct replay_set *s, const unsigned char *digest)
{
    return s->cap > 0 && memcmp(find(s, digest), digest, REPLAY_DIGEST) == 0;
}

bool replay_has(const struct replay *r, const unsigned char digest[REPLAY_DIGEST])
{
    return set_has(&r->now, digest) || set_has(&r->before, digest);
}

static enum err_code grow(struct replay_set *s, struct err *e)
{
    struct replay_set bigger = { .cap = s->cap ? s->cap * 2 : FIRST_CAP };
    bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
    if (!bigger.slots) {
        return err_memory(e);
    }
    for (size_t i = 0; i < s->cap; i++) {
        if (memcmp(s->slots[i], free_slot, REPLAY_DIGEST) != 0) {
            memcpy(find(&bigger, s->slots[i]), s->slots[i], REPLAY_DIGEST);
            bigger.count++;
        }
    }
    free(s->slots);
    *s = bigger;
    return ERR_NONE;
}

enum err_code replay_add(struct replay *r, const unsigned char digest[REPLAY_DIGEST], struct err *e)
{
    if (r->now.count >= REPLAY_GENERATION) {
        free(r->before.slots);
        r->before = r->now;
        r->now = (struct replay_set){ 0 };
    }
    if (r->now.count * 2 >= r->now.cap && grow(&r->now, e) != ERR_NONE) {
        return ERR_MEMORY;
    }
    unsigned char *slot = find(&r->now, digest);
    if (memcmp(slot, digest, REPLAY_DIGEST) != 0) {
        memcpy(slot, digest, REPLAY_DIGEST);
        r->now.count++;
    }
    return ERR_NONE;
}
