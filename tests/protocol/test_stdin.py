"""stdin: what a cell reads is asked of the client by input_request."""

import os
import signal
import threading
import time

import nbformat
import pytest
from conftest import KERNEL_NAME
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from helpers import alive, children, kernel_pid, outputs_of, reply_of, send, until


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
    "getdelim": ("char *l = NULL; size_t n = 0; getdelim(&l, &n, ';', stdin); l", ["a b;c"], '"a b;"'),
    "vscanf": ("#include <stdarg.h>\nint in(const char *f, ...) { va_list a; va_start(a, f); return vscanf(f, a); }\n"
               'int n; in("%d", &n); n', ["5"], "5"),
    "ungetc": ("ungetc('1', stdin); int n; scanf(\"%d\", &n); n", ["2"], "12"),
    "readv": ('#include <sys/uio.h>\nchar a[4] = {0}, b[8] = {0};\nstruct iovec to[] = {{a, 3}, {b, 7}};\n'
              'long got = readv(0, to, 2); got', ["abcdef"], "7"),
    "the rest of a line by read": ("char s[3] = {0}, t[9] = {0}; read(0, s, 2); read(0, t, 8); t", ["abcd"], '"cd\\n"'),
    "NUL": ("char s[9] = {0}; long got = read(0, s, 8); got * 1000 + s[2]", ["a\0b"], "4098"),
    "poll": ("#include <poll.h>\nstruct pollfd p = {0, POLLIN}; int ready = poll(&p, 1, -1); char c;\n"
             "ready * 10 + (int)read(0, &c, 1)", ["x"], "11"),
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


def test_a_passwords_own_prompt_follows_what_was_printed(kernel):
    prompts = []
    _, text, _ = run(kernel, 'printf("Ada, "); getpass("your password: ");', "secret", prompts=prompts)
    assert (prompts, text) == (["Ada, your password: "], "")


def test_the_prompt_of_a_password_may_be_anything(kernel):
    prompts = []
    run(kernel, 'getpass("\\xff? "); getpass("žluť? "); char s[3000]; memset(s, 0xC5, 2999); s[0] = \'x\';\n'
        'for (int i = 1; i < 2999; i += 2) s[i + 1] = (char)0xBE; s[2999] = 0; getpass(s);', "1", "2", "3", prompts=prompts)
    assert prompts == ["", "žluť? ", "x" + 499 * "ž"]


@pytest.mark.parametrize("end", ["\x04", "^D"])
def test_end_of_file_by_ctrl_d(kernel, end):
    _, _, result = run(kernel, 'int n, sum = 0; while (scanf("%d", &n) == 1) sum += n;\nsum * 10 + (feof(stdin) != 0)', "1",
                       "2 3", end)
    assert result == "61"
    _, _, result = run(kernel, "clearerr(stdin); getchar()", "x")
    assert result == "120"


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


def test_a_line_that_is_too_long_is_asked_for_again(kernel):
    reply, text, result = run(kernel, "char *l = NULL; size_t z = 0; getline(&l, &z, stdin)", "x" * ((1 << 20) + 1), "ok")
    assert (reply["status"], result) == ("ok", "3")
    assert text == ('weir: a line of input has at most 1 MiB. Type a shorter one, or let the cell read a file: '
                    'freopen("input.txt", "r", stdin)\n')
    _, _, result = run(kernel, "getline(&l, &z, stdin)", "y" * (1 << 20))
    assert result == str((1 << 20) + 1)


# ---- stdin as a stream ----

def test_stdin_is_descriptor_0_and_no_terminal(run_cell):
    assert run_cell("fileno(stdin) * 10 + isatty(0)").result == "0"
    assert run_cell("fflush(stdin)").result == "0"
    assert run_cell("fseek(stdin, 0, SEEK_CUR) == -1").result == "1"


def test_a_closed_stdin_is_at_its_end_until_the_next_cell(kernel):
    _, _, result = run(kernel, "fclose(stdin); getchar()")
    assert result == "-1"
    _, _, result = run(kernel, "getchar()", "x")
    assert result == "120"


def test_a_file_stays_in_the_place_of_stdin_until_the_terminal_is_back(kernel, tmp_path):
    (tmp_path / "in.txt").write_text("1 2 3\n")
    run(kernel, f'int n; freopen("{tmp_path}/in.txt", "r", stdin); scanf("%d", &n);')
    assert run(kernel, 'scanf("%d", &n); n')[2] == "2"
    assert run(kernel, 'freopen("/dev/tty", "r", stdin); scanf("%d", &n); n', "9")[2] == "9"


def test_closing_a_file_in_the_place_of_stdin_brings_back_the_terminal(kernel, tmp_path):
    (tmp_path / "in.txt").write_text("1\n")
    assert run(kernel, f'int n; freopen("{tmp_path}/in.txt", "r", stdin); scanf("%d", &n); fclose(stdin); getchar()')[2] == "-1"
    assert run(kernel, 'scanf("%d", &n); n', "9")[2] == "9"


