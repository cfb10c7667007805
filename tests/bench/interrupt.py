"""How long the stop button takes: from the interrupt_request to `idle`, for each way in which a cell can keep busy.

    interrupt.py [TIMES [WORD...]]     20 times each; only cases whose name has one of the words

Each cell says when it is about to begin what is interrupted; 20 ms later the interrupt is sent. After each the state must be what it
was. Prints p50 and the longest.
"""

import os
import pathlib
import sys
import tempfile
import time

from jupyter import Kernel

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "protocol"))

from busy import BUSY, INSIDE, PREPARE  # noqa: E402

BUILD = pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build")).absolute()
INSIDE_S = 0.02  # from its word until the cell is well inside of what is to be interrupted

FRESH = {"pthread_join of 8 busy threads"}  # a kernel each time: what it started goes on


def start(folder):
    kernel = Kernel([str(BUILD / "weir-kernel"), "-f"], folder)
    kernel.patience(20)
    kernel.execute(PREPARE)
    return kernel


def interrupt(kernel, code):
    """Seconds to idle; the state must be kept."""
    identity = kernel.begin(code)[0]
    kernel.until(identity, INSIDE.encode())
    time.sleep(INSIDE_S)
    seconds, replied = kernel.interrupt(True, identity)
    assert replied
    shown = [content["data"]["text/plain"] for kind, content in kernel.execute("kept + 1")[1] if kind == "execute_result"]
    assert shown == ["42"], shown
    return seconds


def measure(name, times):
    with tempfile.TemporaryDirectory() as folder:
        kernel = start(folder)
        seconds = []
        for _ in range(times):
            if name in FRESH and seconds:
                kernel.close()
                kernel = start(folder)
            seconds.append(interrupt(kernel, BUSY[name]))
        kernel.close()
    return sorted(seconds)


def main(arguments):
    times, words = int(arguments[0]) if arguments else 20, arguments[1:]
    for name in BUSY:
        if not words or any(word in name for word in words):
            try:
                seconds = measure(name, times)
            except Exception as e:  # noqa: BLE001  (the other cases are of interest too)
                print(f"{name:36} {type(e).__name__}: {e}"[:150], flush=True)
                continue
            print(f"{name:36} p50 {seconds[len(seconds) // 2] * 1000:6.2f} ms   longest {seconds[-1] * 1000:6.2f} ms", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
