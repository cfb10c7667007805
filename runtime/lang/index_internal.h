/* The index's insides, shared by names.c, piece.c, headers.c, index.c, closure.c and cell.c. Not for anybody else.
 *
 *   entry   one spelling, with its newest node in each of C's name spaces (ordinary, tag) and among macros
 *   node    one declaration of an entry; older ones hang behind it
 *   piece   one stretch of source (a declaration, function, or macro) and the nodes that it gave
 *   record  a cell, or everything read from one header: its pieces, in an arena of their own
 *
 * A user's piece is bound: what it needed when its cell ran stays what it is compiled with later, although the name may
 * mean something newer by then (memory keeps the layout that it was made with). Such an old name is spelt `name__old7`. */
#ifndef WEIR_LANG_INDEX_INTERNAL_H
#define WEIR_LANG_INDEX_INTERNAL_H

#include "runtime/base/arena.h"
#include "runtime/lang/index.h"

#define CELL_MAIN "weir_main_"      /* what a cell's main is called, with a number */

enum space { SPACE_ORDINARY, SPACE_TAG, SPACE_MACRO, SPACES };

struct entry {
    struct entry *next;             /* in its bucket */
    const char *name;
    uint32_t len, hash;
    struct node *newest[SPACES];
    uint32_t stamp;                 /* closure: seen in this one */
};

struct node {
    struct decl decl;               /* first: a decl is cast back to its node */
    struct entry *entry;
    enum space space;
    struct node *older;
    struct node *sibling;           /* next of the same piece */
    struct piece *piece;
    const char *type_text;          /* a user's variable or function: its type in full, macros expanded */
    uint32_t meaning;               /* a user's: the same number as long as nothing made with it is out of date; 0: none */
    bool is_far;                    /* a variable that lives in a cc cell's object */
    bool dead;                      /* its cell has been replaced */
};

struct need {
    struct entry *entry;
    struct node *bound;             /* of a user's piece; NULL: whatever is newest (headers: the newest of headers) */
    enum space space;
    bool pointer;                   /* only a pointer to it: its definition may come later */
};

struct needs {
    struct need *at;
    size_t count, cap;
};

/* What a user's function or variable was compiled with, besides its outline: see stale.c. */
struct use {
    struct entry *entry;
    enum space space;
    uint32_t meaning;
};

struct piece {
    struct source source;           /* first: a source is cast back to its piece */
    struct record *record;
    struct piece *next;             /* of its record */
    struct node *nodes;
    struct tokens tokens;           /* of source.text; a header's: made on demand. Array in the record's arena */
    struct cdeclaration *declaration; /* NULL: a macro, or a header's not yet parsed */
    struct needs needs;             /* to declare its names: types, sizes. A macro: all that its body names */
    struct needs inner;             /* besides, to define them: function body, initialisers */
    struct node **macros;           /* of the user's: what its outline has expanded */
    size_t nmacros;
    struct use *uses;               /* of the user's */
    size_t nuses, cap_uses;
    bool stale_told;                /* the user knows that it is out of date */
    bool scanned;                   /* needs are known */
    bool pastes;                    /* a macro with ## */
    bool is_macro, is_undef, function_like;
    bool type_tried;
    bool cc_looked, is_foreign;     /* its text has words that only cc takes */
    struct ctype *macro_type;       /* what `#define REAL double` stands for */
    const char *outline;            /* user's: how another cell declares it (extern, prototype, macros expanded) */
    size_t outline_len;
    const char *compact;            /* a header's: its text on one line */
    size_t compact_len;
    const struct record *home;      /* a definition in a user's own header: the cell whose unit has it; NULL: none yet */
    struct piece *canonical;        /* the oldest piece that is the same; itself */
    uint32_t stamp;                 /* closure: reached */
    uint32_t done;                  /* closure: put out */
};

struct record {
    struct record *next;            /* older */
    struct arena arena;
    const char *id;                 /* NULL: none, or a header */
    int number;
    bool is_header;
    bool is_library;                /* a header that is not libc's */
    char *text;                     /* owned by the arena, or by malloc when is_header */
    struct piece **item_piece;      /* by item; NULL: none (a statement, an array of run-time size, a mere mention) */
    bool *item_inactive;            /* by item: inside an #if that does not hold */
    size_t nitems;
    struct piece *first, *last;
    struct record *replaced;        /* by this one, while staged */
    bool staged;
    bool needed;                    /* sweep.c: found in use */
    bool by_cc;                     /* compiled by cc, not tcc */
    bool dead;
};

