/* `weir`: flows without Jupyter. The table of commands, help, and how errors are printed. */
#include "runtime/cli/command.h"
#include "runtime/flow/runner.h"

#include <stdio.h>
#include <string.h>

static const struct option_row runs_options[] = {
    { "flow", "NAME", "only runs of this flow" },
    { "limit", "N", "at most N, newest first (default 20)" },
    { "json", NULL, "as JSON, one object a line" },
    { NULL, NULL, NULL }
};

static const struct option_row artifact_options[] = {
    { "run", "RUN", "of this run (an id, the beginning of one, or latest)" },
    { "rows", "N", "rows shown of an array (default 10)" },
    { NULL, NULL, NULL }
};

static const struct option_row export_options[] = {
    { "flow", "NAME", "which flow of the notebook (default: its last)" },
    { "force", NULL, "write over files that no export has made" },
    { NULL, NULL, NULL }
};

static const struct option_row no_options[] = { { NULL, NULL, NULL } };

const struct command commands[] = {
    { "run", "FILE [--flow NAME] [--tier tcc|cc] [options of the flow]", "run a flow: a notebook, flow.c or flow.so", NULL, command_run },
    { "show", "FILE [--flow NAME]", "draw a flow's steps", NULL, command_run },
    { "check", "FILE [--flow NAME]", "say whether a flow is sound", NULL, command_run },
    { "export", "FILE DIR", "write a flow as a program's folder: flow.c, main.c, Makefile, README.md", export_options, command_export },
    { "runs", "", "list runs, newest first", runs_options, command_runs },
    { "artifact", "[path] [[RUN/]STEP/[PATH/]]NAME", "list a run's artifacts, show one, or give its .npy file", artifact_options, command_artifact },
    { "logs", "RUN [STEP[/PATH]]", "what a run's tasks printed", no_options, command_logs },
    { "version", "", "print the version", no_options, command_version },
    { "help", "[COMMAND]", "explain a command", no_options, command_help },
    { NULL, NULL, NULL, NULL, NULL }
};

static const struct command *find(const char *name)
{
    for (const struct command *c = commands; c->name; c++) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

static void print_help(const struct command *c)
{
    struct buf b;
    buf_init(&b, 0);
    buf_printf(&b, "usage: weir %s %s\n\n%s\n", c->name, c->usage, c->help);
    if (c->options && c->options[0].name) {
        buf_str(&b, "\n");
        options_help(&b, c->options);
    }
    if (!c->options) {
        buf_printf(&b, "\n`weir %s FILE --help` lists the options and parameters of the flow in FILE.\n", c->name);
    }
    (void)fputs(b.data, stdout);
    buf_done(&b);
}

static void print_usage(FILE *to)
{
    (void)fputs("usage: weir COMMAND ...\n\n", to);
    for (const struct command *c = commands; c->name; c++) {
        (void)fprintf(to, "  %-10s %s\n", c->name, c->help);
    }
    (void)fputs("\n`weir help COMMAND` tells more.\n", to);
}

int command_error(const struct err *e)
{
    (void)fflush(stdout);
    (void)fputs("weir: ", stderr);
    if (e->cell[0]) {
        (void)fputs(e->cell, stderr);
        if (e->line) {
            (void)fprintf(stderr, " line %d", e->line);
        }
        (void)fputs(": ", stderr);
    }
    (void)fprintf(stderr, "%s\n", e->msg);
    return e->code == ERR_USAGE ? 2 : e->code == ERR_INTERRUPTED ? 130 : 1;
}

bool command_options(int argc, char **argv, const struct command *self, struct arena *a, struct options *out, int *status)
{
    struct err e = { 0 };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(self);
            *status = 0;
            return false;
        }
    }
    if (options_parse(self->options, false, (const char *const *)argv + 1, (size_t)argc - 1, a, out, &e)) {
        *status = command_error(&e);
        return false;
    }
    return true;
}

static int unknown(const char *name)
{
    const char *names[sizeof commands / sizeof commands[0]];
    size_t count = 0;
    for (const struct command *c = commands; c->name; c++) {
        names[count++] = c->name;
    }
    struct buf b;
    struct err e = { 0 };
    buf_init(&b, 0);
    options_nearest(&b, name, names, count);
    (void)err_set(&e, ERR_USAGE, "no command '%s'%s; `weir help` lists them", name, b.data);
    buf_done(&b);
    return command_error(&e);
}

int command_help(int argc, char **argv, const struct command *self)
{
    (void)self; /* all commands have this shape */
    const struct command *c = argc > 1 ? find(argv[1]) : NULL;
    if (c) {
        print_help(c);
        return 0;
    }
    if (argc > 1) {
        return unknown(argv[1]);
    }
    print_usage(stdout);
    return 0;
}

int command_version(int argc, char **argv, const struct command *self)
{
    (void)argc, (void)argv, (void)self; /* all commands have this shape */
    (void)puts("weir 0.1.0");
    return 0;
}

int main(int argc, char **argv)
{
    zygote_main_if_asked(argc, argv, NULL);
    if (argc < 2) {
        print_usage(stderr);
        return 2;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    const struct command *c = find(name);
    return c ? c->run(argc - 1, argv + 1, c) : unknown(name);
}
