/* C declarations as trees: the parser (see ctype.h; printing is in ctype_print.c).
 *
 * Recursive descent over the grammar of declarations alone. Expressions (array sizes, bit widths, initialisers, bodies) are
 * stepped over by their brackets and kept as token ranges or text. A declarator is read inside out: for `(*f)(int)` the
 * suffix `(int)` is applied to the base first, then the parenthesised part is read with that type as its base. */
#include "runtime/lang/ctype_words.h"

#include <string.h>

enum { MAX_DEPTH = 100, MAX_LIST = 65535 };

struct parser {
    const struct tokens *t;
    size_t i;
    ctype_is_typedef *is_typedef;
    void *ctx;
    struct arena *a;
    struct err *e;
    unsigned depth;
    enum err_code failed;
};

/* Specifiers as they were read. */
struct specifiers {
    struct cdeclaration *decl;
    struct ctype *type;        /* struct, typedef's name, ...; NULL while only words were seen */
    bool is_const, is_volatile;
    unsigned nlong, nshort, nsigned, nunsigned, nint, nchar, ncomplex;
    const char *word;          /* "double", "void", "_Bool", ... */
};

static void specifiers(struct parser *p, struct specifiers *s);
static struct ctype *declarator(struct parser *p, struct ctype *base, struct cdecl *out);
static void add_decl(struct parser *p, struct cdecl **list, size_t *n, size_t *cap, struct cdecl d);

static enum err_code fail(struct parser *p, const char *wanted)
{
    if (p->failed) {
        return p->failed;
    }
    const struct token *at = &p->t->at[p->i < p->t->count ? p->i : p->t->count];
    int len = (int)(at->len > 40 ? 40 : at->len);
    if (at->kind == TOKEN_END) {
        p->failed = err_at(p->e, ERR_SYNTAX, "", (int)at->line, "%s expected before the end", wanted);
    } else {
        p->failed = err_at(p->e, ERR_SYNTAX, "", (int)at->line, "%s expected before '%.*s'", wanted, len,
                           p->t->text + at->start);
    }
    return p->failed;
}

static void *allocate(struct parser *p, size_t size)
{
    void *memory = p->failed ? NULL : arena_alloc(p->a, size);
    if (!memory && !p->failed) {
        p->failed = err_memory(p->e);
    }
    return memory;
}

static const char *copy_text(struct parser *p, size_t first, size_t end)
{
    if (p->failed) {
        return "";
    }
    if (first >= end) {
        return "";
    }
    size_t start = p->t->at[first].start;
    size_t stop = (size_t)p->t->at[end - 1].start + p->t->at[end - 1].len;
    const char *copy = arena_strndup(p->a, p->t->text + start, stop - start);
    if (!copy) {
        p->failed = err_memory(p->e);
        return "";
    }
    return copy;
}

static bool is(const struct parser *p, const char *spelling)
{
    return token_is(p->t, p->i, spelling);
}

static bool accept(struct parser *p, const char *spelling)
{
    bool here = is(p, spelling);
    p->i += here;
    return here;
}

static bool typedef_at(const struct parser *p, size_t i)
{
    return ident_at(p->t, i) && p->is_typedef &&
           p->is_typedef(p->ctx, p->t->text + p->t->at[i].start, p->t->at[i].len);
}

static struct ctype *new_type(struct parser *p, enum ctype_kind kind, const char *spelling, struct ctype *of)
{
    struct ctype *type = allocate(p, sizeof *type);
    if (type) {
        type->kind = kind;
        type->spelling = spelling;
        type->of = of;
    }
    return type;
}

/* Past the brackets that open at the current token. */
static void skip_brackets(struct parser *p)
{
    size_t close = token_match(p->t, p->i);
    if (close >= p->t->count) {
        p->i = p->t->count;
        (void)fail(p, "a closing bracket");
    } else {
        p->i = close + 1;
    }
}

/* Past attributes, asm labels, and names of macros that stand where they do. */
static void skip_attributes(struct parser *p)
{
    for (;;) {
        enum word_kind w = word_at(p->t, p->i);
        if (w != WORD_ATTRIBUTE && w != WORD_ASM && w != WORD_EXTENSION) {
            return;
        }
        p->i++;
        if (is(p, "(")) {
            skip_brackets(p);
        }
    }
}

/* ---- struct, union, enum ---- */

