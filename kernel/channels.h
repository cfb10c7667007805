/* The five sockets: shell, control and stdin (ROUTER), iopub (XPUB), heartbeat (an echo in a thread of its own, so that
 * it beats whatever the kernel does). All but the heartbeat belong to the thread that runs the poll loop. */
#ifndef WEIR_KERNEL_CHANNELS_H
#define WEIR_KERNEL_CHANNELS_H

#include "kernel/connection.h"
#include "kernel/outlet.h"

#include <stdbool.h>
#include <zmq.h>

struct channels;

/* Takes a message that arrived and passed the checks of wire.h. */
typedef void channels_receiver(void *ctx, struct message *m);

/* Bind all sockets and start the heartbeat. Messages go to receive(ctx, ...) from channels_dispatch.
 * ERR_IO: a port cannot be had. Free with channels_close. */
enum err_code channels_open(const struct connection *c, channels_receiver *receive, void *ctx, struct channels **out,
                            struct err *e);

/* Let what was sent go out (at most a second), then close. NULL: nothing. */
void channels_close(struct channels *ch);

/* What to poll for reading; fills CHANNELS_ITEMS items. shell false: leave requests on shell where they are. */
enum { CHANNELS_ITEMS = 4 };
void channels_items(struct channels *ch, bool shell, zmq_pollitem_t *items);

/* Receive what is there: control first, then the others. Bad messages are logged and dropped. */
void channels_dispatch(struct channels *ch, bool shell);

/* Subscribers have too much to fetch: read no output from the session now, and dispatch again in IOPUB_RETRY_MS. */
bool channels_congested(const struct channels *ch);

/* Its outlet; borrowed from ch. */
struct outlet channels_outlet(struct channels *ch);

#endif
