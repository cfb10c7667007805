/* Layout tables: written for a type, compiled by tcc and by gcc, and compared with what gcc says of the same type. */
#include "runtime/lang/describe.h"

#include "runtime/base/buf.h"
#include "runtime/lang/index_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char types[] =
    "enum color { RED, GREEN = 5, BLUE = -1 };\n"
    "typedef struct { char c; double d; int n[2][3]; enum color e; char name[7]; } inner;\n"
    "struct outer { char tag; inner in; inner many[2]; long double ld; char *text; void *p; _Bool b; unsigned short us;\n"
    "    union { int i; float f; } u; struct { int x; char y; }; unsigned bits : 3; signed char sc; size_t size; };\n"
    "typedef struct outer outer_t;\n";

static void add_types(struct index *ix, struct arena *a)
{
    struct tokens t;
    struct items items;
    struct err e;
    struct cell cell = { .number = 1, .text = types, .len = strlen(types) };
    assert_int_equal(lex(types, strlen(types), &t, &e), ERR_NONE);
    assert_int_equal(items_split(&t, index_is_typedef, ix, a, &items, &e), ERR_NONE);
    assert_int_equal(index_stage(ix, &cell, &t, &items, &e), ERR_NONE);
    index_commit(ix);
    tokens_done(&t);
}

/* What the table of name says, run by a compiler; one line a member. */
static void table_of(const char *program, const char *compile, char *out, size_t size)
{
    char dir[] = "/tmp/weir-describe-XXXXXX";
    char path[64];
    char command[512];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/t.c", dir);
    FILE *f = fopen(path, "w");
    assert_true(f && fputs(program, f) >= 0 && fclose(f) == 0);
    (void)snprintf(command, sizeof command, "%s -Iruntime/include -o %s/t %s && %s/t; s=$?; rm -r %s; exit $s", compile, dir, path,
                   dir, dir);
    f = popen(command, "r"); /* the test's own fixed text */
    assert_non_null(f);
    size_t n = fread(out, 1, size - 1, f);
    out[n] = '\0';
    assert_int_equal(pclose(f), 0);
}

static const char printer[] =
    "#include <stdio.h>\n"
    "static void put(const struct weir_field *f, int depth)\n"
    "{\n"
    "    printf(\"%*s%s %zu %zu %d %u\", depth, \"\", f->name, f->offset, f->size, f->kind, f->ndim);\n"
    "    for (unsigned i = 0; i < f->ndim; i++) printf(\" [%zu]\", f->dim[i]);\n"
    "    printf(\"\\n\");\n"
    "    for (size_t i = 0; f->type && i < f->type->nmembers; i++) put(&f->type->members[i], depth + 1);\n"
    "    for (size_t i = 0; f->type && i < f->type->nenumerators; i++)\n"
    "        printf(\"%*s%s=%lld\\n\", depth, \"\", f->type->enumerators[i].name, f->type->enumerators[i].value);\n"
    "}\n"
    "int main(void) { put(&weir_f, 0); return 0; }\n";

static void program_of(const char *name, struct buf *out)
{
    struct index *ix;
    struct arena a;
    struct err e;
    struct describe d;
    struct buf tables;
    struct buf field;
    arena_init(&a);
    buf_init(&tables, 0);
    buf_init(&field, 0);
    assert_int_equal(index_new(&ix, &e), ERR_NONE);
    add_types(ix, &a);
    describe_init(&d, ix, &a);
    const struct ctype *type = index_find(ix, name, strlen(name))->type;
    if (describe_field(&d, type, "it", 0, &tables, &field, &e)) {
        fail_msg("%s", e.msg);
    }
    buf_printf(out, "#include \"weir.h\"\n%s%sstatic const struct weir_field weir_f = %s;\n%s", types, tables.data, field.data,
               printer);
    buf_done(&tables);
    buf_done(&field);
    index_free(ix);
    arena_done(&a);
}

static void test_both_compilers_give_the_same_table(void **state)
{
    struct buf program;
    char tcc[8192];
    char gcc[8192];
    (void)state;
    buf_init(&program, 0);
    program_of("outer_t", &program);
    table_of(program.data, "tcc", tcc, sizeof tcc);
    table_of(program.data, "gcc -w", gcc, sizeof gcc);
    assert_string_equal(tcc, gcc);
    buf_done(&program);
}

/* Offsets, sizes, kinds and dims, as gcc's own offsetof and sizeof have them in this file. */
static void test_the_table_is_right(void **state)
{
    enum color { RED, GREEN = 5, BLUE = -1 };
    typedef struct { char c; double d; int n[2][3]; enum color e; char name[7]; } inner;
    struct outer {
        char tag; inner in; inner many[2]; long double ld; char *text; void *p; _Bool b; unsigned short us;
        union { int i; float f; } u; struct { int x; char y; }; unsigned bits : 3; signed char sc; size_t size;
    };
    struct buf program;
    char got[8192];
    char line[128];
    const struct { const char *name; size_t offset, size; int kind; const char *rest; } wanted[] = {
        { "tag", 0, 1, 5, "0" }, { "in", offsetof(struct outer, in), sizeof(inner), 7, "0" },
        { "n", offsetof(inner, n), 4, 1, "2 [2] [3]" }, { "many", offsetof(struct outer, many), sizeof(inner), 7, "1 [2]" },
        { "ld", offsetof(struct outer, ld), 16, 3, "0" }, { "text", offsetof(struct outer, text), 8, 10, "0" },
        { "p", offsetof(struct outer, p), 8, 9, "0" }, { "b", offsetof(struct outer, b), 1, 4, "0" },
        { "us", offsetof(struct outer, us), 2, 2, "0" }, { "u", offsetof(struct outer, u), 4, 8, "0" },
        { "x", offsetof(struct outer, x), 4, 1, "0" }, { "y", offsetof(struct outer, y), 1, 5, "0" },
        { "sc", offsetof(struct outer, sc), 1, 1, "0" }, { "size", offsetof(struct outer, size), 8, 2, "0" },
        { "name", offsetof(inner, name), 1, 5, "1 [7]" }, { "e", offsetof(inner, e), 4, 6, "0" },
    };
    (void)state;
    buf_init(&program, 0);
    program_of("struct outer", &program);
    table_of(program.data, "tcc", got, sizeof got);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        (void)snprintf(line, sizeof line, " %s %zu %zu %d %s\n", wanted[i].name, wanted[i].offset, wanted[i].size, wanted[i].kind,
                       wanted[i].rest);
        if (!strstr(got, line)) {
            fail_msg("missing:%s in\n%s", line, got);
        }
    }
    (void)snprintf(line, sizeof line, "it 0 %zu 7 0\n", sizeof(struct outer));
    assert_int_equal(strncmp(got, line, strlen(line)), 0);
    assert_non_null(strstr(got, "BLUE=-1"));
    buf_done(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_compilers_give_the_same_table),
        cmocka_unit_test(test_the_table_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
