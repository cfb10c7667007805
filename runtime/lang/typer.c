/* See typer.h. A precedence climber over tokens, which gives up (TYPED_ARITHMETIC) where it does not know. */
#include "runtime/lang/typer.h"

#include "runtime/base/buf.h"
#include "runtime/lang/index_internal.h"

#include <string.h>

enum { MAX_DEPTH = 200 };

struct typer {
    struct index *ix;
    const struct tokens *t;
    size_t i, end;
    struct arena *a;
    unsigned depth;
};

static const struct typed arithmetic = { .kind = TYPED_ARITHMETIC };

static struct typed assignment(struct typer *p);
static struct typed unary(struct typer *p);

static bool is(const struct typer *p, const char *spelling)
{
    return p->i < p->end && token_is(p->t, p->i, spelling);
}

static bool accept(struct typer *p, const char *spelling)
{
    bool here = is(p, spelling);
    p->i += here;
    return here;
}

static struct typed known(const struct ctype *type, bool is_object)
{
    return type ? (struct typed){ .kind = TYPED_KNOWN, .type = type, .is_object = is_object } : arithmetic;
}

static const struct ctype *resolve(const struct typer *p, const struct ctype *type)
{
    const struct ctype *resolved = type ? index_resolve(p->ix, type) : NULL;
    if (resolved && resolved->kind == CTYPE_TYPEOF && p->depth < MAX_DEPTH) {
        const struct ctype *meant = type_typeof(p->ix, resolved, p->a);
        resolved = meant ? index_resolve(p->ix, meant) : resolved;
    }
    return resolved ? resolved : type;
}

static const struct ctype *pointer_to(struct typer *p, const struct ctype *type)
{
    struct ctype *pointer = arena_alloc(p->a, sizeof *pointer);
    if (pointer) {
        *pointer = (struct ctype){ .kind = CTYPE_POINTER, .of = (struct ctype *)(uintptr_t)type }; /* never written to */
    }
    return pointer;
}

static const struct ctype *basic(struct typer *p, enum ctype_kind kind, const char *spelling)
{
    struct ctype *type = arena_alloc(p->a, sizeof *type);
    if (type) {
        *type = (struct ctype){ .kind = kind, .spelling = spelling };
    }
    return type;
}

static bool has_element(const struct ctype *type)
{
    return type && (type->kind == CTYPE_POINTER || type->kind == CTYPE_ARRAY);
}

/* As an array or function is when its value is taken. */
static struct typed decayed(struct typer *p, struct typed x)
{
    const struct ctype *type = x.kind == TYPED_KNOWN ? resolve(p, x.type) : NULL;
    if (type && type->kind == CTYPE_ARRAY) {
        return known(pointer_to(p, type->of), false);
    }
    if (type && type->kind == CTYPE_FUNCTION) {
        return known(pointer_to(p, type), false);
    }
    x.is_object = false;
    return x;
}

/* ---- members ---- */

static const struct cdecl *find_member(const struct typer *p, const struct ctype *type, const char *name, size_t len,
                                       unsigned depth)
{
    type = resolve(p, type);
    if (!type || depth > 20 || (type->kind != CTYPE_STRUCT && type->kind != CTYPE_UNION)) {
        return NULL;
    }
    for (size_t i = 0; i < type->nmembers; i++) {
        const struct cdecl *m = &type->members[i];
        if (m->name && strlen(m->name) == len && memcmp(m->name, name, len) == 0) {
            return m;
        }
        const struct cdecl *inner = m->name ? NULL : find_member(p, m->type, name, len, depth + 1);
        if (inner) {
            return inner;
        }
    }
    return NULL;
}

/* .name or ->name, whose dot has been read. st_mtime and its like are macros for a path. */
static struct typed member(struct typer *p, struct typed x)
{
    if (p->i >= p->end) {
        return arithmetic;
    }
    const char *name = p->t->text + p->t->at[p->i].start;
    size_t len = p->t->at[p->i++].len;
    if (x.kind != TYPED_KNOWN) {
        return x.kind == TYPED_OLD ? x : arithmetic;
    }
    const struct cdecl *m = find_member(p, x.type, name, len, 0);
    if (!m) {
        return arithmetic;
    }
    struct typed made = known(m->type, x.is_object && !m->bits);
    return made;
}

