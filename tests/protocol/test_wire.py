"""Bytes that are no message of ours are dropped with a line in the log, and the kernel goes on."""

import json
import time

import pytest
import zmq
from conftest import reply_of
from helpers import until


@pytest.fixture
def raw(kernel_manager):
    """A DEALER on the shell port, for frames made by hand."""
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.connect(f"tcp://127.0.0.1:{kernel_manager.shell_port}")
    yield socket
    socket.close(linger=0)
    context.term()


def frames_of(session, msg_type="kernel_info_request", **changes):
    message = session.msg(msg_type, {})
    message.update(changes)
    return session.serialize(message)


def logged(manager, text):
    until(lambda: text in manager.log_path.read_text(), f"{text!r} in the log")


def with_part(index, data):
    """Replace one JSON frame of a message and sign it again."""

    def change(session):
        parts = frames_of(session)[2:]
        parts[index] = data
        return [b"<IDS|MSG>", session.sign(parts), *parts]

    return change


CASES = {
    "no delimiter": (lambda s: [b"hello"], "no <IDS|MSG> frame"),
    "one empty frame": (lambda s: [b""], "no <IDS|MSG> frame"),
    "too few frames": (lambda s: frames_of(s)[:4], "3 frames after <IDS|MSG>"),
    "unsigned": (lambda s: [b"<IDS|MSG>", b""] + frames_of(s)[2:], "unsigned"),
    "wrong signature": (lambda s: [b"<IDS|MSG>", b"0" * 64] + frames_of(s)[2:], "wrong signature"),
    "short signature": (lambda s: [b"<IDS|MSG>", b"00"] + frames_of(s)[2:], "wrong signature"),
    "changed content": (lambda s: frames_of(s)[:-1] + [b'{"changed":1}'], "wrong signature"),
    "header no JSON": (with_part(0, b"{"), "header is not JSON"),
    "header no object": (with_part(0, b"[]"), "header is not a JSON object"),
    "header without type": (with_part(0, b'{"msg_id":"1"}'), "header has no msg_type"),
    "header without id": (with_part(0, b'{"msg_type":"x"}'), "header has no msg_id"),
    "content no UTF-8": (with_part(3, b'{"code":"\xff"}'), "content is not JSON"),
    "content too deep": (with_part(3, b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"), "nested deeper than 200"),
    "too many frames": (lambda s: frames_of(s) + [b"x"] * 1000, "more than 256 frames"),
    "many large frames": (lambda s: frames_of(s) + [b"x" * (20 << 20)] * 4, "larger than 67108864 bytes"),
    "unknown type": (lambda s: frames_of(s, "no_such_request"), "dropped 'no_such_request'"),
}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.replace(" ", "_"))
def test_a_bad_message_is_dropped(kernel, kernel_manager, raw, case):
    make, log = CASES[case]
    raw.send_multipart(make(kernel.session))
    logged(kernel_manager, log)
    assert kernel_manager.log_path.read_text().count("dropped") == 1
    assert reply_of(kernel, kernel.kernel_info())["content"]["status"] == "ok"
    assert not raw.poll(50)  # and nothing comes back


def test_a_frame_over_the_limit_ends_its_connection_only(kernel, raw):
    raw.send_multipart(frames_of(kernel.session) + [b"x" * (65 << 20)])
    assert reply_of(kernel, kernel.kernel_info())["content"]["status"] == "ok"
    assert not raw.poll(200)


def test_a_replayed_message_is_dropped(kernel, kernel_manager, raw):
    frames = frames_of(kernel.session)
    raw.send_multipart(frames)
    assert raw.poll(10000)
    raw.recv_multipart()
    raw.send_multipart(frames)
    logged(kernel_manager, "replayed")
    assert not raw.poll(50)


def test_identities_come_back_in_front_of_the_reply(kernel, raw):
    raw.send_multipart([b"first", b"second"] + frames_of(kernel.session))
    assert raw.poll(10000)
    assert raw.recv_multipart()[:3] == [b"first", b"second", b"<IDS|MSG>"]


def test_buffers_after_the_content_are_taken(kernel, raw):
    raw.send_multipart(frames_of(kernel.session) + [b"buffer", b"\0\xff"])
    assert raw.poll(10000)
    parts = raw.recv_multipart()
    assert json.loads(parts[2])["msg_type"] == "kernel_info_reply"


def test_input_that_nobody_asked_for_is_dropped(kernel, kernel_manager):
    kernel.input("hello")
    logged(kernel_manager, "nobody asked for input")
    assert reply_of(kernel, kernel.kernel_info())["content"]["status"] == "ok"


def test_a_storm_of_garbage_leaves_the_kernel_quick(kernel, raw):
    for i in range(2000):
        raw.send_multipart([b"<IDS|MSG>", b"0" * 64, b"{}", b"{}", b"{}", b"%d" % i])
    start = time.monotonic()
    assert reply_of(kernel, kernel.kernel_info())["content"]["status"] == "ok"
    assert time.monotonic() - start < 5
