/* Fuzzing wire_decode: the bytes are cut into frames as a socket would give them, at each 0xfe, which no frame needs. The
 * first byte says whether there is a key, and whether the frame behind the delimiter is replaced by the right signature,
 * so that what lies behind the check of signatures is reached too. A message that is taken is refused the second time if it
 * is signed, and is encoded again as a reply, which another wire with that key takes. */
#include "kernel/wire.h"

#include <openssl/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYED = 1, SIGNED = 2, SEPARATOR = 0xfe, MAX = WIRE_FRAMES_MAX + 8 };

static const char key[] = "key";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* A copy of its own, so that reading past a frame's end is seen. */
static struct frame frame_of(const void *data, size_t len)
{
    void *copy = malloc(len ? len : 1);
    must(copy != NULL);
    memcpy(copy, data, len);
    return (struct frame){ copy, len };
}

static void drop(struct frame *f)
{
    free((void *)(uintptr_t)f->data);
    f->data = NULL;
}

static size_t cut(const uint8_t *data, size_t size, struct frame *frames)
{
    size_t count = 0;
    for (const uint8_t *end = data + size; data && count < MAX; count++) {
        const uint8_t *stop = size ? memchr(data, SEPARATOR, size) : NULL;
        frames[count] = frame_of(data, stop ? (size_t)(stop - data) : size);
        data = stop ? stop + 1 : NULL;
        size = data ? (size_t)(end - data) : 0;
    }
    return count;
}

/* Sign the four frames behind the one behind the delimiter, if there are so many. */
static void sign(struct frame *frames, size_t count)
{
    static const struct frame delimiter = WIRE_DELIMITER;
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[WIRE_SIGNATURE + 1];
    unsigned len = 0;
    size_t at = 0;
    while (at < count && (frames[at].len != delimiter.len || memcmp(frames[at].data, delimiter.data, delimiter.len) != 0)) {
        at++;
    }
    if (count < WIRE_PARTS + 2 || at > count - WIRE_PARTS - 2) {
        return;
    }
    HMAC_CTX *mac = HMAC_CTX_new();
    must(mac && HMAC_Init_ex(mac, key, (int)strlen(key), EVP_sha256(), NULL));
    for (size_t i = at + 2; i < at + 2 + WIRE_PARTS; i++) {
        must(HMAC_Update(mac, frames[i].data, frames[i].len));
    }
    must(HMAC_Final(mac, digest, &len));
    HMAC_CTX_free(mac);
    for (unsigned i = 0; i < len; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    drop(&frames[at + 1]);
    frames[at + 1] = frame_of(hex, WIRE_SIGNATURE);
}

/* A reply to m is taken by another wire with the same key. */
static void answer(struct wire *w, struct wire *other, const struct message *m)
{
    struct envelope x;
    struct err e;
    struct message *back = NULL;
    envelope_init(&x);
    if (wire_encode(w, "fuzz_reply", m->header_text, m->metadata, m->content, &x, &e) == ERR_NONE) {
        struct frame frames[2 + WIRE_PARTS] = { WIRE_DELIMITER, { x.signature, strlen(x.signature) } };
        must(x.end[WIRE_PARTS - 1] == x.text.len);
        for (size_t i = 0; i < WIRE_PARTS; i++) {
            size_t from = i ? x.end[i - 1] : 0;
            frames[2 + i] = (struct frame){ x.text.data + from, x.end[i] - from };
        }
        enum err_code rc = wire_decode(other, frames, 2 + WIRE_PARTS, &back, &e);
        must(rc == ERR_LIMIT || (rc == ERR_NONE && strcmp(back->type, "fuzz_reply") == 0 && json_equal(back->parent, m->header) &&
                                 json_equal(back->content, m->content)));
        message_free(back);
    }
    envelope_done(&x);
}

static void take(struct wire *w, struct wire *other, const struct frame *frames, size_t count, bool keyed)
{
    struct message *m = NULL, *again = NULL;
    struct err e;
    enum err_code rc = wire_decode(w, frames, count, &m, &e);
    must((rc == ERR_NONE) == (m != NULL) && (rc == ERR_NONE || e.msg[0] != '\0'));
    if (!m) {
        return;
    }
    must(json_is_object(m->header) && json_is_object(m->parent) && json_is_object(m->metadata) && json_is_object(m->content));
    must(m->nidentities < count && m->type && m->id);
    const char *date = json_string_value(json_object_get(m->header, "date"));
    (void)wire_date_us(date ? date : m->id);
    answer(w, other, m);
    rc = wire_decode(w, frames, count, &again, &e);
    must((rc == ERR_NONE) == !keyed);
    message_free(again);
    message_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct frame frames[MAX];
    struct wire *w = NULL, *other = NULL;
    struct err e;
    if (size == 0) {
        return 0;
    }
    bool keyed = data[0] & KEYED;
    must(wire_new(key, keyed ? strlen(key) : 0, &w, &e) == ERR_NONE);
    must(wire_new(key, keyed ? strlen(key) : 0, &other, &e) == ERR_NONE);
    size_t count = cut(data + 1, size - 1, frames);
    if (data[0] & SIGNED) {
        sign(frames, count);
    }
    take(w, other, frames, count, keyed);
    wire_free(other);
    wire_free(w);
    for (size_t i = 0; i < count; i++) {
        drop(&frames[i]);
    }
    return 0;
}
