/* The table of magics: one row each. Add yours here, its function in a file of its own, a test in
 * tests/unit/magics_table.c. */
#include "magics/table.h"

#include <string.h>

static const struct option_row run_options[] = {
    { "max-workers", "N", "tasks at a time (default: one a core)" },
    { "seed", "N", "seed of the run's random numbers (default 0)" },
    { "input", "NAME", "give the session's variable NAME to the run, its hash recorded; may be repeated" },
    { "tier", "tcc|cc", "compiler: tcc at once (default), or cc -O2" },
    { 0 },
};

static const struct option_row export_options[] = {
    { "flow", "NAME", "which flow (default: the current one)" },
    { "force", NULL, "also replace files that this did not write" },
    { 0 },
};

static const struct magic flow_actions[] = {
    { .name = "run", .kind = MAGIC_LINE, .run = flow_run, .usage = "[FLOW] [--PARAMETER VALUE]... [options]",
      .help = "run the flow, with progress under the cell", .options = run_options, .others = true, .max_words = 1,
      .details = "Every parameter of the flow is an option: %flow run --epochs 5 --rates 0.1,0.01" },
    { .name = "show", .kind = MAGIC_LINE, .run = flow_show, .usage = "[FLOW]", .help = "the graph as a picture",
      .max_words = 1, .shows = true },
    { .name = "check", .kind = MAGIC_LINE, .run = flow_check, .usage = "[FLOW]",
      .help = "whether all of the flow holds, and if not, what does not", .max_words = 1 },
    { .name = "list", .kind = MAGIC_LINE, .run = flow_list, .usage = "", .help = "the flows and their steps",
      .shows = true },
    { .name = "drop", .kind = MAGIC_LINE, .run = flow_drop, .usage = "STEP", .help = "take a step out of its flow",
      .max_words = 1 },
    { .name = "export", .kind = MAGIC_LINE, .run = flow_export, .usage = "DIR [--flow NAME]",
      .help = "write the flow as a C program with a Makefile", .options = export_options, .max_words = 1,
      .shows = true },
    { 0 },
};

static const struct option_row artifact_options[] = {
    { "run", "RUN", "of this run (an id, a prefix of one, or latest) instead of the last one" },
    { "rows", "N", "rows of a table that are shown (default 10)" },
    { 0 },
};

static const struct option_row runs_options[] = {
    { "flow", "NAME", "only runs of this flow" },
    { "limit", "N", "at most so many (default 20, 0: all)" },
    { 0 },
};

static const struct option_row undo_options[] = {
    { "list", NULL, "only tell which cells can be undone" },
    { 0 },
};

static const struct option_row rerun_options[] = {
    { "stale", NULL, "the cells that still use what has been redefined since, in their order" },
    { "dry-run", NULL, "with --stale: only list them" },
    { 0 },
};

static const struct magic table[] = {
    { .name = "lsmagic", .kind = MAGIC_LINE, .run = magic_lsmagic, .usage = "", .help = "the magics there are", .shows = true },
    { .name = "step", .kind = MAGIC_CELL, .run = magic_step, .raw = true,
      .usage = "NAME [join] [-> NEXT[, NEXT]... [foreach VARIABLE in ARRAY]]",
      .help = "make the cell a step of a flow",
      .details = "The cell's C text is the step's body. In it\n"
                 "  artifact T x;        makes x (a scalar, struct, array, string) an artifact that later steps read\n"
                 "  artifact T x[];      a dynamic one: resize(x, n), push(x, v), len(x)\n"
                 "  inputs.at[i].x       in a join: x of the incoming task i of inputs.count\n"
                 "  fail(\"why\")          fails the task\n"
                 "A step belongs to the flow of the newest %%flow cell; %%step Flow.name says it openly." },
    { .name = "flow", .kind = MAGIC_BOTH, .run = magic_step, .raw = true, .actions = flow_actions,
      .usage = "NAME",
      .help = "run, show, check and export flows; as %%flow NAME: begin a flow and declare its parameters",
      .details = "As a cell, %%flow NAME declares the flow's parameters:\n"
                 "  param int epochs = 20;       // passes over the data   <- the comment is its help text\n"
                 "  param double rates[] = {0.1, 0.01};\n" },
    { .name = "artifact", .kind = MAGIC_LINE, .run = magic_artifact, .usage = "[NAME | STEP.NAME | RUN/STEP[/PATH]/NAME]",
      .help = "list the last run's artifacts, or show one: value, type, shape, size, hash", .options = artifact_options,
      .max_words = 1, .shows = true,
      .details = "Without a name it lists those of the last run. PATH are the indices of the foreach splits: train/2/model." },
    { .name = "runs", .kind = MAGIC_LINE, .run = magic_runs, .usage = "", .help = "the runs in the store, newest first",
      .options = runs_options, .shows = true },
    { .name = "config", .kind = MAGIC_LINE, .run = magic_config, .usage = "[SETTING [=] [VALUE]]",
      .help = "the settings: list them, show one, or set one until the kernel ends", .max_words = 4, .shows = true,
      .complete = complete_config,
      .details = "  %config                        all of them\n"
                 "  %config undo                   one, and what is possible\n"
                 "  %config undo = 20              set it; also undo=20, undo 20\n"
                 "  %config output_limit = 4 MiB   a size: 4096, 512K, 2M, 1.5 GiB\n"
                 "  %config undo = default         the built-in value again\n"
                 "To set one for good: ~/.config/weir/config.json, or .weir/config.json beside the notebook, which wins, hold an\n"
                 "object like {\"undo\": 20}; a variable of the environment like WEIR_UNDO wins over both. They are read when the\n"
                 "kernel starts." },
    { .name = "undo", .kind = MAGIC_LINE, .run = magic_undo, .usage = "[N] [--list]",
      .help = "go back to the state from before the last cell, or the last N cells", .options = undo_options,
      .max_words = 1, .shows = true, .alone = true,
      .details = "Variables, functions, types and flows are as they were; files, and what programs were told, are not undone.\n"
                 "A cell that changed nothing does not count. How far it goes: %config undo, %config undo_memory." },
    { .name = "rerun", .kind = MAGIC_LINE, .run = magic_rerun, .usage = "[N | N-M]... | --stale [--dry-run]",
      .help = "run cells again by their execution counts (default: the last one)", .options = rerun_options,
      .max_words = 64 },
    { 0 },
};

const struct magic *magics_table(void)
{
    return table;
}

const struct magic *magics_find(const struct magic *rows, const char *name, size_t len)
{
    for (const struct magic *r = rows; r && r->name; r++) {
        if (strlen(r->name) == len && memcmp(r->name, name, len) == 0) {
            return r;
        }
    }
    return NULL;
}

bool magics_has(void *ctx, const char *name, size_t len)
{
    (void)ctx; /* there is one table */
    return magics_find(magics_table(), name, len) != NULL;
}

enum err_code magics_unknown(const struct magic *rows, const char *what, const char *name, size_t len, struct err *e)
{
    enum { MAX_ROWS = 256 };
    const char *names[MAX_ROWS];
    size_t n = 0;
    for (const struct magic *r = rows; r && r->name && n < MAX_ROWS; r++) {
        names[n++] = r->name;
    }
    char word[64] = "";
    if (len < sizeof word) {
        memcpy(word, name, len);
    }
    struct buf text;
    buf_init(&text, 0);
    buf_printf(&text, "no magic '%s%.*s'", what, (int)(len < 60 ? len : 60), name);
    options_offer(&text, word, "", names, n);
    enum err_code code = err_set(e, ERR_NAME, "%s", text.data);
    buf_done(&text);
    return code;
}
