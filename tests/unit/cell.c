/* Plain cells lowered, against golden files.
 *
 *   tests/cells/golden/NAME.cells    cells and what they print and show; run by tcc, and again by cc: both must agree
 *   tests/cells/headers/NAME.cells   the same by tcc alone: cells that mean what headers at large would not let them
 *   tests/cells/lowered/NAME.cells   cells and the C that they become
 *
 * A file is a sequence of cells: the text, a line `====`, what is expected, a line `----`. WEIR_GOLDEN=write writes what
 * comes out into the files, to be read before it is kept. */
#include "runtime/lang/cell.h"

#include "runtime/base/buf.h"
#include "runtime/build/build.h"
#include "runtime/include/weir.h"
#include "runtime/type/show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_FILES = 64 };

/* What the cells call; they have no context to hand over. */
static struct buf *shown;
static jmp_buf ended;

struct run {
    struct index *ix;
    struct build_cells *cells;
    struct buf out;          /* what the cell gave */
    bool by_cc;
    int number;
    struct err e;
};

void weir_session_value(const struct weir_field *f, const void *data, const char *ctype)
{
    struct err e;
    struct buf text;
    (void)ctype;
    buf_init(&text, 0);
    if (show_value(&text, f, data, &show_defaults, &e)) {
        buf_printf(&text, "(%s)", e.msg);
    }
    buf_printf(shown, "=> %s\n", text.data);
    buf_done(&text);
}

static void cell_exit(int status)
{
    buf_printf(shown, "exit %d\n", status);
    longjmp(ended, 1);
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long size = ftell(f);
    rewind(f);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, f), size);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void open_run(struct run *r, bool by_cc)
{
    *r = (struct run){ .by_cc = by_cc };
    buf_init(&r->out, 0);
    if (index_new(&r->ix, &r->e) || build_cells_new(&r->cells, &r->e)) {
        fail_msg("%s", r->e.msg);
    }
    assert_int_equal(build_cells_host(r->cells, "weir_session_value", (void *)(uintptr_t)weir_session_value, &r->e), 0);
    assert_int_equal(build_cells_host(r->cells, "exit", (void *)(uintptr_t)cell_exit, &r->e), 0);
}

static void close_run(struct run *r)
{
    build_cells_free(r->cells);
    index_free(r->ix);
    buf_done(&r->out);
}

/* Run the entry with stdout in a memory file; what it printed goes before what it showed. */
static void run_entry(struct run *r, void *address)
{
    void (*entry)(void);
    struct buf values;
    char text[4096];
    memcpy(&entry, &address, sizeof entry);
    buf_init(&values, 0);
    shown = &values;
    (void)fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    int file = memfd_create("stdout", MFD_CLOEXEC);
    assert_true(saved >= 0 && file >= 0 && dup2(file, STDOUT_FILENO) >= 0);
    if (setjmp(ended) == 0) {
        entry();
    }
    (void)fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    ssize_t n = pread(file, text, sizeof text, 0);
    buf_add(&r->out, text, n > 0 ? (size_t)n : 0);
    buf_add(&r->out, values.data, values.len);
    buf_done(&values);
    (void)close(saved);
    (void)close(file);
}

static enum err_code link_cell(struct run *r, const struct cell_unit *u, void **entry)
{
    struct build_symbol defined[64];
    char label[32];
    assert_true(u->nnames <= 64);
    for (size_t i = 0; i < u->nnames; i++) {
        defined[i] = (struct build_symbol){ .name = u->names[i].name, .function = u->names[i].kind == DECL_FUNCTION,
                                            .keeps_storage = u->names[i].keeps_storage,
                                            .declared = u->names[i].declared };
    }
    (void)snprintf(label, sizeof label, "cell [%d]", r->number);
    return build_cells_add(r->cells, label, u->text, u->len, u->entry, u->needs_cc, defined, u->nnames, entry, &r->e);
}

static void run_cell(struct run *r, const char *text, size_t len)
{
    struct cell_unit u;
    struct cell cell = { .number = ++r->number, .text = text, .len = len };
    void *entry = NULL;
    buf_clear(&r->out);
    r->e = (struct err){ 0 };
    enum err_code code = (r->by_cc ? cell_lower_cc : cell_lower)(r->ix, &cell, &u, &r->e);
    code = code ? code : link_cell(r, &u, &entry);
    if (code) {
        buf_printf(&r->out, "%s: %s line %d: %.*s\n", err_name(code), r->e.cell, r->e.line, (int)strcspn(r->e.msg, "\n"), r->e.msg);
        index_rollback(r->ix);
    } else {
        index_commit(r->ix);
        for (size_t i = 0; i < u.nnotes; i++) {
            buf_printf(&r->out, "note: %s\n", u.notes[i]);
        }
        if (entry) {
            run_entry(r, entry);
        }
    }
    cell_unit_done(&u);
}

