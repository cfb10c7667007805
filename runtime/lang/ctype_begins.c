/* Whether a declaration or a statement begins here (ctype_begins in ctype.h): the one question of C's grammar that needs to
 * know names. What no typedef explains is judged by what follows, since a macro may stand for a type. */
#include "runtime/lang/ctype_words.h"

#include <string.h>

/* After a name that is no known type at i: `REAL x = 3;`, where a macro stands for the type, or K&R's `main() {`. */
static bool begins_unknown(const struct tokens *t, size_t i)
{
    if (ident_at(t, i + 1) && word_at(t, i + 1) == WORD_NAME) {
        return token_is(t, i + 2, "=") || token_is(t, i + 2, ";") || token_is(t, i + 2, ",") || token_is(t, i + 2, "[") ||
               token_is(t, i + 2, "(");
    }
    if (token_is(t, i + 1, "*") && ident_at(t, i + 2)) {
        return token_is(t, i + 3, "=") || token_is(t, i + 3, ",");
    }
    if (!token_is(t, i + 1, "(")) {
        return false;
    }
    size_t close = token_match(t, i + 1);
    if (token_is(t, close + 1, "{")) {
        bool renamed = t->at[i].len > 10 && memcmp(t->text + t->at[i].start, "weir_main_", 10) == 0;
        return renamed || token_is(t, i, "main"); /* any other one may be a macro that loops */
    }
    enum word_kind w = word_at(t, close + 1);
    return close + 1 < t->count && is_specifier(w) && w != WORD_EXTENSION && w != WORD_TYPEDEF && w != WORD_STATIC &&
           w != WORD_EXTERN && t->at[close + 1].line == t->at[close].line;
}

/* After a typedef's name at i. */
static bool begins_named(const struct tokens *t, size_t i)
{
    if (token_is(t, i + 1, "(")) { /* T (*f)(int), T (x) */
        return token_is(t, i + 2, "*") || (ident_at(t, i + 2) && token_is(t, i + 3, ")"));
    }
    return ident_at(t, i + 1) || token_is(t, i + 1, "*");
}

bool ctype_begins(const struct tokens *t, size_t i, ctype_is_typedef *is_typedef, void *ctx)
{
    if (!ident_at(t, i)) {
        return false;
    }
    enum word_kind w = word_at(t, i);
    if (w == WORD_EXTENSION) {
        return ctype_begins(t, i + 1, is_typedef, ctx);
    }
    if (w == WORD_ATTRIBUTE) {
        size_t close = token_match(t, i + 1);
        return !token_is(t, close + 1, ";");
    }
    if (is_specifier(w) || w == WORD_ASSERT) {
        return true;
    }
    if (w != WORD_NAME) {
        return false;
    }
    const char *name = t->text + t->at[i].start;
    if (is_typedef && is_typedef(ctx, name, t->at[i].len)) {
        return begins_named(t, i);
    }
    return begins_unknown(t, i);
}
