/* Text that a cell writes, gathered into stream messages: several writes become one message, and a UTF-8 character that
 * came in two reads is not torn. Bytes that are no UTF-8 become U+FFFD, NUL too (front ends cannot show it).
 *
 * Holds text of one stream at a time: text of the other flushes it first, so that their order is kept as read. */
#ifndef WEIR_KERNEL_CAPTURE_H
#define WEIR_KERNEL_CAPTURE_H

#include "runtime/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum capture_stream { CAPTURE_STDOUT, CAPTURE_STDERR };

enum {
    CAPTURE_LINE_MAX = 1000,  /* bytes of an unfinished line that are known */
    CAPTURE_BYTES = 64 << 10, /* pending text is passed on at this size */
    CAPTURE_DELAY_MS = 10,    /* and so long after the text before it: its owner's timer calls capture_flush; */
    CAPTURE_SOON_MS = 2       /* but never sooner than this */
};

/* Takes text: valid UTF-8 without NUL, not empty. name: "stdout" or "stderr". */
typedef void capture_emit(void *ctx, const char *name, const char *text, size_t len);

struct capture {
    capture_emit *emit;
    void *ctx;
    struct buf pending; /* clean text of `stream` */
    enum capture_stream stream;
    char line[CAPTURE_LINE_MAX + 1]; /* the beginning of the unfinished line that was emitted */
    size_t line_len;
    struct {
        unsigned char bytes[4]; /* the beginning of a character */
        size_t len;
    } partial[2]; /* by stream */
};

void capture_init(struct capture *c, capture_emit *emit, void *ctx);
void capture_done(struct capture *c);

/* Add bytes as read. May emit. */
void capture_add(struct capture *c, enum capture_stream stream, const char *data, size_t len);

/* Emit what is pending; beginnings of characters stay. */
void capture_flush(struct capture *c);

/* As capture_flush; beginnings of characters become U+FFFD: the writer is done. */
void capture_end(struct capture *c);

/* The line that was begun last and is not finished, of whichever stream; the part of it that is still pending will not be
 * emitted, since it is going to be a prompt. */
void capture_take_line(struct capture *c, char *out, size_t size);

/* Something waits for capture_flush; it ends within a line. */
bool capture_pending(const struct capture *c);
bool capture_in_line(const struct capture *c);

#endif
