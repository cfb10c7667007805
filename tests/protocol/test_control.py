"""Shutdown, restart, and what happens when user code takes its process down."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from helpers import alive, children, kernel_pid, outputs_of, reply_of, send, until, wait_busy

SLEEP = "#include <unistd.h>\nsleep(60);"
DEAF = """#include <signal.h>
#include <unistd.h>
signal(SIGINT, SIG_IGN);
for (;;) pause();"""


def test_control_is_answered_while_a_cell_runs(kernel):
    msg_id = kernel.execute(SLEEP)
    wait_busy(kernel, msg_id)
    info = send(kernel, "kernel_info_request", channel="control")
    assert reply_of(kernel, info, timeout=5, channel="control")["content"]["implementation"] == "weir"
    kernel.parent.interrupt_kernel()
    reply_of(kernel, msg_id)


def test_what_needs_no_session_is_answered_while_a_cell_runs(kernel):
    msg_id = kernel.execute(SLEEP)
    wait_busy(kernel, msg_id)
    assert reply_of(kernel, kernel.kernel_info(), timeout=5)["content"]["status"] == "ok"
    assert reply_of(kernel, kernel.is_complete("int a;"), timeout=5)["content"]["status"] == "complete"
    assert reply_of(kernel, kernel.complete("prin", 4), timeout=5)["content"]["matches"] == []
    assert reply_of(kernel, kernel.inspect("printf", 3), timeout=5)["content"]["found"] is False
    kernel.parent.interrupt_kernel()
    reply_of(kernel, msg_id)


def test_the_kernel_shows_busy_until_the_cell_ends(kernel):
    """A request answered meanwhile has its own busy and idle; the last state said must still be the cell's."""
    msg_id = kernel.execute(SLEEP)
    wait_busy(kernel, msg_id)
    info = kernel.kernel_info()
    states = []
    while len(states) < 3:
        message = kernel.get_iopub_msg(timeout=10)
        if message["msg_type"] == "status":
            states.append((message["parent_header"]["msg_id"], message["content"]["execution_state"]))
    assert states == [(info, "busy"), (info, "idle"), (msg_id, "busy")]
    kernel.parent.interrupt_kernel()
    reply_of(kernel, msg_id)


def test_history_waits_for_the_cells_before_it(kernel):
    kernel.execute("#include <unistd.h>\nusleep(200000);\n5")
    reply = reply_of(kernel, kernel.history(hist_access_type="tail", n=1, output=True))
    assert reply["content"]["history"][0][2][1] == "5"


def test_a_segfault_is_one_error_and_the_kernel_goes_on(run_cell):
    ran = run_cell('#include <stdio.h>\nprintf("before\\n");\n*(volatile int *)0 = 1;')
    assert ran.types() == ["execute_input", "stream", "error"]
    assert ran.of("error")[0]["ename"] == "SegmentationFault"
    assert ran.stream() == "before\n"
    assert ran.reply["status"] == "error"
    assert run_cell("2 + 2").result == "4"


def test_the_sessions_death_is_one_error_and_the_state_from_before_is_back(run_cell):
    run_cell("int kept = 1;")
    ran = run_cell('#include <stdio.h>\n#include <signal.h>\nkept = 2; printf("before\\n"); fflush(stdout);\nraise(SIGKILL);')
    (error,) = ran.of("error")
    assert error["ename"] == "Killed"
    assert error["evalue"] == "while cell [2] ran, its process was killed by signal 9 (Killed)"
    assert error["traceback"][-1] == "The state from before the cell is back."
    assert ran.stream() == "before\n"
    assert ran.reply["status"] == "error"
    assert run_cell("kept").result == "1"


def session_of(manager):
    """The session's process: of the kernel's children the one that doesn't sleep as a copy (they block all signals)."""
    for pid in children(kernel_pid(manager)):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        if "SigBlk:\t0000000000000000" in status:
            return pid
    return None


