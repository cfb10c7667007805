/* User code under guard: how it ends, and what a traceback says of it. Cells are compiled by the session's linker. */
#include "tests/unit/session_fixture.h"

#include <pthread.h>
#include <time.h>

/* SIGINT in some milliseconds, as if the user pressed the button. */
static void interrupt_soon(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGINT };
    struct itimerspec once = { .it_value.tv_nsec = 30 * 1000 * 1000 };
    timer_t timer;
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &once, NULL), 0);
}

static void code_that_returns(void **state)
{
    struct fixture *f = *state;
    run(f, "void f(void) {}");
    assert_int_equal(f->o.ending, END_RETURN);
}

static void a_null_pointer_is_told_with_line_and_callers(void **state)
{
    struct fixture *f = *state;
    (void)add(f, 5, "total", "int total(int *p)\n{\n    int sum = 0;\n    sum += *p;   \n    return sum;\n}");
    run(f, "int total(int *);\nvoid f(void) {\n    total((int *)0); }");
    assert_string_equal(told(f), "SegmentationFault: NULL pointer: no memory at address 0x0\n"
                                 "cell [5] line 4 in total\n"
                                 "    sum += *p;\n"
                                 "cell [7] line 3 in f\n"
                                 "    total((int *)0); }\n");
}

static void the_next_cell_works_after_a_crash(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        run(f, "void f(void) { *(volatile int *)8 = 1; }");
        assert_int_equal(f->o.ending, END_SIGNAL);
        run(f, "void f(void) { }");
        assert_int_equal(f->o.ending, END_RETURN);
    }
}

static void the_entry_itself_has_no_name(void **state)
{
    struct fixture *f = *state;
    void *entry = add(f, 7, "weir_cell_7", "void weir_cell_7(void) {\n *(volatile int *)0 = 1; }");
    session_remember_entry(&f->s, "cell [7]", "weir_cell_7");
    run_address(f, entry);
    assert_non_null(strstr(told(f), "\ncell [7] line 2\n"));
}

static void a_crash_inside_libc_names_the_calling_line(void **state)
{
    struct fixture *f = *state;
    run(f, "unsigned long strlen(const char *);\nunsigned long n;\nvoid f(void)\n{\n    n = strlen((char *)16);\n}");
    assert_int_equal(f->o.signal, SIGSEGV);
    assert_non_null(strstr(told(f), "\ncell [7] line 5 in f\n    n = strlen((char *)16);\n"));
}

static void a_call_through_null_names_the_calling_line(void **state)
{
    struct fixture *f = *state;
    (void)add(f, 5, "go", "void go(void (*p)(void))\n{\n    p();\n}");
    run(f, "void go(void *);\nvoid f(void) {\n    go((void *)0);\n}");
    assert_non_null(strstr(told(f), "address 0x0\ncell [5] line 3 in go\n    p();\ncell [7] line 3 in f\n"));
}

static void an_alarm_of_an_earlier_cell_rings_no_more(void **state)
{
    struct fixture *f = *state;
    run(f, "unsigned alarm(unsigned); void f(void) { alarm(1000); }");
    assert_int_equal(alarm(0), 0);
}

static void division_by_zero(void **state)
{
    struct fixture *f = *state;
    run(f, "int a, b;\nvoid f(void) { a = a / b; }");
    assert_non_null(strstr(told(f), "ArithmeticError: integer division by zero\ncell [7] line 2 in f\n"));
}

static void abort_is_an_error(void **state)
{
    struct fixture *f = *state;
    run(f, "void abort(void);\nvoid f(void) { abort(); }");
    assert_non_null(strstr(
        told(f), "Abort: the program called abort (a failed assert, or memory found damaged)\ncell [7] line 2 in f\n"));
}

static void endless_recursion_is_told_as_a_full_stack(void **state)
{
    struct fixture *f = *state;
    run(f, "int depth;\nint down(int n) { char local[1000]; local[n % 1000] = 1; depth++;\n    return down(n + 1) + "
           "local[0]; }\nvoid f(void) { down(0); }");
    assert_true(f->o.overflow);
    const char *text = told(f);
    assert_non_null(strstr(
        text,
        "StackOverflow: the stack is full: a function calls itself without end, or its local arrays are too large\n"));
    assert_non_null(
        strstr(text, "cell [7] line 3 in down\n    return down(n + 1) + local[0]; }\n... the same at least "));
    run(f, "void f(void) {}");
    assert_int_equal(f->o.ending, END_RETURN);
}

static void exit_ends_the_cell(void **state)
{
    struct fixture *f = *state;
    run(f, "void exit(int);\nvoid f(void) {\n    exit(3); }");
    assert_int_equal(f->o.ending, END_EXIT);
    assert_int_equal(f->o.status, 3);
    assert_string_equal(told(f), "Exit: called exit(3)\ncell [7] line 3 in f\n    exit(3); }\n");
}