struct include {                    /* a header that some cell has asked for */
    struct include *next;
    const char *name;               /* "<gsl/gsl_sf.h>" or "\"local.h\"" */
    struct record *record;          /* NULL: libc's, there from the start */
    char **files;                   /* local files read for it: a change reads it again */
    struct include_stamp { long long mtime_ns, size; } *stamps;
    size_t nfiles;
    bool by_user;
};

/* A type with a qualifier more than where it was declared. */
struct qualified {
    struct qualified *next;
    struct ctype type;
};
enum { QUALIFIED_BUCKETS = 64 };

struct index {
    struct arena arena;
    struct entry **buckets;
    size_t nbuckets, nentries;
    struct record *records;         /* newest first; headers among them */
    size_t nstaged;                 /* of them; they are found without a walk through all of a long session */
    struct include *includes;       /* newest first */
    struct qualified *qualified[QUALIFIED_BUCKETS]; /* each once, or looking at a variable would cost memory for ever */
    uint32_t order;
    uint32_t stamp;                 /* of the last closure */
    const struct decl **user;       /* index_user_decls' answer */
    size_t user_cap;
    bool has_homes;                 /* some piece has a home */
    uint32_t meanings;              /* given out */
    size_t ncells;                  /* records of cells; swept when there are sweep_at */
    size_t sweep_at;
    struct piece **told;            /* owned; what the staged cell's notes tell of as out of date */
    size_t ntold, cap_told;
};

/* names.c */
struct entry *entry_find(const struct index *ix, const char *s, size_t len);
struct entry *entry_intern(struct index *ix, const char *s, size_t len);       /* NULL: out of memory */
struct node *entry_live(const struct entry *entry, enum space space);          /* newest that is not dead */
struct node *entry_header(const struct entry *entry, enum space space);        /* newest of a header's */
/* The macro that a word of the user's means: a header's gives way to a declaration of the user's, #undef to none. */
struct node *entry_macro(const struct entry *entry);
void record_kill(struct record *r);                     /* its names stop counting */
void record_revive(struct record *r);
struct node *node_new(struct index *ix, struct piece *piece, const char *name, size_t len, enum space space,
                      enum decl_kind kind);
void node_remove(struct node *node);

/* piece.c */
/* Parse the piece's text if that has not happened; NULL only when it does not parse or memory is out. */
struct cdeclaration *piece_parse(struct index *ix, struct piece *piece);
/* Give the piece a node for each name that d (its text parsed, anywhere) declares; their types follow with piece_parse. */
enum err_code piece_declare_as(struct index *ix, struct piece *piece, const struct cdeclaration *d, struct err *e);
/* Its declaration has just been parsed: give the nodes their types. */
void piece_fill(struct index *ix, struct piece *piece);
/* Find out what it needs (once). */
enum err_code piece_scan(struct index *ix, struct piece *piece, struct err *e);
/* Its outline, after the needs are known. */
enum err_code piece_outline(struct index *ix, struct piece *piece, struct err *e);
struct piece *piece_new(struct index *ix, struct record *r, const char *text, size_t len, int line);
struct piece *piece_macro(struct index *ix, struct record *r, const char *text, size_t len, int line, struct err *e);

/* Whether an array's size is known at run time only. */
bool piece_is_runtime_array(const struct index *ix, const struct ctype *type);
bool piece_keep_tokens(struct arena *a, struct tokens *t);   /* from the heap to the arena */

/* outline.c */
enum { DROP_STATIC = 1 /* static, extern, inline, register, ... */, DROP_CONST = 2, KEEP_LINES = 4 };
/* Tokens [first, end) as text on one line (KEEP_LINES: on as many lines as they were). */
void outline_tokens(struct buf *out, const struct tokens *t, size_t first, size_t end, unsigned drop);
/* A declarator with `[]` made its size; false: the size cannot be told (and nothing is written). */
bool outline_declarator(struct index *ix, const struct tokens *t, const struct cdecl *d, unsigned drop, struct buf *out);
/* Give a variable's or function's node its type in full, and `[]` its size. */
enum err_code outline_type(struct index *ix, struct piece *piece, struct node *node, struct err *e);
struct node *need_node(const struct need *need);        /* what a bound need means today; NULL: not bound */
void node_name(const struct node *node, struct buf *out);
/* A variable's piece says something else today than when its memory was made: by a type or macro with a new meaning. */
bool piece_is_stale(const struct piece *piece);
void outline_emit(struct piece *piece, struct buf *out);

