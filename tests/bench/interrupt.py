"""How long the stop button takes: from the interrupt_request to `idle`, for each way in which a cell can keep busy.

    interrupt.py [TIMES [WORD...]]     20 times each; only cases whose name has one of the words

Each cell makes a file when it is about to begin what is interrupted; 20 ms later the interrupt is sent. After each the state must be
what it was. Prints p50 and the longest.
"""

import os
import pathlib
import sys
import tempfile
import time

from jupyter import Kernel

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build")).absolute()
INSIDE_S = 0.02  # from the file's appearance until the cell is well inside of what is to be interrupted

PREPARE = """
#include <arpa/inet.h>
#include <fcntl.h>
#include <dlfcn.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>
int kept = 41, ends[2], sockets[2], listener;
pipe(ends);
socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
listener = socket(AF_INET, SOCK_STREAM, 0);
listen(listener, 1);
void begun(void) { close(open("begun", O_CREAT | O_WRONLY, 0600)); }
void *busy(void *p) { for (volatile long n = 0;; n++) { } return p; }
int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int *numbers = malloc(64 << 20);
double *matrix = calloc(3 * 2000 * 2000, sizeof *matrix);
void fill(void) { for (int i = 0; i < 16 << 20; i++) numbers[i] = rand(); }
int locked(void) {
    sqlite3 *one, *two;
    sqlite3_open("test.db", &one);
    sqlite3_open("test.db", &two);
    sqlite3_exec(one, "begin exclusive", NULL, NULL, NULL);
    sqlite3_busy_timeout(two, 100000);
    begun();
    return sqlite3_exec(two, "create table t (n)", NULL, NULL, NULL);
}
"""
CC = "_Complex double only_cc_has_this = 1;\n"

CASES = {
    "for (;;)": "begun(); for (;;);",
    "for (;;) by cc": CC + "begun(); for (volatile long n = 0;; n++) { }",
    "sleep": "begun(); sleep(100);",
    "sleep by cc": CC + "begun(); sleep(100);",
    "pause": "begun(); pause();",
    "read of a pipe": "char byte; begun(); read(ends[0], &byte, 1);",
    "write to a full pipe": "char block[4096] = { 0 }; begun(); for (;;) write(ends[1], block, sizeof block);",
    "recv": "char byte; begun(); recv(sockets[0], &byte, 1, 0);",
    "accept": "begun(); accept(listener, NULL, NULL);",
    "poll": "struct pollfd p = { .fd = ends[0], .events = POLLIN }; char c; fcntl(ends[0], F_SETFL, O_NONBLOCK);"
            "while (read(ends[0], &c, 1) == 1); fcntl(ends[0], F_SETFL, 0); begun(); poll(&p, 1, -1);",
    "select": "fd_set set; FD_ZERO(&set); FD_SET(sockets[0], &set); begun(); select(sockets[0] + 1, &set, NULL, NULL, NULL);",
    "semaphore": "sem_t s; sem_init(&s, 0, 0); begun(); sem_wait(&s);",
    "fgets of a pipe": "FILE *f = fdopen(dup(sockets[1]), \"r\"); char line[80]; begun(); fgets(line, sizeof line, f);",
    "system": 'begun(); system("sleep 100");',
    "sqlite's busy timeout": "locked();",
    "printf without end": 'begun(); for (;;) printf("x\\n");',
    "malloc and free, small": "begun(); for (;;) free(malloc(1000));",
    "malloc and free, large": "begun(); for (;;) free(malloc(1 << 20));",
    "qsort with the cell's comparison": "fill(); begun(); for (;;) { qsort(numbers, 16 << 20, sizeof *numbers, compare); fill(); }",
    "memcpy of 32 MB": "begun(); for (;;) memcpy(numbers, numbers + (8 << 20), 32 << 20);",
    "sin and cos": "volatile double x = 1; begun(); for (;;) x = sin(x) + cos(x);",
    "matrix product of a library": 'void (*dgemm)(int, int, int, int, int, int, double, double *, int, double *, int, double, double *, int) ='
        ' dlsym(dlopen("libgslcblas.so.0", RTLD_NOW), "cblas_dgemm"); begun();'
        ' for (;;) dgemm(101, 111, 111, 2000, 2000, 2000, 1, matrix, 2000, matrix + 4000000, 2000, 0, matrix + 8000000, 2000);',
    "pthread_join of 8 busy threads": "pthread_t threads[8]; for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, busy, NULL);"
                                      " begun(); pthread_join(threads[0], NULL);",
}
FRESH = {"pthread_join of 8 busy threads"}  # a kernel each time: what it started goes on


def start(folder):
    kernel = Kernel([str(BUILD / "weir-kernel"), "-f"], folder)
    kernel.patience(20)
    kernel.execute(PREPARE)
    return kernel


def interrupt(kernel, folder, code):
    """Seconds to idle; the state must be kept."""
    file = pathlib.Path(folder) / "begun"
    file.unlink(missing_ok=True)
    identity = kernel.begin(code)[0]
    deadline = time.monotonic() + 20
    while not file.exists():
        if time.monotonic() > deadline:
            raise RuntimeError("the cell does not begin")
        time.sleep(0.001)
    time.sleep(INSIDE_S)
    seconds, replied = kernel.interrupt(True, identity)
    assert replied
    shown = [content["data"]["text/plain"] for kind, content in kernel.execute("kept + 1")[1] if kind == "execute_result"]
    assert shown == ["42"], shown
    return seconds


def measure(name, times):
    with tempfile.TemporaryDirectory() as folder:
        kernel = start(folder)
        seconds = []
        for _ in range(times):
            if name in FRESH and seconds:
                kernel.close()
                kernel = start(folder)
            seconds.append(interrupt(kernel, folder, CASES[name]))
        kernel.close()
    return sorted(seconds)


def main(arguments):
    times, words = int(arguments[0]) if arguments else 20, arguments[1:]
    for name in CASES:
        if not words or any(word in name for word in words):
            try:
                seconds = measure(name, times)
            except Exception as e:  # noqa: BLE001  (the other cases are of interest too)
                print(f"{name:36} {type(e).__name__}: {e}"[:150], flush=True)
                continue
            print(f"{name:36} p50 {seconds[len(seconds) // 2] * 1000:6.2f} ms   longest {seconds[-1] * 1000:6.2f} ms", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
