/* C text as tokens. The only lexer of the project: is_complete, cell splitting, lowering and headers all use it.
 *
 * Comments and white space are skipped but their extent is known from `start` and `line`. A preprocessor line (with its
 * continuations) is one token. Never fails on odd text: an unterminated string, comment or char is reported in `open`. */
#ifndef WEIR_LANG_LEXER_H
#define WEIR_LANG_LEXER_H

#include "runtime/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_kind {
    TOKEN_END = 0,
    TOKEN_IDENT,      /* identifiers and keywords */
    TOKEN_NUMBER,     /* a pp-number */
    TOKEN_STRING,     /* with its prefix and quotes */
    TOKEN_CHAR,
    TOKEN_PUNCT,      /* longest match: "->", "<<=", "...", "##" */
    TOKEN_PP          /* a whole preprocessor line from # to its end (continuations in, newline out) */
};

struct token {
    enum token_kind kind;
    uint32_t start, len;    /* bytes in the text */
    uint32_t line;          /* from 1 */
    bool first;             /* first token of its line */
};

struct tokens {
    const char *text;       /* borrowed: must outlive this */
    size_t len;
    struct token *at;       /* owned; at[count] is a TOKEN_END */
    size_t count;
    enum { LEX_CLOSED, LEX_OPEN_COMMENT, LEX_OPEN_STRING, LEX_OPEN_CHAR, LEX_OPEN_LINE /* ends in a backslash */ } open;
};

enum { LEX_MAX_TEXT = 16 << 20 };

/* ERR_LIMIT, ERR_MEMORY only. Free with tokens_done. */
enum err_code lex(const char *text, size_t len, struct tokens *out, struct err *e);
void tokens_done(struct tokens *t);

/* Token i is exactly this spelling. False past the end. */
bool token_is(const struct tokens *t, size_t i, const char *spelling);

/* Index of the token that closes the (, [ or { at i; t->count if none does. */
size_t token_match(const struct tokens *t, size_t i);

/* What a word means at the beginning of a declaration or statement. */
enum word_kind {
    WORD_NAME = 0,             /* an ordinary identifier */
    WORD_TYPEDEF, WORD_EXTERN, WORD_STATIC, WORD_STORAGE /* auto, register, _Thread_local */, WORD_CONST, WORD_VOLATILE,
    WORD_QUALIFIER /* restrict, _Atomic */, WORD_INLINE, WORD_ATTRIBUTE /* skipped with its parentheses */, WORD_EXTENSION,
    WORD_TYPE /* int, unsigned, ... */, WORD_STRUCT, WORD_UNION, WORD_ENUM, WORD_TYPEOF, WORD_ASSERT, WORD_ASM,
    WORD_STATEMENT /* return, if, ... */, WORD_OPERATOR /* sizeof, _Alignof, _Generic */
};
enum word_kind lex_word(const char *s, size_t len);

#endif
