/* The runner of one %flow run as a process: started, listened to, interrupted, reaped.
 *
 *   session ---- fd 3: events, JSON lines (runtime/flow/events.h) ----.
 *      |  <----- stdout and stderr: what went wrong before a run began --+-- weir run FLOW.so
 *      `-------- SIGINT --------------------------------------------------'
 *
 * It is a process group of its own and dies with the session. One owner, one thread. */
#ifndef WEIR_MAGICS_RUNNER_H
#define WEIR_MAGICS_RUNNER_H

#include "runtime/base/buf.h"

#include <jansson.h>
#include <stdbool.h>

struct runner;

/* Start argv[0] (a path) in `directory` (NULL: this one). Free with runner_free. ERR_IO, ERR_MEMORY. */
enum err_code runner_start(const char *const *argv, const char *directory, struct runner **out, struct err *e);

/* Wait up to timeout_ms for the runner and hand over each event (borrowed). *ended: it has closed its pipes.
 * ERR_FORMAT: a line that is no event. */
enum err_code runner_listen(struct runner *r, int timeout_ms, void (*event)(void *ctx, json_t *event), void *ctx,
                            bool *ended, struct err *e);

void runner_interrupt(struct runner *r);

/* Reap it. Returns the status as waitpid gives it, -1: not known. said: what it printed, borrowed until runner_free. */
int runner_wait(struct runner *r, const char **said);

/* Kills it if it still runs. Takes NULL. */
void runner_free(struct runner *r);

#endif
