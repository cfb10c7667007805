/* A flow from what the user names on the command line: a notebook, a flow.c, or a compiled flow.so.
 *
 * A notebook's plain cells are only declared, never run; its %%flow and %%step cells are registered in order. */
#ifndef WEIR_CLI_SOURCE_H
#define WEIR_CLI_SOURCE_H

#include "runtime/base/buf.h"
#include "runtime/build/build.h"
#include "runtime/include/weir.h"

struct source_options {
    const char *flow;         /* which flow of a notebook; NULL: its last one */
    enum build_tier tier;
    const char *const *inputs; /* names given by --input, NULL-terminated; NULL: none */
};

struct flow_file {
    struct buf unit;                /* text of flow.c; empty for a .so */
    char *store;                    /* path of the .weir folder that goes with it; owned */
    char *so_path;                  /* owned */
    enum build_tier tier;           /* that it was compiled with */
    void *handle;                   /* of dlopen */
    const struct weir_flow *flow;   /* borrowed from the handle */
};

/* Compile (or find compiled) and open. Free with flow_file_close, also after a failure. ERR_USAGE: neither .ipynb, .c nor .so;
 * ERR_NOT_FOUND; whatever is wrong with the cells, with cell and line. */
enum err_code flow_file_open(const char *path, const struct source_options *o, struct flow_file *out, struct err *e);
void flow_file_close(struct flow_file *f);

#endif
