/* Reading saved notebooks. */
#include "runtime/lang/notebook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct notebook parse(const char *json)
{
    struct notebook nb;
    struct err e = { .code = ERR_NONE };
    if (notebook_parse("x.ipynb", json, strlen(json), &nb, &e)) {
        fail_msg("%s", e.msg);
    }
    return nb;
}

static void assert_refused(const char *json, enum err_code code, const char *message)
{
    struct notebook nb;
    struct err e = { .code = ERR_NONE };
    assert_int_equal(notebook_parse("x.ipynb", json, strlen(json), &nb, &e), code);
    assert_string_equal(e.msg, message);
    notebook_done(&nb);
}

static void code_cells_are_read_in_order(void **state)
{
    (void)state;
    struct notebook nb =
        parse("{\"nbformat\": 4, \"cells\": ["
              "{\"cell_type\": \"markdown\", \"id\": \"m\", \"source\": \"# title\"},"
              "{\"cell_type\": \"code\", \"id\": \"a\", \"source\": [\"int x;\\n\", \"x = 1;\"], \"outputs\": []},"
              "{\"cell_type\": \"code\", \"id\": \"blank\", \"source\": \" \\n\"},"
              "{\"cell_type\": \"code\", \"id\": \"b\", \"source\": \"%%step start\"}]}");
    assert_int_equal(nb.ncells, 2);
    assert_string_equal(nb.cells[0].text, "int x;\nx = 1;");
    assert_int_equal(nb.cells[0].len, strlen(nb.cells[0].text));
    assert_string_equal(nb.cells[0].id, "a");
    assert_int_equal(nb.cells[0].number, 1);
    assert_string_equal(nb.cells[1].text, "%%step start");
    assert_int_equal(nb.cells[1].number, 2);
    notebook_done(&nb);
}

static void missing_and_repeated_ids_are_made_up(void **state)
{
    (void)state;
    struct notebook nb = parse("{\"nbformat\": 4, \"cells\": ["
                               "{\"cell_type\": \"code\", \"source\": \"1\"},"
                               "{\"cell_type\": \"code\", \"id\": \"a\", \"source\": \"2\"},"
                               "{\"cell_type\": \"code\", \"id\": \"a\", \"source\": \"3\"}]}");
    assert_string_equal(nb.cells[0].id, "position-1");
    assert_string_equal(nb.cells[1].id, "a");
    assert_string_equal(nb.cells[2].id, "position-3");
    notebook_done(&nb);
}

static void empty_notebook_has_no_cells(void **state)
{
    (void)state;
    struct notebook nb = parse("{\"nbformat\": 4, \"cells\": []}");
    assert_int_equal(nb.ncells, 0);
    notebook_done(&nb);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    assert_refused("int main(void) {}", ERR_FORMAT,
                   "x.ipynb is not a notebook: line 1: '[' or '{' expected near 'int'");
    assert_refused(
        "[]", ERR_FORMAT,
        "x.ipynb is not a notebook of format 4 (nbformat 0, no list of cells); save it with a current Jupyter");
    assert_refused("{\"nbformat\": 3, \"cells\": []}", ERR_FORMAT,
                   "x.ipynb is not a notebook of format 4 (nbformat 3); save it with a current Jupyter");
}

static void broken_cells_are_named(void **state)
{
    (void)state;
    assert_refused("{\"nbformat\": 4, \"cells\": [{}]}", ERR_FORMAT, "x.ipynb: cell 1 has no cell_type");
    assert_refused("{\"nbformat\": 4, \"cells\": [3]}", ERR_FORMAT, "x.ipynb: cell 1 has no cell_type");
    assert_refused("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\"}]}", ERR_FORMAT,
                   "x.ipynb: cell 1 has no source");
    assert_refused("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": [1]}]}", ERR_FORMAT,
                   "x.ipynb: cell 1: its source holds something that is no text");
}

static void deep_and_torn_json_is_refused(void **state)
{
    (void)state;
    char *deep = malloc(100001);
    struct notebook nb;
    struct err e = { .code = ERR_NONE };
    assert_non_null(deep);
    memset(deep, '[', 100000);
    deep[100000] = '\0';
    assert_int_equal(notebook_parse("x.ipynb", deep, 100000, &nb, &e), ERR_FORMAT);
    notebook_done(&nb);
    free(deep);
    assert_int_equal(notebook_parse("x.ipynb", "{\"nbformat\": 4, \"cel", 20, &nb, &e), ERR_FORMAT);
    notebook_done(&nb);
}

static void too_many_cells_are_refused(void **state)
{
    (void)state;
    struct buf b;
    struct notebook nb;
    struct err e = { .code = ERR_NONE };
    buf_init(&b, 0);
    buf_str(&b, "{\"nbformat\": 4, \"cells\": [0");
    for (int i = 0; i < NOTEBOOK_MAX_CELLS; i++) {
        buf_str(&b, ",0");
    }
    buf_str(&b, "]}");
    assert_int_equal(notebook_parse("x.ipynb", b.data, b.len, &nb, &e), ERR_LIMIT);
    assert_string_equal(e.msg, "x.ipynb has 20001 cells, more than 20000");
    notebook_done(&nb);
    buf_done(&b);
}

static void files_are_read(void **state)
{
    (void)state;
    char path[] = "/tmp/weir-notebook-XXXXXX";
    static const char json[] = "{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": \"1;\"}]}";
    int fd = mkstemp(path);
    struct notebook nb;
    struct err e = { .code = ERR_NONE };
    assert_true(fd >= 0);
    assert_int_equal(write(fd, json, sizeof json - 1), sizeof json - 1);
    (void)close(fd);
    assert_int_equal(notebook_read(path, &nb, &e), ERR_NONE);
    assert_int_equal(nb.ncells, 1);
    notebook_done(&nb);
    (void)unlink(path);
    assert_int_equal(notebook_read(path, &nb, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "No such file"));
    notebook_done(&nb);
    assert_int_equal(notebook_read("/tmp", &nb, &e), ERR_FORMAT);
    assert_string_equal(e.msg, "/tmp is not a file");
    notebook_done(&nb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_cells_are_read_in_order),
        cmocka_unit_test(missing_and_repeated_ids_are_made_up),
        cmocka_unit_test(empty_notebook_has_no_cells),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(broken_cells_are_named),
        cmocka_unit_test(deep_and_torn_json_is_refused),
        cmocka_unit_test(too_many_cells_are_refused),
        cmocka_unit_test(files_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
