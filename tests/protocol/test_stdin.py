"""stdin: what a cell reads is asked of the client by input_request."""

import time

import pytest

from helpers import outputs_of, reply_of


def answer(client, *lines, prompts=None, passwords=None):
    """Answer the next input_requests with these lines."""
    for line in lines:
        request = client.get_stdin_msg(timeout=20)
        assert request["msg_type"] == "input_request"
        if prompts is not None:
            prompts.append(request["content"]["prompt"])
        if passwords is not None:
            passwords.append(request["content"]["password"])
        client.input(line)


def run(client, code, *lines, **lists):
    """A cell with its input: (reply's content, its stdout, its result)."""
    msg_id = client.execute(code, allow_stdin=True)
    answer(client, *lines, **lists)
    messages = outputs_of(client, msg_id)
    reply = reply_of(client, msg_id)["content"]
    text = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
    result = [m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result"]
    return reply, text, result[0] if result else None


def run_without(client, code):
    """A cell of a client that gives no input: (reply's content, its stdout)."""
    msg_id = client.execute(code, allow_stdin=False)
    messages = outputs_of(client, msg_id)
    text = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
    return reply_of(client, msg_id)["content"], text


READERS = {
    "scanf": ('int n; scanf("%d", &n); n', ["42"], "42"),
    "scanf over two lines": ('int a, b; scanf("%d %d", &a, &b); a * 100 + b', ["1", "2"], "102"),
    "fgets": ('char s[20]; fgets(s, sizeof s, stdin); s', ["a line"], '"a line\\n"'),
    "getchar": ("int c = getchar(); c", ["x"], "120"),
    "getline": ("char *l = NULL; size_t n = 0; ssize_t got = getline(&l, &n, stdin); got", ["four"], "5"),
    "read": ("char s[20] = {0}; long got = read(0, s, sizeof s); got", ["abc"], "4"),
    "fread": ("char s[4] = {0}; fread(s, 1, 3, stdin); s", ["abcdef"], '"abc"'),
    "in a cell that cc compiles": ('_Complex double z = 1; int n; scanf("%d", &n); n', ["7"], "7"),
    "UTF-8": ("char s[20]; fgets(s, sizeof s, stdin); s", ["žluť"], '"žluť\\n"'),
    "in main": ('int main(void) { int n; scanf("%d", &n); printf("%d\\n", n * 2); }', ["21"], None),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_a_cell_reads_is_asked_of_the_client(kernel, reader):
    code, lines, result = READERS[reader]
    reply, text, got = run(kernel, code, *lines)
    assert reply["status"] == "ok", reply
    assert got == result
    assert text == ("42\n" if reader == "in main" else "")


def test_the_prompt_is_the_unfinished_line_and_is_not_shown_twice(kernel):
    prompts = []
    reply, text, result = run(kernel, 'char s[20]; printf("first\\nname? "); scanf("%19s", s);\ns', "Ada", prompts=prompts)
    assert prompts == ["name? "]
    assert text == "first\n"
    assert result == '"Ada"'


def test_a_prompt_that_was_flushed_and_one_on_stderr(kernel):
    prompts = []
    run(kernel, 'char s[20]; printf("a? "); fflush(stdout); scanf("%19s", s); fprintf(stderr, "b? "); scanf("%19s", s);',
        "1", "2", prompts=prompts)
    assert prompts == ["a? ", "b? "]


def test_without_a_prompt_it_is_empty(kernel):
    prompts = []
    run(kernel, 'printf("done\\n"); getchar();', "x", prompts=prompts)
    assert prompts == [""]


def test_a_password_is_asked_for_as_one(kernel):
    prompts, passwords = [], []
    _, text, result = run(kernel, 'char *p = getpass("Password: ");\nstrlen(p)', "secret", prompts=prompts, passwords=passwords)
    assert (prompts, passwords, result, text) == (["Password: "], [True], "6", "")


def test_end_of_file_by_ctrl_d(kernel):
    _, _, result = run(kernel, 'int n, sum = 0; while (scanf("%d", &n) == 1) sum += n;\nsum', "1", "2 3", "\x04")
    assert result == "6"


def test_what_was_typed_too_much_is_gone_in_the_next_cell(kernel):
    run(kernel, 'int n; scanf("%d", &n);', "1 2 3")
    _, _, result = run(kernel, 'scanf("%d", &n); n', "9")
    assert result == "9"


def test_a_client_that_gives_no_input_gets_a_clear_error_and_loses_nothing(kernel, run_cell):
    run_cell("int state = 1;")
    error, _ = run_without(kernel, 'state = 2; int n;\nscanf("%d", &n);')
    assert error["ename"] == "InputNotAllowed"
    assert "this front end gives no input (allow_stdin is false)" in error["evalue"]
    assert "cell [2] line 2" in error["traceback"]
    assert run_cell("state").result == "1"


def test_a_file_in_the_place_of_stdin(kernel, tmp_path):
    (tmp_path / "in.txt").write_text("12 30\n")
    _, text = run_without(kernel, f'int main(void) {{ int a, b; freopen("{tmp_path}/in.txt", "r", stdin); scanf("%d%d", &a, &b);\n'
                   'printf("%d %d\\n", a + b, fileno(stdin)); }')
    assert text == "42 0\n"
    assert run_without(kernel, "getchar();")[0]["ename"] == "InputNotAllowed"  # the program's freopen ended with it


def test_children_read_nothing(run_cell):
    assert run_cell('system("cat")').result == "0"


def test_an_interrupt_while_waiting_ends_the_cell_and_a_late_answer_is_dropped(kernel, run_cell):
    msg_id = kernel.execute("int n = 5;\nscanf(\"%d\", &n);", allow_stdin=True)
    assert kernel.get_stdin_msg(timeout=20)["msg_type"] == "input_request"
    start = time.monotonic()
    kernel.parent.interrupt_kernel()
    assert reply_of(kernel, msg_id)["content"]["ename"] == "KeyboardInterrupt"
    assert time.monotonic() - start < 1
    kernel.input("13")
    assert run_cell("n").result == "5"
    _, _, result = run(kernel, 'scanf("%d", &n); n', "8")
    assert result == "8"


def test_the_kernel_answers_others_while_a_cell_waits(kernel):
    msg_id = kernel.execute("getchar();", allow_stdin=True)
    request = kernel.get_stdin_msg(timeout=20)
    assert request["parent_header"]["msg_id"] == msg_id
    assert reply_of(kernel, kernel.kernel_info(), timeout=5)["content"]["status"] == "ok"
    kernel.input("x")
    assert reply_of(kernel, msg_id)["content"]["status"] == "ok"


def test_a_crash_after_input_is_rolled_back_and_asks_again(kernel):
    run(kernel, "int n = 1;")
    reply, _, _ = run(kernel, 'scanf("%d", &n);\n*(volatile int *)0 = n;', "5")
    assert reply["ename"] == "SegmentationFault"
    _, _, result = run(kernel, 'int m; scanf("%d", &m); n * 10 + m', "2")
    assert result == "12"


def test_a_line_that_is_too_long_counts_as_empty(kernel):
    _, _, result = run(kernel, "char *l = NULL; size_t z = 0; getline(&l, &z, stdin)", "x" * (2 << 20))
    assert result == "1"
    _, _, result = run(kernel, "getline(&l, &z, stdin)", "y" * (1 << 20))
    assert result == str((1 << 20) + 1)
