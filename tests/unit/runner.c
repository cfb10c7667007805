/* Whole runs of hand-written flows: order, joins, failures, interrupts, and what they leave for other processes. */
#include "tests/unit/flow_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* ---- what comes out ---- */

static void a_linear_flow_passes_values_on(void **state)
{
    struct flow_run r;
    size_t n;
    (void)state;
    flow_run_open(&r, "linear", BUILD_TCC);
    assert_int_equal(flow_run_go(&r), ERR_NONE);
    assert_int_equal(r.result.tasks, 4);
    assert_int_equal(r.result.status, META_DONE);
    assert_int_equal(flow_run_int(&r, "middle", NULL, "x"), 42);
    const struct meta_task *t = flow_run_tasks(&r, "end", &n);
    assert_int_equal(n, 1);
    assert_int_equal(t->out_len, strlen("forty (5) is 42\n"));
    assert_memory_equal(t->out, "forty (5) is 42\n", t->out_len);
    assert_int_equal(t->err_len, 0);
    t = flow_run_tasks(&r, "middle", &n);
    assert_memory_equal(t->err, "middle adds 2\n", t->err_len);
    assert_true(t->started >= r.run.started && t->finished >= t->started && r.run.finished >= t->finished);
    flow_run_close(&r);
}

static void parameters_come_from_the_command_line(void **state)
{
    struct flow_run r;
    (void)state;
    flow_run_open(&r, "linear", BUILD_TCC);
    flow_run_set(&r, "size", "0x10");
    assert_int_equal(flow_run_go(&r), ERR_NONE);
    assert_int_equal(flow_run_int(&r, "_parameters", "", "size"), 16);
    assert_int_equal(flow_run_int(&r, "middle", "", "x"), 162);
    flow_run_close(&r);
}

static void a_branch_is_joined_in_the_order_of_its_targets(void **state)
{
    struct flow_run r;
    size_t n;
    (void)state;
    flow_run_open(&r, "branch", BUILD_TCC);
    assert_int_equal(flow_run_go(&r), ERR_NONE);
    const struct meta_task *t = flow_run_tasks(&r, "join", &n);
    assert_memory_equal(t->out, "a is 1\nb is 2\ntotal is 3\n", t->out_len);
    t = flow_run_tasks(&r, "end", &n);
    assert_memory_equal(t->out, "total 3, common 7\n", t->out_len);
    flow_run_close(&r);
}

static void fan(void **state, const char *count, int expected)
{
    struct flow_run r;
    size_t n;
    (void)state;
    flow_run_open(&r, "foreach", BUILD_TCC);
    flow_run_set(&r, "n", count);
    assert_int_equal(flow_run_go(&r), ERR_NONE);
    assert_int_equal(r.result.tasks, expected + 3);
    assert_int_equal(flow_run_int(&r, "gather", "", "count"), expected);
    (void)flow_run_found(&r, "work", NULL, "r", &n);
    assert_int_equal(n, expected);
    flow_run_close(&r);
}

static void a_fan_out_over_nothing_runs_its_join(void **state)
{
    fan(state, "0", 0);
}

static void a_join_of_a_thousand_tasks_has_them_in_index_order(void **state)
{
    fan(state, "1000", 1000);
}

static void nested_fan_outs_are_joined_level_by_level(void **state)
{
    struct flow_run r;
    size_t n;
    (void)state;
    flow_run_open(&r, "nested", BUILD_TCC);
    assert_int_equal(flow_run_go(&r), ERR_NONE);
    /* i = 0 and 2: j over 3, k over 2, of 100 or 300 + 10 j + k - 1; i = 1: nothing */
    assert_int_equal(flow_run_int(&r, "ji", "", "sum"), 6 * 100 + 63 + 6 * 300 + 63 - 12);
    assert_int_equal(flow_run_int(&r, "ji", "", "seen"), 12);
    assert_int_equal(flow_run_int(&r, "jj", "1", "sum"), 0);
    assert_int_equal(flow_run_int(&r, "left", "2.1.1", "v"), 311);
    (void)flow_run_tasks(&r, "c", &n);
    assert_int_equal(n, 12);
    flow_run_close(&r);
}

static void one_worker_is_enough(void **state)
{
    struct flow_run r;
    (void)state;
    flow_run_open(&r, "nested", BUILD_TCC);
    r.o.max_workers = 1;
    assert_int_equal(flow_run_go(&r), ERR_NONE);
    assert_int_equal(flow_run_int(&r, "ji", "", "seen"), 12);
    flow_run_close(&r);
}

