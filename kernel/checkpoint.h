/* The seam for rolling a session back: fork before a cell, commit after it, take over on death, in this order.
 *
 * The supervisor calls these around every cell. Today's implementation (checkpoint_none) keeps no copy: take_over
 * starts a fresh session and says that the state is lost. A checkpointing one makes the session fork a sleeper in
 * `before`. */
#ifndef WEIR_KERNEL_CHECKPOINT_H
#define WEIR_KERNEL_CHECKPOINT_H

#include "runtime/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct supervisor;

struct checkpoint {
    void *self;
    enum err_code (*before)(void *self, struct supervisor *s, struct err *e);
    enum err_code (*commit)(void *self, struct supervisor *s, struct err *e);
    /* The session is dead (wait status as waitpid gives it). *restored: true if the state from before the cell is back.
     */
    enum err_code (*take_over)(void *self, struct supervisor *s, int wait_status, bool *restored, struct err *e);
};

struct checkpoint checkpoint_none(void);

#endif
