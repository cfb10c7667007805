/* For tests that run the flows of tests/flows/handmade: compile one, run it in a store of its own, look at what it left.
 * The test program is its own zygote: main begins with zygote_main_if_asked. Run from the tree's root. */
#ifndef TESTS_UNIT_FLOW_RUN_H
#define TESTS_UNIT_FLOW_RUN_H

#include "runtime/base/file.h"
#include "runtime/build/build.h"
#include "runtime/flow/runner.h"
#include "runtime/metadata/metadata.h"
#include "runtime/store/store.h"

#include <dlfcn.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* last: it needs what stands above */

struct flow_run {
    char dir[64];                 /* of the test, removed at the end */
    char store[96], build[96];
    char *so;
    const struct weir_flow *flow;
    struct build_where where;     /* of the last look-up */
    struct run_options o;
    struct run_setting parameters[4];
    struct run_result result;
    struct err e;
    struct arena arena;
    struct metadata *m;
    struct meta_run run;
};

static inline bool flow_run_where(void *ctx, uint64_t offset, char *cell, size_t size, int *line)
{
    struct flow_run *r = ctx;
    if (!build_flow_where(r->so, offset, &r->where) || strncmp(r->where.cell, "cell [", 6) != 0) {
        return false;
    }
    (void)snprintf(cell, size, "%s", r->where.cell);
    *line = r->where.line;
    return true;
}

/* A test's folder, and the handmade flow `name` compiled. */
static inline void flow_run_open(struct flow_run *r, const char *name, enum build_tier tier)
{
    char path[128], root[4096];
    char *text = NULL;
    size_t len;
    enum build_tier used;
    *r = (struct flow_run){ .dir = "/tmp/weir-test-XXXXXX", .o = { .events_fd = -1 } };
    arena_init(&r->arena);
    assert_non_null(mkdtemp(r->dir));
    (void)snprintf(r->store, sizeof r->store, "%s/.weir", r->dir);
    (void)snprintf(r->build, sizeof r->build, "%s/build", r->dir);
    (void)snprintf(path, sizeof path, "tests/flows/handmade/%s.c", name);
    assert_non_null(getcwd(root, sizeof root));
    assert_int_equal(setenv("WEIR_ROOT", root, 0), 0);
    assert_int_equal(file_read(path, 1 << 20, &text, &len, &r->e), ERR_NONE);
    if (build_flow(text, len, r->build, tier, &r->so, &used, &r->e)) {
        fail_msg("%s", r->e.msg);
    }
    free(text);
    void *so = dlopen(r->so, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(so);
    r->flow = dlsym(so, "weir_flow");
    assert_non_null(r->flow);
    r->o.store = r->store;
    r->o.so_path = r->so;
    r->o.parameters = r->parameters;
    r->o.where = flow_run_where;
    r->o.where_ctx = r;
}

static inline void flow_run_set(struct flow_run *r, const char *name, const char *value)
{
    r->parameters[r->o.nparameters++] = (struct run_setting){ name, value };
}

static inline enum err_code flow_run_go(struct flow_run *r)
{
    r->e.msg[0] = '\0';
    return run_flow(r->flow, &r->o, &r->result, &r->e);
}

/* Read what the last run left. */
static inline void flow_run_look(struct flow_run *r)
{
    if (!r->m) {
        assert_int_equal(metadata_open(r->store, false, &r->m, &r->e), ERR_NONE);
    }
    assert_int_equal(metadata_run_find(r->m, NULL, r->result.run, &r->arena, &r->run, &r->e), ERR_NONE);
}

static inline struct meta_task *flow_run_tasks(struct flow_run *r, const char *step, size_t *n)
{
    struct meta_task *tasks = NULL;
    flow_run_look(r);
    assert_int_equal(metadata_tasks(r->m, r->run.id, step, &r->arena, &tasks, n, &r->e), ERR_NONE);
    return tasks;
}

/* Artifacts of a step (NULL: all), path and name (NULL: any). */
static inline struct meta_found *flow_run_found(struct flow_run *r, const char *step, const char *path, const char *name, size_t *n)
{
    struct meta_found *found = NULL;
    flow_run_look(r);
    assert_int_equal(metadata_artifacts(r->m, r->run.id, step, path, name, &r->arena, &found, n, &r->e), ERR_NONE);
    return found;
}

/* An int artifact's value: the last 4 bytes of its .npy. */
static inline int flow_run_int(struct flow_run *r, const char *step, const char *path, const char *name)
{
    size_t n;
    int value;
    const struct meta_found *f = flow_run_found(r, step, path, name, &n);
    assert_int_equal(n, 1);
    assert_non_null(f->object.data);
    memcpy(&value, (const char *)f->object.data + f->object.size - 4, 4);
    return value;
}

static inline int flow_run_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void flow_run_close(struct flow_run *r)
{
    metadata_close(r->m);
    arena_done(&r->arena);
    free(r->so);
    assert_int_equal(nftw(r->dir, flow_run_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
