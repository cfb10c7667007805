/* See scan.h.
 *
 * Statements are parsed by recursive descent, since only their grammar tells a label from a conditional expression and where
 * a scope ends; expressions are walked token by token. Declarations are parsed by ctype_parse, and their tokens walked too:
 * sizes and initialisers use names like any expression. Names in scope are a stack, cut back where a block ends. */
#include "runtime/lang/scan.h"

#include <string.h>

enum { MAX_NESTING = 250, MAX_BRACKETS = 1000 };

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
    uint32_t *skip;            /* name tokens of the declaration being walked: members, enumerators, the names themselves */
    size_t nskip;
    unsigned depth;            /* of statements */
    unsigned in_arguments;     /* of function-like macros */
};

static uint32_t statement(struct scanner *s, uint32_t i, bool outermost);
static void walk(struct scanner *s, uint32_t first, uint32_t end);

static enum err_code fail(struct scanner *s, enum err_code code, uint32_t token, const char *what)
{
    if (!s->failed) {
        uint32_t at = token < s->t->count ? token : (uint32_t)s->t->count;
        s->failed = err_at(s->e, code, NULL, (int)s->t->at[at].line, "%s", what);
    }
    return s->failed;
}

/* Room for one more element of a growing list in the arena. False: out of memory. */
static bool grow(struct scanner *s, void *list, size_t n, size_t *cap, size_t size)
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

static const char *text_of(const struct scanner *s, uint32_t i)
{
    return s->t->text + s->t->at[i].start;
}

static bool is(const struct scanner *s, uint32_t i, const char *spelling)
{
    return i < s->end && token_is(s->t, i, spelling);
}

static bool is_ident(const struct scanner *s, uint32_t i)
{
    return i < s->end && s->t->at[i].kind == TOKEN_IDENT;
}

static enum word_kind word(const struct scanner *s, uint32_t i)
{
    return is_ident(s, i) ? lex_word(text_of(s, i), s->t->at[i].len) : WORD_OPERATOR;
}

bool scan_is(const struct tokens *t, uint32_t i, const char *name)
{
    size_t len = strlen(name);
    return i < t->count && t->at[i].len == len && memcmp(t->text + t->at[i].start, name, len) == 0;
}

/* ---- scopes ---- */

static void declare(struct scanner *s, const char *name, size_t len, bool is_typedef, bool is_tag)
{
    if (grow(s, &s->locals, s->nlocals, &s->cap_locals, sizeof *s->locals)) {
        s->locals[s->nlocals++] = (struct local){ name, len, is_typedef, is_tag };
    }
}

static const struct local *local_find(const struct scanner *s, const char *name, size_t len, bool is_tag)
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
static bool scanner_is_typedef(void *ctx, const char *name, size_t len)
{
    struct scanner *s = ctx;
    const struct local *l = local_find(s, name, len, false);
    return l ? l->is_typedef : s->o->is_typedef && s->o->is_typedef(s->o->ctx, name, len);
}

/* ---- brackets ---- */

static char closing(char c)
{
    return c == '(' ? ')' : c == '[' ? ']' : c == '{' ? '}' : '\0';
}

static char bracket(const struct scanner *s, uint32_t i)
{
    const struct token *k = &s->t->at[i];
    char c = k->kind == TOKEN_PUNCT && k->len == 1 ? s->t->text[k->start] : '\0';
    return c && strchr("()[]{}", c) ? c : '\0';
}

