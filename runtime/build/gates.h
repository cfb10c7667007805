/* Where functions of cells are called: a gate a name, for as long as the session lives.
 *
 *   gate   jmp *slot(%rip)     16 bytes, aligned; what callers and pointers know
 *          slot                address of the newest definition
 *
 * A function defined again takes one aligned store of 8 bytes, so that a thread in the middle of a call comes out in
 * the old one or the new one. Nothing but gates knows where a function's code is, so an old one's can be given back. */
#ifndef WEIR_BUILD_GATES_H
#define WEIR_BUILD_GATES_H

#include "runtime/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct gates {
    char *base; /* executable memory of the caller's, zeroed */
    size_t size, used;
};

/* A new gate that leads to target. NULL: no room. */
char *gate_new(struct gates *g, const void *target);
void gate_lead(char *gate, const void *target);

/* What the gate leads to, if at is a gate; else at. */
const char *gate_follow(const struct gates *g, const char *at);

/* A function by cc, not yet running: make also what its own object calls go through the gate, in the nops at its
 * beginning. *body: what the gate is to lead to. ERR_IO: its code can't be written. */
enum err_code gate_patch(void *function, const char *gate, void **body, struct err *e);

#endif
