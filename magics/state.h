/* What the magics of one session know, and the few things that all of them do. Inside magics/ only. */
#ifndef WEIR_MAGICS_STATE_H
#define WEIR_MAGICS_STATE_H

#include "magics/table.h"

struct values;

enum { MAGICS_MAX_PENDING = 256 };

/* A step that waits for something. */
struct pending {
    char *flow, *step;        /* owned */
};

struct magics {
    struct magic_host host;
    struct values *values;    /* of the last finished run of each flow */
    struct pending pending[MAGICS_MAX_PENDING];
    size_t npending;
    unsigned displays;        /* ids given out */
    bool rerunning;           /* inside %rerun */
    bool providing;           /* inside magics_provide: hidden cells need no values of their own */
};

/* Text under the cell. */
void say(struct magics *m, const char *stream, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Show html (may be NULL) with its text/plain. display_id NULL: none. */
void show_bundle(struct magics *m, const char *html, const char *text, const char *display_id, bool update);

/* The flow that a magic means: the word given, else the current one. ERR_NAME with those there are; ERR_NOT_FOUND: none yet. */
enum err_code pick_flow(struct magics *m, const char *word, const char **flow, struct err *e);

#endif
