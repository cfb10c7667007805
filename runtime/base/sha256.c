/* See sha256.h.
 *
 * EVP_MD_fetch walks OpenSSL's providers (tens of microseconds, and it allocates); what it finds never changes, so it
 * is kept for the process. That pointer and nothing else is shared; it is set once and only read after that. */
#include "runtime/base/sha256.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>

static _Atomic(EVP_MD *) algorithm;

enum err_code sha256_prepare(struct err *e)
{
    if (atomic_load(&algorithm)) {
        return ERR_NONE;
    }
    EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!md) {
        return err_set(e, ERR_IO, "OpenSSL has no SHA256 here");
    }
    EVP_MD *expected = NULL;
    if (!atomic_compare_exchange_strong(&algorithm, &expected, md)) {
        EVP_MD_free(md); /* another thread was first */
    }
    return ERR_NONE;
}

enum err_code sha256_begin(struct sha256 *h, struct err *e)
{
    enum err_code code = sha256_prepare(e);
    if (code) {
        return code;
    }
    *h = (struct sha256){ .ctx = EVP_MD_CTX_new() };
    if (!h->ctx) {
        return err_memory(e);
    }
    h->failed = !EVP_DigestInit_ex2(h->ctx, atomic_load(&algorithm), NULL);
    return ERR_NONE;
}

void sha256_add(struct sha256 *h, const void *data, size_t len)
{
    if (len && !h->failed) {
        h->failed = !EVP_DigestUpdate(h->ctx, data, len);
    }
}

enum err_code sha256_end(struct sha256 *h, unsigned char out[SHA256_BYTES], struct err *e)
{
    unsigned char digest[SHA256_BYTES];
    bool ok = !h->failed && EVP_DigestFinal_ex(h->ctx, digest, NULL);
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
    if (!ok) {
        return err_set(e, ERR_IO, "OpenSSL could not compute a SHA256");
    }
    if (out) {
        memcpy(out, digest, sizeof digest);
    }
    return ERR_NONE;
}

enum err_code sha256_parts(const struct iovec *parts, int nparts, unsigned char out[SHA256_BYTES], struct err *e)
{
    struct sha256 h;
    enum err_code code = sha256_begin(&h, e);
    if (code) {
        return code;
    }
    for (int i = 0; i < nparts; i++) {
        sha256_add(&h, parts[i].iov_base, parts[i].iov_len);
    }
    return sha256_end(&h, out, e);
}

void sha256_hex(const unsigned char digest[SHA256_BYTES], char out[SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[SHA256_HEX - 1] = '\0';
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

enum err_code sha256_parse(const char *hex, unsigned char out[SHA256_BYTES], struct err *e)
{
    unsigned char digest[SHA256_BYTES];
    bool ok = strlen(hex) == SHA256_HEX - 1;
    for (size_t i = 0; ok && i < SHA256_BYTES; i++) {
        int high = nibble(hex[2 * i]);
        int low = nibble(hex[2 * i + 1]);
        ok = high >= 0 && low >= 0;
        digest[i] = (unsigned char)(ok ? high << 4 | low : 0);
    }
    if (!ok) {
        return err_set(e, ERR_FORMAT, "'%.80s' is not a sha256: it has 64 hexadecimal digits", hex);
    }
    memcpy(out, digest, sizeof digest);
    return ERR_NONE;
}