/* ---- refusals before anything runs ---- */

static void refused(const char *name, const char *parameter, const char *value, const char *message)
{
    struct flow_run r;
    flow_run_open(&r, name, BUILD_TCC);
    if (parameter) {
        flow_run_set(&r, parameter, value);
    }
    assert_int_equal(flow_run_go(&r), ERR_USAGE);
    assert_string_equal(r.e.msg, message);
    assert_int_equal(access(r.store, F_OK), -1);
    flow_run_close(&r);
}

static void an_unknown_parameter_is_refused_with_those_there_are(void **state)
{
    (void)state;
    refused("linear", "sise", "3", "flow 'Linear' has no parameter 'sise'; there are 'size' (int)");
    refused("branch", "x", "3", "flow 'BranchFlow' has no parameter 'x', and none at all");
}

static void a_value_of_another_type_is_refused(void **state)
{
    (void)state;
    refused("linear", "size", "ten", "--size: 'ten' is not an int");
}

static void a_parameter_without_default_must_be_given(void **state)
{
    (void)state;
    refused("failures", NULL, NULL, "parameter 'how' (char *) has no default: give it, --how VALUE   # what goes wrong");
}

static void an_input_must_be_given(void **state)
{
    (void)state;
    refused("types", NULL, NULL, "'given' (double [][2]) comes from outside: give it, --input given=FILE.npy");
}

/* ---- tasks that fail ---- */

/* Run `failures` with this fault in both tiers. message: with %d for the line's number; NULL: the run is fine. */
static void fails(const char *how, const char *message, int status)
{
    for (int tier = BUILD_TCC; tier <= BUILD_CC; tier++) {
        struct flow_run r;
        size_t n;
        flow_run_open(&r, "failures", (enum build_tier)tier);
        flow_run_set(&r, "how", how);
        assert_int_equal(flow_run_go(&r), message ? ERR_TASK : ERR_NONE);
        assert_int_equal(r.result.status, message ? META_FAILED : META_DONE);
        if (message) {
            assert_string_equal(r.e.msg, message);
            const struct meta_task *t = flow_run_tasks(&r, "work", &n);
            assert_string_equal(r.run.reason, message);
            bool found = false;
            for (size_t i = 0; i < n; i++) {
                if (strcmp(t[i].path, "1") == 0) {
                    found = true;
                    assert_int_equal(t[i].status, META_FAILED);
                    assert_int_equal(t[i].exit_status, status);
                    assert_non_null(strstr(message, t[i].reason));
                    assert_memory_equal(t[i].out, "work 1\n", t[i].out_len);
                }
            }
            assert_true(found);
            (void)flow_run_tasks(&r, "gather", &n);
            assert_int_equal(n, 0);
        }
        flow_run_close(&r);
    }
}

static void fail_tells_reason_cell_and_line(void **state)
{
    (void)state;
    fails("fail", "step 'work' [1] failed at cell [2] line 6: no luck with 42", 1 << 8);
}

static void a_crash_is_told_with_cell_and_line(void **state)
{
    (void)state;
    fails("segv", "step 'work' [1] failed at cell [2] line 7: segmentation fault: a null pointer was used (address 0x0)",
          SIGSEGV);
    fails("divide", "step 'work' [1] failed at cell [2] line 8: integer division by zero", SIGFPE);
#ifndef __SANITIZE_ADDRESS__ /* its strlen leaves old return addresses on the stack: another line would be told */
    fails("in libc", "step 'work' [1] failed at cell [2] line 16: segmentation fault: a null pointer was used (address 0x0)",
          SIGSEGV);
#endif
}

static void abort_is_told_with_cell_and_line(void **state)
{
    (void)state;
    fails("abort", "step 'work' [1] failed at cell [2] line 9: aborted (by abort(), or a failed assert)", SIGABRT);
}

static void exit_in_a_step_is_a_failure(void **state)
{
    (void)state;
    fails("exit",
          "step 'work' [1] failed in cell [2]: called exit(3); a step ends by `return` or by its end, and fails by fail(...)",
          3 << 8);
    fails("_exit",
          "step 'work' [1] failed in cell [2]: called exit(0); a step ends by `return` or by its end, and fails by fail(...)", 0);
}

static void infinite_recursion_is_called_by_its_name(void **state)
{
    (void)state;
    fails("recurse",
          "step 'work' [1] failed at cell [2] line 100: stack overflow: infinite recursion, or a local array that is too large",
          SIGSEGV);
}

