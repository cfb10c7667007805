/* sha256 of bytes, by OpenSSL; fetched once, so that a digest in a forked task costs the hashing alone. */
#ifndef WEIR_BASE_SHA256_H
#define WEIR_BASE_SHA256_H

#include "runtime/base/err.h"

#include <stddef.h>

enum { SHA256_BYTES = 32, SHA256_HEX = 65 /* with NUL */ };

struct iovec;

/* Fetch the algorithm now (before forking). Calling it again does nothing. */
enum err_code sha256_prepare(struct err *e);

/* Digest of the concatenated parts. */
enum err_code sha256_parts(const struct iovec *parts, int nparts, unsigned char out[SHA256_BYTES], struct err *e);

/* A digest in pieces: sha256_begin, sha256_add as often as needed, sha256_end (always, it frees; out NULL: only that). */
struct sha256 {
    void *ctx;   /* owned */
    int failed;  /* told by sha256_end */
};
enum err_code sha256_begin(struct sha256 *h, struct err *e);
void sha256_add(struct sha256 *h, const void *data, size_t len);
enum err_code sha256_end(struct sha256 *h, unsigned char out[SHA256_BYTES], struct err *e);

void sha256_hex(const unsigned char digest[SHA256_BYTES], char out[SHA256_HEX]);

/* ERR_FORMAT: not 64 hexadecimal digits. */
enum err_code sha256_parse(const char *hex, unsigned char out[SHA256_BYTES], struct err *e);

#endif
