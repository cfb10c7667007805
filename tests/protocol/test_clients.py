"""Several clients of one kernel, and how subscribers are welcomed (JEP 65)."""

import subprocess
import time

import pytest
import zmq
from conftest import outputs_of, reply_of
from helpers import alive, children, kernel_pid, send, until, wait_busy


def test_the_first_message_to_a_subscriber_is_the_welcome(kernel_manager):
    client = kernel_manager.client()
    client.start_channels()
    message = client.get_iopub_msg(timeout=30)
    client.stop_channels()
    assert message["msg_type"] == message["header"]["msg_type"] == "iopub_welcome"
    assert message["content"] == {"subscription": ""} and message["parent_header"] == {}


def test_a_subscriber_that_comes_while_a_cell_prints_is_welcomed_first(kernel, kernel_manager):
    msg_id = kernel.execute('#include <stdio.h>\n#include <unistd.h>\n'
                            'for (;;) { printf("x\\n"); fflush(stdout); usleep(200); }')
    wait_busy(kernel, msg_id)
    for _ in range(10):
        client = kernel_manager.client()
        client.start_channels(shell=False, stdin=False, hb=False, control=False)
        assert client.get_iopub_msg(timeout=30)["msg_type"] == "iopub_welcome"
        client.stop_channels()
    kernel.parent.interrupt_kernel()
    reply_of(kernel, msg_id)


def test_a_subscription_to_a_topic_gets_its_messages_only(kernel, kernel_manager):
    context = zmq.Context()
    socket = context.socket(zmq.SUB)
    session = kernel_manager.session.clone()
    socket.setsockopt(zmq.SUBSCRIBE, b"nothing.of.that.name")
    socket.connect(f"tcp://127.0.0.1:{kernel_manager.iopub_port}")
    assert socket.poll(10000)
    _, frames = session.feed_identities(socket.recv_multipart())
    assert session.deserialize(frames)["content"] == {"subscription": "nothing.of.that.name"}
    reply_of(kernel, kernel.execute("1"))
    assert not socket.poll(50)
    socket.close(linger=0)
    context.term()


def test_two_clients_see_each_others_cells_and_get_their_own_replies(connect):
    first, second = connect(), connect()
    msg_id = first.execute("6 * 7")
    seen = outputs_of(second, msg_id)
    assert [m["msg_type"] for m in seen] == ["status", "execute_input", "execute_result", "status"]
    assert reply_of(first, msg_id)["content"]["status"] == "ok"
    other = second.execute("1")
    assert reply_of(second, other)["content"]["execution_count"] == 2


def test_cells_of_two_clients_take_turns(connect):
    first, second = connect(), connect()
    sent = [(client, client.execute("1")) for _ in range(10) for client in (first, second)]
    counts = [reply_of(client, msg_id)["content"]["execution_count"] for client, msg_id in sent]
    assert sorted(counts) == list(range(1, 21))


def test_a_flood_reaches_a_slow_subscriber_whole_and_memory_stays(kernel, kernel_manager, run_cell):
    """Far more than sockets hold, to a subscriber that reads late: it is held back, not lost and not hoarded."""
    run_cell("%config output_limit = 1G")
    lines = 4_000_000
    code = f'#include <stdio.h>\nfor (long i = 0; i < {lines}; i++) printf("%031ld\\n", i);'
    msg_id = kernel.execute(code)
    wait_busy(kernel, msg_id)
    time.sleep(1)
    info = send(kernel, "kernel_info_request", channel="control")
    assert reply_of(kernel, info, channel="control")["content"]["status"] == "ok"
    total = sum(len(m["content"]["text"]) for m in outputs_of(kernel, msg_id) if m["msg_type"] == "stream")
    assert total == lines * 32
    with open(f"/proc/{kernel_pid(kernel_manager)}/status") as f:
        peak = next(int(line.split()[1]) for line in f if line.startswith("VmHWM:"))
    assert peak < 400 * 1024, f"{peak} kB"


def test_a_client_that_vanishes_does_not_matter(kernel, kernel_manager):
    for _ in range(5):
        client = kernel_manager.client()
        client.start_channels()
        client.execute("1")
        client.stop_channels()
    assert reply_of(kernel, kernel.execute("2"))["content"]["status"] == "ok"


def test_a_taken_port_is_said_and_ends_the_kernel(weir_build, kernel_manager, kernel):
    children_before = children(kernel_pid(kernel_manager))
    done = subprocess.run([weir_build / "weir-kernel", "-f", kernel_manager.connection_file], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 1
    assert "cannot bind shell to tcp://127.0.0.1:" in done.stderr and "Address already in use" in done.stderr
    assert children(kernel_pid(kernel_manager)) == children_before


@pytest.mark.parametrize("arguments, status, text", [
    (["--version"], 0, "weir-kernel "), (["--help"], 0, "Usage: weir-kernel -f CONNECTION_FILE"), ([], 1, "Usage:"),
    (["-f", "/nowhere/k.json"], 1, "cannot open connection file '/nowhere/k.json': No such file or directory")])
def test_the_command_line(weir_build, arguments, status, text):
    done = subprocess.run([weir_build / "weir-kernel", *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == status
    assert text in done.stdout + done.stderr


def test_port_zero_is_an_error_that_says_so(weir_build, kernel_manager, tmp_path):
    text = open(kernel_manager.connection_file).read()
    port = kernel_manager.shell_port
    (tmp_path / "zero.json").write_text(text.replace(f'"shell_port": {port}', '"shell_port": 0'))
    done = subprocess.run([weir_build / "weir-kernel", "-f", tmp_path / "zero.json"], capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 1 and "'shell_port' is 0" in done.stderr


def test_ipc_instead_of_tcp(kernelspec_env, tmp_path):
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name=kernelspec_env, transport="ipc", ip=str(tmp_path / "k"))
    manager.start_kernel(cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=30)
    below = children(kernel_pid(manager))
    assert reply_of(client, client.execute("1"))["content"]["status"] == "ok"
    client.stop_channels()
    manager.shutdown_kernel()
    until(lambda: not any(alive(pid) for pid in below), "the session's end")
