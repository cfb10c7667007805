"""What the protocol tests share: processes, and waiting for something without sleeping blindly."""

import pathlib
import time

from conftest import outputs_of, reply_of  # noqa: F401  (for the tests)

TIMEOUT = 30


def until(condition, what, timeout=TIMEOUT):
    """The first true value of condition(); fails saying what was waited for."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError(f"{what} did not come within {timeout} s")


def children(pid):
    """Descendants of a process, by pid."""
    found, waiting = [], [pid]
    while waiting:
        for path in pathlib.Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            try:
                below = [int(word) for word in path.read_text().split()]
            except OSError:
                continue
            found += below
            waiting += below
    return found


def kernel_pid(manager):
    return manager.provisioner.process.pid


def alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def send(client, msg_type, content=None, channel="shell", metadata=None):
    """Send a request by hand; gives its msg_id."""
    message = client.session.msg(msg_type, content or {}, metadata=metadata)
    getattr(client, f"{channel}_channel").send(message)
    return message["header"]["msg_id"]


def wait_busy(client, msg_id):
    """Wait until the cell's own execute_input is out: it runs now."""
    while True:
        message = client.get_iopub_msg(timeout=TIMEOUT)
        if message["parent_header"].get("msg_id") == msg_id and message["msg_type"] == "execute_input":
            return
