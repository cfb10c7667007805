/* See flow_main.h. Options stand in one table; a flow's parameters are options too, typed by the artifact table. */
#include "runtime/cli/flow_main.h"

#include "runtime/base/words.h"
#include "runtime/flow/flow_graph.h"
#include "runtime/metadata/metadata.h"
#include "runtime/store/store.h"
#include "runtime/type/npy.h"
#include "runtime/type/show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_INTERRUPTED = 130, NAME_MAX_BYTES = 64, PATH_SIZE = 4096 };

struct settings {
    struct run_options o;
    struct run_setting *parameters;   /* owned array; names owned, values borrowed from argv */
    struct run_setting *inputs;
};

struct command {
    const char *name;
    const char *usage, *help;
    int (*run)(const char *program, const struct command *self, int argc, char **argv, const struct weir_flow *flow,
               const struct run_options *base);
};

struct option {
    const char *name, *value, *help;
    enum err_code (*take)(struct settings *s, const char *value, struct err *e);
};

void flow_options_default(struct run_options *o)
{
    *o = (struct run_options){ .events_fd = -1 };
}

static int failed(const char *program, const struct err *e)
{
    (void)fprintf(stderr, "%s: %s\n", program, e->msg);
    return e->code == ERR_INTERRUPTED ? STATUS_INTERRUPTED : e->code == ERR_USAGE ? STATUS_USAGE : STATUS_FAILED;
}

/* ---- options of `run` ---- */

static enum err_code take_number(const char *option, const char *text, unsigned long long max, unsigned long long *out,
                                 struct err *e)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 0);
    if (end == text || *end || errno || n > max || strchr(text, '-')) {
        return err_set(e, ERR_USAGE, "--%s: '%s' is not a number from 0 to %llu", option, text, max);
    }
    *out = n;
    return ERR_NONE;
}

static enum err_code take_workers(struct settings *s, const char *value, struct err *e)
{
    unsigned long long n;
    enum err_code code = take_number("max-workers", value, 1024, &n, e);
    if (!code && !n) {
        return err_set(e, ERR_USAGE, "--max-workers: a run needs at least 1");
    }
    s->o.max_workers = code ? 0 : (unsigned)n;
    return code;
}

static enum err_code take_seed(struct settings *s, const char *value, struct err *e)
{
    unsigned long long n = 0;
    enum err_code code = take_number("seed", value, UINT64_MAX, &n, e);
    s->o.seed = n;
    return code;
}

static enum err_code take_store(struct settings *s, const char *value, struct err *e)
{
    s->o.store = value;
    return value[0] ? ERR_NONE : err_set(e, ERR_USAGE, "--store: which folder?");
}

static enum err_code take_events(struct settings *s, const char *value, struct err *e)
{
    unsigned long long n = 0;
    enum err_code code = take_number("events-fd", value, 1 << 20, &n, e);
    s->o.events_fd = (int)n;
    return code;
}

/* Append "name=value" to a list of settings. The list has room for one more (at most one an argument). */
static enum err_code take_pair(const char *option, struct run_setting *list, unsigned *n, const char *text, struct err *e)
{
    const char *equal = strchr(text, '=');
    if (!equal || equal == text) {
        return err_set(e, ERR_USAGE, "--%s: '%s' is not NAME=VALUE", option, text);
    }
    char *name = strndup(text, (size_t)(equal - text));
    if (!name) {
        return err_memory(e);
    }
    list[(*n)++] = (struct run_setting){ .name = name, .value = equal + 1 };
    return ERR_NONE;
}

static enum err_code take_input(struct settings *s, const char *value, struct err *e)
{
    return take_pair("input", s->inputs, &s->o.ninputs, value, e);
}

static enum err_code take_param(struct settings *s, const char *value, struct err *e)
{
    return take_pair("param", s->parameters, &s->o.nparameters, value, e);
}