static void bit_field(struct parser *p, struct cdecl *d)
{
    size_t first = p->i;
    while (p->i < p->t->count && !is(p, ",") && !is(p, ";") && !is(p, "}")) {
        if (is(p, "(")) {
            skip_brackets(p);
            if (p->failed) {
                return;
            }
        } else {
            p->i++;
        }
    }
    d->bits = copy_text(p, first, p->i);
}

static void member_declaration(struct parser *p, struct ctype *type, size_t *cap)
{
    struct cdeclaration decl = { 0 };
    struct specifiers s = { .decl = &decl };
    int line = (int)p->t->at[p->i].line;
    specifiers(p, &s);
    bool any = false;
    while (!p->failed && !is(p, ";")) {
        struct cdecl d = { .line = line, .first = (uint32_t)p->i };
        d.type = is(p, ":") ? s.type : declarator(p, s.type, &d);
        if (accept(p, ":")) {
            bit_field(p, &d);
        }
        skip_attributes(p);
        d.end = (uint32_t)p->i;
        add_decl(p, &type->members, &type->nmembers, cap, d);
        any = true;
        if (!accept(p, ",")) {
            break;
        }
    }
    if (!any) {
        add_decl(p, &type->members, &type->nmembers, cap, (struct cdecl){ .type = s.type, .line = line });
    }
    if (!accept(p, ";") && !is(p, "}")) {
        (void)fail(p, "';' after a member");
    }
}

static void member_list(struct parser *p, struct ctype *type)
{
    size_t cap = 0;
    while (!p->failed && !is(p, "}")) {
        if (p->i >= p->t->count) {
            (void)fail(p, "'}'");
        } else if (p->t->at[p->i].kind == TOKEN_PP || is(p, ";")) {
            p->i++;
        } else if (word_at(p->t, p->i) == WORD_ASSERT) {
            p->i++;
            skip_brackets(p);
        } else {
            size_t before = p->i;
            member_declaration(p, type, &cap);
            if (p->i == before) {
                (void)fail(p, "a member");
            }
        }
    }
}

static void enumerator_list(struct parser *p, struct ctype *type)
{
    size_t cap = 0;
    while (!p->failed && !is(p, "}")) {
        if (p->i < p->t->count && p->t->at[p->i].kind == TOKEN_PP) {
            p->i++;
            continue;
        }
        if (!ident_at(p->t, p->i)) {
            (void)fail(p, "an enumerator's name");
            return;
        }
        struct cdecl d = { .line = (int)p->t->at[p->i].line, .first = (uint32_t)p->i };
        d.name = copy_text(p, p->i, p->i + 1);
        p->i++;
        skip_attributes(p);
        if (accept(p, "=")) {
            d.init_first = (uint32_t)p->i;
            while (p->i < p->t->count && !is(p, ",") && !is(p, "}")) {
                if (is(p, "(") || is(p, "{") || is(p, "[")) {
                    skip_brackets(p);
                    if (p->failed) {
                        return;
                    }
                } else {
                    p->i++;
                }
            }
            d.init_end = (uint32_t)p->i;
        }
        d.end = (uint32_t)p->i;
        add_decl(p, &type->members, &type->nmembers, &cap, d);
        if (!accept(p, ",") && !is(p, "}") && !(p->i < p->t->count && p->t->at[p->i].kind == TOKEN_PP)) {
            (void)fail(p, "',' or '}' after an enumerator");
        }
    }
}

static struct ctype *tagged(struct parser *p, enum word_kind w)
{
    struct ctype *type = new_type(p, w == WORD_STRUCT ? CTYPE_STRUCT : w == WORD_UNION ? CTYPE_UNION : CTYPE_ENUM, NULL, NULL);
    if (!type) {
        return NULL;
    }
    type->key_first = (uint32_t)p->i++;
    skip_attributes(p);
    if (ident_at(p->t, p->i)) {
        type->spelling = copy_text(p, p->i, p->i + 1);
        p->i++;
    }
    skip_attributes(p);
    if (!is(p, "{")) {
        if (!type->spelling) {
            (void)fail(p, "a tag or '{'");
        }
        return type;
    }
    if (++p->depth > MAX_DEPTH) {
        (void)fail(p, "less deep nesting");
        return type;
    }
    type->has_body = true;
    type->body_first = (uint32_t)p->i++;
    if (w == WORD_ENUM) {
        enumerator_list(p, type);
    } else {
        member_list(p, type);
    }
    if (!accept(p, "}")) {
        (void)fail(p, "'}'");
    }
    type->body_end = (uint32_t)p->i;
    p->depth--;
    return type;
}

