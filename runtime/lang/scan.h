/* What a function body or a step's cell mentions: its free identifiers with their places, and its `artifact` or `param`
 * lines. Locals (block scopes, for loops, typedefs, enumerators, parameters of prototypes), labels, members,
 * designators and tags are told apart; macros are not expanded.
 *
 * Results live in the arena, token numbers refer to the tokens given. */
#ifndef WEIR_LANG_SCAN_H
#define WEIR_LANG_SCAN_H

#include "runtime/lang/ctype.h"

struct scan_use {
    uint32_t token;
    bool argument;          /* inside the arguments of a function-like macro: what it is there is the macro's affair */
};

struct scan_tag { uint32_t keyword, token; };    /* `struct` and `point` */

/* One name of an `artifact` or `param` line. */
struct scan_item {
    const char *name;
    struct ctype *type;     /* NULL: `artifact x;`, the one that comes in */
    uint32_t word;          /* token of `artifact` */
    uint32_t first, end;    /* tokens of this declarator (with its initialiser) */
    uint32_t name_token;
    uint32_t init_first, init_end;
    uint32_t stop;          /* token of the line's `;` */
    int line;
};

struct scan {
    struct scan_use *uses;  size_t nuses;
    struct scan_tag *tags;  size_t ntags;
    struct scan_item *items; size_t nitems;
    uint32_t *returns;      size_t nreturns;
    uint32_t *pp;           size_t npp;        /* preprocessor lines */
    uint32_t *match;        /* of each bracket token its partner */
};

struct scan_options {
    ctype_is_typedef *is_typedef;   /* outside the text; also tells nothing of locals */
    ctype_is_typedef *is_call;      /* a function-like macro's name; NULL: none is */
    ctype_is_typedef *is_taken;     /* names that the user declared: they are no words of the language; NULL: none */
    void *ctx;
    const char *word;               /* "artifact" or "param"; NULL: neither means anything */
};

/* Scan tokens [first, end) as the inside of a function's body. ERR_SYNTAX, ERR_TYPE, with the line. */
enum err_code scan_body(const struct tokens *t, uint32_t first, uint32_t end, const struct scan_options *o,
                        struct arena *a, struct scan *out, struct err *e);

/* Scan one declaration or function definition at file scope (parsed as d). */
enum err_code scan_declaration(const struct tokens *t, const struct cdeclaration *d, const struct scan_options *o,
                               struct arena *a, struct scan *out, struct err *e);

/* Token i's text is exactly name. */
bool scan_is(const struct tokens *t, uint32_t i, const char *name);

#endif
