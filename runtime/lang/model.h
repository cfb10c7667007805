/* A flow as understood: its steps in a graph, its names with their types, and which names reach which step.
 *
 * Made anew from the registered cells and the index whenever it is needed; everything lives in one arena. Ids of names
 * are their places in `names`: parameters, inputs, then artifacts and foreach variables in graph order, ties by name;
 * never by the order of registration. */
#ifndef WEIR_LANG_MODEL_H
#define WEIR_LANG_MODEL_H

#include "runtime/flow/graph.h"
#include "runtime/lang/scan.h"
#include "runtime/lang/shape.h"
#include "runtime/lang/stepline.h"

/* A registered %%flow or %%step cell. */
struct flowcell {
    struct arena arena;         /* owns everything here */
    const char *id;             /* NULL: none */
    int number;
    const char *label;          /* "cell [3]" */
    const char *text;           /* as it came */
    size_t len;
    const char *flow;           /* that it belongs to */
    struct stepline line;
    struct tokens tokens;       /* of the text with its first line blank: offsets and lines are the cell's */
};

enum name_role { NAME_PARAMETER, NAME_INPUT, NAME_ARTIFACT, NAME_LOOP };

struct model_name {
    const char *name;
    enum name_role role;
    struct shape shape;          /* NAME_LOOP: of the array gone over, or of the count */
    const struct flowcell *cell; /* of its first declaration; NULL: NAME_INPUT */
    const char *label;           /* "cell [3]" */
    int line;
    const struct scan_item *item;/* its declaration; NULL: NAME_INPUT, NAME_LOOP */
    int split;                   /* NAME_LOOP: the step that fans out; else -1 */
    int over;                    /* NAME_LOOP: the name gone over; -1: a constant count, see its step's line */
    bool counts;                 /* NAME_LOOP: over an integer, rather than an array */
};

/* How a name stands at a step's beginning. */
enum reach { REACH_NOT = 0, REACH_HERE, REACH_BRANCHES /* made in branches that a join did not bring together */ };

struct model_step {
    const struct flowcell *cell;
    struct scan scan;
    int *item_name;              /* of each scan.items its name */
    unsigned char *in;           /* of each name an enum reach; all REACH_HERE while the graph is not known */
    bool *declares;              /* of each name */
};

struct model {
    struct arena *arena;
    struct index *ix;
    const char *flow;
    const struct flowcell *head; /* its %%flow cell; NULL: none */
    struct scan head_scan;
    struct graph graph;          /* steps sorted by name */
    struct model_step *steps;    /* like graph.steps */
    unsigned *order;             /* topological when placed, else by name */
    bool placed;                 /* the graph is sound: reach and scopes hold */
    enum err_code graph_code;    /* why not: ERR_GRAPH or ERR_PENDING ... */
    struct err graph_err;
    struct model_name *names;
    unsigned nnames;
    const struct flowcell *blame[2];  /* after an error: the cells that it is about */
    const char *missing;         /* after ERR_PENDING: the name that is needed; NULL: see the message */
};

struct model_source {
    struct index *ix;
    const char *flow;
    const struct flowcell *head;
    const struct flowcell *const *cells;  /* of its steps */
    size_t ncells;
    const char *const *inputs;            /* NULL-terminated, or NULL */
};

/* Everything but the uses of names inside the steps (see resolve.h). A graph that is not sound is no failure: see
 * placed. ERR_SYNTAX, ERR_NAME, ERR_TYPE, ERR_GRAPH (what no further step cures); ERR_PENDING: a type or an array that
 * is not there. */
enum err_code model_build(const struct model_source *from, struct arena *a, struct model *out, struct err *e);

/* The flow's name as seen in a step (foreach variables only inside their split). -1: none. */
int model_find(const struct model *m, unsigned step, const char *name, size_t len);

/* Whether step runs inside split (an index), at any depth. */
bool model_inside(const struct model *m, unsigned step, int split);

/* What name means outside of flows, NULL: nothing. The host's hidden cells (their ids have a blank, a front end's never
 * do) make values of earlier runs for later cells; a flow is not made of them. */
const struct decl *model_outside(const struct index *ix, const char *name, size_t len);

/* A plain cell's declaration of name: it is not the language's word then. */
bool model_user_declared(const struct index *ix, const char *name, size_t len);

/* "name 'x' ...; there are 'a', 'b'": names that reach the step and look like this one, appended. */
struct buf;
void model_nearest(const struct model *m, unsigned step, const char *name, size_t len, struct buf *out);

/* Scan options for text of this flow. */
void model_scan_options(struct index *ix, const char *word, struct scan_options *out);

#endif