static const struct option run_options[] = {
    { "max-workers", "N", "tasks at once (default: one a core)", take_workers },
    { "seed", "N", "of the tasks' random numbers (default 0)", take_seed },
    { "store", "DIR", "the .weir folder (default: the nearest one above, else here)", take_store },
    { "input", "NAME=FILE.npy", "an artifact that comes from outside", take_input },
    { "param", "NAME=VALUE", "a parameter whose name is also an option here", take_param },
    { "events-fd", "N", "write what happens as JSON lines to this descriptor", take_events },
};
enum { NOPTIONS = sizeof run_options / sizeof *run_options };

static bool named(const char *name, const char *word, size_t len)
{
    return strlen(name) == len && strncmp(name, word, len) == 0;
}

static const struct weir_artifact *parameter_of(const struct weir_flow *flow, const char *word, size_t len)
{
    for (unsigned i = 0; i < flow->nartifacts; i++) {
        if ((flow->artifacts[i].flags & WEIR_PARAMETER) && named(flow->artifacts[i].name, word, len)) {
            return &flow->artifacts[i];
        }
    }
    return NULL;
}

/* At most NAME_MAX_BYTES of each are looked at. */
static unsigned distance(const char *a, size_t n, const char *b)
{
    return words_distance(a, n < NAME_MAX_BYTES ? n : NAME_MAX_BYTES, b, strnlen(b, NAME_MAX_BYTES), false);
}

static enum err_code unknown_option(const struct weir_flow *flow, const char *word, size_t len, struct err *e)
{
    const char *best = NULL;
    unsigned least = (unsigned)len / 2 + 1;
    char dashed[NAME_MAX_BYTES]; /* "max_workers" means --max-workers */
    for (size_t k = 0; k < len && k < sizeof dashed; k++) {
        dashed[k] = word[k] == '_' ? '-' : word[k];
    }
    for (unsigned i = 0; i < NOPTIONS; i++) {
        unsigned d = distance(dashed, len, run_options[i].name);
        best = d < least ? run_options[i].name : best;
        least = d < least ? d : least;
    }
    for (unsigned i = 0; i < flow->nartifacts; i++) {
        unsigned d = flow->artifacts[i].flags & WEIR_PARAMETER ? distance(word, len, flow->artifacts[i].name) : least;
        best = d < least ? flow->artifacts[i].name : best;
        least = d < least ? d : least;
    }
    return err_set(e, ERR_USAGE, "no option '--%.*s'%s%s%s", (int)len, word, best ? "; did you mean '--" : "; see --help",
                   best ? best : "", best ? "'?" : "");
}

/* argv[*i] and, if its value stands apart, argv[*i + 1]. */
static enum err_code take_option(struct settings *s, const struct weir_flow *flow, int argc, char **argv, int *i, struct err *e)
{
    const char *word = argv[*i];
    if (strncmp(word, "--", 2) != 0 || !word[2]) {
        return err_set(e, ERR_USAGE, "'%s' is no option; see --help", word);
    }
    word += 2;
    size_t len = strcspn(word, "=");
    const struct weir_artifact *a = parameter_of(flow, word, len);
    const struct option *o = NULL;
    for (unsigned k = 0; !a && k < NOPTIONS; k++) {
        o = named(run_options[k].name, word, len) ? &run_options[k] : o;
    }
    if (!a && !o) {
        return unknown_option(flow, word, len, e);
    }
    const char *value = word[len] ? word + len + 1 : *i + 1 < argc ? argv[++*i] : NULL;
    if (!value) {
        return err_set(e, ERR_USAGE, "--%s needs a value: %s", a ? a->name : o->name, a ? a->ctype : o->value);
    }
    if (o) {
        return o->take(s, value, e);
    }
    char *name = strdup(a->name);
    if (!name) {
        return err_memory(e);
    }
    s->parameters[s->o.nparameters++] = (struct run_setting){ .name = name, .value = value };
    return ERR_NONE;
}

static void settings_done(struct settings *s)
{
    for (unsigned i = 0; s->parameters && i < s->o.nparameters; i++) {
        free((char *)(uintptr_t)s->parameters[i].name);
    }
    for (unsigned i = 0; s->inputs && i < s->o.ninputs; i++) {
        free((char *)(uintptr_t)s->inputs[i].name);
    }
    free(s->parameters);
    free(s->inputs);
}

