/* The commands of `weir`: one table, one file a family.
 *
 * A command gets argv with its own name first and returns the exit status: 0, 1 (it failed), 2 (usage), 130 (interrupted).
 * Results go to stdout, errors to stderr as `weir: cell [3] line 2: ...`. */
#ifndef WEIR_CLI_COMMAND_H
#define WEIR_CLI_COMMAND_H

#include "runtime/base/err.h"
#include "runtime/view/options.h"

struct command {
    const char *name;
    const char *usage;                /* what stands behind `weir NAME` */
    const char *help;                 /* one line */
    const struct option_row *options; /* NULL: none, or a flow's own */
    int (*run)(int argc, char **argv, const struct command *self);
};

/* In the order in which `weir help` lists them; the last has name NULL. */
extern const struct command commands[];

int command_run(int argc, char **argv, const struct command *self);       /* run, show, check: flow.c */
int command_export(int argc, char **argv, const struct command *self);
int command_runs(int argc, char **argv, const struct command *self);      /* look.c */
int command_artifact(int argc, char **argv, const struct command *self);
int command_logs(int argc, char **argv, const struct command *self);
int command_help(int argc, char **argv, const struct command *self);      /* weir_main.c */
int command_version(int argc, char **argv, const struct command *self);

/* Print e as an error of the program and return the exit status that goes with it. */
int command_error(const struct err *e);

/* Read argv[1..] by self's options. Prints help (and sets *status to 0) for --help, or the error (2). False: return *status. */
bool command_options(int argc, char **argv, const struct command *self, struct arena *a, struct options *out, int *status);

#endif
