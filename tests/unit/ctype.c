/* Declarations parsed and printed back, and where one begins. tcc is the oracle for the printed ones: what is printed is
 * declared again beside the original, which compiles only if the types are the same. */
#include "runtime/lang/ctype.h"

#include "runtime/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libtcc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_type(void *ctx, const char *name, size_t len)
{
    (void)ctx;
    return (len == 1 && name[0] == 'T') || (len == 6 && memcmp(name, "size_t", 6) == 0);
}

struct parsed {
    struct tokens t;
    struct arena a;
    struct cdeclaration d;
    struct err e;
    enum err_code code;
};

static void parse(struct parsed *p, const char *text)
{
    arena_init(&p->a);
    p->e.msg[0] = '\0';
    assert_int_equal(lex(text, strlen(text), &p->t, &p->e), ERR_NONE);
    p->code = ctype_parse(&p->t, 0, is_type, NULL, &p->a, &p->d, &p->e);
}

static void done(struct parsed *p)
{
    tokens_done(&p->t);
    arena_done(&p->a);
}

static void print_all(const struct cdeclaration *d, struct buf *out)
{
    for (size_t i = 0; i < d->ndeclarators; i++) {
        buf_str(out, i ? "; " : "");
        ctype_print(out, d->declarators[i].type, d->declarators[i].name);
    }
}

static const struct { const char *text, *printed; } declarations[] = {
    { "int x;", "int x" },
    { "unsigned long long int a, *b;", "unsigned long long a; unsigned long long *b" },
    { "long unsigned x;", "unsigned long x" },
    { "const char *const p;", "const char *const p" },
    { "char const *p;", "const char *p" },
    { "double (*rows)[2];", "double (*rows)[2]" },
    { "int (*f)(int, char *);", "int (*f)(int, char *)" },
    { "int *(*gp[4])(void);", "int *(*gp[4])(void)" },
    { "void (*signal2(int sig, void (*func)(int)))(int);", "void (*signal2(int sig, void (*func)(int)))(int)" },
    { "int m[2][3 + 1];", "int m[2][3 + 1]" },
    { "int open[];", "int open[]" },
    { "T t, *u;", "T t; T *u" },
    { "int g();", "int g()" },
    { "int h(void);", "int h(void)" },
    { "int v(const char *f, ...);", "int v(const char *f, ...)" },
    { "struct point *q;", "struct point *q" },
    { "struct { int a; struct { float b; } in; } s;", "struct { int a; struct { float b; } in; } s" },
    { "union { int i; double d; } u;", "union { int i; double d; } u" },
    { "enum color c;", "enum color c" },
    { "long double ld;", "long double ld" },
    { "_Bool b;", "_Bool b" },
    { "signed char sc; ", "signed char sc" },
    { "volatile int v;", "volatile int v" },
    { "int (x);", "int x" },
    { "int *restrict p;", "int *p" },
    { "static inline int f(int a) { return a; }", "int f(int a)" },
    { "int old(a, b) int a; char *b; { return a; }", "int old(int a, char *b)" },
    { "extern int f(const char *) __attribute__((nonnull)) __asm__(\"g\");", "int f(const char *)" },
    { "__extension__ typedef long long ll;", "long long ll" },
    { "typeof(1 + 2) t;", "typeof(1 + 2) t" },
};

static void test_declarators_print_as_c(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof declarations / sizeof *declarations; i++) {
        struct parsed p;
        struct buf out;
        buf_init(&out, 0);
        parse(&p, declarations[i].text);
        if (p.code) {
            fail_msg("%s: %s", declarations[i].text, p.e.msg);
        }
        print_all(&p.d, &out);
        assert_string_equal(out.data, declarations[i].printed);
        buf_done(&out);
        done(&p);
    }
}

static void ignore_message(void *opaque, const char *message)
{
    (void)snprintf(opaque, 256, "%s", message);
}

/* tcc refuses a name that is declared with two types. */
static void test_what_is_printed_is_the_same_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof declarations / sizeof *declarations; i++) {
        struct parsed p;
        struct buf out;
        char message[256] = "";
        buf_init(&out, 0);
        parse(&p, declarations[i].text);
        bool own_struct = p.d.base->has_body || p.d.is_definition || p.d.storage == CDECL_TYPEDEF;
        buf_printf(&out, "typedef int T; enum color { RED }; struct point { int x; };\n%s\n", declarations[i].text);
        if (!own_struct) {
            buf_str(&out, "extern ");
            print_all(&p.d, &out);
            buf_str(&out, ";\n");
        }
        bool several = p.d.ndeclarators > 1;
        TCCState *s = tcc_new();
        tcc_set_error_func(s, message, ignore_message);
        tcc_set_options(s, "-nostdlib");
        tcc_set_output_type(s, TCC_OUTPUT_MEMORY);
        if (!several && tcc_compile_string(s, out.data) != 0) {
            fail_msg("%s: %s", out.data, message);
        }
        tcc_delete(s);
        buf_done(&out);
        done(&p);
    }
}

