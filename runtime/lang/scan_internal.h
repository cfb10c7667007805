/* Shared by scan.c (statements, artifact lines) and scan_names.c (scopes, expressions, declarations). */
#ifndef WEIR_LANG_SCAN_INTERNAL_H
#define WEIR_LANG_SCAN_INTERNAL_H

#include "runtime/lang/scan.h"

struct local {
    const char *name;
    size_t len;
    bool is_typedef, is_tag;
};

struct scanner {
    const struct tokens *t;
    const struct scan_options *o;
    struct arena *a;
    struct scan *out;
    struct err *e;
    enum err_code failed;
    uint32_t end;
    struct local *locals;
    size_t nlocals, cap_locals, cap_uses, cap_tags, cap_items, cap_returns, cap_pp, cap_skip;
    uint32_t *skip; /* name tokens of the declaration being walked: members, enumerators, the names themselves */
    size_t nskip;
    unsigned depth;            /* of statements */
    unsigned in_arguments;     /* of function-like macros */
};

/* Set the first error; its code. */
enum err_code scanner_fail(struct scanner *s, enum err_code code, uint32_t token, const char *what);

/* Room for one more element of a growing list in the arena. False: out of memory. */
bool scanner_grow(struct scanner *s, void *list, size_t n, size_t *cap, size_t size);

/* ---- tokens ---- */

const char *scanner_text(const struct scanner *s, uint32_t i);
bool scanner_at(const struct scanner *s, uint32_t i, const char *spelling);
bool scanner_is_ident(const struct scanner *s, uint32_t i);
enum word_kind scanner_word(const struct scanner *s, uint32_t i);

/* The bracket at token i, NUL: none; and what closes one, NUL: it opens none. */
char scanner_bracket(const struct scanner *s, uint32_t i);
char scanner_closing(char c);

/* Fill out->match for tokens [first, s->end). */
void scanner_match(struct scanner *s, uint32_t first);

/* ---- names ---- */

void scanner_declare(struct scanner *s, const char *name, size_t len, bool is_typedef, bool is_tag);
const struct local *scanner_local(const struct scanner *s, const char *name, size_t len, bool is_tag);

/* For ctype_parse: locals hide what is outside. */
bool scanner_is_typedef(void *ctx, const char *name, size_t len);

/* A token that is no use although it is an identifier: the declaration's own names. */
void scanner_skip(struct scanner *s, uint32_t token);

/* Names that a type itself declares: members are skipped, enumerators, tags and parameters enter the scope. */
void scanner_type_names(struct scanner *s, const struct ctype *type);

/* ---- walking ---- */

/* The expressions in tokens [first, end). */
void scanner_walk(struct scanner *s, uint32_t first, uint32_t end);

/* A declaration at token i; word_token: of `artifact` before it, UINT32_MAX: none. The token after it. */
uint32_t scanner_declaration(struct scanner *s, uint32_t i, uint32_t word_token);
void scanner_walk_declaration(struct scanner *s, const struct cdeclaration *d, uint32_t word_token);
void scanner_add_item(struct scanner *s, struct scan_item item);

/* The statements in tokens [i, end), in a scope of their own. */
void scanner_block(struct scanner *s, uint32_t i, uint32_t end);

/* One statement, declaration or label from token i; the token after it. */
uint32_t scanner_statement(struct scanner *s, uint32_t i, bool outermost);

#endif
