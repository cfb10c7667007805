"""A bare Jupyter client for timing: the same few sockets for every kernel, without the helpers that wait in steps.

A DEALER that connects before the kernel has bound tries again every 100 ms by default, which would round every start to 100 ms;
here it tries every millisecond.
"""

import json
import pathlib
import secrets
import signal
import socket
import subprocess
import time

import psutil
import zmq
from jupyter_client.session import Session


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Kernel:
    """A kernel process started by command (with the connection file's path appended); `started` is the time in seconds from exec
    to its answer to kernel_info."""

    def __init__(self, command, folder):
        key = secrets.token_hex(16)
        names = ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"]
        connection = dict(zip(names, free_ports(len(names))), ip="127.0.0.1", transport="tcp", key=key,
                          signature_scheme="hmac-sha256", kernel_name="bench")
        path = pathlib.Path(folder) / f"connection-{secrets.token_hex(4)}.json"
        path.write_text(json.dumps(connection))
        self.session = Session(key=key.encode(), signature_scheme="hmac-sha256")
        self.context = zmq.Context()
        self.shell = self._connect(zmq.DEALER, connection["shell_port"])
        self.iopub = self._connect(zmq.SUB, connection["iopub_port"])
        self.iopub.subscribe(b"")
        begin = time.perf_counter()
        self.process = subprocess.Popen([*command, str(path)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)
        self.session.send(self.shell, "kernel_info_request", {})
        self._receive(self.shell, 60)
        self.started = time.perf_counter() - begin
        self._warm_iopub()

    def _connect(self, kind, port):
        s = self.context.socket(kind)
        s.setsockopt(zmq.RECONNECT_IVL, 1)
        s.setsockopt(zmq.LINGER, 0)
        s.connect(f"tcp://127.0.0.1:{port}")
        return s

    def _receive(self, s, seconds):
        if not s.poll(int(seconds * 1000)):
            raise TimeoutError(f"no answer within {seconds} s (exit status {self.process.poll()})")
        return self.session.recv(s, mode=zmq.NOBLOCK)[1]

    def _warm_iopub(self):
        """Wait until iopub is subscribed: ask until an answer's busy or idle arrives there."""
        while True:
            self.session.send(self.shell, "kernel_info_request", {})
            self._receive(self.shell, 60)
            if self.iopub.poll(50):
                break
        while self.iopub.poll(200):
            self.session.recv(self.iopub, mode=zmq.NOBLOCK)

    def execute(self, code):
        """(seconds until both the reply and `idle` are there, iopub messages). Raises for a cell that fails."""
        begin = time.perf_counter()
        request = self.session.send(self.shell, "execute_request", {
            "code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
            "stop_on_error": True})
        mine = request["header"]["msg_id"]
        seen, idle = [], False
        while not idle:
            message = self._receive(self.iopub, 120)
            if message["parent_header"].get("msg_id") != mine:
                continue
            seen.append(message)
            idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
        reply = self._receive(self.shell, 120)
        seconds = time.perf_counter() - begin
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"{code!r}: {reply['content']}")
        return seconds, seen

    def memory(self):
        """(RSS, PSS) in bytes of the kernel and all its children."""
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        info = [p.memory_full_info() for p in family]
        return sum(i.rss for i in info), sum(i.pss for i in info)

    def close(self):
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGKILL)
        for child in family:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                pass
        self.process.wait()
        self.context.destroy(linger=0)
