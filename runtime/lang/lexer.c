/* C text as tokens: see lexer.h.
 *
 * One pass, one token at a time; a table of character classes decides by the first byte. Bytes from 0x80 count as letters,
 * so that UTF-8 identifiers and comments pass through whole. A backslash-newline between tokens is white space. */
#include "runtime/lang/lexer.h"

#include <stdlib.h>
#include <string.h>

struct lexer {
    struct tokens *out;
    const char *text;
    size_t len;
    size_t at;           /* next byte */
    uint32_t line;
    bool first;          /* nothing but white space so far on this line */
    size_t cap;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct lexer *l, size_t ahead)
{
    return l->at + ahead < l->len ? l->text[l->at + ahead] : '\0';
}

/* Bytes of a newline that follows a backslash at `at` (1 or 2), 0: no continuation. */
static size_t splice(const struct lexer *l, size_t at)
{
    if (at + 1 < l->len && l->text[at + 1] == '\n') {
        return 2;
    }
    return at + 2 < l->len && l->text[at + 1] == '\r' && l->text[at + 2] == '\n' ? 3 : 0;
}

static void opened(struct lexer *l, int what)
{
    if (l->out->open == LEX_CLOSED) {
        l->out->open = what;
    }
}

/* Past a comment that begins at `at`, counting its lines. */
static void skip_block_comment(struct lexer *l)
{
    for (l->at += 2; l->at < l->len; l->at++) {
        if (l->text[l->at] == '\n') {
            l->line++;
        } else if (l->text[l->at] == '*' && peek(l, 1) == '/') {
            l->at += 2;
            return;
        }
    }
    opened(l, LEX_OPEN_COMMENT);
}

/* To the newline that ends the line (not past it), continuations included. */
static void skip_line_comment(struct lexer *l)
{
    while (l->at < l->len && l->text[l->at] != '\n') {
        size_t n = l->text[l->at] == '\\' ? splice(l, l->at) : 0;
        l->line += n != 0;
        l->at += n ? n : 1;
    }
}

/* Past a string or character constant whose opening quote is at `at`. It ends at its line's end if it is not closed. */
static void skip_quoted(struct lexer *l, bool report)
{
    char quote = l->text[l->at++];
    while (l->at < l->len && l->text[l->at] != '\n') {
        char c = l->text[l->at];
        if (c == quote) {
            l->at++;
            return;
        }
        if (c == '\\' && l->at + 1 < l->len) {
            size_t n = splice(l, l->at);
            l->line += n != 0;
            l->at += n ? n : 2;
        } else {
            l->at++;
        }
    }
    if (report) {
        opened(l, quote == '"' ? LEX_OPEN_STRING : LEX_OPEN_CHAR);
    }
}

/* A whole preprocessor line. Quotes matter only as far as they hide comments; a lone ' (as in #error don't) is text. */
static void skip_directive(struct lexer *l)
{
    while (l->at < l->len && l->text[l->at] != '\n') {
        char c = l->text[l->at];
        size_t n = c == '\\' ? splice(l, l->at) : 0;
        if (n) {
            l->line++;
            l->at += n;
        } else if (c == '/' && peek(l, 1) == '*') {
            skip_block_comment(l);
        } else if (c == '/' && peek(l, 1) == '/') {
            skip_line_comment(l);
        } else if (c == '"') {
            skip_quoted(l, false);
        } else {
            l->at++;
        }
    }
}

static void skip_space(struct lexer *l)
{
    for (; l->at < l->len; l->at++) {
        char c = l->text[l->at];
        if (c == '\n') {
            l->line++;
            l->first = true;
        } else if (c == '\\' && splice(l, l->at)) {
            l->line++;
            l->at += splice(l, l->at) - 1;
        } else if (c == '/' && peek(l, 1) == '*') {
            skip_block_comment(l);
            l->at--;
        } else if (c == '/' && peek(l, 1) == '/') {
            skip_line_comment(l);
            l->at--;
        } else if (c != ' ' && c != '\t' && c != '\r' && c != '\f' && c != '\v') {
            return;
        }
    }
}

static void skip_number(struct lexer *l)
{
    while (l->at < l->len) {
        char c = l->text[l->at];
        if ((c == '+' || c == '-') && l->at > 0 && strchr("eEpP", l->text[l->at - 1])) {
            l->at++;
        } else if (is_letter(c) || is_digit(c) || c == '.') {
            l->at++;
        } else {
            return;
        }
    }
}

