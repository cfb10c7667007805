/* See channels.h. */
#include "kernel/channels.h"

#include "kernel/iopub.h"
#include "kernel/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINGER_MS = 1000,
    COLLECT = 4096, /* messages at most when all of them are wanted */
    BATCH = 64,     /* messages of one socket before the others get their turn */
    ENDPOINT_MAX = 300
};

struct channels {
    void *context;
    void *sockets[3]; /* by enum channel */
    struct iopub iopub;
    void *heart; /* used by the heartbeat's thread once that runs */
    pthread_t heart_thread;
    bool beating;
    struct wire *wire;
    struct envelope envelope;
    channels_receiver *receive;
    void *ctx;
};

static const char *const channel_names[] = { "shell", "control", "stdin" };

/* ---- sending ---- */

static int send_frame(void *socket, const void *data, size_t len, bool more)
{
    return zmq_send(socket, data, len, (more ? ZMQ_SNDMORE : 0) | ZMQ_DONTWAIT);
}

/* The frames from the delimiter on. */
static bool send_envelope(void *socket, const struct envelope *x)
{
    static const struct frame delimiter = WIRE_DELIMITER;
    bool ok = send_frame(socket, delimiter.data, delimiter.len, true) >= 0 &&
              send_frame(socket, x->signature, strlen(x->signature), true) >= 0;
    size_t from = 0;
    for (int i = 0; ok && i < WIRE_PARTS; i++) {
        ok = send_frame(socket, x->text.data + from, x->end[i] - from, i + 1 < WIRE_PARTS) >= 0;
        from = x->end[i];
    }
    return ok;
}

static void publish(void *self, const char *parent, const char *type, const json_t *content)
{
    struct channels *ch = self;
    iopub_publish(&ch->iopub, parent, type, content);
}

/* To the client that sent a request, on one of the channels. */
static void answer(struct channels *ch, enum channel channel, const struct message *request, const char *type,
                   const json_t *metadata, const json_t *content)
{
    struct err e;
    if (wire_encode(ch->wire, type, request->header_text, metadata, content, &ch->envelope, &e) != ERR_NONE) {
        log_line("cannot send '%s': %s", type, e.msg);
        return;
    }
    void *socket = ch->sockets[channel];
    bool ok = true;
    for (size_t i = 0; ok && i < request->nidentities; i++) {
        ok = send_frame(socket, request->identities[i].data, request->identities[i].len, true) >= 0;
    }
    if (!ok || !send_envelope(socket, &ch->envelope)) {
        log_line("cannot send '%s': %s", type, zmq_strerror(zmq_errno()));
    }
}

static void reply(void *self, const struct message *request, const char *type, const json_t *metadata,
                  const json_t *content)
{
    answer(self, (enum channel)request->channel, request, type, metadata, content);
}

static void ask(void *self, const struct message *request, const char *type, const json_t *content,
                char id[WIRE_ID_SIZE])
{
    struct channels *ch = self;
    answer(ch, CHANNEL_STDIN, request, type, NULL, content);
    (void)memcpy(id, ch->envelope.id, WIRE_ID_SIZE);
}

/* ---- receiving ---- */

/* One multipart message. Frames beyond the limit are counted but not kept. Returns the count; 0: none is there. */
static size_t receive_frames(void *socket, zmq_msg_t *parts)
{
    size_t count = 0;
    bool more = true;
    while (more) {
        zmq_msg_t spare;
        zmq_msg_t *part = count < WIRE_FRAMES_MAX ? &parts[count] : &spare;
        (void)zmq_msg_init(part); /* cannot fail */
        if (zmq_msg_recv(part, socket, ZMQ_DONTWAIT) < 0) {
            (void)zmq_msg_close(part);
            break; /* multipart messages arrive whole: only at the first frame */
        }
        more = zmq_msg_more(part) != 0;
        if (part == &spare) {
            (void)zmq_msg_close(part);
        }
        count++;
    }
    return count;
}

/* Receive and pass on one message. False: none was there. */
static bool receive_one(struct channels *ch, enum channel channel)
{
    zmq_msg_t parts[WIRE_FRAMES_MAX];
    struct frame frames[WIRE_FRAMES_MAX];
    size_t count = receive_frames(ch->sockets[channel], parts);
    size_t kept = count < WIRE_FRAMES_MAX ? count : WIRE_FRAMES_MAX;
    for (size_t i = 0; i < kept; i++) {
        frames[i] = (struct frame){ zmq_msg_data(&parts[i]), zmq_msg_size(&parts[i]) };
    }
    struct message *m = NULL;
    struct err e = { .code = ERR_NONE };
    if (count > 0 && wire_decode(ch->wire, frames, count, &m, &e) != ERR_NONE) {
        log_line("dropped a message on %s: %s", channel_names[channel], e.msg);
    }
    for (size_t i = 0; i < kept; i++) {
        (void)zmq_msg_close(&parts[i]);
    }
    if (m) {
        m->channel = (int)channel;
        ch->receive(ch->ctx, m);
    }
    return count > 0;
}

static void receive_some(struct channels *ch, enum channel channel)
{
    for (int i = 0; i < BATCH && receive_one(ch, channel); i++) {
    }
}

static void collect(void *self)
{
    for (int i = 0; i < COLLECT && receive_one(self, CHANNEL_SHELL); i++) {
    }
}

void channels_dispatch(struct channels *ch, bool shell)
{
    iopub_dispatch(&ch->iopub);
    receive_some(ch, CHANNEL_CONTROL);
    receive_some(ch, CHANNEL_STDIN);
    if (shell) {
        receive_some(ch, CHANNEL_SHELL);
    }
}