/* ---- specifiers ---- */

static struct ctype *from_words(struct parser *p, const struct specifiers *s)
{
    if (s->ncomplex) {
        return new_type(p, CTYPE_COMPLEX, s->word && strcmp(s->word, "float") == 0 ? "float _Complex" :
                        s->nlong ? "long double _Complex" : "double _Complex", NULL);
    }
    if (s->word) {
        if (strcmp(s->word, "void") == 0) {
            return new_type(p, CTYPE_VOID, "void", NULL);
        }
        if (strcmp(s->word, "_Bool") == 0) {
            return new_type(p, CTYPE_BOOL, "_Bool", NULL);
        }
        if (strcmp(s->word, "__builtin_va_list") == 0 || strcmp(s->word, "__auto_type") == 0) {
            return new_type(p, CTYPE_NAMED, s->word, NULL);
        }
        if (strncmp(s->word, "__int128", 8) == 0 || strncmp(s->word, "__uint128", 9) == 0) {
            return new_type(p, CTYPE_INTEGER, s->nunsigned ? "unsigned __int128" : s->word, NULL);
        }
        return new_type(p, CTYPE_FLOATING, s->nlong ? "long double" : s->word, NULL);
    }
    if (s->nchar) {
        return new_type(p, s->nsigned || s->nunsigned ? CTYPE_INTEGER : CTYPE_CHAR,
                        s->nunsigned ? "unsigned char" : s->nsigned ? "signed char" : "char", NULL);
    }
    const char *spelling = s->nshort ? (s->nunsigned ? "unsigned short" : "short") :
                           s->nlong > 1 ? (s->nunsigned ? "unsigned long long" : "long long") :
                           s->nlong ? (s->nunsigned ? "unsigned long" : "long") : s->nunsigned ? "unsigned int" : "int";
    return new_type(p, CTYPE_INTEGER, spelling, NULL);
}

static void type_word(struct parser *p, struct specifiers *s)
{
    const char *w = p->t->text + p->t->at[p->i].start;
    size_t len = p->t->at[p->i].len;
#define WORD_IS(x) (len == sizeof x - 1 && memcmp(w, x, len) == 0)
    if (WORD_IS("long")) {
        s->nlong++;
    } else if (WORD_IS("short")) {
        s->nshort++;
    } else if (WORD_IS("signed") || WORD_IS("__signed") || WORD_IS("__signed__")) {
        s->nsigned++;
    } else if (WORD_IS("unsigned")) {
        s->nunsigned++;
    } else if (WORD_IS("int")) {
        s->nint++;
    } else if (WORD_IS("char")) {
        s->nchar++;
    } else if (WORD_IS("_Complex") || WORD_IS("__complex__") || WORD_IS("_Imaginary")) {
        s->ncomplex++;
    } else {
        s->word = copy_text(p, p->i, p->i + 1);
    }
#undef WORD_IS
    p->i++;
}

static bool has_type(const struct specifiers *s)
{
    return s->type || s->word || s->nlong || s->nshort || s->nsigned || s->nunsigned || s->nint || s->nchar || s->ncomplex;
}

static struct ctype *type_of(struct parser *p)
{
    size_t first = p->i++;
    if (!is(p, "(")) {
        (void)fail(p, "'('");
        return NULL;
    }
    skip_brackets(p);
    return new_type(p, CTYPE_TYPEOF, copy_text(p, first, p->i), NULL);
}

/* One identifier among the specifiers that is no word of C: a typedef, a macro for a type, or a macro that stands for an
 * attribute (`EXPORT int f(void)`). False: it belongs to the declarator. */
static bool name_specifier(struct parser *p, struct specifiers *s)
{
    size_t next = p->i + 1;
    enum word_kind w = word_at(p->t, next);
    if (has_type(s)) { /* `double complex z`, `int EXPORT f(void)`: a macro, since the name comes after it */
        bool macro = (ident_at(p->t, next) && w == WORD_NAME) || token_is(p->t, next, "*");
        s->ncomplex += macro && is(p, "complex");
        p->i += macro;
        return macro;
    }
    bool known = typedef_at(p, p->i);
    if (!known && ((w != WORD_CONST && w != WORD_VOLATILE && is_specifier(w)) || typedef_at(p, next))) {
        p->i++;
        return true;
    }
    if (known || (ident_at(p->t, next) && w == WORD_NAME) || token_is(p->t, next, "*")) {
        s->type = new_type(p, CTYPE_NAMED, copy_text(p, p->i, p->i + 1), NULL);
        p->i++;
        return true;
    }
    return false;
}

