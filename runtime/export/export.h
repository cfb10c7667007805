/* A flow as a folder of its own: flow.c, main.c, Makefile, README.md. `make` there gives a program with the commands run,
 * show, check and --help. */
#ifndef WEIR_EXPORT_EXPORT_H
#define WEIR_EXPORT_EXPORT_H

#include "runtime/base/err.h"
#include "runtime/include/weir.h"

#include <stdbool.h>
#include <stddef.h>

struct export_request {
    const char *directory;          /* made if it is not there */
    const char *unit;               /* text of flow.c, as flows_unit gives it */
    size_t unit_len;
    const struct weir_flow *flow;   /* the same flow compiled: for names and the README's parameters */
    const char *source;             /* what it was made from, for the README: "grid.ipynb" */
    bool force;                     /* write over files that were not made by an export */
};

/* Write the four files. A file that an export has not made is left alone and named: ERR_EXISTS (without force). ERR_IO. */
enum err_code export_flow(const struct export_request *r, struct err *e);

#endif
