"""`make install` into an empty prefix: what is there works by itself, and `make uninstall` takes all of it away."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest
from jupyter_client.manager import start_new_kernel

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build"))


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def make(*arguments, **environment):
    return run("make", "-C", ROOT, f"B={BUILD}", *arguments, env={**os.environ, **environment})


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix") / "usr"
    make("install", f"PREFIX={prefix}")
    yield prefix
    make("uninstall", f"PREFIX={prefix}")
    assert [path for path in prefix.rglob("*") if path.is_file()] == []


def test_the_files_are_in_their_places(prefix):
    places = ["bin/weir", "libexec/weir/weir-kernel", "libexec/weir/weir-session", "libexec/weir/weir-zygote",
              "include/weir/weir.h", "lib/weir/libweir.a", "lib/pkgconfig/weir.pc", "share/jupyter/kernels/weir/kernel.json",
              "share/jupyter/kernels/weir/logo-64x64.png", "share/jupyter/kernels/weir/logo-svg.svg"]
    assert sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()) == sorted(places)
    assert f"prefix={prefix}" in (prefix / "lib/pkgconfig/weir.pc").read_text()


def test_the_installed_command_runs_a_notebook_and_exports_it(prefix, tmp_path):
    shutil.copy(ROOT / "notebooks" / "01_branch_flow.ipynb", tmp_path)
    weir = prefix / "bin" / "weir"
    assert "total is 3" in run(weir, "run", "01_branch_flow.ipynb", cwd=tmp_path)
    run(weir, "export", "01_branch_flow.ipynb", "program", cwd=tmp_path)
    run("make", "-C", "program", cwd=tmp_path)
    program = [path for path in (tmp_path / "program").iterdir() if path.is_file() and os.access(path, os.X_OK)]
    assert "total is 3" in run(program[0], "run", cwd=tmp_path)


def test_the_installed_kernel_runs_cells_and_flows(prefix, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(prefix / "share" / "jupyter"))
    monkeypatch.setenv("WEIR_HOME", str(tmp_path / ".weir"))
    manager, client = start_new_kernel(kernel_name="weir", cwd=str(tmp_path), startup_timeout=30)
    try:
        assert manager.kernel_spec.argv[0] == str(prefix / "libexec/weir/weir-kernel")
        printed = []
        for cell in ['%%step start\nprintf("it runs\\n");', "%flow run"]:
            client.execute_interactive(cell, timeout=60, output_hook=printed.append)
        assert any("it runs" in message["content"].get("text", "") for message in printed)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_kernelspec_for_one_user(tmp_path):
    make("install", "USER=1", JUPYTER_DATA_DIR=str(tmp_path))
    spec = json.loads((tmp_path / "kernels" / "weir" / "kernel.json").read_text())
    assert spec["argv"][0] == str(BUILD / "weir-kernel") and spec["display_name"] == "C (Weir)"
    assert spec["interrupt_mode"] == "message" and spec["language"] == "c"
    make("uninstall", "USER=1", JUPYTER_DATA_DIR=str(tmp_path))
    assert list((tmp_path / "kernels").iterdir()) == []
