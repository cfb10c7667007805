/* See stepline.h.
 *
 * The logical line is copied without continuations and comment, then read word by word: names, numbers, `->`, `,`, `.`,
 * and anything else as it stands up to the next blank (an option, or a mistake that the message quotes). */
#include "runtime/lang/stepline.h"

#include <string.h>

enum { MAX_LINE = 16384 };

struct reader {
    struct arena *arena;
    const char *at;            /* rest of the line */
    char word[STEPLINE_MAX_NAME + 2];
    bool is_name, is_number;   /* of word; both false: a sign or an option */
    const char *step;          /* for messages */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t first_line(const char *text, size_t len)
{
    size_t start = 0;
    for (size_t i = 0; i < len && (is_blank(text[i]) || text[i] == '\n'); i++) {
        start = text[i] == '\n' ? i + 1 : start;
    }
    return start;
}

static bool begins(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);
    return len >= n && memcmp(text, word, n) == 0 &&
           (len == n || is_blank(text[n]) || text[n] == '\n' || text[n] == '\\' || text[n] == '/');
}

enum stepline_kind stepline_kind(const char *text, size_t len)
{
    size_t start = first_line(text, len);
    if (begins(text + start, len - start, "%%flow")) {
        return STEPLINE_FLOW;
    }
    return begins(text + start, len - start, "%%step") ? STEPLINE_STEP : STEPLINE_NONE;
}

/* The logical line without continuations; *end: where the next line begins. NULL: too long, or out of memory. */
static char *logical_line(const char *text, size_t len, struct arena *a, size_t *end)
{
    size_t at = first_line(text, len), n = 0;
    char *line = arena_alloc(a, MAX_LINE + 1);
    while (line && at < len && text[at] != '\n' && n < MAX_LINE) {
        size_t skip = text[at] != '\\' ? 0 : at + 1 < len && text[at + 1] == '\n' ? 2
                    : at + 2 < len && text[at + 1] == '\r' && text[at + 2] == '\n' ? 3 : 0;
        line[n++] = skip ? ' ' : text[at];
        at += skip ? skip : 1;
    }
    *end = at < len ? at + 1 : len;
    return n < MAX_LINE ? line : NULL;
}

static void cut_comment(char *line)
{
    char *comment = strstr(line, "//");
    if (comment) {
        *comment = '\0';
    }
}

/* The next word into r->word ("" at the end). False: it is too long. */
static bool next_word(struct reader *r)
{
    while (is_blank(*r->at)) {
        r->at++;
    }
    const char *end = r->at;
    r->is_name = is_letter(*end);
    r->is_number = is_digit(*end);
    if (r->is_name || r->is_number) {
        while (is_letter(*end) || is_digit(*end)) {
            end++;
        }
    } else if (end[0] == '-' && end[1] == '>') {
        end += 2;
    } else if (end[0] == '-' && end[1] == '-') {
        while (*end && !is_blank(*end) && *end != '=') {
            end++;
        }
    } else if (*end) {
        end++;
    }
    size_t n = (size_t)(end - r->at);
    if (n > STEPLINE_MAX_NAME) {
        return false;
    }
    memcpy(r->word, r->at, n);
    r->word[n] = '\0';
    r->at = end;
    return true;
}

static bool word_is(const struct reader *r, const char *word)
{
    return strcmp(r->word, word) == 0;
}

static enum err_code syntax(struct err *e, const char *expected, const struct reader *r)
{
    if (!r->word[0]) {
        return err_at(e, ERR_SYNTAX, NULL, 1, "the line ends where %s should stand", expected);
    }
    return err_at(e, ERR_SYNTAX, NULL, 1, "'%s' stands where %s should", r->word, expected);
}

