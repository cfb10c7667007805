/* User code that ends its session while a copy stands by: what it leaves word of. Each runs in a child of the test. */
#include "tests/unit/session_fixture.h"

#include <sched.h>
#include <sys/wait.h>

/* Run a cell in a session that has a copy; it must die of it. Then f->o is what it left word of. */
static void die(struct fixture *f, const char *text)
{
    void *entry = add(f, 7, "f", text);
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        f->s.pid = getpid();
        f->s.copied = true;
        f->s.shared->copies = 1;
        session_guard_renew(&f->s);
        run_address(f, entry);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(f->s.shared->words.said, 1);
    f->o = f->s.shared->words.outcome;
    f->s.shared->words.said = 0;
}

#define THREADS "#include <pthread.h>\n#include <stdlib.h>\n#include <threads.h>\n"
#define IN_THREAD "\nvoid f(void) { pthread_t t; pthread_create(&t, 0, body, 0); pthread_join(t, 0); }"
#define DEEP "int deep(int n) { volatile char a[3000]; a[0] = 1; return deep(n + 1) + a[0]; }\n"

static void each_signal_has_its_words(void **state)
{
    static const char *const cases[][2] = {
        { "*(volatile int *)8 = 1;", "SegmentationFault: NULL pointer: no memory at address 0x8\ncell [7] line 2 in f\n" },
        { "raise(SIGBUS);", "BusError: the program raised it\ncell [7] line 2 in f\n" },
        { "volatile int a = 5, b = 0; a = a / b;", "ArithmeticError: integer division by zero\n" },
        { "__asm__ volatile(\"ud2\");", "IllegalInstruction: an instruction that the processor does not have, or " },
        { "abort();", "Abort: the program called abort (a failed assert, or memory found damaged)\ncell [7] line 2 in f\n" },
        { "__asm__ volatile(\"int3\");", "Trap: the program stopped at a breakpoint" },
        { "raise(SIGSYS);", "BadSystemCall: " },
        { "raise(SIGXCPU);", "TimeLimit: the limit of CPU time is reached" },
        { "raise(SIGXFSZ);", "FileTooLarge: " },
        { "exit(3);", "Exit: called exit(3)\ncell [7] line 2 in f\n" },
        { "_exit(4);", "Exit: called _exit(4)\n" },
        { "quick_exit(5);", "Exit: called quick_exit(5)\n" },
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        (void)snprintf(text, sizeof text,
                       "void abort(void), exit(int), _exit(int), quick_exit(int); int raise(int); enum { SIGBUS = 7, SIGSYS = 31, "
                       "SIGXCPU = 24, SIGXFSZ = 25 };\nvoid f(void) { %s }", cases[i][0]);
        die(f, text);
        if (strncmp(told(f), cases[i][1], strlen(cases[i][1])) != 0) {
            fail_msg("%s: %s", cases[i][0], told(f));
        }
        assert_false(f->o.thread);
    }
}

static void a_thread_that_crashes_is_told_as_one(void **state)
{
    struct fixture *f = *state;
    die(f, THREADS "void *body(void *p)\n{\n    return *(void **)p;\n}" IN_THREAD);
    assert_string_equal(told(f), "SegmentationFault: NULL pointer: no memory at address 0x0\n"
                                 "cell [7] line 6 in body\n"
                                 "    return *(void **)p;\n"
                                 "This was in a thread that a cell had started.\n");
}

static void a_full_stack_of_a_thread_is_told(void **state)
{
    static const char *const starts[] = {
        THREADS DEEP "void *body(void *p) { return deep(1) ? p : 0; }" IN_THREAD,
        THREADS DEEP "int body(void *p) { return deep(1); }\nvoid f(void) { thrd_t t; thrd_create(&t, body, 0); thrd_join(t, 0); }",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        die(f, starts[i]);
        assert_true(f->o.thread);
        assert_memory_equal(told(f), "StackOverflow: ", sizeof "StackOverflow: " - 1);
        assert_non_null(strstr(told(f), "cell [7] line 4 in "));
    }
}

/* Below its stack stands memory that cannot be used, as far as the array reaches: what else may be mapped there is chance. */
static void an_array_larger_than_a_threads_stack_is_told(void **state)
{
    struct fixture *f = *state;
    die(f, THREADS "#include <sys/mman.h>\n"
                   "void *body(void *p) { volatile char big[16 << 20]; big[8 << 20] = 1; return p; }\n"
                   "void f(void) { char *room = mmap(0, 32 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
                   "    mprotect(room + (31 << 20), 1 << 20, PROT_READ | PROT_WRITE);\n"
                   "    pthread_attr_t a; pthread_attr_init(&a); pthread_attr_setstack(&a, room + (31 << 20), 1 << 20);\n"
                   "    pthread_t t; pthread_create(&t, &a, body, 0); pthread_join(t, 0); }");
    assert_true(f->o.thread);
    assert_memory_equal(told(f), "StackOverflow: ", sizeof "StackOverflow: " - 1);
    assert_non_null(strstr(told(f), "cell [7] line 5 in body"));
}