static void match_brackets(struct scanner *s, uint32_t first)
{
    uint32_t stack[MAX_BRACKETS];
    unsigned depth = 0;
    s->out->match = arena_alloc(s->a, (s->t->count + 1) * sizeof *s->out->match);
    if (!s->out->match) {
        s->failed = err_memory(s->e);
        return;
    }
    for (uint32_t i = first; i < s->end && !s->failed; i++) {
        char c = bracket(s, i);
        if (!c) {
            continue;
        }
        if (closing(c)) {
            if (depth == MAX_BRACKETS) {
                (void)fail(s, ERR_LIMIT, i, "brackets are nested too deep");
                return;
            }
            stack[depth++] = i;
        } else if (!depth || closing(bracket(s, stack[depth - 1])) != c) {
            char what[] = "'x' without its partner";
            what[1] = c;
            (void)fail(s, ERR_SYNTAX, i, what);
        } else {
            uint32_t open = stack[--depth];
            s->out->match[open] = i;
            s->out->match[i] = open;
        }
    }
    if (depth) {
        char what[] = "'x' is never closed";
        what[1] = bracket(s, stack[depth - 1]);
        (void)fail(s, ERR_SYNTAX, stack[depth - 1], what);
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
    if (grow(s, &s->out->uses, s->out->nuses, &s->cap_uses, sizeof *s->out->uses)) {
        s->out->uses[s->out->nuses++] = (struct scan_use){ i, s->in_arguments != 0 };
    }
}

static uint32_t walk_tag(struct scanner *s, uint32_t i)
{
    uint32_t tag = i + 1;
    while (word(s, tag) == WORD_ATTRIBUTE && is(s, tag + 1, "(")) {
        tag = s->out->match[tag + 1] + 1;
    }
    if (!is_ident(s, tag)) {
        return i + 1;
    }
    if (!local_find(s, text_of(s, tag), s->t->at[tag].len, true) &&
        grow(s, &s->out->tags, s->out->ntags, &s->cap_tags, sizeof *s->out->tags)) {
        s->out->tags[s->out->ntags++] = (struct scan_tag){ i, tag };
    }
    return tag + 1;
}

/* offsetof(type, member): the member is no use of that name. */
static uint32_t walk_offsetof(struct scanner *s, uint32_t i)
{
    uint32_t close = s->out->match[i + 1], comma = i + 2;
    while (comma < close && !is(s, comma, ",")) {
        comma = bracket(s, comma) ? s->out->match[comma] + 1 : comma + 1;
    }
    add_use(s, i);
    walk(s, i + 2, comma < close ? comma : close);
    return close + 1;
}

static uint32_t walk_name(struct scanner *s, uint32_t i)
{
    const char *name = text_of(s, i);
    size_t len = s->t->at[i].len;
    bool call = is(s, i + 1, "(");
    if (skipped(s, i) || local_find(s, name, len, false)) {
        return i + 1;
    }
    if (call && (scan_is(s->t, i, "offsetof") || scan_is(s->t, i, "__builtin_offsetof"))) {
        return walk_offsetof(s, i);
    }
    add_use(s, i);
    if (call && s->o->is_call && s->o->is_call(s->o->ctx, name, len)) {
        s->in_arguments++;
        walk(s, i + 2, s->out->match[i + 1]);
        s->in_arguments--;
        return s->out->match[i + 1] + 1;
    }
    return i + 1;
}

static uint32_t walk_ident(struct scanner *s, uint32_t first, uint32_t i)
{
    if (i > first && (is(s, i - 1, ".") || is(s, i - 1, "->"))) {
        return i + 1;
    }
    switch (word(s, i)) {
    case WORD_NAME: return walk_name(s, i);
    case WORD_STRUCT:
    case WORD_UNION:
    case WORD_ENUM: return walk_tag(s, i);
    case WORD_ATTRIBUTE: return is(s, i + 1, "(") ? s->out->match[i + 1] + 1 : i + 1;
    case WORD_TYPEDEF: case WORD_EXTERN: case WORD_STATIC: case WORD_STORAGE: case WORD_CONST: case WORD_VOLATILE:
    case WORD_QUALIFIER: case WORD_INLINE: case WORD_EXTENSION: case WORD_TYPE: case WORD_TYPEOF: case WORD_ASSERT:
    case WORD_ASM: case WORD_STATEMENT: case WORD_OPERATOR:
    default: return i + 1;
    }
}

/* [name] of an asm operand, before its "constraint". */
static bool is_operand_name(const struct scanner *s, uint32_t i)
{
    return is(s, i, "[") && is_ident(s, i + 1) && is(s, i + 2, "]") && i + 3 < s->end && s->t->at[i + 3].kind == TOKEN_STRING;
}

/* The statements of a block, i after its {. */
static void block(struct scanner *s, uint32_t i, uint32_t end)
{
    size_t scope = s->nlocals;
    while (i < end && !s->failed) {
        i = statement(s, i, false);
    }
    s->nlocals = scope;
}

static void walk(struct scanner *s, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end && !s->failed;) {
        if (s->t->at[i].kind == TOKEN_IDENT) {
            i = walk_ident(s, first, i);
        } else if (is_operand_name(s, i)) {
            i += 3;
        } else if (is(s, i, "(") && is(s, i + 1, "{")) {
            block(s, i + 2, s->out->match[i + 1]);
            i = s->out->match[i + 1] + 1;
        } else {
            i++;
        }
    }
}

