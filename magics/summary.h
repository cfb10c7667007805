/* What a run was, in short: the graph, each step's tasks and time, the artifacts with type, shape and size. */
#ifndef WEIR_MAGICS_SUMMARY_H
#define WEIR_MAGICS_SUMMARY_H

#include "runtime/base/buf.h"

struct progress;

/* Append it; reads the run's metadata, and says what of it can't be read. */
void summary_write(struct progress *p, struct buf *html, struct buf *text);

#endif