/* One specifier; false at the first token that is none. */
static bool specifier(struct parser *p, struct specifiers *s)
{
    if (!ident_at(p->t, p->i)) {
        return false;
    }
    enum word_kind w = word_at(p->t, p->i);
    switch (w) {
    case WORD_TYPEDEF: s->decl->storage = CDECL_TYPEDEF; break;
    case WORD_EXTERN: s->decl->storage = CDECL_EXTERN; break;
    case WORD_STATIC: s->decl->storage = CDECL_STATIC; break;
    case WORD_CONST: s->is_const = true; break;
    case WORD_VOLATILE: s->is_volatile = true; break;
    case WORD_INLINE: s->decl->is_inline = s->decl->is_inline || p->t->at[p->i].len != 9; break; /* 9: _Noreturn */
    case WORD_STORAGE: break;
    case WORD_QUALIFIER: /* also _Atomic(int) */
    case WORD_EXTENSION:
        if (token_is(p->t, p->i + 1, "(") && w == WORD_QUALIFIER) {
            s->type = type_of(p);
            return !p->failed;
        }
        break;
    case WORD_ATTRIBUTE:
        skip_attributes(p);
        return !p->failed;
    case WORD_TYPE: type_word(p, s); return !p->failed;
    case WORD_STRUCT:
    case WORD_UNION:
    case WORD_ENUM: s->type = tagged(p, w); return !p->failed;
    case WORD_TYPEOF: s->type = type_of(p); return !p->failed;
    case WORD_NAME: return name_specifier(p, s);
    case WORD_ASSERT:
    case WORD_ASM:
    case WORD_STATEMENT:
    case WORD_OPERATOR:
    default: return false;
    }
    p->i++;
    return true;
}

static void specifiers(struct parser *p, struct specifiers *s)
{
    s->decl->first = (uint32_t)p->i;
    while (!p->failed && specifier(p, s)) {
    }
    if (p->failed) {
        return;
    }
    if (!s->type) {
        s->type = from_words(p, s);
    }
    if (s->type) {
        s->type->is_const = s->type->is_const || s->is_const;
        s->type->is_volatile = s->type->is_volatile || s->is_volatile;
    }
    s->decl->base = s->type;
    s->decl->specifiers_end = (uint32_t)p->i;
}

/* ---- declarators ---- */

static void add_decl(struct parser *p, struct cdecl **list, size_t *n, size_t *cap, struct cdecl d)
{
    if (p->failed) {
        return;
    }
    if (*n == *cap) {
        size_t grown = *cap ? *cap * 2 : 4;
        struct cdecl *room = grown > MAX_LIST ? NULL : allocate(p, grown * sizeof *room);
        if (!room) {
            (void)fail(p, "a shorter list");
            return;
        }
        if (*n) {
            memcpy(room, *list, *n * sizeof *room);
        }
        *list = room;
        *cap = grown;
    }
    (*list)[(*n)++] = d;
}

static void parameter(struct parser *p, struct ctype *function, size_t *cap)
{
    struct cdeclaration decl = { 0 };
    struct specifiers s = { .decl = &decl };
    struct cdecl d = { .line = (int)p->t->at[p->i].line, .first = (uint32_t)p->i };
    bool plain_name = ident_at(p->t, p->i) && word_at(p->t, p->i) == WORD_NAME && !typedef_at(p, p->i) &&
                      (token_is(p->t, p->i + 1, ",") || token_is(p->t, p->i + 1, ")"));
    if (plain_name) { /* K&R's list of names */
        d.name = copy_text(p, p->i, p->i + 1);
        d.type = new_type(p, CTYPE_INTEGER, "int", NULL);
        p->i++;
    } else {
        size_t before = p->i;
        specifiers(p, &s);
        d.type = p->failed ? NULL : declarator(p, s.type, &d);
        skip_attributes(p);
        if (p->i == before) {
            (void)fail(p, "a parameter");
        }
    }
    d.end = (uint32_t)p->i;
    add_decl(p, &function->members, &function->nmembers, cap, d);
}

