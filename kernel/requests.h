/* The protocol: what each request does and answers, and in which order.
 *
 * What needs the session and its order (execute, history, shutdown) waits on one queue, while a cell runs; everything
 * else, and what comes by control, is answered at once. Each request is bracketed by status busy and idle. Knows
 * sockets only as an `outlet` and user code only as an `interpreter`, so that tests replace both. On the thread of the
 * poll loop. */
#ifndef WEIR_KERNEL_REQUESTS_H
#define WEIR_KERNEL_REQUESTS_H

#include "kernel/connection.h"
#include "kernel/interpreter.h"
#include "kernel/outlet.h"

#include <stdbool.h>

struct requests;

enum { REQUESTS_QUEUE_MAX = 4096 };

/* connection: copied. Free with requests_free. */
enum err_code requests_new(const struct connection *connection, struct requests **out, struct err *e);
void requests_free(struct requests *r);

/* The events for the interpreter; borrowed from r. */
struct interpreter_events requests_events(struct requests *r);

/* Join the ends (both borrowed), before anything is received. Publishes status `starting`. */
void requests_start(struct requests *r, const struct outlet *outlet, const struct interpreter *interpreter);

/* A channels_receiver: takes m. ctx is a struct requests. */
void requests_receive(void *ctx, struct message *m);

/* Interrupt the cell that runs, as an interrupt_request does. */
void requests_interrupt(struct requests *r);

/* The queue is full: read no more of shell until it is not. */
bool requests_full(const struct requests *r);

/* A shutdown was answered: the loop is to end. */
bool requests_stopping(const struct requests *r);

#endif
