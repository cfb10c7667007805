/* A plain cell lowered to one translation unit for the session.
 *
 *   prelude        what it reaches: declarations in order, then macros (never whole headers)
 *   tables         layouts for the value of its last expression
 *   file scope     its types, functions, and variables (storage only)
 *   void ENTRY(void) { statements, initialisers run in place, weir_session_value(...) for the last expression }
 *
 * with #line directives naming "cell [N]" throughout. Values of artifacts (`winner`, `Grid.train.at[i].r`) are names that
 * the caller has put into the index. */
#ifndef WEIR_LANG_CELL_H
#define WEIR_LANG_CELL_H

#include "runtime/lang/index.h"

struct cell_name {
    const char *name;
    enum decl_kind kind;       /* DECL_FUNCTION or DECL_VARIABLE: what the linker has to know */
    bool keeps_storage;        /* a variable declared again with the same type: emitted as extern, its memory stays */
    bool other_type;           /* a function of another type than the earlier one, whose callers keep that */
    bool declared;             /* a function that the cell doesn't define: a later one may */
    const char *type;          /* as text, for notes */
};

struct cell_unit {
    struct arena arena;        /* owns everything here */
    char *text;
    size_t len;
    const char *entry;         /* symbol; NULL: nothing to run */
    struct cell_name *names;   /* defined by this cell */
    size_t nnames;
    bool has_main;             /* a whole program: entry calls its main */
    bool needs_cc;             /* uses what tcc refuses or compiles wrongly */
    const char **notes;        /* "'point' changed: cell [3] still uses the old one" */
    size_t nnotes;
};

/* Stage the cell in the index and lower it. The caller compiles, links, and then calls index_commit or index_rollback.
 * Free with cell_unit_done, also after a failure. */
enum err_code cell_lower(struct index *ix, const struct cell *cell, struct cell_unit *out, struct err *e);
/* The same for cc, whether it needs it or not. */
enum err_code cell_lower_cc(struct index *ix, const struct cell *cell, struct cell_unit *out, struct err *e);
void cell_unit_done(struct cell_unit *u);

/* The session defines these; a lowered cell calls them. */
struct weir_field;
void weir_session_value(const struct weir_field *f, const void *data, const char *ctype);

#endif
