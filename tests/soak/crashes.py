"""Every way for a cell to take its session down that we could think of.

A crash is C text whose last line is where it happens. names: what the error may be called. place: what the traceback must name:
HERE the last line as `cell [N] line L`; CHAIN a line of any cell (between callback and cell lies a library's code); NOWHERE for
what is killed from outside, or has no stack left to look at.
"""

import re
from dataclasses import dataclass

HERE, CHAIN, NOWHERE = "here", "chain", "nowhere"

# What the crashes use: in a cell of its own, before them.
HELPERS = r"""#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
int soak_zero;
jmp_buf soak_dead;
ucontext_t soak_main, soak_side;
int soak_deref(int *p) { return *p; }
int soak_deeper(int n) { volatile char frame[2000]; frame[n % 2000] = 1; return soak_deeper(n + 1) + frame[0]; }
void soak_huge(void) { volatile char big[64 << 20]; big[0] = 1; soak_zero = big[5]; }
void *soak_thread_deref(void *p) { return (void *)(long)soak_deref(p); }
void *soak_thread_abort(void *p) { abort(); return p; }
void *soak_thread_exit(void *p) { exit(6); return p; }
void *soak_thread_deeper(void *p) { return (void *)(long)soak_deeper(1); }
int soak_compare(const void *a, const void *b) { return soak_deref(NULL) + (a > b); }
int soak_row(void *ctx, int n, char **values, char **names) { return soak_deref(ctx); }
void soak_on_signal(int signo) { soak_deref((int *)(long)(signo - signo)); }
void soak_leave_by_handler(int signo) { _exit(9); }
void soak_side_entry(void) { if (setjmp(soak_dead) == 0) swapcontext(&soak_side, &soak_main); }
int soak_in_thread(void *(*f)(void *)) { pthread_t t; pthread_create(&t, NULL, f, NULL); return pthread_join(t, NULL); }
"""


@dataclass(frozen=True)
class Crash:
    code: str
    names: tuple
    place: str = HERE


def _crash(code, *names, place=HERE):
    return Crash(code, names, place)