void channels_items(struct channels *ch, bool shell, zmq_pollitem_t *items)
{
    void *const sockets[CHANNELS_ITEMS] = { ch->sockets[CHANNEL_CONTROL], ch->sockets[CHANNEL_STDIN],
                                            ch->sockets[CHANNEL_SHELL], ch->iopub.socket };
    for (int i = 0; i < CHANNELS_ITEMS; i++) {
        items[i] = (zmq_pollitem_t){ .socket = sockets[i], .events = ZMQ_POLLIN };
        if (sockets[i] == ch->sockets[CHANNEL_SHELL] && !shell) {
            items[i].events = 0;
        }
    }
}

bool channels_congested(const struct channels *ch)
{
    return iopub_congested(&ch->iopub);
}

struct outlet channels_outlet(struct channels *ch)
{
    return (struct outlet){ .self = ch, .reply = reply, .ask = ask, .publish = publish, .collect = collect };
}

/* ---- opening and closing ---- */

/* Echo until the context ends. */
static void *heartbeat(void *arg)
{
    void *socket = arg;
    zmq_msg_t m;
    (void)zmq_msg_init(&m); /* cannot fail */
    while (zmq_msg_recv(&m, socket, 0) >= 0 || zmq_errno() == EINTR) {
        int flags = zmq_msg_more(&m) ? ZMQ_SNDMORE : 0;
        (void)zmq_msg_send(&m, socket, flags); /* fails only when the context ends, which the next receive tells */
    }
    (void)zmq_msg_close(&m);
    (void)zmq_close(socket);
    return NULL;
}

static enum err_code open_socket(struct channels *ch, const struct connection *c, int type, int port, const char *name,
                                 void **out, struct err *e)
{
    char endpoint[ENDPOINT_MAX];
    enum err_code rc = connection_endpoint(c, port, endpoint, sizeof endpoint, e);
    if (rc != ERR_NONE) {
        return rc;
    }
    void *socket = zmq_socket(ch->context, type);
    if (!socket) {
        return err_set(e, ERR_IO, "cannot make the %s socket: %s", name, zmq_strerror(zmq_errno()));
    }
    *out = socket;
    int linger = LINGER_MS, unlimited = 0, yes = 1;
    int64_t largest = WIRE_MESSAGE_MAX;
    (void)zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    (void)zmq_setsockopt(socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited); /* a reply is never lost to a slow reader */
    (void)zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest);
    if (type == ZMQ_ROUTER) {
        (void)zmq_setsockopt(socket, ZMQ_ROUTER_HANDOVER, &yes, sizeof yes); /* a client that reconnects is the same */
    }
    if (type == ZMQ_XPUB) {
        iopub_prepare(socket);
    }
    if (zmq_bind(socket, endpoint) != 0) {
        return err_set(e, ERR_IO, "cannot bind %s to %s: %s", name, endpoint, zmq_strerror(zmq_errno()));
    }
    return ERR_NONE;
}

static enum err_code open_all(struct channels *ch, const struct connection *c, struct err *e)
{
    enum err_code rc = ERR_NONE;
    if ((rc = open_socket(ch, c, ZMQ_ROUTER, c->shell_port, "shell", &ch->sockets[CHANNEL_SHELL], e)) ||
        (rc = open_socket(ch, c, ZMQ_ROUTER, c->control_port, "control", &ch->sockets[CHANNEL_CONTROL], e)) ||
        (rc = open_socket(ch, c, ZMQ_ROUTER, c->stdin_port, "stdin", &ch->sockets[CHANNEL_STDIN], e)) ||
        (rc = open_socket(ch, c, ZMQ_XPUB, c->iopub_port, "iopub", &ch->iopub.socket, e)) ||
        (rc = open_socket(ch, c, ZMQ_ROUTER, c->hb_port, "heartbeat", &ch->heart, e)) ||
        (rc = wire_new(c->key, c->key_len, &ch->wire, e))) {
        return rc;
    }
    ch->iopub.wire = ch->wire;
    int failed = pthread_create(&ch->heart_thread, NULL, heartbeat, ch->heart);
    if (failed) {
        errno = failed;
        return err_errno(e, "cannot start the heartbeat");
    }
    ch->beating = true;
    return ERR_NONE;
}

enum err_code channels_open(const struct connection *c, channels_receiver *receive, void *ctx, struct channels **out,
                            struct err *e)
{
    struct channels *ch = calloc(1, sizeof *ch);
    if (!ch) {
        return err_memory(e);
    }
    ch->receive = receive;
    ch->ctx = ctx;
    envelope_init(&ch->envelope);
    iopub_init(&ch->iopub, NULL, NULL);
    ch->context = zmq_ctx_new();
    enum err_code rc = ch->context ? open_all(ch, c, e) : err_errno(e, "cannot start ZeroMQ");
    if (rc != ERR_NONE) {
        channels_close(ch);
        return rc;
    }
    *out = ch;
    return ERR_NONE;
}

void channels_close(struct channels *ch)
{
    if (!ch) {
        return;
    }
    void *const sockets[] = { ch->sockets[0], ch->sockets[1], ch->sockets[2], ch->iopub.socket,
                              ch->beating ? NULL : ch->heart };
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++) {
        if (sockets[i]) {
            (void)zmq_close(sockets[i]);
        }
    }
    if (ch->context) {
        (void)zmq_ctx_shutdown(ch->context); /* wakes the heartbeat, which closes its own socket */
        if (ch->beating) {
            (void)pthread_join(ch->heart_thread, NULL);
        }
        while (zmq_ctx_term(ch->context) != 0 && zmq_errno() == EINTR) {
        }
    }
    iopub_done(&ch->iopub);
    wire_free(ch->wire);
    envelope_done(&ch->envelope);
    free(ch);
}
