/* A flow from what the user names on the command line: a notebook, a flow.c, or a compiled flow.so.
 *
 * A notebook's plain cells are only declared, never run; its %%flow and %%step cells are registered in order. */
#ifndef WEIR_CLI_SOURCE_H
#define WEIR_CLI_SOURCE_H

#include "runtime/build/built_flow.h"

struct source_options {
    const char *flow;         /* which flow of a notebook; NULL: its last one */
    enum build_tier tier;
    const char *const *inputs; /* names given by --input, NULL-terminated; NULL: none */
};

/* Compile (or find compiled) and open. Free with built_flow_done, also after a failure. folder: of size bytes, gets the folder that
 * the flow's relative paths mean: the file's, for a .so the working one. ERR_USAGE: neither .ipynb, .c nor .so;
 * ERR_NOT_FOUND; whatever is wrong with the cells, with cell and line. */
enum err_code source_open(const char *path, const struct source_options *o, struct built_flow *out, char *folder, size_t size,
                          struct err *e);

#endif