static size_t punct_length(const struct lexer *l)
{
    static const char *const three[] = { "<<=", ">>=", "..." };
    static const char two[] = "->++--<<>><=>===!=&&||+=-=*=/=%=&=|=^=##";
    const char *s = l->text + l->at;
    size_t left = l->len - l->at;
    for (size_t i = 0; left >= 3 && i < sizeof three / sizeof *three; i++) {
        if (memcmp(s, three[i], 3) == 0) {
            return 3;
        }
    }
    for (size_t i = 0; left >= 2 && i + 1 < sizeof two; i += 2) {
        if (s[0] == two[i] && s[1] == two[i + 1]) {
            return 2;
        }
    }
    return 1;
}

/* Length of an encoding prefix (L, u, U, u8) when a quote follows it; 0: an ordinary identifier. */
static size_t prefix_length(const struct lexer *l)
{
    size_t n = peek(l, 0) == 'u' && peek(l, 1) == '8' ? 2 : 1;
    bool prefix = n == 2 || strchr("LuU", peek(l, 0));
    char quote = peek(l, n);
    return prefix && (quote == '"' || quote == '\'') ? n : 0;
}

/* Past one token; its kind. */
static enum token_kind scan(struct lexer *l)
{
    char c = l->text[l->at];
    if (c == '#' && l->first) {
        skip_directive(l);
        return TOKEN_PP;
    }
    if (is_letter(c)) {
        size_t n = prefix_length(l);
        if (n == 0) {
            while (l->at < l->len && (is_letter(l->text[l->at]) || is_digit(l->text[l->at]))) {
                l->at++;
            }
            return TOKEN_IDENT;
        }
        l->at += n;
        c = l->text[l->at];
    }
    if (c == '"' || c == '\'') {
        skip_quoted(l, true);
        return c == '"' ? TOKEN_STRING : TOKEN_CHAR;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(l, 1)))) {
        skip_number(l);
        return TOKEN_NUMBER;
    }
    l->at += punct_length(l);
    return TOKEN_PUNCT;
}

static bool push(struct lexer *l, struct token token)
{
    if (l->out->count == l->cap) {
        size_t cap = l->cap * 2;
        struct token *grown = realloc(l->out->at, cap * sizeof *grown);
        if (!grown) {
            return false;
        }
        l->out->at = grown;
        l->cap = cap;
    }
    l->out->at[l->out->count++] = token;
    return true;
}

enum err_code lex(const char *text, size_t len, struct tokens *out, struct err *e)
{
    if (len > LEX_MAX_TEXT) {
        return err_set(e, ERR_LIMIT, "a text of %zu bytes is longer than %d", len, LEX_MAX_TEXT);
    }
    struct tokens made = { .text = text, .len = len, .open = LEX_CLOSED };
    struct lexer l = { .out = &made, .text = text, .len = len, .line = 1, .first = true, .cap = len / 6 + 16 };
    made.at = malloc(l.cap * sizeof *made.at);
    if (!made.at) {
        return err_memory(e);
    }
    for (skip_space(&l); l.at < len; skip_space(&l)) {
        struct token token = { .start = (uint32_t)l.at, .line = l.line, .first = l.first };
        token.kind = scan(&l);
        token.len = (uint32_t)(l.at - token.start);
        l.first = false;
        if (!push(&l, token)) {
            free(made.at);
            return err_memory(e);
        }
    }
    size_t end = len;
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r')) {
        end--;
    }
    if (end > 0 && text[end - 1] == '\\') {
        opened(&l, LEX_OPEN_LINE);
    }
    if (!push(&l, (struct token){ .kind = TOKEN_END, .start = (uint32_t)len, .line = l.line, .first = l.first })) {
        free(made.at);
        return err_memory(e);
    }
    made.count--; /* at[count] is the TOKEN_END */
    *out = made;
    return ERR_NONE;
}

void tokens_done(struct tokens *t)
{
    free(t->at);
    *t = (struct tokens){ .open = LEX_CLOSED };
}

bool token_is(const struct tokens *t, size_t i, const char *spelling)
{
    if (i >= t->count) {
        return false;
    }
    const char *s = t->text + t->at[i].start;
    size_t len = t->at[i].len;
    return s[0] == spelling[0] && strncmp(s, spelling, len) == 0 && spelling[len] == '\0'; /* mostly the first byte tells */
}

