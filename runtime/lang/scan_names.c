/* Scopes, expressions and declarations of a scanned body (see scan.h). */
#include "runtime/lang/scan_internal.h"

#include <string.h>

enum { MAX_BRACKETS = 1000 };

enum err_code scanner_fail(struct scanner *s, enum err_code code, uint32_t token, const char *what)
{
    if (!s->failed) {
        uint32_t at = token < s->t->count ? token : (uint32_t)s->t->count;
        s->failed = err_at(s->e, code, NULL, (int)s->t->at[at].line, "%s", what);
    }
    return s->failed;
}

/* Room for one more element of a growing list in the arena. False: out of memory. */
bool scanner_grow(struct scanner *s, void *list, size_t n, size_t *cap, size_t size)
{
    if (s->failed) {
        return false;
    }
    if (n < *cap) {
        return true;
    }
    size_t grown = *cap ? *cap * 2 : 16;
    void *old;
    memcpy(&old, list, sizeof old);
    void *room = arena_alloc(s->a, grown * size);
    if (!room) {
        s->failed = err_memory(s->e);
        return false;
    }
    if (n) {
        memcpy(room, old, n * size);
    }
    memcpy(list, &room, sizeof room);
    *cap = grown;
    return true;
}

const char *scanner_text(const struct scanner *s, uint32_t i)
{
    return s->t->text + s->t->at[i].start;
}

bool scanner_at(const struct scanner *s, uint32_t i, const char *spelling)
{
    return i < s->end && token_is(s->t, i, spelling);
}

bool scanner_is_ident(const struct scanner *s, uint32_t i)
{
    return i < s->end && s->t->at[i].kind == TOKEN_IDENT;
}

enum word_kind scanner_word(const struct scanner *s, uint32_t i)
{
    return scanner_is_ident(s, i) ? lex_word(scanner_text(s, i), s->t->at[i].len) : WORD_OPERATOR;
}

/* ---- scopes ---- */

void scanner_declare(struct scanner *s, const char *name, size_t len, bool is_typedef, bool is_tag)
{
    if (scanner_grow(s, &s->locals, s->nlocals, &s->cap_locals, sizeof *s->locals)) {
        s->locals[s->nlocals++] = (struct local){ name, len, is_typedef, is_tag };
    }
}

const struct local *scanner_local(const struct scanner *s, const char *name, size_t len, bool is_tag)
{
    for (size_t i = s->nlocals; i-- > 0;) {
        const struct local *l = &s->locals[i];
        if (l->is_tag == is_tag && l->len == len && memcmp(l->name, name, len) == 0) {
            return l;
        }
    }
    return NULL;
}

/* For ctype_parse: locals hide what is outside. */
bool scanner_is_typedef(void *ctx, const char *name, size_t len)
{
    struct scanner *s = ctx;
    const struct local *l = scanner_local(s, name, len, false);
    return l ? l->is_typedef : s->o->is_typedef && s->o->is_typedef(s->o->ctx, name, len);
}

/* ---- brackets ---- */

char scanner_closing(char c)
{
    return c == '(' ? ')' : c == '[' ? ']' : c == '{' ? '}' : '\0';
}

char scanner_bracket(const struct scanner *s, uint32_t i)
{
    const struct token *k = &s->t->at[i];
    char c = k->kind == TOKEN_PUNCT && k->len == 1 ? s->t->text[k->start] : '\0';
    return c && strchr("()[]{}", c) ? c : '\0';
}

void scanner_match(struct scanner *s, uint32_t first)
{
    uint32_t stack[MAX_BRACKETS];
    unsigned depth = 0;
    s->out->match = arena_alloc(s->a, (s->t->count + 1) * sizeof *s->out->match);
    if (!s->out->match) {
        s->failed = err_memory(s->e);
        return;
    }
    for (uint32_t i = first; i < s->end && !s->failed; i++) {
        char c = scanner_bracket(s, i);
        if (!c) {
            continue;
        }
        if (scanner_closing(c)) {
            if (depth == MAX_BRACKETS) {
                (void)scanner_fail(s, ERR_LIMIT, i, "brackets are nested too deep");
                return;
            }
            stack[depth++] = i;
        } else if (!depth || scanner_closing(scanner_bracket(s, stack[depth - 1])) != c) {
            char what[] = "'x' without its partner";
            what[1] = c;
            (void)scanner_fail(s, ERR_SYNTAX, i, what);
        } else {
            uint32_t open = stack[--depth];
            s->out->match[open] = i;
            s->out->match[i] = open;
        }
    }
    if (depth) {
        char what[] = "'x' is never closed";
        what[1] = scanner_bracket(s, stack[depth - 1]);
        (void)scanner_fail(s, ERR_SYNTAX, stack[depth - 1], what);
    }
}

/* ---- expressions ---- */

static bool skipped(const struct scanner *s, uint32_t token)
{
    for (size_t i = 0; i < s->nskip; i++) {
        if (s->skip[i] == token) {
            return true;
        }
    }
    return false;
}

