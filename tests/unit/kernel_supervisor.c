/* The supervisor with a session that is this very program (started again with FAKE set). The text of a cell is the fake
 * session's script, a letter an action: see `play`. A "copying" one makes copies of itself, as session_checkpoint.c does. */
#include "kernel/supervisor.h"

#include "kernel/process.h"
#include "kernel/session_protocol.h"
#include "kernel/session_shared.h"
#include "runtime/base/buf.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define FAKE "WEIR_TEST_FAKE_SESSION"

enum { PATIENCE_MS = 20000 };

/* ---- the fake session ---- */

static void tell(json_t *m)
{
    struct err e;
    (void)fflush(stdout);
    (void)fflush(stderr);
    if (session_send(SESSION_FD, m, &e) != ERR_NONE) {
        _exit(9);
    }
    json_decref(m);
}

static volatile sig_atomic_t interrupted;
static int level; /* the fake session's state */
static int undo;  /* asked for by the running cell */

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* Ask for a line, and print it with the number of the question. */
static bool ask(const char *prompt)
{
    static int asked;
    struct err e;
    json_t *m = NULL;
    tell(json_pack("{s:s, s:i, s:s*, s:b}", "op", "input", "id", ++asked, "prompt", prompt, "password", prompt != NULL));
    if (session_receive(SESSION_FD, &m, &e) != ERR_NONE || !m) {
        _exit(7);
    }
    const char *value = json_string_value(json_object_get(m, "value"));
    (void)printf("[%d %s]", (int)json_integer_value(json_object_get(m, "id")), value ? value : "end");
    json_decref(m);
    return true;
}

/* Returns whether the cell is ok. */
static bool play(char action)
{
    switch (action) {
    case 'o':
        (void)printf("out");
        break;
    case 'e':
        (void)fprintf(stderr, "err");
        break;
    case 'd':
        tell(json_pack("{s:s, s:{s:s}}", "op", "display", "data", "text/plain", "D"));
        break;
    case 's':
        tell(json_pack("{s:s, s:s, s:s}", "op", "stream", "name", "stdout", "text", "magic"));
        break;
    case 'r':
        tell(json_pack("{s:s, s:{s:s}}", "op", "result", "data", "text/plain", "R"));
        break;
    case 'f':
        tell(json_pack("{s:s, s:s, s:s, s:[]}", "op", "error", "ename", "Fail", "evalue", "why", "traceback"));
        return false;
    case 'k':
        (void)fflush(stdout);
        (void)raise(SIGKILL);
        break;
    case 'q':
        (void)play('f');
        (void)raise(SIGKILL);
        break;
    case 'x':
        exit(3);
    case 'c':
        (void)fflush(stdout);
        (void)close(SESSION_FD);
        (void)pause();
        break;
    case 'g': /* something that is no message */
        (void)!write(SESSION_FD, "\4\0\0\0{{{{", 8);
        (void)pause();
        break;
    case 'w': /* wait for an interrupt */
        while (!interrupted) {
            (void)usleep(1000);
        }
        interrupted = 0;
        tell(
            json_pack("{s:s, s:s, s:s, s:[]}", "op", "error", "ename", "KeyboardInterrupt", "evalue", "", "traceback"));
        return false;
    case 'n': /* hear no interrupt */
        (void)signal(SIGINT, SIG_IGN);
        for (;;) {
            (void)pause();
        }
    case 'i': /* read a line, as scanf does; I: as getpass does */
    case 'I':
        return ask(action == 'I' ? "secret? " : NULL);
    case '+':
        level++;
        break;
    case 'p':
        (void)printf("level %d", level);
        break;
    case 'u':
        undo++;
        break;
    case 'b': /* a grandchild that keeps the pipes, and would keep the kernel waiting */
        if (fork() == 0) {
            (void)setsid();
            (void)pause();
            _exit(0);
        }
        break;
    default:
        break;
    }
    return true;
}

