/* A zygote: a small process that has the flow's code and nothing else, and forks itself for every task. Never runs user
 * code itself. Started by pool.c; ends when its command pipe does, or with its parent. */
#ifndef WEIR_FLOW_ZYGOTE_H
#define WEIR_FLOW_ZYGOTE_H

#include "runtime/include/weir.h"

/* Places in a zygote's argv: descriptors, its number, the runner's pid, the flow's shared object ("": linked in). */
enum {
    ZYGOTE_ARG_MARK = 1, ZYGOTE_ARG_SHARED, ZYGOTE_ARG_COMMANDS, ZYGOTE_ARG_REPLIES, ZYGOTE_ARG_NUMBER, ZYGOTE_ARG_PARENT,
    ZYGOTE_ARG_OBJECT, ZYGOTE_ARGS
};

/* Serve tasks until the runner is gone. Returns the exit status. flow NULL: loaded from the object. */
int zygote_serve(int argc, char **argv, const struct weir_flow *flow);

#endif
