/* What a flow's steps reach outside themselves: headers, and the plain cells' declarations in order. */
#ifndef WEIR_LANG_UNIT_REACH_H
#define WEIR_LANG_UNIT_REACH_H

#include "runtime/base/buf.h"
#include "runtime/lang/order.h"
#include "runtime/lang/resolve.h"

struct unit_reach {
    struct model *m;
    struct arena *a;
    struct buf text;                  /* names reached directly */
    const char **headers;  size_t nheaders, cap_headers;   /* "<math.h>", sorted, each once */
    struct order_item *sources; size_t nsources;
    bool any_late;                    /* some initialiser runs in the tasks */
};

/* With the types of the flow's artifacts. unit_reach_done also after a failure. */
enum err_code unit_reach_init(struct unit_reach *r, struct model *m, struct arena *a, struct err *e);
void unit_reach_done(struct unit_reach *r);

enum err_code unit_reach_outside(struct unit_reach *r, const struct resolved *res, struct err *e);

/* A step's names, and the headers that its cell includes. */
enum err_code unit_reach_step(struct unit_reach *r, unsigned step, const struct resolved *res, struct err *e);

/* Fill headers and sources. ERR_NAME: a plain cell's function that names an artifact. */
enum err_code unit_reach_close(struct unit_reach *r, struct err *e);

/* The initialisers (functions) that these names reach, in order, NULL-terminated, in the arena. Call after the sources
 * were written. */
enum err_code unit_reach_inits(struct unit_reach *r, const struct resolved *res, const char *const **out,
                               struct err *e);

#endif
