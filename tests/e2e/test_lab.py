"""The example notebooks in JupyterLab in headless Chromium: open, run all, and read the page."""

import pytest

from lab import Notebook, chromium, jupyterlab


@pytest.fixture(scope="module")
def server(kernelspec_env, tmp_path_factory):
    with jupyterlab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def branch(server, browser):
    """The first notebook, run from top to bottom in a window tall enough for all of it to be in the page."""
    notebook = Notebook(browser, *server, "01_branch_flow.ipynb", height=2400)
    notebook.run_all()
    notebook.screenshot("01_branch_flow.png")
    notebook.screenshot_from("%flow show", "lab.png")
    yield notebook
    notebook.page.close()


def test_the_kernel_is_named_in_the_toolbar(branch):
    assert branch.page.locator(".jp-KernelName").first.inner_text().strip() == "C (Weir)"


def test_no_cell_of_the_branch_flow_fails(branch):
    assert branch.errors() == []


def test_what_the_steps_print_is_under_the_run_cell(branch):
    output = branch.output("%flow run")
    for line in ["a is 1", "b is 2", "total is 3"]:
        assert line in output
    assert output.index("a is 1") < output.index("b is 2") < output.index("total is 3")


def test_an_artifact_is_a_value_in_a_later_cell(branch):
    assert branch.output("total * 10").strip().endswith("30")


def test_the_graph_is_drawn(branch):
    cell = branch.page.locator(".jp-CodeCell", has_text="%flow show")
    picture = cell.locator(".jp-OutputArea-output img, .jp-OutputArea-output svg").first
    box = picture.bounding_box()
    assert box["width"] > 100 and box["height"] > 30


def test_the_artifacts_are_listed(branch):
    output = branch.output("%artifact")
    assert "total" in output and "int" in output


def test_a_cell_that_does_not_compile_shows_its_line(branch):
    output = branch.add_and_run("int twice(int n)\n{\n    return 2 * m;\n}")
    assert "line 3" in output and "m" in output
    assert branch.add_and_run("1 + 1").strip().endswith("2")


def test_a_crash_is_an_error_and_the_kernel_goes_on(branch):
    output = branch.add_and_run("int *nowhere = 0;\n*nowhere = 1;")
    assert "SegmentationFault: NULL pointer" in output and "line 2" in output
    assert branch.add_and_run("20 + 22").strip().endswith("42")


@pytest.fixture
def scratch(server, browser):
    notebook = Notebook(browser, *server, "01_branch_flow.ipynb", height=1800)
    yield notebook
    notebook.page.close()


def test_a_cell_that_crashes_leaves_the_state_from_before(scratch):
    scratch.add_and_run("int state = 1;\nint deref(int *p) { return *p; }\nstate")
    output = scratch.add_and_run('state = 2;\nprintf("on the way\\n");\nderef(NULL);')
    assert "on the way" in output and "line 2 in deref" in output and "The state from before the cell is back." in output
    assert scratch.add_and_run("state").strip().endswith("1")
    scratch.screenshot("crash.png")


def test_input_is_typed_into_a_box_under_the_cell(scratch):
    cell = scratch.add_and_start('char name[20];\nprintf("Who is there? ");\nscanf("%19s", name);\n'
                                 'char *secret = getpass("And the password? ");\nprintf("%s has %zu letters\\n", name, strlen(secret));')
    box = cell.locator("input.jp-Stdin-input")
    box.wait_for()
    assert "Who is there?" in cell.locator(".jp-Stdin-prompt").inner_text()
    box.fill("Ada")
    scratch.screenshot("stdin.png")
    box.press("Enter")
    password = cell.locator("input.jp-Stdin-input[type=password]")
    password.wait_for()
    password.fill("secret")
    password.press("Enter")
    cell.get_by_text("Ada has 6 letters").wait_for()
    scratch.screenshot("stdin_done.png")


def test_a_box_that_the_stop_button_left_behind_answers_no_other_cell(scratch):
    """JupyterLab takes the box of an interrupted cell away only when that cell runs again."""
    scratch.add_and_start('int n = 5;\nprintf("n? ");\nscanf("%d", &n);')
    stopped = scratch.page.locator(".jp-CodeCell", has_text="n? ")  # (the last one will be another)
    stopped.locator("input.jp-Stdin-input").wait_for()
    scratch.page.locator("[data-command='notebook:interrupt-kernel'], [data-jp-item-name='interrupt']").first.click()
    stopped.get_by_text("KeyboardInterrupt").first.wait_for()
    cell = scratch.add_and_start('char line[80];\nwhile (fgets(line, sizeof line, stdin)) n++;\nprintf("%d\\n", n);')
    cell.locator("input.jp-Stdin-input").wait_for()
    stopped.locator("input.jp-Stdin-input").fill("^D")
    stopped.locator("input.jp-Stdin-input").press("Enter")
    for text in ["one", "two", "^D"]:
        box = cell.locator("input.jp-Stdin-input:not([data-answered])")  # answered ones stay for half a second
        box.fill(text)
        box.evaluate("box => box.setAttribute('data-answered', '')")
        cell.locator("input.jp-Stdin-input[data-answered]").last.press("Enter")
    cell.get_by_text("7", exact=True).wait_for()
    scratch.screenshot("stdin_end.png")


def test_the_stop_button_ends_an_endless_cell_and_keeps_what_it_did(scratch):
    cell = scratch.add_and_start("int rounds = 0;\nfor (;;) rounds++;")
    cell.locator(".jp-InputPrompt", has_text="*").wait_for()
    scratch.page.locator("[data-command='notebook:interrupt-kernel'], [data-jp-item-name='interrupt']").first.click()
    cell.get_by_text("KeyboardInterrupt").first.wait_for()
    scratch.screenshot("interrupt.png")
    assert scratch.add_and_run("rounds > 0").strip().endswith("1")


def test_pima_runs_from_top_to_bottom(server, browser):
    notebook = Notebook(browser, *server, "02_pima.ipynb", height=9000)
    notebook.run_all()
    notebook.screenshot("02_pima.png")
    assert notebook.errors() == []
    assert "accuracy on 231 rows that nothing has seen: 0.7662" in notebook.output("%flow run")
    assert ".rate = 0.1" in notebook.output("winner")
    assert notebook.page.locator(".jp-CodeCell", has_text="%artifact patients").locator("table td").count() > 10
    notebook.page.close()