/* A sleeping copy of this process; true in the copy, once it is woken. Its parent ends, so that the kernel has it. */
static bool fork_copy(int *pid)
{
    int ends[2];
    sigset_t wake;
    (void)sigemptyset(&wake);
    (void)sigaddset(&wake, session_wake_signal());
    (void)sigprocmask(SIG_BLOCK, &wake, NULL);
    if (pipe(ends) != 0) {
        _exit(8);
    }
    pid_t helper = fork();
    if (helper == 0) {
        int child = fork();
        if (child == 0) {
            int number;
            (void)close(ends[0]);
            (void)close(ends[1]);
            (void)sigwait(&wake, &number);
            return true;
        }
        (void)setpgid(child, child);
        (void)!write(ends[1], &child, sizeof child);
        _exit(0);
    }
    (void)!read(ends[0], pid, sizeof *pid);
    (void)waitpid(helper, NULL, 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return false;
}

/* Say op with a copy. True: we are that copy, woken later, and have ended the cell that ran then. */
static bool tell_with_copy(const char *op, bool ok, int count)
{
    int pid = 0;
    if (strcmp(getenv(FAKE), "copying") != 0 || undo) {
        tell(json_pack("{s:s, s:b, s:i}", "op", op, "ok", (int)ok, "undo", undo));
        return false;
    }
    if (!fork_copy(&pid)) {
        tell(json_pack("{s:s, s:b, s:i, s:i, s:i}", "op", op, "ok", (int)ok, "checkpoint", pid, "count", count, "memory", 1000));
        return false;
    }
    char byte;
    const struct session_shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, SESSION_SHARED_FD, 0);
    struct takeover t = shared->takeover;
    while (recv(SESSION_FD, &byte, 1, MSG_DONTWAIT) == 1) {
    }
    undo = 0;
    if (tell_with_copy("ready", true, count)) {
        return true;
    }
    if (t.kind == TAKEOVER_CELL) {
        tell(json_pack("{s:s, s:s, s:s, s:[]}", "op", "error", "ename", "Back", "evalue", t.killed ? "killed" : "died",
                       "traceback"));
    }
    if (t.kind != TAKEOVER_IDLE) {
        tell(json_pack("{s:s, s:b}", "op", "done", "ok", t.kind == TAKEOVER_UNDO));
    }
    return true;
}

static int fake_session(void)
{
    struct err e;
    if (strcmp(getenv(FAKE), "broken") == 0) {
        return 4;
    }
    struct sigaction act = { .sa_handler = on_interrupt };
    (void)sigaction(SIGINT, &act, NULL);
    (void)tell_with_copy("ready", true, 0);
    for (;;) {
        json_t *m = NULL;
        if (session_receive(SESSION_FD, &m, &e) != ERR_NONE || !m) {
            return 5;
        }
        const char *op = json_string_value(json_object_get(m, "op"));
        if (strcmp(op, "shutdown") == 0) {
            return 0;
        } else if (strcmp(op, "complete") == 0) {
            tell(json_pack("{s:s, s:[s]}", "op", "reply", "matches", "printf"));
        } else if (strcmp(op, "execute") == 0) {
            bool ok = true;
            undo = 0;
            for (const char *p = json_string_value(json_object_get(m, "code")); *p && ok; p++) {
                ok = play(*p);
            }
            (void)fflush(stdout);
            (void)tell_with_copy("done", ok, (int)json_integer_value(json_object_get(m, "count")));
        } /* to inspect it gives no answer */
        json_decref(m);
    }
}

/* ---- the kernel's side ---- */

struct fixture {
    struct supervisor *s;
    struct interpreter in;
    struct buf said; /* events, in order */
    int count;       /* of the latest cell */
    bool done;
    const char *next; /* executed from within the next `done` */
};

static void on_stream(void *ctx, const char *name, const char *text, size_t len)
{
    struct fixture *f = ctx;
    buf_printf(&f->said, "%s:%.*s|", name, (int)len, text);
}

