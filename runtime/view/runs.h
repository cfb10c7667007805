/* Runs as a list: id, flow, status, when, how long, tasks. */
#ifndef WEIR_VIEW_RUNS_H
#define WEIR_VIEW_RUNS_H

#include "runtime/base/buf.h"
#include "runtime/metadata/metadata.h"

/* Append the list as a table; either buffer may be NULL. Times are local. */
void runs_write(struct buf *html, struct buf *text, const struct meta_run *runs, size_t count);

/* "done", "failed", ... Static. */
const char *run_status_text(int status);

#endif
