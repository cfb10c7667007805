"""%undo: back over the last cells."""

import re

import pytest
from helpers import reply_of, wait_busy


@pytest.fixture
def run(run_cell):
    """Run a cell that is to succeed."""

    def checked(code):
        ran = run_cell(code)
        assert ran.reply["status"] == "ok", ran.reply
        return ran

    checked.any = run_cell
    return checked


def listed(run):
    """The cells that %undo --list names, in its order."""
    (shown,) = run("%undo --list").of("display_data")
    return [int(n) for n in re.findall(r"before cell \[(\d+)\]", shown["data"]["text/plain"])]


def refusal(run, code):
    ran = run.any(code)
    assert ran.reply["status"] == "error" and len(ran.of("error")) == 1
    return ran.of("error")[0]["evalue"]


def test_a_variable_goes_back(run):
    run("int x = 1;")
    run("x = 2;")
    assert run("%undo").stream() == "Undone: cell [2]. Files are as they were left.\n"
    assert run("x").result == "1"


def test_what_a_cell_declared_is_gone(run):
    run("int x = 1;")
    run("int y = 2; int f(void) { return 3; }\nstruct point { int x; };")
    run("%undo")
    for code in ("y", "f()", "sizeof(struct point)"):
        assert run.any(code).reply["status"] == "error"
    assert run("double y = 2.5; y").result == "2.5"


def test_a_redefined_function_is_the_earlier_one_again_for_its_callers_too(run):
    run("int f(void) { return 1; }\nint g(void) { return 10 * f(); }")
    run("int f(void) { return 2; }")
    assert run("g()").result == "20"
    run("%undo 2")
    assert run("g() + f()").result == "11"


def test_the_heap_goes_back(run):
    run("#include <stdlib.h>\n#include <string.h>\nchar *heap = malloc(1 << 20); memset(heap, 7, 1 << 20);")
    run("memset(heap, 9, 1 << 20); free(heap); heap = NULL;")
    run("%undo")
    assert run("heap[0] + heap[(1 << 20) - 1]").result == "14"


def test_twice_goes_back_two_cells(run):
    run("int x = 1;")
    run("x = 2;")
    run("x = 3;")
    assert run("%undo").stream().startswith("Undone: cell [3].")
    assert run("%undo").stream().startswith("Undone: cell [2].")
    assert run("x").result == "1"


def test_several_cells_at_once(run):
    for i in range(5):
        run(f"int x{i} = {i};")
    assert run("%undo 3").stream() == "Undone: cell [5], cell [4], cell [3]. Files are as they were left.\n"
    assert run("x1").result == "1"
    assert run.any("x2").reply["status"] == "error"


def test_all_the_way_back_and_no_further(run):
    run("int x = 1;")
    run("x = 2;")
    assert refusal(run, "%undo 3") .startswith("only the last 2 cells can be undone")
    assert run("x").result == "2"
    run("%undo 3")  # the cell that showed x counts too
    assert run.any("x").reply["status"] == "error"
    assert refusal(run, "%undo").startswith("nothing can be undone: no cell has changed the session yet")


def test_cells_that_only_look_are_not_in_the_way(run):
    run("int x = 1;")
    run("x = 2;")
    for code in ("%lsmagic", "%config", "%config output_limit = 1M", "%runs", "%undo --list", "%undo?"):
        run(code)
    assert run.any("%nonesuch").reply["status"] == "error"
    assert run.any("int y = ;").reply["status"] == "error"
    assert run("%undo").stream().startswith("Undone: cell [2].")
    assert run("x").result == "1"


def test_the_list_names_the_cells_newest_first(run):
    assert run("%undo --list").stream().startswith("nothing can be undone: ")
    run("int x = 1;")
    run("%lsmagic")
    run("x = 2;")
    assert listed(run) == [4, 2]
    run("%undo")
    assert listed(run) == [2]


def test_step_cells_go_back(run):
    run("%%flow Grid\nparam int n = 3;")
    run("%%step start -> end\nartifact int x = n;")
    run("%%step end\nprintf(\"%d\", x);")
    run.any("%%step start -> middle\nartifact int x = n;")  # leads to a step that comes next
    run("%%step middle -> end\n;")
    assert run("%flow list").stream().startswith("Grid (current): 3 steps:")
    assert run("%undo 2").stream().startswith("Undone: cell [5], cell [4].")
    assert run("%flow list").stream() == "Grid (current): 2 steps: start, end\n"
    assert run("%flow run").reply["status"] == "ok"


def test_after_a_crash_the_cell_before_it_is_undone(run):
    run("int x = 1;")
    run("x = 2;")
    assert run.any("x = 3; *(int *)0 = 1;").reply["ename"] == "SegmentationFault"
    assert run("%undo").stream().startswith("Undone: cell [2].")
    assert run("x").result == "1"


def test_a_crash_after_undo_goes_back_to_the_undone_state(run):
    run("int x = 1;")
    run("x = 2;")
    run("%undo")
    assert run.any("x = 3; *(int *)0 = 1;").reply["ename"] == "SegmentationFault"
    assert run("x").result == "1"


def test_an_interrupted_cell_is_undone(run, kernel):
    run("int x = 1;")
    msg_id = kernel.execute('x = 2; printf("begun"); fflush(stdout);\nfor (;;) { }')
    wait_busy(kernel, msg_id)
    while kernel.get_iopub_msg(timeout=30)["msg_type"] != "stream":
        pass
    kernel.parent.interrupt_kernel()
    assert reply_of(kernel, msg_id)["content"]["ename"] == "KeyboardInterrupt"
    assert run("%undo").stream().startswith("Undone: cell [2].")
    assert run("x").result == "1"


def test_a_failed_undo_of_several_kinds_changes_nothing(run):
    run("int x = 1;")
    run("x = 2;")
    assert "'0' is not a number of cells" in refusal(run, "%undo 0")
    assert "%undo" in refusal(run, "%undo\nx = 5;") and "%undo" in refusal(run, "x = 5;\n%undo")
    assert listed(run) == [2, 1]
    assert run("x").result == "2"


def test_the_settings_bound_it_and_are_named(run):
    run("%config undo = 2")
    for i in range(4):
        run(f"int x{i};")
    assert "only the last 2 cells can be undone" in refusal(run, "%undo 3")
    assert "undo (2) and undo_memory (1 GiB)" in refusal(run, "%undo 3")
    run("%config undo = 0")
    run("int y;")
    assert refusal(run, "%undo").startswith("nothing can be undone: the setting undo is 0.")
    run("%config undo = 10")
    run("%config undo_memory = 0")
    run("int z;")
    assert "%config undo_memory" in refusal(run, "%undo")
    run("%config checkpoint = off")
    assert refusal(run, "%undo").startswith("nothing can be undone: checkpoints are off.")


def test_memory_for_one_cell_bounds_it_too(run):
    run("%config undo_memory = 40M")
    run("#include <stdlib.h>\n#include <string.h>\nchar *p = malloc(30 << 20); memset(p, 1, 30 << 20);")
    for i in range(4):
        run(f"p[0] = {i};")
    assert listed(run) == [6]
    run("%undo")
    assert run("p[0]").result == "'\\002'"


def test_a_value_of_an_undone_run_is_gone(run):
    run("%%flow One")
    run("%%step start -> end\nartifact int made = 41;")
    run("%%step end\n;")
    run("%flow run")
    assert run("made").result == "41"
    run("%undo 2")
    assert run.any("made").reply["status"] == "error"
