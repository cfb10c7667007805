/* The command line of a compiled flow: what it prints, and its exit status. */
#include "runtime/cli/flow_main.h"
#include "tests/unit/flow_run.h"

#include <fcntl.h>

struct said {
    char out[8192], err[8192];
    int status;
};

static void slurp(FILE *f, char *text, size_t size)
{
    rewind(f);
    size_t n = fread(text, 1, size - 1, f);
    text[n] = '\0';
    fclose(f);
}

/* flow_command with stdout and stderr caught. */
static void say(struct flow_run *r, struct said *s, int argc, const char **argv)
{
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out && err);
    (void)fflush(NULL);
    int old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
    assert_true(dup2(fileno(out), STDOUT_FILENO) >= 0 && dup2(fileno(err), STDERR_FILENO) >= 0);
    s->status = flow_command("./flow", argc, (char **)(uintptr_t)argv, r->flow, &r->o);
    (void)fflush(NULL);
    assert_true(dup2(old_out, STDOUT_FILENO) >= 0 && dup2(old_err, STDERR_FILENO) >= 0);
    close(old_out);
    close(old_err);
    slurp(out, s->out, sizeof s->out);
    slurp(err, s->err, sizeof s->err);
}

#define SAY(r, s, ...) say(r, s, (int)(sizeof (const char *[]){ __VA_ARGS__ } / sizeof(char *)), (const char *[]){ __VA_ARGS__ })

static void run_prints_output_and_what_it_left(void **state)
{
    struct flow_run r;
    struct said s;
    (void)state;
    flow_run_open(&r, "linear", BUILD_TCC);
    SAY(&r, &s, "run", "--size", "5", "--max-workers=2");
    assert_int_equal(s.status, 0);
    assert_non_null(strstr(s.out, "[start] start makes 50\n"));
    assert_non_null(strstr(s.out, "[end] forty (5) is 52\n"));
    assert_non_null(strstr(s.out, " of Linear: done, 3 steps, 4 tasks, "));
    assert_non_null(strstr(s.out, "  x            int              52\n"));
    assert_non_null(strstr(s.out, "  label        char *           \"forty\"\n"));
    assert_string_equal(s.err, "[middle] middle adds 2\n");
    flow_run_close(&r);
}

static void a_failing_step_ends_with_status_1(void **state)
{
    struct flow_run r;
    struct said s;
    (void)state;
    flow_run_open(&r, "failures", BUILD_TCC);
    SAY(&r, &s, "run", "--how=fail");
    assert_int_equal(s.status, 1);
    assert_non_null(strstr(s.err, "./flow: step 'work' [1] failed at cell [2] line 6: no luck with 42\n"));
    flow_run_close(&r);
}

static void usage_errors_end_with_status_2(void **state)
{
    struct flow_run r;
    struct said s;
    (void)state;
    flow_run_open(&r, "linear", BUILD_TCC);
    SAY(&r, &s, "run", "--sise", "3");
    assert_int_equal(s.status, 2);
    assert_string_equal(s.err, "./flow: no option '--sise'; did you mean '--size'?\n");
    SAY(&r, &s, "run", "--max_workers", "3");
    assert_string_equal(s.err, "./flow: no option '--max_workers'; did you mean '--max-workers'?\n");
    SAY(&r, &s, "run", "--size");
    assert_string_equal(s.err, "./flow: --size needs a value: int\n");
    SAY(&r, &s, "run", "--size", "4.5");
    assert_int_equal(s.status, 2);
    assert_string_equal(s.err, "./flow: --size: '4.5' is not an int\n");
    SAY(&r, &s, "run", "--seed", "-1");
    assert_string_equal(s.err, "./flow: --seed: '-1' is not a number from 0 to 18446744073709551615\n");
    SAY(&r, &s, "run", "--max-workers", "0");
    assert_string_equal(s.err, "./flow: --max-workers: a run needs at least 1\n");
    SAY(&r, &s, "run", "--input", "x");
    assert_string_equal(s.err, "./flow: --input: 'x' is not NAME=VALUE\n");
    SAY(&r, &s, "run", "now");
    assert_string_equal(s.err, "./flow: 'now' is no option; see --help\n");
    SAY(&r, &s, "rum");
    assert_int_equal(s.status, 2);
    assert_string_equal(s.err, "./flow: no command 'rum'; did you mean 'run'?\n");
    assert_int_equal(access(r.store, F_OK), -1);
    flow_run_close(&r);
}

