/* Errors: a code returned, and a message for the person who has to act on it.
 *
 * Every function that can fail returns an enum err_code and takes a `struct err *` last. The message is set once,
 * where the reason is known; callers may only put context in front. Nothing in runtime/ prints: messages are shown
 * at the edges (main, the Jupyter request handler). Outputs are untouched on failure. */
#ifndef WEIR_BASE_ERR_H
#define WEIR_BASE_ERR_H

enum err_code {
    ERR_NONE = 0,
    ERR_MEMORY,      /* out of memory, or a buffer's maximum */
    ERR_IO,          /* the system said no */
    ERR_USAGE,       /* an option or argument that does not exist or does not parse */
    ERR_NAME,        /* a name that is unknown, or no plain name */
    ERR_SYNTAX,      /* text that is not C, or not our notation */
    ERR_TYPE,        /* a value or declaration of the wrong type */
    ERR_GRAPH,       /* steps that do not make a flow */
    ERR_PENDING,     /* needs something that a cell not run yet may bring */
    ERR_COMPILE,     /* the compiler's own words */
    ERR_FORMAT,      /* a file that is not what it claims to be */
    ERR_LIMIT,       /* beyond a limit that the message names */
    ERR_NOT_FOUND,
    ERR_EXISTS,
    ERR_BUSY,        /* somebody else holds it */
    ERR_TASK,        /* a task of the user's failed */
    ERR_INTERRUPTED,
    ERR_CODES
};

enum { ERR_MESSAGE_MAX = 4096 };

struct err {
    enum err_code code;
    int line;                       /* line in `cell` (from 1), 0: none */
    char cell[128];                 /* the cell as users know it, "cell [3]"; "" : none */
    char msg[ERR_MESSAGE_MAX];      /* UTF-8, no newline at the end; may hold several lines */
};

/* Set code and message; e may be NULL (then only the code is passed on). Returns code. Longer text is cut. */
enum err_code err_set(struct err *e, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set, with where it is: line in a cell. cell is copied. */
enum err_code err_at(struct err *e, enum err_code code, const char *cell, int line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* ERR_IO with ": strerror(errno)" appended. */
enum err_code err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ERR_MEMORY with the one message that it always has. */
enum err_code err_memory(struct err *e);

/* Put "context: " in front of the message. Returns e's code. */
enum err_code err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The code's short name as Jupyter's ename shows it: "CompileError", "GraphError". Static. */
const char *err_name(enum err_code code);

#endif
