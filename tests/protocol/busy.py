"""Ways for a cell to be busy for ever, for the tests of the stop button and for its bench."""

INSIDE = "is inside now"  # what a cell prints when what is to be interrupted comes next

PREPARE = """
#include <arpa/inet.h>
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
#include <unistd.h>
int kept = 41, ends[2], sockets[2], listener;
pipe(ends);
socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
listener = socket(AF_INET, SOCK_STREAM, 0);
listen(listener, 1);
void begun(void) { write(1, "is inside now\\n", 14); }
void *busy(void *p) { for (volatile long n = 0;; n++) { } return p; }
int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int *numbers = malloc(64 << 20);
double *matrix = calloc(3 * 2000 * 2000, sizeof *matrix);
void fill(void) { for (int i = 0; i < 4 << 20; i++) numbers[i] = rand(); }
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
BY_CC = "_Complex double only_cc_has_this = 1;\n"
LIBRARY = """void (*dgemm)(int, int, int, int, int, int, double, double *, int, double *, int, double, double *, int) =
    dlsym(dlopen("libgslcblas.so.0", RTLD_NOW), "cblas_dgemm");
begun();
for (;;) dgemm(101, 111, 111, 2000, 2000, 2000, 1, matrix, 2000, matrix + 4000000, 2000, 0, matrix + 8000000, 2000);"""
JOIN = """pthread_t threads[8];
for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, busy, NULL);
begun();
pthread_join(threads[0], NULL);"""

BUSY = {
    "for (;;)": "begun(); for (;;);",
    "for (;;) by cc": BY_CC + "begun(); for (volatile long n = 0;; n++) { }",
    "sleep": "begun(); sleep(100);",
    "sleep by cc": BY_CC + "begun(); sleep(100);",
    "pause": "begun(); pause();",
    "read of a pipe": "char byte; begun(); read(ends[0], &byte, 1);",
    "write to a full pipe": "int full[2]; pipe(full); char block[4096] = { 0 }; begun(); for (;;) write(full[1], block, 4096);",
    "recv": "char byte; begun(); recv(sockets[0], &byte, 1, 0);",
    "connect": "int own = socket(AF_INET, SOCK_STREAM, 0); listen(own, 1); struct sockaddr_in a; socklen_t size = sizeof a;"
               "getsockname(own, (struct sockaddr *)&a, &size); begun();"
               "for (;;) connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, size);",
    "accept": "begun(); accept(listener, NULL, NULL);",
    "poll": "struct pollfd p = { .fd = ends[0], .events = POLLIN }; begun(); poll(&p, 1, -1);",
    "select": "fd_set set; FD_ZERO(&set); FD_SET(sockets[0], &set); begun(); select(sockets[0] + 1, &set, NULL, NULL, NULL);",
    "semaphore": "sem_t s; sem_init(&s, 0, 0); begun(); sem_wait(&s);",
    "fgets of a pipe": "FILE *f = fdopen(dup(sockets[1]), \"r\"); char line[80]; begun(); fgets(line, sizeof line, f);",
    "system": 'begun(); system("sleep 100");',
    "sqlite's busy timeout": "locked();",
    "printf without end": 'begun(); for (;;) printf("x\\n");',
    "malloc and free, small": "begun(); for (;;) free(malloc(1000));",
    "malloc and free, large": "begun(); for (;;) free(malloc(1 << 20));",
    "qsort with the cell's comparison": "fill(); begun(); for (;;) { qsort(numbers, 4 << 20, sizeof *numbers, compare); fill(); }",
    "memcpy of 32 MB": "begun(); for (;;) memcpy(numbers, numbers + (8 << 20), 32 << 20);",
    "sin and cos": "volatile double x = 1; begun(); for (;;) x = sin(x) + cos(x);",
    "matrix product of a library": LIBRARY,
    "pthread_join of 8 busy threads": JOIN,
}