/* ---- primaries ---- */

static struct typed macro_value(struct typer *p, const struct node *macro)
{
    struct tokens t;
    const struct source *s = macro->decl.source;
    if (lex(s->text + 1, s->len - 1, &t, NULL)) {
        return arithmetic;
    }
    struct typed x = arithmetic;
    bool itself = t.count == 3 && t.at[2].len == macro->entry->len &&
                  memcmp(t.text + t.at[2].start, macro->entry->name, macro->entry->len) == 0;
    if (t.count > 2 && !itself && p->depth < MAX_DEPTH) {
        struct typer inner = { .ix = p->ix, .t = &t, .i = 2, .end = t.count, .a = p->a, .depth = p->depth + 10 };
        x = assignment(&inner);
        x = inner.i == inner.end ? x : arithmetic;
    }
    tokens_done(&t);
    return itself ? (struct typed){ .kind = TYPED_KNOWN } : x;
}

/* What name(arguments) stands for, typed; ( is at open. */
static struct typed macro_call(struct typer *p, const struct node *macro, size_t open)
{
    struct typed x = arithmetic;
    struct tokens t;
    struct buf text;
    buf_init(&text, 1 << 16);
    if (p->depth < MAX_DEPTH && expand_call(macro, p->t, open, &text) && !lex(text.data, text.len, &t, NULL)) {
        struct typer inner = { .ix = p->ix, .t = &t, .i = 0, .end = t.count, .a = p->a, .depth = p->depth + 10 };
        x = assignment(&inner);
        x = inner.i == inner.end ? x : arithmetic;
        tokens_done(&t);
    }
    buf_done(&text);
    return x;
}

static struct typed name_value(struct typer *p)
{
    const char *name = p->t->text + p->t->at[p->i].start;
    size_t len = p->t->at[p->i++].len;
    const struct entry *entry = entry_find(p->ix, name, len);
    const struct node *macro = entry_macro(entry);
    if (macro && macro->piece->function_like && is(p, "(")) {
        size_t open = p->i;
        p->i = token_match(p->t, p->i) + 1;
        return macro_call(p, macro, open);
    }
    if (macro && !macro->piece->function_like) {
        struct typed x = macro_value(p, macro);
        if (x.kind != TYPED_KNOWN || x.type) {
            return x;
        }
    }
    const struct node *node = entry_live(entry, SPACE_ORDINARY);
    const struct decl *decl = index_find(p->ix, name, len);
    if (!decl) {
        return arithmetic;
    }
    if (decl->kind == DECL_VARIABLE && piece_is_stale(node->piece)) {
        return (struct typed){ .kind = TYPED_OLD, .name = node->entry->name };
    }
    if (decl->kind == DECL_ENUMERATOR) {
        return decl->type && decl->type->spelling ? known(decl->type, false) : arithmetic;
    }
    bool object = decl->kind == DECL_VARIABLE;
    return object || decl->kind == DECL_FUNCTION ? known(decl->type, object) : arithmetic;
}

static bool type_name_at(const struct typer *p, size_t i)
{
    if (i >= p->end || p->t->at[i].kind != TOKEN_IDENT) {
        return false;
    }
    const char *s = p->t->text + p->t->at[i].start;
    enum word_kind w = lex_word(s, p->t->at[i].len);
    return (w >= WORD_CONST && w <= WORD_TYPEOF && w != WORD_EXTENSION && w != WORD_ATTRIBUTE) ||
           (w == WORD_NAME && index_is_typedef(p->ix, s, p->t->at[i].len));
}

/* (type) at the current token; its type, p after the parenthesis. */
static const struct ctype *type_in_parentheses(struct typer *p)
{
    struct ctype *type = NULL;
    size_t after = 0;
    size_t close = token_match(p->t, p->i);
    bool ok = !ctype_parse_name(p->t, p->i + 1, index_is_typedef, p->ix, p->a, &type, &after, NULL) && after == close;
    p->i = close + 1;
    return ok ? type : NULL;
}