static void test_storage_and_definitions(void **state)
{
    static const struct { const char *text; int storage; bool is_inline, is_definition; size_t n; } table[] = {
        { "static inline int f(void) { return 1; }", CDECL_STATIC, true, true, 1 },
        { "extern int x;", CDECL_EXTERN, false, false, 1 },
        { "typedef struct { int a; } t;", CDECL_TYPEDEF, false, false, 1 },
        { "struct p { int x; };", CDECL_PLAIN, false, false, 0 },
        { "main() { }", CDECL_PLAIN, false, true, 1 },
        { "_Noreturn void die(void);", CDECL_PLAIN, false, false, 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct parsed p;
        parse(&p, table[i].text);
        assert_int_equal(p.code, ERR_NONE);
        assert_int_equal(p.d.storage, table[i].storage);
        assert_int_equal(p.d.is_inline, table[i].is_inline);
        assert_int_equal(p.d.is_definition, table[i].is_definition);
        assert_int_equal(p.d.ndeclarators, table[i].n);
        assert_int_equal(p.d.end, p.t.count);
        done(&p);
    }
}

static void test_members_bits_and_enumerators(void **state)
{
    struct parsed p;
    (void)state;
    parse(&p, "struct s { unsigned a : 3, : 2; int b[2], *c; union { int x; float y; }; };");
    const struct ctype *s = p.d.base;
    assert_int_equal(p.code, ERR_NONE);
    assert_int_equal(s->nmembers, 5);
    assert_string_equal(s->members[0].bits, "3");
    assert_null(s->members[1].name);
    assert_string_equal(s->members[2].type->dim, "2");
    assert_null(s->members[4].name);
    assert_int_equal(s->members[4].type->nmembers, 2);
    done(&p);
    parse(&p, "enum e { A, B = 1 << 3, C, };");
    assert_int_equal(p.d.base->nmembers, 3);
    assert_string_equal(p.d.base->members[1].name, "B");
    assert_int_equal(p.d.base->members[1].init_end - p.d.base->members[1].init_first, 3);
    done(&p);
}

static void test_initialisers_are_token_ranges(void **state)
{
    struct parsed p;
    (void)state;
    parse(&p, "int a = f(1, 2), b[] = { 1, 2 }, c;");
    assert_int_equal(p.code, ERR_NONE);
    assert_true(token_is(&p.t, p.d.declarators[0].init_first, "f"));
    assert_true(token_is(&p.t, p.d.declarators[0].init_end, ","));
    assert_true(token_is(&p.t, p.d.declarators[1].init_end - 1, "}"));
    assert_int_equal(p.d.declarators[2].init_first, p.d.declarators[2].init_end);
    done(&p);
}

static void test_errors_name_what_is_missing_and_the_line(void **state)
{
    static const struct { const char *text; int line; const char *message; } table[] = {
        { "int x", 1, "'=', ',' or ';' expected before the end" },
        { "int\n3;", 2, "a name expected before '3'" },
        { "struct { int a }\n3;", 2, "a name expected before '3'" },
        { "struct;", 1, "a tag or '{' expected before ';'" },
        { "enum { 1 };", 1, "an enumerator's name expected before '1'" },
        { "int f(int,;", 1, "a parameter expected before ';'" },
        { "int a[3;", 1, "a closing bracket expected before the end" },
        { "int x = ;", 1, "an initialiser expected before ';'" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct parsed p;
        parse(&p, table[i].text);
        assert_int_equal(p.code, ERR_SYNTAX);
        assert_string_equal(p.e.msg, table[i].message);
        assert_int_equal(p.e.line, table[i].line);
        done(&p);
    }
}

static void test_nesting_has_a_limit(void **state)
{
    struct buf text;
    struct parsed p;
    (void)state;
    buf_init(&text, 0);
    for (int i = 0; i < 5000; i++) {
        buf_str(&text, "struct { ");
    }
    parse(&p, text.data);
    assert_int_equal(p.code, ERR_SYNTAX);
    assert_non_null(strstr(p.e.msg, "less deep nesting"));
    done(&p);
    buf_clear(&text);
    buf_str(&text, "int ");
    for (int i = 0; i < 5000; i++) {
        buf_str(&text, "(*");
    }
    parse(&p, text.data);
    assert_int_equal(p.code, ERR_SYNTAX);
    done(&p);
    buf_done(&text);
}

static void test_where_a_declaration_begins(void **state)
{
    static const struct { const char *text; bool begins; } table[] = {
        { "int x;", true }, { "T x;", true }, { "T * x;", true }, { "T (*f)(int);", true }, { "T(3);", false },
        { "T = 3;", false }, { "T.x", false }, { "x = 3;", false }, { "x * y;", false }, { "REAL x = 3;", true },
        { "REAL *p = q;", true }, { "f(x);", false }, { "return x;", false }, { "struct p q;", true }, { "const int x;", true },
        { "main() { }", true }, { "each(x) { }", false }, { "old(a) int a; { }", true }, { "goto end;", false },
        { "__extension__ ({ 1; });", false }, { "_Static_assert(1, \"\");", true }, { "sizeof(int)", false },
        { "label: x;", false }, { "T : x", false }, { "(int)x;", false }, { "__attribute__((fallthrough));", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct tokens t;
        assert_int_equal(lex(table[i].text, strlen(table[i].text), &t, NULL), ERR_NONE);
        if (ctype_begins(&t, 0, is_type, NULL) != table[i].begins) {
            fail_msg("%s", table[i].text);
        }
        tokens_done(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declarators_print_as_c),
        cmocka_unit_test(test_what_is_printed_is_the_same_type),
        cmocka_unit_test(test_storage_and_definitions),
        cmocka_unit_test(test_members_bits_and_enumerators),
        cmocka_unit_test(test_initialisers_are_token_ranges),
        cmocka_unit_test(test_errors_name_what_is_missing_and_the_line),
        cmocka_unit_test(test_nesting_has_a_limit),
        cmocka_unit_test(test_where_a_declaration_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
