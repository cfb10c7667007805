/* See wire.h. The four JSON frames of an outgoing message are written one after the other into one buffer, which is
 * what the signature is computed over; the socket then sends slices of it. */
#include "kernel/wire.h"

#include "kernel/json_text.h"
#include "kernel/replay.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uuid/uuid.h>

static const struct frame delimiter = WIRE_DELIMITER;
static const char protocol_version[] = "5.5";

enum { DIGEST = WIRE_SIGNATURE / 2, UUID_TEXT = 37 };

struct wire {
    EVP_MAC_CTX *mac;   /* owned; NULL: unsigned */
    unsigned char *key; /* owned */
    size_t key_len;
    struct replay seen;
    char session[UUID_TEXT];
    unsigned long long sent; /* messages so far: the tail of a msg_id */
};

static enum err_code start_mac(struct wire *w, struct err *e)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_end() };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    w->mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    EVP_MAC_free(hmac);
    if (!w->mac || !EVP_MAC_CTX_set_params(w->mac, params)) {
        return err_set(e, ERR_IO, "OpenSSL offers no HMAC-SHA256");
    }
    return ERR_NONE;
}

enum err_code wire_new(const char *key, size_t key_len, struct wire **out, struct err *e)
{
    struct wire *w = calloc(1, sizeof *w);
    unsigned char *copy = malloc(key_len + 1);
    if (!w || !copy) {
        free(w);
        free(copy);
        return err_memory(e);
    }
    memcpy(copy, key, key_len);
    w->key = copy;
    w->key_len = key_len;
    replay_init(&w->seen);
    uuid_t id;
    uuid_generate_random(id);
    uuid_unparse_lower(id, w->session);
    if (key_len > 0 && start_mac(w, e) != ERR_NONE) {
        wire_free(w);
        return ERR_IO;
    }
    *out = w;
    return ERR_NONE;
}

void wire_free(struct wire *w)
{
    if (!w) {
        return;
    }
    EVP_MAC_CTX_free(w->mac);
    replay_done(&w->seen);
    OPENSSL_cleanse(w->key, w->key_len);
    free(w->key);
    free(w);
}

const char *wire_session(const struct wire *w)
{
    return w->session;
}

static enum err_code sign(struct wire *w, const struct frame *parts, size_t count, unsigned char out[DIGEST],
                          struct err *e)
{
    size_t len = 0;
    int ok = EVP_MAC_init(w->mac, w->key, w->key_len, NULL);
    for (size_t i = 0; ok && i < count; i++) {
        ok = EVP_MAC_update(w->mac, parts[i].data, parts[i].len);
    }
    if (!ok || !EVP_MAC_final(w->mac, out, &len, DIGEST) || len != DIGEST) {
        return err_set(e, ERR_IO, "OpenSSL could not compute a signature");
    }
    return ERR_NONE;
}

