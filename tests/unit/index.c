/* The index of declarations: libc's names, cells entering and leaving it, what a text reaches. tcc is the oracle for
 * everything that comes out of it. */
#include "runtime/lang/index.h"

#include "runtime/base/buf.h"
#include "runtime/lang/cell.h"
#include "runtime/lang/index_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libtcc.h>

struct fixture {
    struct index *ix;
    struct err e;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    return f && index_new(&f->ix, &f->e) == ERR_NONE ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    index_free(f->ix);
    free(f);
    return 0;
}

static enum err_code stage(struct fixture *f, const char *id, int number, const char *text)
{
    struct tokens t;
    struct items items;
    struct arena a;
    struct cell cell = { .id = id, .number = number, .text = text, .len = strlen(text) };
    arena_init(&a);
    enum err_code code = lex(text, strlen(text), &t, &f->e);
    assert_int_equal(code, ERR_NONE);
    code = index_includes(f->ix, &t, &f->e);
    code = code ? code : items_split(&t, index_is_typedef, f->ix, &a, &items, &f->e);
    code = code ? code : index_stage(f->ix, &cell, &t, &items, &f->e);
    tokens_done(&t);
    arena_done(&a);
    return code;
}

static void add(struct fixture *f, const char *id, int number, const char *text)
{
    if (stage(f, id, number, text)) {
        fail_msg("%s line %d: %s", f->e.cell, f->e.line, f->e.msg);
    }
    index_commit(f->ix);
}

static const struct decl *find(const struct fixture *f, const char *name)
{
    return index_find(f->ix, name, strlen(name));
}

/* The closure's sources as one text, a piece a line ('|'), user's only. */
static void reach(struct fixture *f, const char *text, char *out, size_t size)
{
    struct tokens t;
    struct arena a;
    struct closure c;
    size_t n = 0;
    arena_init(&a);
    assert_int_equal(lex(text, strlen(text), &t, &f->e), ERR_NONE);
    assert_int_equal(index_closure(f->ix, &t, NULL, &a, &c, &f->e), ERR_NONE);
    out[0] = '\0';
    for (size_t i = 0; i < c.nsources + c.nmacros; i++) {
        const struct source *s = i < c.nsources ? c.sources[i] : c.macros[i - c.nsources];
        if (!s->header && n < size) {
            n += (size_t)snprintf(out + n, size - n, "%s%.*s", n ? "|" : "", (int)s->len, s->text);
        }
    }
    tokens_done(&t);
    arena_done(&a);
}

/* ---- libc ---- */

static void test_libc_functions_name_their_public_header(void **state)
{
    static const struct { const char *name, *header; } known[] = {
        { "printf", "<stdio.h>" }, { "sqrt", "<math.h>" }, { "chroot", "<unistd.h>" }, { "uint32_t", "<stdint.h>" },
        { "size_t", "<stddef.h>" }, { "struct stat", "<sys/stat.h>" }, { "qsort", "<stdlib.h>" }, { "memcpy", "<string.h>" },
        { "clock_gettime", "<time.h>" }, { "pthread_create", "<pthread.h>" }, { "strtoimax", "<inttypes.h>" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct decl *d = find(*state, known[i].name);
        assert_non_null(d);
        assert_string_equal(d->source->header, known[i].header);
    }
}

static void test_libc_types_resolve(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(index_resolve(f->ix, find(f, "size_t")->type)->spelling, "unsigned long");
    assert_int_equal(index_resolve(f->ix, find(f, "stderr")->type)->kind, CTYPE_POINTER);
    const struct ctype *ts = index_resolve(f->ix, find(f, "struct timespec")->type);
    assert_int_equal(ts->nmembers, 2);
    assert_string_equal(ts->members[0].name, "tv_sec");
    assert_true(index_is_typedef(f->ix, "FILE", 4));
    assert_true(index_is_typedef(f->ix, "bool", 4));
    assert_false(index_is_typedef(f->ix, "printf", 6));
}

static void ignore_message(void *opaque, const char *message)
{
    (void)snprintf(opaque, 512, "%s", message);
}

static bool compiles(const char *text, char *message)
{
    TCCState *s = tcc_new();
    tcc_set_error_func(s, message, ignore_message);
    tcc_set_options(s, "-nostdlib");
    tcc_set_output_type(s, TCC_OUTPUT_MEMORY);
    bool ok = tcc_compile_string(s, text) == 0;
    tcc_delete(s);
    return ok;
}

/* A cell that reaches the name and nothing else. */
static bool reaches_alone(struct fixture *f, const struct entry *entry, char *message)
{
    char text[512];
    struct cell_unit u;
    const struct node *node = entry_live(entry, SPACE_ORDINARY);
    bool function = node && node->decl.kind == DECL_FUNCTION && !entry_macro(entry);
    bool type = node && node->decl.kind == DECL_TYPEDEF;
    const char *use = function ? "(void)" : type ? "(void)(" : "";
    (void)snprintf(text, sizeof text, "static inline void f(void) {\n#ifdef %s\n#endif\n%s%s%s; }", entry->name, use,
                   function || type ? entry->name : "", type ? " *)0" : "");
    struct cell cell = { .number = 1, .text = text, .len = strlen(text) };
    enum err_code code = cell_lower(f->ix, &cell, &u, &f->e);
    (void)snprintf(message, 512, "%s", code ? f->e.msg : "");
    bool ok = !code && compiles(u.text, message);
    index_rollback(f->ix);
    cell_unit_done(&u);
    return ok;
}

static void test_each_name_of_libc_compiles_alone(void **state)
{
    struct fixture *f = *state;
    char message[512];
    size_t tried = 0;
    for (size_t b = 0; b < f->ix->nbuckets; b++) {
        for (const struct entry *entry = f->ix->buckets[b]; entry; entry = entry->next) {
            if (!entry->newest[SPACE_ORDINARY] && !entry->newest[SPACE_MACRO]) {
                continue;
            }
            tried++;
            if (!reaches_alone(f, entry, message)) {
                fail_msg("'%s': %s", entry->name, message);
            }
        }
    }
    assert_true(tried > 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_libc_functions_name_their_public_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_libc_types_resolve, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_name_of_libc_compiles_alone, set_up, tear_down),
    };
    (void)add, (void)reach;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
