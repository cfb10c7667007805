/* Shared by resolve.c (names and words), resolve_inputs.c (`inputs`) and resolve_check.c (reach, assignments). */
#ifndef WEIR_LANG_RESOLVE_INTERNAL_H
#define WEIR_LANG_RESOLVE_INTERNAL_H

#include "runtime/base/buf.h"
#include "runtime/lang/resolve.h"

struct resolver {
    struct model *m;
    unsigned step;
    const struct flowcell *cell;
    const struct tokens *t;
    const struct scan *scan;
    struct arena *a;
    struct resolved *out;
    bool *taken;              /* of each token: part of a ref already */
    size_t cap_refs, cap_members, cap_outside;
    struct err *e;
};

/* Set the error at a token; returns code. */
enum err_code resolver_fail(struct resolver *r, enum err_code code, uint32_t token, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

const char *resolver_text(const struct resolver *r, uint32_t token);

/* Room for one more in a list of the arena. */
bool resolver_grow(struct resolver *r, void *list, size_t n, size_t *cap, size_t size);

/* `inputs` at token i: fill out (kind, end, member). */
enum err_code resolver_inputs(struct resolver *r, uint32_t i, struct ref *out);

/* name reaches this step (or is declared in it before token), else the error that says why not. */
enum err_code resolver_reaches(struct resolver *r, uint32_t token, unsigned name);

/* No step makes what token names. */
enum err_code resolver_unknown(struct resolver *r, uint32_t token);

/* Read-only names that are assigned, and uses before the `artifact` line. */
enum err_code resolver_check_refs(struct resolver *r);

/* `artifact x;` lines need something that comes in. */
enum err_code resolver_check_incoming(struct resolver *r);

/* Initialisers, and which incoming values the artifact lines need. */
enum err_code resolver_check_items(struct resolver *r);

#endif
