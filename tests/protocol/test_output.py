"""What a cell prints: in order, in time, all of it, and never so much that a front end breaks."""

import pathlib
import re
import time

import pytest

from conftest import run_on
from helpers import outputs_of, reply_of, wait_busy

THREADS = "#include <pthread.h>\n#include <stdio.h>\n#include <unistd.h>\n"


def streams(ran):
    """[("stdout", "..."), ...] with neighbours of one stream joined."""
    joined = []
    for c in ran.of("stream"):
        if joined and joined[-1][0] == c["name"]:
            joined[-1] = (c["name"], joined[-1][1] + c["text"])
        else:
            joined.append((c["name"], c["text"]))
    return joined


PAIRS = 'for (int i = 0; i < 500; i++) { printf("out%d\\n", i); fprintf(stderr, "err%d\\n", i); }'


def pairs(n):
    return [pair for i in range(n) for pair in (("stdout", f"out{i}\n"), ("stderr", f"err{i}\n"))]


def test_many_lines_keep_their_order(run_cell):
    assert streams(run_cell(PAIRS)) == pairs(500)


def test_a_child_keeps_the_order_too(run_cell):
    code = "#include <sys/wait.h>\n#include <unistd.h>\n" + f"if (fork() == 0) {{ {PAIRS} exit(0); }} wait(NULL);"
    assert streams(run_cell(code)) == pairs(500)


def test_two_threads_that_take_turns_keep_the_order(run_cell):
    run_cell(THREADS + """
sem_t odd, even;
void *outs(void *a) { for (int i = 0; i < 100; i++) { sem_wait(&even); printf("out%d\\n", i); sem_post(&odd); } return a; }
void *errs(void *a) { for (int i = 0; i < 100; i++) { sem_wait(&odd); fprintf(stderr, "err%d\\n", i); sem_post(&even); } return a; }
""".replace("\nsem_t", "#include <semaphore.h>\nsem_t", 1))
    ran = run_cell("sem_init(&odd, 0, 0); sem_init(&even, 0, 1); pthread_t a, b; pthread_create(&a, NULL, outs, NULL);\n"
                   "pthread_create(&b, NULL, errs, NULL); pthread_join(a, NULL); pthread_join(b, NULL);")
    assert streams(ran) == pairs(100)


def test_stdout_and_stderr_keep_their_order(run_cell):
    for _ in range(20):
        ran = run_cell('for (int i = 0; i < 5; i++) { printf("out%d\\n", i); fprintf(stderr, "err%d\\n", i); }')
        assert streams(ran) == [pair for i in range(5) for pair in (("stdout", f"out{i}\n"), ("stderr", f"err{i}\n"))]


@pytest.mark.parametrize("code", [
    'printf("a\\n"); perror("b"); printf("c\\n");',
    'printf("a\\n"); write(2, "b\\n", 2); printf("c\\n");',
    'printf("a\\n"); dprintf(2, "%s\\n", "b"); printf("c\\n");',
    'printf("a\\n"); fputs("b\\n", stderr); printf("c\\n");',
    'setvbuf(stdout, NULL, _IONBF, 0); printf("a\\n"); fputc(98, stderr); fputc(10, stderr); printf("c\\n");',
    'printf("a\\n"); system("echo b >&2"); printf("c\\n");',
    'printf("a\\n"); fclose(popen("cat >&2", "w")); system("echo b >&2"); printf("c\\n");',
    'printf("a\\n"); fwprintf(stderr, L"%s\\n", "b"); printf("c\\n");',
    'printf("a\\n"); fputws(L"b", stderr); fputwc(L\'\\n\', stderr); printf("c\\n");',
    'char *argv[] = { "sh", "-c", "echo b >&2", NULL };\n'
    'printf("a\\n"); pid_t p; posix_spawnp(&p, "sh", NULL, NULL, argv, NULL); waitpid(p, NULL, 0); printf("c\\n");',
    'printf("a\\n"); if (fork() == 0) execl("/bin/sh", "sh", "-c", "echo b >&2", (char *)NULL); wait(NULL); printf("c\\n");',
    'if (fork() == 0) { printf("a\\n"); execl("/bin/sh", "sh", "-c", "echo b >&2; echo c", (char *)NULL); } wait(NULL);',
])
def test_every_way_to_stderr_keeps_the_order(run_cell, code):
    ran = run_cell("#include <spawn.h>\n#include <sys/wait.h>\n#include <unistd.h>\n#include <wchar.h>\n" + code)
    assert [name for name, _ in streams(ran)] == ["stdout", "stderr", "stdout"]
    assert ran.stream() == "a\nc\n" and ran.stream("stderr").startswith("b")


