/* A cell split into items (see items.h).
 *
 * Brackets are checked first, so that everything after may rely on token_match. Then item by item: a preprocessor line, what
 * ctype_begins takes for a declaration, else a statement, whose end is found by the grammar of statements alone (expressions
 * are stepped over to their `;`). The last one may lack its `;`: it is the cell's value. */
#include "runtime/lang/items.h"

#include <string.h>

enum { MAX_NESTING = 1000, INDENT = 4 };

/* A name that this text itself made a typedef, or took from being one. */
struct local_name {
    struct local_name *next;
    const char *name;
    size_t len;
    bool is_typedef;
};

struct splitter {
    const struct tokens *t;
    ctype_is_typedef *outer;
    void *outer_ctx;
    struct local_name *names;
    struct arena *a;
    struct items *out;
    size_t cap;
    struct err *e;
    bool early;             /* it failed because the text ends too early */
    unsigned depth;
};

static enum err_code syntax(struct splitter *s, size_t i, const char *what)
{
    const struct token *at = &s->t->at[i < s->t->count ? i : s->t->count];
    s->early = at->kind == TOKEN_END;
    return err_at(s->e, ERR_SYNTAX, "", (int)at->line, "%s", what);
}

/* ---- brackets, strings ---- */

static char bracket_at(const struct tokens *t, size_t i)
{
    const struct token *at = &t->at[i];
    char c = at->kind == TOKEN_PUNCT && at->len == 1 ? t->text[at->start] : '\0';
    return c && strchr("()[]{}", c) ? c : '\0';
}

static bool closes(char open, char close)
{
    return (open == '(' && close == ')') || (open == '[' && close == ']') || (open == '{' && close == '}');
}

/* Every bracket closed by its like. *open: how many are open at the end (then the error is early). */
static enum err_code check_brackets(struct splitter *s, unsigned *open)
{
    uint32_t stack[MAX_NESTING];
    unsigned depth = 0;
    *open = 0;
    for (size_t i = 0; i < s->t->count; i++) {
        char c = bracket_at(s->t, i);
        int line = (int)s->t->at[i].line;
        if (c == '(' || c == '[' || c == '{') {
            if (depth == MAX_NESTING) {
                return err_at(s->e, ERR_SYNTAX, "", line, "brackets nest deeper than %d", MAX_NESTING);
            }
            stack[depth++] = (uint32_t)i;
        } else if (c && depth == 0) {
            return err_at(s->e, ERR_SYNTAX, "", line, "'%c' closes nothing", c);
        } else if (c && !closes(bracket_at(s->t, stack[depth - 1]), c)) {
            uint32_t opener = stack[depth - 1];
            return err_at(s->e, ERR_SYNTAX, "", line, "'%c' does not close the '%c' of line %d", c,
                          bracket_at(s->t, opener), (int)s->t->at[opener].line);
        } else if (c) {
            depth--;
        }
    }
    *open = depth;
    if (depth) {
        uint32_t opener = stack[depth - 1];
        s->early = true;
        return err_at(s->e, ERR_SYNTAX, "", (int)s->t->at[opener].line, "'%c' is never closed", bracket_at(s->t, opener));
    }
    return ERR_NONE;
}

static bool is_unclosed(const struct tokens *t, const struct token *at)
{
    char quote = at->kind == TOKEN_STRING ? '"' : '\'';
    const char *s = t->text + at->start;
    const char *first = memchr(s, quote, at->len);
    size_t i = first ? (size_t)(first - s) + 1 : at->len;
    while (i < at->len && s[i] != quote) {
        i += s[i] == '\\' ? 2 : 1;
    }
    return i >= at->len;
}

static enum err_code check_open(struct splitter *s)
{
    if (s->t->open == LEX_CLOSED) {
        return ERR_NONE;
    }
    if (s->t->open == LEX_OPEN_COMMENT) {
        s->early = true;
        return err_at(s->e, ERR_SYNTAX, "", (int)s->t->at[s->t->count].line, "a comment is never closed: '*/' expected");
    }
    for (size_t i = 0; i < s->t->count; i++) {
        const struct token *at = &s->t->at[i];
        if ((at->kind == TOKEN_STRING || at->kind == TOKEN_CHAR) && is_unclosed(s->t, at)) {
            return err_at(s->e, ERR_SYNTAX, "", (int)at->line, "%s is not closed on its line",
                          at->kind == TOKEN_STRING ? "a string" : "a character constant");
        }
    }
    if (s->t->open == LEX_OPEN_LINE) {
        s->early = true;
        return err_at(s->e, ERR_SYNTAX, "", (int)s->t->at[s->t->count].line, "the last line ends in a backslash");
    }
    return ERR_NONE;
}