static void help_lists_parameters_with_type_default_and_help(void **state)
{
    struct flow_run r;
    struct said s;
    (void)state;
    flow_run_open(&r, "linear", BUILD_TCC);
    SAY(&r, &s, "run", "--help");
    assert_int_equal(s.status, 0);
    assert_non_null(strstr(s.out, "  --size int                 how much (default 4)\n"));
    assert_non_null(strstr(s.out, "  --seed N                   of the tasks' random numbers (default 0)\n"));
    SAY(&r, &s, "--help");
    assert_int_equal(s.status, 0);
    assert_non_null(strstr(s.out, "  show     draw the graph of its steps\n"));
    flow_run_close(&r);
}

static void show_draws_branches_under_their_split(void **state)
{
    struct flow_run r;
    struct said s;
    (void)state;
    flow_run_open(&r, "nested", BUILD_TCC);
    SAY(&r, &s, "show");
    assert_int_equal(s.status, 0);
    assert_string_equal(s.out, "flow Nested\n\n"
                               "start  -> a, for each rate                  cell [1]\n"
                               " ╘═ a  -> b, for each j                     cell [2]\n"
                               "     ╘═ b  -> c, for each k                 cell [3]\n"
                               "         ╘═ c                               cell [4]\n"
                               "             ├─ left                        cell [5]\n"
                               "             └─ right                       cell [6]\n"
                               "            meet  <- joins left, right      cell [7]\n"
                               "        jk  <- joins meet                   cell [8]\n"
                               "    jj  <- joins jk                         cell [9]\n"
                               "ji  <- joins jj                             cell [10]\n");
    flow_run_close(&r);
}

static void check_says_that_the_flow_is_sound(void **state)
{
    struct flow_run r;
    struct said s;
    (void)state;
    flow_run_open(&r, "branch", BUILD_TCC);
    SAY(&r, &s, "check");
    assert_int_equal(s.status, 0);
    assert_string_equal(s.out, "flow BranchFlow: 5 steps, sound\n");
    SAY(&r, &s, "check", "it");
    assert_int_equal(s.status, 2);
    flow_run_close(&r);
}

static void a_seed_makes_runs_alike(void **state)
{
    struct flow_run r;
    struct said s;
    size_t n;
    unsigned char digest[SHA256_BYTES];
    (void)state;
    flow_run_open(&r, "random", BUILD_TCC);
    const char *const seeds[] = { "7", "7", "8" };
    for (int i = 0; i < 3; i++) {
        SAY(&r, &s, "run", "--seed", seeds[i]);
        assert_int_equal(s.status, 0);
        (void)snprintf(r.result.run, sizeof r.result.run, "latest");
        const struct meta_found *f = flow_run_found(&r, "end", "", "drawn", &n);
        assert_int_equal(n, 1);
        assert_true(i == 0 || (memcmp(digest, f->object.digest, sizeof digest) == 0) == (i == 1));
        memcpy(digest, f->object.digest, sizeof digest);
    }
    flow_run_close(&r);
}

int main(int argc, char **argv)
{
    zygote_main_if_asked(argc, argv, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_prints_output_and_what_it_left),
        cmocka_unit_test(a_failing_step_ends_with_status_1),
        cmocka_unit_test(usage_errors_end_with_status_2),
        cmocka_unit_test(help_lists_parameters_with_type_default_and_help),
        cmocka_unit_test(show_draws_branches_under_their_split),
        cmocka_unit_test(check_says_that_the_flow_is_sound),
        cmocka_unit_test(a_seed_makes_runs_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
