/* What an expression of a cell is: as much of C's typing as a value's display needs. Arithmetic is left to the compiler
 * (__typeof__), since only arrays, structs, enums and pointers have to be known by name. */
#ifndef WEIR_LANG_TYPER_H
#define WEIR_LANG_TYPER_H

#include "runtime/lang/index.h"

enum typed_kind {
    TYPED_KNOWN,        /* type says it */
    TYPED_ARITHMETIC,   /* presumably a number: __typeof__ and _Generic will tell */
    TYPED_OLD           /* names a variable whose type has been redefined since: name says which */
};

struct typed {
    enum typed_kind kind;
    const struct ctype *type;
    bool is_object;     /* & may be applied to it */
    const char *name;
};

/* Tokens [first, end) of t. Nodes made on the way are in the arena. */
struct typed type_expression(struct index *ix, const struct tokens *t, size_t first, size_t end, struct arena *a);

/* What `__typeof__(...)` (a CTYPE_TYPEOF) stands for; NULL: not known. */
const struct ctype *type_typeof(struct index *ix, const struct ctype *type, struct arena *a);

#endif
