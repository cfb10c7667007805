/* weir runs, artifact, logs: what earlier runs left. */
#include "runtime/base/file.h"
#include "runtime/cli/command.h"
#include "runtime/view/artifacts.h"
#include "runtime/view/runs.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096, DEFAULT_RUNS = 20, DEFAULT_ROWS = 10 };

/* The store of this folder, its metadata, and an arena for what is read. */
struct look {
    struct arena arena;
    char *store;
    struct metadata *m;
};

static enum err_code look_open(struct look *l, struct err *e)
{
    enum err_code code = store_locate(".", &l->store, e);
    code = code ? code : metadata_open(l->store, false, &l->m, e);
    return code;
}

static void look_close(struct look *l)
{
    metadata_close(l->m);
    free(l->store);
    arena_done(&l->arena);
}

/* ---- runs ---- */

static void print_json(const struct meta_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct meta_run *r = &runs[i];
        json_t *line = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:I}", "run", r->name, "flow", r->flow, "status",
                                 run_status_text(r->status), "started", (json_int_t)r->started, "finished",
                                 (json_int_t)r->finished, "tier", r->tier, "code", r->code, "reason", r->reason, "tasks",
                                 (json_int_t)r->tasks);
        if (line) {
            (void)json_dumpf(line, stdout, JSON_COMPACT);
            (void)putchar('\n');
            json_decref(line);
        }
    }
}

int command_runs(int argc, char **argv, const struct command *self)
{
    struct look l = { .store = NULL };
    struct options o;
    struct err e = { 0 };
    int status = 0;
    uint64_t limit = DEFAULT_RUNS;
    struct meta_run *runs = NULL;
    size_t count = 0;
    arena_init(&l.arena);
    if (!command_options(argc, argv, self, &l.arena, &o, &status)) {
        look_close(&l);
        return status;
    }
    enum err_code code = options_number(&o, "limit", 1, 1000000, &limit, &e);
    code = code ? code : look_open(&l, &e);
    code = code ? code : metadata_runs(l.m, options_get(&o, "flow"), (size_t)limit, &l.arena, &runs, &count, &e);
    if (code) {
        status = command_error(&e);
    } else if (options_get(&o, "json")) {
        print_json(runs, count);
    } else {
        struct buf text;
        buf_init(&text, 0);
        runs_write(NULL, &text, runs, count);
        (void)fputs(text.data, stdout);
        buf_done(&text);
    }
    look_close(&l);
    return status;
}

/* ---- artifact ---- */

static enum err_code list_artifacts(struct look *l, const char *run, struct err *e)
{
    struct meta_run r;
    struct artifact_line *lines = NULL;
    size_t count = 0;
    enum err_code code = metadata_run_find(l->m, NULL, run ? run : "latest", &l->arena, &r, e);
    code = code ? code : artifacts_list(l->m, l->store, r.id, &l->arena, &lines, &count, e);
    if (!code) {
        struct buf text;
        buf_init(&text, 0);
        artifacts_write_list(NULL, &text, lines, count);
        (void)printf("run %s of flow %s\n%s", r.name, r.flow, text.data);
        buf_done(&text);
    }
    return code;
}

/* The .npy file of one artifact; one that lives in the database is written to a file under its hash first. */
static enum err_code print_path(struct look *l, const struct artifact_choice *c, struct err *e)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct meta_object *object = &c->found[i].object;
        char path[PATH_SIZE];
        if (!object->data) {
            store_object_path(l->store, object->digest, path, sizeof path);
        } else {
            char hex[SHA256_HEX];
            sha256_hex(object->digest, hex);
            (void)snprintf(path, sizeof path, "%s/inline", l->store);
            enum err_code code = file_mkdirs(path, e);
            (void)snprintf(path, sizeof path, "%s/inline/%s.npy", l->store, hex);
            code = code ? code : file_write_atomic(path, object->data, (size_t)object->size, 0444, 0, e);
            if (code) {
                return code;
            }
        }
        (void)puts(path);
    }
    return ERR_NONE;
}

