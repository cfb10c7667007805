"""A thousand crashes of all kinds in one kernel, with a heap of 100 MB, open files and a live thread: each gives one error that
says where, and all is as it was before, in the session and around it."""

import random
import statistics
import time

import pytest
from client import Kernel, Wrong, descriptors, memory
from crashes import CRASHES, HELPERS, check_error
from sizes import say  # noqa: F401  (a fixture)

CRASHES_RUN = 1000
HEAP = 100 << 20
P99_SECONDS = 0.5
KERNEL_GROWTH = 1 << 20  # bytes of the kernel process, from a quarter of the crashes on

STATE = f"""
#include <sys/stat.h>
unsigned *soak_heap; size_t soak_words = {HEAP} / sizeof(unsigned);
int soak_count; double soak_half = 0.5; char soak_text[64] = "unchanged"; struct {{ int a; char b[5]; }} soak_struct = {{ 7, "four" }};
FILE *soak_read, *soak_write; int soak_fd;
volatile long soak_beats; pthread_t soak_beating;
unsigned soak_checksum(void)
{{
    unsigned s = 1;
    for (size_t i = 0; i < soak_words; i += 64) s = s * 31 + soak_heap[i];
    return s;
}}
void *soak_beat(void *none) {{ for (;;) {{ free(malloc(100)); soak_beats++; usleep(200); }} return none; }}
void soak_say_state(void)
{{
    char folder[4096];
    printf("%u %d %g %s %d%s ", soak_checksum(), soak_count, soak_half, soak_text, soak_struct.a, soak_struct.b);
    mode_t mask = umask(022);
    umask(mask);
    printf("%ld %ld %ld %s %s %o %d\\n", ftell(soak_read), ftell(soak_write), (long)lseek(soak_fd, 0, SEEK_CUR), getcwd(folder, sizeof folder),
           getenv("SOAK"), mask, soak_zero);
}}
soak_heap = malloc({HEAP});
for (size_t i = 0; i < soak_words; i++) soak_heap[i] = (unsigned)i * 2654435761u;
soak_read = fopen("read.txt", "w+"); for (int i = 0; i < 1000; i++) fprintf(soak_read, "line %d\\n", i);
rewind(soak_read); for (int i = 0; i < 10; i++) {{ char line[20]; fgets(line, sizeof line, soak_read); }}
soak_write = fopen("written.txt", "w"); fprintf(soak_write, "ten bytes\\n"); fflush(soak_write);
soak_fd = open("read.txt", O_RDWR); lseek(soak_fd, 77, SEEK_SET);
setenv("SOAK", "kept", 1);
"""
# What each crashing cell does before it crashes.
HARM = """soak_count = -1; soak_half = 99; strcpy(soak_text, "changed"); soak_struct.a = -1; soak_heap[soak_words / 2] = 0;
memset(soak_heap + 64 * 1000, 0, 1 << 20); fseek(soak_read, 3, SEEK_SET); fgetc(soak_read); lseek(soak_fd, 5, SEEK_SET);
setenv("SOAK", "changed", 1); int soak_fresh = 1;
"""
START_THREAD = "pthread_create(&soak_beating, NULL, soak_beat, NULL);\nwhile (soak_beats < 3) usleep(100);\nsoak_beats = 0;"


class Soak:
    def __init__(self, kernel):
        self.kernel = kernel
        self.seconds = []
        for text in (HELPERS, STATE):
            ran = kernel.run(text)
            assert ran.status == "ok", ran
        self.state = self.read()

    def read(self):
        ran = self.kernel.run("soak_say_state();")
        assert ran.status == "ok" and not ran.stderr, ran
        return ran.stdout

    def crash(self, name):
        """One crash, with the thread running; what is wrong then, or None."""
        ran = self.kernel.run(START_THREAD)
        assert ran.status == "ok" and not ran.stderr, ran
        crash = CRASHES[name]
        text = HARM + crash.code
        ran = self.kernel.run(text)
        self.seconds.append(ran.seconds)
        wrong = check_error(ran, crash, f"cell [{ran.reply['execution_count']}] line {len(text.splitlines())}")
        if not wrong and "1 thread that ran before the cell has ended." not in ran.errors[0]["traceback"]:
            wrong = f"the lost thread isn't told: {ran.errors[0]['traceback']}"
        state = self.read()
        if not wrong and state != self.state:
            wrong = f"the state is {state} and was {self.state}"
        if not wrong and self.kernel.run("soak_fresh").status == "ok":
            wrong = "what the cell declared is still there"
        return wrong

    def left_over(self):
        """Processes below the kernel that are none of its own; waits for those that are ending."""
        end = time.monotonic() + 10
        while True:
            found = self.kernel.processes()
            if "Z" not in found.values() and len(found) <= 12:  # the session, its copy, ten for %undo
                return {}
            if time.monotonic() > end:
                return found


def crash_names():
    """All kinds again and again, in an order that is random and always the same."""
    rng, names = random.Random(4), []
    while len(names) < CRASHES_RUN:
        round_of = list(CRASHES)
        rng.shuffle(round_of)
        names += round_of
    return names[:CRASHES_RUN]


@pytest.mark.timeout(1800)
def test_no_crash_costs_any_state(weir_build, tmp_path, say):
    failed = []
    with Kernel(weir_build, tmp_path) as kernel:
        soak = Soak(kernel)
        fds = descriptors(kernel.process.pid)
        session_fds = kernel.run("(int)system(\"ls /proc/$PPID/fd | wc -l\")").stdout
        for i, name in enumerate(crash_names()):
            try:
                wrong = soak.crash(name)
            except (Wrong, AssertionError) as e:
                failed.append(f"crash {i}, {name}: {e}")
                break
            if wrong:
                failed.append(f"crash {i}, {name}: {wrong}")
            if wrong and "traceback" not in wrong:
                break  # the next ones would only repeat it
            if i == CRASHES_RUN // 4:
                before = memory(kernel.process.pid)
        assert not failed, "\n".join(failed)
        assert soak.left_over() == {}
        assert descriptors(kernel.process.pid) == fds
        assert kernel.run("(int)system(\"ls /proc/$PPID/fd | wc -l\")").stdout == session_fds
        growth = memory(kernel.process.pid) - before
        times = sorted(soak.seconds)
        say(f"{len(times)} crashes beside 100 MB: p50 {statistics.median(times) * 1e3:.1f} ms, p99 {times[len(times) * 99 // 100] * 1e3:.1f}, "
            f"max {times[-1] * 1e3:.1f}; the kernel grew by {growth // 1024} KiB")
        assert growth < KERNEL_GROWTH
        assert times[len(times) * 99 // 100] < P99_SECONDS
        assert kernel.shutdown() == 0