static void writing_to_an_input_names_it(void **state)
{
    (void)state;
    fails("readonly",
          "step 'work' [1] failed at cell [2] line 13: segmentation fault: writes to 'input', a read-only input here; "
          "`artifact input;` makes it the step's own",
          SIGSEGV);
}

static void a_task_killed_from_outside_says_so(void **state)
{
    (void)state;
    fails("kill", "step 'work' [1] failed in cell [2]: killed from outside (signal 9): by somebody, or for want of memory",
          SIGKILL);
    fails("term", "step 'work' [1] failed in cell [2]: killed by signal 15 (Terminated)", SIGTERM);
}

static void a_task_that_forks_is_one_task(void **state)
{
    (void)state;
    fails("fork", NULL, 0);
    fails("crash of a child", NULL, 0);
}

static void an_artifact_that_was_not_declared_is_refused(void **state)
{
    (void)state;
    fails("unsaid", "step 'work' [1] failed in cell [2]: 'work' makes 'input' without saying so", 1 << 8);
}

/* Processes whose parent is init and that look like ours: none may be left. */
static void what_a_task_left_running_is_killed(void **state)
{
    struct flow_run r;
    (void)state;
    flow_run_open(&r, "failures", BUILD_TCC);
    flow_run_set(&r, "how", "daemon");
    assert_int_equal(flow_run_go(&r), ERR_NONE);
    char command[128], line[64] = "";
    (void)snprintf(command, sizeof command, "grep -l '%s' /proc/[0-9]*/maps 2>/dev/null | grep -v /%d/", r.build, (int)getpid());
    FILE *p = popen(command, "r");
    assert_non_null(p);
    bool any = fgets(line, sizeof line, p) != NULL;
    (void)pclose(p);
    assert_false(any);
    flow_run_close(&r);
}

/* ---- ended from outside ---- */

/* Start the run in a process of its own that prints its events into *events; returns its pid. */
static pid_t start(struct flow_run *r, int *events)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        r->o.events_fd = fds[1];
        (void)signal(SIGINT, SIG_DFL);
        enum err_code code = flow_run_go(r);
        _exit((int)code);
    }
    close(fds[1]);
    *events = fds[0];
    return pid;
}

/* Read events until one holds text. */
static bool wait_event(int fd, const char *text)
{
    char all[16384];
    size_t n = 0;
    while (n < sizeof all - 1) {
        ssize_t got = read(fd, all + n, sizeof all - 1 - n);
        if (got <= 0) {
            return false;
        }
        n += (size_t)got;
        all[n] = '\0';
        if (strstr(all, text)) {
            return true;
        }
    }
    return false;
}

static void an_interrupt_ends_the_run_and_is_recorded(void **state)
{
    struct flow_run r;
    int events, status;
    size_t n;
    (void)state;
    flow_run_open(&r, "failures", BUILD_TCC);
    flow_run_set(&r, "how", "sleep");
    pid_t pid = start(&r, &events);
    assert_true(wait_event(events, "asleep"));
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_true(wait_event(events, "\"status\":\"interrupted\""));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), ERR_INTERRUPTED);
    (void)snprintf(r.result.run, sizeof r.result.run, "latest");
    const struct meta_task *t = flow_run_tasks(&r, "work", &n);
    assert_int_equal(r.run.status, META_INTERRUPTED);
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        found = found || (t[i].status == META_INTERRUPTED && t[i].out_len == strlen("work 1\nasleep\n"));
    }
    assert_true(found);
    close(events);
    flow_run_close(&r);
}

enum { TRIES = 500 };

static void pause_briefly(void)
{
    const struct timespec moment = { .tv_nsec = 10000000 };
    (void)nanosleep(&moment, NULL);
}

/* Until another process, this one, can read that a task of step has ended: within the 100 ms of a batch. */
static bool wait_committed(struct flow_run *r, const char *step)
{
    struct meta_task *tasks;
    size_t n = 0;
    (void)snprintf(r->result.run, sizeof r->result.run, "latest");
    for (int tries = 0; tries < TRIES && !n; tries++) {
        pause_briefly();
        if ((r->m || !metadata_open(r->store, false, &r->m, &r->e)) &&
            !metadata_run_find(r->m, NULL, "latest", &r->arena, &r->run, &r->e)) {
            assert_int_equal(metadata_tasks(r->m, r->run.id, step, &r->arena, &tasks, &n, &r->e), ERR_NONE);
        }
    }
    return n > 0;
}

