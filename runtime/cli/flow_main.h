/* The commands of a compiled flow: run, show, check, --help. `main` of exported flows (weir_main in weir.h), and behind
 * `weir run x.ipynb ...`, `weir show ...`, `weir check ...` once those have compiled the flow.
 *
 * Prints; the only place below runtime/cli that does so for flows. */
#ifndef WEIR_CLI_FLOW_MAIN_H
#define WEIR_CLI_FLOW_MAIN_H

#include "runtime/flow/runner.h"

/* argv[0] is the command ("run", "show", "check", "help"), argv[1..] its options; program is how the user started it,
 * command included, for usage lines and messages ("./grid run", "weir run grid.ipynb"). base: what the options start from and may override (so_path,
 * zygote_path, code, tier, store, where ...); borrowed, unchanged. base->progress is set by the command itself.
 * Returns the exit status: 0, 1 (the flow failed), 2 (usage), 130 (interrupted). */
int flow_command(const char *program, int argc, char **argv, const struct weir_flow *flow, const struct run_options *base);

/* The usual run_options for a flow linked into this program. */
void flow_options_default(struct run_options *o);

#endif
