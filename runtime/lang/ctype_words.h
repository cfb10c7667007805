/* Tokens as words of a declaration. Inside the parser of declarations (ctype.c, ctype_begins.c) only. */
#ifndef WEIR_LANG_CTYPE_WORDS_H
#define WEIR_LANG_CTYPE_WORDS_H

#include "runtime/lang/ctype.h"

static inline enum word_kind word_at(const struct tokens *t, size_t i)
{
    return i < t->count && t->at[i].kind == TOKEN_IDENT ? lex_word(t->text + t->at[i].start, t->at[i].len) : WORD_NAME;
}

static inline bool ident_at(const struct tokens *t, size_t i)
{
    return i < t->count && t->at[i].kind == TOKEN_IDENT;
}

/* A word that can only stand among specifiers. */
static inline bool is_specifier(enum word_kind w)
{
    return w >= WORD_TYPEDEF && w <= WORD_TYPEOF;
}

#endif