/* ---- declarations ---- */

static void add_skip(struct scanner *s, uint32_t token)
{
    if (grow(s, &s->skip, s->nskip, &s->cap_skip, sizeof *s->skip)) {
        s->skip[s->nskip++] = token;
    }
}

/* Names that a type itself declares: members are skipped, enumerators and tags enter the scope. */
static void type_names(struct scanner *s, const struct ctype *type)
{
    bool is_aggregate = type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION;
    if ((is_aggregate || type->kind == CTYPE_ENUM) && type->has_body) {
        if (type->spelling) {
            declare(s, type->spelling, strlen(type->spelling), false, true);
        }
        for (size_t i = 0; i < type->nmembers; i++) {
            const struct cdecl *m = &type->members[i];
            if (type->kind == CTYPE_ENUM) {
                add_skip(s, m->first);
                declare(s, m->name, strlen(m->name), false, false);
                continue;
            }
            if (m->name) {
                add_skip(s, m->name_token);
            }
            if (m->type) {
                type_names(s, m->type);
            }
        }
    } else if (type->kind == CTYPE_FUNCTION) {
        for (size_t i = 0; i < type->nmembers; i++) {
            const struct cdecl *m = &type->members[i];
            if (m->name) { /* in scope for the sizes of parameters after it; the caller ends that scope */
                declare(s, m->name, strlen(m->name), false, false);
                add_skip(s, m->name_token ? m->name_token : m->first);
            }
            if (m->type) {
                type_names(s, m->type);
            }
        }
    }
    if (type->of) {
        type_names(s, type->of);
    }
}

/* The names of a declarator's own part of its type (down to base, whose names the caller has), and its tokens. */
static void walk_declarator(struct scanner *s, const struct ctype *base, const struct cdecl *d)
{
    size_t scope = s->nlocals;
    for (const struct ctype *type = d->type; type && type != base; type = type->of) {
        struct ctype own = *type;
        own.of = NULL;
        type_names(s, &own);
    }
    add_skip(s, d->name_token);
    walk(s, d->first, d->end);
    s->nlocals = scope;
}

/* An artifact's type must mean the same in every step. */
static void check_type_is_global(struct scanner *s, const struct ctype *type, const char *name, uint32_t token)
{
    for (; type && !s->failed; type = type->of) {
        bool tagged = type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION || type->kind == CTYPE_ENUM;
        if (tagged && type->has_body) {
            s->failed = err_at(s->e, ERR_TYPE, NULL, (int)s->t->at[token].line,
                               "the type of '%s' is spelt out here; define it in a plain cell and use its name, so that other "
                               "steps can use it too",
                               name);
            return;
        }
        bool is_named = tagged || type->kind == CTYPE_NAMED;
        if (is_named && type->spelling && local_find(s, type->spelling, strlen(type->spelling), tagged)) {
            s->failed = err_at(s->e, ERR_TYPE, NULL, (int)s->t->at[token].line,
                               "'%s', the type of '%s', is defined inside this step; move its definition into a plain cell, so "
                               "that other steps know it",
                               type->spelling, name);
        }
    }
}

static void add_item(struct scanner *s, struct scan_item item)
{
    if (grow(s, &s->out->items, s->out->nitems, &s->cap_items, sizeof *s->out->items)) {
        s->out->items[s->out->nitems++] = item;
    }
}

/* A parsed declaration; word_token: of `artifact` if it is one, else UINT32_MAX. */
static void walk_declaration(struct scanner *s, const struct cdeclaration *d, uint32_t word_token)
{
    bool is_item = word_token != UINT32_MAX;
    size_t outer = s->nskip;
    if (d->base) {
        type_names(s, d->base);
    }
    walk(s, d->first, d->specifiers_end);
    for (size_t k = 0; k < d->ndeclarators && !s->failed; k++) {
        const struct cdecl *one = &d->declarators[k];
        walk_declarator(s, d->base, one);
        if (is_item) {
            check_type_is_global(s, one->type, one->name, word_token);
            uint32_t end = one->init_end > one->init_first ? one->init_end : one->end;
            add_item(s, (struct scan_item){ .name = one->name, .type = one->type, .word = word_token, .first = one->first,
                                            .end = end, .name_token = one->name_token, .init_first = one->init_first,
                                            .init_end = one->init_end, .stop = d->end - 1, .line = one->line });
        } else {
            declare(s, one->name, strlen(one->name), d->storage == CDECL_TYPEDEF, false);
        }
        walk(s, one->init_first, one->init_end);
    }
    s->nskip = outer;
}

