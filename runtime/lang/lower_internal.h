/* Shared by lower.c (function, body), lower_edit.c (what tokens become) and lower_locals.c (what stands around the
 * body). */
#ifndef WEIR_LANG_LOWER_INTERNAL_H
#define WEIR_LANG_LOWER_INTERNAL_H

#include "runtime/lang/lower.h"

/* What stands in place of one token. */
struct edit {
    const char *before;   /* NULL: nothing */
    const char *text;     /* NULL: the token as it is */
    const char *after;
};

struct lower {
    const struct model *m;
    unsigned step;
    const struct resolved *res;
    const struct flowcell *cell;
    const struct tokens *t;
    const struct scan *scan;
    const struct lower_prefixes *names;
    struct edit *edits;   /* one a token */
    struct arena *a;
    struct buf *out;
    const char *file;     /* for #line of what is ours */
    bool failed;          /* out of memory */
};

/* Text in the arena. */
const char *lower_text(struct lower *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The enumerator of a name, in the arena. */
const char *lower_id_text(struct lower *l, unsigned name);

/* Tokens [first, end) with their edits and what stood between them. */
void lower_render(struct lower *l, uint32_t first, uint32_t end, struct buf *out);

/* Fill l->edits for all refs and artifact lines. */
enum err_code lower_edit_refs(struct lower *l, struct err *e);
void lower_edit_items(struct lower *l);

/* The edits write this identifier somewhere. */
bool lower_mentions(const struct lower *l, const char *name);

/* Declarations before the body, and what is stored after it. */
void lower_prologue(struct lower *l);
void lower_epilogue(struct lower *l);

/* A declaration of `name` (or an abstract one, name "") as the element type of s with dims from `from` on, behind a
 * pointer when pointer is set: "double (*x)[2]". */
const char *lower_declare(struct lower *l, const struct shape *s, unsigned from, bool pointer, const char *name);

/* The step needs the name's local (pointer or value), its length or dims. */
bool lower_needs_value(const struct lower *l, unsigned name);

/* `inputs`: its declaration, its filling, and whether it has members at a place (of one branch; -1: of any). */
void lower_declare_inputs(struct lower *l);
void lower_fill_inputs(struct lower *l);
bool lower_has_place(const struct lower *l, enum member_place place, int branch);

#endif
