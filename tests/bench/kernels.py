"""The kernel's part of `make bench`: Weir beside ipykernel, xeus-python and the C kernel that calls gcc (jupyter-c-kernel), cell by
cell in turns, so that what else the machine does hits all of them.

The C kernel compiles and runs a program a cell and keeps no state: its cells are whole programs that do the same.
"""

import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

from jupyter import Died, Kernel

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build")).absolute()
COMMANDS = {
    "Weir": [str(BUILD / "weir-kernel"), "-f"],
    "ipykernel": [sys.executable, "-m", "ipykernel_launcher", "-f"],
    "xeus-python": [sys.executable, "-m", "xpython_launcher", "-f"],
    "C kernel (gcc)": [sys.executable, "-m", "jupyter_c_kernel", "-f"],
    "echo": [str(BUILD / "bench-echo"), "-f"],
}
PEERS = ["ipykernel", "xeus-python", "C kernel (gcc)"]


def language(name):
    return {"Weir": "weir", "C kernel (gcc)": "program"}.get(name, "python")


def ms(seconds):
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def mib(size):
    return f"{size / 2**20:.1f} MiB"


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def p50_p99(values):
    return f"{ms(percentile(values, 0.5))}, {ms(percentile(values, 0.99))}"


def beside(shown):
    """The peers' figures of {kernel: text} as one cell of the table."""
    return "; ".join(f"{name} {shown[name]}" for name in PEERS if name in shown)


@contextlib.contextmanager
def running(name, folder):
    kernel = Kernel(COMMANDS[name], folder, signs=name != "echo")
    try:
        yield kernel
    finally:
        kernel.close()


@contextlib.contextmanager
def all_running(names, folder):
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(running(name, folder)) for name in names}


# ---- start and memory ----

def bench_start(table, folder):
    times = {name: [] for name in ("Weir", *PEERS)}
    for i in range(21):
        for name in times if i < 5 else ["Weir"]:
            with running(name, folder) as kernel:
                times[name].append(kernel.started)
    shown = {name: ms(statistics.median(values)) for name, values in times.items()}
    table.add("kernel start, exec to kernel_info's answer", shown["Weir"], "< 50 ms", beside(shown))
    firsts = []
    for _ in range(5):
        with running("Weir", folder) as kernel:
            firsts.append(kernel.execute("1 + 1")[0])
    table.add("first cell of a fresh kernel", ms(statistics.median(firsts)))


FILL = {"weir": "double scale_%d = 1.5;\ndouble apply_%d(double x) { return x * scale_%d; }",
        "python": "scale_%d = 1.5\ndef apply_%d(x): return x * scale_%d",
        "program": "double scale_%d = 1.5;\ndouble apply_%d(double x) { return x * scale_%d; }\nint main(void) { return 0; }"}


def bench_memory(table, folder):
    for count, goal in ((0, "< 20 MiB"), (200, "< 20 MiB")):
        rss, pss = {}, {}
        for name in ("Weir", *PEERS):
            with running(name, folder) as kernel:
                kernel.execute("int main(void) { return 0; }" if language(name) == "program" else "1 + 1")
                for i in range(count):
                    kernel.execute(FILL[language(name)] % (i, i, i))
                rss[name], pss[name] = (mib(size) for size in kernel.memory())
        when = f"after {count} cells" if count else "after start"
        table.add(f"memory {when}: RSS (of a session's copies: none), PSS of all processes", f"{rss['Weir']}; {pss['Weir']}", goal,
                  beside({name: f"{rss[name]}; {pss[name]}" for name in PEERS}))


# ---- cells ----

C_HEADERS = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <math.h>\n#include <stdint.h>\n"
C_LIBRARIES = ("#include <gsl/gsl_sf.h>\n#include <gsl/gsl_linalg.h>\n#include <gsl/gsl_rng.h>\n#include <gsl/gsl_statistics.h>\n"
               "#include <sqlite3.h>\n#include <pthread.h>\n")
LOAD_GSL = '#include <dlfcn.h>\nif (!dlopen("libgsl.so", RTLD_NOW | RTLD_GLOBAL)) abort();'
USE = ("double use_{0}(double x) {{ return gsl_sf_bessel_J0(x) + sqlite3_libversion_number()"
       " + pthread_equal(pthread_self(), pthread_self()) + {0}; }}")
MAIN = "\nint main(void) { %s }"

