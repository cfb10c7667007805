/* See iopub.h. The socket is XPUB_MANUAL (a subscription counts from our zmq_setsockopt on) and XPUB_NODROP (a full
 * subscriber makes the send fail instead of losing the message). ZeroMQ takes or refuses a message at its first frame.
 */
#include "kernel/iopub.h"

#include "kernel/log.h"
#include "runtime/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum { TOPIC_MAX = 256, LOSSY_MS = 10000 };

/* A message that waits: frames in one block, with their lengths. */
struct waiting {
    struct waiting *next;
    size_t nframes;
    struct frame frames[3 + WIRE_PARTS]; /* point behind the struct */
};

void iopub_prepare(void *socket)
{
    int yes = 1, hwm = IOPUB_HWM;
    (void)zmq_setsockopt(socket, ZMQ_XPUB_MANUAL, &yes, sizeof yes); /* options that this version has do not fail */
    (void)zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &yes, sizeof yes);
    (void)zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
}

void iopub_init(struct iopub *io, void *socket, struct wire *wire)
{
    *io = (struct iopub){ .socket = socket, .wire = wire };
    envelope_init(&io->envelope);
}

static void drop_first(struct iopub *io)
{
    struct waiting *w = io->first;
    io->first = w->next;
    io->last = io->first ? io->last : NULL;
    free(w);
}

void iopub_done(struct iopub *io)
{
    while (io->first) {
        drop_first(io);
    }
    envelope_done(&io->envelope);
}

static long long now_ms(void)
{
    return clock_ns() / 1000000;
}

static void set_lossy(struct iopub *io, bool lossy)
{
    int keep = !lossy;
    (void)zmq_setsockopt(io->socket, ZMQ_XPUB_NODROP, &keep, sizeof keep); /* as in iopub_prepare */
    io->lossy_until = lossy ? now_ms() + LOSSY_MS : 0;
}

/* False: it does not fit now, and nothing of it was sent. */
static bool send_frames(struct iopub *io, const struct frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
        if (zmq_send(io->socket, frames[i].data, frames[i].len, flags) >= 0) {
            continue;
        }
        if (zmq_errno() == EAGAIN && i == 0) {
            return false;
        }
        log_line("cannot publish a message: %s", zmq_strerror(zmq_errno()));
        return true;
    }
    return true;
}

static void keep(struct iopub *io, const struct frame *frames, size_t count)
{
    size_t size = sizeof(struct waiting);
    for (size_t i = 0; i < count; i++) {
        size += frames[i].len;
    }
    struct waiting *w = calloc(1, size);
    if (!w) {
        log_line("lost a message on iopub: out of memory");
        return;
    }
    char *to = (char *)(w + 1);
    for (size_t i = 0; i < count; i++) {
        memcpy(to, frames[i].data, frames[i].len);
        w->frames[w->nframes++] = (struct frame){ to, frames[i].len };
        to += frames[i].len;
    }
    if (io->last) {
        io->last->next = w;
    } else {
        io->first = w;
        io->stalled_since = now_ms();
    }
    io->last = w;
}

/* Send what waits, in order. */
static void retry(struct iopub *io)
{
    if (io->lossy_until && now_ms() > io->lossy_until) {
        set_lossy(io, false);
    }
    while (io->first) {
        if (!send_frames(io, io->first->frames, io->first->nframes)) {
            if (now_ms() - io->stalled_since < IOPUB_PATIENCE_MS) {
                return;
            }
            log_line("a subscriber of iopub does not read: it loses messages");
            set_lossy(io, true);
            continue;
        }
        drop_first(io);
        io->stalled_since = now_ms();
    }
}

static void publish_on(struct iopub *io, const void *topic, size_t len, const char *parent, const char *type,
                       const json_t *content)
{
    struct err e;
    struct envelope *x = &io->envelope;
    if (wire_encode(io->wire, type, parent, NULL, content, x, &e) != ERR_NONE) {
        log_line("cannot publish '%s': %s", type, e.msg);
        return;
    }
    struct frame frames[3 + WIRE_PARTS] = { { topic, len }, WIRE_DELIMITER, { x->signature, strlen(x->signature) } };
    size_t from = 0;
    for (size_t i = 0; i < WIRE_PARTS; i++) {
        frames[3 + i] = (struct frame){ x->text.data + from, x->end[i] - from };
        from = x->end[i];
    }
    retry(io);
    if (io->first || !send_frames(io, frames, 3 + WIRE_PARTS)) {
        keep(io, frames, 3 + WIRE_PARTS);
    }
}

static void welcome(struct iopub *io, const char *topic, size_t len)
{
    json_t *content = json_pack("{s:s%}", "subscription", topic, len);
    if (!content) {
        log_line("a subscription to a topic that is not UTF-8 gets no welcome");
        return;
    }
    publish_on(io, topic, len, NULL, "iopub_welcome", content);
    json_decref(content);
}

static void take_subscriptions(struct iopub *io)
{
    zmq_msg_t m;
    (void)zmq_msg_init(&m); /* cannot fail */
    while (zmq_msg_recv(&m, io->socket, ZMQ_DONTWAIT) >= 0) {
        const unsigned char *data = zmq_msg_data(&m);
        size_t len = zmq_msg_size(&m);
        if (len > 0 && data[0] == 1 && zmq_setsockopt(io->socket, ZMQ_SUBSCRIBE, data + 1, len - 1) == 0) {
            welcome(io, (const char *)data + 1, len - 1);
        } else if (len > 0 && data[0] == 0) {
            (void)zmq_setsockopt(io->socket, ZMQ_UNSUBSCRIBE, data + 1, len - 1); /* else its pipe is gone already */
        }
    }
    (void)zmq_msg_close(&m);
}

void iopub_publish(struct iopub *io, const char *parent, const char *type, const json_t *content)
{
    take_subscriptions(io);
    char topic[TOPIC_MAX];
    int n = snprintf(topic, sizeof topic, "kernel.%s.%s", wire_session(io->wire), type);
    publish_on(io, topic, (size_t)n < sizeof topic ? (size_t)n : sizeof topic - 1, parent, type, content);
}

void iopub_dispatch(struct iopub *io)
{
    take_subscriptions(io);
    retry(io);
}

bool iopub_congested(const struct iopub *io)
{
    return io->first != NULL;
}
