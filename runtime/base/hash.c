/* See hash.h. Source of the numbers: Fowler, Noll, Vo. */
#include "runtime/base/hash.h"

uint64_t hash_bytes(uint64_t seed, const char *bytes, size_t len)
{
    uint64_t h = 14695981039346656037u ^ seed;
    for (size_t i = 0; i < len; i++) {
        h = (h ^ (unsigned char)bytes[i]) * 1099511628211u;
    }
    return h ^ (h >> 32);
}
