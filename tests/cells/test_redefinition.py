"""Running changed cells again: who reaches the new definition, who still uses the old one, and %rerun."""

import itertools

import pytest

TCC = ""
CC = "typedef __int128 only_cc_takes_this;\n"
COMPILERS = {"tcc": TCC, "cc": CC}
PAIRS = list(itertools.product(COMPILERS, repeat=2))


def ok(ran):
    assert ran.reply["status"] == "ok", ran.messages
    return ran


@pytest.mark.parametrize("old, new", PAIRS, ids=["-".join(p) for p in PAIRS])
def test_the_newest_function_serves_callers_and_pointers_taken_before(run_cell, old, new):
    ok(run_cell(
        COMPILERS[old]
        + "int f(int n) { return n > 0 ? f(n - 1) : 1; }\n"
        "int (*table[])(int) = { f, f };\n"
        "struct ops { int (*call)(int); } ops = { .call = f };\n"
        "int caller(void) { return f(0); }\n"
        "int (*variable)(int) = f;"
    ))
    ok(run_cell("int caller_of_another_cell(void) { return f(0); }"))
    for value in (2, 3):
        ran = ok(run_cell(COMPILERS[new] + f"int f(int n) {{ return n > 0 ? f(n - 1) : {value}; }}"))
        assert ran.stream("stderr") == ""
        values = "int r[] = { f(4), caller(), caller_of_another_cell(), variable(2), table[1](1), ops.call(0) }; r"
        assert run_cell(values).result == "{" + ", ".join([str(value)] * 6) + "}"
    assert run_cell("variable == f && table[0] == f").result == ("1" if old == "tcc" else "0")


@pytest.mark.parametrize("new", COMPILERS)
def test_a_comparator_of_qsort_taken_before_is_the_newest(run_cell, new):
    run_cell(
        "int order(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }\n"
        "int (*by)(const void *, const void *) = order; int v[] = { 2, 3, 1 };"
    )
    ok(run_cell(COMPILERS[new] + "int order(const void *a, const void *b) { return *(const int *)b - *(const int *)a; }"))
    assert run_cell("qsort(v, 3, sizeof *v, by); v").result == "{3, 2, 1}"


def test_static_and_inline_functions_are_replaced_for_earlier_callers_too(run_cell):
    run_cell("static int s(void) { return 1; }\nstatic inline int i(void) { return 10; }")
    run_cell("int both(void) { return s() + i(); }")
    run_cell("static int s(void) { return 2; }\nstatic inline int i(void) { return 20; }")
    assert run_cell("both()").result == "22"


def test_a_function_replaced_by_a_variable_and_back(run_cell):
    run_cell("int f(void) { return 1; }")
    run_cell("int g(void) { return f(); }\nint (*p)(void) = f;")
    ok(run_cell("double f = 2.5;"))
    assert run_cell("f").result == "2.5"
    assert run_cell("g()").result == "1"
    ok(run_cell("int f(void) { return 3; }"))
    assert run_cell("g() * 10 + p()").result == "33"


def test_a_function_hidden_by_a_macro_and_back(run_cell):
    run_cell("int f(void) { return 1; }\nint g(void) { return f(); }")
    ok(run_cell("#define f 7"))
    assert run_cell("f").result == "7"
    assert run_cell("g()").result == "1"
    ok(run_cell("#undef f\nint f(void) { return 9; }"))
    assert run_cell("g()").result == "9"


@pytest.mark.parametrize(
    "bad",
    ["int f(void) { return 2; }\nint f(void) { return 3; }", "int f(void) { return nonsense; }",
     "int f(void) { return sqlite3_nothing(); }\nint sqlite3_nothing(void) __attribute__((weak, alias(\"none\")));"],
    ids=["twice", "compile", "link"],
)
def test_a_cell_that_fails_to_redefine_changes_nothing(run_cell, bad):
    run_cell("int f(void) { return 1; }\nint g(void) { return f(); }")
    assert run_cell(bad).reply["status"] == "error"
    assert run_cell("g() * 10 + f()").result == "11"