static struct ctype *parameters(struct parser *p)
{
    struct ctype *function = new_type(p, CTYPE_FUNCTION, NULL, NULL);
    size_t cap = 0;
    p->i++; /* ( */
    if (is(p, "void") && token_is(p->t, p->i + 1, ")")) {
        p->i += 2;
        if (function) {
            function->has_body = true; /* (void): no parameters, rather than unknown ones */
        }
        return function;
    }
    while (!p->failed && !is(p, ")")) {
        if (accept(p, "...")) {
            function->variadic = true;
        } else {
            parameter(p, function, &cap);
        }
        if (!accept(p, ",") && !is(p, ")")) {
            (void)fail(p, "',' or ')' after a parameter");
        }
    }
    p->i++; /* ) */
    return function;
}

/* [..] and (..) after the name, applied to base. */
static struct ctype *suffixes(struct parser *p, struct ctype *base)
{
    struct ctype *type = NULL;
    if (++p->depth > MAX_DEPTH) {
        (void)fail(p, "less deep nesting");
    } else if (is(p, "[")) {
        size_t first = p->i + 1;
        skip_brackets(p);
        type = new_type(p, CTYPE_ARRAY, NULL, NULL);
        if (type) {
            type->dim = copy_text(p, first, p->i - 1);
            type->of = suffixes(p, base);
        }
    } else if (is(p, "(")) {
        type = parameters(p);
        if (type && !p->failed) {
            type->of = suffixes(p, base);
        }
    } else {
        type = base;
    }
    p->depth--;
    return type;
}

/* Whether the ( at the current token begins a nested declarator, not parameters. */
static bool nested(const struct parser *p)
{
    size_t i = p->i + 1;
    if (token_is(p->t, i, "*") || token_is(p->t, i, "(") || word_at(p->t, i) == WORD_ATTRIBUTE) {
        return true;
    }
    return ident_at(p->t, i) && word_at(p->t, i) == WORD_NAME && !typedef_at(p, i);
}

static struct ctype *pointers(struct parser *p, struct ctype *base)
{
    skip_attributes(p);
    while (!p->failed && accept(p, "*")) {
        base = new_type(p, CTYPE_POINTER, NULL, base);
        for (enum word_kind w; base && (w = word_at(p->t, p->i)) != WORD_NAME; p->i++) {
            if (w == WORD_CONST) {
                base->is_const = true;
            } else if (w == WORD_VOLATILE) {
                base->is_volatile = true;
            } else if (w != WORD_QUALIFIER) {
                break;
            }
        }
        skip_attributes(p);
    }
    return base;
}

/* A declarator, possibly without name; the type it gives. out->name is set if there is one. */
static struct ctype *declarator(struct parser *p, struct ctype *base, struct cdecl *out)
{
    struct ctype *type = NULL;
    if (++p->depth > MAX_DEPTH) {
        (void)fail(p, "less deep nesting");
    }
    base = pointers(p, base);
    if (!p->failed && is(p, "(") && nested(p)) {
        size_t open = p->i;
        skip_brackets(p);
        struct ctype *around = p->failed ? NULL : suffixes(p, base);
        size_t after = p->i;
        p->i = open + 1;
        type = p->failed ? NULL : declarator(p, around, out);
        if (!p->failed && !is(p, ")")) {
            (void)fail(p, "')'");
        }
        p->i = p->failed ? p->i : after;
    } else if (!p->failed) {
        if (ident_at(p->t, p->i) && word_at(p->t, p->i) == WORD_NAME) {
            out->name = copy_text(p, p->i, p->i + 1);
            out->line = (int)p->t->at[p->i].line;
            out->name_token = (uint32_t)p->i;
            p->i++;
        }
        type = suffixes(p, base);
    }
    skip_attributes(p);
    p->depth--;
    return type;
}

/* ---- whole declarations ---- */

/* Past an initialiser: to the , or ; that ends it. */
static void initialiser(struct parser *p, struct cdecl *d)
{
    d->init_first = (uint32_t)p->i;
    while (p->i < p->t->count && !is(p, ",") && !is(p, ";")) {
        if (is(p, "(") || is(p, "[") || is(p, "{")) {
            skip_brackets(p);
            if (p->failed) {
                return;
            }
        } else if (is(p, ")") || is(p, "]") || is(p, "}")) {
            break;
        } else {
            p->i++;
        }
    }
    d->init_end = (uint32_t)p->i;
    if (d->init_first == d->init_end) {
        (void)fail(p, "an initialiser");
    }
}