static void add_use(struct scanner *s, uint32_t i)
{
    if (scanner_grow(s, &s->out->uses, s->out->nuses, &s->cap_uses, sizeof *s->out->uses)) {
        s->out->uses[s->out->nuses++] = (struct scan_use){ i, s->in_arguments != 0 };
    }
}

static uint32_t walk_tag(struct scanner *s, uint32_t i)
{
    uint32_t tag = i + 1;
    while (scanner_word(s, tag) == WORD_ATTRIBUTE && scanner_at(s, tag + 1, "(")) {
        tag = s->out->match[tag + 1] + 1;
    }
    if (!scanner_is_ident(s, tag)) {
        return i + 1;
    }
    if (!scanner_local(s, scanner_text(s, tag), s->t->at[tag].len, true) &&
        scanner_grow(s, &s->out->tags, s->out->ntags, &s->cap_tags, sizeof *s->out->tags)) {
        s->out->tags[s->out->ntags++] = (struct scan_tag){ i, tag };
    }
    return tag + 1;
}

/* offsetof(type, member): the member is no use of that name. */
static uint32_t walk_offsetof(struct scanner *s, uint32_t i)
{
    uint32_t close = s->out->match[i + 1], comma = i + 2;
    while (comma < close && !scanner_at(s, comma, ",")) {
        comma = scanner_bracket(s, comma) ? s->out->match[comma] + 1 : comma + 1;
    }
    add_use(s, i);
    scanner_walk(s, i + 2, comma < close ? comma : close);
    return close + 1;
}

static uint32_t walk_name(struct scanner *s, uint32_t i)
{
    const char *name = scanner_text(s, i);
    size_t len = s->t->at[i].len;
    bool call = scanner_at(s, i + 1, "(");
    if (skipped(s, i) || scanner_local(s, name, len, false)) {
        return i + 1;
    }
    if (call && (scan_is(s->t, i, "offsetof") || scan_is(s->t, i, "__builtin_offsetof"))) {
        return walk_offsetof(s, i);
    }
    add_use(s, i);
    if (call && s->o->is_call && s->o->is_call(s->o->ctx, name, len)) {
        s->in_arguments++;
        scanner_walk(s, i + 2, s->out->match[i + 1]);
        s->in_arguments--;
        return s->out->match[i + 1] + 1;
    }
    return i + 1;
}

static uint32_t walk_ident(struct scanner *s, uint32_t first, uint32_t i)
{
    if (i > first && (scanner_at(s, i - 1, ".") || scanner_at(s, i - 1, "->"))) {
        return i + 1;
    }
    switch (scanner_word(s, i)) {
    case WORD_NAME: return walk_name(s, i);
    case WORD_STRUCT:
    case WORD_UNION:
    case WORD_ENUM: return walk_tag(s, i);
    case WORD_ATTRIBUTE: return scanner_at(s, i + 1, "(") ? s->out->match[i + 1] + 1 : i + 1;
    case WORD_TYPEDEF: case WORD_EXTERN: case WORD_STATIC: case WORD_STORAGE: case WORD_CONST: case WORD_VOLATILE:
    case WORD_QUALIFIER: case WORD_INLINE: case WORD_EXTENSION: case WORD_TYPE: case WORD_TYPEOF: case WORD_ASSERT:
    case WORD_ASM: case WORD_STATEMENT: case WORD_OPERATOR:
    default: return i + 1;
    }
}

/* [name] of an asm operand, before its "constraint". */
static bool is_operand_name(const struct scanner *s, uint32_t i)
{
    return scanner_at(s, i, "[") && scanner_is_ident(s, i + 1) && scanner_at(s, i + 2, "]") && i + 3 < s->end &&
           s->t->at[i + 3].kind == TOKEN_STRING;
}

/* The statements of a block, i after its {. */
void scanner_block(struct scanner *s, uint32_t i, uint32_t end)
{
    size_t scope = s->nlocals;
    while (i < end && !s->failed) {
        i = scanner_statement(s, i, false);
    }
    s->nlocals = scope;
}

void scanner_walk(struct scanner *s, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end && !s->failed;) {
        if (s->t->at[i].kind == TOKEN_IDENT) {
            i = walk_ident(s, first, i);
        } else if (is_operand_name(s, i)) {
            i += 3;
        } else if (scanner_at(s, i, "(") && scanner_at(s, i + 1, "{")) {
            scanner_block(s, i + 2, s->out->match[i + 1]);
            i = s->out->match[i + 1] + 1;
        } else {
            i++;
        }
    }
}

/* ---- declarations ---- */

void scanner_skip(struct scanner *s, uint32_t token)
{
    if (scanner_grow(s, &s->skip, s->nskip, &s->cap_skip, sizeof *s->skip)) {
        s->skip[s->nskip++] = token;
    }
}