static void a_thread_that_exits_is_told(void **state)
{
    struct fixture *f = *state;
    die(f, THREADS "void *body(void *p) { exit(3); }" IN_THREAD);
    assert_string_equal(told(f), "Exit: called exit(3)\ncell [7] line 4 in body\n    void *body(void *p) { exit(3); }\n"
                                 "This was in a thread that a cell had started.\n");
}

static void exit_inside_a_library_is_told(void **state)
{
    struct fixture *f = *state;
    void (*real)(int) = exit; /* what libraries call, and not what cells get by that name */
    assert_int_equal(build_cells_host(f->s.cells, "real", &real, &f->e), ERR_NONE);
    die(f, "extern void (*real)(int);\nvoid f(void) {\n    real(6); }");
    assert_string_equal(told(f), "Exit: called exit(6)\ncell [7] line 3 in f\n    real(6); }\n");
}

static void many_threads_that_crash_at_once_leave_one_word(void **state)
{
    struct fixture *f = *state;
    die(f, THREADS "volatile int go;\nvoid *body(void *p) { while (!go) ; return *(void **)p; }\n"
                   "void f(void) { pthread_t t[8]; for (int i = 0; i < 8; i++) pthread_create(&t[i], 0, body, 0);\n"
                   "    go = 1; for (int i = 0; i < 8; i++) pthread_join(t[i], 0); }");
    assert_int_equal(f->o.nframes, 1);
    assert_non_null(strstr(told(f), "cell [7] line 5 in body\n"));
}

static void a_smashed_stack_is_told(void **state)
{
    struct fixture *f = *state;
    die(f, "void smash(void)\n{\n    char *a[2];\n    static int i; for (i = 0; i < 40; i++) a[i] = (char *)0x4141414141414141;\n}\n"
           "void f(void) { smash(); }");
    assert_non_null(strstr(told(f), "SegmentationFault: a pointer holds no possible address\n"));
    assert_non_null(strstr(told(f), "cell [7] line 4 in smash\n"));
}

static void a_stack_pointer_that_leads_nowhere_is_told(void **state)
{
    struct fixture *f = *state;
    die(f, "void f(void) {\n    __asm__ volatile(\"mov $16, %rsp; mov $24, %rbp; push %rax\"); }");
    assert_int_equal(f->o.signal, SIGSEGV);
    assert_false(f->o.overflow);
    assert_non_null(strstr(told(f), " in f\n"));
}

static void callers_behind_a_library_are_found(void **state)
{
    struct fixture *f = *state;
    (void)add(f, 5, "sorted", "void qsort(void *, unsigned long, unsigned long, int (*)(const void *, const void *));\n"
                              "void sorted(int (*c)(const void *, const void *))\n{\n    int v[9] = { 3, 1 };\n"
                              "    qsort(v, 9, sizeof *v, c);\n}");
    die(f, "void sorted(int (*c)(const void *, const void *));\nint compare(const void *a, const void *b)\n{\n"
           "    return *(volatile int *)8;\n}\nvoid f(void) {\n    sorted(compare); }");
    assert_string_equal(told(f), "SegmentationFault: NULL pointer: no memory at address 0x8\n"
                                 "cell [7] line 4 in compare\n    return *(volatile int *)8;\n"
                                 "cell [5] line 5 in sorted\n    qsort(v, 9, sizeof *v, c);\n"
                                 "cell [7] line 7 in f\n    sorted(compare); }\n");
}

static void exit_ends_a_main_and_not_the_session(void **state)
{
    struct fixture *f = *state;
    f->s.copied = true;
    f->s.shared->copies = 1;
    f->s.program = true;
    run(f, "void exit(int);\nvoid f(void) { exit(3); }");
    assert_int_equal(f->o.ending, END_EXIT);
    assert_int_equal(f->o.status, 3);
}

static void exit_in_a_thread_ends_the_main(void **state)
{
    struct fixture *f = *state;
    f->s.program = true;
    run(f, THREADS "void *body(void *p) { exit(4); }\nvoid f(void) { pthread_t t; pthread_create(&t, 0, body, 0); for (;;) ; }");
    assert_int_equal(f->o.ending, END_EXIT);
    assert_int_equal(f->o.status, 4);
    while (session_user_threads() > 0) { /* it still runs code that the fixture gives back */
        (void)sched_yield();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_signal_has_its_words),
        TEST(a_thread_that_crashes_is_told_as_one),
        TEST(a_full_stack_of_a_thread_is_told),
        TEST(an_array_larger_than_a_threads_stack_is_told),
        TEST(a_thread_that_exits_is_told),
        TEST(exit_inside_a_library_is_told),
        TEST(many_threads_that_crash_at_once_leave_one_word),
        TEST(a_smashed_stack_is_told),
        TEST(a_stack_pointer_that_leads_nowhere_is_told),
        TEST(callers_behind_a_library_are_found),
        TEST(exit_ends_a_main_and_not_the_session),
        TEST(exit_in_a_thread_ends_the_main),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
