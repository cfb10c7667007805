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


def test_pima_runs_from_top_to_bottom(server, browser):
    notebook = Notebook(browser, *server, "02_pima.ipynb", height=9000)
    notebook.run_all()
    notebook.screenshot("02_pima.png")
    assert notebook.errors() == []
    assert "accuracy on 231 rows that nothing has seen: 0.7662" in notebook.output("%flow run")
    assert ".rate = 0.1" in notebook.output("winner")
    assert notebook.page.locator(".jp-CodeCell", has_text="%artifact patients").locator("table td").count() > 10
    notebook.page.close()
