/* A #define's text taken apart. */
#ifndef WEIR_LANG_MACRO_H
#define WEIR_LANG_MACRO_H

#include "runtime/lang/index.h"

struct macro {
    bool takes_arguments;
    const char *parameters;     /* between the parentheses */
    size_t nparameters;         /* bytes */
    const char *body;
    size_t nbody;               /* bytes */
};

/* False: not the text of a #define. Pointers are into s->text. */
bool macro_parse(const struct source *s, struct macro *out);

/* Whether name is one of the macro's parameters. */
bool macro_has_parameter(const struct macro *m, const char *name, size_t len);

#endif