static bool is_keyword(const char *name)
{
    static const char *const words[] = {
        "auto",   "break",    "case",     "char",     "const", "continue", "default", "do",     "double",
        "else",   "enum",     "extern",   "float",    "for",   "goto",     "if",      "inline", "int",
        "long",   "register", "restrict", "return",   "short", "signed",   "sizeof",  "static", "struct",
        "switch", "typedef",  "union",    "unsigned", "void",  "volatile", "while",   "asm",    "typeof",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The next word as a plain name, copied. */
static enum err_code read_name(struct reader *r, const char *what, const char **out, struct err *e)
{
    if (!next_word(r)) {
        return err_at(e, ERR_SYNTAX, NULL, 1, "%s is longer than %d characters", what, STEPLINE_MAX_NAME);
    }
    if (!r->is_name) {
        return syntax(e, what, r);
    }
    if (is_keyword(r->word)) {
        return err_at(e, ERR_SYNTAX, NULL, 1, "'%s' is a word of C and can't be %s", r->word, what);
    }
    if (strstr(r->word, "__") || strncmp(r->word, "weir_", 5) == 0) {
        return err_at(e, ERR_SYNTAX, NULL, 1,
                      "'%s' can't be %s: names with `__` and names that begin with `weir_` are reserved", r->word,
                      what);
    }
    *out = arena_strndup(r->arena, r->word, strlen(r->word));
    return *out ? ERR_NONE : err_memory(e);
}

static bool peek_is(const struct reader *r, char c)
{
    const char *p = r->at;
    while (is_blank(*p)) {
        p++;
    }
    return *p == c;
}

static enum err_code unsupported(struct err *e, const char *what)
{
    return err_at(e, ERR_SYNTAX, NULL, 1, "%s is not supported yet", what);
}

/* After the name and the targets: options, and mistakes. */
static enum err_code read_rest(struct reader *r, struct err *e)
{
    if (!next_word(r)) {
        return syntax(e, "the end of the line", r);
    }
    if (!r->word[0]) {
        return ERR_NONE;
    }
    if (word_is(r, "gang") || word_is(r, "on") || strncmp(r->word, "--", 2) == 0) {
        char what[STEPLINE_MAX_NAME + 4];
        size_t n = strlen(r->word);
        what[0] = '`';
        memcpy(what + 1, r->word, n);
        memcpy(what + 1 + n, "`", 2);
        return unsupported(e, what);
    }
    if (word_is(r, "join")) {
        return err_at(e, ERR_SYNTAX, NULL, 1, "`join` stands before the arrow: `%%%%step %s join -> ...`", r->step);
    }
    return syntax(e, "the end of the line", r);
}

/* After `foreach`. */
static enum err_code read_foreach(struct reader *r, struct stepline *out, struct err *e)
{
    if (peek_is(r, '(')) {
        return unsupported(e, "`foreach (x, y) in zip(...)`");
    }
    enum err_code code = read_name(r, "a foreach variable", &out->variable, e);
    if (code) {
        return code;
    }
    if (!next_word(r) || !word_is(r, "in")) {
        return syntax(e, "`in`", r);
    }
    const char *before = r->at;
    if (!next_word(r) || !r->is_number) {
        r->at = before;
        code = read_name(r, "what foreach goes over (an array, a parameter, or an integer)", &out->over, e);
    } else {
        out->over = arena_strndup(r->arena, r->word, strlen(r->word));
        code = out->over ? ERR_NONE : err_memory(e);
    }
    if (!code && peek_is(r, ',')) {
        return unsupported(e, "`foreach x in xs, y in ys`");
    }
    if (!code && peek_is(r, '(')) {
        return unsupported(e, "an expression after `in`");
    }
    return code;
}

/* After `->`. */
static enum err_code read_targets(struct reader *r, struct stepline *out, struct err *e)
{
    if (peek_is(r, '{')) {
        return unsupported(e, "`-> {value: step, ...} on name`");
    }
    const char **next = arena_alloc(r->arena, STEPLINE_MAX_TARGETS * sizeof *next);
    if (!next) {
        return err_memory(e);
    }
    out->next = next;
    do {
        if (out->nnext == STEPLINE_MAX_TARGETS) {
            return err_at(e, ERR_SYNTAX, NULL, 1, "more than %d targets", STEPLINE_MAX_TARGETS);
        }
        enum err_code code = read_name(r, "the name of a step", &next[out->nnext], e);
        if (code) {
            return code;
        }
        out->nnext++;
    } while (peek_is(r, ',') && next_word(r));
    const char *before = r->at;
    if (!next_word(r) || !word_is(r, "foreach")) {
        r->at = before;
        return ERR_NONE;
    }
    if (out->nnext > 1) {
        return err_at(e, ERR_SYNTAX, NULL, 1,
                      "foreach fans out to one step, and here are %u targets; let that step lead on to the others",
                      out->nnext);
    }
    return read_foreach(r, out, e);
}

static enum err_code read_step(struct reader *r, struct stepline *out, struct err *e)
{
    out->kind = STEPLINE_STEP;
    enum err_code code = read_name(r, "the step's name", &out->step, e);
    if (!code && *r->at == '.') {
        (void)next_word(r); /* the dot */
        out->flow = out->step;
        code = read_name(r, "the step's name", &out->step, e);
    }
    r->step = out->step;
    const char *before = r->at;
    while (!code && next_word(r)) {
        if (word_is(r, "join") && !out->join && !out->nnext) {
            out->join = true;
        } else if (word_is(r, "->") && !out->nnext) {
            code = read_targets(r, out, e);
        } else {
            r->at = before;
            break;
        }
        before = r->at;
    }
    return code ? code : read_rest(r, e);
}

enum err_code stepline_parse(const char *text, size_t len, struct arena *a, struct stepline *out, struct err *e)
{
    struct stepline line = { .kind = stepline_kind(text, len) };
    char *copy = logical_line(text, len, a, &line.body);
    if (!copy) {
        return err_at(e, ERR_SYNTAX, NULL, 1, "the line is longer than %d characters", MAX_LINE);
    }
    cut_comment(copy);
    struct reader r = { .arena = a, .at = copy };
    enum err_code code = ERR_NONE;
    if (line.kind == STEPLINE_NONE) {
        return err_at(e, ERR_SYNTAX, NULL, 1, "the cell does not begin with `%%%%step` or `%%%%flow`");
    }
    r.at += strlen("%%step");
    if (line.kind == STEPLINE_FLOW) {
        code = read_name(&r, "the flow's name", &line.flow, e);
        code = code ? code : read_rest(&r, e);
    } else {
        code = read_step(&r, &line, e);
    }
    if (!code) {
        *out = line;
    }
    return code;
}