static struct typed primary(struct typer *p)
{
    if (p->i >= p->end) {
        return arithmetic;
    }
    const struct token *at = &p->t->at[p->i];
    if (is(p, "(")) {
        size_t close = token_match(p->t, p->i);
        if (type_name_at(p, p->i + 1)) { /* a compound literal */
            const struct ctype *type = type_in_parentheses(p);
            p->i = is(p, "{") ? token_match(p->t, p->i) + 1 : p->end;
            return known(type, true);
        }
        p->i++;
        struct typed x = is(p, "{") ? arithmetic : assignment(p);
        while (x.kind != TYPED_OLD && accept(p, ",")) {
            x = assignment(p);
        }
        p->i = close + 1;
        return x;
    }
    if (at->kind == TOKEN_IDENT) {
        enum word_kind w = lex_word(p->t->text + at->start, at->len);
        if (w == WORD_OPERATOR) { /* _Generic(...) */
            p->i++;
            p->i = is(p, "(") ? token_match(p->t, p->i) + 1 : p->end;
            return arithmetic;
        }
        return name_value(p);
    }
    p->i++;
    if (at->kind == TOKEN_STRING) {
        bool narrow = p->t->text[at->start] == '"' || p->t->text[at->start + 1] == '8';
        while (p->i < p->end && p->t->at[p->i].kind == TOKEN_STRING) {
            p->i++;
        }
        return known(pointer_to(p, narrow ? basic(p, CTYPE_CHAR, "char") : basic(p, CTYPE_INTEGER, "int")), false);
    }
    return arithmetic;
}

static struct typed postfix(struct typer *p)
{
    struct typed x = primary(p);
    for (;;) {
        const struct ctype *type = x.kind == TYPED_KNOWN ? resolve(p, x.type) : NULL;
        if (is(p, "[")) {
            p->i = token_match(p->t, p->i) + 1;
            x = has_element(type) ? known(type->of, true) : x.kind == TYPED_OLD ? x : arithmetic;
        } else if (is(p, "(")) {
            p->i = token_match(p->t, p->i) + 1;
            const struct ctype *f = type && type->kind == CTYPE_POINTER ? resolve(p, type->of) : type;
            x = f && f->kind == CTYPE_FUNCTION ? known(f->of, false) : arithmetic;
        } else if (accept(p, ".")) {
            x = member(p, x);
        } else if (accept(p, "->")) {
            x = member(p, has_element(type) ? known(type->of, true) : x.kind == TYPED_OLD ? x : arithmetic);
        } else if (accept(p, "++") || accept(p, "--")) {
            x.is_object = false;
        } else {
            return x;
        }
    }
}

static struct typed unary(struct typer *p)
{
    if (++p->depth > MAX_DEPTH) {
        p->i = p->end;
        p->depth--;
        return arithmetic;
    }
    struct typed x;
    if (accept(p, "&")) {
        x = unary(p);
        const struct ctype *type = x.kind == TYPED_KNOWN ? x.type : NULL;
        x = type ? known(pointer_to(p, type), false) : x;
    } else if (accept(p, "*")) {
        x = unary(p);
        const struct ctype *type = x.kind == TYPED_KNOWN ? resolve(p, x.type) : NULL;
        bool function = type && type->kind == CTYPE_FUNCTION;
        x = has_element(type) ? known(type->of, true) : function || x.kind == TYPED_OLD ? x : arithmetic;
    } else if (accept(p, "++") || accept(p, "--")) {
        x = unary(p);
        x.is_object = false;
    } else if (accept(p, "+") || accept(p, "-") || accept(p, "~")) {
        x = unary(p);
        x = x.kind == TYPED_OLD ? x : arithmetic;
    } else if (accept(p, "!")) {
        x = unary(p);
        x = x.kind == TYPED_OLD ? x : arithmetic;
    } else if (is(p, "sizeof") || is(p, "_Alignof") || is(p, "__alignof__")) {
        p->i++;
        if (is(p, "(") && type_name_at(p, p->i + 1)) {
            p->i = token_match(p->t, p->i) + 1;
        } else {
            (void)unary(p);
        }
        x = arithmetic;
    } else if (is(p, "(") && type_name_at(p, p->i + 1) && !token_is(p->t, token_match(p->t, p->i) + 1, "{")) {
        const struct ctype *type = type_in_parentheses(p);
        (void)unary(p);
        x = known(type, false);
    } else {
        x = postfix(p);
    }
    p->depth--;
    return x;
}

