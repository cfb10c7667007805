/* What kind of artifact a declared C type is: its form (weir.h), element and dims, whether it can be kept at all, and a
 * text by which two declarations of one name are compared. Results live in the arena. */
#ifndef WEIR_LANG_SHAPE_H
#define WEIR_LANG_SHAPE_H

#include "runtime/include/weir.h"
#include "runtime/lang/index.h"

struct shape {
    const struct ctype *type;        /* as declared, without const */
    const struct ctype *element;     /* of an array its innermost element, else type */
    const struct ctype *resolved;    /* what element means, typedefs followed */
    int form;                        /* enum weir_form */
    unsigned ndim;
    const char *dim[WEIR_MAX_DIMS];  /* source text, outermost first; "" for [] */
    long long size[WEIR_MAX_DIMS];   /* of constant dims whose value is known; -1: not known here */
    const char *spelling;            /* for people: "double [][2]" */
    const char *identity;            /* two types are one when these are equal ... */
    bool opaque;                     /* ... or when either has a size that only the compiler knows */
};

/* name is for messages. ERR_TYPE: a type that can't be kept, naming the member; ERR_PENDING: a type that no cell
 * defines. */
enum err_code shape_of(const struct index *ix, const struct ctype *type, const char *name, struct arena *a,
                       struct shape *out, struct err *e);

/* Number, enumeration or character (no struct). */
bool shape_is_scalar(const struct shape *s);

#endif
