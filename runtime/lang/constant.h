/* Integer constant expressions, as far as source text tells: literals, characters, macros, enumerators, C's operators,
 * sizeof of basic types. What only the compiler can know (sizeof of a struct, offsetof) is told apart from what varies
 * at run time. */
#ifndef WEIR_LANG_CONSTANT_H
#define WEIR_LANG_CONSTANT_H

#include "runtime/lang/index.h"

enum constant_kind {
    CONSTANT_VALUE,     /* value known */
    CONSTANT_OPAQUE,    /* constant, but its value is the compiler's to say */
    CONSTANT_NOT        /* names something that is no constant */
};

/* Names for which is_hidden is true are no constants, whatever the index says (NULL: none). */
enum constant_kind constant_eval(const struct index *ix, const char *text, ctype_is_typedef *is_hidden, void *ctx,
                                 long long *value);

#endif
