/* weir.h: the one header of notebook cells and of exported flows.
 *
 * A flow is a `struct weir_flow`: tables of its artifacts and steps, made by the lowering of `%%step` cells and compiled
 * together with them. The functions below are what a lowered step calls. Written in C99 (with _Generic and
 * __typeof__, which tcc, gcc and clang take in every mode).
 *
 * Words of the language that are *lowered* in step bodies, never macros: artifact, inputs, current, len, dim, resize,
 * push, fail. */
#ifndef WEIR_H
#define WEIR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WEIR_ABI = 1 };        /* changes whenever a struct below does */
enum { WEIR_MAX_DIMS = 8 };   /* dimensions of an array */

/* ---- layouts: what a C type looks like in memory, by the compiler's own answer ---- */

enum weir_kind {
    WEIR_OTHER = 0,   /* nothing we can show or keep */
    WEIR_INT,         /* signed integer of `size` bytes */
    WEIR_UINT,
    WEIR_FLOAT,       /* float, double, long double (size 4, 8, 16) */
    WEIR_BOOL,
    WEIR_CHAR,        /* plain char: shown as a character, kept as int8 */
    WEIR_ENUM,        /* `type` holds the enumerators */
    WEIR_STRUCT,      /* `type` holds the members */
    WEIR_UNION,
    WEIR_POINTER,     /* to anything but char */
    WEIR_STRING       /* char *, NUL-terminated */
};

struct weir_type;

/* A value's place and shape: a struct's member, or (offset 0) a variable or artifact. */
struct weir_field {
    const char *name;
    size_t offset;                 /* bytes from the struct's start */
    size_t size;                   /* bytes of ONE element */
    int kind;                      /* enum weir_kind of one element */
    const struct weir_type *type;  /* of WEIR_STRUCT, WEIR_UNION, WEIR_ENUM; else NULL */
    unsigned ndim;                 /* 0: not an array */
    size_t dim[WEIR_MAX_DIMS];     /* outermost first; 0 = known at run time only (or empty) */
};

struct weir_enumerator {
    const char *name;
    long long value;
};

struct weir_type {
    const char *name;              /* as C spells it: "result", "struct point" */
    size_t size;                   /* bytes, padding included */
    const struct weir_field *members;
    size_t nmembers;
    const struct weir_enumerator *enumerators;
    size_t nenumerators;
};

/* The enum weir_kind of an expression's type, as an integer constant expression; 0 for a type it does not know (a
 * struct, a function, a pointer to anything but char). Enums come out as their integer type. */
#define WEIR_KIND(x) \
    _Generic((x), \
        _Bool: WEIR_BOOL, char: WEIR_CHAR, signed char: WEIR_INT, short: WEIR_INT, int: WEIR_INT, long: WEIR_INT, \
        long long: WEIR_INT, unsigned char: WEIR_UINT, unsigned short: WEIR_UINT, unsigned int: WEIR_UINT, \
        unsigned long: WEIR_UINT, unsigned long long: WEIR_UINT, float: WEIR_FLOAT, double: WEIR_FLOAT, \
        long double: WEIR_FLOAT, char *: WEIR_STRING, const char *: WEIR_STRING, default: WEIR_OTHER)

/* ---- a flow, as data ---- */

enum weir_form {
    WEIR_FIXED,      /* scalar, enum, struct, fixed array: sizeof says all. The local is the object itself. */
    WEIR_DYNAMIC,    /* T x[], T x[][K]: dim[0] at run time. The local is a pointer to rows, and a length x__n. */
    WEIR_SHAPED,     /* T x[n][m]...: all dims at run time. The local is a pointer to elements and dims x__d[]. */
    WEIR_TEXT        /* char *: a string. The local is a const char *. */
};

enum weir_artifact_flags {
    WEIR_PARAMETER = 1,   /* made by the flow's `parameters` function, from its default or the command line */
    WEIR_REQUIRED = 2,    /* a parameter without a default */
    WEIR_LOOP = 4,        /* a foreach variable: its object is that of the array looped over (none: a count) */
    WEIR_INPUT = 8        /* given to the run from outside: --input NAME */
};

struct weir_artifact {
    const char *name;
    const char *ctype;        /* for people: "double [][2]", "result" */
    struct weir_field field;  /* element and dims; dims known at run time only are 0 */
    int form;                 /* enum weir_form */
    unsigned flags;           /* enum weir_artifact_flags */
    const char *help;         /* a parameter's comment, "" if none */
    const char *initial;      /* a parameter's default as C text, "" if none */
    const char *cell;         /* where it was declared first: "cell [3]" */
    int line;
};

