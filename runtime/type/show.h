/* Values as people read them: what a cell's last expression shows, and an artifact's first rows. */
#ifndef WEIR_TYPE_SHOW_H
#define WEIR_TYPE_SHOW_H

#include "runtime/base/buf.h"
#include "runtime/include/weir.h"

struct show_limits {
    size_t rows;       /* rows of an array shown before "..." (default 10) */
    size_t columns;    /* elements a row (default 10) */
    size_t text;       /* bytes of a string (default 1000) */
    unsigned depth;    /* nested structs (default 4) */
};
extern const struct show_limits show_defaults;

/* One value in C's notation: `3`, `2.5`, `'a'`, `"text"`, `(double *) 0x55..`, `NULL`, `{1, 2, 3}`, `{.rate = 0.1, .loss = 2}`,
 * enums by name (`RED`, unknown ones as `(enum color) 7`); floating with the fewest digits that read back equal (and
 * "2.0" for an integral double). char[] is text up to its NUL or its end. Rows of 2-d and larger arrays go on lines of
 * their own; what is cut is said: `... 90 more rows`. f's dims must all be known; pass them in f. data: the value's bytes.
 * limits NULL: show_defaults. Memory behind a bad char pointer is never touched (checked by the kernel): shown as an address. */
enum err_code show_value(struct buf *out, const struct weir_field *f, const void *data, const struct show_limits *limits,
                         struct err *e);

/* As show_value, all on one line. */
enum err_code show_line(struct buf *out, const struct weir_field *f, const void *data, const struct show_limits *limits,
                        struct err *e);

/* A table of an array's first rows as HTML (<table>) and as aligned text: a column a struct member, else a column an
 * index; a scalar is one cell. Everything from data is escaped. Either buffer may be NULL. */
enum err_code show_table(struct buf *html, struct buf *text, const struct weir_field *f, const void *data,
                         const struct show_limits *limits, struct err *e);

#endif