def test_a_function_is_replaced_while_threads_call_it(run_cell):
    ok(run_cell(
        "#include <pthread.h>\n"
        "volatile int stop; volatile long calls, wrong;\n"
        "int f(void) { return 1; }\n"
        "void *work(void *p) { while (!stop) { int r = f(); calls++; if (r < 1 || r > 40) wrong++; } return p; }\n"
        "pthread_t t[2]; for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, work, 0);"
    ))
    for i in range(2, 41):
        ok(run_cell((CC if i % 10 == 0 else TCC) + f"int f(void) {{ return {i}; }}"))
    assert run_cell("stop = 1; for (int i = 0; i < 2; i++) pthread_join(t[i], 0); wrong").result == "0"
    assert run_cell("calls > 0 && f() == 40").result == "1"


# ---- declared now, defined later ----


@pytest.mark.parametrize("first, second", PAIRS, ids=["-".join(p) for p in PAIRS])
def test_two_cells_may_call_each_other(run_cell, first, second):
    ok(run_cell(COMPILERS[first] + "int odd(int);\nint even(int n) { return n ? odd(n - 1) : 1; }\nint (*p)(int) = odd;"))
    assert ok(run_cell(COMPILERS[second] + "int odd(int n) { return n ? even(n - 1) : 0; }")).stream("stderr") == ""
    assert run_cell("even(10) * 100 + even(7) * 10 + p(3)").result == "101"


def test_calling_what_is_only_declared_ends_the_cell_and_says_so(run_cell):
    run_cell("int later(int);\nint state = 1;\nint user(void)\n{\n    state = 2;\n    return later(3);\n}")
    error = run_cell("user()").of("error")[0]
    assert error["traceback"] == [
        "NameError: 'later' is declared but not defined yet: run the cell that defines it",
        "cell [1] line 6 in user",
        "    return later(3);",
        "cell [2] line 1",
        "    user()",
        "The state from before the cell is back.",
    ]
    assert run_cell("state").result == "1"
    run_cell("int later(int n) { return n * 2; }")
    assert run_cell("user()").result == "6"


# ---- what still uses the old one ----


def note(ran):
    return ok(ran).stream("stderr")


def test_a_changed_struct_is_told_once_with_who_uses_it(run_cell):
    run_cell("struct point { int x, y; };")
    run_cell("struct box { struct point a, b; };")
    run_cell("int area(const struct box *b) { return (b->b.x - b->a.x) * (b->b.y - b->a.y); }\nint total;")
    run_cell("#define LEFT(b) ((b)->a.x)\nint left(struct box *b) { return LEFT(b); }")
    run_cell("int unrelated(int point) { struct other { int x; } box = { point }; return box.x; }")
    assert note(run_cell("struct point { double x, y; };")) == (
        "note: struct point changed; cell [2] (struct box), cell [3] (area) and cell [4] (left) still use the old one: "
        "run them again, or %rerun --stale\n"
    )
    assert note(run_cell("struct point { double x, y, z; };")) == ""  # they are known to be stale


@pytest.mark.parametrize(
    "declare, use, change, name",
    [
        ("int v = 1;", "int get(void) { return v; }", "double v = 2;", "v"),
        ("#define N 3", "int get(void) { return N; }", "#define N 4", "N"),
        ("#define N 3\n#define TWICE (2 * N)", "int get(void) { return TWICE; }", "#define N 4\n#define TWICE (2 * N)", "N"),
        ("#define AREA(a) ((a) * (a))", "int get(void) { return AREA(2); }", "#define AREA(a) ((a) * 3)", "AREA"),
        ("enum color { RED, BLUE };", "int get(void) { return BLUE; }", "enum color { BLUE, RED };", "enum color"),
        ("enum { RED, BLUE };", "int get(void) { return BLUE; }", "enum { BLUE, RED };", "BLUE, RED"),
        ("typedef int number;", "int get(void) { number n = 1; return n; }", "typedef long number;", "number"),
        ("int f(int n) { return n; }", "int get(void) { return f(1); }", "int f(double d) { return d; }", "f"),
        ("struct s { int a; };", "int get(void) { return sizeof(struct s); }", "struct s { int a, b; };", "struct s"),
    ],
    ids=["variable", "macro", "macro of a macro", "function-like", "enum", "anonymous enum", "typedef", "function", "tag"],
)
def test_each_kind_of_change_names_the_cell_and_rerun_mends_it(run_cell, declare, use, change, name):
    run_cell(declare)
    run_cell(use)
    assert note(run_cell(change)) == f"note: {name} changed; cell [2] (get) still uses the old one: run it again, or %rerun --stale\n"
    assert ok(run_cell("%rerun --stale")).stream() == "cell [2] (get)\n"
    assert ok(run_cell("%rerun --stale")).stream() == "nothing is stale\n"