struct weir_task;

struct weir_step {
    const char *name;
    void (*run)(struct weir_task *);
    const unsigned *next;     /* indices into steps; nnext 0: the end */
    unsigned nnext;           /* > 1: a branch, all run */
    int foreach;              /* artifact id of the loop variable when `next[0]` is fanned out; else -1 */
    int join;                 /* 1: closes the innermost open split */
    const unsigned *reads;    /* artifact ids that the task may weir_get (in a join also weir_input) */
    unsigned nreads;
    const unsigned *writes;   /* artifact ids that it puts */
    unsigned nwrites;
    const char *cell;         /* "cell [4]" */
    int line;
};

struct weir_flow {
    unsigned abi;                              /* WEIR_ABI */
    const char *name;
    const struct weir_artifact *artifacts;     /* an artifact's id is its index here */
    unsigned nartifacts;
    const struct weir_step *steps;
    unsigned nsteps;
    unsigned first;                            /* index of the step without predecessor */
    void (*parameters)(struct weir_task *);    /* puts each parameter; run as the task `_parameters`. NULL: none */
};

/* Every compiled flow defines this. */
extern const struct weir_flow weir_flow;

/* ---- what a lowered step calls ---- */

/* The incoming value of artifact id: its bytes (64-byte aligned, read-only, borrowed until the task ends), and its dims
 * (dim[0] of WEIR_DYNAMIC, all of WEIR_SHAPED; dim may be NULL). WEIR_TEXT: NUL-terminated, dim[0] its length.
 * WEIR_LOOP: the array looped over. NULL: nothing comes in (dims 0). */
const void *weir_get(struct weir_task *t, unsigned id, size_t *dim);

/* This task's index in the split that made loop variable id. */
size_t weir_index(struct weir_task *t, unsigned id);

/* Keep data as this task's value of artifact id; copied before the step returns. dim as weir_get gives it (NULL for
 * WEIR_FIXED). Padding is cleared and NaNs made canonical in what is kept, by the artifact's layout. */
void weir_put(struct weir_task *t, unsigned id, const void *data, const size_t *dim);

/* The fan-out's size: elements of the array looped over, or the count. Called once, after the puts. */
void weir_split(struct weir_task *t, size_t count);

/* Memory for rows of a WEIR_DYNAMIC artifact (or elements of a WEIR_SHAPED one): data (what this function gave for the
 * same id before, or what weir_get gave, or NULL) with its first min(have, want) rows kept and the rest zero.
 * 64-byte aligned; borrowed until the task ends; the old pointer is invalid. Fails the task when memory is out. */
void *weir_resize(struct weir_task *t, unsigned id, const void *data, size_t have, size_t want);

/* As weir_resize to `have + 1` rows, growing geometrically. */
void *weir_grow(struct weir_task *t, unsigned id, const void *data, size_t have);

/* A join's incoming tasks: of a foreach in index order, of a static branch in the order of the split's targets. */
size_t weir_inputs(struct weir_task *t);

/* As weir_get, of incoming task i (< weir_inputs). */
const void *weir_input(struct weir_task *t, size_t i, unsigned id, size_t *dim);

/* A WEIR_FIXED artifact of all incoming tasks as one contiguous array in index order; borrowed until the task ends. */
const void *weir_input_all(struct weir_task *t, unsigned id);

/* In `parameters`: the value of parameter id: from the command line if given there, else the default in data/dim (data
 * NULL: required, and its absence fails the task with a message that says so). */
void weir_parameter(struct weir_task *t, unsigned id, const void *data, const size_t *dim);

struct weir_current {
    const char *run;        /* id of the run */
    const char *flow;
    const char *step;
    size_t index;           /* in the innermost foreach; 0 outside */
    uint64_t seed;          /* for this task's generators: from the run's seed, the step and the indices */
};
struct weir_current weir_current(struct weir_task *t);

/* Fail the current task with a reason, at file:line. Does not return. */
void weir_fail(const char *file, int line, const char *fmt, ...)
#if defined(__GNUC__)
    __attribute__((noreturn, format(printf, 3, 4)))
#endif
    ;

/* `main` of an exported flow: run, show, check, --help and the parameters as options. Returns the exit status. */
int weir_main(int argc, char **argv, const struct weir_flow *flow);

#ifdef __cplusplus
}
#endif
#endif
