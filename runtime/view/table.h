/* A small table of texts, written as HTML and as aligned text. Cells are added row by row. */
#ifndef WEIR_VIEW_TABLE_H
#define WEIR_VIEW_TABLE_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"

enum { TABLE_MAX_COLUMNS = 16 };

struct table {
    const char *const *heads;
    unsigned columns;
    unsigned right;          /* a bit a column: numbers, aligned at their end */
    struct arena arena;
    struct buf cells;        /* const char * each */
    size_t count;
};

/* heads is borrowed for the table's life. */
void table_init(struct table *t, const char *const *heads, unsigned columns);
void table_done(struct table *t);
void table_right(struct table *t, unsigned column);

/* The next cell. Newlines in it become blanks. */
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Append the table; either may be NULL. Columns whose cells are all empty are left out. Text has no blanks at line ends. */
void table_write(const struct table *t, struct buf *html, struct buf *text);

#endif
