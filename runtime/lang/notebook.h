/* A saved notebook's code cells (.ipynb, nbformat 4).
 *
 * The file is untrusted input: its size, the number of cells and their text are limited, and nothing is run. */
#ifndef WEIR_LANG_NOTEBOOK_H
#define WEIR_LANG_NOTEBOOK_H

#include "runtime/base/arena.h"
#include "runtime/lang/index.h"

enum { NOTEBOOK_MAX_BYTES = 256 << 20, NOTEBOOK_MAX_CELLS = 20000 };

struct notebook {
    struct arena arena;         /* owns everything here */
    struct cell *cells; /* code cells that are not blank, in order; number: 1, 2, ... as after "Run All"; id: unique */
    size_t ncells;
};

/* Read the file at path. Free with notebook_done, also after a failure. ERR_IO; ERR_FORMAT: not a notebook; ERR_LIMIT.
 */
enum err_code notebook_read(const char *path, struct notebook *out, struct err *e);

/* The same from memory; name is for messages. */
enum err_code notebook_parse(const char *name, const char *json, size_t len, struct notebook *out, struct err *e);

void notebook_done(struct notebook *nb);

#endif
