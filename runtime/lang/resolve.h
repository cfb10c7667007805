/* What a step's text refers to: artifacts, `inputs`, `current`, and the words len, dim, resize, push, fail; checked
 * against the flow's model. Everything else is left to the index. Results live in the arena. */
#ifndef WEIR_LANG_RESOLVE_H
#define WEIR_LANG_RESOLVE_H

#include "runtime/lang/model.h"

enum ref_kind {
    REF_NAME,        /* x */
    REF_MEMBER,      /* inputs.at[i].x, inputs.all.x, inputs.b.x */
    REF_COUNT,       /* inputs.count */
    REF_LEN,         /* len(operand) */
    REF_DIM,         /* dim(operand, k) */
    REF_RESIZE,      /* resize(x, n) */
    REF_PUSH,        /* push(x, v) */
    REF_FAIL,        /* fail( */
    REF_CURRENT      /* current */
};

enum member_place { MEMBER_AT, MEMBER_ALL, MEMBER_BRANCH };

struct member {
    enum member_place place;
    unsigned branch;         /* MEMBER_BRANCH: the step that enters the join */
    unsigned name;
    bool sized;              /* its length or dims are asked for */
};

struct ref {
    enum ref_kind kind;
    uint32_t token, end;     /* its tokens */
    int name;                /* of the flow; -1: see member */
    int member;              /* -1: none */
    uint32_t operand, operand_end;  /* of len, dim, resize, push */
    uint32_t comma;          /* of dim, resize, push */
};

struct resolved {
    struct ref *refs;        size_t nrefs;     /* in order of tokens */
    struct member *members;  size_t nmembers;  /* each once, in order of place, branch, name */
    bool *reads;             /* of each name: the text uses it */
    bool *sized;             /* of each name: length or dims are used */
    bool *loads;             /* of each name declared here: its incoming value is needed */
    bool uses_current, uses_inputs;
    const char **outside;    size_t noutside;  /* names and tags ("struct point") for the index; with repetitions */
};

/* ERR_PENDING: a name that nothing known makes (m->missing); ERR_NAME, ERR_TYPE, ERR_SYNTAX. m->blame is set. */
enum err_code resolve_step(struct model *m, unsigned step, struct arena *a, struct resolved *out, struct err *e);

/* The same for the initialisers of the %%flow cell's parameters: no name of the flow may stand there. */
enum err_code resolve_parameters(struct model *m, struct arena *a, struct resolved *out, struct err *e);

/* An array whose size is in its type, read-only here: its local is a pointer to it. */
bool resolve_is_boxed(const struct model *m, unsigned step, unsigned name);

#endif
