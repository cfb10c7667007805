/* %flow run: check, compile, start a runner, show what it does, keep what it left. */
#include "magics/compiled.h"
#include "magics/progress.h"
#include "magics/run_inputs.h"
#include "magics/runner.h"
#include "magics/state.h"
#include "magics/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    POLL_MS = 50,
    MAX_PATH = 4096
};

/* ---- what is asked for ---- */

/* The --input names, NULL-terminated. */
static enum err_code input_names(const struct magic_call *call, const char ***out, struct err *e)
{
    const struct options *o = &call->options;
    const char **names = arena_alloc(call->arena, (o->nvalues + 1) * sizeof *names);
    size_t n = 0;
    if (!names) {
        return err_memory(e);
    }
    for (size_t i = 0; i < o->nvalues; i++) {
        if (!o->values[i].other && strcmp(o->values[i].name, "input") == 0) {
            names[n++] = o->values[i].value;
        }
    }
    *out = names;
    return ERR_NONE;
}

/* Everything between the cell and the runner. */
struct job {
    struct magics *m;
    const struct magic_call *call;
    const char *flow;            /* borrowed */
    const char **inputs;         /* in the call's arena */
    struct built_flow built;
    struct run_inputs files;     /* of the inputs */
};

/* ---- the command line ---- */

/* The weir program: beside this one, or in PREFIX/bin of an installation. */
static enum err_code find_program(char out[MAX_PATH], struct err *e)
{
    static const char *const places[] = { "weir", "../../bin/weir" };
    const char *dir = NULL;
    enum err_code code = build_paths(NULL, NULL, &dir, e);
    for (size_t i = 0; !code && i < sizeof places / sizeof *places; i++) {
        if (snprintf(out, MAX_PATH, "%s/%s", dir, places[i]) < MAX_PATH && access(out, X_OK) == 0) {
            return ERR_NONE;
        }
    }
    return code ? code : err_set(e, ERR_NOT_FOUND, "the program weir is not beside '%s'", dir);
}

static const char *joined(struct arena *a, const char *left, const char *middle, const char *right)
{
    struct buf text;
    buf_init(&text, 0);
    buf_printf(&text, "%s%s%s", left, middle, right);
    char *copy = text.failed ? NULL : arena_strndup(a, text.data, text.len);
    buf_done(&text);
    return copy;
}

static enum err_code make_argv(const struct job *j, const char *program, const char ***out, struct err *e)
{
    const struct options *o = &j->call->options;
    struct arena *a = j->call->arena;
    const char **argv = arena_alloc(a, (o->nvalues + 16) * sizeof *argv);
    char parent[32];
    size_t n = 0;
    if (!argv) {
        return err_memory(e);
    }
    (void)snprintf(parent, sizeof parent, "%ld", (long)getpid());
    argv[n++] = program;
    argv[n++] = "run";
    argv[n++] = j->built.so_path;
    argv[n++] = joined(a, "--events-fd", "=", "3");
    argv[n++] = joined(a, "--parent", "=", parent);
    argv[n++] = joined(a, "--store", "=", j->built.store);
    argv[n++] = joined(a, "--tier", "=", build_tier_name(j->built.tier));
    for (size_t i = 0; i < o->nvalues; i++) {
        const struct option_value *v = &o->values[i];
        if (!v->other && (strcmp(v->name, "input") == 0 || strcmp(v->name, "tier") == 0)) {
            continue;
        }
        const char *left = joined(a, "--", v->name, "=");
        argv[n++] = left ? joined(a, left, v->value, "") : NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (!argv[i]) {
            return err_memory(e);
        }
    }
    for (size_t i = 0; j->inputs[i]; i++) { /* as many as there were --input options: the room is there */
        const char *left = joined(a, "--input=", j->inputs[i], "=");
        argv[n] = left ? joined(a, left, j->files.path[i], "") : NULL;
        if (!argv[n++]) {
            return err_memory(e);
        }
    }
    *out = argv;
    return ERR_NONE;
}

/* ---- running ---- */

