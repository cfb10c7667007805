"""A hundred thousand cells of all kinds in one kernel: what kernel and session hold stays the same."""

import pytest
from client import Kernel, descriptors, memory
from sizes import say, size  # noqa: F401  (say is a fixture)

CELLS = size(20000, 100000)
WARM = 10000  # until then caches, the history and the texts of cells fill, and the heap has its first huge page
SESSION_GROWTH = 2 << 20
KERNEL_GROWTH = 6 << 20  # the digests of up to 65,536 messages, so that none is taken twice: 4 MiB, and more while a set grows

# One round. Each text is run again and again, as by a user who goes over a notebook: redefinitions, values, errors, output.
ROUND = [
    "int a = {i}; double b[64] = {{ {i} }};",
    "int f(int x)\n{{\n    return x + a + {i};\n}}",
    "int g(int x) {{ return f(x) * 2; }}\nint (*p)(int) = f;",
    "p(1) + g(2) - f(3)",
    "struct point {{ double x, y; char name[8]; }} where = {{ {i}, 2, \"here\" }};\nwhere",
    "char *text = malloc(1000); snprintf(text, 1000, \"%d\", {i}); free(text);",
    "printf(\"line {i}\\n\"); fprintf(stderr, \"and {i}\\n\");",
    "for (int k = 0; k < 10; k++) {{ b[k] = sqrt(k + a); }}",
    "undeclared{i} = 1;",
    "int nowhere{i}(int); nowhere{i}(1);",
    "#define TIMES {i}\nint product = a * (TIMES % 7);",
    "%who",
    "a += {i};\n*(volatile int *)0 = 1;",
    "static int count; count++;\nqsort(b, 64, sizeof *b, compare);",
]
HELPERS = """#include <stdio.h>
#include <stdlib.h>
#include <math.h>
int compare(const void *x, const void *y) { double a = *(const double *)x, b = *(const double *)y; return (a > b) - (a < b); }
"""


def session_of(kernel):
    return int(kernel.run('printf("%d", getpid());').stdout)


@pytest.mark.timeout(3600)
def test_memory_is_flat_over_many_cells(weir_build, tmp_path, say):
    with Kernel(weir_build, tmp_path) as kernel:
        assert kernel.run(HELPERS).status == "ok"
        samples, seconds = [], []
        for i in range(CELLS):
            text = ROUND[i % len(ROUND)].format(i=i)
            ran = kernel.run(text)
            seconds.append(ran.seconds)
            assert ran.status == ("error" if i % len(ROUND) in (8, 9, 12) else "ok") or text == "%who", (text, ran)
            if i % (CELLS // 20) == 0 or i in (WARM, CELLS - 1):
                samples.append((i, memory(kernel.process.pid), memory(session_of(kernel))))
            if i == WARM:
                fds = descriptors(kernel.process.pid)
        warm = next(s for s in samples if s[0] >= WARM)
        last = samples[-1]
        tenth = len(seconds) // 10
        first_p50, last_p50 = (sorted(part)[tenth // 2] * 1e3 for part in (seconds[tenth:2 * tenth], seconds[-tenth:]))
        say("cells, kernel KiB, session KiB: " + "; ".join(f"{i} {k // 1024} {s // 1024}" for i, k, s in samples))
        say(f"p50 of a cell {first_p50:.2f} ms in the second tenth, {last_p50:.2f} in the last")
        assert last[1] - warm[1] < KERNEL_GROWTH
        assert last[2] - warm[2] < SESSION_GROWTH
        assert descriptors(kernel.process.pid) == fds
        assert last_p50 < 2 * first_p50 + 1
        assert kernel.shutdown() == 0
