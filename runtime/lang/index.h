/* The index of declarations: name -> newest declaration, its cell, what it needs. Headers included.
 *
 * It gives a cell its prelude, a flow its translation unit, an export its source. One owner, one thread. A cell enters it
 * as a transaction: staged, then committed once it has compiled (or dropped). Declarations of libc headers are there from
 * the start, without any #include. */
#ifndef WEIR_LANG_INDEX_H
#define WEIR_LANG_INDEX_H

#include "runtime/base/buf.h"
#include "runtime/lang/items.h"

/* A cell as it came. All text is borrowed for the call; the index keeps copies. */
struct cell {
    const char *id;         /* the front end's cellId; NULL: known by what it defines */
    int number;             /* execution count, or position in a saved notebook: "cell [number]" to the user;
                             * 0: a hidden cell, that the user never hears of */
    const char *text;
    size_t len;
};

/* "cell [3]": a cell as users know it. */
void cell_label(int number, char *out, size_t size);

enum decl_kind {
    DECL_FUNCTION, DECL_VARIABLE, DECL_TYPEDEF,
    DECL_TAG,               /* struct, union, enum; name is "struct point" */
    DECL_ENUMERATOR, DECL_MACRO
};

/* One piece of source that declares one or more names. */
struct source {
    const char *text;       /* whole: "typedef struct { double rate; } result;", "#define N 3", "double f(double x) {...}" */
    size_t len;
    const char *cell_id;    /* NULL: from a header */
    int number, line;       /* of the cell, and in it */
    const char *header;     /* of a header's: the file to include, "<stdio.h>" */
    uint32_t order;         /* place in the order of declaration */
    bool is_inline;         /* a header's static inline: text holds the body */
};

struct decl {
    enum decl_kind kind;
    const char *name;
    const struct source *source;
    const struct cdeclaration *declaration; /* NULL for macros */
    const struct cdecl *declarator;         /* NULL for macros, tags, enumerators */
    const struct ctype *type;               /* variable's, function's, what a typedef means, the tag's struct; an enumerator's enum */
    bool is_defined;                        /* a tag's: with its members */
};

struct index;

/* With libc's headers read (from the compiler's own preprocessing, in a child process). Free with index_free. */
enum err_code index_new(struct index **out, struct err *e);
void index_free(struct index *ix);

/* Newest declaration of a name in the ordinary name space (variables, functions, typedefs, enumerators), or of a tag
 * ("struct point"). NULL: none. Borrowed until the next commit. */
const struct decl *index_find(const struct index *ix, const char *name, size_t len);
const struct decl *index_find_macro(const struct index *ix, const char *name, size_t len);

/* For ctype_is_typedef with an index as ctx. */
bool index_is_typedef(void *index, const char *name, size_t len);

/* Follow typedef names to the type they mean (qualifiers kept); struct tags to their definition with members. */
const struct ctype *index_resolve(const struct index *ix, const struct ctype *type);

/* Read the headers that the text includes, so that their types are known when it is split: call between lex and
 * items_split. What has been read stays. ERR_NOT_FOUND: as index_stage; of includes inside #if only index_stage tells. */
enum err_code index_includes(struct index *ix, const struct tokens *t, struct err *e);

/* Replace what this cell (same id, or, without id, the same names) gave by the declarations in text: everything of its
 * items but statements and expressions. Includes bring their header's declarations. Visible at once; index_rollback takes
 * it back, index_commit keeps it. ERR_SYNTAX, ERR_NOT_FOUND (a header, with the Debian package when known). */
enum err_code index_stage(struct index *ix, const struct cell *cell, const struct tokens *t, const struct items *items,
                          struct err *e);
void index_commit(struct index *ix);
void index_rollback(struct index *ix);

/* Two live cells that both define `name` differently (macro or type); false: none. For the flow's errors. */
struct clash { const char *name; int first, second; /* cell numbers */ };
bool index_clash(const struct index *ix, const char *name, size_t len, struct clash *out);

/* Live cells with declarations that were compiled with what a name means no longer, in the order in which they ran. */
struct stale_cell {
    int number;
    const char *names;      /* "area, total": what is out of date in it */
};
/* All in the arena. ERR_MEMORY. */
enum err_code index_stale(const struct index *ix, struct arena *a, struct stale_cell **out, size_t *count, struct err *e);

/* What the identifiers of some text reach, transitively, through macros, types, functions and global initialisers. */
struct closure {
    const struct source **sources;  /* in order of declaration, each once; in the arena */
    size_t nsources;
    const struct source **macros;   /* in order of definition. A header's come after the headers' declarations (some shadow
                                     * functions); the user's come before the user's declarations, which use them */
    size_t nmacros;
};

/* skip: names defined by the text itself (never pulled from elsewhere), NULL-terminated, or NULL. */
enum err_code index_closure(struct index *ix, const struct tokens *t, const char *const *skip, struct arena *a,
                            struct closure *out, struct err *e);

/* All user cells' names, newest declaration each, in order: for %who, completion, clashes. */
const struct decl *const *index_user_decls(const struct index *ix, size_t *count);

#endif