/* Names that a type itself declares: members are skipped, enumerators and tags enter the scope. */
void scanner_type_names(struct scanner *s, const struct ctype *type)
{
    bool is_aggregate = type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION;
    if ((is_aggregate || type->kind == CTYPE_ENUM) && type->has_body) {
        if (type->spelling) {
            scanner_declare(s, type->spelling, strlen(type->spelling), false, true);
        }
        for (size_t i = 0; i < type->nmembers; i++) {
            const struct cdecl *m = &type->members[i];
            if (type->kind == CTYPE_ENUM) {
                scanner_skip(s, m->first);
                scanner_declare(s, m->name, strlen(m->name), false, false);
                continue;
            }
            if (m->name) {
                scanner_skip(s, m->name_token);
            }
            if (m->type) {
                scanner_type_names(s, m->type);
            }
        }
    } else if (type->kind == CTYPE_FUNCTION) {
        for (size_t i = 0; i < type->nmembers; i++) {
            const struct cdecl *m = &type->members[i];
            if (m->name) { /* in scope for the sizes of parameters after it; the caller ends that scope */
                scanner_declare(s, m->name, strlen(m->name), false, false);
                scanner_skip(s, m->name_token ? m->name_token : m->first);
            }
            if (m->type) {
                scanner_type_names(s, m->type);
            }
        }
    }
    if (type->of) {
        scanner_type_names(s, type->of);
    }
}

/* The names of a declarator's own part of its type (down to base, whose names the caller has), and its tokens. */
static void walk_declarator(struct scanner *s, const struct ctype *base, const struct cdecl *d)
{
    size_t scope = s->nlocals;
    for (const struct ctype *type = d->type; type && type != base; type = type->of) {
        struct ctype own = *type;
        own.of = NULL;
        scanner_type_names(s, &own);
    }
    scanner_skip(s, d->name_token);
    scanner_walk(s, d->first, d->end);
    s->nlocals = scope;
}

/* An artifact's type must mean the same in every step. */
static void check_type_is_global(struct scanner *s, const struct ctype *type, const char *name, uint32_t token)
{
    for (; type && !s->failed; type = type->of) {
        bool tagged = type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION || type->kind == CTYPE_ENUM;
        if (tagged && type->has_body) {
            s->failed =
                err_at(s->e, ERR_TYPE, NULL, (int)s->t->at[token].line,
                       "the type of '%s' is spelt out here; define it in a plain cell and use its name, so that other "
                       "steps can use it too",
                       name);
            return;
        }
        bool is_named = tagged || type->kind == CTYPE_NAMED;
        if (is_named && type->spelling && scanner_local(s, type->spelling, strlen(type->spelling), tagged)) {
            s->failed =
                err_at(s->e, ERR_TYPE, NULL, (int)s->t->at[token].line,
                       "'%s', the type of '%s', is defined inside this step; move its definition into a plain cell, so "
                       "that other steps know it",
                       type->spelling, name);
        }
    }
}

void scanner_add_item(struct scanner *s, struct scan_item item)
{
    if (scanner_grow(s, &s->out->items, s->out->nitems, &s->cap_items, sizeof *s->out->items)) {
        s->out->items[s->out->nitems++] = item;
    }
}

/* A parsed declaration; word_token: of `artifact` if it is one, else UINT32_MAX. */
void scanner_walk_declaration(struct scanner *s, const struct cdeclaration *d, uint32_t word_token)
{
    bool is_item = word_token != UINT32_MAX;
    size_t outer = s->nskip;
    if (d->base) {
        scanner_type_names(s, d->base);
    }
    scanner_walk(s, d->first, d->specifiers_end);
    for (size_t k = 0; k < d->ndeclarators && !s->failed; k++) {
        const struct cdecl *one = &d->declarators[k];
        walk_declarator(s, d->base, one);
        if (is_item) {
            check_type_is_global(s, one->type, one->name, word_token);
            uint32_t end = one->init_end > one->init_first ? one->init_end : one->end;
            scanner_add_item(s, (struct scan_item){ .name = one->name,
                                            .type = one->type,
                                            .word = word_token,
                                            .first = one->first,
                                            .end = end,
                                            .name_token = one->name_token,
                                            .init_first = one->init_first,
                                            .init_end = one->init_end,
                                            .stop = d->end - 1,
                                            .line = one->line });
        } else {
            scanner_declare(s, one->name, strlen(one->name), d->storage == CDECL_TYPEDEF, false);
        }
        scanner_walk(s, one->init_first, one->init_end);
    }
    s->nskip = outer;
}

uint32_t scanner_declaration(struct scanner *s, uint32_t i, uint32_t word_token)
{
    struct cdeclaration d = { 0 };
    enum err_code code = ctype_parse(s->t, i, scanner_is_typedef, s, s->a, &d, s->e);
    if (code) {
        s->failed = code;
        return s->end;
    }
    if (d.end > s->end) {
        (void)scanner_fail(s, ERR_SYNTAX, s->end, "the declaration has no ';'");
        return s->end;
    }
    if (d.is_definition) {
        (void)scanner_fail(s, ERR_SYNTAX, i, "a function inside a step; define it in a plain cell");
        return s->end;
    }
    if (d.is_assert) {
        scanner_walk(s, i, d.end);
    } else {
        scanner_walk_declaration(s, &d, word_token);
    }
    return d.end;
}