static void exit_runs_what_atexit_registered_newest_first(void **state)
{
    struct fixture *f = *state;
    int order = 0;
    assert_int_equal(build_cells_host(f->s.cells, "order", &order, &f->e), ERR_NONE);
    run(f, "extern int order; static void a(void) { order = order * 10 + 1; } static void b(void) { order = order * 10 "
           "+ 2; }\n"
           "int atexit(void (*)(void)); void exit(int); void f(void) { atexit(a); atexit(b); exit(0); }");
    assert_int_equal(f->o.ending, END_EXIT);
    assert_int_equal(order, 21);
    run(f, "void exit(int); void f(void) { exit(1); }"); /* nothing is left to run */
    assert_int_equal(order, 21);
}

static void an_interrupt_ends_an_endless_loop(void **state)
{
    struct fixture *f = *state;
    void *entry = add(f, 7, "f", "int n;\nvoid f(void) {\n    for (;;)\n        n++; }");
    interrupt_soon();
    run_address(f, entry);
    assert_int_equal(f->o.ending, END_INTERRUPT);
    assert_non_null(strstr(told(f), "KeyboardInterrupt: interrupted\ncell [7] line 4 in f\n    n++; }\n"));
}

static void an_interrupt_ends_a_sleep(void **state)
{
    struct fixture *f = *state;
    void *entry = add(f, 7, "f", "unsigned sleep(unsigned); void f(void) {\n    sleep(1000); }");
    interrupt_soon();
    run_address(f, entry);
    assert_int_equal(f->o.ending, END_INTERRUPT);
    assert_non_null(strstr(told(f), "cell [7] line 2 in f\n"));
}

static void an_interrupt_leaves_malloc_whole(void **state)
{
    struct fixture *f = *state;
    static void *kept[5]; /* what was allocated last: found from here by a leak checker */
    void **place = kept;
    assert_int_equal(build_cells_host(f->s.cells, "place", &place, &f->e), ERR_NONE);
    void *entry =
        add(f, 7, "f",
            "void *malloc(unsigned long); void free(void *); extern void **place;\n"
            "void f(void) { for (unsigned n = 1;; n = n * 7 % 100003) { *place = malloc(n); free(*place); } }");
    for (; place < kept + 5; place++) {
        f->s.interrupted = 0;
        interrupt_soon();
        run_address(f, entry);
        assert_int_equal(f->o.ending, END_INTERRUPT);
        free(malloc(100000));
    }
}

/* Run a cell that is busy for ever, and interrupt it. */
static void run_interrupted(struct fixture *f, const char *text)
{
    void *entry = add(f, 7, "f", text);
    f->s.interrupted = 0;
    interrupt_soon();
    run_address(f, entry);
    assert_int_equal(f->o.ending, END_INTERRUPT);
}

static void a_library_that_is_interrupted_comes_back_first(void **state)
{
    struct fixture *f = *state;
    /* nearly all the time is spent in system calls of malloc's: only by its return is it left whole */
    run_interrupted(f, "void *malloc(unsigned long); void free(void *);\nvoid f(void) {\n    for (;;)\n        "
                            "free(malloc(1 << 20)); }");
    assert_non_null(strstr(told(f), "KeyboardInterrupt: interrupted\ncell [7] line 4 in f\n"));
    for (int i = 0; i < 1000; i++) {
        free(malloc(1 << 20));
    }
}

static void a_long_copy_is_left_in_the_middle(void **state)
{
    struct fixture *f = *state;
    size_t size = 256 << 20;
    char *from = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(from != MAP_FAILED);
    assert_int_equal(build_cells_host(f->s.cells, "from", from, &f->e), ERR_NONE);
    run_interrupted(f, "void *memmove(void *, const void *, unsigned long); extern char from[];\n"
                            "void f(void) { for (;;) memmove(from + (256 << 20), from, 256 << 20); }");
    (void)munmap(from, 2 * size);
}

static void a_callback_of_a_library_is_left_at_once(void **state)
{
    struct fixture *f = *state;
    run_interrupted(f, "void qsort(void *, unsigned long, unsigned long, int (*)(const void *, const void *)); int v[9];\n"
                            "int compare(const void *a, const void *b) { for (;;) ; return a == b; }\n"
                            "void f(void) {\n    qsort(v, 9, sizeof *v, compare); }");
    assert_non_null(strstr(told(f), "cell [7] line 2 in compare\n"));
    assert_non_null(strstr(told(f), "cell [7] line 4 in f\n"));
}

