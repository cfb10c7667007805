/* A cell split into items in source order: preprocessor lines, function definitions, declarations, statements, and a last
 * expression without `;`. */
#ifndef WEIR_LANG_ITEMS_H
#define WEIR_LANG_ITEMS_H

#include "runtime/lang/ctype.h"

enum item_kind { ITEM_PP, ITEM_FUNCTION, ITEM_DECLARATION, ITEM_STATEMENT, ITEM_EXPRESSION };

struct item {
    enum item_kind kind;
    uint32_t first, end;            /* token range */
    struct cdeclaration decl;       /* of ITEM_FUNCTION and ITEM_DECLARATION */
};

struct items {
    struct item *at;                /* in the arena */
    size_t count;
};

/* Names declared earlier in the same text count as typedefs too. ERR_SYNTAX with the line: unbalanced brackets and the like. */
enum err_code items_split(const struct tokens *t, ctype_is_typedef *is_typedef, void *ctx, struct arena *a, struct items *out,
                          struct err *e);

/* Whether a preprocessor line is `#define NAME type...`, so that NAME can begin a declaration; its name within pp. types
 * (may be NULL) tells which names in the body are types. */
bool items_define_is_type(const char *pp, size_t len, ctype_is_typedef *types, void *ctx, const char **name,
                          size_t *name_len);

enum completeness { COMPLETE, INCOMPLETE, INVALID };

/* Jupyter's is_complete: whether text can run as it stands; indent gets the spaces for the next line (at most size). */
enum completeness items_complete(const char *text, char *indent, size_t size);

#endif
