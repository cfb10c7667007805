"""A notebook that has not changed is not lowered again; one that has is."""

import json
import subprocess


def notebook(path, *cells):
    cells = [{"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [], "execution_count": None, "source": text}
             for i, text in enumerate(cells)]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def run(weir_build, folder):
    done = subprocess.run([weir_build / "weir", "run", "x.ipynb"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def units(folder):
    return {p.name for p in (folder / ".weir" / "build").glob("unit-*.c")}


def test_the_same_cells_are_lowered_once(weir_build, tmp_path):
    notebook(tmp_path / "x.ipynb", '%%step only\nprintf("one\\n");')
    assert "[only] one" in run(weir_build, tmp_path)
    first = units(tmp_path)
    assert len(first) == 1
    assert "[only] one" in run(weir_build, tmp_path)
    assert units(tmp_path) == first


def test_a_changed_helper_is_seen(weir_build, tmp_path):
    step = '%%step only\nprintf("%d\\n", helper());'
    notebook(tmp_path / "x.ipynb", "int helper(void) { return 1; }", step)
    assert "[only] 1" in run(weir_build, tmp_path)
    notebook(tmp_path / "x.ipynb", "int helper(void) { return 2; }", step)
    assert "[only] 2" in run(weir_build, tmp_path)


def test_a_changed_header_of_ones_own_is_seen(weir_build, tmp_path):
    notebook(tmp_path / "x.ipynb", '#include "own.h"', '%%step only\nprintf("%d\\n", OWN);')
    (tmp_path / "own.h").write_text("enum { OWN = 1 };\n")
    assert "[only] 1" in run(weir_build, tmp_path)
    (tmp_path / "own.h").write_text("enum { OWN = 2 };\n")
    assert "[only] 2" in run(weir_build, tmp_path)
    assert units(tmp_path) == set()


def test_a_header_is_looked_for_beside_the_notebook(weir_build, tmp_path):
    notebook(tmp_path / "x.ipynb", '#include "own.h"', '%%step only\nprintf("%d\\n", OWN);')
    (tmp_path / "own.h").write_text("enum { OWN = 7 };\n")
    for tier in ("tcc", "cc"):
        done = subprocess.run([weir_build / "weir", "run", f"{tmp_path.name}/x.ipynb", "--tier", tier], cwd=tmp_path.parent,
                              capture_output=True, text=True, timeout=60)
        assert "[only] 7" in done.stdout, done.stderr


def test_magic_lines_of_plain_cells_are_no_c(weir_build, tmp_path):
    """As in Jupyter: also between declarations, and a line that a backslash continues."""
    notebook(tmp_path / "x.ipynb", "int base(void) { return 4; }\n%flow run \\\n  --max-workers 1\nint more(void) { return base() + 1; }",
             '%%step only\nprintf("%d\\n", more());', "%lsmagic")
    assert "[only] 5" in run(weir_build, tmp_path)


def test_an_error_in_a_plain_cell_names_it(weir_build, tmp_path):
    notebook(tmp_path / "x.ipynb", "int a;", "int b = ;", "%%step only")
    done = subprocess.run([weir_build / "weir", "run", "x.ipynb"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "weir: cell [2] line 1: an initialiser expected before ';'\n")
