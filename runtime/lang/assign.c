/* See assign.h. From the name outwards: postfix operators, then prefix operators, then a pair of parentheses, again. */
#include "runtime/lang/assign.h"

static bool is(const struct tokens *t, uint32_t i, const char *spelling)
{
    return token_is(t, i, spelling);
}

static bool is_step_operator(const struct tokens *t, uint32_t i)
{
    return is(t, i, "++") || is(t, i, "--");
}

static bool is_assignment(const struct tokens *t, uint32_t i)
{
    static const char *const operators[] = { "=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "^=", "|=" };
    for (size_t k = 0; k < sizeof operators / sizeof operators[0]; k++) {
        if (is(t, i, operators[k])) {
            return true;
        }
    }
    return false;
}

/* Something that can be the left operand of a binary operator ends at token i. */
static bool ends_operand(const struct tokens *t, uint32_t i)
{
    if (t->at[i].kind == TOKEN_IDENT) {
        return lex_word(t->text + t->at[i].start, t->at[i].len) == WORD_NAME;
    }
    return t->at[i].kind == TOKEN_NUMBER || t->at[i].kind == TOKEN_STRING || t->at[i].kind == TOKEN_CHAR ||
           is(t, i, ")") || is(t, i, "]");
}

/* The ( at i only groups: it is no call, no cast's operand, no condition. */
static bool groups(const struct tokens *t, uint32_t i)
{
    if (i == 0) {
        return true;
    }
    if (t->at[i - 1].kind == TOKEN_IDENT) {
        return scan_is(t, i - 1, "return") || scan_is(t, i - 1, "else") || scan_is(t, i - 1, "do");
    }
    return !is(t, i - 1, "]");
}

bool assign_is_target(const struct tokens *t, const uint32_t *match, uint32_t begin, uint32_t after)
{
    uint32_t lo = begin, hi = after;
    for (;;) {
        while (is(t, hi, "[") || is(t, hi, ".") || is(t, hi, "->")) {
            hi = is(t, hi, "[") ? match[hi] + 1 : hi + 2;
        }
        if (is_assignment(t, hi) || is_step_operator(t, hi)) {
            return true;
        }
        if (lo == 0) {
            return false;
        }
        if (is_step_operator(t, lo - 1)) {
            return true; /* before a name it can only be the prefix */
        }
        if (is(t, lo - 1, "*") && (lo < 2 || !ends_operand(t, lo - 2))) {
            lo--;
        } else if (is(t, lo - 1, "(") && is(t, hi, ")") && groups(t, lo - 1)) {
            lo--;
            hi++;
        } else {
            return false;
        }
    }
}
