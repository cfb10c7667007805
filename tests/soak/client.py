"""A lean client of one kernel, over bare sockets: what a cell costs here is the kernel's time, not the client's.

    kernel = Kernel(build, folder)
    ran = kernel.run("int x = 1;\\nx + 1")     # ran.result == "2"
    cell = kernel.send("for (;;) { }")          # or by steps: what it prints can be waited for while it runs
    kernel.wait_for(cell, "@"); kernel.interrupt(); ran = kernel.finish(cell)

One cell at a time. Every message is checked: it must answer the request that was sent, be signed, and come in the order
that the protocol asks for (busy, the cell's own, idle; one reply).
"""

import datetime
import hashlib
import hmac
import json
import os
import pathlib
import signal
import subprocess
import time
from dataclasses import dataclass, field

import zmq

TIMEOUT = 60
KEY = b"soak"
DELIMITER = b"<IDS|MSG>"


class Wrong(AssertionError):
    """The kernel did what it must not do."""


@dataclass
class Ran:
    """What one cell did."""

    reply: dict = None
    types: list = field(default_factory=list)  # of iopub's messages between busy and idle
    stdout: str = ""
    stderr: str = ""
    result: str = None
    errors: list = field(default_factory=list)
    seconds: float = 0  # from sent to idle

    @property
    def status(self):
        return self.reply["status"]


@dataclass
class Cell:
    """One that was sent and not yet finished."""

    id: str
    sent: float
    ran: Ran
    busy: bool = False
    idle: bool = False