static void on_display(void *ctx, json_t *data, json_t *metadata, const char *display_id, bool update)
{
    (void)data, (void)metadata, (void)display_id, (void)update;
    buf_str(&((struct fixture *)ctx)->said, "display|");
}

static void on_clear(void *ctx, bool wait)
{
    (void)wait;
    buf_str(&((struct fixture *)ctx)->said, "clear|");
}

static void on_result(void *ctx, json_t *data)
{
    (void)data;
    buf_str(&((struct fixture *)ctx)->said, "result|");
}

static void on_error(void *ctx, const char *ename, const char *evalue, json_t *traceback)
{
    (void)traceback;
    buf_printf(&((struct fixture *)ctx)->said, "error:%s %s|", ename, evalue);
}

static void on_input(void *ctx, const char *prompt, bool password)
{
    buf_printf(&((struct fixture *)ctx)->said, "%s:%s|", password ? "password" : "input", prompt);
}

static void execute(struct fixture *f, const char *code)
{
    struct execute_request r = { .code = code, .count = ++f->count };
    struct err e;
    f->done = false;
    if (f->in.execute(f->in.self, &r, &e) != ERR_NONE) {
        buf_printf(&f->said, "refused:%s|", e.msg);
        f->done = true;
    }
}

static void on_done(void *ctx, bool ok, json_t *payload, json_t *expressions)
{
    struct fixture *f = ctx;
    (void)payload, (void)expressions;
    buf_str(&f->said, ok ? "done ok|" : "done|");
    f->done = true;
    if (f->next) {
        const char *code = f->next;
        f->next = NULL;
        execute(f, code);
    }
}

static long long now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One turn of a poll loop. */
static void turn(struct fixture *f, int ms)
{
    int fds[8];
    struct pollfd p[8];
    size_t n = f->in.fds(f->in.self, fds, 8);
    for (size_t i = 0; i < n; i++) {
        p[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
    }
    (void)poll(p, n, ms);
    f->in.dispatch(f->in.self);
}

static void run_until_done(struct fixture *f)
{
    for (long long end = now_ms() + PATIENCE_MS; !f->done;) {
        assert_true(now_ms() < end);
        turn(f, 100);
    }
}

/* Until something is said that contains text. */
static void run_until_said(struct fixture *f, const char *text)
{
    for (long long end = now_ms() + PATIENCE_MS; !f->said.data || !strstr(f->said.data, text);) {
        assert_true(now_ms() < end);
        turn(f, 100);
    }
}

static void run(struct fixture *f, const char *code)
{
    execute(f, code);
    run_until_done(f);
}

static void expect(struct fixture *f, const char *text)
{
    assert_string_equal(f->said.data, text);
    buf_clear(&f->said);
}

static struct fixture *fixture_with(const char *kind)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err e = { .code = ERR_NONE };
    assert_non_null(f);
    buf_init(&f->said, 0);
    (void)setenv(FAKE, kind, 1);
    struct supervisor_options options = {
        .program = "/proc/self/exe",
        .events = { .ctx = f,
                    .stream = on_stream,
                    .display = on_display,
                    .clear_output = on_clear,
                    .result = on_result,
                    .input = on_input,
                    .error = on_error,
                    .done = on_done },
    };
    assert_int_equal(supervisor_new(&options, &f->s, &e), ERR_NONE);
    f->in = supervisor_interpreter(f->s);
    return f;
}

static int set_up(void **state)
{
    *state = fixture_with("good");
    return 0;
}

static int set_up_broken(void **state)
{
    *state = fixture_with("broken");
    return 0;
}

static int set_up_copying(void **state)
{
    *state = fixture_with("copying");
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    supervisor_free(f->s);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
    buf_done(&f->said);
    free(f);
    return 0;
}

/* ---- cells ---- */

static void test_a_cell_ends_once(void **state)
{
    struct fixture *f = *state;
    run(f, "r");
    run(f, "f");
    expect(f, "result|done ok|error:Fail why|done|");
}

