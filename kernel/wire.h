/* Jupyter's wire format: messages as frames, signed.
 *
 *   identity ... | <IDS|MSG> | signature | header | parent header | metadata | content | buffer ...
 *                             hex HMAC-SHA256 of the four JSON frames, "" when the key is ""
 *
 * Knows nothing of sockets, so that it is tested and fuzzed as a function of bytes. A `struct wire` belongs to one
 * thread. Source: "Messaging in Jupyter", section "The Wire Protocol". */
#ifndef WEIR_KERNEL_WIRE_H
#define WEIR_KERNEL_WIRE_H

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

#include <jansson.h>
#include <stddef.h>

enum {
    WIRE_FRAMES_MAX = 256,       /* frames of one message, identities and buffers included */
    WIRE_MESSAGE_MAX = 64 << 20, /* bytes of one message's frames together */
    WIRE_DEPTH_MAX = 200,        /* nesting of a JSON frame */
    WIRE_SIGNATURE = 64,         /* hexadecimal digits */
    WIRE_ID_SIZE = 64,           /* of a message's id, as text */
    WIRE_PARTS = 4               /* header, parent header, metadata, content */
};

struct frame {
    const void *data;
    size_t len;
};

/* The frame between identities and message. */
/* clang-format off */
#define WIRE_DELIMITER { "<IDS|MSG>", 9 }
/* clang-format on */

/* A message that came in, checked. Owned: free with message_free. */
struct message {
    struct frame *identities; /* who sent it, to be put in front of the reply */
    size_t nidentities;
    char *header_text;                   /* its header as sent: a reply's parent header */
    const char *type;                    /* header.msg_type, borrowed from header */
    const char *id;                      /* header.msg_id, borrowed from header */
    json_t *header, *parent, *metadata, *content; /* objects */
    int channel;                         /* enum channel of outlet.h; set by who receives it */
};

/* A message to send: signature, and the four JSON frames one after the other in `text`. Reused from message to message.
 */
struct envelope {
    char id[WIRE_ID_SIZE];              /* header.msg_id */
    char signature[WIRE_SIGNATURE + 1]; /* "" if unsigned */
    struct buf text;
    size_t end[WIRE_PARTS]; /* where each part ends in text */
};

struct wire;

/* key: copied; key_len 0: nothing is signed, and any signature is accepted. Free with wire_free. */
enum err_code wire_new(const char *key, size_t key_len, struct wire **out, struct err *e);
void wire_free(struct wire *w);

/* The id of this kernel's session, a UUID as text; borrowed from w. */
const char *wire_session(const struct wire *w);

/* Check and parse a message's frames; they are copied as far as needed. A signature that was seen before is refused:
 * each message is taken once. ERR_FORMAT: malformed, ERR_NAME: unsigned, wrongly signed or replayed, ERR_LIMIT: too
 * big. */
enum err_code wire_decode(struct wire *w, const struct frame *frames, size_t count, struct message **out,
                          struct err *e);
void message_free(struct message *m);

void envelope_init(struct envelope *x);
void envelope_done(struct envelope *x);

/* Fill x with a new message of a type. parent: JSON text of the parent header, NULL: none. metadata: NULL: {}. Both
 * json are borrowed. ERR_MEMORY; ERR_FORMAT: content cannot be written as JSON. */
enum err_code wire_encode(struct wire *w, const char *type, const char *parent, const json_t *metadata,
                          const json_t *content, struct envelope *x, struct err *e);

/* Now as ISO 8601 in UTC with microseconds: "2025-01-31T09:30:00.123456Z". */
enum { WIRE_DATE_SIZE = 40 };
void wire_date(char out[WIRE_DATE_SIZE]);

/* Microseconds since 1970 of such a date (also with an offset, "+01:00", instead of Z, and fewer or no digits behind
 * the point); -1: not a date. */
long long wire_date_us(const char *text);

/* Now, as wire_date_us counts. */
long long wire_now_us(void);

#endif