/* base's own parameters and inputs come first; names of all are copies. */
static enum err_code settings_init(struct settings *s, const struct run_options *base, int argc, struct err *e)
{
    *s = (struct settings){ .o = *base };
    s->o.nparameters = s->o.ninputs = 0;
    s->parameters = calloc(base->nparameters + (unsigned)argc + 1, sizeof *s->parameters);
    s->inputs = calloc(base->ninputs + (unsigned)argc + 1, sizeof *s->inputs);
    bool ok = s->parameters && s->inputs;
    for (unsigned i = 0; ok && i < base->nparameters; i++) {
        s->parameters[i] = (struct run_setting){ strdup(base->parameters[i].name), base->parameters[i].value };
        ok = s->parameters[s->o.nparameters++].name != NULL;
    }
    for (unsigned i = 0; ok && i < base->ninputs; i++) {
        s->inputs[i] = (struct run_setting){ strdup(base->inputs[i].name), base->inputs[i].value };
        ok = s->inputs[s->o.ninputs++].name != NULL;
    }
    s->o.parameters = s->parameters;
    s->o.inputs = s->inputs;
    return ok ? ERR_NONE : err_memory(e);
}

/* ---- what a run left, in short ---- */

/* One object's value after `name  type  `. */
static enum err_code put_value(struct buf *out, const struct weir_artifact *a, const void *data, size_t len, struct err *e)
{
    const struct show_limits limits = { .rows = 3, .columns = 6, .text = 200, .depth = 3 };
    struct arena mem;
    struct npy n;
    arena_init(&mem);
    enum err_code code = npy_read(data, len, true, &mem, &n, e);
    if (!code) {
        struct weir_field f = a->field; /* it knows enumerators, which the file does not */
        memcpy(f.dim, n.field.dim, sizeof f.dim);
        const void *value = (const char *)data + n.payload;
        char *text = NULL;
        if (a->form == WEIR_TEXT) {
            text = arena_strndup(&mem, value, n.bytes);
            value = &text;
            code = text ? ERR_NONE : err_memory(e);
        }
        code = code ? code : show_value(out, &f, value, &limits, e);
    }
    arena_done(&mem);
    return code;
}

static const struct weir_artifact *artifact_named(const struct weir_flow *flow, const char *name)
{
    for (unsigned i = 0; i < flow->nartifacts; i++) {
        if (strcmp(flow->artifacts[i].name, name) == 0) {
            return &flow->artifacts[i];
        }
    }
    return NULL;
}

/* Whether what this step makes is there at the end: it lies in no split. */
static bool is_outside(const struct graph *g, const char *step)
{
    int i = graph_find(g, step);
    return i >= 0 && g->steps[i].scope < 0;
}

/* The artifacts that are there at the end, each as it was last. */
static enum err_code put_artifacts(struct buf *out, const struct weir_flow *flow, const struct graph *g,
                                   const struct meta_found *found, size_t n, const char *store, struct err *e)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; !code && i < n; i++) {
        const struct weir_artifact *a = is_outside(g, found[i].step) ? artifact_named(flow, found[i].name) : NULL;
        bool last = a && !(a->flags & (WEIR_LOOP | WEIR_PARAMETER | WEIR_INPUT));
        for (size_t k = i + 1; last && k < n; k++) {
            last = strcmp(found[k].name, found[i].name) != 0 || !is_outside(g, found[k].step);
        }
        if (!last) {
            continue;
        }
        struct store_map map = { .data = found[i].object.data, .len = (size_t)found[i].object.size };
        if (!found[i].object.data) {
            code = store_get(store, found[i].object.digest, &map, e);
        }
        if (!code) {
            struct buf value;
            buf_init(&value, 0);
            code = put_value(&value, a, map.data, map.len, e);
            bool lines = value.data && strchr(value.data, '\n');
            buf_printf(out, "  %-12s %-16s %s%s\n", a->name, a->ctype, lines ? "\n" : "", value.data ? value.data : "");
            buf_done(&value);
        }
        if (!found[i].object.data && !code) {
            store_unmap(&map);
        }
    }
    return code;
}

