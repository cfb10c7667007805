/* weir run, show, check, export: commands on a flow that stands in a file. */
#include "runtime/cli/command.h"
#include "runtime/cli/flow_main.h"
#include "runtime/cli/source.h"
#include "runtime/export/export.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, MAX_INPUTS = 64 };

/* What `weir` itself takes out of a flow command's options. */
struct taken {
    struct source_options source;
    const char *inputs[MAX_INPUTS + 1]; /* owned names, NULL-terminated */
    size_t ninputs;
    const char *path;
    bool for_cell;           /* started by a %flow run: what it says is shown under the cell */
    char **rest;             /* argv of flow_command: borrowed pointers, owned array */
    int nrest;
};

/* The value of option `name` at argv[*i] ("--name value" or "--name=value"); NULL: another word, or no value. */
static const char *value_of(char **argv, int argc, int *i, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(argv[*i], "--", 2) != 0 || strncmp(argv[*i] + 2, name, n) != 0) {
        return NULL;
    }
    const char *after = argv[*i] + 2 + n;
    if (*after == '=') {
        return after + 1;
    }
    if (*after == '\0' && *i + 1 < argc) {
        return argv[++*i];
    }
    return NULL;
}

/* --input name=file stays for the runner; the notebook's lowering has to know the name. */
static enum err_code note_input(struct taken *t, const char *value, struct err *e)
{
    size_t n = strcspn(value, "=");
    if (t->ninputs == MAX_INPUTS) {
        return err_set(e, ERR_LIMIT, "more than %d inputs", MAX_INPUTS);
    }
    char *name = strndup(value, n);
    if (!name) {
        return err_memory(e);
    }
    t->inputs[t->ninputs++] = name;
    return ERR_NONE;
}

/* --parent PID: end with that process, whatever ends it. */
static enum err_code follow_parent(const char *text, struct err *e)
{
    char *end = NULL;
    long pid = strtol(text, &end, 10);
    if (end == text || *end || pid <= 0) {
        return err_set(e, ERR_USAGE, "--parent: '%s' is no process", text);
    }
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != (pid_t)pid) {
        return err_set(e, ERR_INTERRUPTED, "process %ld, which asked for this run, is gone", pid);
    }
    return ERR_NONE;
}

static enum err_code take(int argc, char **argv, struct taken *t, struct err *e)
{
    enum err_code code = build_tier_pick(NULL, &t->source.tier, e);
    t->rest = calloc((size_t)argc + 1, sizeof *t->rest);
    if (!t->rest) {
        return err_memory(e);
    }
    t->rest[t->nrest++] = argv[0];
    for (int i = 1; i < argc && !code; i++) {
        int before = i;
        const char *value = NULL;
        if ((value = value_of(argv, argc, &i, "flow"))) {
            t->source.flow = value;
        } else if ((value = value_of(argv, argc, &i, "tier"))) {
            code = build_tier_pick(value, &t->source.tier, e);
        } else if ((value = value_of(argv, argc, &i, "parent"))) {
            t->for_cell = true;
            code = follow_parent(value, e);
        } else if (!t->path && argv[i][0] != '-') {
            t->path = argv[i];
        } else {
            value = value_of(argv, argc, &i, "input");
            code = value ? note_input(t, value, e) : ERR_NONE;
            for (int k = before; k <= i; k++) {
                t->rest[t->nrest++] = argv[k];
            }
        }
    }
    t->source.inputs = t->inputs;
    return code;
}

static void taken_done(struct taken *t)
{
    for (size_t i = 0; i < t->ninputs; i++) {
        free((char *)t->inputs[i]);
    }
    free(t->rest);
}

static bool where_in_flow(void *ctx, uint64_t offset, char *cell, size_t size, int *line)
{
    const struct built_flow *f = ctx;
    struct build_where where;
    if (!build_flow_where(f->so_path, offset, &where)) {
        return false;
    }
    (void)snprintf(cell, size, "%s", where.cell);
    *line = where.line;
    return true;
}

