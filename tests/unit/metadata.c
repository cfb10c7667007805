/* Metadata: what is recorded is read back; batches; several writers; kill -9. sqlite3's own program checks the file. */
#include "runtime/metadata/metadata.h"
#include "runtime/store/store.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char dir[64];
    struct metadata *m;
    struct arena arena;
    struct err e;
};

static int enter(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) {
        return -1;
    }
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/weir-metadata-XXXXXX");
    arena_init(&f->arena);
    *state = f;
    return mkdtemp(f->dir) && chdir(f->dir) == 0 && metadata_open(".weir", true, &f->m, &f->e) == ERR_NONE ? 0 : -1;
}

/* Run a program, without a shell; its exit status. */
static int run_program(const char *const argv[])
{
    pid_t pid = 0;
    int status = -1;
    char *environment[] = { NULL };
    char *const *args = (char *const *)(uintptr_t)argv; /* never written to */
    if (posix_spawnp(&pid, argv[0], NULL, NULL, args, environment) != 0) {
        return -1;
    }
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* The condition holds, by SQLite's own program: anything else is an integer overflow there. */
static void check_sql(const char *condition)
{
    char sql[1000];
    (void)snprintf(sql, sizeof sql, "SELECT CASE WHEN %s THEN '' ELSE abs(-9223372036854775808) END", condition);
    assert_int_equal(run_program((const char *[]){ "sqlite3", "-bail", ".weir/metadata.db", sql, NULL }), 0);
}

static int leave(void **state)
{
    struct fixture *f = *state;
    metadata_close(f->m);
    arena_done(&f->arena);
    int failed = chdir("/") < 0 || run_program((const char *[]){ "/bin/rm", "-rf", f->dir, NULL });
    free(f);
    return failed ? -1 : 0;
}

/* A database must not be open across a fork. */
static void close_database(struct fixture *f)
{
    metadata_close(f->m);
    f->m = NULL;
}

static void open_database(struct fixture *f)
{
    assert_int_equal(metadata_open(".weir", false, &f->m, &f->e), ERR_NONE);
}

static int64_t add_run(struct fixture *f, const char *flow, const char *name)
{
    struct meta_run r = { .flow = flow, .name = name, .code = "c0de", .tier = "tcc", .user = "ada" };
    assert_int_equal(metadata_run_add(f->m, &r, &f->e), ERR_NONE);
    return r.id;
}

/* An inline value. */
static struct meta_artifact value(const char *name, const char *text)
{
    struct meta_artifact a = { .name = name, .object = { .size = (int64_t)strlen(text), .data = text } };
    const struct iovec part = { (void *)(uintptr_t)text, strlen(text) };
    assert_int_equal(sha256_parts(&part, 1, a.object.digest, NULL), ERR_NONE);
    return a;
}

static enum err_code add_task(struct fixture *f, int64_t run, const char *step, const char *path, int64_t started,
                              const struct meta_artifact *artifacts, size_t n)
{
    struct meta_task t = {
        .run = run, .step = step, .path = path, .status = META_DONE, .started = started, .finished = started + 5
    };
    return metadata_task_add(f->m, &t, artifacts, n, &f->e);
}

/* ---- opening ---- */

static void opening_what_is_not_there_says_so(void **state)
{
    struct fixture *f = *state;
    struct metadata *m = NULL;
    assert_int_equal(metadata_open("none", false, &m, &f->e), ERR_NOT_FOUND);
    assert_string_equal(f->e.msg, "there are no runs in 'none' yet");
    metadata_close(NULL);
}

static void a_newer_database_is_refused_with_advice(void **state)
{
    struct fixture *f = *state;
    metadata_close(f->m);
    f->m = NULL;
    assert_int_equal(run_program((const char *[]){ "sqlite3", ".weir/metadata.db", "PRAGMA user_version = 9", NULL }),
                     0);
    assert_int_equal(metadata_open(".weir", true, &f->m, &f->e), ERR_FORMAT);
    assert_string_equal(f->e.msg, "'.weir/metadata.db' was made by a newer Weir (version 9, this one knows 1): "
                                  "upgrade Weir, or set WEIR_HOME to another folder");
}

static void a_database_of_something_else_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct metadata *m = NULL;
    assert_int_equal(run_program((const char *[]){ "/bin/mkdir", "other", "text", NULL }), 0);
    assert_int_equal(run_program((const char *[]){ "sqlite3", "other/metadata.db", "CREATE TABLE mine (x)", NULL }), 0);
    assert_int_equal(metadata_open("other", true, &m, &f->e), ERR_FORMAT);
    assert_string_equal(f->e.msg, "'other/metadata.db' is a database of something else");
    FILE *file = fopen("text/metadata.db", "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++) {
        (void)fputs("no database\n", file);
    }
    (void)fclose(file);
    assert_int_equal(metadata_open("text", true, &m, &f->e), ERR_FORMAT);
    assert_non_null(strstr(f->e.msg, "file is not a database"));
}