static int processes_with(const char *text)
{
    char command[160];
    int count = 0;
    (void)snprintf(command, sizeof command, "grep -l '%s' /proc/[0-9]*/maps 2>/dev/null | grep -v /%d/ | wc -l", text,
                   (int)getpid());
    FILE *p = popen(command, "r");
    assert_non_null(p);
    assert_int_equal(fscanf(p, "%d", &count), 1);
    (void)pclose(p);
    return count;
}

static void kill_9_of_the_runner_takes_zygotes_and_tasks_with_it(void **state)
{
    struct flow_run r;
    int events, status;
    (void)state;
    flow_run_open(&r, "failures", BUILD_TCC);
    flow_run_set(&r, "how", "sleep");
    pid_t pid = start(&r, &events);
    assert_true(wait_event(events, "asleep"));
    assert_true(processes_with(r.build) >= 2);
    assert_true(wait_committed(&r, "start"));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    for (int tries = 0; tries < TRIES && processes_with(r.build); tries++) { /* death takes the kernel a moment */
        pause_briefly();
    }
    assert_int_equal(processes_with(r.build), 0);
    size_t n;
    (void)flow_run_found(&r, "start", "", "input", &n);
    assert_int_equal(n, 1); /* what a finished task recorded is there */
    close(events);
    flow_run_close(&r);
}

static void a_flow_that_can_not_be_loaded_says_why(void **state)
{
    struct flow_run r;
    (void)state;
    flow_run_open(&r, "linear", BUILD_TCC);
    r.o.so_path = "/nowhere/flow.so";
    assert_int_equal(flow_run_go(&r), ERR_TASK);
    assert_string_equal(r.e.msg, "loading the flow: /nowhere/flow.so: cannot open shared object file: No such file or directory");
    assert_int_equal(r.result.status, META_FAILED);
    flow_run_close(&r);
}

static void a_zygote_that_dies_ends_the_run(void **state)
{
    struct flow_run r;
    (void)state;
    flow_run_open(&r, "linear", BUILD_TCC);
    r.o.zygote_path = "/bin/false";
    assert_int_equal(flow_run_go(&r), ERR_TASK);
    assert_string_equal(r.e.msg, "a process that starts tasks ended with status 1");
    flow_run_close(&r);
}

/* ---- values ---- */

static void write_given(const char *path)
{
    static const char header[] = "\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }";
    static const double rows[3][2] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
    char text[128];
    memset(text, ' ', sizeof text);
    memcpy(text, header, sizeof header - 1);
    text[127] = '\n';
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, 128, f), 128);
    assert_int_equal(fwrite(rows, 1, sizeof rows, f), sizeof rows);
    assert_int_equal(fclose(f), 0);
}

/* Digests of everything that `types` keeps. */
static struct meta_found *types(struct flow_run *r, enum build_tier tier, size_t *n)
{
    static struct run_setting input;
    static char path[128];
    flow_run_open(r, "types", tier);
    (void)snprintf(path, sizeof path, "%s/given.npy", r->dir);
    write_given(path);
    input = (struct run_setting){ "given", path };
    r->o.inputs = &input;
    r->o.ninputs = 1;
    if (flow_run_go(r)) {
        fail_msg("%s", r->e.msg);
    }
    return flow_run_found(r, NULL, NULL, NULL, n);
}

static void every_type_has_the_same_hash_from_tcc_and_gcc(void **state)
{
    struct flow_run a, b;
    size_t na, nb;
    (void)state;
    const struct meta_found *first = types(&a, BUILD_TCC, &na);
    assert_int_equal(setenv("LC_ALL", "de_DE.UTF-8", 1), 0);
    const struct meta_found *second = types(&b, BUILD_CC, &nb);
    assert_int_equal(unsetenv("LC_ALL"), 0);
    assert_int_equal(na, 21);
    assert_int_equal(nb, na);
    for (size_t i = 0; i < na; i++) {
        assert_string_equal(first[i].name, second[i].name);
        assert_int_equal(first[i].object.size, second[i].object.size);
        if (memcmp(first[i].object.digest, second[i].object.digest, SHA256_BYTES) != 0) {
            fail_msg("'%s' of '%s' differs", first[i].name, first[i].step);
        }
    }
    flow_run_close(&a);
    flow_run_close(&b);
}