static enum err_code summary(const struct weir_flow *flow, const struct run_options *o, const struct run_result *result,
                             struct err *e)
{
    struct arena mem;
    struct buf out;
    struct meta_run run;
    struct graph g;
    struct meta_found *found = NULL;
    struct metadata *m = NULL;
    char *store = NULL;
    size_t n = 0;
    arena_init(&mem);
    buf_init(&out, 0);
    enum err_code code = o->store ? ERR_NONE : store_locate(".", &store, e);
    const char *path = o->store ? o->store : store;
    code = code ? code : metadata_open(path, false, &m, e);
    code = code ? code : metadata_run_find(m, flow->name, result->run, &mem, &run, e);
    code = code ? code : metadata_artifacts(m, run.id, NULL, "", NULL, &mem, &found, &n, e);
    code = code ? code : flow_graph(flow, &mem, &g, e);
    code = code ? code : put_artifacts(&out, flow, &g, found, n, path, e);
    code = code ? code : buf_check(&out, "the summary", e);
    if (!code) {
        (void)printf("run %s of %s: done, %u steps, %llu tasks, %.3f s\n%s", result->run, flow->name, flow->nsteps,
                     (unsigned long long)result->tasks, result->seconds, out.data);
    }
    metadata_close(m);
    free(store);
    buf_done(&out);
    arena_done(&mem);
    return code;
}

/* ---- the commands ---- */

