/* One task in a forked process, without runner and zygotes: what a lowered step's calls do, and how they fail. */
#include "runtime/flow/task.h"
#include "runtime/store/store.h"
#include "runtime/type/npy.h"

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h> /* last: it needs what stands above */

enum { A_n, A_xs, A_text, A_i, A_grid, A_other, NARTIFACTS };

static const struct weir_artifact artifacts[NARTIFACTS] = {
    [A_n] = { .name = "n", .ctype = "int", .field = { "n", 0, 4, WEIR_INT, 0, 0, { 0 } }, .form = WEIR_FIXED },
    [A_xs] = { .name = "xs", .ctype = "double []", .field = { "xs", 0, 8, WEIR_FLOAT, 0, 1, { 0 } }, .form = WEIR_DYNAMIC },
    [A_text] = { .name = "text", .ctype = "char *", .field = { "text", 0, 8, WEIR_STRING, 0, 0, { 0 } }, .form = WEIR_TEXT },
    [A_i] = { .name = "i", .ctype = "int", .field = { "i", 0, 4, WEIR_INT, 0, 0, { 0 } }, .form = WEIR_FIXED, .flags = WEIR_LOOP },
    [A_grid] = { .name = "grid", .ctype = "float [n][m]", .field = { "grid", 0, 4, WEIR_FLOAT, 0, 2, { 0, 0 } },
                 .form = WEIR_SHAPED },
    [A_other] = { .name = "other", .ctype = "int", .field = { "other", 0, 4, WEIR_INT, 0, 0, { 0 } }, .form = WEIR_FIXED },
};
static const unsigned all[] = { A_n, A_xs, A_text, A_grid };

enum { SLOT = 64 << 10 };