/* ---- names that count as types ---- */

static bool is_typedef(void *ctx, const char *name, size_t len)
{
    const struct splitter *s = ctx;
    for (const struct local_name *n = s->names; n; n = n->next) {
        if (n->len == len && memcmp(n->name, name, len) == 0) {
            return n->is_typedef;
        }
    }
    return s->outer && s->outer(s->outer_ctx, name, len);
}

static enum err_code note_name(struct splitter *s, const char *name, size_t len, bool type)
{
    if (is_typedef(s, name, len) == type) {
        return ERR_NONE;
    }
    struct local_name *n = arena_alloc(s->a, sizeof *n);
    if (!n) {
        return err_memory(s->e);
    }
    *n = (struct local_name){ .next = s->names, .name = name, .len = len, .is_typedef = type };
    s->names = n;
    return ERR_NONE;
}

static enum err_code note_declaration(struct splitter *s, const struct cdeclaration *d)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; !code && i < d->ndeclarators; i++) {
        code = note_name(s, d->declarators[i].name, strlen(d->declarators[i].name), d->storage == CDECL_TYPEDEF);
    }
    return code;
}

bool items_define_is_type(const char *pp, size_t len, ctype_is_typedef *types, void *ctx, const char **name, size_t *name_len)
{
    struct tokens t;
    if (len > 200 || lex(pp + 1, len - 1, &t, NULL)) { /* longer ones are no names of types; past the # */
        return false;
    }
    bool yes = false;
    if (token_is(&t, 0, "define") && t.count > 2 && t.at[1].kind == TOKEN_IDENT && t.at[2].kind == TOKEN_IDENT &&
        t.at[2].start > t.at[1].start + t.at[1].len) {
        const char *body = t.text + t.at[2].start;
        enum word_kind w = lex_word(body, t.at[2].len);
        yes = w == WORD_TYPE || w == WORD_STRUCT || w == WORD_UNION || w == WORD_ENUM || w == WORD_TYPEOF ||
              ((w == WORD_CONST || w == WORD_VOLATILE) && t.count > 3) || (w == WORD_NAME && types && types(ctx, body, t.at[2].len));
        *name = t.text + t.at[1].start;
        *name_len = t.at[1].len;
    }
    tokens_done(&t);
    return yes;
}

/* ---- statements ---- */

static enum err_code statement(struct splitter *s, size_t i, size_t *end, bool *value);

static bool word(const struct splitter *s, size_t i, const char *spelling)
{
    return token_is(s->t, i, spelling);
}

/* #else, #elif, #endif. */
static bool ends_branch(const struct tokens *t, size_t i)
{
    if (t->at[i].kind != TOKEN_PP) {
        return false;
    }
    const char *s = t->text + t->at[i].start + 1;
    const char *end = t->text + t->at[i].start + t->at[i].len;
    while (s < end && (*s == ' ' || *s == '\t')) {
        s++;
    }
    return end - s >= 4 && (memcmp(s, "else", 4) == 0 || memcmp(s, "elif", 4) == 0 || memcmp(s, "endi", 4) == 0);
}

/* An expression up to and past its `;`. *value: the text ends first, without one. */
static enum err_code expression(struct splitter *s, size_t i, size_t *end, bool *value)
{
    if (s->t->at[i].kind == TOKEN_IDENT && word(s, i + 1, "(")) {
        size_t close = token_match(s->t, i + 1);
        if (word(s, close + 1, "{")) { /* a macro that loops: name(...) { ... } */
            return statement(s, close + 1, end, value);
        }
    }
    while (i < s->t->count && !word(s, i, ";")) {
        char c = bracket_at(s->t, i);
        if (c == '}' || c == ')' || c == ']') {
            return syntax(s, i, "';' expected");
        }
        if (ends_branch(s->t, i)) { /* the value of one branch of an #if */
            *value = true;
            *end = i;
            return ERR_NONE;
        }
        i = c ? token_match(s->t, i) + 1 : i + 1;
    }
    *value = i >= s->t->count;
    *end = *value ? i : i + 1;
    return ERR_NONE;
}

/* A statement that is part of another one: it must be there, and whole. */
static enum err_code inner(struct splitter *s, size_t i, size_t *end)
{
    bool value = false;
    while (i < s->t->count && s->t->at[i].kind == TOKEN_PP) {
        i++;
    }
    if (i >= s->t->count) {
        return syntax(s, i, "a statement expected before the end");
    }
    enum err_code code = statement(s, i, end, &value);
    return code || !value ? code : syntax(s, s->t->count, "';' expected before the end");
}