/* The runner's own words ("weir: --epochs: 'ten' is not an int") when no run came of it. */
static enum err_code explain_exit(const char *said, int status, struct err *e)
{
    size_t len = strlen(said);
    while (len > 0 && said[len - 1] == '\n') {
        len--;
    }
    if (strncmp(said, "weir: ", 6) == 0) {
        said += 6;
        len -= 6;
    }
    bool usage = status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 2;
    if (len == 0 && status >= 0 && WIFSIGNALED(status)) {
        return err_set(e, ERR_TASK, "the runner was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    }
    if (len == 0) {
        return err_set(e, ERR_TASK, "the runner ended with status %d and said nothing",
                       status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : status);
    }
    return err_set(e, usage ? ERR_USAGE : ERR_TASK, "%.*s", (int)(len < ERR_MESSAGE_MAX ? len : ERR_MESSAGE_MAX), said);
}

static enum err_code outcome(const struct progress *p, bool interrupted, const char *said, int status, struct err *e)
{
    if (strcmp(p->status, "done") == 0) {
        return ERR_NONE;
    }
    if (interrupted || strcmp(p->status, "interrupted") == 0) {
        return err_set(e, ERR_INTERRUPTED, "run %s was interrupted; what its finished tasks made is kept", p->run);
    }
    if (p->failure[0] && p->failures > 1) {
        return err_at(e, ERR_TASK, p->cell, p->line, "%s\n(and %llu more failed)", p->failure,
                      (unsigned long long)(p->failures - 1));
    }
    if (p->failure[0]) {
        return err_at(e, ERR_TASK, p->cell, p->line, "%s", p->failure);
    }
    if (p->reason[0]) {
        return err_set(e, ERR_TASK, "run %s failed: %s", p->run, p->reason);
    }
    return explain_exit(said, status, e);
}

static enum err_code listen_to(struct runner *r, struct progress *p, bool *interrupted, struct err *e)
{
    struct magics *m = p->m;
    bool ended = false;
    *interrupted = false;
    while (!ended) {
        enum err_code code = runner_listen(r, POLL_MS, progress_event, p, &ended, e);
        if (code) {
            return code;
        }
        if (!*interrupted && m->host.interrupted && m->host.interrupted(m->host.ctx)) {
            *interrupted = true;
            runner_interrupt(r);
        }
    }
    return ERR_NONE;
}

static enum err_code run(const struct job *j, const char *const *argv, struct progress *p, struct err *e)
{
    struct runner *r = NULL;
    bool interrupted = false;
    const char *said = "";
    enum err_code code = runner_start(argv, j->m->host.directory, &r, e);
    if (code) {
        return code;
    }
    code = listen_to(r, p, &interrupted, e);
    if (!code) {
        int status = runner_wait(r, &said);
        progress_finish(p);
        code = outcome(p, interrupted, said, status, e);
        if (!code && said[0]) {
            say(j->m, "stderr", "%s", said);
        }
    }
    runner_free(r);
    return code;
}

enum err_code flow_run(struct magics *m, const struct magic_call *call, struct err *e)
{
    struct job j = { .m = m, .call = call };
    built_flow_init(&j.built);
    char program[MAX_PATH];
    const char **argv = NULL;
    enum build_tier tier = BUILD_TCC;
    struct progress *p = arena_alloc(call->arena, sizeof *p);
    enum err_code code = p ? ERR_NONE : err_memory(e);
    code = code ? code : pick_flow(m, call->options.nwords ? call->options.words[0] : NULL, &j.flow, e);
    if (!code) {
        j.flow = arena_strndup(call->arena, j.flow, strlen(j.flow));
        code = j.flow ? ERR_NONE : err_memory(e);
    }
    code = code ? code : input_names(call, &j.inputs, e);
    code = code ? code : build_tier_pick(options_get(&call->options, "tier"), &tier, e);
    code = code ? code : compiled_make(&j.built, &m->host, j.flow, j.inputs, tier, e);
    code = code ? code : run_inputs_write(&j.files, m, &j.built, j.inputs, call->arena, e);
    code = code ? code : find_program(program, e);
    code = code ? code : make_argv(&j, program, &argv, e);
    code = code ? code : progress_init(p, m, j.flow, call->arena, e);
    if (!code) {
        code = run(&j, argv, p, e);
        if (p->run[0] && p->store[0]) {
            struct err later = { 0 };
            enum err_code kept = values_note_run(m->values, p->run, p->store, &later);
            if (!kept && !code) {
                kept = values_set(m->values, j.flow, p->run, p->store, call->cell->number, &later);
            }
            if (kept) {
                say(m, "stderr", "the run's values are not names in cells: %s\n", later.msg);
            }
        }
    }
    built_flow_done(&j.built);
    return code;
}