static enum err_code show_artifact(struct look *l, const struct artifact_choice *c, size_t rows, struct err *e)
{
    struct show_limits limits = show_defaults;
    limits.rows = rows;
    struct buf text;
    buf_init(&text, 0);
    enum err_code code = artifacts_write(NULL, &text, l->store, c, &limits, &l->arena, e);
    if (!code) {
        (void)fputs(text.data, stdout);
        if (text.len && text.data[text.len - 1] != '\n') {
            (void)putchar('\n');
        }
    }
    buf_done(&text);
    return code;
}

int command_artifact(int argc, char **argv, const struct command *self)
{
    struct look l = { .store = NULL };
    struct options o;
    struct err e = { 0 };
    int status = 0;
    uint64_t rows = DEFAULT_ROWS;
    arena_init(&l.arena);
    if (!command_options(argc, argv, self, &l.arena, &o, &status)) {
        look_close(&l);
        return status;
    }
    const char *run = options_get(&o, "run");
    bool path = o.nwords == 2 && strcmp(o.words[0], "path") == 0;
    enum err_code code = options_number(&o, "rows", 1, 1000000, &rows, &e);
    code = code ? code : look_open(&l, &e);
    if (!code && o.nwords > 1 && !path) {
        code = err_set(&e, ERR_USAGE, "artifact: one name at a time: weir artifact %s", self->usage);
    } else if (!code && o.nwords == 0) {
        code = list_artifacts(&l, run, &e);
    } else if (!code) {
        struct artifact_choice c;
        code = artifact_choose(l.m, o.words[o.nwords - 1], run, &l.arena, &c, &e);
        code = code ? code : path ? print_path(&l, &c, &e) : show_artifact(&l, &c, (size_t)rows, &e);
    }
    status = code ? command_error(&e) : 0;
    look_close(&l);
    return status;
}

/* ---- logs ---- */

static void print_log(const struct meta_task *t, const char *text, size_t len, FILE *to)
{
    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end ? (size_t)(end - text) - at : len - at;
        (void)fprintf(to, "[%s%s%s] %.*s\n", t->step, *t->path ? " " : "", t->path, (int)n, text + at);
        at += n + 1;
    }
}

int command_logs(int argc, char **argv, const struct command *self)
{
    struct look l = { .store = NULL };
    struct options o;
    struct err e = { 0 };
    int status = 0;
    struct meta_run run;
    struct meta_task *tasks = NULL;
    size_t count = 0;
    arena_init(&l.arena);
    if (!command_options(argc, argv, self, &l.arena, &o, &status)) {
        look_close(&l);
        return status;
    }
    char *step = o.nwords > 1 ? arena_strndup(&l.arena, o.words[1], strlen(o.words[1])) : NULL;
    char *path = step ? strchr(step, '/') : NULL;
    if (path) {
        *path++ = '\0';
    }
    enum err_code code = o.nwords < 1 || o.nwords > 2
                             ? err_set(&e, ERR_USAGE, "logs: of which run? weir logs %s", self->usage)
                             : look_open(&l, &e);
    code = code ? code : metadata_run_find(l.m, NULL, o.words[0], &l.arena, &run, &e);
    code = code ? code : metadata_tasks(l.m, run.id, step, &l.arena, &tasks, &count, &e);
    if (!code && step && count == 0) {
        code = err_set(&e, ERR_NOT_FOUND, "run %s has no task of a step '%s'", run.name, step);
    }
    for (size_t i = 0; i < count && !code; i++) {
        if (!path || strcmp(path, tasks[i].path) == 0) {
            print_log(&tasks[i], tasks[i].out, tasks[i].out_len, stdout);
            print_log(&tasks[i], tasks[i].err, tasks[i].err_len, stderr);
        }
    }
    status = code ? command_error(&e) : 0;
    look_close(&l);
    return status;
}