static uint32_t declaration(struct scanner *s, uint32_t i, uint32_t word_token)
{
    struct cdeclaration d = { 0 };
    enum err_code code = ctype_parse(s->t, i, scanner_is_typedef, s, s->a, &d, s->e);
    if (code) {
        s->failed = code;
        return s->end;
    }
    if (d.end > s->end) {
        (void)fail(s, ERR_SYNTAX, s->end, "the declaration has no ';'");
        return s->end;
    }
    if (d.is_definition) {
        (void)fail(s, ERR_SYNTAX, i, "a function inside a step; define it in a plain cell");
        return s->end;
    }
    if (d.is_assert) {
        walk(s, i, d.end);
    } else {
        walk_declaration(s, &d, word_token);
    }
    return d.end;
}

/* ---- artifact, param ---- */

static bool is_word(const struct scanner *s, uint32_t i, const char *name)
{
    return scan_is(s->t, i, name) && is_ident(s, i) && !local_find(s, name, strlen(name), false) &&
           !(s->o->is_taken && s->o->is_taken(s->o->ctx, name, strlen(name)));
}

/* `artifact x, y;` */
static uint32_t incoming(struct scanner *s, uint32_t i)
{
    uint32_t stop = i + 1;
    while (stop < s->end && !is(s, stop, ";")) {
        stop++;
    }
    for (uint32_t name = i + 1; name < stop; name += 2) {
        const char *copy = arena_strndup(s->a, text_of(s, name), s->t->at[name].len);
        if (!copy) {
            s->failed = err_memory(s->e);
            return s->end;
        }
        add_item(s, (struct scan_item){ .name = copy, .word = i, .first = name, .end = name + 1, .name_token = name,
                                        .init_first = name + 1, .init_end = name + 1, .stop = stop,
                                        .line = (int)s->t->at[name].line });
    }
    return stop + 1;
}

static bool is_name_list(const struct scanner *s, uint32_t i)
{
    while (word(s, i) == WORD_NAME && is(s, i + 1, ",")) {
        i += 2;
    }
    return word(s, i) == WORD_NAME && is(s, i + 1, ";");
}

/* The artifact or param line at i. */
static uint32_t item_line(struct scanner *s, uint32_t i, bool outermost)
{
    bool is_artifact = strcmp(s->o->word, "artifact") == 0;
    if (!outermost) {
        (void)fail(s, ERR_SYNTAX, i, "`artifact` inside a block; declare it in the step's outermost block and assign it here");
        return s->end;
    }
    if (is(s, i + 1, "(")) {
        (void)fail(s, ERR_SYNTAX, i, is_artifact ? "`artifact(...)` is not C" : "`param(low, high)` is not supported yet");
        return s->end;
    }
    if (scan_is(s->t, i + 1, "file") && is_ident(s, i + 2)) {
        (void)fail(s, ERR_SYNTAX, i, is_artifact ? "`artifact file` is not supported yet" : "`param file` is not supported yet");
        return s->end;
    }
    if (is_artifact && is_name_list(s, i + 1)) {
        return incoming(s, i);
    }
    enum word_kind w = word(s, i + 1);
    if (w == WORD_STATIC || w == WORD_EXTERN || w == WORD_TYPEDEF || w == WORD_STORAGE) {
        (void)fail(s, ERR_SYNTAX, i, is_artifact ? "after `artifact` stands a type, without static, extern or typedef"
                                                 : "after `param` stands a type, without static, extern or typedef");
        return s->end;
    }
    return declaration(s, i + 1, i);
}

/* Whether token i begins such a line: the word, and something that can begin a declaration or is a name. */
static bool begins_item(const struct scanner *s, uint32_t i, const char *name)
{
    return is_word(s, i, name) && (is_ident(s, i + 1) || is(s, i + 1, "("));
}

/* ---- statements ---- */

/* The first `stop` at bracket depth 0 from i on; s->end: none. */
static uint32_t find(struct scanner *s, uint32_t i, const char *stop)
{
    unsigned conditionals = 0;
    bool colon = stop[0] == ':';
    while (i < s->end) {
        char c = bracket(s, i);
        if (c && closing(c)) {
            i = s->out->match[i] + 1;
            continue;
        }
        if (c) {
            return s->end; /* the enclosing block ends first */
        }
        if (colon && is(s, i, "?")) {
            conditionals++;
        } else if (is(s, i, stop) && conditionals) {
            conditionals--;
        } else if (is(s, i, stop)) {
            return i;
        }
        i++;
    }
    return i;
}

