/* The plain cells' declarations that a flow reaches, in an order in which they compile: each after what it needs, ties
 * by kind and text, never by when its cell ran. Functions that call each other in a circle get prototypes. */
#ifndef WEIR_LANG_ORDER_H
#define WEIR_LANG_ORDER_H

#include "runtime/lang/index.h"

enum order_kind { ORDER_MACRO, ORDER_TYPE, ORDER_VARIABLE, ORDER_FUNCTION };

struct order_item {
    const struct source *source;
    enum order_kind kind;
    bool late;                  /* a variable whose initialiser runs in the tasks (late.h) */
    const char *init;           /* with late: the function, once written */
    const char *prototype;      /* to be written here instead of the source; NULL: the source itself */
};

/* Sources from headers are left out. Lists in the arena. */
enum err_code order_sources(const struct index *ix, const struct closure *reached, struct arena *a,
                            struct order_item **out, size_t *count, struct err *e);

#endif