class Kernel:
    def __init__(self, build, folder, env=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.context = zmq.Context()
        self.sockets = {}
        self.count = 0
        self.log_path = self.folder / "kernel.log"
        connection = {"transport": "ipc", "ip": str(self.folder / "port"), "key": KEY.decode(), "signature_scheme": "hmac-sha256",
                      "shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}
        (self.folder / "connection.json").write_text(json.dumps(connection))
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([pathlib.Path(build) / "weir-kernel", "-f", self.folder / "connection.json"], cwd=self.folder, stderr=log,
                                            stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
        try:
            self._connect(connection)
        except BaseException:
            self.close()
            raise

    def _connect(self, connection):
        for name, kind in (("iopub", zmq.SUB), ("shell", zmq.DEALER), ("control", zmq.DEALER)):
            socket = self.context.socket(kind)
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVTIMEO, TIMEOUT * 1000)
            if kind == zmq.SUB:
                socket.subscribe(b"")
            socket.connect(f"ipc://{connection['ip']}-{connection[name + '_port']}")
            self.sockets[name] = socket
        if self._receive("iopub")[0]["msg_type"] != "iopub_welcome":
            raise Wrong("iopub does not begin with a welcome")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.context.destroy(linger=0)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    # ---- messages ----

    def _send(self, socket, msg_type, content):
        self.count += 1
        msg_id = f"m{self.count}"
        header = json.dumps({"msg_id": msg_id, "msg_type": msg_type, "session": "soak", "username": "soak",
                             "date": datetime.datetime.now(datetime.timezone.utc).isoformat(), "version": "5.5"}).encode()
        parts = [header, b"{}", b"{}", json.dumps(content).encode()]
        signature = hmac.new(KEY, b"".join(parts), hashlib.sha256).hexdigest().encode()
        self.sockets[socket].send_multipart([DELIMITER, signature, *parts])
        return msg_id

    def _receive(self, socket):
        """(header, id of the request that it answers or None, content)"""
        try:
            frames = self.sockets[socket].recv_multipart()
        except zmq.Again:
            how = self.process.poll()
            raise Wrong(f"nothing came on {socket} within {TIMEOUT} s; the kernel "
                        f"{'runs' if how is None else f'has ended with {how}'}; its log:\n{self.log()}") from None
        frames = frames[frames.index(DELIMITER) + 1:]
        if hmac.new(KEY, b"".join(frames[1:5]), hashlib.sha256).hexdigest().encode() != frames[0]:
            raise Wrong(f"a message on {socket} has a wrong signature")
        return json.loads(frames[1]), json.loads(frames[2]).get("msg_id"), json.loads(frames[4])

    def log(self):
        return self.log_path.read_text(errors="replace")[-4000:]

    # ---- cells ----

    def send(self, code, silent=False, user_expressions=None):
        content = {"code": code, "silent": silent, "store_history": not silent, "allow_stdin": False, "stop_on_error": True,
                   "user_expressions": user_expressions or {}}
        sent = time.perf_counter()
        return Cell(self._send("shell", "execute_request", content), sent, Ran())

    def _step(self, cell):
        """Take one message of iopub in."""
        header, parent, content = self._receive("iopub")
        kind, ran = header["msg_type"], cell.ran
        if parent != cell.id:
            self._other(kind, content)
            return
        if kind == "status":
            state = content["execution_state"]
            if not cell.busy and state != "busy":
                raise Wrong(f"{state} comes before busy")
            cell.busy = True  # said again behind the status of a request that was answered meanwhile
            cell.idle = state == "idle"
            return
        if not cell.busy:
            raise Wrong(f"{kind} comes before busy")
        ran.types.append(kind)
        if kind == "stream":
            if content["name"] == "stdout":
                ran.stdout += content["text"]
            else:
                ran.stderr += content["text"]
        elif kind == "execute_result":
            ran.result = content["data"]["text/plain"]
        elif kind == "error":
            ran.errors.append(content)

    def _other(self, kind, content):
        """A message that belongs to another request: to one for control, or output of an earlier cell that comes late."""
        if kind not in ("status", "stream", "shutdown_reply"):
            raise Wrong(f"{kind} comes for a request that is over: {content}")

    def wait_for(self, cell, text):
        """Until the cell has printed text on stdout. False: it ended before that."""
        while text not in cell.ran.stdout and not cell.idle:
            self._step(cell)
        return not cell.idle

    def ended_within(self, cell, seconds):
        """Take in what comes until then. Whether the cell has ended."""
        end = time.monotonic() + seconds
        while not cell.idle and self.sockets["iopub"].poll(max(0, int((end - time.monotonic()) * 1000))):
            self._step(cell)
        return cell.idle

    def finish(self, cell):
        while not cell.idle:
            self._step(cell)
        cell.ran.seconds = time.perf_counter() - cell.sent
        header, parent, cell.ran.reply = self._receive("shell")
        if header["msg_type"] != "execute_reply" or parent != cell.id:
            raise Wrong(f"{header['msg_type']} for {parent} comes in place of the reply to {cell.id}")
        if self.sockets["shell"].poll(0):
            raise Wrong(f"a second reply came: {self._receive('shell')}")
        return cell.ran

    def run(self, code, **options):
        return self.finish(self.send(code, **options))

    def interrupt(self):
        self._send("control", "interrupt_request", {})
        header, _, content = self._receive("control")
        if header["msg_type"] != "interrupt_reply" or content["status"] != "ok":
            raise Wrong(f"the interrupt was answered by {header['msg_type']}: {content}")

    def shutdown(self):
        """Ask it to end; gives its exit status."""
        self._send("control", "shutdown_request", {"restart": False})
        self._receive("control")
        return self.process.wait(timeout=TIMEOUT)

    # ---- its processes ----

    def processes(self):
        """All below the kernel: {pid: state}."""
        found, waiting = {}, [self.process.pid]
        while waiting:
            for path in pathlib.Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
                try:
                    below = [int(word) for word in path.read_text().split()]
                except OSError:
                    continue
                waiting += below
                for pid in below:
                    try:
                        found[pid] = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
                    except OSError:
                        pass
        return found

    def kill_session(self, pid):
        os.kill(pid, signal.SIGKILL)


def memory(pid):
    """Resident bytes that are a process's own: anonymous memory."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise Wrong(f"process {pid} has no RssAnon")


def descriptors(pid):
    return sorted(os.readlink(path) if path.is_symlink() else "" for path in pathlib.Path(f"/proc/{pid}/fd").iterdir())
