"""What a cell prints: in order, in time, all of it, and never so much that a front end breaks."""

import pathlib
import re
import time

import pytest

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
])
def test_every_way_to_stderr_keeps_the_order(run_cell, code):
    ran = run_cell("#include <unistd.h>\n" + code)
    assert [name for name, _ in streams(ran)] == ["stdout", "stderr", "stdout"]
    assert ran.stream() == "a\nc\n" and ran.stream("stderr").startswith("b")


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


def test_bytes_that_are_no_text(run_cell):
    ran = run_cell('write(1, "\\xff\\xfe" "ok\\0end\\n", 9);')
    assert ran.stream() == "��ok�end\n"


def test_half_a_character_in_two_writes(run_cell):
    ran = run_cell('printf("\\xc5"); fflush(stdout); usleep(50000); printf("\\xbe!\\n");')
    assert ran.stream() == "ž!\n"


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
