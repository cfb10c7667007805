/* What a runner tells while it runs: one JSON object a line on options.events_fd.
 *
 *   {"event":"run","run":ID,"flow":F,"tier":"tcc","store":PATH,"steps":[{"name":S,"next":[..],"foreach":bool,"join":bool,"cell":C}]}
 *   {"event":"progress","elapsed":SECONDS,"steps":{S:{"queued":N,"running":N,"done":N,"failed":N}}}   at most 10 a second, and at the end
 *   {"event":"log","step":S,"path":"3","stream":"stdout","text":"..."}                                whole lines, as they come
 *   {"event":"failed","step":S,"path":"3","cell":"cell [4]","line":3,"reason":"...","more":N}          first 20 a run
 *   {"event":"end","run":ID,"status":"done"|"failed"|"interrupted","elapsed":SECONDS,"tasks":N,"reason":"..."}
 */
#ifndef WEIR_FLOW_EVENTS_H
#define WEIR_FLOW_EVENTS_H

#include "runtime/include/weir.h"

struct events;

struct events *events_new(int fd);      /* NULL: out of memory. fd stays the caller's; -1: everything below does nothing */
void events_free(struct events *v);         /* writes what is gathered; NULL is fine */

/* Lines are gathered; write them now. */
void events_flush(struct events *v);

struct events_count { uint64_t queued, running, done, failed; };

void events_run(struct events *v, const struct weir_flow *flow, const char *run, const char *tier, const char *store);
void events_progress(struct events *v, const struct weir_flow *flow, const struct events_count *steps, double elapsed);
void events_log(struct events *v, const char *step, const char *path, const char *stream, const char *text, size_t len);
void events_failed(struct events *v, const char *step, const char *path, const char *cell, int line, const char *reason);
void events_end(struct events *v, const char *run, const char *status, double elapsed, uint64_t tasks, const char *reason);

#endif
