/* The table of magics, and what a magic's function is given.
 *
 * A row is all there is to a magic: dispatch, %lsmagic, completion, `%name?` and --help come from it. A magic with actions
 * (`%flow run`) has a row for each of them in `actions`. Add yours in table.c. */
#ifndef WEIR_MAGICS_TABLE_H
#define WEIR_MAGICS_TABLE_H

#include "magics/magics.h"
#include "runtime/view/options.h"

struct magic;

/* One use of a magic. All borrowed for the call. */
struct magic_call {
    const struct magic *row;    /* of the action, where there is one */
    const struct cell *cell;    /* that the magic stands in */
    int line;                   /* of the magic in its cell, from 1 */
    struct options options;     /* read by the row; of a raw row empty */
    struct arena *arena;        /* lives until the magic ends */
};

typedef enum err_code magic_run(struct magics *m, const struct magic_call *call, struct err *e);

/* Offer (magics_offer) what may stand in place of typed[0..len), the word at the cursor. before: the text between the magic's
 * name and that word, borrowed, before_len bytes. */
typedef void magic_complete(struct magics *m, json_t *list, const char *before, size_t before_len, const char *typed,
                            size_t len);

enum magic_kind { MAGIC_LINE = 1, MAGIC_CELL = 2, MAGIC_BOTH = 3 };

struct magic {
    const char *name;
    int kind;                          /* enum magic_kind */
    magic_run *run;                    /* NULL: it has actions */
    const char *help;                  /* one line, no full stop */
    const char *usage;                 /* "[NAME] [--max-workers N]"; for a cell magic what stands in the first line */
    const struct option_row *options;  /* NULL: none */
    const struct magic *actions;       /* rows up to one without a name; NULL: none */
    const char *details;               /* further lines of help; NULL: none */
    bool raw;                          /* a cell magic that reads its own first line */
    bool others;                       /* options in no row are kept: a flow's parameters */
    unsigned max_words;                /* how many plain words it takes */
    bool shows;                        /* it changes nothing in the session: there is nothing to undo */
    bool alone;                        /* it takes a cell of its own */
    magic_complete *complete;          /* of what stands after the name; NULL: options, actions and flows only */
};

/* The rows, up to one without a name. Static. */
const struct magic *magics_table(void);

/* A row by name, NULL: none. */
const struct magic *magics_find(const struct magic *rows, const char *name, size_t len);

/* Whether the table has a row of that name (a part_is_magic; ctx is not used). */
bool magics_has(void *ctx, const char *name, size_t len);

/* What is wrong with an unknown name, with the nearest ones: ERR_NAME. what: "%" or "%%" or "%flow ". */
enum err_code magics_unknown(const struct magic *rows, const char *what, const char *name, size_t len, struct err *e);

/* Help of one row as text, appended: usage, what it does, actions, options. prefix: "flow " for an action's row. */
void magics_help_text(struct buf *out, const struct magic *row, const char *prefix);

/* Add prefix + name to a list of completions if name begins with typed[0..len). */
void magics_offer(json_t *list, const char *prefix, const char *name, const char *typed, size_t len);

/* The magics' functions, by file. */
magic_run magic_lsmagic;                                     /* help.c */
magic_run magic_step;                                        /* step.c: %%step, %%flow */
magic_run flow_run;                                          /* flow_run.c */
magic_run flow_show, flow_check, flow_list, flow_drop;       /* flow.c */
magic_run flow_export;                                       /* flow_export.c */
magic_run magic_artifact;                                    /* artifact.c */
magic_run magic_runs;                                        /* runs.c */
magic_run magic_config;                                      /* config.c */
magic_complete complete_config;
magic_run magic_undo;                                        /* undo.c */
magic_run magic_rerun;                                       /* rerun.c */

#endif
