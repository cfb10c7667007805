/* The digests of messages seen before, so that a recorded message cannot be sent again.
 *
 * Remembers at least the latest REPLAY_GENERATION digests and at most twice as many: a full generation becomes the old
 * one, and the old one is forgotten. Grows as needed up to that. Belongs to one thread. */
#ifndef WEIR_KERNEL_REPLAY_H
#define WEIR_KERNEL_REPLAY_H

#include "runtime/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { REPLAY_DIGEST = 32, REPLAY_GENERATION = 32768 };

struct replay_set {
    unsigned char (*slots)[REPLAY_DIGEST]; /* open addressing; all zeros: free */
    size_t cap;                            /* a power of two, or 0 */
    size_t count;
};

struct replay {
    struct replay_set now, before;
};

/* All zeros is an empty one as well. */
void replay_init(struct replay *r);
void replay_done(struct replay *r);

bool replay_has(const struct replay *r, const unsigned char digest[REPLAY_DIGEST]);

/* Remember a digest. ERR_MEMORY. */
enum err_code replay_add(struct replay *r, const unsigned char digest[REPLAY_DIGEST], struct err *e);

#endif
