"""What the value of a last expression looks like: one golden per kind of value."""

import re

import pytest

GOLDENS = [
    # code, text/plain
    ("42", "42"),
    ("-1L", "-1"),
    ("18446744073709551615ull", "18446744073709551615"),
    ("0.1", "0.1"),
    ("2.0", "2.0"),
    ("0.1f", "0.1"),
    ("1e300 * 1e10", "inf"),
    ("(char)'x'", "'x'"),
    ("(_Bool)1", "true"),
    ('"hi \\"you\\"\\n"', '"hi \\"you\\"\\n"'),
    ("(void *)0", "NULL"),
    ("char *none = NULL;\nnone", "NULL"),
    ("enum color { RED, GREEN = 5 };\nenum color c = GREEN;\nc", "GREEN"),
    ("enum shade { DARK = 1 };\nenum shade s = (enum shade)7;\ns", "(enum shade) 7"),
    ("size_t n = 7;\nn", "7"),
    ("time_t t = 1700000000;\nt", "1700000000"),
    ("struct timespec ts = {3, 4};\nts", "{.tv_sec = 3, .tv_nsec = 4}"),
    ("int a[3] = {1, 2, 3};\na", "{1, 2, 3}"),
    ('char word[8] = "cat";\nword', '"cat"'),
    ("char raw[3] = {'a', 'b', 'c'};\nraw", '"abc"'),
    ("typedef struct { double rate, loss; } result;\nresult r = {0.1, 2};\nr", "{.rate = 0.1, .loss = 2.0}"),
    (
        "struct inner { int x; double y; };\nstruct outer { struct inner in; char name[8]; int v[2]; };\n"
        'struct outer o = {{1, 0.5}, "bob", {7, 8}};\no',
        '{.in = {.x = 1, .y = 0.5}, .name = "bob", .v = {7, 8}}',
    ),
]


@pytest.mark.parametrize("code, shown", GOLDENS, ids=[shown for _, shown in GOLDENS])
def test_golden(run_cell, code, shown):
    ran = run_cell(code)
    assert ran.reply["status"] == "ok", ran.messages
    assert ran.result == shown


def test_a_pointer_is_its_type_and_address(run_cell):
    assert re.fullmatch(r"\(double \*\) 0x[0-9a-f]+", run_cell("double d = 1;\n&d").result)


def test_a_two_dimensional_array_is_cut_after_ten_rows(run_cell):
    ran = run_cell("double m[100][2];\nfor (int i = 0; i < 100; i++) { m[i][0] = i; m[i][1] = i / 4.0; }\nm")
    lines = ran.result.splitlines()
    assert "{0.0, 0.0}" in lines[0]
    assert "{9.0, 2.25}" in lines[9]
    assert "... 90 more rows" in lines[10]
    assert "10.0" not in ran.result


def test_an_array_of_structs_is_also_a_table(run_cell):
    ran = run_cell('struct row { int id; char name[8]; };\nstruct row rows[2] = {{1, "<b>"}, {2, "x"}};\nrows')
    data = ran.of("execute_result")[0]["data"]
    assert "<table" in data["text/html"] and "&lt;b&gt;" in data["text/html"] and "<b>" not in data["text/html"]
    assert '{.id = 1, .name = "<b>"}' in data["text/plain"]


def test_no_value_behind_a_semicolon(run_cell):
    assert run_cell("1 + 1;").result is None


def test_a_value_comes_after_what_was_printed(run_cell):
    ran = run_cell('printf("no newline");\nint x = 5;\nx')
    assert ran.types() == ["execute_input", "stream", "execute_result"]
    assert ran.stream() == "no newline"
    assert ran.result == "5"