static enum err_code after_parentheses(struct splitter *s, size_t i, size_t *end)
{
    if (!word(s, i, "(")) {
        return syntax(s, i, "'(' expected");
    }
    return inner(s, token_match(s->t, i) + 1, end);
}

static enum err_code do_statement(struct splitter *s, size_t i, size_t *end)
{
    enum err_code code = inner(s, i + 1, end);
    if (code) {
        return code;
    }
    if (!word(s, *end, "while") || !word(s, *end + 1, "(")) {
        return syntax(s, *end, "'while (...);' expected after 'do'");
    }
    *end = token_match(s->t, *end + 1) + 1;
    if (!word(s, *end, ";")) {
        return syntax(s, *end, "';' expected after 'do ... while (...)'");
    }
    (*end)++;
    return ERR_NONE;
}

/* Past `case x:`, `default:` and `label:`, to the colon's next token; i itself if there is no label. */
static size_t past_label(const struct splitter *s, size_t i)
{
    if (word(s, i, "case")) {
        for (unsigned conditional = 0; i < s->t->count && !word(s, i, ";"); i++) {
            if (word(s, i, "?")) {
                conditional++;
            } else if (word(s, i, ":") && conditional-- == 0) {
                return i + 1;
            }
        }
        return i;
    }
    return s->t->at[i].kind == TOKEN_IDENT && word(s, i + 1, ":") ? i + 2 : i;
}

static enum err_code keyword_statement(struct splitter *s, size_t i, size_t *end, bool *value)
{
    if (word(s, i, "if")) {
        enum err_code code = after_parentheses(s, i + 1, end);
        return code || !word(s, *end, "else") ? code : inner(s, *end + 1, end);
    }
    if (word(s, i, "while") || word(s, i, "for") || word(s, i, "switch")) {
        return after_parentheses(s, i + 1, end);
    }
    if (word(s, i, "do")) {
        return do_statement(s, i, end);
    }
    if (word(s, i, "else")) {
        return syntax(s, i, "'else' without 'if'");
    }
    enum err_code code = expression(s, i, end, value);
    return code || !*value ? code : syntax(s, s->t->count, "';' expected before the end");
}

/* The end of the statement at i. */
static enum err_code statement(struct splitter *s, size_t i, size_t *end, bool *value)
{
    if (s->depth >= MAX_NESTING) {
        return syntax(s, i, "statements nest too deep");
    }
    s->depth++;
    enum err_code code;
    size_t label = past_label(s, i);
    if (label != i) {
        code = inner(s, label, end);
    } else if (word(s, i, "{")) {
        *end = token_match(s->t, i) + 1;
        code = ERR_NONE;
    } else if (s->t->at[i].kind == TOKEN_IDENT &&
               lex_word(s->t->text + s->t->at[i].start, s->t->at[i].len) == WORD_STATEMENT) {
        code = keyword_statement(s, i, end, value);
    } else {
        code = expression(s, i, end, value);
    }
    s->depth--;
    return code;
}

/* ---- items ---- */

static enum err_code add_item(struct splitter *s, struct item item)
{
    if (s->out->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        struct item *room = arena_alloc(s->a, cap * sizeof *room);
        if (!room) {
            return err_memory(s->e);
        }
        if (s->out->count) {
            memcpy(room, s->out->at, s->out->count * sizeof *room);
        }
        s->out->at = room;
        s->cap = cap;
    }
    s->out->at[s->out->count++] = item;
    return ERR_NONE;
}

static enum err_code directive(struct splitter *s, size_t *i)
{
    const struct token *at = &s->t->at[*i];
    const char *name;
    size_t len;
    enum err_code code = ERR_NONE;
    if (items_define_is_type(s->t->text + at->start, at->len, is_typedef, s, &name, &len)) {
        code = note_name(s, name, len, true);
    }
    struct item item = { .kind = ITEM_PP, .first = (uint32_t)*i, .end = (uint32_t)*i + 1 };
    *i += 1;
    return code ? code : add_item(s, item);
}

static enum err_code declaration(struct splitter *s, size_t *i)
{
    struct item item = { .kind = ITEM_DECLARATION, .first = (uint32_t)*i };
    enum err_code code = ctype_parse(s->t, *i, is_typedef, s, s->a, &item.decl, s->e);
    if (code) {
        s->early = item.decl.end >= s->t->count;
        return code;
    }
    item.kind = item.decl.is_definition ? ITEM_FUNCTION : ITEM_DECLARATION;
    item.end = item.decl.end;
    *i = item.end;
    code = note_declaration(s, &item.decl);
    return code ? code : add_item(s, item);
}