/* An expression up to its ;, i its first token. */
static uint32_t expression(struct scanner *s, uint32_t i)
{
    uint32_t stop = find(s, i, ";");
    if (stop >= s->end) {
        (void)fail(s, ERR_SYNTAX, i, "the statement has no ';'");
        return s->end;
    }
    walk(s, i, stop);
    return stop + 1;
}

static uint32_t expect(struct scanner *s, uint32_t i, const char *spelling, const char *what)
{
    if (!is(s, i, spelling)) {
        (void)fail(s, ERR_SYNTAX, i, what);
        return s->end;
    }
    return i + 1;
}

/* ( expression ) statement, i at the ( */
static uint32_t controlled(struct scanner *s, uint32_t i)
{
    if (expect(s, i, "(", "'(' expected") == s->end) {
        return s->end;
    }
    uint32_t close = s->out->match[i];
    walk(s, i + 1, close);
    return statement(s, close + 1, false);
}

static uint32_t for_statement(struct scanner *s, uint32_t i)
{
    if (expect(s, i, "(", "'(' expected after 'for'") == s->end) {
        return s->end;
    }
    size_t scope = s->nlocals;
    uint32_t close = s->out->match[i], outer_end = s->end, at = i + 1;
    s->end = close;
    at = ctype_begins(s->t, at, scanner_is_typedef, s) ? declaration(s, at, UINT32_MAX) : expression(s, at);
    at = s->failed ? close : expression(s, at);
    s->end = outer_end;
    if (!s->failed) {
        walk(s, at, close);
    }
    at = s->failed ? s->end : statement(s, close + 1, false);
    s->nlocals = scope;
    return at;
}

static uint32_t do_statement(struct scanner *s, uint32_t i)
{
    i = statement(s, i, false);
    if (!s->failed && !scan_is(s->t, i, "while")) {
        (void)fail(s, ERR_SYNTAX, i, "'while' expected after the statement of 'do'");
    }
    return s->failed ? s->end : expression(s, i + 1);
}

static uint32_t case_label(struct scanner *s, uint32_t i)
{
    uint32_t colon = find(s, i, ":");
    if (colon >= s->end) {
        (void)fail(s, ERR_SYNTAX, i, "':' expected after 'case'");
        return s->end;
    }
    walk(s, i, colon);
    return colon + 1;
}

static uint32_t return_statement(struct scanner *s, uint32_t i)
{
    if (grow(s, &s->out->returns, s->out->nreturns, &s->cap_returns, sizeof *s->out->returns)) {
        s->out->returns[s->out->nreturns++] = i;
    }
    return s->failed ? s->end : expression(s, i + 1);
}

/* A statement that begins with a word of C. */
static uint32_t keyword_statement(struct scanner *s, uint32_t i)
{
    if (scan_is(s->t, i, "if")) {
        i = controlled(s, i + 1);
        return !s->failed && scan_is(s->t, i, "else") && i < s->end ? statement(s, i + 1, false) : i;
    }
    if (scan_is(s->t, i, "while") || scan_is(s->t, i, "switch")) {
        return controlled(s, i + 1);
    }
    if (scan_is(s->t, i, "for")) {
        return for_statement(s, i + 1);
    }
    if (scan_is(s->t, i, "do")) {
        return do_statement(s, i + 1);
    }
    if (scan_is(s->t, i, "return")) {
        return return_statement(s, i);
    }
    if (scan_is(s->t, i, "case")) {
        return case_label(s, i + 1);
    }
    if (scan_is(s->t, i, "default")) {
        return expect(s, i + 1, ":", "':' expected after 'default'");
    }
    if (scan_is(s->t, i, "goto")) {
        return is(s, i + 2, ";") ? i + 3 : expression(s, i + 1);
    }
    if (scan_is(s->t, i, "else")) {
        (void)fail(s, ERR_SYNTAX, i, "'else' without 'if'");
        return s->end;
    }
    return expression(s, i + 1); /* break, continue */
}

static bool is_macro_block(const struct scanner *s, uint32_t i)
{
    return is(s, i + 1, "(") && is(s, s->out->match[i + 1] + 1, "{");
}