def test_descriptor_1_itself_keeps_the_order_with_printf(run_cell):
    ran = run_cell('#include <unistd.h>\nprintf("a"); write(1, "b", 1); printf("c"); dprintf(1, "d");')
    assert ran.stream() == "abcd"


def test_a_signal_handler_that_prints_to_stderr_stops_nothing(run_cell):
    """The handler often finds stdout in the middle of being written."""
    run_cell("#include <signal.h>\n#include <sys/time.h>\nvoid on_alarm(int n) { fputs(\"!\", stderr); }")
    ran = run_cell('struct itimerval t = { { 0, 1000 }, { 0, 1000 } };\nsignal(SIGALRM, on_alarm); setitimer(ITIMER_REAL, &t, NULL);\n'
                   'for (int i = 0; i < 150000; i++) printf("line %d\\n", i);\n'
                   "t = (struct itimerval){ 0 }; setitimer(ITIMER_REAL, &t, NULL);")
    assert ran.stream() == "".join(f"line {i}\n" for i in range(150000))
    assert set(ran.stream("stderr")) == {"!"}


@pytest.mark.parametrize("put", ["putchar", "putchar_unlocked"])
def test_single_characters_all_arrive_while_we_look_for_them(run_cell, put):
    """For longer than some looks at what stdout holds, at each of which it is written out."""
    ran = run_cell(f"for (int i = 0; i < 100; i++) {{ for (int k = 0; k < 9999; k++) {put}('a' + i % 26); {put}('\\n'); }}")
    assert ran.stream() == "".join(chr(97 + i % 26) * 9999 + "\n" for i in range(100))


def test_poll_is_not_ended_by_us(run_cell):
    assert run_cell('#include <poll.h>\nprintf("text\\n"); poll(NULL, 0, 60)').result == "0"


def test_text_is_seen_though_all_signals_are_blocked(run_cell):
    """At the cell's end, and no signal of ours is waiting for the user's sigwait then."""
    ran = run_cell("#include <signal.h>\n#include <unistd.h>\nsigset_t all, before; sigfillset(&all); sigprocmask(SIG_SETMASK, &all, &before);\n"
                   'printf("text\\n"); syscall(7 /* poll */, NULL, 0, 100); sigprocmask(SIG_SETMASK, &before, NULL);')
    assert ran.reply["status"] == "ok" and ran.stream() == "text\n"


def test_what_threads_print_is_seen_while_the_cell_waits_for_them(kernel):
    msg_id = kernel.execute(THREADS + 'void *say(void *a) { printf("from a thread\\n"); sleep(3); return a; }\n'
                                      "pthread_t t; pthread_create(&t, NULL, say, NULL); pthread_join(t, NULL);")
    wait_busy(kernel, msg_id)
    start = time.monotonic()
    while kernel.get_iopub_msg(timeout=10)["msg_type"] != "stream":
        pass
    assert time.monotonic() - start < 1.5  # the thread itself goes on for 3 s
    reply_of(kernel, msg_id)


def test_what_is_printed_before_a_library_waits_is_seen(kernel):
    """poll is called by libc's own code here, not by the cell's."""
    msg_id = kernel.execute('#include <poll.h>\nprintf("waiting\\n"); int (*wait)(struct pollfd *, nfds_t, int) = poll; wait(NULL, 0, 2000);')
    wait_busy(kernel, msg_id)
    start = time.monotonic()
    while kernel.get_iopub_msg(timeout=10)["msg_type"] != "stream":
        pass
    assert time.monotonic() - start < 1
    reply_of(kernel, msg_id)