static enum err_code next_item(struct splitter *s, size_t *i)
{
    if (s->t->at[*i].kind == TOKEN_PP) {
        return directive(s, i);
    }
    if (word(s, *i, ";")) {
        *i += 1;
        return ERR_NONE;
    }
    if (ctype_begins(s->t, *i, is_typedef, s)) {
        return declaration(s, i);
    }
    size_t end = *i;
    bool value = false;
    enum err_code code = statement(s, *i, &end, &value);
    if (code) {
        return code;
    }
    struct item item = { .kind = value ? ITEM_EXPRESSION : ITEM_STATEMENT, .first = (uint32_t)*i, .end = (uint32_t)end };
    while (item.end > item.first + 1 && s->t->at[item.end - 1].kind == TOKEN_PP) {
        item.end--; /* a directive after a last expression is an item of its own */
    }
    *i = item.end;
    return add_item(s, item);
}

static enum err_code split(struct splitter *s, unsigned *open)
{
    enum err_code code = check_open(s);
    code = code ? code : check_brackets(s, open);
    for (size_t i = 0; !code && i < s->t->count;) {
        code = next_item(s, &i);
    }
    return code;
}

enum err_code items_split(const struct tokens *t, ctype_is_typedef *outer, void *ctx, struct arena *a, struct items *out,
                          struct err *e)
{
    struct items made = { 0 };
    unsigned open;
    struct splitter s = { .t = t, .outer = outer, .outer_ctx = ctx, .a = a, .out = &made, .e = e };
    enum err_code code = split(&s, &open);
    if (!code) {
        *out = made;
    }
    return code;
}

/* ---- is_complete ---- */

static void set_indent(char *indent, size_t size, size_t spaces)
{
    if (size) {
        spaces = spaces < size - 1 ? spaces : size - 1;
        memset(indent, ' ', spaces);
        indent[spaces] = '\0';
    }
}

/* #if without its #endif. */
static bool conditional_open(const struct tokens *t)
{
    long depth = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->at[i].kind == TOKEN_PP) {
            const char *s = t->text + t->at[i].start + 1;
            const char *end = t->text + t->at[i].start + t->at[i].len;
            while (s < end && (*s == ' ' || *s == '\t')) {
                s++;
            }
            size_t left = (size_t)(end - s);
            depth += left >= 2 && memcmp(s, "if", 2) == 0;
            depth -= left >= 5 && memcmp(s, "endif", 5) == 0;
        }
    }
    return depth > 0;
}

/* A last expression that an operator leaves open: `x +`. */
static bool ends_in_operator(const struct tokens *t, const struct items *items)
{
    if (items->count == 0 || items->at[items->count - 1].kind != ITEM_EXPRESSION) {
        return false;
    }
    const struct token *last = &t->at[items->at[items->count - 1].end - 1];
    const char *s = t->text + last->start;
    bool postfix = last->len == 2 && (memcmp(s, "++", 2) == 0 || memcmp(s, "--", 2) == 0);
    return last->kind == TOKEN_PUNCT && !postfix && !strchr(")]}", s[0]);
}

static enum completeness magic_complete(const char *text)
{
    size_t len = strlen(text);
    bool cell = strncmp(text, "%%", 2) == 0;
    bool blank_end = len >= 2 && text[len - 1] == '\n' && text[len - 2] == '\n';
    return !cell || blank_end ? COMPLETE : INCOMPLETE;
}

enum completeness items_complete(const char *text, char *indent, size_t size)
{
    set_indent(indent, size, 0);
    if (text[0] == '%' || text[0] == '!') {
        return magic_complete(text);
    }
    struct tokens t;
    if (lex(text, strlen(text), &t, NULL)) {
        return INVALID;
    }
    struct arena a;
    struct items items = { 0 };
    arena_init(&a);
    unsigned open = 0;
    struct splitter s = { .t = &t, .a = &a, .out = &items };
    enum err_code code = split(&s, &open);
    enum completeness answer = code ? (s.early ? INCOMPLETE : INVALID) : COMPLETE;
    if (answer == COMPLETE && (conditional_open(&t) || ends_in_operator(&t, &items))) {
        answer = INCOMPLETE;
    }
    if (answer == INCOMPLETE && t.open == LEX_CLOSED) {
        bool body = t.count && !open && (token_is(&t, t.count - 1, ")") || token_is(&t, t.count - 1, "else"));
        set_indent(indent, size, (size_t)INDENT * (open + body));
    }
    tokens_done(&t);
    arena_done(&a);
    return answer;
}
