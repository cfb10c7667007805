"""The stop button: whatever a cell is busy with, it ends soon, its state is kept, and the next cell works."""

import os
import signal
import time

import pytest
from busy import BUSY, INSIDE, JOIN, PREPARE
from conftest import run_on, start_kernel
from helpers import TIMEOUT, kernel_pid, reply_of, send, wait_busy

SOON = 1.0  # seconds; `make bench` says how long it takes
DOUBLE_CLICK = 0.25
DEAF = """#include <signal.h>
#include <unistd.h>
signal(SIGINT, SIG_IGN);
write(1, "is inside now\\n", 14);
for (;;) pause();"""
SLEEP = '#include <unistd.h>\nwrite(1, "is inside now\\n", 14);\nsleep(60);'


def wait_inside(client, msg_id):
    """Wait until the cell has said that it is inside."""
    while True:
        message = client.get_iopub_msg(timeout=TIMEOUT)
        if message["parent_header"].get("msg_id") == msg_id and INSIDE in message["content"].get("text", ""):
            return


def interrupted(kernel, code):
    """Run a cell that is busy for ever, and interrupt it: (its reply's content, the seconds that took)."""
    msg_id = kernel.execute(code)
    wait_inside(kernel, msg_id)
    time.sleep(0.02)  # it has said so just before
    start = time.monotonic()
    kernel.parent.interrupt_kernel()
    content = reply_of(kernel, msg_id)["content"]
    return content, time.monotonic() - start


@pytest.fixture(scope="module")
def prepared(kernelspec_env, tmp_path_factory):
    """A client of one kernel for all ways."""
    folder = tmp_path_factory.mktemp("interrupt")
    manager = start_kernel(folder, folder / "kernel.log")
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=TIMEOUT)
    assert run_on(client, PREPARE).reply["status"] == "ok"
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()
    manager.log_file.close()


@pytest.mark.parametrize("way", [way for way in BUSY if BUSY[way] != JOIN])
def test_an_interrupt_ends_the_cell_and_keeps_state(prepared, way):
    before = int(run_on(prepared, "kept").result)
    content, seconds = interrupted(prepared, "kept++;\n" + BUSY[way])
    assert (content["status"], content["ename"]) == ("error", "KeyboardInterrupt")
    assert content["traceback"][0] == "KeyboardInterrupt: interrupted"
    assert content["traceback"][1].startswith("cell [")
    assert "What the cell had changed before this stays changed." in content["traceback"]
    assert seconds < SOON
    assert run_on(prepared, "kept").result == str(before + 1)


def test_threads_that_go_on_are_told_and_can_print(kernel, run_cell):
    run_cell(PREPARE)
    content, _ = interrupted(kernel, JOIN)
    assert content["traceback"][-2] == ("Threads that the cell started go on: 8; %undo ends them and brings back the state from "
                                        "before the cell.")
    ran = run_cell('void *say(void *p) { printf("from a thread\\n"); return p; }\n'
                   "pthread_t t; pthread_create(&t, NULL, say, NULL); pthread_join(t, NULL);")
    assert ran.stream() == "from a thread\n"


def test_stdout_is_free_for_threads_after_an_interrupted_flood(kernel, run_cell):
    run_cell(PREPARE)
    for _ in range(3):
        interrupted(kernel, BUSY["printf without end"])
        ran = run_cell('void *say(void *p) { printf("from a thread\\n"); return p; }\n'
                       "pthread_t t; pthread_create(&t, NULL, say, NULL); pthread_join(t, NULL);")
        assert ran.stream().endswith("from a thread\n")


def test_malloc_is_whole_after_many_interrupts(kernel, run_cell):
    run_cell(PREPARE)
    for _ in range(10):
        content, _ = interrupted(kernel, "begun(); for (unsigned n = 1;; n = n * 7 % 1000003) free(malloc(n));")
        assert content["ename"] == "KeyboardInterrupt"
        assert run_cell("void *blocks[1000];\nfor (int i = 0; i < 1000; i++) blocks[i] = malloc(i * 100);\n"
                        "for (int i = 0; i < 1000; i++) free(blocks[i]);\n7").result == "7"


def test_an_interrupt_while_cc_compiles_is_one(kernel, run_cell):
    run_cell(PREPARE)
    msg_id = kernel.execute("_Complex double z = 1;\n" + "".join(f"double f{i}(double x) {{ return x * {i} + (double)z; }}\n"
                                                              for i in range(3000)) + "sleep(60);")
    wait_busy(kernel, msg_id)
    time.sleep(0.05)
    kernel.parent.interrupt_kernel()
    assert reply_of(kernel, msg_id)["content"]["ename"] == "KeyboardInterrupt"
    assert run_cell("kept").result == "41"


def test_an_interrupt_without_a_cell_does_nothing(kernel, run_cell):
    msg_id = send(kernel, "interrupt_request", channel="control")
    assert reply_of(kernel, msg_id, channel="control")["content"] == {"status": "ok"}
    assert run_cell("1 + 1").result == "2"


def test_interrupting_one_cell_aborts_those_behind_it(kernel):
    sent = [kernel.execute(SLEEP), kernel.execute("1")]
    wait_inside(kernel, sent[0])
    kernel.parent.interrupt_kernel()
    assert reply_of(kernel, sent[0])["content"]["status"] == "error"
    assert reply_of(kernel, sent[1])["content"]["status"] == "aborted"


def test_sigint_interrupts_too(kernel, kernel_manager):
    msg_id = kernel.execute(SLEEP)
    wait_inside(kernel, msg_id)
    os.kill(kernel_pid(kernel_manager), signal.SIGINT)
    assert reply_of(kernel, msg_id)["content"]["ename"] == "KeyboardInterrupt"


def test_a_second_interrupt_kills_a_cell_that_does_not_listen(kernel, run_cell):
    run_cell("int before = 5;")
    msg_id = kernel.execute("before = 6;\n" + DEAF)
    wait_inside(kernel, msg_id)
    kernel.parent.interrupt_kernel()
    time.sleep(DOUBLE_CLICK + 0.05)  # a second one at once would be a double click
    start = time.monotonic()
    kernel.parent.interrupt_kernel()
    content = reply_of(kernel, msg_id)["content"]
    assert time.monotonic() - start < SOON
    assert content["ename"] == "KeyboardInterrupt"
    assert "did not stop" in content["evalue"]
    assert "The state from before the cell is back." in content["traceback"]
    assert run_cell("before").result == "5"
