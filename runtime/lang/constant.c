/* See constant.h. Precedence climbing over the tokens; macros and enumerators are evaluated from their own source text.
 */
#include "runtime/lang/constant.h"
#include "runtime/lang/macro.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NESTING = 60, MAX_WORK = 20000 };

struct evaluator {
    const struct index *ix;
    ctype_is_typedef *is_hidden;
    void *ctx;
    unsigned depth, work;      /* nesting, and tokens looked at in all */
    enum constant_kind kind;   /* the worst so far */
};

struct cursor {
    struct evaluator *v;
    const struct tokens *t;
    uint32_t at;
};

static long long conditional(struct cursor *c);
static long long eval_text(struct evaluator *v, const char *text, size_t len);

static void worsen(struct evaluator *v, enum constant_kind kind)
{
    v->kind = kind > v->kind ? kind : v->kind;
}

static bool accept(struct cursor *c, const char *spelling)
{
    bool here = token_is(c->t, c->at, spelling);
    c->at += here;
    return here;
}

static const char *text_at(const struct cursor *c, size_t *len)
{
    *len = c->t->at[c->at].len;
    return c->t->text + c->t->at[c->at].start;
}

static long long number(struct cursor *c)
{
    size_t len;
    const char *text = text_at(c, &len);
    char copy[64], *end;
    c->at++;
    if (len >= sizeof copy) {
        worsen(c->v, CONSTANT_OPAQUE);
        return 0;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    bool binary = copy[0] == '0' && (copy[1] == 'b' || copy[1] == 'B');
    errno = 0;
    unsigned long long value = strtoull(binary ? copy + 2 : copy, &end, binary ? 2 : 0);
    if (errno || value > LLONG_MAX || end[strspn(end, "uUlL")] != '\0') {
        worsen(c->v, CONSTANT_OPAQUE); /* floating, or larger than we count */
        return 0;
    }
    return (long long)value;
}

static long long character(struct cursor *c)
{
    size_t len;
    const char *text = text_at(c, &len);
    c->at++;
    if (len == 3 && text[0] == '\'') {
        return text[1];
    }
    static const char escapes[] = "n\nt\tr\r0\0\\\\'\'\"\"a\ab\bf\fv\v";
    for (size_t i = 0; len == 4 && text[1] == '\\' && i + 1 < sizeof escapes; i += 2) {
        if (text[2] == escapes[i]) {
            return escapes[i + 1];
        }
    }
    worsen(c->v, CONSTANT_OPAQUE);
    return 0;
}

/* ---- names ---- */

static long long enumerator(struct evaluator *v, const struct decl *d)
{
    struct arena a;
    struct tokens t = { .count = 0 };
    struct cdeclaration parsed;
    long long value = -1;
    bool found = false;
    arena_init(&a);
    if (!lex(d->source->text, d->source->len, &t, NULL) &&
        !ctype_parse(&t, 0, index_is_typedef, (void *)(uintptr_t)v->ix, &a, &parsed, NULL) && parsed.base &&
        parsed.base->kind == CTYPE_ENUM) {
        for (size_t i = 0; i < parsed.base->nmembers && !found; i++) {
            const struct cdecl *m = &parsed.base->members[i];
            if (m->init_end > m->init_first) {
                size_t start = t.at[m->init_first].start;
                size_t end = (size_t)t.at[m->init_end - 1].start + t.at[m->init_end - 1].len;
                value = eval_text(v, t.text + start, end - start);
            } else {
                value++;
            }
            found = strcmp(m->name, d->name) == 0;
        }
    }
    if (!found) {
        worsen(v, CONSTANT_OPAQUE);
    }
    tokens_done(&t);
    arena_done(&a);
    return value;
}

static long long name(struct cursor *c)
{
    struct evaluator *v = c->v;
    size_t len;
    const char *text = text_at(c, &len);
    c->at++;
    const struct decl *macro = index_find_macro(v->ix, text, len);
    const struct decl *d = index_find(v->ix, text, len);
    bool call = token_is(c->t, c->at, "(");
    if (call) {
        size_t close = token_match(c->t, c->at);
        c->at = (uint32_t)(close < c->t->count ? close + 1 : c->t->count);
    }
    if (v->is_hidden && v->is_hidden(v->ctx, text, len)) {
        worsen(v, CONSTANT_NOT);
    } else if (macro && !call) {
        struct macro m;
        if (macro_parse(macro->source, &m) && !m.takes_arguments) {
            return eval_text(v, m.body, m.nbody);
        }
        worsen(v, CONSTANT_OPAQUE);
    } else if (macro) {
        worsen(v,
               CONSTANT_OPAQUE); /* offsetof, or a function-like macro of constants; the compiler has the last word */
    } else if (d && d->kind == DECL_ENUMERATOR && !call) {
        return enumerator(v, d);
    } else {
        worsen(v, d && d->kind == DECL_TYPEDEF ? CONSTANT_OPAQUE : CONSTANT_NOT);
    }
    return 0;
}

static long long basic_size(const struct ctype *type)
{
    static const struct { const char *spelling; long long size;
    } sizes[] = {
        { "short", sizeof(short) },
        { "unsigned short", sizeof(short) },
        { "int", sizeof(int) },
        { "unsigned int", sizeof(int) },
        { "long", sizeof(long) },
        { "unsigned long", sizeof(long) },
        { "long long", sizeof(long long) },
        { "unsigned long long", sizeof(long long) },
        { "signed char", 1 },
        { "unsigned char", 1 },
        { "float", sizeof(float) },
        { "double", sizeof(double) },
        { "long double", sizeof(long double) },
    };
    if (type->kind == CTYPE_CHAR || type->kind == CTYPE_BOOL) {
        return 1;
    }
    if (type->kind == CTYPE_POINTER) {
        return (long long)sizeof(void *);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if ((type->kind == CTYPE_INTEGER || type->kind == CTYPE_FLOATING) &&
            strcmp(sizes[i].spelling, type->spelling) == 0) {
            return sizes[i].size;
        }
    }
    return 0;
}

static long long size_of(struct cursor *c)
{
    struct arena a;
    struct ctype *type = NULL;
    size_t end = 0;
    long long size = 0;
    void *ix = (void *)(uintptr_t)c->v->ix;
    arena_init(&a);
    if (token_is(c->t, c->at, "(") && !ctype_parse_name(c->t, c->at + 1, index_is_typedef, ix, &a, &type, &end, NULL) &&
        token_is(c->t, end, ")") && type) {
        const struct ctype *resolved = index_resolve(c->v->ix, type);
        size = resolved ? basic_size(resolved) : 0;
    }
    if (token_is(c->t, c->at, "(")) {
        size_t close = token_match(c->t, c->at);
        c->at = (uint32_t)(close < c->t->count ? close + 1 : c->t->count);
    } else if (c->at < c->t->count) {
        c->at++;
    }
    if (!size) {
        worsen(c->v, CONSTANT_OPAQUE);
    }
    arena_done(&a);
    return size;
}

/* ---- operators ---- */

static long long primary(struct cursor *c)
{
    if (c->at >= c->t->count || ++c->v->work > MAX_WORK) {
        worsen(c->v, CONSTANT_OPAQUE);
        return 0;
    }
    if (accept(c, "(")) {
        long long value = conditional(c);
        if (!accept(c, ")")) {
            worsen(c->v, CONSTANT_OPAQUE); /* a cast, most likely */
        }
        return value;
    }
    switch (c->t->at[c->at].kind) {
    case TOKEN_NUMBER: return number(c);
    case TOKEN_CHAR: return character(c);
    case TOKEN_IDENT:
        if (accept(c, "sizeof")) {
            return size_of(c);
        }
        if (lex_word(c->t->text + c->t->at[c->at].start, c->t->at[c->at].len) != WORD_NAME) {
            break; /* a cast's type, _Alignof: constant, but not for us */
        }
        return name(c);
    case TOKEN_END: case TOKEN_STRING: case TOKEN_PUNCT: case TOKEN_PP:
    default: break;
    }
    worsen(c->v, CONSTANT_OPAQUE);
    c->at++;
    return 0;
}

static long long unary(struct cursor *c)
{
    if (++c->v->depth > MAX_NESTING) {
        worsen(c->v, CONSTANT_OPAQUE);
        c->at = (uint32_t)c->t->count;
        c->v->depth--;
        return 0;
    }
    long long value;
    if (accept(c, "-")) {
        value = (long long)(0ULL - (unsigned long long)unary(c));
    } else if (accept(c, "+")) {
        value = unary(c);
    } else if (accept(c, "~")) {
        value = ~unary(c);
    } else if (accept(c, "!")) {
        value = !unary(c);
    } else {
        value = primary(c);
    }
    c->v->depth--;
    return value;
}

struct operator { const char *spelling; int level; };

static const struct operator *binary_operator(const struct cursor *c)
{
    static const struct operator operators[] = {
        { "*", 10 }, { "/", 10 }, { "%", 10 }, { "+", 9 },  { "-", 9 },  { "<<", 8 },
        { ">>", 8 }, { "<", 7 },  { ">", 7 },  { "<=", 7 }, { ">=", 7 }, { "==", 6 },
        { "!=", 6 }, { "&", 5 },  { "^", 4 },  { "|", 3 },  { "&&", 2 }, { "||", 1 },
    };
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (token_is(c->t, c->at, operators[i].spelling)) {
            return &operators[i];
        }
    }
    return NULL;
}

