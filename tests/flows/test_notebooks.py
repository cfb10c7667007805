"""The example notebooks, run from top to bottom through a Jupyter client: no error, and the outputs that are saved in them."""

import pathlib
import re
import shutil

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["01_branch_flow.ipynb", "02_pima.ipynb"]

# What differs from run to run: (pattern, what stands for it).
VARIES = [
    (re.compile(r"\b\d{8}-\d{6}-[0-9a-f]+\b"), "RUN"),
    (re.compile(r"\b\d+(\.\d+)? ?(s|ms|us)\b"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?Z?\b"), "DATE"),
    (re.compile(r"\b(tcc|cc)\b"), "COMPILER"),
    (re.compile(r"/\S*/\.weir\b"), "STORE"),
]


def steady(text):
    for pattern, name in VARIES:
        text = pattern.sub(name, text)
    return text


def texts(cell):
    """A cell's outputs as text, steadied. Lines of one stream are sorted: tasks that run at once print in any order."""
    streams, rest = {}, []
    for output in cell.outputs:
        if output.output_type == "stream":
            streams[output.name] = streams.get(output.name, "") + output.text
        elif output.output_type == "error":
            rest.append(steady("\n".join(output.traceback)))
        else:
            rest.append(steady(output.data.get("text/plain", "")))
    return {name: sorted(steady(text).splitlines()) for name, text in streams.items()}, rest


def execute(name, folder):
    shutil.copytree(ROOT / "notebooks" / "data", folder / "data")
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    NotebookClient(notebook, timeout=240, kernel_name="weir", resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_those_that_are_saved(name, kernelspec_env, tmp_path, monkeypatch):
    monkeypatch.delenv("WEIR_HOME", raising=False)
    saved = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    fresh = execute(name, tmp_path)
    for old, new in zip(saved.cells, fresh.cells, strict=True):
        if old.cell_type == "code":
            assert texts(new) == texts(old), f"{name}, cell {old.id}"


@pytest.mark.parametrize("name", NAMES)
def test_saved_notebooks_are_valid_and_run_in_order(name):
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert notebook.metadata.kernelspec.name == "weir"


def test_the_branch_flow_prints_what_metaflows_prints():
    notebook = nbformat.read(ROOT / "notebooks" / NAMES[0], as_version=4)
    cell = next(cell for cell in notebook.cells if cell.source == "%flow run")
    text = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    said = [line for line in text.splitlines() if " is " in line]
    assert [line[-len(end):] for line, end in zip(said, ["a is 1", "b is 2", "total is 3"], strict=True)] == \
        ["a is 1", "b is 2", "total is 3"]
