/* Placing one relocatable object (what tcc -c makes) into executable memory: our own end of linking.
 *
 * libtcc can do it too (tcc_relocate), but sends every 32-bit reference to a symbol outside through a jump table: right
 * for calls, silently wrong for data, and tcc does refer to `extern double` operands so. Here data is reached directly,
 * and what is out of reach is refused. */
#ifndef WEIR_BUILD_OBJECT_H
#define WEIR_BUILD_OBJECT_H

#include "runtime/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object {
    char *data; /* owned; the file's bytes */
    size_t len;
    void *tables;      /* owned; see object.c */
    char *start, *end; /* where it has been placed */
};

/* Address of a symbol that the object does not define; NULL: unknown. */
typedef void *object_resolve(void *ctx, const char *name);

/* Place the object at `at` (64-byte aligned, room bytes, zeroed). data: taken, also on failure. out: done with
 * object_done in any case. ERR_NOT_FOUND: an undefined symbol, whose name is the message. ERR_FORMAT: something that
 * only a real linker can do. ERR_LIMIT: more than room. */
enum err_code object_place(struct object *out, char *data, size_t len, char *at, size_t room, object_resolve *resolve,
                           void *ctx, struct err *e);

/* Address of a global symbol that the object defines; NULL: none. */
void *object_symbol(const struct object *o, const char *name);

/* Its constructors, in its memory. */
void (**object_constructors(const struct object *o, size_t *count))(void);

/* Only the tables go; what was placed stays. */
void object_done(struct object *o);

#endif