static bool asks_help(int argc, char **argv)
{
    return argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

static int command_run(const char *program, const struct command *self, int argc, char **argv, const struct weir_flow *flow,
                       const struct run_options *base)
{
    struct settings s;
    struct err e = { 0 };
    struct run_result result = { .status = META_FAILED };
    (void)self;
    enum err_code code = settings_init(&s, base, argc, &e);
    for (int i = 1; !code && i < argc; i++) {
        code = take_option(&s, flow, argc, argv, &i, &e);
    }
    s.o.progress = s.o.events_fd < 0;
    code = code ? code : run_flow(flow, &s.o, &result, &e);
    (void)fflush(stdout);
    if (code && result.run[0]) {
        (void)fprintf(stderr, "run %s of %s: %s after %llu tasks, %.3f s\n", result.run, flow->name,
                      code == ERR_INTERRUPTED ? "interrupted" : "failed", (unsigned long long)result.tasks, result.seconds);
    }
    code = code || !s.o.progress ? code : summary(flow, &s.o, &result, &e);
    settings_done(&s);
    return code ? failed(program, &e) : STATUS_OK;
}

static int no_options(const char *program, const struct command *self, int argc, char **argv)
{
    if (argc > 1) {
        (void)fprintf(stderr, "%s: '%s' takes no '%s'\n", program, self->name, argv[1]);
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

static int command_show(const char *program, const struct command *self, int argc, char **argv, const struct weir_flow *flow,
                        const struct run_options *base)
{
    struct arena mem;
    struct graph g;
    struct buf text;
    struct err e = { 0 };
    (void)base;
    if (no_options(program, self, argc, argv)) {
        return STATUS_USAGE;
    }
    arena_init(&mem);
    buf_init(&text, 0);
    enum err_code code = flow_graph(flow, &mem, &g, &e);
    code = code ? code : flow_graph_text(&text, &g, &e);
    if (!code) {
        (void)printf("flow %s\n\n%s", flow->name, text.data);
    }
    buf_done(&text);
    arena_done(&mem);
    return code ? failed(program, &e) : STATUS_OK;
}

static int command_check(const char *program, const struct command *self, int argc, char **argv, const struct weir_flow *flow,
                         const struct run_options *base)
{
    struct arena mem;
    struct graph g;
    struct err e = { 0 };
    (void)base;
    if (no_options(program, self, argc, argv)) {
        return STATUS_USAGE;
    }
    arena_init(&mem);
    enum err_code code = flow_graph(flow, &mem, &g, &e);
    if (!code) {
        (void)printf("flow %s: %u steps, sound\n", flow->name, flow->nsteps);
    }
    arena_done(&mem);
    return code ? failed(program, &e) : STATUS_OK;
}

static const struct command commands[] = {
    { "run", "[--PARAMETER VALUE]... [options]", "run the flow", command_run },
    { "show", "", "draw the graph of its steps", command_show },
    { "check", "", "check that its steps make a flow", command_check },
};
enum { NCOMMANDS = sizeof commands / sizeof *commands };

static void put_parameters(const struct weir_flow *flow)
{
    bool any = false;
    for (unsigned i = 0; i < flow->nartifacts; i++) {
        const struct weir_artifact *a = &flow->artifacts[i];
        if (!(a->flags & WEIR_PARAMETER)) {
            continue;
        }
        char option[2 * NAME_MAX_BYTES];
        (void)snprintf(option, sizeof option, "--%s %s", a->name, a->ctype);
        bool required = a->flags & WEIR_REQUIRED;
        (void)printf("%s  %-26s %s%s(%s%s)\n", any ? "" : "\nparameters:\n", option, a->help, a->help[0] ? " " : "",
                     required ? "required" : "default ", required ? "" : a->initial);
        any = true;
    }
}

static void help_of(const char *program, const struct command *c, const struct weir_flow *flow)
{
    (void)printf("usage: %s %s\n%s\n", program, c->usage, c->help);
    if (c->run != command_run) {
        return;
    }
    put_parameters(flow);
    for (unsigned i = 0; i < NOPTIONS; i++) {
        char option[2 * NAME_MAX_BYTES];
        (void)snprintf(option, sizeof option, "--%s %s", run_options[i].name, run_options[i].value);
        (void)printf("%s  %-26s %s\n", i ? "" : "\noptions:\n", option, run_options[i].help);
    }
}

static int help(const char *program, const struct weir_flow *flow)
{
    (void)printf("flow %s: %u steps\n\nusage: %s COMMAND [options]\n\n", flow->name, flow->nsteps, program);
    for (unsigned i = 0; i < NCOMMANDS; i++) {
        (void)printf("  %-8s %s\n", commands[i].name, commands[i].help);
    }
    put_parameters(flow);
    (void)printf("\n%s COMMAND --help tells more\n", program);
    return STATUS_OK;
}

int flow_command(const char *program, int argc, char **argv, const struct weir_flow *flow, const struct run_options *base)
{
    const char *word = argc > 0 ? argv[0] : "help";
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        return help(program, flow);
    }
    for (unsigned i = 0; i < NCOMMANDS; i++) {
        if (strcmp(commands[i].name, word) == 0) {
            if (asks_help(argc, argv)) {
                help_of(program, &commands[i], flow);
                return STATUS_OK;
            }
            return commands[i].run(program, &commands[i], argc, argv, flow, base);
        }
    }
    const char *best = NULL;
    for (unsigned i = 0; i < NCOMMANDS; i++) {
        best = distance(word, strlen(word), commands[i].name) <= 2 ? commands[i].name : best;
    }
    (void)fprintf(stderr, "%s: no command '%s'%s%s%s\n", program, word, best ? "; did you mean '" : "; see --help",
                  best ? best : "", best ? "'?" : "");
    return STATUS_USAGE;
}

int weir_main(int argc, char **argv, const struct weir_flow *flow)
{
    struct run_options base;
    zygote_main_if_asked(argc, argv, flow);
    flow_options_default(&base);
    if (argc < 2) {
        (void)help(argv[0], flow);
        return STATUS_USAGE;
    }
    char program[PATH_SIZE];
    (void)snprintf(program, sizeof program, "%s %s", argv[0], argv[1]);
    return flow_command(argv[1][0] == '-' || strcmp(argv[1], "help") == 0 ? argv[0] : program, argc - 1, argv + 1, flow, &base);
}
