/* See scan.h.
 *
 * Statements are parsed by recursive descent, since only their grammar tells a label from a conditional expression and
 * where a scope ends; expressions are walked token by token. Declarations are parsed by ctype_parse, and their tokens
 * walked too: sizes and initialisers use names like any expression. Names in scope are a stack, cut back where a block
 * ends. */
#include "runtime/lang/scan_internal.h"

#include <string.h>

enum { MAX_NESTING = 250 };

bool scan_is(const struct tokens *t, uint32_t i, const char *name)
{
    size_t len = strlen(name);
    return i < t->count && t->at[i].len == len && memcmp(t->text + t->at[i].start, name, len) == 0;
}

/* ---- artifact, param ---- */

static bool is_word(const struct scanner *s, uint32_t i, const char *name)
{
    return scan_is(s->t, i, name) && scanner_is_ident(s, i) && !scanner_local(s, name, strlen(name), false) &&
           !(s->o->is_taken && s->o->is_taken(s->o->ctx, name, strlen(name)));
}

/* `artifact x, y;` */
static uint32_t incoming(struct scanner *s, uint32_t i)
{
    uint32_t stop = i + 1;
    while (stop < s->end && !scanner_at(s, stop, ";")) {
        stop++;
    }
    for (uint32_t name = i + 1; name < stop; name += 2) {
        const char *copy = arena_strndup(s->a, scanner_text(s, name), s->t->at[name].len);
        if (!copy) {
            s->failed = err_memory(s->e);
            return s->end;
        }
        scanner_add_item(s, (struct scan_item){ .name = copy,
                                                .word = i,
                                                .first = name,
                                                .end = name + 1,
                                                .name_token = name,
                                                .init_first = name + 1,
                                                .init_end = name + 1,
                                                .stop = stop,
                                                .line = (int)s->t->at[name].line });
    }
    return stop + 1;
}

static bool is_name_list(const struct scanner *s, uint32_t i)
{
    while (scanner_word(s, i) == WORD_NAME && scanner_at(s, i + 1, ",")) {
        i += 2;
    }
    return scanner_word(s, i) == WORD_NAME && scanner_at(s, i + 1, ";");
}

/* The artifact or param line at i. */
static uint32_t item_line(struct scanner *s, uint32_t i, bool outermost)
{
    bool is_artifact = strcmp(s->o->word, "artifact") == 0;
    if (!outermost) {
        (void)scanner_fail(s, ERR_SYNTAX, i,
                   "`artifact` inside a block; declare it in the step's outermost block and assign it here");
        return s->end;
    }
    if (scanner_at(s, i + 1, "(")) {
        (void)scanner_fail(s, ERR_SYNTAX, i,
                   is_artifact ? "`artifact(...)` is not C" : "`param(low, high)` is not supported yet");
        return s->end;
    }
    if (scan_is(s->t, i + 1, "file") && scanner_is_ident(s, i + 2)) {
        (void)scanner_fail(s, ERR_SYNTAX, i,
                   is_artifact ? "`artifact file` is not supported yet" : "`param file` is not supported yet");
        return s->end;
    }
    if (is_artifact && is_name_list(s, i + 1)) {
        return incoming(s, i);
    }
    enum word_kind w = scanner_word(s, i + 1);
    if (w == WORD_STATIC || w == WORD_EXTERN || w == WORD_TYPEDEF || w == WORD_STORAGE) {
        (void)scanner_fail(s, ERR_SYNTAX, i,
                           is_artifact ? "after `artifact` stands a type, without static, extern or typedef"
                                       : "after `param` stands a type, without static, extern or typedef");
        return s->end;
    }
    return scanner_declaration(s, i + 1, i);
}

/* Whether token i begins such a line: the word, and something that can begin a declaration or is a name. */
static bool begins_item(const struct scanner *s, uint32_t i, const char *name)
{
    return is_word(s, i, name) && (scanner_is_ident(s, i + 1) || scanner_at(s, i + 1, "("));
}

/* ---- statements ---- */