static void test_output_and_messages_keep_their_order(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 50; i++) {
        run(f, "odosdedor");
        expect(
            f,
            "stdout:out|display|stdout:outmagic|display|stderr:err|display|stdout:out|result|done ok|");
    }
}

static void test_output_comes_before_the_cell_ends(void **state)
{
    struct fixture *f = *state;
    execute(f, "odow");
    run_until_said(f, "display|");
    assert_false(f->done);
    f->in.interrupt(f->in.self);
    run_until_done(f);
    expect(f, "stdout:out|display|stdout:out|error:KeyboardInterrupt |done|");
}

static void test_the_prompt_is_what_was_printed_and_is_not_said(void **state)
{
    struct fixture *f = *state;
    execute(f, "oiodiI");
    run_until_said(f, "input:");
    f->in.input(f->in.self, "Ada", 3);
    run_until_said(f, "input:[");
    f->in.input(f->in.self, NULL, 0);
    run_until_said(f, "password:");
    f->in.input(f->in.self, "x", 1);
    run_until_done(f);
    /* (the display is said between: what stands before it is said, too, and is the beginning of the line all the same) */
    expect(f, "input:out|stdout:[1 Ada]out|display|input:[1 Ada]out|password:[2 end]secret? |stdout:[3 x]|done ok|");
}

static void test_input_without_a_cell_goes_nowhere(void **state)
{
    struct fixture *f = *state;
    run(f, "");
    f->in.input(f->in.self, "late", 4);
    run(f, "o");
    expect(f, "done ok|stdout:out|done ok|");
}

static void test_the_next_cell_may_start_within_done(void **state)
{
    struct fixture *f = *state;
    f->next = "r";
    execute(f, "o");
    run_until_said(f, "result|");
    run_until_done(f);
    expect(f, "stdout:out|done ok|result|done ok|");
}

/* ---- death ---- */

#define LOST "its variables and functions are lost"

static void test_death_without_a_copy_is_one_error_and_loses_the_state(void **state)
{
    struct fixture *f = *state;
    run(f, "ok");
    expect(f, "stdout:out|error:SessionDied the session was killed by signal 9 (Killed); " LOST
              "|done|");
    run(f, "r");
    expect(f, "result|done ok|");
}

static void test_death_wakes_the_copy_from_before_the_cell(void **state)
{
    struct fixture *f = *state;
    run(f, "+");
    run(f, "+k");
    run(f, "p+k");
    run(f, "p");
    expect(f, "done ok|error:Back died|done|stdout:level 1|error:Back died|done|stdout:level 1|done ok|");
}

static void test_a_copy_takes_over_what_is_left_when_the_newest_is_lost(void **state)
{
    struct fixture *f = *state;
    run(f, "+");
    run(f, "+");
    pid_t newest = 0, child = 0;
    FILE *children = fopen("/proc/thread-self/children", "re");
    assert_non_null(children);
    while (fscanf(children, "%d", &child) == 1) {
        newest = child > newest ? child : newest;
    }
    (void)fclose(children);
    assert_int_equal(kill(newest, SIGKILL), 0);
    while (kill(newest, 0) == 0) { /* until it is reaped */
        turn(f, 100);
    }
    run(f, "+k");
    run(f, "p");
    expect(f, "done ok|done ok|error:Back died|done|stdout:level 1|done ok|");
}

static void test_undo_wakes_an_older_copy_and_cells_can_follow(void **state)
{
    struct fixture *f = *state;
    run(f, "+");
    run(f, "+");
    run(f, "+");
    run(f, "uu");
    run(f, "p+");
    run(f, "u");
    run(f, "p");
    expect(f, "done ok|done ok|done ok|done ok|stdout:level 1|done ok|done ok|stdout:level 1|done ok|");
}