/* ---- runs ---- */

static void a_run_is_read_as_recorded(void **state)
{
    struct fixture *f = *state;
    struct meta_run r = {
        .flow = "Grid", .status = META_RUNNING, .started = 1700000000123456, .code = "ab", .tier = "cc", .user = "ada"
    };
    struct meta_run back;
    assert_int_equal(metadata_run_add(f->m, &r, &f->e), ERR_NONE);
    assert_int_equal(strncmp(r.name, "20231114-221320-", 16), 0);
    assert_int_equal(strlen(r.name), 22);
    assert_int_equal(metadata_run_find(f->m, NULL, r.name, &f->arena, &back, &f->e), ERR_NONE);
    assert_int_equal(back.id, r.id);
    assert_string_equal(back.flow, "Grid");
    assert_int_equal(back.started, r.started);
    assert_int_equal(back.finished, 0);
    assert_string_equal(back.code, "ab");
    assert_string_equal(back.tier, "cc");
    assert_string_equal(back.user, "ada");
    assert_string_equal(back.reason, "");
    assert_int_equal(back.status, META_RUNNING);
}

static void a_runs_end_is_recorded(void **state)
{
    struct fixture *f = *state;
    struct meta_run back;
    int64_t id = add_run(f, "Grid", "r1");
    assert_int_equal(metadata_run_beat(f->m, id, 77, &f->e), ERR_NONE);
    assert_int_equal(metadata_run_end(f->m, id, META_FAILED, 99, "step 'a' failed", &f->e), ERR_NONE);
    assert_int_equal(metadata_run_find(f->m, "Grid", "latest", &f->arena, &back, &f->e), ERR_NONE);
    assert_int_equal(back.status, META_FAILED);
    assert_int_equal(back.finished, 99);
    assert_string_equal(back.reason, "step 'a' failed");
}