/* The C of a cell, without what depends on libc's version: numbers in our own symbols. */
static void lower_cell(struct run *r, const char *text, size_t len)
{
    struct cell_unit u;
    struct cell cell = { .number = ++r->number, .text = text, .len = len };
    buf_clear(&r->out);
    if (cell_lower(r->ix, &cell, &u, &r->e)) {
        fail_msg("cell [%d]: %s", r->number, r->e.msg);
    }
    static const char *const ours[] = { "weir_cell_", "weir_main_", "__old" };
    for (const char *c = u.text; *c;) {
        bool number = false;
        for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
            size_t n = strlen(ours[i]);
            number = number || ((size_t)(c - u.text) >= n && memcmp(c - n, ours[i], n) == 0);
        }
        if (number && isdigit((unsigned char)*c)) {
            buf_char(&r->out, 'N');
            c += strspn(c, "0123456789");
        } else {
            buf_char(&r->out, *c++);
        }
    }
    index_commit(r->ix);
    cell_unit_done(&u);
}

typedef void do_cell(struct run *r, const char *text, size_t len);

/* Each cell of a file against what is expected; the file as it should be, appended to written. */
static void check_file(const char *path, bool by_cc, do_cell *one, struct buf *written)
{
    struct run r;
    char *file = read_file(path);
    open_run(&r, by_cc);
    for (char *cell = file; *cell;) {
        char *middle = strstr(cell, "\n====\n");
        char *end = strstr(cell, "\n----\n");
        if (!middle || !end || middle > end) {
            fail_msg("%s: cell %d has no ==== or no ----", path, r.number + 1);
        }
        one(&r, cell, (size_t)(middle - cell));
        buf_printf(written, "%.*s\n====\n%s%s----\n", (int)(middle - cell), cell, r.out.data,
                   r.out.len && r.out.data[r.out.len - 1] != '\n' ? "\n" : "");
        const char *expected = middle + strlen("\n====");
        size_t len = (size_t)(end - expected);
        size_t got = r.out.len && r.out.data[r.out.len - 1] == '\n' ? r.out.len - 1 : r.out.len;
        len -= len != 0; /* its first newline */
        if (!getenv("WEIR_GOLDEN") && (len != got || memcmp(expected + 1, r.out.data, len) != 0)) {
            fail_msg("%s, cell %d%s\n%.*s\nexpected:\n%.*s\ngot:\n%s", path, r.number, by_cc ? " by cc" : "",
                     (int)(middle - cell), cell, (int)len, expected + 1, r.out.data);
        }
        cell = end + strlen("\n----\n");
    }
    close_run(&r);
    free(file);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_folder(const char *folder, bool by_cc, do_cell *one)
{
    char *paths[MAX_FILES];
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *d = readdir(dir); d; d = readdir(dir)) {
        size_t len = strlen(d->d_name);
        if (len > 6 && strcmp(d->d_name + len - 6, ".cells") == 0 && n < MAX_FILES) {
            assert_true(asprintf(&paths[n++], "%s/%s", folder, d->d_name) > 0);
        }
    }
    (void)closedir(dir);
    assert_true(n > 0);
    qsort(paths, n, sizeof *paths, by_name);
    for (size_t i = 0; i < n; i++) {
        struct buf written;
        buf_init(&written, 0);
        check_file(paths[i], by_cc, one, &written);
        if (getenv("WEIR_GOLDEN") && !by_cc) {
            FILE *f = fopen(paths[i], "w");
            assert_true(f && fwrite(written.data, 1, written.len, f) == written.len && fclose(f) == 0);
        }
        buf_done(&written);
        free(paths[i]);
    }
}

static void test_cells_by_tcc(void **state)
{
    (void)state;
    check_folder("tests/cells/golden", false, run_cell);
}

static void test_cells_with_headers_of_their_own(void **state)
{
    (void)state;
    check_folder("tests/cells/headers", false, run_cell);
}

static void test_cells_by_cc(void **state)
{
    (void)state;
    check_folder("tests/cells/golden", true, run_cell);
}

static void test_cells_as_c(void **state)
{
    (void)state;
    check_folder("tests/cells/lowered", false, lower_cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells_as_c),
        cmocka_unit_test(test_cells_by_tcc),
        cmocka_unit_test(test_cells_with_headers_of_their_own),
        cmocka_unit_test(test_cells_by_cc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