static void to_hex(const unsigned char digest[DIGEST], char out[WIRE_SIGNATURE + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[WIRE_SIGNATURE] = '\0';
}

/* parts: signature and the four JSON frames. Remembers the signature if it is right. */
static enum err_code verify(struct wire *w, const struct frame *parts, struct err *e)
{
    if (!w->mac) {
        return ERR_NONE;
    }
    if (parts[0].len == 0) {
        return err_set(e, ERR_NAME, "unsigned");
    }
    unsigned char digest[DIGEST];
    char expected[WIRE_SIGNATURE + 1];
    enum err_code rc = sign(w, parts + 1, WIRE_PARTS, digest, e);
    if (rc != ERR_NONE) {
        return rc;
    }
    to_hex(digest, expected);
    if (parts[0].len != WIRE_SIGNATURE || CRYPTO_memcmp(expected, parts[0].data, WIRE_SIGNATURE) != 0) {
        return err_set(e, ERR_NAME, "wrong signature");
    }
    if (replay_has(&w->seen, digest)) {
        return err_set(e, ERR_NAME, "replayed: its signature was seen before");
    }
    return replay_add(&w->seen, digest, e);
}

/* How deep brackets nest in JSON text; brackets in strings do not count. */
static size_t depth_of(const struct frame *f)
{
    const char *p = f->data;
    size_t depth = 0, most = 0;
    bool quoted = false;
    for (size_t i = 0; i < f->len; i++) {
        if (quoted && p[i] == '\\') {
            i++; /* and what it escapes */
        } else if (quoted) {
            quoted = p[i] != '"';
        } else if (p[i] == '"') {
            quoted = true;
        } else if (p[i] == '{' || p[i] == '[') {
            depth++;
            most = depth > most ? depth : most;
        } else if ((p[i] == '}' || p[i] == ']') && depth > 0) {
            depth--;
        }
    }
    return most;
}

static enum err_code parse_object(const struct frame *f, const char *what, json_t **out, struct err *e)
{
    if (depth_of(f) > WIRE_DEPTH_MAX) {
        return err_set(e, ERR_LIMIT, "%s is nested deeper than %d", what, WIRE_DEPTH_MAX);
    }
    json_error_t why;
    json_t *value = json_loadb(f->data, f->len, JSON_ALLOW_NUL, &why);
    if (!value) {
        return err_set(e, ERR_FORMAT, "%s is not JSON: %s", what, why.text);
    }
    if (!json_is_object(value)) {
        json_decref(value);
        return err_set(e, ERR_FORMAT, "%s is not a JSON object", what);
    }
    *out = value;
    return ERR_NONE;
}

/* Copy identities and header text into one block, which m->identities owns. */
static enum err_code copy_frames(struct message *m, const struct frame *identities, size_t count,
                                 const struct frame *header, struct err *e)
{
    size_t size = count * sizeof *identities + header->len + 1;
    for (size_t i = 0; i < count; i++) {
        size += identities[i].len;
    }
    m->identities = malloc(size);
    if (!m->identities) {
        return err_memory(e);
    }
    char *to = (char *)(m->identities + count);
    for (size_t i = 0; i < count; i++) {
        m->identities[i] = (struct frame){ to, identities[i].len };
        if (identities[i].len > 0) {
            memcpy(to, identities[i].data, identities[i].len);
        }
        to += identities[i].len;
    }
    m->nidentities = count;
    m->header_text = to;
    memcpy(to, header->data, header->len);
    to[header->len] = '\0';
    return ERR_NONE;
}

/* parts: the four JSON frames. */
static enum err_code parse_parts(struct message *m, const struct frame *parts, struct err *e)
{
    enum err_code rc = ERR_NONE;
    if ((rc = parse_object(&parts[0], "header", &m->header, e)) ||
        (rc = parse_object(&parts[1], "parent header", &m->parent, e)) ||
        (rc = parse_object(&parts[2], "metadata", &m->metadata, e)) ||
        (rc = parse_object(&parts[3], "content", &m->content, e))) {
        return rc;
    }
    m->type = json_string_value(json_object_get(m->header, "msg_type"));
    m->id = json_string_value(json_object_get(m->header, "msg_id"));
    if (!m->type || !m->id) {
        return err_set(e, ERR_FORMAT, "header has no %s", m->type ? "msg_id" : "msg_type");
    }
    return ERR_NONE;
}

static enum err_code check_size(const struct frame *frames, size_t count, struct err *e)
{
    if (count > WIRE_FRAMES_MAX) {
        return err_set(e, ERR_LIMIT, "more than %d frames", WIRE_FRAMES_MAX);
    }
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (frames[i].len > WIRE_MESSAGE_MAX - total) {
            return err_set(e, ERR_LIMIT, "larger than %d bytes", WIRE_MESSAGE_MAX);
        }
        total += frames[i].len;
    }
    return ERR_NONE;
}