/* --input name=file and --store DIR, made absolute before the folder changes. list: receives what to free. */
static enum err_code absolute_paths(struct taken *t, char ***list, struct err *e)
{
    *list = calloc((size_t)t->nrest + 1, sizeof **list);
    char here[PATH_SIZE];
    if (!*list || !getcwd(here, sizeof here)) {
        return *list ? err_errno(e, "this folder") : err_memory(e);
    }
    size_t n = 0;
    for (int i = 1; i < t->nrest; i++) {
        int k = i;
        bool input = true;
        const char *value = value_of(t->rest, t->nrest, &k, "input");
        if (!value) {
            k = i;
            input = false;
            value = value_of(t->rest, t->nrest, &k, "store");
        }
        const char *file = value && input ? strchr(value, '=') : value;
        file = file && input ? file + 1 : file;
        if (!file || *file == '/') {
            continue;
        }
        char *text = NULL;
        if (asprintf(&text, "%.*s%s/%s", (int)(file - t->rest[k]), t->rest[k], here, file) < 0) {
            return err_memory(e);
        }
        (*list)[n++] = t->rest[k] = text;
        i = k;
    }
    return ERR_NONE;
}

/* folder: relative paths in the flow's steps mean it; what the user typed on the command line means this one. */
static int run_file(struct taken *t, struct built_flow *f, const char *folder, const char *command, struct err *e)
{
    char zygote[PATH_SIZE], program[PATH_SIZE];
    const char *include_dir = NULL, *lib_dir = NULL, *exec_dir = NULL;
    char **owned = NULL;
    int status = 1;
    enum err_code code = build_paths(&include_dir, &lib_dir, &exec_dir, e);
    code = code ? code : absolute_paths(t, &owned, e);
    if (!code && chdir(folder) != 0) {
        code = err_errno(e, "folder '%s'", folder);
    }
    if (code) {
        status = command_error(e);
    } else {
        (void)snprintf(zygote, sizeof zygote, "%s/weir-zygote", exec_dir);
        if (t->for_cell) {
            (void)snprintf(program, sizeof program, "%%flow %s", command);
        } else {
            (void)snprintf(program, sizeof program, "weir %s %s", command, t->path);
        }
        struct run_options base;
        flow_options_default(&base);
        base.store = f->store;
        base.so_path = f->so_path;
        base.zygote_path = zygote;
        base.code = f->unit.len ? f->unit.data : NULL;
        base.tier = build_tier_name(f->tier);
        base.where = where_in_flow;
        base.where_ctx = f;
        status = flow_command(program, t->nrest, t->rest, f->object.flow, &base);
    }
    for (size_t i = 0; owned && owned[i]; i++) {
        free(owned[i]);
    }
    free(owned);
    return status;
}

int command_run(int argc, char **argv, const struct command *self)
{
    struct err e = { 0 };
    struct taken t = { .path = NULL };
    int status = 1;
    if (take(argc, argv, &t, &e)) {
        status = command_error(&e);
    } else if (!t.path) {
        char *help[] = { argv[0], (char *)self->name };
        bool asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
        (void)err_set(&e, ERR_USAGE, "%s: which file? weir %s %s", self->name, self->name, self->usage);
        status = asked ? command_help(2, help, self) : command_error(&e);
    } else {
        struct built_flow f;
        char folder[PATH_SIZE];
        status = source_open(t.path, &t.source, &f, folder, sizeof folder, &e) ? command_error(&e)
                                                                               : run_file(&t, &f, folder, self->name, &e);
        built_flow_done(&f);
    }
    taken_done(&t);
    return status;
}

int command_export(int argc, char **argv, const struct command *self)
{
    struct err e = { 0 };
    struct arena arena;
    struct options o;
    int status = 0;
    arena_init(&arena);
    if (!command_options(argc, argv, self, &arena, &o, &status)) {
        arena_done(&arena);
        return status;
    }
    struct built_flow f;
    char folder[PATH_SIZE];
    struct source_options from = { .flow = options_get(&o, "flow") };
    built_flow_init(&f);
    if (o.nwords != 2) {
        (void)err_set(&e, ERR_USAGE, "export: which file, and into which folder? weir export %s", self->usage);
    } else if (source_open(o.words[0], &from, &f, folder, sizeof folder, &e) == ERR_NONE) {
        const char *slash = strrchr(o.words[0], '/');
        struct export_request r = { .directory = o.words[1], .unit = f.unit.data, .unit_len = f.unit.len, .flow = f.object.flow,
                                    .source = slash ? slash + 1 : o.words[0], .force = options_get(&o, "force") != NULL };
        if (f.unit.len == 0) {
            (void)err_set(&e, ERR_USAGE, "export: '%s' is compiled already; name the notebook or flow.c", o.words[0]);
        } else if (export_flow(&r, &e) == ERR_NONE) {
            (void)printf("flow %s is in %s: `make -C %s` builds it\n", f.object.flow->name, o.words[1], o.words[1]);
        }
    }
    status = e.code ? command_error(&e) : 0;
    built_flow_done(&f);
    arena_done(&arena);
    return status;
}
