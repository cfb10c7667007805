"""A Jupyter client that costs next to nothing, so that what is timed is the kernel: the same one for every kernel.

ZeroMQ's own protocol is spoken here over plain sockets (ZMTP 3, no security: https://rfc.zeromq.org/spec/23): libzmq would hand
every message from one thread of ours to another. Requests are built and signed before the clock starts, and answers are
checked after it has stopped; in between there is one send and a few receives. What that costs by itself is measured too: echo.c
is a kernel that answers at once.
"""

import datetime
import hashlib
import hmac
import json
import os
import pathlib
import secrets
import signal
import socket
import struct
import subprocess
import time

import psutil

DELIMITER = b"<IDS|MSG>"
MORE, LONG, COMMAND = 1, 2, 4  # flags of a frame
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Died(RuntimeError):
    """The kernel's process has ended."""


class Channel:
    """One ZeroMQ socket of the kernel, and this client's end of it."""

    def __init__(self, port, kind, alive):
        """kind: b"DEALER" or b"SUB". Tries until the kernel listens; alive() is false when it never will."""
        self.buffer = bytearray()
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port))
                break
            except ConnectionRefusedError:
                if not alive():
                    raise Died("the kernel ended while it started") from None
                time.sleep(0.0005)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wait(60)
        ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
        self.socket.sendall(GREETING + bytes([COMMAND, len(ready)]) + ready)
        while len(self.buffer) < len(GREETING):
            self._more()
        del self.buffer[:len(GREETING)]
        self._frame()  # its READY
        if kind == b"SUB":
            self.socket.sendall(b"\x00\x01\x01")  # subscribe to everything

    def wait(self, seconds):
        """How long a receive waits at most: set in the socket, so that waiting is not a system call of its own."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(seconds), int(seconds % 1 * 1e6)))

    def _more(self):
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            raise TimeoutError("no answer in time") from None
        except ConnectionResetError:
            data = b""
        if not data:
            raise Died("the kernel closed its socket")
        self.buffer += data

    def _frame(self):
        """(flags, bytes) of the next frame."""
        buffer = self.buffer
        while len(buffer) < 2:
            self._more()
        flags, head, size = buffer[0], 2, buffer[1]
        if flags & LONG:
            while len(buffer) < 9:
                self._more()
            head, size = 9, int.from_bytes(buffer[1:9], "big")
        while len(buffer) < head + size:
            self._more()
        data = bytes(buffer[head:head + size])
        del buffer[:head + size]
        return flags, data

    def receive(self):
        """The frames of the next message from the delimiter on."""
        frames, flags = [], MORE
        while flags & MORE:
            flags, data = self._frame()
            if not flags & COMMAND:
                frames.append(data)
        return frames[frames.index(DELIMITER):]

    def pending(self):
        """Whether something has come that was not received yet."""
        if not self.buffer:
            try:
                self.buffer += self.socket.recv(1 << 18, socket.MSG_DONTWAIT)
            except (BlockingIOError, ConnectionResetError):
                pass
        return bool(self.buffer)


def packed(frames):
    """One message as it goes over the wire."""
    parts = []
    for i, frame in enumerate(frames):
        more = MORE if i + 1 < len(frames) else 0
        parts.append(bytes([more, len(frame)]) if len(frame) < 256 else bytes([more | LONG]) + struct.pack(">Q", len(frame)))
        parts.append(frame)
    return b"".join(parts)


class Kernel:
    """A kernel started by command (with the connection file's path appended). `started`: the seconds from exec to its answer to
    kernel_info. signs: False for one that signs nothing."""

    def __init__(self, command, folder, signs=True):
        self.key = secrets.token_hex(16).encode()
        self.signs, self.sent = signs, 0
        names = ["shell_port", "iopub_port", "control_port", "stdin_port", "hb_port"]
        ports = free_ports(len(names))
        path = pathlib.Path(folder) / f"connection-{secrets.token_hex(4)}.json"
        path.write_text(json.dumps(dict(zip(names, ports), ip="127.0.0.1", transport="tcp", key=self.key.decode(),
                                        signature_scheme="hmac-sha256", kernel_name="bench")))
        begin = time.perf_counter()
        self.process = subprocess.Popen([*command, str(path)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)
        try:
            self._open(ports, begin)
        except BaseException:
            self.kill()
            raise

    def _open(self, ports, begin):
        self.shell = Channel(ports[0], b"DEALER", self.alive)
        self.ask("kernel_info_request")
        self.started = time.perf_counter() - begin
        self.iopub = Channel(ports[1], b"SUB", self.alive)
        self.control = Channel(ports[2], b"DEALER", self.alive)
        self._warm_iopub()
        self.patience(120)

    def alive(self):
        return self.process.poll() is None

    def request(self, kind, content):
        """(id, message as bytes) of a request."""
        self.sent += 1
        identity = b"%s_%d" % (self.key[:8], self.sent)
        header = (b'{"msg_id":"%s","msg_type":"%s","username":"bench","session":"bench","date":"%s","version":"5.3"}'
                  % (identity, kind.encode(), datetime.datetime.now(datetime.UTC).isoformat().encode()))
        parts = [header, b"{}", b"{}", json.dumps(content).encode()]
        signature = hmac.new(self.key, b"".join(parts), hashlib.sha256).hexdigest().encode()
        return identity, packed([DELIMITER, signature, *parts])

    def checked(self, frames):
        """A received message as (type, content); its signature must be right."""
        _, signature, header, parent, metadata, content = frames[:6]
        if self.signs:
            right = hmac.new(self.key, header + parent + metadata + content, hashlib.sha256).hexdigest().encode()
            assert hmac.compare_digest(signature, right), f"a message with a wrong signature: {header}"
        return json.loads(header)["msg_type"], json.loads(content)

    def ask(self, kind, content=None, channel=None):
        """Seconds from a request to its reply."""
        channel = channel or self.shell
        identity, message = self.request(kind, content or {})
        begin = time.perf_counter()
        channel.socket.sendall(message)
        frames = channel.receive()
        seconds = time.perf_counter() - begin
        assert identity in frames[3], f"an answer to another request: {frames}"
        self.checked(frames)
        return seconds

    def _warm_iopub(self):
        """Wait until iopub is subscribed: ask until an answer's `idle` arrives there."""
        self.iopub.wait(0.2)
        idle = False
        while not idle:
            self.ask("kernel_info_request")
            try:
                while not idle:
                    idle = b'"idle"' in self.iopub.receive()[5]
            except TimeoutError:
                pass

    def patience(self, seconds):
        """How long to wait for each message at most."""
        for channel in (self.shell, self.iopub, self.control):
            channel.wait(seconds)

    def begin(self, code):
        """Send a cell; (its id, the moment)."""
        self.settle()
        identity, message = self.request("execute_request", {
            "code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
            "stop_on_error": True})
        begin = time.perf_counter()
        self.shell.socket.sendall(message)
        return identity, begin

    def since(self, begin):
        return time.perf_counter() - begin

    def until(self, identity, word):
        """Receive iopub up to the message for this request whose content holds word; all frames for it."""
        seen = []
        while True:
            frames = self.iopub.receive()
            if identity in frames[3]:
                seen.append(frames)
                if word in frames[5]:
                    return seen

    def settle(self):
        """Drop what iopub still holds of an earlier request."""
        while self.iopub.pending():
            self.iopub.receive()

    def execute(self, code, fails=False):
        """(seconds until both the reply and `idle` are there, iopub messages as (type, content)). Raises for a cell that fails,
        or (fails) does not."""
        identity, begin = self.begin(code)
        seen = self.until(identity, b'"idle"')
        reply = self.shell.receive()
        seconds = time.perf_counter() - begin
        content = self.checked(reply)[1]
        if identity not in reply[3] or (content["status"] == "ok") == fails:
            raise RuntimeError(f"{code!r}: {content}")
        return seconds, [self.checked(frames) for frames in seen]

    def interrupt(self, by_message, identity):
        """(seconds from the interrupt to `idle` of the running request, whether its reply came too). by_message: as its kernelspec
        asks for; else SIGINT to the kernel's process group, as Jupyter sends it."""
        message = self.request("interrupt_request", {})[1]
        begin = time.perf_counter()
        if by_message:
            self.control.socket.sendall(message)
        else:
            os.killpg(self.process.pid, signal.SIGINT)
        self.until(identity, b'"idle"')
        seconds = self.since(begin)
        if by_message:
            self.control.receive()
        try:
            self.shell.receive()
        except TimeoutError:
            return seconds, False
        return seconds, True

    def family(self):
        return [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]

    def memory(self):
        """(RSS, PSS) in bytes of the kernel's processes. RSS: of the largest process of each program, since a process and its forked
        copies share their pages; PSS: of all."""
        programs, pss = {}, 0
        for process in self.family():
            try:
                info, program = process.memory_full_info(), process.exe()
            except psutil.NoSuchProcess:  # a copy that is not needed any more
                continue
            programs[program] = max(programs.get(program, 0), info.rss)
            pss += info.pss
        return sum(programs.values()), pss

    def kill(self):
        """End it and all that it started."""
        family = self.family() if self.alive() else []
        for process in family:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                pass
        self.process.wait()

    def close(self):
        self.kill()
        for channel in (self.shell, self.iopub, self.control):
            channel.socket.close()