enum err_code wire_decode(struct wire *w, const struct frame *frames, size_t count, struct message **out, struct err *e)
{
    enum err_code rc = check_size(frames, count, e);
    if (rc != ERR_NONE) {
        return rc;
    }
    size_t mark = 0;
    while (mark < count &&
           (frames[mark].len != delimiter.len || memcmp(frames[mark].data, delimiter.data, delimiter.len) != 0)) {
        mark++;
    }
    if (mark == count) {
        return err_set(e, ERR_FORMAT, "no <IDS|MSG> frame");
    }
    const struct frame *parts = frames + mark + 1;
    if (count - mark - 1 < WIRE_PARTS + 1) {
        return err_set(e, ERR_FORMAT, "%zu frames after <IDS|MSG>, at least 5 are needed", count - mark - 1);
    }
    rc = verify(w, parts, e);
    if (rc != ERR_NONE) {
        return rc;
    }
    struct message *m = calloc(1, sizeof *m);
    if (!m) {
        return err_memory(e);
    }
    if ((rc = parse_parts(m, parts + 1, e)) || (rc = copy_frames(m, frames, mark, &parts[1], e))) {
        message_free(m);
        return rc;
    }
    *out = m;
    return ERR_NONE;
}

void message_free(struct message *m)
{
    if (!m) {
        return;
    }
    free(m->identities);
    json_decref(m->header);
    json_decref(m->parent);
    json_decref(m->metadata);
    json_decref(m->content);
    free(m);
}

void envelope_init(struct envelope *x)
{
    *x = (struct envelope){ 0 };
    buf_init(&x->text, (size_t)WIRE_MESSAGE_MAX * 8); /* what a cell shows may be larger than what a client may send */
}

void envelope_done(struct envelope *x)
{
    buf_done(&x->text);
}

void wire_date(char out[WIRE_DATE_SIZE])
{
    struct timespec now;
    struct tm utc;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
    (void)gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(out, WIRE_DATE_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out + n, WIRE_DATE_SIZE - n, ".%06ldZ", now.tv_nsec / 1000);
}

long long wire_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

long long wire_date_us(const char *text)
{
    struct tm utc = { 0 };
    const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    if (!p) {
        return -1;
    }
    long long us = (long long)timegm(&utc) * 1000000;
    if (*p == '.') {
        p++;
        for (long long unit = 100000; *p >= '0' && *p <= '9'; p++, unit /= 10) {
            us += (*p - '0') * unit;
        }
    }
    if (*p == '+' || *p == '-') {
        int hours = 0, minutes = 0;
        if (sscanf(p + 1, "%2d:%2d", &hours, &minutes) != 2) {
            return -1;
        }
        us -= (*p == '+' ? 1 : -1) * (hours * 60LL + minutes) * 60 * 1000000;
    } else if (strcmp(p, "Z") != 0) {
        return -1;
    }
    return us;
}

static enum err_code add_json(struct envelope *x, const json_t *value, const char *type, struct err *e)
{
    if (!value) {
        buf_str(&x->text, "{}");
        return ERR_NONE;
    }
    if (!json_text(&x->text, value)) {
        return err_set(e, ERR_FORMAT, "the content of '%s' cannot be written as JSON", type);
    }
    return ERR_NONE;
}

enum err_code wire_encode(struct wire *w, const char *type, const char *parent, const json_t *metadata,
                          const json_t *content, struct envelope *x, struct err *e)
{
    char date[WIRE_DATE_SIZE];
    wire_date(date);
    buf_clear(&x->text);
    (void)snprintf(x->id, sizeof x->id, "%s_%llu", w->session, w->sent++);
    buf_printf(&x->text,
               "{\"msg_id\":\"%s\",\"msg_type\":\"%s\",\"username\":\"kernel\",\"session\":\"%s\",\"date\":\"%s\","
               "\"version\":\"%s\"}",
               x->id, type, w->session, date, protocol_version);
    x->end[0] = x->text.len;
    buf_str(&x->text, parent ? parent : "{}");
    x->end[1] = x->text.len;
    enum err_code rc = add_json(x, metadata, type, e);
    x->end[2] = x->text.len;
    if (rc != ERR_NONE || (rc = add_json(x, content, type, e)) != ERR_NONE ||
        (rc = buf_check(&x->text, "a message", e)) != ERR_NONE) {
        return rc;
    }
    x->end[3] = x->text.len;
    x->signature[0] = '\0';
    if (w->mac) {
        unsigned char digest[DIGEST];
        struct frame whole = { x->text.data, x->text.len };
        rc = sign(w, &whole, 1, digest, e);
        if (rc == ERR_NONE) {
            to_hex(digest, x->signature);
        }
    }
    return rc;
}
