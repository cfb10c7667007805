"""A cell that ends its session is rolled back: one error, and all state from before the cell."""

import os
import pathlib
import signal
import time

import pytest

from helpers import alive, children, kernel_pid, until, wait_busy, reply_of

HEADERS = """#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
int state = 1; char *heap; int *wild = (int *)0x1000; FILE *file;
int deref(int *p) { return *p; }
"""

ENDS = {
    "a read through NULL": ("deref(NULL);", "SegmentationFault"),
    "a write to a wild pointer": ("*wild = 5;", "SegmentationFault"),
    "a call of no function": ("((void (*)(void))wild)();", "SegmentationFault"),
    "a write to a string literal": ("strcpy((char *)deref, \"x\"); *(volatile int *)main_data() = 1;", None),
    "a division by zero": ("int zero = state - state; state = 5 / zero;", "ArithmeticError"),
    "abort": ("abort();", "Abort"),
    "a failed assert": ("assert(state == 3);", "Abort"),
    "a double free": ("char *p = malloc(10); free(p); free(p);", "Abort"),
    "a free of what malloc never gave": ("free(heap + 8);", "Abort"),
    "exit": ("exit(3);", "Exit"),
    "_exit": ("_exit(4);", "Exit"),
    "endless recursion": ("int again(int n) { volatile char a[5000]; a[0] = 1; return again(n + 1) + a[0]; }\nagain(1);",
                          "StackOverflow"),
    "SIGTERM": ("raise(SIGTERM);", "Killed"),
    "SIGKILL": ("kill(getpid(), SIGKILL);", "Killed"),
    "a bus error": ("char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(tmpfile()), 0); m[0] = 1;",
                    "BusError"),
    "all descriptors closed": ("for (int i = 0; i < 100; i++) close(i);\nderef(NULL);", "SegmentationFault"),
}
del ENDS["a write to a string literal"]


@pytest.fixture
def prepared(run_cell):
    ran = run_cell(HEADERS + "heap = malloc(1 << 20); memset(heap, 7, 1 << 20);")
    assert ran.reply["status"] == "ok", ran.reply
    return run_cell


def error_of(ran):
    """The one error of a cell, and nothing after it."""
    assert ran.types()[-1] == "error" and len(ran.of("error")) == 1, ran.types()
    assert ran.reply["status"] == "error"
    return ran.of("error")[0]


@pytest.mark.parametrize("how", ENDS)
def test_a_cell_that_ends_its_session_changes_nothing(prepared, how):
    code, ename = ENDS[how]
    error = error_of(prepared("state = 2; heap[5] = 9; int fresh = 1;\n" + code))
    assert error["ename"] == ename
    assert error["traceback"][-1] == "The state from before the cell is back."
    assert prepared("state * 100 + heap[5]").result == "107"
    assert prepared("fresh").reply["ename"] == "CompileError"


def test_the_traceback_goes_over_several_cells(prepared):
    prepared("int twice(int *p)\n{\n    return 2 * deref(p);\n}")
    error = error_of(prepared("int n = 0;\nn += twice(NULL);"))
    assert error["traceback"] == [
        "SegmentationFault: NULL pointer: no memory at address 0x0",
        "cell [1] line 11 in deref",
        "    int deref(int *p) { return *p; }",
        "cell [2] line 3 in twice",
        "    return 2 * deref(p);",
        "cell [3] line 2",
        "    n += twice(NULL);",
        "The state from before the cell is back.",
    ]


@pytest.mark.parametrize("code", ['assert(state == 3 && "text");', 'setenv("NAME", "text", 1);\nabort();', 'printf("%s\\n", (char *)state);'],
                         ids=["assert", "abort", "printf"])
def test_a_crash_in_a_library_has_its_line_also_beside_text(prepared, code):
    """What looks like a return address on the stack may be a pointer to one of the cell's string literals."""
    traceback = error_of(prepared(code))["traceback"]
    assert f"cell [2] line {len(code.splitlines())}" in traceback


def test_what_was_printed_before_the_crash_is_seen(prepared):
    ran = prepared('printf("before "); printf("the crash\\n"); deref(NULL);')
    assert ran.stream() == "before the crash\n"
    error_of(ran)


def test_many_crashes_in_a_row(prepared):
    for i in range(30):
        error_of(prepared("state++; deref(NULL);"))
        assert prepared("state++").result == str(1 + i)


def test_a_cell_that_kills_its_process_group_at_once_never_meets_the_copy(prepared):
    prepared("void *sleeper(void *a) { for (;;) pause(); }\npthread_t t;")
    for i in range(150):
        prepared(f"state = {i}; pthread_create(&t, NULL, sleeper, NULL);")
        error = error_of(prepared("kill(0, SIGKILL);\npause();"))
        assert error["traceback"][1:] == ["The state from before the cell is back.", "1 thread that ran before the cell has ended."]
        assert prepared("state").result == str(i)


def test_the_users_wait_finds_no_copies(prepared):
    assert prepared("wait(NULL)").result == "-1"
    assert prepared("if (fork() == 0) _exit(7);\nint status; wait(&status); WEXITSTATUS(status)").result == "7"


