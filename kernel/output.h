/* How much of a cell's text is shown. Up to a limit all of it is passed on; what is beyond goes to a file that holds the
 * whole text from the cell's first byte, byte for byte, and a note says so, at once and again at the cell's end. A front
 * end with megabytes of text in a cell is no longer usable, and Jupyter Server drops output above 1 MB a second.
 * Just so it drops what comes in more than 1000 messages a second. Each change between stdout and stderr is one, since their
 * order is kept; so a cell that goes on changing faster than that is over the limit too.
 *
 *   pipes -> output_text -> at most `limit` bytes -> capture
 *                       \-> .weir/output/2026-01-31-093000-4711-cell-7.txt, at most `file_limit` bytes
 *
 * Belongs to the thread of the poll loop. A disk that is slow or full costs time or the rest of the text, never the cell. */
#ifndef WEIR_KERNEL_OUTPUT_H
#define WEIR_KERNEL_OUTPUT_H

#include "kernel/capture.h"
#include "kernel/settings.h"
#include "runtime/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct output {
    struct capture *capture; /* borrowed; takes what is shown */
    int count; /* the cell's */
    int64_t limit, file_limit;
    int64_t total;       /* bytes of the cell so far */
    struct buf kept;     /* a copy of what was passed on, until there is a file */
    int fd;              /* of the file; -1: none */
    int64_t written;     /* bytes in it */
    bool over;           /* a limit was reached */
    enum capture_stream stream; /* of the latest text */
    double changes;             /* to the other stream that are allowed now; they become more with time */
    double changed_at;          /* seconds; when that was counted */
    const char *trouble; /* why the file has no more; NULL: it has all. Static */
    char path[512];      /* as shown: relative to the working folder if it is in it */
};

void output_init(struct output *o, struct capture *capture);
void output_done(struct output *o);

/* A cell begins: text counts as its from now on, also after its end. */
void output_begin(struct output *o, int count, const struct settings *settings);

/* More of its text, as it was printed. */
void output_text(struct output *o, enum capture_stream stream, const char *text, size_t len);

/* The cell is over: if not all was shown, say where all of it is. */
void output_end(struct output *o);

#endif