static void big_values_are_files_of_their_digest(void **state)
{
    struct flow_run r;
    size_t n, all;
    (void)state;
    (void)types(&r, BUILD_TCC, &all);
    const struct meta_found *big = flow_run_found(&r, "change", "", "big", &n);
    assert_int_equal(n, 1);
    assert_int_equal(big->object.size, 128 + 8 * 1300001);
    assert_null(big->object.data);
    struct store_map map;
    unsigned char digest[SHA256_BYTES];
    assert_int_equal(store_get(r.store, big->object.digest, &map, &r.e), ERR_NONE);
    const struct iovec part = { (void *)(uintptr_t)map.data, map.len };
    assert_int_equal(sha256_parts(&part, 1, digest, &r.e), ERR_NONE);
    assert_memory_equal(digest, big->object.digest, SHA256_BYTES);
    store_unmap(&map);
    flow_run_close(&r);
}

static void an_input_of_another_layout_is_refused(void **state)
{
    struct flow_run r;
    char path[128];
    (void)state;
    flow_run_open(&r, "types", BUILD_TCC);
    (void)snprintf(path, sizeof path, "%s/given.npy", r.dir);
    write_given(path);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    assert_int_equal(fseek(f, 10 + 11, SEEK_SET), 0);
    assert_int_equal(fwrite("<i8", 1, 3, f), 3);
    assert_int_equal(fclose(f), 0);
    const struct run_setting input = { "given", path };
    r.o.inputs = &input;
    r.o.ninputs = 1;
    assert_int_not_equal(flow_run_go(&r), ERR_NONE);
    assert_non_null(strstr(r.e.msg, "artifact 'given' comes in as '<i8' of shape 3 x 2, but this flow has it as double [][2]"));
    flow_run_close(&r);
}

static void memory_stays_flat_over_many_tasks(void **state)
{
    struct flow_run r;
    struct rusage before, after;
    (void)state;
    flow_run_open(&r, "foreach", BUILD_TCC);
    flow_run_set(&r, "n", "500");
    assert_int_equal(flow_run_go(&r), ERR_NONE);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    r.parameters[0].value = "4000";
    assert_int_equal(flow_run_go(&r), ERR_NONE);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    /* the join still needs 3500 x (320 + 56 + node) bytes more */
#ifndef __SANITIZE_ADDRESS__ /* it keeps freed memory */
    assert_true(after.ru_maxrss - before.ru_maxrss < 12 * 1024);
#endif
    flow_run_close(&r);
}

int main(int argc, char **argv)
{
    zygote_main_if_asked(argc, argv, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_flow_passes_values_on),
        cmocka_unit_test(parameters_come_from_the_command_line),
        cmocka_unit_test(a_branch_is_joined_in_the_order_of_its_targets),
        cmocka_unit_test(a_fan_out_over_nothing_runs_its_join),
        cmocka_unit_test(a_join_of_a_thousand_tasks_has_them_in_index_order),
        cmocka_unit_test(nested_fan_outs_are_joined_level_by_level),
        cmocka_unit_test(one_worker_is_enough),
        cmocka_unit_test(an_unknown_parameter_is_refused_with_those_there_are),
        cmocka_unit_test(a_value_of_another_type_is_refused),
        cmocka_unit_test(a_parameter_without_default_must_be_given),
        cmocka_unit_test(an_input_must_be_given),
        cmocka_unit_test(fail_tells_reason_cell_and_line),
        cmocka_unit_test(a_crash_is_told_with_cell_and_line),
        cmocka_unit_test(abort_is_told_with_cell_and_line),
        cmocka_unit_test(exit_in_a_step_is_a_failure),
        cmocka_unit_test(infinite_recursion_is_called_by_its_name),
        cmocka_unit_test(writing_to_an_input_names_it),
        cmocka_unit_test(a_task_killed_from_outside_says_so),
        cmocka_unit_test(a_task_that_forks_is_one_task),
        cmocka_unit_test(an_artifact_that_was_not_declared_is_refused),
        cmocka_unit_test(what_a_task_left_running_is_killed),
        cmocka_unit_test(an_interrupt_ends_the_run_and_is_recorded),
        cmocka_unit_test(kill_9_of_the_runner_takes_zygotes_and_tasks_with_it),
        cmocka_unit_test(a_flow_that_can_not_be_loaded_says_why),
        cmocka_unit_test(a_zygote_that_dies_ends_the_run),
        cmocka_unit_test(every_type_has_the_same_hash_from_tcc_and_gcc),
        cmocka_unit_test(big_values_are_files_of_their_digest),
        cmocka_unit_test(an_input_of_another_layout_is_refused),
        cmocka_unit_test(memory_stays_flat_over_many_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
