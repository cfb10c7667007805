/* Inside of the session's linker (build.h, "cells"): what cells.c, cells_tcc.c and cells_cc.c share. */
#ifndef WEIR_BUILD_CELLS_H
#define WEIR_BUILD_CELLS_H

#include "runtime/build/area.h"
#include "runtime/build/build.h"
#include "runtime/build/diagnostics.h"
#include "runtime/build/flags.h"
#include "runtime/build/gates.h"
#include "runtime/build/pool.h"
#include "runtime/build/symbols.h"

/* One cell's code. */
struct unit {
    size_t index; /* in build_cells.units */
    char label[64];
    const char *start, *end; /* its code */
    char *text;              /* tcc: owned, to be compiled again for `where` */
    char *anchor;            /* tcc: owned; a function whose address is known, or NULL */
    const char *anchor_at;
    struct block code, near, far; /* tcc: where it lies */
    bool code_stays, data_stays;  /* tcc: somebody may hold a pointer into it (object.h) */
    bool has_functions;           /* besides its entry */
    size_t alive;                 /* functions whose gates lead here */
    int so;       /* cc: owned; memory file with the shared object, loaded at `start`; 0: none */
    void *handle; /* cc: as dlopen gave it */
    bool learned; /* another process's: build_cells_learn */
};

struct build_cells {
    struct symbols symbols;
    struct unit **units; /* owned, and each of them */
    size_t nunits, cap_units;
    struct unit *newest; /* NULL: none, or given back */
    struct unit **idle;  /* owned; those to be given back once no thread can be in their functions */
    size_t nidle, cap_idle;
    char *map; /* one reserved mapping, so that cells are within reach of each other (cells.c) */
    size_t map_size;
    struct gates gates;
    struct pool literals;
    struct area code, data, far;
    bool has_contexts; /* a cell switches stacks by itself: a sleeping one may be in any function */
    int object_fd;     /* memory file for tcc's objects; -1: none */
    const char *include_dir;
    build_line *line; /* the users' own lines; NULL: none */
    void *line_ctx;
    void (*undefined)(const char *name); /* NULL: nobody is to be told */
    void (**constructors)(void);         /* of the newest cell, in its memory */
    size_t nconstructors;
};

/* A cell on its way in: everything that build_cells_add got, and what compiling gives. */
struct cell_job {
    struct build_cells *b;
    const char *label, *entry;
    char *text; /* owned, NUL-terminated */
    size_t len;
    const struct build_symbol *defined;
    size_t ndefined;
    struct unit *unit; /* owned; filled by the compiler's half; becomes one of b->units */
    void **addresses;  /* owned; of defined[i] itself, NULL where it isn't defined here; [ndefined]: of entry */
    char **gates;      /* owned; of defined[i] if that is a function of this cell */
    void (**constructors)(void);
    size_t nconstructors;
};

/* Whether this cell has the symbol's definition. */
static inline bool cells_is_own(const struct build_symbol *s)
{
    return !s->keeps_storage && !s->declared;
}

/* The two halves: compile, load, fill unit and addresses. *use_cc: tcc refuses what cc accepts. Nothing in b changes
 * but looked-up library symbols. */
enum err_code cells_tcc(struct cell_job *j, bool *use_cc, struct err *e);
enum err_code cells_cc(struct cell_job *j, struct err *e);

/* Room for one more unit. ERR_MEMORY. */
enum err_code cells_reserve_unit(struct build_cells *b, struct err *e);
void cells_unit_add(struct build_cells *b, struct unit *u); /* after cells_reserve_unit; takes it */
void cells_unit_free(struct build_cells *b, struct unit *u);

/* A name that the cell does not define: of an earlier cell, else the host's, else a library's (remembered), else, of a
 * function that the cell declares, a gate for later. NULL: nobody has it. */
void *cells_resolve(const struct cell_job *j, const char *name);

/* cells_reuse.c: the unit has no function any more that a gate leads to. */
void cells_idle(struct build_cells *b, struct unit *u);

/* Whether a code address is in what cells_cc has loaded. Async-signal-safe. */
bool cells_cc_has(const void *pc);

/* libtcc1's helpers (tcc's code calls them without a word in the text) into the symbols. */
enum err_code cells_helpers(struct build_cells *b, struct err *e);

/* The cell for a second look. user: WEIR_CFLAGS. Borrows both. */
struct suspect cells_suspect(const struct cell_job *j, const struct flags *user);

/* For each identifier of the text that earlier cells or the host define and this one does not: call back, each once or
 * more. */
typedef void cells_visit(void *ctx, const char *name, void *address);
void cells_known(const struct cell_job *j, cells_visit *visit, void *ctx);

#endif