static void runs_come_newest_first(void **state)
{
    struct fixture *f = *state;
    struct meta_run *runs = NULL;
    size_t count = 0;
    (void)add_run(f, "A", "r1");
    (void)add_run(f, "B", "r2");
    (void)add_run(f, "A", "r3");
    assert_int_equal(metadata_runs(f->m, NULL, 0, &f->arena, &runs, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 3);
    assert_string_equal(runs[0].name, "r3");
    assert_int_equal(metadata_runs(f->m, "A", 0, &f->arena, &runs, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 2);
    assert_string_equal(runs[1].name, "r1");
    assert_int_equal(metadata_runs(f->m, NULL, 1, &f->arena, &runs, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 1);
}

static void a_run_is_found_by_prefix(void **state)
{
    struct fixture *f = *state;
    struct meta_run r;
    (void)add_run(f, "A", "2026-a");
    (void)add_run(f, "A", "2026-ab");
    (void)add_run(f, "B", "2027-c");
    assert_int_equal(metadata_run_find(f->m, NULL, "2027", &f->arena, &r, &f->e), ERR_NONE);
    assert_string_equal(r.name, "2027-c");
    assert_int_equal(metadata_run_find(f->m, NULL, "2026-a", &f->arena, &r, &f->e), ERR_NONE);
    assert_string_equal(r.name, "2026-a"); /* a whole name, though also a prefix */
    assert_int_equal(metadata_run_find(f->m, "B", "202", &f->arena, &r, &f->e), ERR_NONE);
    assert_string_equal(r.name, "2027-c");
}

static void an_ambiguous_or_unknown_run_says_so(void **state)
{
    struct fixture *f = *state;
    struct meta_run r;
    for (int i = 0; i < 5; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "2026-%d", i);
        (void)add_run(f, "A", name);
    }
    assert_int_equal(metadata_run_find(f->m, NULL, "2026", &f->arena, &r, &f->e), ERR_NAME);
    assert_string_equal(f->e.msg, "several runs begin with '2026': '2026-0', '2026-1', '2026-2' and more; "
                                  "give more of the name");
    assert_int_equal(metadata_run_find(f->m, NULL, "1999", &f->arena, &r, &f->e), ERR_NOT_FOUND);
    assert_string_equal(f->e.msg, "there is no run '1999'");
    assert_int_equal(metadata_run_find(f->m, "B", "latest", &f->arena, &r, &f->e), ERR_NOT_FOUND);
    assert_string_equal(f->e.msg, "there is no run 'latest' of flow B");
    assert_int_equal(metadata_run_find(f->m, NULL, "", &f->arena, &r, &f->e), ERR_NOT_FOUND);
}

static void a_name_given_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    struct meta_run r = { .flow = "A", .name = "r1" };
    (void)add_run(f, "A", "r1");
    assert_int_equal(metadata_run_add(f->m, &r, &f->e), ERR_EXISTS);
    assert_string_equal(f->e.msg, "there is a run 'r1' already");
}

static void made_names_are_unique_within_a_second(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(metadata_begin(f->m, &f->e), ERR_NONE);
    for (int i = 0; i < 8000; i++) { /* 24 random bits: two of these are likely the same at first */
        struct meta_run r = { .flow = "A", .started = 1700000000000000 };
        assert_int_equal(metadata_run_add(f->m, &r, &f->e), ERR_NONE);
    }
    assert_int_equal(metadata_commit(f->m, &f->e), ERR_NONE);
}

/* ---- tasks ---- */

static void a_task_is_read_as_recorded(void **state)
{
    struct fixture *f = *state;
    struct meta_task *tasks = NULL;
    size_t count = 0;
    struct meta_task t = { .run = add_run(f, "A", NULL),
                           .step = "train",
                           .path = "3",
                           .status = META_FAILED,
                           .started = 10,
                           .finished = 20,
                           .exit_status = 11,
                           .reason = "it crashed",
                           .out = "one\0two",
                           .out_len = 7,
                           .err = "\xff\xfe",
                           .err_len = 2 };
    assert_int_equal(metadata_task_add(f->m, &t, NULL, 0, &f->e), ERR_NONE);
    assert_int_equal(metadata_tasks(f->m, t.run, NULL, &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 1);
    assert_int_equal(tasks[0].id, t.id);
    assert_string_equal(tasks[0].step, "train");
    assert_string_equal(tasks[0].path, "3");
    assert_int_equal(tasks[0].status, META_FAILED);
    assert_int_equal(tasks[0].started, 10);
    assert_int_equal(tasks[0].finished, 20);
    assert_int_equal(tasks[0].exit_status, 11);
    assert_string_equal(tasks[0].reason, "it crashed");
    assert_int_equal(tasks[0].out_len, 7);
    assert_memory_equal(tasks[0].out, "one\0two", 8);
    assert_int_equal(tasks[0].err_len, 2);
    assert_memory_equal(tasks[0].err, "\xff\xfe", 3);
}

static void long_logs_are_whole(void **state)
{
    struct fixture *f = *state;
    struct meta_task *tasks = NULL;
    size_t count = 0;
    size_t len = 3 << 20;
    char *log = malloc(len);
    assert_non_null(log);
    for (size_t i = 0; i < len; i++) {
        log[i] = (char)('a' + i % 23);
    }
    struct meta_task t = { .run = add_run(f, "A", NULL),
                           .step = "s",
                           .path = "",
                           .out = log,
                           .out_len = len,
                           .err = log,
                           .err_len = STORE_INLINE + 1 };
    assert_int_equal(metadata_task_add(f->m, &t, NULL, 0, &f->e), ERR_NONE);
    assert_int_equal(metadata_tasks(f->m, t.run, "s", &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(tasks[0].out_len, len);
    assert_memory_equal(tasks[0].out, log, len);
    assert_int_equal(tasks[0].err_len, STORE_INLINE + 1);
    assert_int_equal(run_program((const char *[]){ "/bin/rm", "-rf", ".weir/objects", NULL }),
                     0); /* then the beginning is left */
    assert_int_equal(metadata_tasks(f->m, t.run, "s", &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(tasks[0].out_len, STORE_INLINE);
    free(log);
}

static void tasks_come_by_step_start_and_numeric_path(void **state)
{
    struct fixture *f = *state;
    struct meta_task *tasks = NULL;
    size_t count = 0;
    int64_t run = add_run(f, "A", NULL);
    static const struct {
        const char *step, *path;
        int64_t started;
    } rows[] = {
        { "late", "", 900 },  { "fan", "10", 50 }, { "fan", "2", 60 },
        { "fan", "2.1", 61 }, { "start", "", 5 },  { "fan", "0", 80 },
    };
    static const char *const expected[] = { "start/", "fan/0", "fan/2", "fan/2.1", "fan/10", "late/" };
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(add_task(f, run, rows[i].step, rows[i].path, rows[i].started, NULL, 0), ERR_NONE);
    }
    assert_int_equal(metadata_tasks(f->m, run, NULL, &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 6);
    for (size_t i = 0; i < count; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s/%s", tasks[i].step, tasks[i].path);
        assert_string_equal(name, expected[i]);
    }
    assert_int_equal(metadata_tasks(f->m, run, "fan", &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 4);
    assert_int_equal(metadata_tasks(f->m, run, "none", &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 0);
}

static void a_task_twice_is_refused_and_the_batch_goes_on(void **state)
{
    struct fixture *f = *state;
    struct meta_task *tasks = NULL;
    size_t count = 0;
    int64_t run = add_run(f, "A", NULL);
    assert_int_equal(metadata_begin(f->m, &f->e), ERR_NONE);
    assert_int_equal(add_task(f, run, "s", "1", 0, NULL, 0), ERR_NONE);
    assert_int_equal(add_task(f, run, "s", "1", 0, NULL, 0), ERR_EXISTS);
    assert_string_equal(f->e.msg, "task 's/1' is recorded already");
    assert_int_equal(add_task(f, run, "s", "2", 0, NULL, 0), ERR_NONE);
    assert_int_equal(metadata_commit(f->m, &f->e), ERR_NONE);
    assert_int_equal(metadata_tasks(f->m, run, NULL, &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 2);
}

/* ---- artifacts ---- */

static void artifacts_are_read_as_recorded(void **state)
{
    struct fixture *f = *state;
    struct meta_found *found = NULL;
    size_t count = 0;
    int64_t run = add_run(f, "A", NULL);
    struct meta_artifact a[2] = { value("x", "some bytes"),
                                  { .name = "big", .object = { .digest = { 1, 2, 3 }, .size = 1 << 30 } } };
    assert_int_equal(add_task(f, run, "s", "", 1, a, 2), ERR_NONE);
    assert_int_equal(metadata_artifacts(f->m, run, NULL, NULL, NULL, &f->arena, &found, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 2);
    const struct meta_found *x = strcmp(found[0].name, "x") == 0 ? &found[0] : &found[1];
    const struct meta_found *big = x == &found[0] ? &found[1] : &found[0];
    assert_int_equal(x->object.size, 10);
    assert_memory_equal(x->object.data, "some bytes", 10);
    assert_memory_equal(x->object.digest, a[0].object.digest, SHA256_BYTES);
    assert_int_equal(big->object.size, 1 << 30);
    assert_null(big->object.data);
    assert_memory_equal(big->object.digest, a[1].object.digest, SHA256_BYTES);
}

static void artifacts_are_chosen_by_step_path_and_name(void **state)
{
    struct fixture *f = *state;
    struct meta_found *found = NULL;
    size_t count = 0;
    int64_t run = add_run(f, "A", NULL);
    int64_t other = add_run(f, "A", NULL);
    struct meta_artifact a[2] = { value("x", "1"), value("y", "2") };
    assert_int_equal(add_task(f, run, "start", "", 1, a, 2), ERR_NONE);
    assert_int_equal(add_task(f, run, "fan", "10", 2, a, 1), ERR_NONE);
    assert_int_equal(add_task(f, run, "fan", "9", 3, a, 2), ERR_NONE);
    assert_int_equal(add_task(f, other, "fan", "9", 3, a, 2), ERR_NONE);
    static const struct {
        const char *step, *path, *name;
        size_t count;
        const char *first;
    } cases[] = {
        { NULL, NULL, NULL, 5, "start" }, { "fan", NULL, NULL, 3, "fan" }, { "fan", "9", NULL, 2, "fan" },
        { "fan", "9", "y", 1, "fan" },    { NULL, NULL, "x", 3, "start" }, { NULL, "", "x", 1, "start" },
        { "fan", NULL, "z", 0, NULL },    { "fan", "", NULL, 0, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(metadata_artifacts(f->m, run, cases[i].step, cases[i].path, cases[i].name, &f->arena, &found,
                                            &count, &f->e),
                         ERR_NONE);
        assert_int_equal(count, cases[i].count);
        if (count) {
            assert_string_equal(found[0].step, cases[i].first);
        }
    }
    assert_int_equal(metadata_artifacts(f->m, run, "fan", NULL, "x", &f->arena, &found, &count, &f->e), ERR_NONE);
    assert_string_equal(found[0].path, "9");
    assert_string_equal(found[1].path, "10");
}

static void equal_values_share_one_object(void **state)
{
    struct fixture *f = *state;
    int64_t run = add_run(f, "A", NULL);
    struct meta_artifact a = value("x", "same");
    assert_int_equal(add_task(f, run, "s", "0", 1, &a, 1), ERR_NONE);
    metadata_close(f->m); /* so that no cache knows it */
    assert_int_equal(metadata_open(".weir", false, &f->m, &f->e), ERR_NONE);
    assert_int_equal(add_task(f, run, "s", "1", 1, &a, 1), ERR_NONE);
    assert_int_equal(add_task(f, run, "s", "2", 1, &a, 1), ERR_NONE);
    close_database(f);
    check_sql("(SELECT count(*) FROM object) = 1 AND "
              "(SELECT count(*) FROM artifact) = 3");
}

static void one_artifact_twice_in_a_task_is_refused(void **state)
{
    struct fixture *f = *state;
    struct meta_task *tasks = NULL;
    size_t count = 0;
    int64_t run = add_run(f, "A", NULL);
    struct meta_artifact a[2] = { value("x", "1"), value("x", "2") };
    assert_int_equal(add_task(f, run, "s", "", 1, a, 2), ERR_USAGE);
    assert_string_equal(f->e.msg, "a task recorded artifact 'x' twice");
    assert_int_equal(metadata_tasks(f->m, run, NULL, &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 0);
    assert_int_equal(add_task(f, run, "s", "", 1, a, 1), ERR_NONE); /* no cache remembers what was rolled back */
}

/* ---- batches ---- */

static void a_batch_is_seen_after_its_commit(void **state)
{
    struct fixture *f = *state;
    struct metadata *reader = NULL;
    struct meta_run r;
    struct meta_task *tasks = NULL;
    size_t count = 0;
    int64_t run = add_run(f, "A", "r");
    assert_int_equal(metadata_open(".weir", false, &reader, &f->e), ERR_NONE);
    assert_int_equal(metadata_begin(f->m, &f->e), ERR_NONE);
    assert_int_equal(add_task(f, run, "s", "", 1, NULL, 0), ERR_NONE);
    assert_int_equal(metadata_tasks(reader, run, NULL, &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 0);
    assert_int_equal(metadata_commit(f->m, &f->e), ERR_NONE);
    assert_int_equal(metadata_tasks(reader, run, NULL, &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 1);
    assert_int_equal(metadata_run_find(reader, NULL, "r", &f->arena, &r, &f->e), ERR_NONE);
    assert_int_equal(r.tasks, 1);
    metadata_close(reader);
}

static void a_batch_that_is_never_committed_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct meta_task *tasks = NULL;
    size_t count = 7;
    int64_t run = add_run(f, "A", "r");
    assert_int_equal(metadata_begin(f->m, &f->e), ERR_NONE);
    assert_int_equal(metadata_begin(f->m, &f->e), ERR_BUSY);
    assert_int_equal(add_task(f, run, "s", "", 1, NULL, 0), ERR_NONE);
    metadata_close(f->m);
    assert_int_equal(metadata_open(".weir", false, &f->m, &f->e), ERR_NONE);
    assert_int_equal(metadata_tasks(f->m, run, NULL, &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 0);
    assert_int_equal(metadata_commit(f->m, &f->e), ERR_USAGE);
}

static void a_failed_batch_says_so_at_its_commit(void **state)
{
    struct fixture *f = *state;
    int64_t run = add_run(f, "A", "r");
    struct meta_artifact a[2] = { value("x", "1"), value("x", "2") };
    assert_int_equal(metadata_begin(f->m, &f->e), ERR_NONE);
    assert_int_equal(add_task(f, run, "s", "0", 1, NULL, 0), ERR_NONE);
    assert_int_equal(add_task(f, run, "s", "1", 1, a, 2), ERR_USAGE);
    assert_int_equal(add_task(f, run, "s", "2", 1, NULL, 0), ERR_IO);
    assert_string_equal(f->e.msg, "'.weir/metadata.db': this batch failed before and was rolled back");
    assert_int_equal(metadata_commit(f->m, &f->e), ERR_IO);
    assert_int_equal(metadata_begin(f->m, &f->e), ERR_NONE);
    assert_int_equal(add_task(f, run, "s", "0", 1, NULL, 0), ERR_NONE);
    assert_int_equal(metadata_commit(f->m, &f->e), ERR_NONE);
}

static void tags_and_events_are_kept(void **state)
{
    struct fixture *f = *state;
    int64_t run = add_run(f, "A", "r");
    assert_int_equal(metadata_tag(f->m, run, "good", &f->e), ERR_NONE);
    assert_int_equal(metadata_tag(f->m, run, "good", &f->e), ERR_NONE);
    assert_int_equal(metadata_event(f->m, run, 5, "note", "looked at", &f->e), ERR_NONE);
    close_database(f);
    check_sql("(SELECT count(*) FROM tag WHERE tag = 'good') = 1 AND "
              "(SELECT text FROM event WHERE kind = 'note' AND "
              "time = 5) = 'looked at'");
}

/* ---- several processes ---- */

/* Record `tasks` tasks in batches of 50; stops at the first error. */
static int writer(int64_t run, int tasks)
{
    struct fixture f = { 0 };
    if (metadata_open(".weir", true, &f.m, &f.e)) {
        return 1;
    }
    for (int i = 0; i < tasks; i++) {
        char path[16];
        char text[32];
        (void)snprintf(path, sizeof path, "%d", i);
        (void)snprintf(text, sizeof text, "value %d", i); /* the same for all writers */
        struct meta_artifact a = value("x", text);
        if ((i % 50 == 0 && metadata_begin(f.m, &f.e)) || add_task(&f, run, "s", path, i, &a, 1) ||
            (i % 50 == 49 && metadata_commit(f.m, &f.e))) {
            (void)fprintf(stderr, "%s\n", f.e.msg);
            return 1;
        }
    }
    metadata_close(f.m);
    return 0;
}

static void two_processes_write_at_once(void **state)
{
    struct fixture *f = *state;
    pid_t children[2];
    int64_t ids[2] = { add_run(f, "A", NULL), add_run(f, "A", NULL) };
    close_database(f);
    for (int c = 0; c < 2; c++) {
        children[c] = fork();
        if (children[c] == 0) {
            _exit(writer(ids[c], 2000));
        }
    }
    for (int c = 0; c < 2; c++) {
        int status = -1;
        assert_int_equal(waitpid(children[c], &status, 0), children[c]);
        assert_int_equal(status, 0);
    }
    struct meta_run *runs = NULL;
    size_t count = 0;
    open_database(f);
    assert_int_equal(metadata_runs(f->m, NULL, 0, &f->arena, &runs, &count, &f->e), ERR_NONE);
    assert_int_equal(count, 2);
    assert_int_equal(runs[0].tasks, 2000);
    assert_int_equal(runs[1].tasks, 2000);
}

static void two_processes_create_it_at_once(void **state)
{
    close_database(*state);
    pid_t children[4];
    for (int c = 0; c < 4; c++) {
        children[c] = fork();
        if (children[c] == 0) {
            int bad = 0;
            for (int i = 0; i < 20 && !bad; i++) {
                struct metadata *m = NULL;
                struct err e = { 0 };
                char path[32];
                (void)snprintf(path, sizeof path, "new%d/.weir", i);
                bad = metadata_open(path, true, &m, &e) != ERR_NONE;
                (void)fprintf(stderr, "%s", e.msg);
                metadata_close(m);
            }
            _exit(bad);
        }
    }
    for (int c = 0; c < 4; c++) {
        int status = -1;
        assert_int_equal(waitpid(children[c], &status, 0), children[c]);
        assert_int_equal(status, 0);
    }
}

static void kill_9_in_a_batch_keeps_the_committed_ones(void **state)
{
    struct fixture *f = *state;
    int64_t run = add_run(f, "A", "r");
    close_database(f);
    pid_t child = fork();
    if (child == 0) {
        _exit(writer(run, 10000000));
    }
    open_database(f);
    struct meta_run r = { 0 };
    while (r.tasks < 500) {
        assert_int_equal(metadata_run_find(f->m, NULL, "r", &f->arena, &r, &f->e), ERR_NONE);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct meta_task *tasks = NULL;
    struct meta_found *found = NULL;
    size_t count = 0;
    size_t artifacts = 0;
    assert_int_equal(metadata_run_find(f->m, NULL, "r", &f->arena, &r, &f->e), ERR_NONE);
    assert_int_equal(metadata_tasks(f->m, run, NULL, &f->arena, &tasks, &count, &f->e), ERR_NONE);
    assert_int_equal(metadata_artifacts(f->m, run, NULL, NULL, "x", &f->arena, &found, &artifacts, &f->e), ERR_NONE);
    assert_int_equal(count, r.tasks);
    assert_int_equal(artifacts, count);
    assert_int_equal(count % 50, 0);
    assert_int_equal(add_task(f, run, "after", "", 1, NULL, 0), ERR_NONE);
    check_sql("(SELECT * FROM pragma_integrity_check) = 'ok' AND "
              "NOT EXISTS (SELECT * FROM pragma_foreign_key_check)");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {
        TEST(opening_what_is_not_there_says_so),
        TEST(a_newer_database_is_refused_with_advice),
        TEST(a_database_of_something_else_is_left_alone),
        TEST(a_run_is_read_as_recorded),
        TEST(a_runs_end_is_recorded),
        TEST(runs_come_newest_first),
        TEST(a_run_is_found_by_prefix),
        TEST(an_ambiguous_or_unknown_run_says_so),
        TEST(a_name_given_twice_is_refused),
        TEST(made_names_are_unique_within_a_second),
        TEST(a_task_is_read_as_recorded),
        TEST(long_logs_are_whole),
        TEST(tasks_come_by_step_start_and_numeric_path),
        TEST(a_task_twice_is_refused_and_the_batch_goes_on),
        TEST(artifacts_are_read_as_recorded),
        TEST(artifacts_are_chosen_by_step_path_and_name),
        TEST(equal_values_share_one_object),
        TEST(one_artifact_twice_in_a_task_is_refused),
        TEST(a_batch_is_seen_after_its_commit),
        TEST(a_batch_that_is_never_committed_leaves_nothing),
        TEST(a_failed_batch_says_so_at_its_commit),
        TEST(tags_and_events_are_kept),
        TEST(two_processes_write_at_once),
        TEST(two_processes_create_it_at_once),
        TEST(kill_9_in_a_batch_keeps_the_committed_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