static uint32_t plain_statement(struct scanner *s, uint32_t i, bool outermost)
{
    if (s->o->word && begins_item(s, i, s->o->word)) {
        return item_line(s, i, outermost);
    }
    if (s->o->word && strcmp(s->o->word, "artifact") == 0 && begins_item(s, i, "param") && !is(s, i + 1, "(")) {
        (void)fail(s, ERR_SYNTAX, i, "`param` belongs into the %%flow cell");
        return s->end;
    }
    enum word_kind w = word(s, i);
    if (w == WORD_STATEMENT) {
        return keyword_statement(s, i);
    }
    if (w == WORD_NAME && is(s, i + 1, ":") && !is(s, i + 1, "::")) {
        return i + 2; /* a label */
    }
    if (ctype_begins(s->t, i, scanner_is_typedef, s)) {
        return declaration(s, i, UINT32_MAX);
    }
    if (w == WORD_NAME && is_macro_block(s, i)) { /* a macro that loops: FOR(i, n) { ... } */
        walk(s, i, s->out->match[i + 1] + 1);
        return statement(s, s->out->match[i + 1] + 1, false);
    }
    return expression(s, i);
}

/* One statement, declaration or label from token i; the token after it. */
static uint32_t statement(struct scanner *s, uint32_t i, bool outermost)
{
    if (s->failed || i >= s->end) {
        if (!s->failed) {
            (void)fail(s, ERR_SYNTAX, i, "a statement is missing at the end");
        }
        return s->end;
    }
    if (++s->depth > MAX_NESTING) {
        (void)fail(s, ERR_LIMIT, i, "statements are nested too deep");
        return s->end;
    }
    uint32_t next = i + 1;
    if (s->t->at[i].kind == TOKEN_PP) {
        if (grow(s, &s->out->pp, s->out->npp, &s->cap_pp, sizeof *s->out->pp)) {
            s->out->pp[s->out->npp++] = i;
        }
    } else if (is(s, i, "{")) {
        next = s->out->match[i] + 1;
        block(s, i + 1, next - 1);
    } else if (is(s, i, "}")) {
        (void)fail(s, ERR_SYNTAX, i, "a statement is missing before '}'");
    } else if (s->t->at[i].kind == TOKEN_IDENT) {
        next = plain_statement(s, i, outermost);
    } else if (!is(s, i, ";")) {
        next = expression(s, i);
    }
    s->depth--;
    return s->failed ? s->end : next;
}

/* ---- entries ---- */

enum err_code scan_body(const struct tokens *t, uint32_t first, uint32_t end, const struct scan_options *o, struct arena *a,
                        struct scan *out, struct err *e)
{
    *out = (struct scan){ .nuses = 0 };
    struct scanner s = { .t = t, .o = o, .a = a, .out = out, .e = e, .end = end };
    if (t->open == LEX_OPEN_COMMENT || t->open == LEX_OPEN_STRING || t->open == LEX_OPEN_CHAR) {
        const char *what = t->open == LEX_OPEN_COMMENT ? "a comment is never closed" : "a string or character is never closed";
        return fail(&s, ERR_SYNTAX, (uint32_t)t->count, what);
    }
    match_brackets(&s, first);
    for (uint32_t i = first; i < end && !s.failed;) {
        i = statement(&s, i, true);
    }
    return s.failed;
}

enum err_code scan_declaration(const struct tokens *t, const struct cdeclaration *d, const struct scan_options *o,
                               struct arena *a, struct scan *out, struct err *e)
{
    *out = (struct scan){ .nuses = 0 };
    struct scanner s = { .t = t, .o = o, .a = a, .out = out, .e = e, .end = d->end };
    match_brackets(&s, d->first);
    if (s.failed || !d->is_definition) {
        if (!s.failed && !d->is_assert) {
            walk_declaration(&s, d, UINT32_MAX);
        }
        return s.failed;
    }
    if (d->base) {
        type_names(&s, d->base);
    }
    walk(&s, d->first, d->specifiers_end);
    if (d->ndeclarators && !s.failed) {
        const struct cdecl *function = &d->declarators[0];
        declare(&s, function->name, strlen(function->name), false, false);
        for (const struct ctype *type = function->type; type && type != d->base; type = type->of) {
            struct ctype own = *type;
            own.of = NULL;
            type_names(&s, &own); /* parameters stay in scope for the body */
        }
        add_skip(&s, function->name_token);
        walk(&s, function->first, d->body);
        block(&s, d->body + 1, s.out->match[d->body]);
    }
    return s.failed;
}