@pytest.mark.parametrize(
    "declare, use, again",
    [
        ("struct s { int a; };", "int get(struct s *p) { return p->a; }", "struct s { int a; }; // the same"),
        ("#define N 3", "int get(void) { return N; }", "#define N   3 /* three */"),
        ("int v = 1;", "int get(void) { return v; }", "int v = 2;"),
        ("int f(int n) { return n; }", "int get(void) { return f(1); }", "int f(int m) { return m + 1; }"),
        ("int v = 1;", "int get(int v) { double w = v; { long v = 2; w += v; } return w; }", "double v = 1;"),
        ("struct a { int v; };", "struct b { int v; }; int get(struct b *p) { return p->v; }", "struct a { long v; };"),
    ],
    ids=["comment", "spaces", "initialiser", "body", "a local of that name", "another struct"],
)
def test_no_note_where_nothing_is_stale(run_cell, declare, use, again):
    run_cell(declare)
    run_cell(use)
    assert note(run_cell(again)) == ""
    assert run_cell("%rerun --stale").stream() == "nothing is stale\n"


# ---- %rerun ----


def test_rerun_stale_goes_in_order_and_mends_all(run_cell):
    run_cell("struct point { int x, y; };")
    run_cell("struct box { struct point a, b; };")
    run_cell("double width(struct box *b) { return b->b.x - b->a.x; }")
    run_cell("struct box one = { { 0, 0 }, { 1.5, 2 } };\nint runs; runs++;")
    run_cell("struct point { double x, y; };")
    assert run_cell("%rerun --stale --dry-run").stream() == "cell [2] (struct box)\ncell [3] (width)\ncell [4] (one)\n"
    ran = ok(run_cell("%rerun --stale"))
    assert ran.stream() == "cell [2] (struct box)\ncell [3] (width)\ncell [4] (one)\n"
    assert run_cell("width(&one)").result == "1.5"
    assert run_cell("runs").result == "1"  # it is declared anew, and so zero, then counted
    assert run_cell("%rerun --stale").stream() == "nothing is stale\n"


def test_rerun_stale_stops_at_an_error_and_says_what_remains(run_cell):
    run_cell("struct s { int a; };")
    run_cell("int first(struct s *p) { return p->a; }")
    run_cell("int second(struct s *p) { return p != 0; }")
    run_cell("struct s { int b; };")
    ran = run_cell("%rerun --stale")
    assert ran.reply["ename"] == "CompileError"
    assert "cell [2] line 1: error: 'struct s' has no member named 'a'" in ran.reply["evalue"]
    assert ran.stream("stderr") == "still stale:\ncell [2] (first)\ncell [3] (second)\n"


def test_rerun_by_number(run_cell):
    run_cell("int n = 0;")
    run_cell("n += 1;")
    run_cell("n += 10; n")
    assert ok(run_cell("%rerun")).result == "21"  # the last cell
    assert [m["data"]["text/plain"] for m in ok(run_cell("%rerun 2-3 3")).of("execute_result")] == ["32", "42"]
    assert run_cell("n").result == "42"
    assert run_cell("%rerun 70").reply["evalue"] == "no cell [70] has run in this session, or it is too long ago"
    assert run_cell("%rerun 5").reply["evalue"] == "cell [5] is a %rerun itself, which is not run again by another"


def test_a_cell_with_magics_runs_again_whole(run_cell):
    run_cell("int n = 5;")
    run_cell("%runs\nn *= 2; n")
    ran = ok(run_cell("%rerun 2"))
    assert ran.stream() == "no runs yet\n"
    assert ran.result == "20"