def test_what_a_thread_prints_after_the_cells_end_is_under_that_cell(kernel):
    msg_id = kernel.execute(THREADS + 'void *late(void *a) { usleep(200000); printf("late\\n"); for (;;) pause(); return a; }\n'
                                      "pthread_t t; pthread_create(&t, NULL, late, NULL);")
    outputs_of(kernel, msg_id)
    message = kernel.get_iopub_msg(timeout=10)
    assert (message["msg_type"], message["content"]["text"]) == ("stream", "late\n")
    assert message["parent_header"]["msg_id"] == msg_id


def late_thread(kernel, delay_us):
    """Run a cell whose thread prints "late" a while after a silent cell has begun; the cell's msg_id."""
    msg_id = kernel.execute(THREADS + "sem_t go;\nvoid *late(void *a) { sem_wait(&go); usleep((long)a); printf(\"late\\n\"); return a; }\n"
                            .replace("sem_t", "#include <semaphore.h>\nsem_t", 1) +
                            f"pthread_t t; sem_init(&go, 0, 0); pthread_create(&t, NULL, late, (void *){delay_us}L);")
    outputs_of(kernel, msg_id)
    return msg_id


def test_nothing_appears_in_a_silent_cells_place(kernel):
    msg_id = late_thread(kernel, 100000)
    silent = kernel.execute('printf("silent"); sem_post(&go);', silent=True)
    assert [m["msg_type"] for m in outputs_of(kernel, silent)] == ["status", "status"]
    message = kernel.get_iopub_msg(timeout=10)
    assert (message["msg_type"], message["content"]["text"]) == ("stream", "late\n")
    assert message["parent_header"]["msg_id"] == msg_id


def test_what_a_child_prints_after_the_cells_end_is_under_that_cell(kernel):
    msg_id = kernel.execute('system("(sleep 0.2; echo late; sleep 0.2; echo again >&2) &");')
    outputs_of(kernel, msg_id)
    for name, text in (("stdout", "late\n"), ("stderr", "again\n")):
        message = kernel.get_iopub_msg(timeout=10)
        assert (message["content"]["name"], message["content"]["text"]) == (name, text)
        assert message["parent_header"]["msg_id"] == msg_id


def test_a_hundred_thousand_lines_arrive(run_cell):
    ran = run_cell('for (int i = 0; i < 100000; i++) printf("line %d\\n", i);')
    assert ran.stream() == "".join(f"line {i}\n" for i in range(100000))
    ran = run_cell('for (int i = 0; i < 20000; i++) fprintf(stderr, "line %d\\n", i);')
    assert ran.stream("stderr") == "".join(f"line {i}\n" for i in range(20000))


@pytest.fixture
def store(monkeypatch, tmp_path):
    """A store of the test's own for the kernel that is started after this."""
    monkeypatch.setenv("WEIR_HOME", str(tmp_path / ".weir"))
    return tmp_path / ".weir"


def test_a_flood_is_capped_and_kept_whole_in_a_file(store, run_cell):
    ran = run_cell('for (int i = 0; i < 1000000; i++) printf("line %d\\n", i);')
    whole = "".join(f"line {i}\n" for i in range(1000000))
    assert len(ran.stream()) <= 2 << 20 and whole.startswith(ran.stream())
    begun, ended = ran.stream("stderr").strip().split("\n")
    assert begun.startswith("weir: the cell has printed more than 2.1 MB; what follows is not shown here. All of it: ")
    assert ended.startswith("weir: the cell printed 11.9 MB in all; it is in ")
    path = pathlib.Path(ended.rpartition(" ")[2])
    assert path.parent == store / "output" and re.fullmatch(r"\d{4}-\d\d-\d\d-\d{6}-\d+-cell-1\.txt", path.name)
    assert path.read_text() == whole
    assert run_cell('printf("small\\n");').stream() == "small\n"


def note_of(ran):
    return re.search(r"printed (.*) in all; it is in (.*)\n", ran.stream("stderr"))


def test_the_file_has_both_streams_in_order_and_every_byte(store, run_cell):
    ran = run_cell('for (int i = 0; i < 700; i++) { char b[4096]; memset(b, i, sizeof b); fwrite(b, 1, sizeof b, i % 7 ? stdout : stderr); }')
    assert pathlib.Path(note_of(ran)[2]).read_bytes() == b"".join(bytes([i % 256]) * 4096 for i in range(700))


