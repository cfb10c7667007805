/* libtcc with its messages sorted: what it refuses, and what it only warns of but is wrong. */
#ifndef WEIR_BUILD_TCC_H
#define WEIR_BUILD_TCC_H

#include "runtime/base/buf.h"

struct TCCState;

struct tcc {
    struct TCCState *state; /* owned */
    bool refused;           /* an error: tcc can't compile this */
    bool doubtful;          /* a warning that stands for an error: implicit declaration, assigned constant, return */
    struct buf first;       /* the first such message, as tcc spells it */
    struct buf undefined;   /* names that linking missed, a line each */
};

/* A state for one translation unit. output: TCC_OUTPUT_... ; options: as on tcc's command line, or NULL.
 * Done with tcc_done, also after a failure. ERR_MEMORY. */
enum err_code tcc_begin(struct tcc *t, int output, const char *options, const char *include_dir, struct err *e);
void tcc_done(struct tcc *t);

/* Those of the user's options for cc that concern tcc too (-I -D -L -U -l). */
struct flags;
void tcc_options(struct tcc *t, const struct flags *user);

/* Compile text (NUL-terminated). True: accepted without doubt. */
bool tcc_compile(struct tcc *t, const char *text);

#endif