/* headers.c */
/* The output of tcc's preprocessor for text, run in a child process. complaint: its error, "". */
enum preprocess { PREPROCESS_TEXT, PREPROCESS_DEFINITIONS /* also #define lines */ };
enum err_code run_preprocessor(const char *text, size_t len, enum preprocess want, struct buf *out, struct buf *complaint,
                         struct err *e);
enum err_code headers_libc(struct index *ix, struct err *e);

/* headers_cache.c: libc's preprocessed headers, kept between kernels. Nothing depends on it but time. */
bool headers_cache_read(const char *includes, struct buf *out); /* false: not there, or of another libc or list of headers */
void headers_cache_write(const char *includes, const struct buf *text);
/* `#include NAME` in a cell; before: lines that the cell has in front of it ("": staged already). */
enum err_code headers_include(struct index *ix, const char *name, size_t len, int line, const char *before, struct err *e);

/* expand.c */
/* text with its macros expanded, appended to out. */
/* The body of a macro called with the arguments in t, whose ( is at open, parameters replaced once. False: it pastes or
 * makes strings, or the arguments do not fit. */
bool expand_call(const struct node *macro, const struct tokens *t, size_t open, struct buf *out);
/* expand by the real preprocessor, for text of any kind; before: further #define lines. Slow. */
enum err_code expand_all(struct index *ix, const char *before, const struct tokens *t, struct buf *out, struct err *e);

/* conditionals.c: which of the items stand inside an #if, #ifdef, ... that does not hold. inactive: items->count flags. */
enum err_code conditionals(struct index *ix, const struct tokens *t, const struct items *items, bool *inactive,
                           struct err *e);

bool conditional_line(const char *text, size_t len);      /* #if, #ifdef, #else, #endif, ... */

/* closure.c: as index_closure, for a plain cell: pieces as their outlines say (prototypes, extern), bound to what they were
 * made with, without those of the staged cell itself. forward: tags ("struct point") to be declared first. */
struct prelude {
    struct piece **pieces;
    size_t npieces;
    struct piece **macros;
    size_t nmacros;
};
enum err_code closure_prelude(struct index *ix, const struct tokens *t, struct arena *a, struct prelude *out,
                              struct err *e);

/* closure.c: the definitions (lines) of all macros that the identifiers of t reach, in order. */
enum err_code closure_macros(struct index *ix, const struct tokens *t, struct buf *out, struct err *e);

enum err_code expand(struct index *ix, const char *text, size_t len, struct buf *out, struct err *e);

/* stale.c */
/* The variable of an earlier cell whose memory this one, declared with the same type, keeps; NULL: it is new. */
struct node *node_kept(const struct node *own);
/* The earlier cell's function that a function of the same name but another type leaves to its callers; NULL: none. */
struct node *node_other_function(const struct node *own);
/* The user's meaning of the name before this cell, if this node's is another; NULL: the same, or there was none. */
const struct node *node_changed(const struct node *own);
/* All pieces of the staged cell are there: number their names' meanings, and remember what each was made with. */
enum err_code stale_bind(struct index *ix, struct record *r, struct err *e);
/* Whether the piece was made with something that means something else today, and one of its names still means it. */
bool stale_counts(const struct piece *piece);
/* The names that still mean it, after a comma where there are some before. */
void stale_names(struct buf *out, const struct piece *piece);
/* Whether what the piece was made with reaches this name. */
bool stale_depends(const struct piece *piece, const struct node *node);
/* Whether the user knows of the piece that it is out of date. */
bool stale_is_told(const struct index *ix, const struct piece *piece);
/* Remember that the notes of the staged cell tell of it. False: out of memory. */
bool stale_tell(struct index *ix, struct piece *piece);

/* sweep.c: after a commit. */
/* An older cell without id, all of whose names newer ones have, has been replaced. */
void sweep_replaced(struct record *r);
/* Free records that nothing refers to any more, once there are many. */
void sweep(struct index *ix);
void record_free(struct record *r);

/* index.c */
struct record *index_staged(const struct index *ix);     /* the newest staged cell */
void index_name_cell(struct err *e, const struct cell *cell); /* "cell [N]" into an error that has none */
enum err_code index_record(struct index *ix, struct record **out, struct err *e);

#endif