static long long apply(struct evaluator *v, const char *op, long long left, long long right)
{
    unsigned long long a = (unsigned long long)left, b = (unsigned long long)right;
    bool second = op[1] != '\0';
    switch (op[0]) {
    case '*': return (long long)(a * b);
    case '/':
    case '%':
        if (right == 0 || (left == LLONG_MIN && right == -1)) {
            worsen(v, CONSTANT_OPAQUE);
            return 0;
        }
        return op[0] == '/' ? left / right : left % right;
    case '+': return (long long)(a + b);
    case '-': return (long long)(a - b);
    case '<':
        return !second                    ? left < right
               : op[1] == '='             ? left <= right
               : right >= 0 && right < 63 ? (long long)(a << b)
                                          : 0;
    case '>':
        return !second ? left > right : op[1] == '=' ? left >= right : right >= 0 && right < 63 ? left >> right : 0;
    case '=': return left == right;
    case '!': return left != right;
    case '&': return second ? left && right : (long long)(a & b);
    case '^': return (long long)(a ^ b);
    default: return second ? left || right : (long long)(a | b);
    }
}

static long long binary(struct cursor *c, int level)
{
    long long left = unary(c);
    for (const struct operator *op; (op = binary_operator(c)) && op->level >= level;) {
        c->at++;
        left = apply(c->v, op->spelling, left, binary(c, op->level + 1));
    }
    return left;
}