def test_a_file_that_is_not_there_closes_stdin(kernel):
    assert run(kernel, '#include <errno.h>\nint ok = freopen("/no/such", "r", stdin) == NULL && errno == ENOENT;\n'
               "ok * 10 + (getchar() == EOF)")[2] == "11"
    assert run(kernel, "getchar()", "x")[2] == "120"


def test_wide_functions_do_not_read_it_and_do_not_hang(run_cell):
    assert run_cell('#include <wchar.h>\nwchar_t w[9]; wscanf(L"%8ls", w)').result == "-1"


def test_a_forked_child_reads_nothing(run_cell):
    assert run_cell("#include <sys/wait.h>\npid_t p = fork();\nif (p == 0) { int c = getchar(); _exit(c == EOF && read(0, &c, 1) == 0 ? 3 : 4); }\n"
                    "int status; waitpid(p, &status, 0); WEXITSTATUS(status)").result == "3"


# ---- threads ----

READER = """#include <pthread.h>
int got;
void *reader(void *unused) { printf("thread? "); if (scanf("%d", &got) != 1) got = -1; return NULL; }
pthread_t thread;"""


def test_a_thread_reads_while_its_cell_runs(kernel, run_cell):
    run_cell(READER)
    prompts = []
    _, text, result = run(kernel, "pthread_create(&thread, NULL, reader, NULL); pthread_join(thread, NULL); got", "42",
                          prompts=prompts)
    assert (prompts, text, result) == (["thread? "], "", "42")


def test_a_thread_that_waits_at_its_cells_end_sees_end_of_file(kernel, run_cell):
    run_cell(READER + "\n#include <unistd.h>\nvoid wait_for(int fd) { char c; read(fd, &c, 1); }\nint ends[2];")
    msg_id = kernel.execute("pipe(ends); pthread_create(&thread, NULL, reader, NULL); wait_for(ends[0]); 7", allow_stdin=True)
    assert kernel.get_stdin_msg(timeout=20)["content"]["prompt"] == "thread? "
    os.kill(until(lambda: children(kernel_pid(kernel.parent)), "the session")[0], signal.SIGINT)
    assert reply_of(kernel, msg_id)["content"]["ename"] == "KeyboardInterrupt"
    kernel.input("late")
    _, _, result = run(kernel, 'int n; pthread_join(thread, NULL); scanf("%d", &n); n * 10 + got', "5")
    assert result == "49"


def test_a_cell_ends_though_its_thread_waits_for_input(kernel, run_cell):
    run_cell(READER + "\nvolatile int asks; void *tell(void *unused) { asks = 1; return reader(unused); }")
    msg_id = kernel.execute("pthread_create(&thread, NULL, tell, NULL); while (!asks) usleep(1000); usleep(50000); 7",
                            allow_stdin=True)
    assert reply_of(kernel, msg_id)["content"]["status"] == "ok"
    assert run_cell("pthread_join(thread, NULL); got").result == "-1"


