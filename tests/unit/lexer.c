/* The lexer: what a token is, where it is, and what the text leaves open. */
#include "runtime/lang/lexer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tokens of text as "kind:spelling" joined by blanks. */
static void spell(const char *text, char *out, size_t size)
{
    static const char kinds[] = { [TOKEN_IDENT] = 'i', [TOKEN_NUMBER] = 'n', [TOKEN_STRING] = 's', [TOKEN_CHAR] = 'c',
                                  [TOKEN_PUNCT] = 'p', [TOKEN_PP] = '#' };
    struct tokens t;
    size_t n = 0;
    out[0] = '\0';
    assert_int_equal(lex(text, strlen(text), &t, NULL), ERR_NONE);
    for (size_t i = 0; i < t.count && n < size; i++) {
        n += (size_t)snprintf(out + n, size - n, "%s%c:%.*s", i ? " " : "", kinds[t.at[i].kind], (int)t.at[i].len,
                              text + t.at[i].start);
    }
    assert_int_equal(t.at[t.count].kind, TOKEN_END);
    tokens_done(&t);
}

static void test_kinds(void **state)
{
    static const struct { const char *text, *tokens; } table[] = {
        { "", "" },
        { "int x = 3;", "i:int i:x p:= n:3 p:;" },
        { "a->b <<= c ... d##e", "i:a p:-> i:b p:<<= i:c p:... i:d p:## i:e" },
        { "x+++y", "i:x p:++ p:+ i:y" },
        { "1.5e-3f 0x1p+4 .5 1..2", "n:1.5e-3f n:0x1p+4 n:.5 n:1..2" },
        { "'a' '\\'' L'x'", "c:'a' c:'\\'' c:L'x'" },
        { "\"a\\\"b\" u8\"c\" L\"d\" u \"e\"", "s:\"a\\\"b\" s:u8\"c\" s:L\"d\" i:u s:\"e\"" },
        { "a /* b\n c */ d // e\nf", "i:a i:d i:f" },
        { "\"/* no */\" '/'", "s:\"/* no */\" c:'/'" },
        { "#define A 1\nx", "#:#define A 1 i:x" },
        { "  #  define A \\\n 2\nx", "#:#  define A \\\n 2 i:x" },
        { "#define S \"//\" // c\ny", "#:#define S \"//\" // c i:y" },
        { "#error don't\nz", "#:#error don't i:z" },
        { "a # b", "i:a p:# i:b" },
        { "h\xc3\xa9llo $x", "i:h\xc3\xa9llo i:$x" },
        { "a\\\nb", "i:a i:b" },
        { "?:;", "p:? p:: p:;" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char got[512];
        spell(table[i].text, got, sizeof got);
        assert_string_equal(got, table[i].tokens);
    }
}

static void test_lines_count_from_one_through_comments_and_continuations(void **state)
{
    const char *text = "a\n/* x\ny */ b \\\n c\n#if 1 \\\n 2\nd";
    struct tokens t;
    (void)state;
    assert_int_equal(lex(text, strlen(text), &t, NULL), ERR_NONE);
    assert_int_equal(t.count, 5);
    assert_int_equal(t.at[0].line, 1);
    assert_int_equal(t.at[1].line, 3);
    assert_int_equal(t.at[2].line, 4);
    assert_int_equal(t.at[3].line, 5);
    assert_int_equal(t.at[4].line, 7);
    assert_true(t.at[4].first);
    assert_false(t.at[2].first && t.at[2].line == 3);
    tokens_done(&t);
}

static void test_what_is_left_open(void **state)
{
    static const struct { const char *text; int open; } table[] = {
        { "x", LEX_CLOSED }, { "/* x", LEX_OPEN_COMMENT }, { "\"x", LEX_OPEN_STRING }, { "'x", LEX_OPEN_CHAR },
        { "x \\", LEX_OPEN_LINE }, { "#define A \\\n", LEX_OPEN_LINE }, { "// x", LEX_CLOSED }, { "\"x\ny\"", LEX_OPEN_STRING },
        { "\"a\\\nb\"", LEX_CLOSED },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct tokens t;
        assert_int_equal(lex(table[i].text, strlen(table[i].text), &t, NULL), ERR_NONE);
        assert_int_equal(t.open, table[i].open);
        tokens_done(&t);
    }
}

static void test_any_bytes_are_taken(void **state)
{
    char text[4096];
    unsigned seed = 7;
    (void)state;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = round % 2 ? (char)(seed >> 16) : "\"'/*\\\n#(){}a1. "[(seed >> 16) % 16];
        }
        struct tokens t;
        assert_int_equal(lex(text, sizeof text, &t, NULL), ERR_NONE);
        for (size_t i = 0; i < t.count; i++) {
            assert_true(t.at[i].len > 0 && t.at[i].start + t.at[i].len <= t.at[i + 1].start);
        }
        tokens_done(&t);
    }
}

static void test_a_text_too_long_is_refused(void **state)
{
    struct tokens t;
    struct err e;
    (void)state;
    assert_int_equal(lex("", (size_t)LEX_MAX_TEXT + 1, &t, &e), ERR_LIMIT);
    assert_non_null(strstr(e.msg, "is longer than"));
}

static void test_brackets_match_their_like(void **state)
{
    const char *text = "f(a[1], {b}) c";
    struct tokens t;
    (void)state;
    assert_int_equal(lex(text, strlen(text), &t, NULL), ERR_NONE);
    assert_true(token_is(&t, token_match(&t, 1) + 1, "c"));
    assert_true(token_is(&t, token_match(&t, 3), "]"));
    assert_int_equal(token_match(&t, t.count), t.count);
    assert_false(token_is(&t, t.count, "c"));
    assert_false(token_is(&t, 0, "fo"));
    tokens_done(&t);
}

static void test_each_word_of_c_is_found(void **state)
{
    static const struct { const char *word; enum word_kind kind; } table[] = {
        { "_Alignas", WORD_ATTRIBUTE }, { "while", WORD_STATEMENT }, { "int", WORD_TYPE }, { "struct", WORD_STRUCT },
        { "__typeof__", WORD_TYPEOF }, { "const", WORD_CONST }, { "inline", WORD_INLINE }, { "sizeof", WORD_OPERATOR },
        { "typedef", WORD_TYPEDEF }, { "integer", WORD_NAME }, { "in", WORD_NAME }, { "x", WORD_NAME },
        { "_Static_assert", WORD_ASSERT }, { "auto", WORD_STORAGE }, { "volatile", WORD_VOLATILE }, { "zero", WORD_NAME },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(lex_word(table[i].word, strlen(table[i].word)), table[i].kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_lines_count_from_one_through_comments_and_continuations),
        cmocka_unit_test(test_what_is_left_open),
        cmocka_unit_test(test_any_bytes_are_taken),
        cmocka_unit_test(test_a_text_too_long_is_refused),
        cmocka_unit_test(test_brackets_match_their_like),
        cmocka_unit_test(test_each_word_of_c_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