def test_a_pipe_closed_in_a_later_cell_ends_for_its_reader(prepared):
    """A copy that kept its end would keep the reader waiting for ever."""
    prepared('FILE *to = popen("cat", "w"); fprintf(to, "through a pipe\\n");')
    prepared("state++;")
    ran = prepared("pclose(to)")
    assert ran.result == "0" and ran.stream() == "through a pipe\n"


def test_lost_threads_are_told(prepared):
    prepared("void *sleeper(void *a) { for (;;) pause(); }\npthread_t t; pthread_create(&t, NULL, sleeper, NULL);")
    error = error_of(prepared("deref(NULL);"))
    assert error["traceback"][-1] == "1 thread that ran before the cell has ended."


def test_closed_pipes_are_told(prepared):
    ran = prepared("int ends[2]; pipe(ends); ends[0]")
    error = error_of(prepared("deref(NULL);"))
    first = int(ran.result)
    assert error["traceback"][-1] == f"Pipes and sockets from before the cell are closed: descriptors {first}, {first + 1}."


def test_a_files_place_is_set_back_and_what_was_written_stays(prepared, tmp_path):
    path = tmp_path / "out.txt"
    prepared(f'file = fopen("{path}", "w+"); fprintf(file, "first\\n"); fflush(file);')
    error = error_of(prepared('fprintf(file, "second\\n"); fflush(file); deref(NULL);'))
    assert error["traceback"][-1] == f"What the cell wrote to files stays written ({path})."
    assert path.read_text() == "first\nsecond\n"
    prepared('fprintf(file, "third\\n"); fflush(file);')
    assert path.read_text() == "first\nthird\n\n"


def test_processes_of_the_crashed_cell_end_and_earlier_ones_go_on(prepared, kernel_manager):
    earlier = int(prepared("pid_t earlier = fork(); if (earlier == 0) { for (;;) pause(); }\nearlier").result)
    prepared("usleep(30000);")  # the kernel tells old from new by clock ticks of 10 ms
    error = error_of(prepared("if (fork() == 0) { for (;;) pause(); }\nderef(NULL);"))
    assert error["traceback"][-1] == "1 process that the cell had started was ended."
    assert alive(earlier)
    os.kill(earlier, signal.SIGKILL)


def test_a_crash_in_a_magics_c_is_rolled_back_too(prepared):
    error = error_of(prepared("%lsmagic\nstate = 3;\nderef(NULL);"))
    assert "cell [2] line 3" in error["traceback"]
    assert prepared("state").result == "1"


def test_a_crash_in_a_cell_compiled_by_cc_has_its_lines(prepared):
    error = error_of(prepared("_Complex double z = 1;\nint add(int *p)\n{\n    return *p + (int)z;\n}\nstate = 4;\nadd(NULL);"))
    assert "cell [2] line 4 in add" in error["traceback"]
    assert prepared("state").result == "1"


def test_an_interrupted_cell_keeps_what_it_did_and_a_later_crash_goes_back_to_that(prepared, kernel):
    msg_id = kernel.execute("state = 50;\nfor (;;) { }")
    wait_busy(kernel, msg_id)
    time.sleep(0.2)
    kernel.parent.interrupt_kernel()
    assert reply_of(kernel, msg_id)["content"]["ename"] == "KeyboardInterrupt"
    error_of(prepared("state = 60; deref(NULL);"))
    assert prepared("state").result == "50"


def test_a_crash_goes_back_to_a_cell_that_was_interrupted_while_its_threads_went_on(prepared, kernel):
    msg_id = kernel.execute("void *busy(void *a) { for (;;) { } return a; }\npthread_t t[4];\n"
                            "for (int i = 0; i < 4; i++) pthread_create(&t[i], NULL, busy, NULL);\n"
                            "state = 70; pthread_join(t[0], NULL);")
    wait_busy(kernel, msg_id)
    time.sleep(0.2)
    kernel.parent.interrupt_kernel()
    assert reply_of(kernel, msg_id)["content"]["ename"] == "KeyboardInterrupt"
    error = error_of(prepared("state = 80; deref(NULL);"))
    assert error["traceback"][-1] == "4 threads that ran before the cell have ended."
    assert prepared("state").result == "70"


def test_no_process_is_left_by_crashes(prepared, kernel_manager):
    for _ in range(5):
        error_of(prepared("deref(NULL);"))
    pid = kernel_pid(kernel_manager)
    states = lambda: [pathlib.Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()[0] for p in children(pid)]
    until(lambda: "Z" not in states(), "the end of all zombies")
    assert len(children(pid)) == 3  # the session, its copy, and the one for %undo


def test_a_thread_that_crashes_between_cells_is_told_in_the_next(prepared, kernel_manager):
    prepared("void *late(void *a) { usleep(100000); return (void *)(long)deref(NULL); }\nstate = 5;\n"
             "pthread_t t; pthread_create(&t, NULL, late, NULL);")
    before = children(kernel_pid(kernel_manager))
    until(lambda: set(children(kernel_pid(kernel_manager))) - set(before), "another session")
    ran = prepared("state")
    assert ran.result == "5"
    assert ran.stream("stderr").startswith("weir: after cell [2] a thread crashed, and the session with it; its state is back.\n"
                                           "  SegmentationFault: NULL pointer: no memory at address 0x0\n"
                                           "  cell [1] line 11 in deref\n")
