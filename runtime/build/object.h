/* Placing one relocatable object (what tcc -c makes) into executable memory: our own end of linking.
 *
 * libtcc can do it too (tcc_relocate), but sends every 32-bit reference to a symbol outside through a jump table: right
 * for calls, silently wrong for data, and tcc does refer to `extern double` operands so. Here data is reached directly,
 * and what is out of reach is refused.
 *
 * Code and data are placed apart, since a cell's code is often done with when the cell is, and it is told what of
 * either somebody may still hold a pointer to. */
#ifndef WEIR_BUILD_OBJECT_H
#define WEIR_BUILD_OBJECT_H

#include "runtime/base/err.h"
#include "runtime/build/area.h"
#include "runtime/build/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where an object goes. */
struct object_home {
    struct area *code, *data;
    struct area *far; /* data of at least OBJECT_FAR bytes a section; perhaps out of a jump's reach */
    struct pool *literals;
    /* Address of a symbol that the object does not define; NULL: unknown. */
    void *(*resolve)(void *ctx, const char *name);
    /* Where references to a function that the object defines are to go; NULL: to the function itself. */
    void *(*gate)(void *ctx, const char *name);
    void *ctx;
};

enum { OBJECT_FAR = 8 << 20 };

struct object {
    char *data; /* owned; the file's bytes */
    size_t len;
    void *tables; /* owned; see object.c */
    const struct object_home *home;
    struct block code, near, far; /* where it has been placed: the caller's to give back */
    bool code_stays;              /* the address of a place in its code may be stored: a label's, a function's without gate */
    bool data_stays;              /* it has variables, or constants that are not in the pool */
};

/* Place the object. data: taken, also on failure. out: done with object_done in any case, its blocks given back by then
 * on failure. ERR_NOT_FOUND: an undefined symbol, whose name is the message. ERR_FORMAT: something that only a real
 * linker can do. ERR_LIMIT: no room. */
enum err_code object_place(struct object *out, char *data, size_t len, const struct object_home *home, struct err *e);

/* Address of a global symbol that the object defines, a function's own; NULL: none. */
void *object_symbol(const struct object *o, const char *name);

/* Its constructors, in its memory. */
void (**object_constructors(const struct object *o, size_t *count))(void);

/* Only the tables go; what was placed stays. */
void object_done(struct object *o);

#endif