struct world {
    struct arena_shared shared;
    struct record_header *header;
    struct record_result *result;
    uint64_t record;
    char dir[64];
    int status;
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int open_world(void **state)
{
    static struct world w;
    struct store *s;
    struct err e;
    w = (struct world){ .dir = "/tmp/weir-test-XXXXXX" };
    *state = &w;
    if (!mkdtemp(w.dir) || arena_shared_new(&w.shared, sizeof(struct record_header) + SLOT, &e)) {
        return -1;
    }
    w.header = (struct record_header *)w.shared.base;
    w.header->slot_bytes = SLOT;
    (void)snprintf(w.header->run, sizeof w.header->run, "run-1");
    (void)snprintf(w.header->store, sizeof w.header->store, "%s/.weir", w.dir);
    w.result = (struct record_result *)(w.shared.base + sizeof *w.header);
    if (store_open(w.header->store, true, &s, &e)) {
        return -1;
    }
    store_close(s);
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    arena_shared_done(&w->shared);
    return nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A value of artifact id in the shared memory. */
static struct record_value value(struct world *w, unsigned id, const void *data, size_t count)
{
    struct buf b;
    struct err e;
    buf_init(&b, 0);
    const size_t dims[WEIR_MAX_DIMS] = { count };
    const struct weir_artifact *a = &artifacts[id];
    size_t bytes = a->form == WEIR_TEXT ? count : (count ? count : 1) * a->field.size;
    assert_int_equal(npy_header(&b, &a->field, a->form == WEIR_DYNAMIC ? dims : NULL, bytes, &e), ERR_NONE);
    buf_add(&b, data, bytes);
    struct record_value v = { .id = id, .size = b.len, .offset = arena_shared_alloc(&w->shared, b.len) };
    memcpy(arena_shared_at(&w->shared, v.offset, v.size), b.data, b.len);
    buf_done(&b);
    return v;
}

/* The record of a task inside two fan-outs over `i`, places 7 and 2, with these values and rows of inputs. */
static void record(struct world *w, const struct record_value *values, const struct record_value *inputs, size_t ninputs)
{
    size_t n = sizeof all / sizeof *all;
    size_t bytes = sizeof(struct record_task) + 2 * sizeof(struct record_frame) + (ninputs + 1) * n * sizeof *values;
    w->record = arena_shared_alloc(&w->shared, bytes);
    struct record_task *t = arena_shared_at(&w->shared, w->record, bytes);
    *t = (struct record_task){ .bytes = bytes, .nframes = 2, .nvalues = (uint32_t)n, .ninputs = ninputs, .seed = 99, .index = 2 };
    struct record_frame *f = (struct record_frame *)(t + 1);
    f[0] = (struct record_frame){ .loop = A_other, .index = 7 };
    f[1] = (struct record_frame){ .loop = A_i, .index = 2 };
    struct record_value *v = (struct record_value *)(f + 2);
    memcpy(v, values, n * sizeof *v);
    if (ninputs) {
        memcpy(v + n, inputs, ninputs * n * sizeof *v);
    }
}

/* Run this step in a child. */
static struct record_result *run(struct world *w, void (*step)(struct weir_task *))
{
    const struct weir_step s = { .name = "work", .run = step, .foreach = -1, .reads = all, .nreads = 4, .writes = all, .nwrites = 4,
                                 .cell = "cell [2]", .line = 1 };
    const struct weir_flow flow = { .abi = WEIR_ABI, .name = "F", .artifacts = artifacts, .nartifacts = NARTIFACTS, .steps = &s,
                                    .nsteps = 1 };
    const struct record_value none[4] = { { .id = RECORD_NONE }, { .id = RECORD_NONE }, { .id = RECORD_NONE },
                                          { .id = RECORD_NONE } };
    if (!w->record) {
        record(w, none, NULL, 0);
    }
    *w->result = (struct record_result){ .used = sizeof *w->result + 4 * sizeof w->result->outputs[0] };
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        const struct task_env env = { .flow = &flow, .shared = &w->shared, .header = w->header, .zygote = getppid() };
        task_run(&env, arena_shared_at(&w->shared, w->record, 1), w->result);
    }
    assert_int_equal(waitpid(pid, &w->status, 0), pid);
    return w->result;
}

static void expect(int ok, const char *what)
{
    if (!ok) {
        weir_fail("test", 1, "%s", what);
    }
}

static void finished(struct world *w, void (*step)(struct weir_task *))
{
    const struct record_result *r = run(w, step);
    if (r->state != RECORD_FINISHED || w->status) {
        fail_msg("state %u, status %d: %s", r->state, w->status, r->reason);
    }
}

static void failed(void **state, void (*step)(struct weir_task *), const char *reason)
{
    const struct record_result *r = run(*state, step);
    assert_int_equal(r->state, RECORD_FAILED);
    assert_string_equal(r->reason, reason);
}

/* ---- inputs ---- */

static void reads_all(struct weir_task *t)
{
    size_t n;
    expect(*(const int *)weir_get(t, A_n, NULL) == 5, "n");
    const double *xs = weir_get(t, A_xs, &n);
    expect(n == 3 && xs[2] == 2.5 && (size_t)xs % 64 == 0, "xs");
    expect(weir_get(t, A_xs, &n) == xs, "the same memory again");
    expect(strcmp(weir_get(t, A_text, &n), "hello") == 0 && n == 5, "text");
    size_t d[WEIR_MAX_DIMS] = { 9, 9 };
    expect(weir_get(t, A_grid, d) == NULL && d[0] == 0 && d[1] == 0, "nothing comes in");
}

static void values_come_in(void **state)
{
    struct world *w = *state;
    const int n = 5;
    const double xs[] = { 0.5, 1.5, 2.5 };
    const struct record_value values[] = { value(w, A_n, &n, 0), value(w, A_xs, xs, 3), value(w, A_text, "hello", 5),
                                           { .id = RECORD_NONE } };
    record(w, values, NULL, 0);
    finished(w, reads_all);
}

static void reads_n(struct weir_task *t)
{
    (void)weir_get(t, A_n, NULL);
}

static void a_value_of_another_type_names_the_artifact(void **state)
{
    struct world *w = *state;
    const double xs[] = { 1 };
    struct record_value values[4] = { value(w, A_xs, xs, 1), { .id = RECORD_NONE }, { .id = RECORD_NONE }, { .id = RECORD_NONE } };
    values[0].id = A_n;
    record(w, values, NULL, 0);
    failed(state, reads_n, "artifact 'n' comes in as '<f8' of shape 1, but this flow has it as int");
}

static void a_lost_file_names_artifact_and_digest(void **state)
{
    struct world *w = *state;
    const struct record_value values[4] = { { .id = A_n, .is_file = 1, .size = 5000, .digest = { 0xab } }, { .id = RECORD_NONE },
                                            { .id = RECORD_NONE }, { .id = RECORD_NONE } };
    record(w, values, NULL, 0);
    const struct record_result *r = run(w, reads_n);
    assert_int_equal(r->state, RECORD_FAILED);
    assert_non_null(strstr(r->reason, "artifact 'n': object ab0000"));
}

static void reads_other(struct weir_task *t)
{
    (void)weir_get(t, A_other, NULL);
}

static void a_read_that_is_not_declared_is_refused(void **state)
{
    failed(state, reads_other, "'work' reads 'other' without saying so");
}

static void gathers(struct weir_task *t)
{
    expect(weir_inputs(t) == 300, "count");
    const int *ns = weir_input_all(t, A_n);
    for (size_t i = 0; i < 300; i++) {
        expect(ns[i] == (int)i && *(const int *)weir_input(t, i, A_n, NULL) == (int)i, "index order");
    }
    size_t d = 1;
    expect(weir_input(t, 7, A_xs, &d) == NULL && d == 0, "an input that was not made");
}

static struct record_value *inputs_of_n(struct world *w, size_t count)
{
    struct record_value *inputs = calloc(count, 4 * sizeof *inputs);
    assert_non_null(inputs);
    for (size_t i = 0; i < count; i++) {
        const int n = (int)i;
        inputs[4 * i] = value(w, A_n, &n, 0);
        inputs[4 * i + 1].id = inputs[4 * i + 2].id = inputs[4 * i + 3].id = RECORD_NONE;
    }
    return inputs;
}

static void a_join_reads_its_inputs_one_by_one_and_as_an_array(void **state)
{
    struct world *w = *state;
    struct record_value *inputs = inputs_of_n(w, 300);
    record(w, inputs, inputs, 300);
    finished(w, gathers);
    free(inputs);
}

static void reads_beyond(struct weir_task *t)
{
    (void)weir_input(t, 300, A_n, NULL);
}

static void an_input_beyond_the_last_is_a_failure(void **state)
{
    struct world *w = *state;
    struct record_value *inputs = inputs_of_n(w, 3);
    record(w, inputs, inputs, 3);
    failed(state, reads_beyond, "inputs.at[300] of 3");
    free(inputs);
}

/* ---- who it is ---- */

static void looks_around(struct weir_task *t)
{
    struct weir_current c = weir_current(t);
    expect(!strcmp(c.run, "run-1") && !strcmp(c.flow, "F") && !strcmp(c.step, "work"), "names");
    expect(c.index == 2 && c.seed == 99, "index and seed");
    expect(weir_index(t, A_other) == 7 && weir_index(t, A_i) == 2, "indices");
    expect(getpgrp() == getpid(), "its own process group");
    int n = rand();
    srand(99);
    expect(n == rand(), "rand() starts from the task's seed");
}

static void a_task_knows_where_it_stands(void **state)
{
    finished(*state, looks_around);
}

static void asks_index(struct weir_task *t)
{
    (void)weir_index(t, A_n);
}

static void the_index_of_no_loop_variable_is_a_failure(void **state)
{
    failed(state, asks_index, "'n' is no loop variable around 'work'");
}

/* ---- memory ---- */

static void resizes(struct weir_task *t)
{
    double *x = weir_resize(t, A_xs, NULL, 0, 0);
    expect(x != NULL, "no rows have an address too");
    x = weir_resize(t, A_xs, x, 0, 10);
    for (int i = 0; i < 10; i++) {
        expect(x[i] == 0, "zero");
        x[i] = i + 1;
    }
    x = weir_resize(t, A_xs, x, 10, 4);
    x = weir_resize(t, A_xs, x, 4, 1000000);
    expect(x[3] == 4 && x[4] == 0 && x[9] == 0 && x[999999] == 0 && (size_t)x % 64 == 0, "kept and cleared");
    x[999999] = 5;
    x = weir_resize(t, A_xs, x, 1000000, 999999);
    x = weir_resize(t, A_xs, x, 999999, 3000000);
    expect(x[3] == 4 && x[999999] == 0 && x[2999999] == 0, "moved");
    x = weir_resize(t, A_xs, NULL, 0, 5);
    expect(x[3] == 0, "NULL starts anew");
    float *g = weir_resize(t, A_grid, NULL, 0, 6);
    g[5] = 1;
    expect(x[3] == 0, "others are apart");
}

static void resize_keeps_rows_and_clears_the_rest(void **state)
{
    finished(*state, resizes);
}

static void grows(struct weir_task *t)
{
    double *x = NULL;
    size_t n = 0;
    for (; n < 300000; n++) {
        x = weir_grow(t, A_xs, x, n);
        expect(x[n] == 0, "the new row is zero");
        x[n] = (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        expect(x[i] == (double)i, "rows stay");
    }
    x = weir_grow(t, A_xs, x, 10);
    expect(x[10] == 0 && x[9] == 9, "also after rows were dropped");
}

static void grow_appends_zeroed_rows(void **state)
{
    finished(*state, grows);
}

static void resizes_too_much(struct weir_task *t)
{
    (void)weir_resize(t, A_xs, NULL, 0, SIZE_MAX / 8);
}

static void a_size_beyond_memory_is_a_failure(void **state)
{
    char reason[128];
    (void)snprintf(reason, sizeof reason, "'xs' with %zu rows would be larger than memory", (size_t)SIZE_MAX / 8);
    failed(state, resizes_too_much, reason);
}

/* ---- what it keeps ---- */

static void puts_twice(struct weir_task *t)
{
    int n = 1;
    weir_put(t, A_n, &n, NULL);
    n = 2;
    weir_put(t, A_n, &n, NULL);
    weir_put(t, A_text, "abc", (const size_t[]){ 3 });
}

static void the_last_put_counts(void **state)
{
    struct world *w = *state;
    finished(w, puts_twice);
    int n;
    assert_int_equal(w->result->noutputs, 2);
    const struct record_value *v = &w->result->outputs[0];
    memcpy(&n, (const char *)w->result + v->offset + v->size - 4, 4);
    assert_int_equal(n, 2);
    assert_memory_equal((const char *)w->result + w->result->outputs[1].offset + w->result->outputs[1].size - 3, "abc", 3);
}

static void puts_too_often(struct weir_task *t)
{
    static const double xs[480];
    for (size_t n = 1; n < 480; n++) {
        weir_put(t, A_xs, xs, &n);
    }
}

static void a_slot_that_is_full_is_a_failure(void **state)
{
    failed(state, puts_too_often, "artifact 'xs' is put too often in one task");
}

static void puts_what_came(struct weir_task *t)
{
    size_t n;
    const double *xs = weir_get(t, A_xs, &n);
    weir_put(t, A_xs, xs, &n);
}

static void a_large_input_put_again_keeps_its_object(void **state)
{
    struct world *w = *state;
    static double xs[1000];
    struct err e;
    struct record_value v = value(w, A_xs, xs, 1000);
    const char *npy = arena_shared_at(&w->shared, v.offset, v.size);
    assert_int_equal(store_put(w->header->store, npy, 128, npy + 128, v.size - 128, v.digest, &e), ERR_NONE);
    v.is_file = 1;
    const struct record_value values[] = { { .id = RECORD_NONE }, v, { .id = RECORD_NONE }, { .id = RECORD_NONE } };
    record(w, values, NULL, 0);
    finished(w, puts_what_came);
    assert_true(w->result->outputs[0].is_file);
    assert_memory_equal(w->result->outputs[0].digest, v.digest, SHA256_BYTES);
}

static void fails_in_a_child(struct weir_task *t)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)freopen("/dev/null", "w", stderr);
        weir_fail("cell [2]", 3, "not the task itself");
    }
    int n = 1;
    (void)waitpid(pid, NULL, 0);
    weir_put(t, A_n, &n, NULL);
}

static void fail_in_a_process_that_the_step_forked_fails_that_one(void **state)
{
    finished(*state, fails_in_a_child);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_come_in),
        TEST(a_value_of_another_type_names_the_artifact),
        TEST(a_lost_file_names_artifact_and_digest),
        TEST(a_read_that_is_not_declared_is_refused),
        TEST(a_join_reads_its_inputs_one_by_one_and_as_an_array),
        TEST(an_input_beyond_the_last_is_a_failure),
        TEST(a_task_knows_where_it_stands),
        TEST(the_index_of_no_loop_variable_is_a_failure),
        TEST(resize_keeps_rows_and_clears_the_rest),
        TEST(grow_appends_zeroed_rows),
        TEST(a_size_beyond_memory_is_a_failure),
        TEST(the_last_put_counts),
        TEST(a_slot_that_is_full_is_a_failure),
        TEST(a_large_input_put_again_keeps_its_object),
        TEST(fail_in_a_process_that_the_step_forked_fails_that_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
