"""How cells fail: exact texts, and that the next cell works."""

import time

import pytest


def failed(ran, ename):
    """The traceback's text; the error must be the only output but streams."""
    assert ran.reply["status"] == "error", ran.messages
    errors = ran.of("error")
    assert len(errors) == 1
    assert errors[0]["ename"] == ename == ran.reply["ename"]
    return "\n".join(errors[0]["traceback"])


def test_all_compile_errors_with_line_and_caret(run_cell):
    ran = run_cell("int f(int x) {\n    return x + missing;\n}\nint g(void) {\n    return other;\n}")
    assert failed(ran, "CompileError") == (
        "CompileError: cell [1] line 2: error: 'missing' undeclared (first use in this function)\n"
        "        return x + missing;\n"
        "                   ^\n"
        "cell [1] line 5: error: 'other' undeclared (first use in this function)\n"
        "        return other;\n"
        "               ^"
    )
    assert ran.types() == ["execute_input", "error"]


def test_a_failed_cell_leaves_no_trace(run_cell):
    run_cell("int kept = 1;")
    failed(run_cell("int kept = 2;\nint fresh = nonsense;"), "CompileError")
    assert run_cell("kept").result == "1"
    failed(run_cell("fresh"), "CompileError")


def test_an_implicit_declaration_is_an_error(run_cell):
    assert failed(run_cell("int n = 1;\nno_such_function(n);"), "NameError") == (
        "NameError: cell [1] line 2: 'no_such_function' is not declared: no cell has it, and no header that is included"
    )


def test_the_caret_stands_in_the_users_line_also_for_a_value(run_cell):
    assert failed(run_cell("int a = 5;\n  a + nope + a"), "CompileError") == (
        "CompileError: cell [1] line 2: error: 'nope' undeclared (first use in this function)\n"
        "      a + nope + a\n"
        "          ^"
    )


def test_a_function_that_nobody_defines(run_cell):
    text = failed(run_cell("int nowhere(void);\nnowhere();"), "NameError")
    assert "'nowhere' is declared but not defined yet: run the cell that defines it" in text


def test_a_segfault_names_line_and_callers_and_the_next_cell_works(run_cell):
    run_cell("int before = 5;\nint deref(int *p) {\n    return *p;\n}")
    ran = run_cell("before = 6;\nint fresh;\nderef(NULL);\nbefore = 7;")
    assert failed(ran, "SegmentationFault") == (
        "SegmentationFault: NULL pointer: no memory at address 0x0\n"
        "cell [1] line 3 in deref\n"
        "    return *p;\n"
        "cell [2] line 3\n"
        "    deref(NULL);\n"
        "The state from before the cell is back."
    )
    assert run_cell("before").result == "5"
    assert "'fresh' undeclared" in failed(run_cell("fresh"), "CompileError")


@pytest.mark.parametrize(
    "code, ename",
    [
        ("int zero = 0;\n1 / zero", "ArithmeticError"),
        ("abort();", "Abort"),
        ("#include <assert.h>\nassert(1 == 2);", "Abort"),
        ("int down(int n) { char b[2000]; b[n % 2000] = 1; return down(n + 1) + b[0]; }\ndown(0);", "StackOverflow"),
        ("strlen((char *)8);", "SegmentationFault"),
        ("((void (*)(void))0)();", "SegmentationFault"),
        ("exit(3);", "Exit"),
        ("_exit(1);", "Exit"),
    ],
    ids=["division", "abort", "assert", "stack", "libc", "null call", "exit", "_exit"],
)
def test_the_session_survives(run_cell, code, ename):
    run_cell("int survivor = 11;")
    failed(run_cell(code), ename)
    assert run_cell("survivor").result == "11"


def test_exit_in_a_plain_cell(run_cell):
    ran = run_cell('printf("so far");\nexit(3);')
    assert "Exit: called exit(3)" in failed(ran, "Exit")
    assert ran.stream() == "so far"


@pytest.mark.parametrize(
    "code",
    ["int n;\nfor (;;) n++;", "sleep(100);", 'for (;;) printf("x\\n");', "for (;;) free(malloc(100));"],
    ids=["loop", "sleep", "output", "malloc"],
)
def test_interrupt(kernel_manager, kernel, run_cell, code):
    run_cell("int survivor = 11;")
    msg_id = kernel.execute(code)
    while True:  # until it runs
        message = kernel.get_iopub_msg(timeout=20)
        if message["parent_header"].get("msg_id") == msg_id and message["msg_type"] == "execute_input":
            break
    time.sleep(0.1)  # no message tells that user code has begun
    begun = time.monotonic()
    kernel_manager.interrupt_kernel()
    reply = kernel.get_shell_msg(timeout=20)
    assert reply["content"]["status"] == "error"
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert time.monotonic() - begun < 5
    while True:  # a front end waits for idle before it sends what must not be taken for queued
        message = kernel.get_iopub_msg(timeout=20)
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            break
    assert run_cell("survivor").result == "11"


def test_user_expressions(run_cell):
    ran = run_cell("int ue = 6;", user_expressions={"good": "ue * 7", "bad": "nothing_here"})
    good, bad = ran.reply["user_expressions"]["good"], ran.reply["user_expressions"]["bad"]
    assert good == {"status": "ok", "data": {"text/plain": "42"}, "metadata": {}}
    assert bad["status"] == "error" and bad["ename"] == "CompileError"
