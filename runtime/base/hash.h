/* A quick hash for tables in memory; for addresses of content there is sha256.h. */
#ifndef WEIR_BASE_HASH_H
#define WEIR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a of 64 bits, its upper half folded into the lower one. seed: 0, or what tells equal bytes apart. */
uint64_t hash_bytes(uint64_t seed, const char *bytes, size_t len);

#endif