/* The first `stop` at bracket depth 0 from i on; s->end: none. */
static uint32_t find(struct scanner *s, uint32_t i, const char *stop)
{
    unsigned conditionals = 0;
    bool colon = stop[0] == ':';
    while (i < s->end) {
        char c = scanner_bracket(s, i);
        if (c && scanner_closing(c)) {
            i = s->out->match[i] + 1;
            continue;
        }
        if (c) {
            return s->end; /* the enclosing block ends first */
        }
        if (colon && scanner_at(s, i, "?")) {
            conditionals++;
        } else if (scanner_at(s, i, stop) && conditionals) {
            conditionals--;
        } else if (scanner_at(s, i, stop)) {
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
        (void)scanner_fail(s, ERR_SYNTAX, i, "the statement has no ';'");
        return s->end;
    }
    scanner_walk(s, i, stop);
    return stop + 1;
}

static uint32_t expect(struct scanner *s, uint32_t i, const char *spelling, const char *what)
{
    if (!scanner_at(s, i, spelling)) {
        (void)scanner_fail(s, ERR_SYNTAX, i, what);
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
    scanner_walk(s, i + 1, close);
    return scanner_statement(s, close + 1, false);
}

static uint32_t for_statement(struct scanner *s, uint32_t i)
{
    if (expect(s, i, "(", "'(' expected after 'for'") == s->end) {
        return s->end;
    }
    size_t scope = s->nlocals;
    uint32_t close = s->out->match[i], outer_end = s->end, at = i + 1;
    s->end = close;
    at = ctype_begins(s->t, at, scanner_is_typedef, s) ? scanner_declaration(s, at, UINT32_MAX) : expression(s, at);
    at = s->failed ? close : expression(s, at);
    s->end = outer_end;
    if (!s->failed) {
        scanner_walk(s, at, close);
    }
    at = s->failed ? s->end : scanner_statement(s, close + 1, false);
    s->nlocals = scope;
    return at;
}

static uint32_t do_statement(struct scanner *s, uint32_t i)
{
    i = scanner_statement(s, i, false);
    if (!s->failed && !scan_is(s->t, i, "while")) {
        (void)scanner_fail(s, ERR_SYNTAX, i, "'while' expected after the statement of 'do'");
    }
    return s->failed ? s->end : expression(s, i + 1);
}

static uint32_t case_label(struct scanner *s, uint32_t i)
{
    uint32_t colon = find(s, i, ":");
    if (colon >= s->end) {
        (void)scanner_fail(s, ERR_SYNTAX, i, "':' expected after 'case'");
        return s->end;
    }
    scanner_walk(s, i, colon);
    return colon + 1;
}

static uint32_t return_statement(struct scanner *s, uint32_t i)
{
    if (scanner_grow(s, &s->out->returns, s->out->nreturns, &s->cap_returns, sizeof *s->out->returns)) {
        s->out->returns[s->out->nreturns++] = i;
    }
    return s->failed ? s->end : expression(s, i + 1);
}

/* A statement that begins with a word of C. */
static uint32_t keyword_statement(struct scanner *s, uint32_t i)
{
    if (scan_is(s->t, i, "if")) {
        i = controlled(s, i + 1);
        return !s->failed && scan_is(s->t, i, "else") && i < s->end ? scanner_statement(s, i + 1, false) : i;
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
        return scanner_at(s, i + 2, ";") ? i + 3 : expression(s, i + 1);
    }
    if (scan_is(s->t, i, "else")) {
        (void)scanner_fail(s, ERR_SYNTAX, i, "'else' without 'if'");
        return s->end;
    }
    return expression(s, i + 1); /* break, continue */
}

static bool is_macro_block(const struct scanner *s, uint32_t i)
{
    return scanner_at(s, i + 1, "(") && scanner_at(s, s->out->match[i + 1] + 1, "{");
}

static uint32_t plain_statement(struct scanner *s, uint32_t i, bool outermost)
{
    if (s->o->word && begins_item(s, i, s->o->word)) {
        return item_line(s, i, outermost);
    }
    if (s->o->word && strcmp(s->o->word, "artifact") == 0 && begins_item(s, i, "param") && !scanner_at(s, i + 1, "(")) {
        (void)scanner_fail(s, ERR_SYNTAX, i, "`param` belongs into the %%flow cell");
        return s->end;
    }
    enum word_kind w = scanner_word(s, i);
    if (w == WORD_STATEMENT) {
        return keyword_statement(s, i);
    }
    if (w == WORD_NAME && scanner_at(s, i + 1, ":") && !scanner_at(s, i + 1, "::")) {
        return i + 2; /* a label */
    }
    if (ctype_begins(s->t, i, scanner_is_typedef, s)) {
        return scanner_declaration(s, i, UINT32_MAX);
    }
    if (w == WORD_NAME && is_macro_block(s, i)) { /* a macro that loops: FOR(i, n) { ... } */
        scanner_walk(s, i, s->out->match[i + 1] + 1);
        return scanner_statement(s, s->out->match[i + 1] + 1, false);
    }
    return expression(s, i);
}

/* One statement, declaration or label from token i; the token after it. */
uint32_t scanner_statement(struct scanner *s, uint32_t i, bool outermost)
{
    if (s->failed || i >= s->end) {
        if (!s->failed) {
            (void)scanner_fail(s, ERR_SYNTAX, i, "a statement is missing at the end");
        }
        return s->end;
    }
    if (++s->depth > MAX_NESTING) {
        (void)scanner_fail(s, ERR_LIMIT, i, "statements are nested too deep");
        return s->end;
    }
    uint32_t next = i + 1;
    if (s->t->at[i].kind == TOKEN_PP) {
        if (scanner_grow(s, &s->out->pp, s->out->npp, &s->cap_pp, sizeof *s->out->pp)) {
            s->out->pp[s->out->npp++] = i;
        }
    } else if (scanner_at(s, i, "{")) {
        next = s->out->match[i] + 1;
        scanner_block(s, i + 1, next - 1);
    } else if (scanner_at(s, i, "}")) {
        (void)scanner_fail(s, ERR_SYNTAX, i, "a statement is missing before '}'");
    } else if (s->t->at[i].kind == TOKEN_IDENT) {
        next = plain_statement(s, i, outermost);
    } else if (!scanner_at(s, i, ";")) {
        next = expression(s, i);
    }
    s->depth--;
    return s->failed ? s->end : next;
}

/* ---- entries ---- */

enum err_code scan_body(const struct tokens *t, uint32_t first, uint32_t end, const struct scan_options *o,
                        struct arena *a, struct scan *out, struct err *e)
{
    *out = (struct scan){ .nuses = 0 };
    struct scanner s = { .t = t, .o = o, .a = a, .out = out, .e = e, .end = end };
    if (t->open == LEX_OPEN_COMMENT || t->open == LEX_OPEN_STRING || t->open == LEX_OPEN_CHAR) {
        const char *what =
            t->open == LEX_OPEN_COMMENT ? "a comment is never closed" : "a string or character is never closed";
        return scanner_fail(&s, ERR_SYNTAX, (uint32_t)t->count, what);
    }
    scanner_match(&s, first);
    for (uint32_t i = first; i < end && !s.failed;) {
        i = scanner_statement(&s, i, true);
    }
    return s.failed;
}

enum err_code scan_declaration(const struct tokens *t, const struct cdeclaration *d, const struct scan_options *o,
                               struct arena *a, struct scan *out, struct err *e)
{
    *out = (struct scan){ .nuses = 0 };
    struct scanner s = { .t = t, .o = o, .a = a, .out = out, .e = e, .end = d->end };
    scanner_match(&s, d->first);
    if (s.failed || !d->is_definition) {
        if (!s.failed && !d->is_assert) {
            scanner_walk_declaration(&s, d, UINT32_MAX);
        }
        return s.failed;
    }
    if (d->base) {
        scanner_type_names(&s, d->base);
    }
    scanner_walk(&s, d->first, d->specifiers_end);
    if (d->ndeclarators && !s.failed) {
        const struct cdecl *function = &d->declarators[0];
        scanner_declare(&s, function->name, strlen(function->name), false, false);
        for (const struct ctype *type = function->type; type && type != d->base; type = type->of) {
            struct ctype own = *type;
            own.of = NULL;
            scanner_type_names(&s, &own); /* parameters stay in scope for the body */
        }
        scanner_skip(&s, function->name_token);
        scanner_walk(&s, function->first, d->body);
        scanner_block(&s, d->body + 1, s.out->match[d->body]);
    }
    return s.failed;
}
