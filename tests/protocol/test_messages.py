"""Requests and what they are answered with, in which order, by a real client."""

import pytest
from conftest import outputs_of, reply_of
from helpers import send


def test_kernel_info_describes_c(kernel):
    content = reply_of(kernel, kernel.kernel_info())["content"]
    assert content["status"] == "ok"
    assert content["protocol_version"] == "5.5"
    assert content["implementation"] == "weir"
    language = content["language_info"]
    assert (language["name"], language["mimetype"], language["file_extension"]) == ("c", "text/x-csrc", ".c")
    assert content["supported_features"] == [] and content["debugger"] is False
    assert content["banner"] and all(link["url"].startswith("https://") for link in content["help_links"])


def test_a_cell_goes_busy_input_output_result_idle(kernel):
    msg_id = kernel.execute('#include <stdio.h>\nprintf("hello\\n");\n6 * 7')
    messages = outputs_of(kernel, msg_id)
    assert [m["msg_type"] for m in messages] == ["status", "execute_input", "stream", "execute_result", "status"]
    assert messages[0]["content"] == {"execution_state": "busy"}
    assert messages[2]["content"] == {"name": "stdout", "text": "hello\n"}
    assert messages[3]["content"]["data"]["text/plain"] == "42"
    assert messages[3]["content"]["execution_count"] == messages[1]["content"]["execution_count"] == 1
    assert reply_of(kernel, msg_id)["content"] == {
        "status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}


def test_every_message_of_a_cell_has_its_request_as_parent(kernel):
    msg_id = kernel.execute("1 + 1")
    for message in outputs_of(kernel, msg_id) + [reply_of(kernel, msg_id)]:
        assert message["parent_header"]["msg_id"] == msg_id
        assert message["parent_header"]["session"] == kernel.session.session


def test_output_comes_while_the_cell_runs(kernel):
    msg_id = kernel.execute('#include <stdio.h>\n#include <unistd.h>\nprintf("first\\n"); fflush(stdout); sleep(60);')
    while (message := kernel.get_iopub_msg(timeout=30))["msg_type"] != "stream":
        pass
    assert message["content"]["text"] == "first\n"
    kernel.parent.interrupt_kernel()
    assert reply_of(kernel, msg_id)["content"]["status"] == "error"


def test_stdout_and_stderr_are_told_apart(run_cell):
    ran = run_cell('#include <stdio.h>\nfprintf(stderr, "oops\\n"); printf("fine\\n");')
    assert (ran.stream("stdout"), ran.stream("stderr")) == ("fine\n", "oops\n")


def test_utf8_is_whole_and_other_bytes_are_replaced(run_cell):
    ran = run_cell('#include <unistd.h>\nwrite(1, "\\xe2\\x82", 2); usleep(60000); write(1, "\\xac \\xff!\\n", 5);')
    assert ran.stream() == "\u20ac \ufffd!\n"


def test_a_large_output_is_complete_and_in_few_messages(run_cell):
    ran = run_cell('#include <stdio.h>\nfor (int i = 0; i < 100000; i++) printf("line %d\\n", i);')
    assert ran.stream() == "".join(f"line {i}\n" for i in range(100000))
    assert len(ran.messages) < 200


def test_an_error_is_said_on_iopub_and_in_the_reply(run_cell):
    ran = run_cell("int x = ;")
    (error,) = ran.of("error")
    assert ran.reply["status"] == "error"
    assert {k: ran.reply[k] for k in ("ename", "evalue", "traceback")} == error
    assert error["ename"] and error["evalue"] and error["traceback"]
    assert ran.reply["execution_count"] == 1


def test_silent_shows_nothing_and_counts_nothing(run_cell):
    ran = run_cell('#include <stdio.h>\nprintf("unheard\\n");\n7', silent=True)
    assert ran.messages == [] and ran.reply["status"] == "ok"
    assert run_cell("1").reply["execution_count"] == 1


def test_a_silent_error_is_in_the_reply_only(run_cell):
    ran = run_cell("int x = ;", silent=True)
    assert ran.messages == [] and ran.reply["status"] == "error" and ran.reply["ename"]


def test_store_history_false_counts_and_keeps_nothing(kernel, run_cell):
    assert run_cell("1", store_history=False).reply["execution_count"] == 1
    assert run_cell("2").reply["execution_count"] == 1
    history = reply_of(kernel, kernel.history(hist_access_type="tail", n=10))["content"]["history"]
    assert history == [[1, 1, "2"]]


def test_user_expressions_are_evaluated_after_the_cell(run_cell):
    ran = run_cell("int a = 20;", user_expressions={"double": "a * 2", "bad": "no_such_name"})
    assert ran.reply["user_expressions"]["double"]["status"] == "ok"
    assert ran.reply["user_expressions"]["double"]["data"]["text/plain"] == "40"
    assert ran.reply["user_expressions"]["bad"]["status"] == "error"


def test_stop_on_error_aborts_what_waits(kernel):
    sent = [kernel.execute(code) for code in ("int x = nothing_of_that_name;", "1 + 1", "2 + 2")]
    replies = [reply_of(kernel, msg_id)["content"] for msg_id in sent]
    assert replies[0]["status"] == "error"
    assert replies[1:] == [{"status": "aborted"}] * 2
    last = reply_of(kernel, kernel.execute("3 + 3"))["content"]
    assert (last["status"], last["execution_count"]) == ("ok", 2)


def test_an_aborted_cell_goes_busy_and_idle(kernel):
    kernel.execute("int x = nothing_of_that_name;")
    second = kernel.execute("1 + 1")
    states = [m["content"]["execution_state"] for m in outputs_of(kernel, second)]
    assert states == ["busy", "idle"]


def test_without_stop_on_error_the_next_cell_runs(kernel):
    first = kernel.execute("int x = nothing_of_that_name;", stop_on_error=False)
    second = kernel.execute("1 + 1")
    assert reply_of(kernel, first)["content"]["status"] == "error"
    assert reply_of(kernel, second)["content"]["status"] == "ok"


def test_cells_sent_at_once_run_in_order(kernel):
    sent = [kernel.execute(f"{i}") for i in range(20)]
    results = [next(m for m in outputs_of(kernel, s) if m["msg_type"] == "execute_result") for s in sent]
    assert [r["content"]["data"]["text/plain"] for r in results] == [str(i) for i in range(20)]
    assert [r["content"]["execution_count"] for r in results] == list(range(1, 21))


def test_the_reply_says_when_the_cell_started(kernel):
    reply = reply_of(kernel, kernel.execute("1"))
    assert reply["metadata"]["started"].endswith("Z")


@pytest.mark.parametrize("code, status", [
    ("int a = 1;", "complete"), ("a", "complete"), ("", "complete"), ("#define N 3", "complete"),
    ("int f(void) {", "incomplete"), ("a = (1 +", "incomplete"), ("/* not closed", "incomplete"),
    ("%flow show", "complete"), ("%%step a\nint x;", "incomplete"), ("%%step a\nint x;\n", "complete"),
    ("}", "invalid"), ("f(]", "invalid")])
def test_is_complete(kernel, code, status):
    content = reply_of(kernel, kernel.is_complete(code))["content"]
    assert content["status"] == status
    assert ("indent" in content) == (status == "incomplete")


def test_an_open_block_asks_for_indentation(kernel):
    content = reply_of(kernel, kernel.is_complete("int f(void) {"))["content"]
    assert content == {"status": "incomplete", "indent": "    "}


def test_history_tail_range_and_search(kernel, run_cell):
    for code in ("int a = 1;", "a + 1", "a + 2", "a + 1"):
        run_cell(code)

    def ask(**options):
        return reply_of(kernel, kernel.history(**options))["content"]["history"]

    assert ask(hist_access_type="tail", n=2) == [[1, 3, "a + 2"], [1, 4, "a + 1"]]
    assert ask(hist_access_type="range", session=0, start=2, stop=4) == [[1, 2, "a + 1"], [1, 3, "a + 2"]]
    assert ask(hist_access_type="range", session=9, start=1, stop=4) == []
    assert ask(hist_access_type="search", pattern="a + *") == [[1, 2, "a + 1"], [1, 3, "a + 2"], [1, 4, "a + 1"]]
    assert ask(hist_access_type="search", pattern="a + *", unique=True) == [[1, 3, "a + 2"], [1, 4, "a + 1"]]
    assert ask(hist_access_type="search", pattern="a + *", n=1) == [[1, 4, "a + 1"]]
    assert ask(hist_access_type="search", pattern="a + [2-9]") == [[1, 3, "a + 2"]]
    assert ask(hist_access_type="tail", n=2, output=True) == [[1, 3, ["a + 2", "3"]], [1, 4, ["a + 1", "2"]]]


def test_comms_are_none_and_one_that_is_opened_is_closed(kernel):
    assert reply_of(kernel, kernel.comm_info())["content"] == {"status": "ok", "comms": {}}
    msg_id = send(kernel, "comm_open", {"comm_id": "c1", "target_name": "no.such.target", "data": {}})
    messages = outputs_of(kernel, msg_id)
    assert [m["msg_type"] for m in messages] == ["status", "comm_close", "status"]
    assert messages[1]["content"]["comm_id"] == "c1"


def test_connect_request_tells_the_ports(kernel):
    content = reply_of(kernel, send(kernel, "connect_request"))["content"]
    info = kernel.get_connection_info()
    assert all(content[f"{name}_port"] == info[f"{name}_port"] for name in ("shell", "iopub", "stdin", "control", "hb"))


def test_a_request_without_code_is_an_error_reply(kernel):
    content = reply_of(kernel, send(kernel, "execute_request", {"silent": False}))["content"]
    assert (content["status"], content["ename"]) == ("error", "UsageError")
    assert "'code' must be a string" in content["evalue"]
    assert reply_of(kernel, send(kernel, "complete_request"))["content"]["status"] == "error"


def test_a_cell_with_a_nul_is_refused(kernel):
    content = reply_of(kernel, kernel.execute("int a;\0"))["content"]
    assert "NUL" in content["evalue"]


def test_completion_cursors_count_characters(kernel):
    content = reply_of(kernel, kernel.complete('"\u20ac\u20ac"; prin', 10))["content"]
    assert content["status"] == "ok"
    assert 0 <= content["cursor_start"] <= content["cursor_end"] <= 10
