/* A flow's text, compiled into its store, and the object opened: what a notebook, a flow.c or the session's cells become
 * before they are run or exported. */
#ifndef WEIR_BUILD_BUILT_FLOW_H
#define WEIR_BUILD_BUILT_FLOW_H

#include "runtime/build/build.h"
#include "runtime/flow/flow_object.h"

struct built_flow {
    struct buf unit;           /* text of flow.c; empty when only the object is known */
    char *store;               /* path of the .weir folder that goes with it; owned */
    char *so_path;             /* owned */
    enum build_tier tier;      /* that it was compiled with */
    struct flow_object object;
};

void built_flow_init(struct built_flow *b);
void built_flow_done(struct built_flow *b);

/* Compile b->unit (or find it compiled) into b->store, which is made if it is not there. Errors as build_flow's. */
enum err_code built_flow_compile(struct built_flow *b, enum build_tier tier, struct err *e);

/* Open b->so_path for its tables; none of its functions is called. */
enum err_code built_flow_open(struct built_flow *b, struct err *e);

#endif