static void test_a_second_interrupt_wakes_the_copy(void **state)
{
    struct fixture *f = *state;
    run(f, "+");
    execute(f, "+dn");
    run_until_said(f, "display|");
    f->in.interrupt(f->in.self);
    for (long long end = now_ms() + 300; now_ms() < end;) {
        turn(f, 50);
    }
    f->in.interrupt(f->in.self);
    run_until_done(f);
    run(f, "p");
    expect(f, "done ok|display|error:Back killed|done|stdout:level 1|done ok|");
}

static void test_exit_says_its_status(void **state)
{
    struct fixture *f = *state;
    run(f, "x");
    expect(f, "error:SessionDied the session ended with status 3; " LOST "|done|");
}

static void test_death_after_an_error_adds_none(void **state)
{
    struct fixture *f = *state;
    run(f, "q");
    expect(f, "error:Fail why|done|");
}

static void test_a_grandchild_that_keeps_the_pipes_keeps_nobody_waiting(void **state)
{
    struct fixture *f = *state;
    run(f, "bk");
    expect(f, "error:SessionDied the session was killed by signal 9 (Killed); " LOST "|done|");
}

static void test_a_session_that_closes_its_socket_is_killed(void **state)
{
    struct fixture *f = *state;
    run(f, "oc");
    expect(f, "stdout:out|error:SessionDied the session was killed by signal 9 (Killed); " LOST
              "|done|");
}

static void test_a_session_that_sends_garbage_is_killed(void **state)
{
    struct fixture *f = *state;
    run(f, "g");
    expect(f, "error:SessionDied the session was killed by signal 9 (Killed); " LOST "|done|");
}

static void test_death_between_cells_is_told_in_the_next(void **state)
{
    struct fixture *f = *state;
    run(f, "r");
    buf_clear(&f->said);
    pid_t session = 0;
    FILE *children = fopen("/proc/thread-self/children", "re");
    assert_non_null(children);
    assert_int_equal(fscanf(children, "%d", &session), 1);
    (void)fclose(children);
    assert_int_equal(kill(session, SIGKILL), 0);
    while (kill(session, 0) == 0) { /* until it is reaped */
        turn(f, 100);
    }
    run(f, "r");
    expect(f,
           "stderr:weir: between the cells the session was killed by signal 9 (Killed); " LOST "\n|"
           "result|done ok|");
}

static void test_a_session_that_cannot_start_is_tried_once_a_cell(void **state)
{
    struct fixture *f = *state;
    run(f, "r");
    expect(f, "error:SessionDied the session ended with status 4; " LOST "|done|");
    (void)setenv(FAKE, "good", 1);
    run(f, "r");
    expect(f, "result|done ok|");
}

/* ---- interrupts ---- */

static void test_an_interrupt_ends_the_cell(void **state)
{
    struct fixture *f = *state;
    execute(f, "w");
    f->in.interrupt(f->in.self); /* the session may not even be ready yet */
    run_until_done(f);
    expect(f, "error:KeyboardInterrupt |done|");
}

static void test_a_second_interrupt_kills_a_deaf_cell(void **state)
{
    struct fixture *f = *state;
    execute(f, "dn");
    run_until_said(f, "display|");
    f->in.interrupt(f->in.self);
    f->in.interrupt(f->in.self); /* at once: a double click kills nothing */
    for (long long end = now_ms() + 300; now_ms() < end;) {
        turn(f, 50);
    }
    assert_false(f->done);
    f->in.interrupt(f->in.self);
    run_until_done(f);
    expect(f, "display|error:KeyboardInterrupt the cell did not stop, and its session was killed by "
              "signal 9 (Killed); " LOST "|done|");
}

static void test_a_magic_has_more_time_to_stop(void **state)
{
    struct fixture *f = *state;
    execute(f, "%dn");
    run_until_said(f, "display|");
    f->in.interrupt(f->in.self);
    for (long long end = now_ms() + 300; now_ms() < end;) {
        turn(f, 50);
    }
    f->in.interrupt(f->in.self);
    for (long long end = now_ms() + 800; now_ms() < end;) {
        turn(f, 50);
    }
    assert_false(f->done);
    f->in.interrupt(f->in.self);
    run_until_done(f);
}