def test_a_thread_without_input_sees_end_of_file_and_says_so(kernel, run_cell):
    run_cell(READER)
    msg_id = kernel.execute("pthread_create(&thread, NULL, reader, NULL); pthread_join(thread, NULL); got", allow_stdin=False)
    messages = outputs_of(kernel, msg_id)
    assert [m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result"] == ["-1"]
    (said,) = [m["content"]["text"] for m in messages if m["msg_type"] == "stream" and m["content"]["name"] == "stderr"]
    assert "a thread reads from stdin, and this front end gives no input" in said


def test_two_threads_take_turns(kernel, run_cell):
    run_cell("#include <pthread.h>\nvoid *take(void *to) { return (void *)(long)read(0, to, 8); }")
    _, _, result = run(kernel, "char a[9] = {0}, b[9] = {0}; pthread_t ta, tb;\n"
                       "pthread_create(&ta, NULL, take, a); pthread_create(&tb, NULL, take, b);\n"
                       "pthread_join(ta, NULL); pthread_join(tb, NULL); (a[0] - '0') + (b[0] - '0')", "1", "2")
    assert result == "3"


def test_a_cancelled_reader_keeps_nobody_out(kernel, run_cell):
    run_cell("#include <pthread.h>\nvoid *take(void *to) { return (void *)(long)read(0, to, 8); }\nint ends[2]; char c;")
    msg_id = kernel.execute("char a[9], b[9] = {0}; pthread_t t; pthread_create(&t, NULL, take, a);\n"
                            "void *how; pipe(ends); usleep(100000); pthread_cancel(t); pthread_join(t, &how);\n"
                            "int n; scanf(\"%d\", &n); n * 10 + (how == PTHREAD_CANCELED)", allow_stdin=True)
    first, second = kernel.get_stdin_msg(timeout=20), kernel.get_stdin_msg(timeout=20)
    reply_to(kernel, first, "1")
    reply_to(kernel, second, "2")
    (result,) = [m["content"]["data"]["text/plain"] for m in outputs_of(kernel, msg_id) if m["msg_type"] == "execute_result"]
    assert result == "21"


# ---- answers that should not be taken ----

def reply_to(client, request, line):
    """Answer as JupyterLab does: saying which question is meant."""
    client.stdin_channel.send(client.session.msg("input_reply", {"value": line}, parent=request))


def test_the_answer_to_a_question_that_was_given_up_is_dropped(kernel, run_cell):
    run_cell("#include <setjmp.h>\n#include <signal.h>\njmp_buf before; void alarmed(int n) { longjmp(before, 1); }")
    msg_id = kernel.execute('int n = 0; signal(SIGALRM, alarmed);\nif (setjmp(before) == 0) { ualarm(20000, 0); scanf("%d", &n); }\n'
                            'printf("again? "); scanf("%d", &n); n', allow_stdin=True)
    first, second = kernel.get_stdin_msg(timeout=20), kernel.get_stdin_msg(timeout=20)
    assert second["content"]["prompt"] == "again? "
    reply_to(kernel, first, "1")
    reply_to(kernel, second, "2")
    (result,) = [m["content"]["data"]["text/plain"] for m in outputs_of(kernel, msg_id) if m["msg_type"] == "execute_result"]
    assert result == "2"


def test_another_client_is_not_asked_and_cannot_answer(connect, kernel_manager):
    first, second = connect(), connect()
    msg_id = first.execute("int c = getchar(); c", allow_stdin=True)
    first.get_stdin_msg(timeout=20)
    assert not second.stdin_channel.msg_ready()
    second.input("b")
    until(lambda: b"another client was asked" in kernel_manager.log_path.read_bytes(), "the line in the log")
    first.input("a")
    assert reply_of(first, msg_id)["content"]["status"] == "ok"
    (result,) = [m["content"]["data"]["text/plain"] for m in outputs_of(first, msg_id) if m["msg_type"] == "execute_result"]
    assert result == str(ord("a"))


def test_answers_and_interrupts_at_the_same_time_lose_nothing(kernel, kernel_manager, run_cell):
    run_cell("int rounds = 0, n = 0;")
    (session, *_) = children(kernel_pid(kernel_manager))
    for _ in range(30):
        msg_id = kernel.execute('rounds++; scanf("%d", &n);', allow_stdin=True)
        kernel.get_stdin_msg(timeout=20)
        stop = threading.Thread(target=os.kill, args=(kernel_pid(kernel_manager), signal.SIGINT))
        stop.start()
        kernel.input("9")
        stop.join()
        assert reply_of(kernel, msg_id)["content"].get("ename", "KeyboardInterrupt") == "KeyboardInterrupt"
    assert run_cell("rounds").result == "30"
    assert alive(session) and session in children(kernel_pid(kernel_manager))


# ---- ends while a cell waits ----

def waiting(client, code='int n;\nscanf("%d", &n);'):
    msg_id = client.execute(code, allow_stdin=True)
    client.get_stdin_msg(timeout=20)
    return msg_id


def test_a_session_that_dies_while_it_waits_is_replaced_and_its_question_forgotten(kernel, kernel_manager, run_cell):
    run_cell("int state = 1;")
    msg_id = waiting(kernel, "state = 2; getchar();")
    (session,) = [p for p in children(kernel_pid(kernel_manager)) if is_asking(p)]
    os.kill(session, signal.SIGKILL)
    assert reply_of(kernel, msg_id)["content"]["status"] == "error"
    kernel.input("late")
    assert run_cell("state").result == "1"
    assert run(kernel, "getchar()", "x")[2] == "120"


def is_asking(pid):
    """Whether a process waits in ppoll: a sleeping copy of the session does not."""
    with open(f"/proc/{pid}/syscall") as f:
        return f.read().split()[0] == "271"


def test_shutdown_while_a_cell_waits_leaves_no_process(kernel, kernel_manager):
    waiting(kernel)
    processes = [kernel_pid(kernel_manager)] + children(kernel_pid(kernel_manager))
    send(kernel, "shutdown_request", {"restart": False}, channel="control")
    assert kernel_manager.provisioner.process.wait(timeout=10) == 0
    assert [pid for pid in processes if alive(pid)] == []


def test_a_kernel_killed_while_a_cell_waits_takes_its_session_along(kernel, kernel_manager):
    waiting(kernel)
    below = children(kernel_pid(kernel_manager))
    os.kill(kernel_pid(kernel_manager), signal.SIGKILL)
    kernel_manager.provisioner.process.wait(timeout=10)
    until(lambda: not any(alive(p) for p in below), "the session's end")


# ---- other clients ----

def test_a_notebook_that_reads_stdin_says_so_when_it_is_executed_by_nbclient(kernelspec_env, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('int n;\nscanf("%d", &n);')])
    client = NotebookClient(notebook, kernel_name=KERNEL_NAME, resources={"metadata": {"path": str(tmp_path)}})
    with pytest.raises(CellExecutionError, match="InputNotAllowed: the cell reads from stdin, and this front end gives no input"):
        client.execute()
