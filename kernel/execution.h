/* The one cell that runs: from its execute_request through what it shows to its execute_reply.
 *
 *   execution_start -> interpreter -> busy, execute_input -> events: stream, display, result, error -> done -> execute_reply
 *
 * Embedded in `struct requests`, and used by it alone; on the thread of the poll loop. */
#ifndef WEIR_KERNEL_EXECUTION_H
#define WEIR_KERNEL_EXECUTION_H

#include "kernel/history.h"
#include "kernel/interpreter.h"
#include "kernel/outlet.h"

struct execution {
    struct outlet outlet;           /* borrowed */
    struct interpreter interpreter; /* borrowed */
    struct history *history;        /* owned */
    int counter;                    /* of the latest cell that was kept in the history */

    struct message *running; /* owned; NULL: no cell runs */
    int count;               /* shown for it */
    bool silent, store, stop_on_error;
    json_t *question;         /* owned; what an input_request asks the client, until it is answered. NULL: nothing */
    char asked[WIRE_ID_SIZE]; /* that request's id */
    bool unannounced; /* `busy` and execute_input are still to be published */
    json_t *input;    /* owned; the latter's content; NULL: there will be none */
    json_t *error; /* owned; what its reply will say; NULL: no error so far */
    char started[WIRE_DATE_SIZE];
    long long ended_us; /* when the latest cell was over, before its reply was sent */
    char *last_parent;  /* owned; header of the latest cell that was not silent, for what comes after its end */

    /* Its reply is sent: the rest is up to `requests`. failed: queued cells are to be dropped. */
    void (*finished)(void *ctx, struct message *m, bool failed);
    void *ctx;
};

enum err_code execution_init(struct execution *x, struct err *e);
void execution_done(struct execution *x);

/* Start m's cell (takes m): publishes `busy` too. finished comes later, or at once when it could not start. No other cell runs. */
void execution_start(struct execution *x, struct message *m);

/* A client's input_reply; borrowed. Returns why it is not taken; NULL: it is. Static. */
const char *execution_input(struct execution *x, const struct message *m);

/* The events that an interpreter has to send; borrowed from x. */
struct interpreter_events execution_events(struct execution *x);

#endif