def test_a_session_killed_between_cells_is_told_in_the_next_and_nothing_is_lost(kernel_manager, run_cell):
    run_cell("int a = 1;")
    run_cell("a = 2;")
    session = session_of(kernel_manager)
    os.kill(session, signal.SIGKILL)
    until(lambda: session_of(kernel_manager) not in (None, session), "another session")
    ran = run_cell("a")
    assert ran.result == "2"
    assert ran.stream("stderr") == "weir: after cell [2] the session was killed by signal 9 (Killed); its state is back.\n"


def test_shutdown_is_answered_and_leaves_no_process(kernel, kernel_manager, run_cell):
    run_cell("#include <stdlib.h>\nsystem(\"setsid sleep 600 >/dev/null 2>&1 &\");")
    processes = [kernel_pid(kernel_manager)] + children(kernel_pid(kernel_manager))
    assert len(processes) >= 3  # kernel, session, the sleeper it left behind
    msg_id = send(kernel, "shutdown_request", {"restart": False}, channel="control")
    assert reply_of(kernel, msg_id, channel="control")["content"] == {"status": "ok", "restart": False}
    assert kernel_manager.provisioner.process.wait(timeout=10) == 0
    assert [pid for pid in processes if alive(pid)] == []


def test_shutdown_during_a_cell_leaves_no_process(kernel, kernel_manager):
    wait_busy(kernel, kernel.execute(DEAF))
    processes = [kernel_pid(kernel_manager)] + children(kernel_pid(kernel_manager))
    send(kernel, "shutdown_request", {"restart": False}, channel="control")
    assert kernel_manager.provisioner.process.wait(timeout=10) == 0
    assert [pid for pid in processes if alive(pid)] == []


def test_shutdown_on_shell_waits_for_the_cell_before_it(kernel, kernel_manager):
    cell = kernel.execute("#include <unistd.h>\nusleep(200000);\n5")
    msg_id = send(kernel, "shutdown_request", {"restart": False})
    assert reply_of(kernel, cell)["content"]["status"] == "ok"
    assert reply_of(kernel, msg_id)["content"]["status"] == "ok"
    assert kernel_manager.provisioner.process.wait(timeout=10) == 0


def test_other_clients_hear_of_a_shutdown(connect, kernel_manager):
    first, second = connect(), connect()
    msg_id = send(first, "shutdown_request", {"restart": True}, channel="control")
    heard = [m for m in outputs_of(second, msg_id) if m["msg_type"] == "shutdown_reply"]
    assert [m["content"]["restart"] for m in heard] == [True]
    kernel_manager.provisioner.process.wait(timeout=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_kernel_takes_its_session_along(kernel_manager, run_cell, number):
    run_cell("1")
    pid = kernel_pid(kernel_manager)
    below = children(pid)
    os.kill(pid, number)
    kernel_manager.provisioner.process.wait(timeout=10)
    until(lambda: not any(alive(p) for p in below), "the session's end")


def test_a_kernel_ends_with_the_jupyter_that_started_it(kernelspec_env):
    code = f"""
import sys
from jupyter_client.manager import KernelManager
manager = KernelManager(kernel_name={kernelspec_env!r})
manager.start_kernel()
print(manager.provisioner.process.pid, flush=True)
sys.stdin.read()
"""
    jupyter = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(jupyter.stdout.readline())
    below = until(lambda: children(pid), "a session")
    jupyter.kill()
    jupyter.communicate()
    until(lambda: not any(alive(p) for p in [pid, *below]), "the kernel's end")


def test_restart_forgets_and_counts_from_one(kernel, kernel_manager, run_cell):
    run_cell("int a = 1;")
    kernel_manager.restart_kernel(now=False)
    kernel.wait_for_ready(timeout=30)
    ran = run_cell("a")
    assert ran.reply["status"] == "error"
    assert ran.reply["execution_count"] == 1


def test_the_kernel_is_alive_by_its_heartbeat(kernel):
    until(kernel.is_alive, "a heartbeat")
    msg_id = kernel.execute(SLEEP)
    wait_busy(kernel, msg_id)
    assert kernel.is_alive()
    kernel.parent.interrupt_kernel()
    reply_of(kernel, msg_id)