static void an_interrupted_join_can_be_done_again(void **state)
{
    struct fixture *f = *state;
    int end = 0;
    pthread_t t;
    assert_int_equal(build_cells_host(f->s.cells, "end", &end, &f->e), ERR_NONE);
    assert_int_equal(build_cells_host(f->s.cells, "t", &t, &f->e), ERR_NONE);
    run_interrupted(f, "#include <pthread.h>\nextern volatile int end; extern pthread_t t;\n"
                            "void *wait(void *p) { while (!end) ; return (void *)5L; }\n"
                            "void f(void) { pthread_create(&t, 0, wait, 0); pthread_join(t, 0); }");
    assert_int_equal(f->o.threads, 1);
    assert_non_null(strstr(told(f), "Threads that the cell started go on: 1; restarting the kernel ends them."));
    end = 1;
    f->s.interrupted = 0;
    run(f, "#include <pthread.h>\nextern pthread_t t;\nvoid f(void) {\n    void *r = 0; if (pthread_join(t, &r) != 0 || r != "
           "(void *)5L) *(volatile int *)0 = 1; }");
    assert_int_equal(f->o.ending, END_RETURN);
}

static void *print_something(void *ctx)
{
    (void)printf("%s", "");
    return ctx;
}

static void a_stream_is_free_for_threads_after_an_interrupt_inside_it(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    pthread_t thread;
    assert_int_equal(pipe(ends), 0);
    FILE *full = fdopen(ends[1], "w");
    assert_non_null(full);
    assert_int_equal(build_cells_host(f->s.cells, "full", &full, &f->e), ERR_NONE);
    run_interrupted(f, "#include <stdio.h>\nextern FILE *full;\nvoid f(void) {\n    for (;;)\n        fputs(\"a line\\n\", "
                            "full); }");
    assert_int_equal(pthread_create(&thread, NULL, print_something, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(ftrylockfile(full), 0);
    funlockfile(full);
    (void)close(ends[0]);
    (void)fclose(full);
}

static void an_interrupt_before_the_code_starts_counts(void **state)
{
    struct fixture *f = *state;
    void *entry = add(f, 7, "f", "void f(void) { for (;;) ; }");
    f->s.interrupted = 1;
    run_address(f, entry);
    assert_int_equal(f->o.ending, END_INTERRUPT);
}

static void a_signal_handler_of_the_users_is_gone_in_the_next_cell(void **state)
{
    struct fixture *f = *state;
    run(f, "void (*signal(int, void (*)(int)))(int); static void mine(int n) { } void f(void) { signal(2, mine); "
           "signal(11, mine); }");
    run(f, "void f(void) { *(volatile int *)0 = 1; }");
    assert_int_equal(f->o.ending, END_SIGNAL);
}

static void a_forked_child_does_not_come_back(void **state)
{
    struct fixture *f = *state;
    run(f, "int fork(void); int waitpid(int, int *, int);\nint status = -1, other = -1;\nvoid f(void) {\n    int p = "
           "fork();\n"
           "    if (p == 0) return;\n    waitpid(p, &status, 0); other = status; if (status != 0) *(int *)0 = 1; }");
    assert_int_equal(f->o.ending, END_RETURN);
}

static void a_forked_child_that_exits_or_crashes_takes_nobody_along(void **state)
{
    struct fixture *f = *state;
    run(f, "int fork(void); int waitpid(int, int *, int); void exit(int);\nvoid f(void) {\n    int a, b, p = fork();\n"
           "    if (p == 0) exit(3);\n    waitpid(p, &a, 0);\n    p = fork();\n    if (p == 0) *(volatile int *)0 = "
           "1;\n    waitpid(p, &b, 0);\n"
           "    if (a != 3 << 8 || (b & 127) == 0) *(int *)64 = 1; }");
    if (f->o.ending != END_RETURN) {
        fail_msg("%s", told(f));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(code_that_returns),
        TEST(a_null_pointer_is_told_with_line_and_callers),
        TEST(the_next_cell_works_after_a_crash),
        TEST(the_entry_itself_has_no_name),
        TEST(a_crash_inside_libc_names_the_calling_line),
        TEST(a_call_through_null_names_the_calling_line),
        TEST(an_alarm_of_an_earlier_cell_rings_no_more),
        TEST(division_by_zero),
        TEST(abort_is_an_error),
        TEST(endless_recursion_is_told_as_a_full_stack),
        TEST(exit_ends_the_cell),
        TEST(exit_runs_what_atexit_registered_newest_first),
        TEST(an_interrupt_ends_an_endless_loop),
        TEST(an_interrupt_ends_a_sleep),
        TEST(an_interrupt_leaves_malloc_whole),
        TEST(a_library_that_is_interrupted_comes_back_first),
        TEST(a_long_copy_is_left_in_the_middle),
        TEST(a_callback_of_a_library_is_left_at_once),
        TEST(an_interrupted_join_can_be_done_again),
        TEST(a_stream_is_free_for_threads_after_an_interrupt_inside_it),
        TEST(an_interrupt_before_the_code_starts_counts),
        TEST(a_signal_handler_of_the_users_is_gone_in_the_next_cell),
        TEST(a_forked_child_does_not_come_back),
        TEST(a_forked_child_that_exits_or_crashes_takes_nobody_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