SEGV = "SegmentationFault"
CRASHES = {
    "read of NULL": _crash("soak_deref(NULL);", SEGV),
    "write to NULL": _crash("*(volatile int *)NULL = 1;", SEGV),
    "call of NULL": _crash("((void (*)(void))NULL)();", SEGV),
    "read of a wild pointer": _crash("soak_deref((int *)0x123456789000);", SEGV),
    "write to a wild pointer": _crash("*(volatile int *)0x123456789000 = 1;", SEGV),
    "call of a wild pointer": _crash("((void (*)(void))0x123456789000)();", SEGV),
    "read of an impossible address": _crash("soak_deref((int *)0x1234567812345678);", SEGV),
    "call of an impossible address": _crash("((void (*)(void))0x1234567812345678)();", SEGV),
    "call into the heap": _crash("char *data = malloc(5000);\n((void (*)(void))data)();", SEGV),
    "call into a cell's data": _crash("static char data[64]; memset(data, 0x0f, sizeof data);\n((void (*)(void))data)();", "IllegalInstruction", SEGV,
                                      place=NOWHERE),
    "write to a library's code": _crash("*(volatile char *)dlsym(RTLD_DEFAULT, \"qsort\") = 0;", SEGV),
    "write to a library's constants": _crash("strerror(0)[0] = 'x';", SEGV),
    "write to read-only memory": _crash("char *m = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\nm[9] = 1;", SEGV),
    "endless recursion": _crash("soak_deeper(1);", "StackOverflow", place=CHAIN),  # too deep for the traceback's frames
    "a huge local array": _crash("soak_huge();", "StackOverflow"),
    "integer division by zero": _crash("soak_zero = 5 / soak_zero;", "ArithmeticError"),
    "remainder of division by zero": _crash("soak_zero = 5 % soak_zero;", "ArithmeticError"),
    "INT_MIN / -1": _crash("soak_zero = INT_MIN / (soak_zero - 1);", "ArithmeticError"),
    "abort": _crash("abort();", "Abort"),
    "assert": _crash("assert(soak_zero == 1);", "Abort"),
    "double free": _crash("char *p = malloc(40); free(p);\nfree(p);", "Abort"),
    "smashed heap": _crash("volatile char *p = malloc(2000); for (int i = -8; i < 0; i++) p[i] = 0x7f;\nfree((char *)p);", "Abort", SEGV),
    "smashed large heap": _crash("volatile char *p = malloc(200000); for (int i = -16; i < 0; i++) p[i] = 0x7f;\nfree((char *)p);", "Abort", SEGV),
    "free of a local": _crash("long a[8] = { 0 };\nfree(a + 2);", "Abort", SEGV),
    "free of the middle": _crash("char *p = malloc(100); p[-8 + 24] = 1;\nfree(p + 8);", "Abort", SEGV),
    "free of garbage": _crash("free((void *)0x1234560);", SEGV),
    "use of a freed large block": _crash("char *p = malloc(64 << 20); p[5] = 1; free(p);\np[5] = 2;", SEGV),
    "a cut file": _crash("FILE *f = tmpfile(); ftruncate(fileno(f), 8192);\n"
                         "char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);\nm[5000] = 1; ftruncate(fileno(f), 0);\n"
                         "m[5000] = 2;", "BusError"),
    "ud2": _crash("soak_zero = 0;\n__asm__ volatile(\"ud2\");", "IllegalInstruction", place=CHAIN),  # tcc: the line before
    "hlt": _crash("soak_zero = 0;\n__asm__ volatile(\"hlt\");", SEGV, place=CHAIN),
    "exit": _crash("exit(3);", "Exit"),
    "exit(0)": _crash("exit(0);", "Exit"),
    "_exit": _crash("_exit(4);", "Exit"),
    "_Exit": _crash("_Exit(4);", "Exit"),
    "quick_exit": _crash("quick_exit(5);", "Exit"),
    "exit_group": _crash("syscall(231, 7);", "Exit", place=NOWHERE),
    "raise(SIGSEGV)": _crash("raise(SIGSEGV);", SEGV),
    "raise(SIGTERM)": _crash("raise(SIGTERM);", "Killed", place=NOWHERE),
    "raise(SIGKILL)": _crash("raise(SIGKILL);", "Killed", place=NOWHERE),
    "raise(SIGHUP)": _crash("raise(SIGHUP);", "Killed", place=NOWHERE),
    "raise(SIGUSR2)": _crash("raise(SIGUSR2);", "Killed", place=NOWHERE),
    "an alarm": _crash("ualarm(1000, 0);\npause();", "Killed", place=NOWHERE),
    "too much processor time": _crash("struct rlimit soak_cpu = { 0, 0 }; setrlimit(RLIMIT_CPU, &soak_cpu);\nfor (;;) { }", "Killed", place=NOWHERE),
    "the group killed": _crash("kill(0, SIGKILL);\npause();", "Killed", place=NOWHERE),
    "a thread reads NULL": _crash("soak_in_thread(soak_thread_deref);", SEGV, place=CHAIN),
    "a thread aborts": _crash("soak_in_thread(soak_thread_abort);", "Abort", place=CHAIN),
    "a thread exits": _crash("soak_in_thread(soak_thread_exit);", "Exit", place=CHAIN),
    "a thread's endless recursion": _crash("soak_in_thread(soak_thread_deeper);", "StackOverflow", SEGV, "Killed", place=NOWHERE),
    "inside qsort": _crash("int a[] = { 3, 1, 2 };\nqsort(a, 3, sizeof *a, soak_compare);", SEGV, place=CHAIN),
    "inside bsearch": _crash("int a[] = { 1, 2, 3 };\nbsearch(a, a, 3, sizeof *a, soak_compare);", SEGV, place=CHAIN),
    "inside printf": _crash("printf(\"%s\\n\", (char *)1 + soak_zero);", SEGV),
    "inside memcpy": _crash("memcpy((void *)0x123456789000, &soak_zero, 4);", SEGV),
    "inside strlen": _crash("soak_zero = (int)strlen((char *)0x123456789000);", SEGV),
    "inside fwrite": _crash("FILE *f = tmpfile();\nfwrite((void *)0x123456789000, 1, 100000, f); fflush(f); abort();", SEGV, "Abort"),
    "inside sqlite's callback": _crash("sqlite3 *db; sqlite3_open(\":memory:\", &db);\nsqlite3_exec(db, \"select 1\", soak_row, NULL, NULL);",
                                       SEGV, place=CHAIN),
    "inside a signal handler": _crash("signal(SIGUSR1, soak_on_signal);\nraise(SIGUSR1);", SEGV, place=CHAIN),
    "inside an exit handler": _crash("atexit((void (*)(void))soak_thread_abort);\nexit(1);", "Exit", "Abort", place=CHAIN),
    "jump to a dead frame": _crash("char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
                                   "getcontext(&soak_side); soak_side.uc_stack.ss_sp = stack; soak_side.uc_stack.ss_size = 65536;\n"
                                   "makecontext(&soak_side, soak_side_entry, 0); swapcontext(&soak_main, &soak_side); munmap(stack, 65536);\n"
                                   "longjmp(soak_dead, 1);", SEGV, place=NOWHERE),
    "a broken stack pointer": _crash("__asm__ volatile(\"mov $16, %rsp\\n push %rax\");", SEGV, "StackOverflow", place=NOWHERE),
    "a broken frame pointer": _crash("soak_zero = 0;\n__asm__ volatile(\"mov $24, %rbp\\n ud2\");", "IllegalInstruction", place=CHAIN),
    "its own code unmapped": _crash("void soak_here(void) { here: munmap((void *)((uintptr_t)&&here & ~4095ul), 8192); }\nsoak_here();", SEGV,
                                    place=NOWHERE),
    "all descriptors closed": _crash("for (int i = 0; i < 1000; i++) close(i);\nsoak_deref(NULL);", SEGV),
    "standard descriptors replaced": _crash("int null = open(\"/dev/null\", O_RDWR); for (int i = 0; i < 5; i++) dup2(null, i);\n"
                                            "soak_deref(NULL);", SEGV),
    "stdout closed": _crash("fclose(stdout);\nsoak_deref(NULL);", SEGV),
    "no stdout": _crash("stdout = NULL;\nsoak_deref(NULL);", SEGV, place=CHAIN),  # or the thread meets it first
    "stdout overwritten": _crash("memset(stdout, 0x7f, sizeof *stdout);\nsoak_deref(NULL);", SEGV, place=CHAIN),
    "children left": _crash("for (int i = 0; i < 4; i++) if (fork() == 0) { for (;;) pause(); }\nsoak_deref(NULL);", SEGV),
    "a daemon left": _crash("if (fork() == 0) { setsid(); if (fork() == 0) for (;;) pause(); _exit(0); }\nwait(NULL); soak_deref(NULL);", SEGV),
    "a dead child left": _crash("if (fork() == 0) _exit(0);\nsoak_deref(NULL);", SEGV),
    "no memory": _crash("struct rlimit soak_as = { 1 << 20, 1 << 20 }; setrlimit(RLIMIT_AS, &soak_as); char *p = malloc(1 << 26);\np[0] = 1;", SEGV),
    "no descriptors": _crash("struct rlimit soak_files = { 0, 0 }; setrlimit(RLIMIT_NOFILE, &soak_files);\nsoak_deref(NULL);", SEGV),
    "all signals blocked": _crash("sigset_t soak_all; sigfillset(&soak_all); sigprocmask(SIG_SETMASK, &soak_all, NULL);\nsoak_deref(NULL);", SEGV,
                                  "Killed", place=NOWHERE),
    "SIGSEGV by default": _crash("signal(SIGSEGV, SIG_DFL);\nsoak_deref(NULL);", SEGV, "Killed", place=NOWHERE),
    "SIGSEGV ignored": _crash("signal(SIGSEGV, SIG_IGN);\nsoak_deref(NULL);", SEGV, "Killed", place=NOWHERE),
    "SIGSEGV handled by _exit": _crash("signal(SIGSEGV, soak_leave_by_handler);\nsoak_deref(NULL);", "Exit", place=NOWHERE),
    "no alternate stack": _crash("stack_t soak_none = { .ss_flags = SS_DISABLE }; sigaltstack(&soak_none, NULL);\nsoak_deeper(1);", "StackOverflow",
                                 SEGV, "Killed", place=NOWHERE),
    "another folder and environment": _crash("chdir(\"/\"); setenv(\"SOAK\", \"changed\", 1); umask(0); nice(5);\nabort();", "Abort"),
    "much printed": _crash("for (int i = 0; i < 3000; i++) printf(\"line %d of a cell that will crash\\n\", i);\nsoak_deref(NULL);", SEGV),
}