/* A function's body or its K&R declarations begin at the current token. */
static bool body_follows(const struct parser *p)
{
    return is(p, "{") || (ident_at(p->t, p->i) && ctype_begins(p->t, p->i, p->is_typedef, p->ctx));
}

static void function_body(struct parser *p, struct cdeclaration *out)
{
    out->is_definition = true;
    while (!p->failed && !is(p, "{")) { /* K&R: declarations of the parameters */
        struct cdeclaration decl = { 0 };
        struct specifiers s = { .decl = &decl };
        struct ctype *function = out->declarators[0].type;
        size_t before = p->i;
        out->old_style = true;
        specifiers(p, &s);
        do {
            struct cdecl d = { 0 };
            d.type = p->failed ? NULL : declarator(p, s.type, &d);
            for (size_t i = 0; !p->failed && d.name && i < function->nmembers; i++) {
                if (function->members[i].name && strcmp(function->members[i].name, d.name) == 0) {
                    function->members[i].type = d.type;
                }
            }
        } while (!p->failed && accept(p, ","));
        if (!accept(p, ";") || p->i == before) {
            (void)fail(p, "';'");
        }
    }
    out->body = (uint32_t)p->i;
    skip_brackets(p);
}

static void declarators(struct parser *p, struct cdeclaration *out)
{
    size_t cap = 0;
    while (!p->failed && !is(p, ";")) {
        struct cdecl d = { .line = (int)p->t->at[p->i].line, .first = (uint32_t)p->i };
        d.type = declarator(p, out->base, &d);
        if (!p->failed && !d.name) {
            (void)fail(p, "a name");
        }
        d.end = (uint32_t)p->i;
        if (!p->failed && accept(p, "=")) {
            initialiser(p, &d);
        }
        add_decl(p, &out->declarators, &out->ndeclarators, &cap, d);
        if (p->failed) {
            return;
        }
        if (out->ndeclarators == 1 && d.type && d.type->kind == CTYPE_FUNCTION && body_follows(p)) {
            function_body(p, out);
            return;
        }
        if (!accept(p, ",")) {
            break;
        }
    }
    if (!accept(p, ";")) {
        (void)fail(p, out->ndeclarators ? "'=', ',' or ';'" : "';'");
    }
}

enum err_code ctype_parse(const struct tokens *t, size_t i, ctype_is_typedef *is_typedef, void *ctx, struct arena *a,
                          struct cdeclaration *out, struct err *e)
{
    struct parser p = { .t = t, .i = i, .is_typedef = is_typedef, .ctx = ctx, .a = a, .e = e };
    struct cdeclaration made = { .storage = CDECL_PLAIN, .first = (uint32_t)i };
    while (word_at(t, p.i) == WORD_EXTENSION) {
        p.i++;
    }
    if (word_at(t, p.i) == WORD_ASSERT || word_at(t, p.i) == WORD_ASM) {
        made.is_assert = true;
        p.i++;
        if (word_at(t, p.i) == WORD_VOLATILE) {
            p.i++;
        }
        skip_brackets(&p);
        (void)accept(&p, ";");
    } else {
        struct specifiers s = { .decl = &made };
        specifiers(&p, &s);
        made.first = (uint32_t)i;
        if (!p.failed) {
            declarators(&p, &made);
        }
    }
    if (p.failed) {
        out->end = (uint32_t)p.i;
        return p.failed;
    }
    made.end = (uint32_t)p.i;
    *out = made;
    return ERR_NONE;
}

enum err_code ctype_parse_name(const struct tokens *t, size_t i, ctype_is_typedef *is_typedef, void *ctx, struct arena *a,
                               struct ctype **type, size_t *end, struct err *e)
{
    struct parser p = { .t = t, .i = i, .is_typedef = is_typedef, .ctx = ctx, .a = a, .e = e };
    struct cdeclaration decl = { 0 };
    struct specifiers s = { .decl = &decl };
    struct cdecl d = { 0 };
    specifiers(&p, &s);
    struct ctype *made = p.failed ? NULL : declarator(&p, s.type, &d);
    if (p.failed) {
        return p.failed;
    }
    *type = made;
    *end = p.i;
    return ERR_NONE;
}
