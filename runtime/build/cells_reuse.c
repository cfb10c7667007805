/* Giving back what cells leave behind.
 *
 *   a cell's entry     runs once, on the session's thread: done with when it has returned
 *   a function's code  is reached through its gate alone: done with when the gate leads elsewhere, unless a thread may be
 *                      in the middle of it, or a stack that the user switches by himself
 *   data               variables and what pointers may have been taken of stays for good; string literals are in the pool
 *
 * What object_look.c has found to have its address taken stays. So does all that cc has made: it is not looked into. */
#include "runtime/build/cells.h"

#include "runtime/base/threads.h"

#include <stdlib.h>

static void give_back(struct build_cells *b, struct unit *u)
{
    b->units[u->index] = b->units[--b->nunits];
    b->units[u->index]->index = u->index;
    if (u->data_stays) {
        u->near = u->far = (struct block){ .at = NULL };
    }
    b->newest = b->newest == u ? NULL : b->newest;
    cells_unit_free(b, u);
}

static bool can_go(const struct unit *u)
{
    return u->alive == 0 && !u->code_stays && !u->handle && !u->learned;
}

void cells_idle(struct build_cells *b, struct unit *u)
{
    if (!can_go(u)) {
        return;
    }
    if (b->nidle == b->cap_idle) {
        size_t cap = b->cap_idle ? b->cap_idle * 2 : 16;
        struct unit **grown = realloc(b->idle, cap * sizeof(struct unit *));
        if (!grown) {
            return; /* its memory stays */
        }
        b->idle = grown;
        b->cap_idle = cap;
    }
    b->idle[b->nidle++] = u;
}

void build_cells_ran(struct build_cells *b)
{
    b->nconstructors = 0; /* they lie in the cell's memory */
    if (b->newest && !b->newest->has_functions && can_go(b->newest)) {
        give_back(b, b->newest);
    }
    if (b->nidle == 0 || b->has_contexts || threads_besides_first() != 0) {
        return;
    }
    while (b->nidle > 0) {
        give_back(b, b->idle[--b->nidle]);
    }
}
