/* The seam between the protocol and its sockets: where requests.c sends what it has to say. The kernel's is made of
 * ZeroMQ sockets (channels.h), a test's records the calls. */
#ifndef WEIR_KERNEL_OUTLET_H
#define WEIR_KERNEL_OUTLET_H

#include "kernel/wire.h"

enum channel { CHANNEL_SHELL, CHANNEL_CONTROL, CHANNEL_STDIN };

struct outlet {
    void *self;
    /* Answer a request, on the channel and to the identities that it came from. metadata: may be NULL. json is
     * borrowed. */
    void (*reply)(void *self, const struct message *request, const char *type, const json_t *metadata,
                  const json_t *content);
    /* Ask the client that sent a request, on the stdin channel. content: borrowed. id: of the message that asks. */
    void (*ask)(void *self, const struct message *request, const char *type, const json_t *content,
                char id[WIRE_ID_SIZE]);
    /* Tell all on iopub. parent: JSON text of the parent header, NULL: none. content: borrowed. */
    void (*publish)(void *self, const char *parent, const char *type, const json_t *content);
    /* Receive what already waits on the shell channel, so that it is in the queue. */
    void (*collect)(void *self);
};

#endif