# What was there before; and a declaration and an expression, each cell with its number for %d.
SITUATIONS = {
    "with nothing before": {
        "weir": ([], "int fresh_%d = 1;", "fresh_%d + 1"),
        "python": ([], "fresh_%d = 1", "fresh_%d + 1"),
        "program": ([], "int fresh_%d = 1;" + MAIN % "return 0;",
                    "#include <stdio.h>\nint fresh_%d = 1;" + MAIN % 'printf("%%d", fresh_%d + 1); return 0;')},
    "with 5 headers": {
        "weir": ([C_HEADERS], "double fresh_%d = 2;", 'sqrt(fresh_%d) + (double)strlen("weir")'),
        "python": (["import io, os, string, math, struct"], "fresh_%d = 2.0", 'math.sqrt(fresh_%d) + len("weir")'),
        "program": ([], C_HEADERS + "double fresh_%d = 2;" + MAIN % "return 0;",
                    C_HEADERS + "double fresh_%d = 2;" + MAIN % 'printf("%%f", sqrt(fresh_%d) + (double)strlen("weir")); return 0;')},
    "with gsl, sqlite3, pthread and 200 cells": {
        "weir": ([C_HEADERS + C_LIBRARIES, LOAD_GSL, *(USE.format(i) for i in range(200))], "double fresh_%d = 2;",
                 "use_0(fresh_%d) + use_199(1.0)"),
        "python": (["import sqlite3, threading, numpy",
                    *(f"def use_{i}(x): return numpy.sin(x) + len(sqlite3.sqlite_version) + threading.get_ident() % 2 + {i}"
                      for i in range(200))], "fresh_%d = 2.0", "use_0(fresh_%d) + use_199(1.0)"),
        "program": ([], C_HEADERS + C_LIBRARIES + "double fresh_%d = 2;" + MAIN % "return 0;",
                    "//%% ldflags: -lgsl -lgslcblas -lm -lsqlite3\n" + C_HEADERS + C_LIBRARIES + "double fresh_%d = 2;\n" + USE.format(0) +
                    MAIN % 'printf("%%f", use_0(fresh_%d)); return 0;')},
}
TURNS, PER_TURN, WARM_UP = 20, 60, 50
FEW = {"C kernel (gcc)": 2}  # cells a turn of those that are far slower


def numbered(cell, number):
    return cell % ((number,) * (cell.count("%d") - cell.count("%%d")))


def time_cells(kernels, situation):
    """{kernel: (declarations, expressions)} in seconds, WARM_UP left out."""
    times = {name: ([], []) for name in kernels}
    cells = {name: SITUATIONS[situation][language(name)] for name in kernels}
    for name, kernel in kernels.items():
        for cell in cells[name][0]:
            kernel.execute(cell)
        for i in range(WARM_UP if name not in FEW else 1):
            kernel.execute(numbered(cells[name][1], i))
            kernel.execute(numbered(cells[name][2], i))
    number = WARM_UP
    for _ in range(TURNS):
        for name, kernel in kernels.items():
            for kind in (0, 1):
                for i in range(FEW.get(name, PER_TURN)):
                    times[name][kind].append(kernel.execute(numbered(cells[name][1 + kind], number + i))[0])
        number += PER_TURN
    return times


def bench_cells(table, folder):
    for situation in SITUATIONS:
        with all_running(("Weir", *PEERS), folder) as kernels:
            times = time_cells(kernels, situation)
        for kind, what in enumerate(("declaration", "expression")):
            shown = {name: p50_p99(values[kind]) for name, values in times.items()}
            table.add(f"{what} {situation}: p50, p99", shown["Weir"], "< 0.9 ms, < 2 ms", beside(shown))


def bench_messages(table, folder):
    """kernel_info, and what the client and ZeroMQ take of each figure."""
    subprocess.run(["cc", "-O2", "-o", COMMANDS["echo"][0], ROOT / "tests" / "bench" / "echo.c", "-lzmq", "-ljansson"], check=True)
    with all_running(("echo", "Weir", "ipykernel", "xeus-python", "C kernel (gcc)"), folder) as kernels:
        times = {name: [] for name in kernels}
        for _ in range(TURNS):
            for name, kernel in kernels.items():
                times[name] += [kernel.ask("kernel_info_request") for _ in range(PER_TURN)]
                kernel.settle()
        cells = [kernels["echo"].execute("1 + 1")[0] for _ in range(TURNS * PER_TURN)]
    shown = {name: ms(percentile(values, 0.5)) for name, values in times.items()}
    table.add("kernel_info: p50", shown["Weir"], "< 0.5 ms", beside(shown))
    table.add("  of it the client and ZeroMQ (a kernel that answers at once)", shown["echo"])
    table.add("  of a cell the client and ZeroMQ: p50, p99", p50_p99(cells))


# ---- output, interrupts, crashes ----

