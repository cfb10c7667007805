/* See capture.h. */
#include "kernel/capture.h"

#include "kernel/log.h"

#include <stdint.h>
#include <string.h>

static const char *const names[] = { "stdout", "stderr" };
static const char replacement[] = "\xEF\xBF\xBD";

/* The longest text that one capture_add can make of one chunk: three bytes for each that is invalid. */
enum { SLACK = 4 * CAPTURE_BYTES };

void capture_init(struct capture *c, capture_emit *emit, void *ctx)
{
    *c = (struct capture){ .emit = emit, .ctx = ctx };
    buf_init(&c->pending, CAPTURE_BYTES + SLACK);
}

void capture_done(struct capture *c)
{
    buf_done(&c->pending);
}

/* Remember the unfinished line of what is emitted. */
static void note_line(struct capture *c)
{
    const char *text = c->pending.data;
    size_t len = c->pending.len;
    const char *newline = memrchr(text, '\n', len);
    if (newline) {
        c->line_len = 0;
        len -= (size_t)(newline + 1 - text);
        text = newline + 1;
    }
    if (len > CAPTURE_LINE_MAX - c->line_len) {
        c->line_len = len = 0; /* no prompt is so long */
    }
    memcpy(c->line + c->line_len, text, len);
    c->line_len += len;
}

void capture_take_line(struct capture *c, char *out, size_t size)
{
    struct buf *b = &c->pending;
    const char *newline = b->len ? memrchr(b->data, '\n', b->len) : NULL;
    size_t from = newline ? (size_t)(newline + 1 - b->data) : 0;
    size_t before = newline ? 0 : c->line_len;
    size_t len = b->len - from;
    out[0] = '\0';
    if (!b->failed && before + len < size) {
        memcpy(out, c->line, before);
        if (len > 0) {
            memcpy(out + before, b->data + from, len);
        }
        out[before + len] = '\0';
        b->len = from;
    }
    capture_flush(c);
    c->line_len = 0;
}

void capture_flush(struct capture *c)
{
    if (c->pending.failed) {
        log_line("output of the cell is lost: out of memory");
    } else if (c->pending.len > 0) {
        note_line(c);
        c->emit(c->ctx, names[c->stream], c->pending.data, c->pending.len);
    }
    buf_clear(&c->pending);
}

bool capture_pending(const struct capture *c)
{
    return c->pending.len > 0 || c->pending.failed;
}

bool capture_in_line(const struct capture *c)
{
    return c->pending.len > 0 && c->pending.data[c->pending.len - 1] != '\n';
}

/* Bytes of the well-formed UTF-8 character at p[0..len) (table 3-7 of the Unicode standard); 0: ill-formed; -1: it may
 * become well-formed with more bytes. */
static int character(const unsigned char *p, size_t len)
{
    unsigned char low = 0x80, high = 0xBF; /* of the second byte */
    int need = 0;
    if (p[0] < 0x80) {
        return p[0] ? 1 : 0;
    } else if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        need = 2;
    } else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        need = 3;
        low = p[0] == 0xE0 ? 0xA0 : low;
        high = p[0] == 0xED ? 0x9F : high;
    } else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        need = 4;
        low = p[0] == 0xF0 ? 0x90 : low;
        high = p[0] == 0xF4 ? 0x8F : high;
    } else {
        return 0;
    }
    for (int i = 1; i < need; i++) {
        if ((size_t)i >= len) {
            return -1;
        }
        if (p[i] < (i == 1 ? low : 0x80) || p[i] > (i == 1 ? high : 0xBF)) {
            return 0;
        }
    }
    return need;
}

/* How many bytes at p[0..len) are plain ASCII without NUL, for all or most of them. */
static size_t ascii(const unsigned char *p, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    size_t i = 0;
    for (uint64_t word = 0; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, p + i, sizeof word);
        if (((word - ones) | word) & tops) { /* a byte is 0, or above 0x7f */
            break;
        }
    }
    return i;
}

/* Add the clean form of p[0..len) to pending; returns how many bytes at the end begin a character. */
static size_t clean(struct buf *out, const unsigned char *p, size_t len)
{
    size_t from = 0, i = 0;
    while ((i += ascii(p + i, len - i)) < len) {
        int n = character(p + i, len - i);
        if (n > 0) {
            i += (size_t)n;
            continue;
        }
        buf_add(out, p + from, i - from);
        if (n < 0) {
            return len - i;
        }
        buf_str(out, replacement);
        i++;
        from = i;
    }
    buf_add(out, p + from, i - from);
    return 0;
}

/* Complete the character that an earlier chunk began. Returns how many bytes of data it took. */
static size_t finish_partial(struct capture *c, enum capture_stream stream, const char *data, size_t len)
{
    size_t taken = 0;
    unsigned char *bytes = c->partial[stream].bytes;
    size_t have = c->partial[stream].len;
    while (have > 0 && taken < len) {
        bytes[have++] = (unsigned char)data[taken++];
        size_t rest = clean(&c->pending, bytes, have);
        if (rest == 0) {
            c->partial[stream].len = 0;
            return taken;
        }
        memmove(bytes, bytes + have - rest, rest);
        have = rest;
    }
    c->partial[stream].len = have;
    return taken;
}

static void add_chunk(struct capture *c, enum capture_stream stream, const char *data, size_t len)
{
    size_t taken = finish_partial(c, stream, data, len);
    size_t rest = clean(&c->pending, (const unsigned char *)data + taken, len - taken);
    if (rest > 0) {
        memcpy(c->partial[stream].bytes, data + len - rest, rest);
        c->partial[stream].len = rest;
    }
    if (c->pending.len >= CAPTURE_BYTES) {
        capture_flush(c);
    }
}

void capture_add(struct capture *c, enum capture_stream stream, const char *data, size_t len)
{
    if (stream != c->stream) {
        capture_flush(c);
        c->stream = stream;
    }
    while (len > 0) {
        size_t n = len < CAPTURE_BYTES ? len : CAPTURE_BYTES;
        add_chunk(c, stream, data, n);
        data += n;
        len -= n;
    }
}

void capture_end(struct capture *c)
{
    capture_flush(c);
    for (enum capture_stream s = CAPTURE_STDOUT; s <= CAPTURE_STDERR; s++) {
        if (c->partial[s].len > 0) {
            c->partial[s].len = 0;
            c->emit(c->ctx, names[s], replacement, sizeof replacement - 1);
        }
    }
}