# Those that the model test takes: what the others do beside the crash costs time and brings nothing to a state.
QUICK = ["read of NULL", "write to NULL", "call of NULL", "read of a wild pointer", "call of an impossible address", "endless recursion",
         "integer division by zero", "abort", "assert", "double free", "smashed heap", "free of the middle", "a cut file", "ud2", "exit", "_exit",
         "quick_exit", "raise(SIGTERM)", "raise(SIGKILL)", "a thread reads NULL", "a thread aborts", "inside qsort", "inside printf",
         "inside sqlite's callback", "inside a signal handler", "all descriptors closed", "another folder and environment"]


def check_error(ran, crash, cell_line):
    """What is wrong with the answer to a crashed cell; None: nothing. cell_line: `cell [N] line L` of the crash."""
    if ran.status != "error" or len(ran.errors) != 1:
        return f"a crash gave status {ran.status} and {len(ran.errors)} errors"
    error = ran.errors[0]
    if ran.types[-1] != "error":
        return f"{ran.types[-1]} comes after the error"
    if (error["ename"], error["traceback"]) != (ran.reply["ename"], ran.reply["traceback"]):
        return "error and reply differ"
    if error["ename"] not in crash.names:
        return f"the error is {error['ename']}, not {' or '.join(crash.names)}: {error['traceback']}"
    if "The state from before the cell is back." not in error["traceback"]:
        return f"the traceback doesn't say that the state is back: {error['traceback']}"
    if not cell_line:
        return None
    wanted = {HERE: re.escape(cell_line) + r"( in \w+)?$", CHAIN: r"cell \[\d+\] line \d+( in \w+)?$", NOWHERE: ""}[crash.place]
    if not any(re.match(wanted, line) for line in error["traceback"]):
        return f"the traceback has no '{cell_line}': {error['traceback']}"
    return None
