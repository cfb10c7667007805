"""Graphs x ways to run them: whatever compiles a flow, in whatever order its cells stand, wherever it runs, the artifacts have the
same hashes, and numpy opens each of them."""

import json
import os
import pathlib
import random
import sqlite3
import subprocess

import numpy
import pytest

GOLDEN = pathlib.Path(__file__).parent / "golden"
FLOWS = {"branch": [], "grid": ["--need", "4"], "counts": [], "forms": [], "plain_order": [], "late": [], "comments": []}


def cells_of(name):
    return [cell.strip("\n") for cell in (GOLDEN / f"{name}.cells").read_text().split("\n---\n")]


def write_notebook(path, cells):
    cells = [{"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [], "execution_count": None, "source": text}
             for i, text in enumerate(cells)]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def hashes(home):
    """(step, path, name) -> digest of all artifacts of the newest run."""
    database = sqlite3.connect(home / "metadata.db")
    rows = database.execute("""
        SELECT step.name, task.path, name.name, hex(object.digest) FROM artifact
        JOIN name ON name.id = artifact.name JOIN object ON object.id = artifact.object
        JOIN task ON task.id = artifact.task JOIN step ON step.id = task.step
        WHERE step.run = (SELECT max(id) FROM run)""").fetchall()
    database.close()
    return {row[:3]: row[3] for row in rows}


def run(command, folder, home, arguments, **more):
    folder.mkdir(exist_ok=True)
    done = subprocess.run([*command, *arguments], cwd=folder, env=dict(os.environ, WEIR_HOME=str(home), **more),
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return hashes(home)


@pytest.fixture(scope="module", params=FLOWS)
def flow(request, weir_build, tmp_path_factory):
    """A flow's name, arguments, folder with its notebook, and its hashes when tcc compiles it."""
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    write_notebook(folder / "x.ipynb", cells_of(name))
    first = run([weir_build / "weir", "run", "x.ipynb"], folder, folder / "first", FLOWS[name])
    assert first
    return name, FLOWS[name], folder, first


def test_cc_gives_the_same_bytes(flow, weir_build):
    _, arguments, folder, first = flow
    assert run([weir_build / "weir", "run", "x.ipynb", "--tier", "cc"], folder, folder / "cc", arguments) == first


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_cells_does_not_matter(flow, weir_build, seed):
    name, arguments, folder, first = flow
    head, *rest = cells_of(name)
    random.Random(seed).shuffle(rest)
    cells = [head, *rest] if head.startswith("%%flow") else rest + [head]
    write_notebook(folder / f"shuffled{seed}.ipynb", cells)
    assert run([weir_build / "weir", "run", f"shuffled{seed}.ipynb"], folder, folder / f"shuffled{seed}", arguments) == first


@pytest.mark.parametrize("options", ["-O0", "-O2"])
def test_the_exported_program_leaves_the_same(flow, weir_build, options):
    """In another folder, under another locale, with memory that is not zero to begin with."""
    _, arguments, folder, first = flow
    target = folder / f"exported{options}"
    subprocess.run([weir_build / "weir", "export", "x.ipynb", target], cwd=folder, check=True, capture_output=True, timeout=60,
                   env=dict(os.environ, WEIR_HOME=str(folder / "first")))
    extra = os.environ.get("WEIR_CFLAGS", "")
    subprocess.run(["make", "-C", target, f"OPT={options} -g", f"EXTRA={extra}"], check=True, capture_output=True, timeout=120)
    program = next(p for p in target.iterdir() if p.suffix == "" and os.access(p, os.X_OK) and p.is_file())
    assert run([program, "run"], folder / "elsewhere", folder / f"home{options}", arguments, LC_ALL="tr_TR.UTF-8",
               MALLOC_PERTURB_="165") == first


def test_the_exported_text_runs_without_make(flow, weir_build):
    _, arguments, folder, first = flow
    subprocess.run([weir_build / "weir", "export", "x.ipynb", folder / "text"], cwd=folder, check=True, capture_output=True,
                   timeout=60, env=dict(os.environ, WEIR_HOME=str(folder / "first")))
    assert run([weir_build / "weir", "run", folder / "text" / "flow.c"], folder, folder / "from-text", arguments) == first


def test_a_notebook_run_leaves_the_same(flow, run_cell):
    name, arguments, _, first = flow
    if name == "plain_order":  # its cells define functions that call those of later cells: for a session they are one cell
        first_step = next(i for i, cell in enumerate(cells_of(name)) if cell.startswith("%%"))
        cells = ["\n".join(cells_of(name)[:first_step]), *cells_of(name)[first_step:]]
    else:
        cells = cells_of(name)
    for cell in cells:
        ran = run_cell(cell)
        assert ran.reply["status"] == "ok", ran.reply
    ran = run_cell("%flow run " + " ".join(arguments))
    assert ran.reply["status"] == "ok", ran.stream("stderr")
    here = run_cell("char here[4096]; getcwd(here, sizeof here)").result.strip('"')
    assert hashes(pathlib.Path(here) / ".weir") == first


def test_numpy_opens_every_artifact(flow, weir_build):
    _, _, folder, first = flow
    for step, path, name in first:
        spec = "/".join(["latest", step, path, name] if path else ["latest", step, name])
        said = subprocess.run([weir_build / "weir", "artifact", "path", spec], cwd=folder, capture_output=True, text=True,
                              timeout=60, env=dict(os.environ, WEIR_HOME=str(folder / "first")))
        assert said.returncode == 0, said.stderr
        numpy.load(said.stdout.strip().splitlines()[0])
