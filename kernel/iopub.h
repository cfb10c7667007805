/* The iopub socket (XPUB): what all clients see.
 *
 * Each new subscriber is welcomed (JEP 65): its subscription takes effect only when we have read it, and the welcome is
 * sent before anything else can be. Nothing is lost to a slow reader, and nothing grows without limit: once a
 * subscriber has IOPUB_HWM messages to fetch, further ones wait here in order, and iopub_congested asks the loop to
 * read no more output from the session. A subscriber that then fetches nothing for IOPUB_PATIENCE_MS loses messages;
 * the others do not.
 *
 * Belongs to the thread of the poll loop. */
#ifndef WEIR_KERNEL_IOPUB_H
#define WEIR_KERNEL_IOPUB_H

#include "kernel/wire.h"

#include <stdbool.h>

enum { IOPUB_HWM = 1000, IOPUB_PATIENCE_MS = 2000, IOPUB_RETRY_MS = 5 };

struct waiting;

struct iopub {
    void *socket;      /* ZeroMQ's; opened and closed by channels.c */
    struct wire *wire; /* borrowed */
    struct envelope envelope;
    struct waiting *first, *last; /* messages that do not fit yet, oldest first; owned */
    long long stalled_since;      /* ms; when the oldest was first refused */
    long long lossy_until;        /* ms; 0: nothing is lost now */
};

/* Set the options of an XPUB socket, before it is bound. */
void iopub_prepare(void *socket);

void iopub_init(struct iopub *io, void *socket, struct wire *wire);
void iopub_done(struct iopub *io);

/* Send a message, or have it wait. parent: JSON text, NULL: none. content: borrowed. */
void iopub_publish(struct iopub *io, const char *parent, const char *type, const json_t *content);

/* Answer new subscriptions, and send what waits as far as it fits. Call when the socket is readable, and every
 * IOPUB_RETRY_MS while iopub_congested. */
void iopub_dispatch(struct iopub *io);

bool iopub_congested(const struct iopub *io);

#endif