LINES = 100_000
PRINT = {"weir": f'#include <stdio.h>\nfor (int i = 0; i < {LINES}; i++) printf("line %d\\n", i);',
         "python": f"for i in range({LINES}): print('line', i)",
         "program": f'#include <stdio.h>\nint main(void) {{ for (int i = 0; i < {LINES}; i++) printf("line %d\\n", i); return 0; }}'}


def bench_lines(table, folder):
    times, lost, silent = {}, set(), set()
    right = "".join(f"line {i}\n" for i in range(LINES))
    with all_running(("Weir", *PEERS), folder) as kernels:
        for _ in range(9):
            for name, kernel in kernels.items():
                if name in silent:
                    continue
                kernel.patience(30)
                try:
                    seconds, messages = kernel.execute(PRINT[language(name)])
                except TimeoutError:  # its `idle` is among what it has lost
                    silent.add(name)
                    continue
                times.setdefault(name, []).append(seconds)
                text = "".join(content["text"] for kind, content in messages if kind == "stream" and content["name"] == "stdout")
                if text != right:
                    lost.add(name)
    assert "Weir" not in lost | silent, "lines were lost"
    shown = {name: ms(statistics.median(values)) + (" and loses lines" if name in lost else "") for name, values in times.items()}
    shown.update({name: "loses even its idle" for name in silent})
    table.add(f"{LINES:,} lines printed, to idle", shown["Weir"], "< 19 ms", beside(shown))


FOREVER = {"weir": '#include <stdio.h>\nfclose(fopen("runs", "w")); for (;;);',
           "python": "open('runs', 'w').close()\nwhile True: pass",
           "program": '#include <stdio.h>\nint main(void) { fclose(fopen("runs", "w")); for (;;); }'}


def interrupt(name, kernel, runs):
    """The seconds to `idle`, whether there was a reply. runs: the file that the cell makes before it begins to loop."""
    runs.unlink(missing_ok=True)
    identity = kernel.begin(FOREVER[language(name)])[0]
    deadline = time.monotonic() + 10
    while not runs.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} does not run its cell")
        time.sleep(0.001)
    return kernel.interrupt(name == "Weir", identity)


def bench_interrupt(table, folder):
    shown = {}
    for name in ("Weir", *PEERS):
        times, replied = [], True
        try:
            with running(name, folder) as kernel:
                kernel.patience(5)
                while replied and len(times) < (21 if name == "Weir" else 7):
                    seconds, replied = interrupt(name, kernel, folder / "runs")
                    times.append(seconds)
            shown[name] = ms(statistics.median(times)) + ("" if replied else ", no reply")
        except Died:
            shown[name] = "dies"
        except TimeoutError:
            shown[name] = "goes on for ever"
    table.add("interrupt of for(;;), to idle", shown["Weir"], "< 10 ms", beside(shown))


CRASH = {"weir": ("int keep = 42;", "*(volatile int *)0 = 1;", "keep", "42"),
         "python": ("keep = 42", "import ctypes; ctypes.string_at(0)", "keep", "42"),
         "program": ("int main(void) { return 0; }", "int main(void) { *(volatile int *)0 = 1; return 0; }", None, None)}


def crash(kernel, cells):
    """How long a crash takes, and what is left after it."""
    before, cell, after, value = cells
    kernel.execute(before)
    identity, begin = kernel.begin(cell)
    kernel.until(identity, b'"idle"')
    seconds = kernel.since(begin)
    told = kernel.checked(kernel.shell.receive())[1]["status"] == "error"
    if after is None:
        return seconds, "" if told else " and says ok"
    try:
        shown = [content["data"]["text/plain"] for kind, content in kernel.execute(after)[1] if kind == "execute_result"]
    except RuntimeError:
        shown = []
    return seconds, ("" if told else " and says ok") + ("" if shown == [value] else ", state lost")


def bench_crash(table, folder):
    shown = {}
    for name in ("Weir", *PEERS):
        try:
            with running(name, folder) as kernel:
                kernel.patience(10)
                results = [crash(kernel, CRASH[language(name)]) for _ in range(21 if name == "Weir" else 5)]
            shown[name] = ms(statistics.median(seconds for seconds, _ in results)) + max(note for _, note in results)
        except Died:
            shown[name] = "dies"
        except TimeoutError:
            shown[name] = "does not answer any more"
    table.add("crash (a write to NULL), to idle", shown["Weir"], "state kept", beside(shown))


BENCHES = {"start": bench_start, "memory": bench_memory, "cells": bench_cells, "messages": bench_messages, "lines": bench_lines,
           "interrupt": bench_interrupt, "crash": bench_crash}