static bool is_binary(const struct typer *p)
{
    static const char *const operators[] = { "*", "/", "%", "+", "-", "<<", ">>", "<", ">", "<=", ">=", "==", "!=",
                                             "&", "^", "|", "&&", "||" };
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (is(p, operators[i])) {
            return true;
        }
    }
    return false;
}

/* Only whether a pointer comes out matters: it does of + and - with one pointer, if nothing of lower precedence follows. */
static struct typed binary(struct typer *p)
{
    struct typed x = unary(p);
    while (p->i < p->end && is_binary(p)) {
        bool adds = is(p, "+");
        bool subtracts = is(p, "-");
        p->i++;
        struct typed y = decayed(p, unary(p));
        x = decayed(p, x);
        const struct ctype *left = x.kind == TYPED_KNOWN ? resolve(p, x.type) : NULL;
        const struct ctype *right = y.kind == TYPED_KNOWN ? resolve(p, y.type) : NULL;
        if (x.kind == TYPED_OLD || y.kind == TYPED_OLD) {
            x = x.kind == TYPED_OLD ? x : y;
        } else if ((adds || subtracts) && left && left->kind == CTYPE_POINTER && !(right && right->kind == CTYPE_POINTER)) {
            continue;
        } else {
            x = adds && right && right->kind == CTYPE_POINTER ? y : arithmetic;
        }
    }
    return x;
}

static struct typed conditional(struct typer *p)
{
    struct typed x = binary(p);
    if (!accept(p, "?")) {
        return x;
    }
    struct typed yes = is(p, ":") ? x : assignment(p);
    struct typed no = accept(p, ":") ? conditional(p) : arithmetic;
    yes = decayed(p, yes);
    no = decayed(p, no);
    const struct ctype *type = yes.kind == TYPED_KNOWN ? resolve(p, yes.type) : NULL;
    const struct ctype *other = no.kind == TYPED_KNOWN ? resolve(p, no.type) : NULL;
    if (type && type->kind == CTYPE_POINTER && other && other->kind == CTYPE_POINTER) {
        return resolve(p, type->of)->kind == CTYPE_VOID ? no : yes;
    }
    bool structs = type && (type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION || type->kind == CTYPE_POINTER);
    return structs || (type && type->kind == CTYPE_ENUM && other == type) || (type && type->kind == CTYPE_VOID) ? yes : arithmetic;
}

static bool is_assignment(const struct typer *p)
{
    static const char *const operators[] = { "=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=" };
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (is(p, operators[i])) {
            return true;
        }
    }
    return false;
}

static struct typed assignment(struct typer *p)
{
    struct typed x = conditional(p);
    if (p->i < p->end && is_assignment(p)) {
        p->i++;
        (void)assignment(p);
        x.is_object = false;
    }
    return x;
}

const struct ctype *type_typeof(struct index *ix, const struct ctype *type, struct arena *a)
{
    struct tokens t;
    struct ctype *named = NULL;
    const struct ctype *found = NULL;
    size_t end = 0;
    if (lex(type->spelling, strlen(type->spelling), &t, NULL)) {
        return NULL;
    }
    size_t close = token_match(&t, 1);
    if (ctype_begins(&t, 2, index_is_typedef, ix) || (close == 3 && t.at[2].kind == TOKEN_IDENT &&
                                                      index_is_typedef(ix, t.text + t.at[2].start, t.at[2].len))) {
        bool ok = !ctype_parse_name(&t, 2, index_is_typedef, ix, a, &named, &end, NULL) && end == close;
        found = ok ? named : NULL;
    } else {
        struct typed x = type_expression(ix, &t, 2, close, a);
        found = x.kind == TYPED_KNOWN ? x.type : NULL;
    }
    tokens_done(&t);
    return found;
}

struct typed type_expression(struct index *ix, const struct tokens *t, size_t first, size_t end, struct arena *a)
{
    struct typer p = { .ix = ix, .t = t, .i = first, .end = end, .a = a };
    struct typed x = assignment(&p);
    while (x.kind != TYPED_OLD && accept(&p, ",")) {
        x = decayed(&p, assignment(&p));
    }
    return p.i >= end || x.kind == TYPED_OLD ? x : arithmetic;
}