def test_a_flood_without_end_is_stopped_and_keeps_its_file(store, kernel):
    msg_id = kernel.execute('for (long i = 0;; i++) printf("%ld\\n", i);')
    wait_busy(kernel, msg_id)
    while "more than" not in (kernel.get_iopub_msg(timeout=30)["content"].get("text") or ""):
        pass
    kernel.control_channel.send(kernel.session.msg("interrupt_request", {}))
    assert reply_of(kernel, msg_id)["content"]["ename"] == "KeyboardInterrupt"
    text = (next((store / "output").iterdir())).read_text()
    assert text.startswith("0\n1\n2\n") and len(text) > 2 << 20
    assert run_on(kernel, "1 + 1").result == "2"


def test_no_place_for_the_file_is_told_once_and_the_cell_goes_on(monkeypatch, tmp_path, request):
    (tmp_path / "home").write_text("a file where the store's folder would be")
    monkeypatch.setenv("WEIR_HOME", str(tmp_path / "home"))
    ran = request.getfixturevalue("run_cell")('for (int i = 0; i < 500000; i++) printf("line %d\\n", i);\n1 + 1')
    assert ran.result == "2"
    assert ran.stream("stderr") == ("\nweir: the cell has printed more than 2.1 MB; what follows is not shown here. It is lost: "
                                    "no file can be made for it in .weir/output\nweir: the cell printed 5.9 MB in all.\n")


def test_bytes_that_are_no_text(run_cell):
    ran = run_cell('write(1, "\\xff\\xfe" "ok\\0end\\n", 9);')
    assert ran.stream() == "��ok�end\n"


def test_half_a_character_in_two_writes(run_cell):
    ran = run_cell('printf("\\xc5"); fflush(stdout); usleep(50000); printf("\\xbe!\\n");')
    assert ran.stream() == "ž!\n"


def test_half_a_character_with_stderr_between(run_cell):
    ran = run_cell('printf("\\xe2\\x82"); fprintf(stderr, "error\\n"); printf("\\xac\\n");')
    assert ran.stream() == "€\n" and ran.stream("stderr") == "error\n"


def test_characters_that_json_escapes(run_cell):
    text = "".join(chr(c) for c in range(1, 128)) + '"\\/\u2028\U0001f600'
    literal = "".join(f"\\{b:03o}" for b in text.encode())
    assert run_cell(f'fwrite("{literal}", 1, {len(text.encode())}, stdout);').stream() == text


def test_closed_streams_are_back_in_the_next_cell(run_cell):
    assert run_cell('printf("a\\n"); fclose(stdout) + fclose(stderr)').result == "0"
    ran = run_cell('printf("b\\n"); fprintf(stderr, "c\\n");')
    assert streams(ran) == [("stdout", "b\n"), ("stderr", "c\n")]


def test_progress_by_carriage_returns_and_colours_pass(run_cell):
    ran = run_cell('for (int i = 0; i <= 3; i++) printf("\\r%d/3", i);\nprintf("\\n\\033[31mred\\033[0m\\b\\n");')
    assert ran.stream() == "\r0/3\r1/3\r2/3\r3/3\n\033[31mred\033[0m\b\n"


def test_a_program_that_sends_stdout_to_a_file_does_so_for_itself_alone(run_cell, tmp_path):
    ran = run_cell(f'int main(void) {{ freopen("{tmp_path}/out.txt", "w", stdout); printf("to the file\\n"); }}')
    assert ran.stream() == ""
    assert (tmp_path / "out.txt").read_text() == "to the file\n"
    assert run_cell('printf("to the notebook\\n");').stream() == "to the notebook\n"


def test_stderr_by_freopen_and_its_descriptor(run_cell, tmp_path):
    assert run_cell("fileno(stderr)").result == "2"
    run_cell(f'int main(void) {{ freopen("{tmp_path}/err.txt", "w", stderr); fprintf(stderr, "to the file\\n"); }}')
    assert (tmp_path / "err.txt").read_text() == "to the file\n"
    assert run_cell('fprintf(stderr, "here\\n");').stream("stderr") == "here\n"
