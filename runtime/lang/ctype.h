/* C declarations as trees: what a name's type is, as far as lowering has to know it. Sizes and layouts are never computed
 * here: the compiler is asked for them (describe.h).
 *
 * All nodes live in an arena; text pointers are NUL-terminated copies in the same arena. */
#ifndef WEIR_LANG_CTYPE_H
#define WEIR_LANG_CTYPE_H

#include "runtime/base/arena.h"
#include "runtime/lang/lexer.h"

enum ctype_kind {
    CTYPE_VOID, CTYPE_BOOL, CTYPE_CHAR /* plain char */, CTYPE_INTEGER, CTYPE_FLOATING, CTYPE_COMPLEX,
    CTYPE_STRUCT, CTYPE_UNION, CTYPE_ENUM,
    CTYPE_NAMED,       /* a typedef's name: resolve through the index */
    CTYPE_TYPEOF,      /* __typeof__(...): text in spelling */
    CTYPE_POINTER, CTYPE_ARRAY, CTYPE_FUNCTION
};

struct cdecl;

struct ctype {
    enum ctype_kind kind;
    bool is_const, is_volatile;
    const char *spelling;      /* canonical: "unsigned long", "double"; a typedef's name; a tag ("point") or NULL when anonymous */
    struct ctype *of;          /* pointee, element, return type */
    const char *dim;           /* array: source text of the size, "" for [] */
    struct cdecl *members;     /* struct and union: members; function: parameters; enum: enumerators (type NULL) */
    size_t nmembers;
    bool has_body;             /* struct, union, enum: defined here; function: (void), rather than () */
    bool variadic;
    uint32_t body_first, body_end; /* with has_body: tokens from its { to after its } */
    uint32_t key_first;        /* struct, union, enum: the keyword's token */
};

struct cdecl {
    const char *name;          /* NULL: an anonymous member or parameter */
    struct ctype *type;
    const char *bits;          /* a bit-field's width, else NULL */
    uint32_t init_first, init_end; /* token range of the initialiser after '=' (equal: none) */
    uint32_t first, end;       /* token range of the declarator */
    uint32_t name_token;       /* with a name: its token */
    int line;
};

struct cdeclaration {
    enum { CDECL_PLAIN, CDECL_TYPEDEF, CDECL_EXTERN, CDECL_STATIC } storage;
    bool is_inline, is_definition /* of a function: a body follows */;
    struct ctype *base;        /* the specifiers' type */
    struct cdecl *declarators; /* none: `struct point {...};` */
    size_t ndeclarators;
    uint32_t first, specifiers_end; /* tokens of the specifiers ("static const struct {...}") */
    bool is_assert;            /* _Static_assert(...); nothing else is set but end */
    bool old_style;            /* a definition with K&R parameter declarations */
    uint32_t body;             /* token of the function body's { if is_definition */
    uint32_t end;              /* first token after the ; (or after the body's }) */
};

/* Whether an identifier is a typedef's name in scope. */
typedef bool ctype_is_typedef(void *ctx, const char *name, size_t len);

/* Whether a declaration (rather than a statement) begins at token i. */
bool ctype_begins(const struct tokens *t, size_t i, ctype_is_typedef *is_typedef, void *ctx);

/* Parse one whole declaration or function definition at token i. ERR_SYNTAX with the line; out->end is then the token
 * where it failed (t->count: the text ends too early). Attributes, asm labels,
 * _Static_assert, __extension__ and GNU keywords are skipped. */
enum err_code ctype_parse(const struct tokens *t, size_t i, ctype_is_typedef *is_typedef, void *ctx, struct arena *a,
                          struct cdeclaration *out, struct err *e);

/* Parse a type name as in a cast ("const double (*)[2]") at token i; *end is the token after it. */
enum err_code ctype_parse_name(const struct tokens *t, size_t i, ctype_is_typedef *is_typedef, void *ctx, struct arena *a,
                               struct ctype **type, size_t *end, struct err *e);

/* Type as C text with name in its place ("double (*name)[2]", name may be ""), appended to out. */
struct buf;
void ctype_print(struct buf *out, const struct ctype *type, const char *name);

#endif