static long long conditional(struct cursor *c)
{
    long long value = binary(c, 1);
    if (accept(c, "?")) {
        long long yes = conditional(c);
        if (!accept(c, ":")) {
            worsen(c->v, CONSTANT_OPAQUE);
            return 0;
        }
        long long no = conditional(c);
        value = value ? yes : no;
    }
    return value;
}

static long long eval_text(struct evaluator *v, const char *text, size_t len)
{
    struct tokens t = { .count = 0 };
    long long value = 0;
    if (++v->depth > MAX_NESTING || lex(text, len, &t, NULL)) {
        worsen(v, CONSTANT_OPAQUE);
    } else {
        struct cursor c = { .v = v, .t = &t };
        value = conditional(&c);
        if (c.at < t.count) {
            worsen(v, CONSTANT_OPAQUE);
            while (c.at < t.count) { /* a name further on may still vary */
                if (t.at[c.at].kind == TOKEN_IDENT &&
                    lex_word(t.text + t.at[c.at].start, t.at[c.at].len) == WORD_NAME && ++v->work < MAX_WORK) {
                    (void)name(&c);
                } else {
                    c.at++;
                }
            }
        }
    }
    v->depth--;
    tokens_done(&t);
    return value;
}

enum constant_kind constant_eval(const struct index *ix, const char *text, ctype_is_typedef *is_hidden, void *ctx,
                                 long long *value)
{
    struct evaluator v = { .ix = ix, .is_hidden = is_hidden, .ctx = ctx, .kind = CONSTANT_VALUE };
    *value = eval_text(&v, text, strlen(text));
    return v.kind;
}
