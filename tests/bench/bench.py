"""`make bench`: Weir's speed beside a limit or a peer, all measured in this one run; medians unless it says otherwise.

    bench.py [NAME...]     only some of: start memory cells messages lines interrupt crash (kernels.py); branch tasks persist load

Prints a table and keeps it as build/bench.md. Each measurement makes its own store under a temporary folder.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import psutil

import kernels
from kernels import BUILD, ROOT, ms

BENCH = ROOT / "tests" / "bench"


class Table:
    def __init__(self):
        self.rows = [("what", "Weir", "goal", "peer")]

    def add(self, what, value, goal="", peer=""):
        self.rows.append((what, value, goal, peer))
        print("  " + "  ".join(str(part) for part in self.rows[-1] if part), flush=True)

    def markdown(self):
        widths = [max(len(row[i]) for row in self.rows) for i in range(4)]
        lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in self.rows]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join(lines)


def notebook(path, cells):
    """A saved notebook of these code cells."""
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
        {"cell_type": "code", "id": f"cell{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": text}
        for i, text in enumerate(cells)]}))
    return path


def weir(folder, *arguments, **options):
    """Run the command line in folder; its standard output."""
    command = [str(BUILD / "weir"), *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def timed(function):
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def metaflow(folder, name, *arguments):
    """Run one of the Metaflow peers beside this file; its output."""
    environment = dict(os.environ, METAFLOW_HOME=str(folder), METAFLOW_DEFAULT_DATASTORE="local", METAFLOW_DEFAULT_METADATA="local",
                       METAFLOW_DATASTORE_SYSROOT_LOCAL=str(folder), USERNAME="bench", METAFLOW_USER="bench")
    done = subprocess.run([sys.executable, str(BENCH / name), "--no-pylint", "run", *map(str, arguments)], cwd=folder,
                          env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name}: {done.stdout}{done.stderr}")
    return done.stdout


# ---- flows ----

def bench_branch(table, folder):
    book = ROOT / "notebooks" / "01_branch_flow.ipynb"

    def once(home):
        return timed(lambda: weir(folder, "run", book, env=dict(os.environ, WEIR_HOME=str(home))))

    cold = [once(folder / f"cold{i}" / ".weir") for i in range(7)]
    once(folder / "warm" / ".weir")
    warm = [once(folder / "warm" / ".weir") for _ in range(21)]
    peer = [timed(lambda: metaflow(folder, "branch_metaflow.py")) for _ in range(3)]
    table.add("BranchFlow as a whole process, `weir run 01_branch_flow.ipynb`", ms(statistics.median(warm)), "< 15 ms",
              f"Metaflow {ms(statistics.median(peer))}")
    table.add("  the same in an empty store, compiled anew", ms(statistics.median(cold)))


MANY = [
    "%%flow Many\nparam int n = 10;",
    "%%step start -> work foreach i in n",
    '%%step work -> join\nartifact double pair[2];\npair[0] = i;\npair[1] = 0.5 * i;\nprintf("task %d\\n", (int)i);',
    "%%step join join -> end",
    "%%step end",
]


def bench_tasks(table, folder, n=10_000):
    book = notebook(folder / "many.ipynb", MANY)
    weir(folder, "run", book)  # compiled and cached from here on

    def wall(count, i):
        home = folder / f"many{count}-{i}" / ".weir"
        shutil.copytree(folder / ".weir" / "build", home / "build")
        (home / "version").write_text((folder / ".weir" / "version").read_text())
        seconds = timed(lambda: weir(folder, "run", book, "--n", count, env=dict(os.environ, WEIR_HOME=str(home))))
        return seconds, home

    rounds = [(wall(n, i), wall(n // 10, i)) for i in range(5)]
    a_task = statistics.median((large[0] - small[0]) / (0.9 * n) for large, small in rounds)
    check_many(folder, rounds[-1][0][1], n)
    small, large = [timed(lambda count=count: metaflow(folder, "many_metaflow.py", "--n", count, "--max-workers", 2))
                    for count in (2, 22)]
    table.add(f"overhead a task, (wall of {n:,} - wall of {n // 10:,}) / {int(0.9 * n):,}", f"{a_task * 1000:.3f} ms", "< 0.15 ms",
              f"Metaflow {ms((large - small) / 20)}")


def check_many(folder, home, n):
    """Another process reads what the tasks left: every artifact's bytes and every line."""
    database = sqlite3.connect(f"file:{home / 'metadata.db'}?mode=ro", uri=True)
    rows = database.execute("""SELECT CAST(task.path AS INTEGER), object.data, attempt.out FROM task JOIN step ON step.id = task.step
        JOIN attempt ON attempt.task = task.id JOIN artifact ON artifact.task = task.id JOIN object ON object.id = artifact.object
        WHERE step.name = 'work' ORDER BY 1""").fetchall()
    assert len(rows) == n, f"{len(rows)} of {n} tasks are readable"
    for index, data, out in rows:
        assert len(data) == 144 and numpy.frombuffer(data[128:]).tolist() == [index, index / 2], (index, data)
        assert bytes(out) == b"task %d\n" % index, (index, out)
    path = weir(folder, "artifact", "path", f"work/{n // 2}/pair", env=dict(os.environ, WEIR_HOME=str(home))).strip()
    assert numpy.load(path).tolist() == [n // 2, n / 4]


CLOCK = """#include <time.h>
#include <unistd.h>
double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}"""
PERSIST = [
    "%%flow Persist\nparam long n = 25000000;",
    CLOCK,
    "%%step start -> hold\nartifact double data[];\nresize(data, n);\nfor (long i = 0; i < n; i++) data[i] = 0.5 * (double)i;\n"
    "artifact double written = now();",
    "%%step hold\nsleep(120);",
]


def kill_family(process):
    family = [process]
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            member.send_signal(signal.SIGKILL)
    process.wait()


def visible_artifact(home, name, process):
    """Wait until another process (this one) sees the artifact recorded; the time of that."""
    while True:
        assert process.poll() is None, "the run ended before its artifact was recorded"
        with contextlib.suppress(sqlite3.OperationalError):
            database = sqlite3.connect(f"file:{home / 'metadata.db'}?mode=ro", uri=True, timeout=0)
            row = database.execute("SELECT 1 FROM artifact JOIN name ON name.id = artifact.name WHERE name.name = ?", (name,)).fetchone()
            now = time.time()
            database.close()
            if row:
                return now
        time.sleep(0.0005)


def bench_persist(table, folder):
    book = notebook(folder / "persist.ipynb", PERSIST)
    n = 25_000_000
    times = []
    for i in range(5):
        home = folder / f"persist{i}" / ".weir"
        environment = dict(os.environ, WEIR_HOME=str(home))
        process = subprocess.Popen([str(BUILD / "weir"), "run", str(book)], cwd=folder, env=environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        seen = visible_artifact(home, "data", process)
        kill_family(process)
        written, data = [numpy.load(weir(folder, "artifact", "path", name, env=environment).strip(), mmap_mode="r")
                         for name in ("written", "data")]
        assert data.shape == (n,) and data[-1] == (n - 1) / 2 and data[n // 3] == (n // 3) / 2
        times.append(seen - float(written))
        shutil.rmtree(home.parent)
    ours = statistics.median(times)
    peer = float(re.search(r"visible after ([0-9.]+) s", metaflow(folder, "persist_metaflow.py"))[1])
    gigabytes = n * 8 / 1e9
    table.add("persist 200 MB: last write to visible after kill -9", f"{gigabytes / ours:.2f} GB/s ({ms(ours)})", "> 1 GB/s",
              f"Metaflow {gigabytes / peer:.2f} GB/s")


LOAD = [
    "%%flow Load\nparam long n = 1;",
    CLOCK,
    "%%step start -> read\nartifact double data[];\nresize(data, n);\nfor (long i = 0; i < n; i++) data[i] = (double)(i + 1);",
    "%%step read\nartifact double first = data[0];\nartifact double when = now();",
]


def bench_load(table, folder):
    book = notebook(folder / "load.ipynb", LOAD)
    shown = []
    for size in (2_000_000, 200_000_000, 2_000_000_000):
        times = []
        for i in range(5 if size < 1e9 else 3):
            home = folder / f"load{size}-{i}" / ".weir"
            environment = dict(os.environ, WEIR_HOME=str(home))
            weir(folder, "run", book, "--n", size // 8, env=environment)
            first, when = [float(numpy.load(weir(folder, "artifact", "path", name, env=environment).strip()))
                           for name in ("first", "when")]
            assert first == 1.0
            database = sqlite3.connect(f"file:{home / 'metadata.db'}?mode=ro", uri=True)
            started = database.execute("""SELECT attempt.started FROM attempt JOIN task ON task.id = attempt.task
                JOIN step ON step.id = task.step WHERE step.name = 'read'""").fetchone()[0]
            database.close()
            times.append(when - started / 1e6)
            shutil.rmtree(home.parent)
        shown.append(ms(statistics.median(times)))
    table.add("load at 2 MB, 200 MB, 2 GB: task start to first element", ", ".join(shown), "a constant")


BENCHES = {**kernels.BENCHES, "branch": bench_branch, "tasks": bench_tasks,
           "persist": bench_persist, "load": bench_load}


def main():
    names = sys.argv[1:] or list(BENCHES)
    table, failed = Table(), 0
    for name in names:
        print(f"{name}:", flush=True)
        with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
            try:
                BENCHES[name](table, pathlib.Path(folder))
            except (AssertionError, RuntimeError, TimeoutError, OSError) as error:
                print(f"  could not be measured: {error}", flush=True)
                failed += 1
    print("\n" + table.markdown())
    (BUILD / "bench.md").write_text(table.markdown() + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
