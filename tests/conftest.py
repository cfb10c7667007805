"""Fixtures for every Python test: where the build is, and kernels started through a kernelspec, as a front end does."""

import os
import pathlib
import uuid
from dataclasses import dataclass, field

import pytest
from jupyter_client.manager import KernelManager

ROOT = pathlib.Path(__file__).resolve().parent.parent
KERNEL_NAME = "weir"
TIMEOUT = 60


@pytest.fixture(scope="session")
def weir_build():
    """The folder with weir-kernel and the other programs: WEIR_BUILD, else build/."""
    build = pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build")).resolve()
    assert (build / "weir-kernel").exists(), f"{build} has no weir-kernel: run make first, or set WEIR_BUILD"
    return build


@pytest.fixture(scope="session")
def kernelspec_env(weir_build, tmp_path_factory):
    """JUPYTER_PATH with one kernelspec, made from the project's own, that starts the built kernel. Gives its name."""
    folder = tmp_path_factory.mktemp("jupyter")
    spec = folder / "kernels" / KERNEL_NAME
    spec.mkdir(parents=True)
    text = (ROOT / "kernel" / "kernelspec" / "kernel.json.in").read_text()
    (spec / "kernel.json").write_text(text.replace("@KERNEL@", str(weir_build / "weir-kernel")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))  # the settings of whoever runs the tests are not for them
        yield KERNEL_NAME


@dataclass
class Ran:
    """What a cell did: the reply's content, and the iopub messages between its busy and its idle."""

    reply: dict
    messages: list = field(default_factory=list)

    def types(self):
        return [m["msg_type"] for m in self.messages]

    def of(self, msg_type):
        return [m["content"] for m in self.messages if m["msg_type"] == msg_type]

    def stream(self, name="stdout"):
        return "".join(c["text"] for c in self.of("stream") if c["name"] == name)

    @property
    def result(self):
        """text/plain of the value of the last expression; None: none was shown."""
        found = self.of("execute_result")
        return found[-1]["data"]["text/plain"] if found else None


def outputs_of(client, msg_id, timeout=TIMEOUT):
    """The iopub messages of one request, from its busy to its idle, both included."""
    found = []
    while True:
        message = client.get_iopub_msg(timeout=timeout)
        if message["parent_header"].get("msg_id") != msg_id:
            continue
        found.append(message)
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return found


def reply_of(client, msg_id, timeout=TIMEOUT, channel="shell"):
    """The reply to one request; replies to others are passed over."""
    get = client.get_shell_msg if channel == "shell" else client.get_control_msg
    while True:
        message = get(timeout=timeout)
        if message["parent_header"].get("msg_id") == msg_id:
            return message


def run_on(client, code, timeout=TIMEOUT, **options):
    msg_id = client.execute(code, **options)
    reply = reply_of(client, msg_id, timeout)
    return Ran(reply["content"], outputs_of(client, msg_id, timeout)[1:-1])


def start_kernel(cwd, log):
    """A manager whose kernel runs in folder cwd and writes its stderr to the file log."""
    manager = KernelManager(kernel_name=KERNEL_NAME)
    manager.log_path = pathlib.Path(log)
    manager.log_file = open(log, "wb")  # noqa: SIM115  (a restart needs it again)
    manager.start_kernel(cwd=str(cwd), stderr=manager.log_file)
    return manager


@pytest.fixture
def kernel_manager(kernelspec_env, tmp_path):
    """A running kernel, in a folder of its own. manager.log_path is the file with its stderr."""
    folder = tmp_path / "notebook"
    folder.mkdir()
    manager = start_kernel(folder, tmp_path / "kernel.log")
    yield manager
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()
    manager.log_file.close()


@pytest.fixture
def connect(kernel_manager):
    """A function that makes one more started client of the kernel."""
    clients = []

    def make():
        client = kernel_manager.client()
        client.session = client.session.clone()
        client.session.session = uuid.uuid4().hex  # clients of one manager would share a name, and so a reply channel
        client.start_channels()
        client.wait_for_ready(timeout=TIMEOUT)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.stop_channels()


@pytest.fixture
def kernel(connect):
    """A started blocking client of a kernel of its own."""
    return connect()


@pytest.fixture
def run_cell(kernel):
    """run_cell(code, **options of execute): run a cell on `kernel` and get a Ran."""

    def run(code, timeout=TIMEOUT, **options):
        return run_on(kernel, code, timeout, **options)

    return run
