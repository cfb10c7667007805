/* Lowering of a plain cell, shared by cell*.c. See cell.h. */
#ifndef WEIR_LANG_CELL_INTERNAL_H
#define WEIR_LANG_CELL_INTERNAL_H

#include "runtime/base/buf.h"
#include "runtime/lang/cell.h"
#include "runtime/lang/index_internal.h"

/* Text being written whose lines are the user's. */
struct lines {
    struct buf text;
    uint32_t line;                 /* of the cell, where the next byte goes; 0: not in step with it */
};

struct lowering {
    struct index *ix;
    const struct cell *cell;
    struct cell_unit *unit;
    struct arena *a;               /* the unit's */
    char label[32];                /* "cell [3]" */
    unsigned id;                   /* makes the unit's own symbols unique */
    struct tokens t;               /* of the edited text */
    struct items items;
    struct record *record;         /* the staged cell */
    struct prelude prelude;
    struct lines file, entry;
    struct buf tables;
    size_t names_cap, notes_cap;
    bool has_value;
    bool has_local_array;          /* a variable of run-time size, which lives in the entry */
    bool repeats_macros;           /* a macro is defined twice in the cell */
    struct err *e;
};

/* cell_text.c: the cell's text with `artifact`, len(x), dim(x, i) and main lowered, and split (l->t, l->items). */
enum err_code cell_prepare(struct lowering *l);

/* cell_check.c */
enum err_code cell_check_calls(struct lowering *l);       /* ERR_NAME: a function that is nowhere declared */
bool cell_wants_cc(struct lowering *l);                    /* tcc refuses it or compiles it wrongly */

/* cell_notes.c: what later cells should know of changed names. */
enum err_code cell_notes(struct lowering *l);
enum err_code cell_note(struct lowering *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* cell_file.c: file scope. */
enum err_code cell_file_scope(struct lowering *l);
enum err_code cell_name(struct lowering *l, struct cell_name name);  /* one more in the unit's names */
bool cell_is_constant(struct index *ix, const struct tokens *t, const struct cdecl *d);

/* cell_entry.c: the function. */
enum err_code cell_entry(struct lowering *l);

/* Bring `line` up to the user's line, by newlines or #line. */
void lines_at(struct lines *out, uint32_t line, const char *label);
/* The source text of tokens [first, end), as it stands; blank: words of specifiers to be made spaces (DROP_...). */
void lines_tokens(struct lines *out, const struct tokens *t, size_t first, size_t end, size_t blank_end, const char *label);

#endif