/* ---- questions ---- */

static void test_completion_is_answered_between_cells_only(void **state)
{
    struct fixture *f = *state;
    run(f, "r");
    json_t *answer = f->in.complete(f->in.self, "prin", 4);
    assert_string_equal(json_string_value(json_array_get(json_object_get(answer, "matches"), 0)), "printf");
    json_decref(answer);
    execute(f, "w");
    assert_null(f->in.complete(f->in.self, "prin", 4));
    f->in.interrupt(f->in.self);
    run_until_done(f);
}

static void test_a_question_without_answer_does_not_hang(void **state)
{
    struct fixture *f = *state;
    run(f, "r");
    long long start = now_ms();
    assert_null(f->in.inspect(f->in.self, "prin", 4));
    assert_true(now_ms() - start < 5000);
    buf_clear(&f->said);
    run(f, "r");
    expect(f, "result|done ok|");
}

static void test_is_complete_knows_magics(void **state)
{
    static const struct {
        const char *code, *status;
    } cases[] = { { "%flow show", "complete" },           { "%flow run \\", "incomplete" },
                  { "%flow show\nint f(", "incomplete" }, { "%flow show\nint a;", "complete" },
                  { "%flow show\n", "complete" },         { "%%step a", "incomplete" },
                  { "%%step a\nint x;\n", "complete" },   { "", "complete" } };
    struct fixture *f = *state;
    char indent[16];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(f->in.is_complete(f->in.self, cases[i].code, indent, sizeof indent), cases[i].status);
    }
}

static void test_held_output_comes_later(void **state)
{
    struct fixture *f = *state;
    run(f, "r");
    buf_clear(&f->said);
    supervisor_hold(f->s, true);
    execute(f, "or");
    for (long long end = now_ms() + 100; now_ms() < end;) {
        turn(f, 20);
    }
    assert_int_equal(f->said.len, 0);
    supervisor_hold(f->s, false);
    run_until_done(f);
    expect(f, "stdout:out|result|done ok|");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define COPYING(name) cmocka_unit_test_setup_teardown(name, set_up_copying, tear_down)

int main(void)
{
    if (getenv(FAKE)) {
        return fake_session();
    }
    process_adopt_orphans();
    const struct CMUnitTest tests[] = {
        TEST(test_a_cell_ends_once),
        TEST(test_output_and_messages_keep_their_order),
        TEST(test_the_prompt_is_what_was_printed_and_is_not_said),
        TEST(test_input_without_a_cell_goes_nowhere),
        TEST(test_output_comes_before_the_cell_ends),
        TEST(test_the_next_cell_may_start_within_done),
        TEST(test_death_without_a_copy_is_one_error_and_loses_the_state),
        COPYING(test_death_wakes_the_copy_from_before_the_cell),
        COPYING(test_a_copy_takes_over_what_is_left_when_the_newest_is_lost),
        COPYING(test_undo_wakes_an_older_copy_and_cells_can_follow),
        COPYING(test_a_second_interrupt_wakes_the_copy),
        TEST(test_exit_says_its_status),
        TEST(test_death_after_an_error_adds_none),
        TEST(test_a_grandchild_that_keeps_the_pipes_keeps_nobody_waiting),
        TEST(test_a_session_that_closes_its_socket_is_killed),
        TEST(test_a_session_that_sends_garbage_is_killed),
        TEST(test_death_between_cells_is_told_in_the_next),
        cmocka_unit_test_setup_teardown(test_a_session_that_cannot_start_is_tried_once_a_cell, set_up_broken,
                                        tear_down),
        TEST(test_an_interrupt_ends_the_cell),
        TEST(test_a_second_interrupt_kills_a_deaf_cell),
        TEST(test_a_magic_has_more_time_to_stop),
        TEST(test_completion_is_answered_between_cells_only),
        TEST(test_a_question_without_answer_does_not_hang),
        TEST(test_is_complete_knows_magics),
        TEST(test_held_output_comes_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