size_t token_match(const struct tokens *t, size_t i)
{
    size_t depth = 0;
    for (; i < t->count; i++) {
        if (t->at[i].kind != TOKEN_PUNCT || t->at[i].len != 1) {
            continue;
        }
        char c = t->text[t->at[i].start];
        if (c == '(' || c == '[' || c == '{') {
            depth++;
        } else if ((c == ')' || c == ']' || c == '}') && depth > 0 && --depth == 0) {
            return i;
        }
    }
    return t->count;
}

struct word {
    const char *spelling;
    enum word_kind means;
};

/* Sorted by bytes; the unit test checks that. */
static const struct word words[] = {
    { "_Alignas", WORD_ATTRIBUTE },
    { "_Alignof", WORD_OPERATOR },
    { "_Atomic", WORD_QUALIFIER },
    { "_Bool", WORD_TYPE },
    { "_Complex", WORD_TYPE },
    { "_Float128", WORD_TYPE },
    { "_Generic", WORD_OPERATOR },
    { "_Imaginary", WORD_TYPE },
    { "_Noreturn", WORD_INLINE },
    { "_Static_assert", WORD_ASSERT },
    { "_Thread_local", WORD_STORAGE },
    { "__alignof", WORD_OPERATOR },
    { "__alignof__", WORD_OPERATOR },
    { "__asm", WORD_ASM },
    { "__asm__", WORD_ASM },
    { "__attribute", WORD_ATTRIBUTE },
    { "__attribute__", WORD_ATTRIBUTE },
    { "__auto_type", WORD_TYPE },
    { "__builtin_va_list", WORD_TYPE },
    { "__complex__", WORD_TYPE },
    { "__const", WORD_CONST },
    { "__const__", WORD_CONST },
    { "__extension__", WORD_EXTENSION },
    { "__float128", WORD_TYPE },
    { "__inline", WORD_INLINE },
    { "__inline__", WORD_INLINE },
    { "__int128", WORD_TYPE },
    { "__int128_t", WORD_TYPE },
    { "__restrict", WORD_QUALIFIER },
    { "__restrict__", WORD_QUALIFIER },
    { "__signed", WORD_TYPE },
    { "__signed__", WORD_TYPE },
    { "__thread", WORD_STORAGE },
    { "__typeof", WORD_TYPEOF },
    { "__typeof__", WORD_TYPEOF },
    { "__uint128_t", WORD_TYPE },
    { "__volatile", WORD_VOLATILE },
    { "__volatile__", WORD_VOLATILE },
    { "asm", WORD_ASM },
    { "auto", WORD_STORAGE },
    { "break", WORD_STATEMENT },
    { "case", WORD_STATEMENT },
    { "char", WORD_TYPE },
    { "const", WORD_CONST },
    { "continue", WORD_STATEMENT },
    { "default", WORD_STATEMENT },
    { "do", WORD_STATEMENT },
    { "double", WORD_TYPE },
    { "else", WORD_STATEMENT },
    { "enum", WORD_ENUM },
    { "extern", WORD_EXTERN },
    { "float", WORD_TYPE },
    { "for", WORD_STATEMENT },
    { "goto", WORD_STATEMENT },
    { "if", WORD_STATEMENT },
    { "inline", WORD_INLINE },
    { "int", WORD_TYPE },
    { "long", WORD_TYPE },
    { "register", WORD_STORAGE },
    { "restrict", WORD_QUALIFIER },
    { "return", WORD_STATEMENT },
    { "short", WORD_TYPE },
    { "signed", WORD_TYPE },
    { "sizeof", WORD_OPERATOR },
    { "static", WORD_STATIC },
    { "struct", WORD_STRUCT },
    { "switch", WORD_STATEMENT },
    { "typedef", WORD_TYPEDEF },
    { "typeof", WORD_TYPEOF },
    { "union", WORD_UNION },
    { "unsigned", WORD_TYPE },
    { "void", WORD_TYPE },
    { "volatile", WORD_VOLATILE },
    { "while", WORD_STATEMENT },
};

static int compare_word(const char *s, size_t len, const char *word)
{
    int c = s[0] != word[0] ? s[0] - word[0] : strncmp(s, word, len);
    return c ? c : -(int)(word[len] != '\0');
}

enum word_kind lex_word(const char *s, size_t len)
{
    if (len < 2 || len > 17 || (s[0] != '_' && (s[0] < 'a' || s[0] > 'w'))) {
        return WORD_NAME;
    }
    size_t low = 0;
    size_t high = sizeof words / sizeof *words;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = compare_word(s, len, words[mid].spelling);
        if (c == 0) {
            return words[mid].means;
        }
        if (c < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return WORD_NAME;
}
