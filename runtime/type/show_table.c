/* See show.h: tables. First a grid of short texts, then its two renderings.
 *
 * Rows are the elements of all dimensions but the last one of plain values ("[1][0]"); columns are the last dimension,
 * or for structs the members, those of nested structs as "a.b". */
#include "runtime/base/arena.h"
#include "runtime/base/html.h"
#include "runtime/type/show_internal.h"

#include <stdio.h>
#include <string.h>

enum { CELL_TEXT = 80, COLUMNS_MAX = 200 };

/* Where a column's values come from: a member's place in the row. */
struct column {
    const char *name;
    struct weir_field field; /* offset from the row's start */
};

struct grid {
    struct arena arena;
    struct column *columns;
    size_t ncolumns;
    size_t more_columns; /* cut */
    const char **cells;  /* nrows x ncolumns */
    const char **labels; /* of rows; NULL: the value is no array */
    size_t nrows;
    size_t more_rows;
};

/* ---- columns ---- */

static enum err_code add_column(struct grid *g, const char *name, const struct weir_field *f, size_t offset,
                                size_t limit, struct err *e)
{
    if (g->ncolumns == limit) {
        g->more_columns++;
        return ERR_NONE;
    }
    char *copy = arena_strndup(&g->arena, name, strlen(name));
    if (!copy) {
        return err_memory(e);
    }
    g->columns[g->ncolumns] = (struct column){ copy, *f };
    g->columns[g->ncolumns].field.offset = offset;
    g->ncolumns++;
    return ERR_NONE;
}

/* The members of a struct at `offset` of the row, named after `prefix`. */
static enum err_code member_columns(struct grid *g, const struct weir_type *t, const char *prefix, size_t offset,
                                    unsigned depth, size_t limit, struct err *e)
{
    for (size_t i = 0; i < t->nmembers; i++) {
        const struct weir_field *f = &t->members[i];
        char name[256];
        (void)snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] ? "." : "", f->name); /* cut: only a heading */
        enum err_code code;
        if (f->kind == WEIR_STRUCT && f->type && f->ndim == 0 && depth > 0) {
            code = member_columns(g, f->type, name, offset + f->offset, depth - 1, limit, e);
        } else {
            code = add_column(g, name, f, offset + f->offset, limit, e);
        }
        if (code) {
            return code;
        }
    }
    return ERR_NONE;
}

/* *row_dims: how many dimensions of f are rows. */
static enum err_code make_columns(struct grid *g, const struct weir_field *f, const struct show_limits *limits,
                                  unsigned *row_dims, struct err *e)
{
    bool is_struct = f->kind == WEIR_STRUCT && f->type;
    bool is_text = f->kind == WEIR_CHAR && f->ndim;
    size_t limit = is_struct ? limits->columns * 4 : limits->columns; /* members have been chosen by hand */
    limit = limit < COLUMNS_MAX ? limit : COLUMNS_MAX;
    struct weir_field one = *f;
    g->columns = arena_alloc(&g->arena, (limit + 1) * sizeof *g->columns);
    if (!g->columns) {
        return err_memory(e);
    }
    *row_dims = f->ndim;
    if (is_struct) {
        return member_columns(g, f->type, "", 0, limits->depth, limit, e);
    }
    one.ndim = 0;
    if (is_text) { /* the last dimension is the text's */
        one.ndim = 1;
        one.dim[0] = f->dim[f->ndim - 1];
        *row_dims = f->ndim - 1;
    }
    if (*row_dims < 2) {
        return add_column(g, f->name && f->name[0] ? f->name : "value", &one, 0, limit ? limit : 1, e);
    }
    *row_dims -= 1;
    size_t n = f->dim[*row_dims];
    size_t bytes = one.ndim ? one.dim[0] : f->size;
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < n && i < limit && !code; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%zu", i);
        code = add_column(g, name, &one, i * bytes, limit, e);
    }
    g->more_columns = n > limit ? n - limit : 0;
    return code;
}

/* ---- rows ---- */

/* "3", or "[1][0]" for more dimensions. */
static const char *row_label(struct grid *g, const struct weir_field *f, unsigned row_dims, size_t row)
{
    char text[WEIR_MAX_DIMS * 24];
    size_t at[WEIR_MAX_DIMS];
    size_t used = 0;
    for (unsigned i = row_dims; i-- > 0;) {
        at[i] = row % f->dim[i];
        row /= f->dim[i];
    }
    for (unsigned i = 0; i < row_dims; i++) {
        int n = snprintf(text + used, sizeof text - used, row_dims == 1 ? "%zu" : "[%zu]", at[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return arena_strndup(&g->arena, text, used);
}

static enum err_code make_cell(struct grid *g, const struct column *c, const char *row, const char **out, struct err *e)
{
    const struct show_limits small = { .rows = 4, .columns = 6, .text = CELL_TEXT, .depth = 2 };
    struct buf text;
    buf_init(&text, 0);
    enum err_code code = show_line(&text, &c->field, row + c->field.offset, &small, e);
    if (!code && !(*out = arena_strndup(&g->arena, text.data, text.len))) {
        code = err_memory(e);
    }
    buf_done(&text);
    return code;
}

static enum err_code make_rows(struct grid *g, const struct weir_field *f, unsigned row_dims, const char *data,
                               size_t limit, struct err *e)
{
    size_t rows = 1;
    size_t bytes = f->size;
    for (unsigned i = 0; i < f->ndim; i++) {
        rows *= i < row_dims ? f->dim[i] : 1;
        bytes *= i < row_dims ? 1 : f->dim[i];
    }
    g->nrows = rows < limit ? rows : limit;
    g->more_rows = rows - g->nrows;
    g->cells = arena_alloc(&g->arena, (g->nrows * g->ncolumns + 1) * sizeof *g->cells);
    g->labels = row_dims ? arena_alloc(&g->arena, (g->nrows + 1) * sizeof *g->labels) : NULL;
    if (!g->cells || (row_dims && !g->labels)) {
        return err_memory(e);
    }
    for (size_t r = 0; r < g->nrows; r++) {
        if (g->labels && !(g->labels[r] = row_label(g, f, row_dims, r))) {
            return err_memory(e);
        }
        for (size_t c = 0; c < g->ncolumns; c++) {
            enum err_code code = make_cell(g, &g->columns[c], data + r * bytes, &g->cells[r * g->ncolumns + c], e);
            if (code) {
                return code;
            }
        }
    }
    return ERR_NONE;
}

/* ---- HTML ---- */

static void html_cell(struct buf *html, const char *tag, const char *text)
{
    buf_printf(html, "<%s>", tag);
    html_escape(html, text);
    buf_printf(html, "</%s>", tag);
}

static void html_more(struct buf *html, size_t n, const char *what)
{
    if (n) {
        buf_printf(html, "<p>... %zu more %s</p>\n", n, what);
    }
}

static void write_html(struct buf *html, const struct grid *g)
{
    buf_str(html, "<table>\n<thead><tr>");
    if (g->labels) {
        html_cell(html, "th", "");
    }
    for (size_t c = 0; c < g->ncolumns; c++) {
        html_cell(html, "th", g->columns[c].name);
    }
    buf_str(html, "</tr></thead>\n<tbody>\n");
    for (size_t r = 0; r < g->nrows; r++) {
        buf_str(html, "<tr>");
        if (g->labels) {
            html_cell(html, "th", g->labels[r]);
        }
        for (size_t c = 0; c < g->ncolumns; c++) {
            html_cell(html, "td", g->cells[r * g->ncolumns + c]);
        }
        buf_str(html, "</tr>\n");
    }
    buf_str(html, "</tbody>\n</table>\n");
    html_more(html, g->more_rows, "rows");
    html_more(html, g->more_columns, "columns");
}

/* ---- text ---- */

/* Columns on a screen: code points, which is right for most scripts. */
static size_t width(const char *s)
{
    size_t n = 0;
    for (; *s; s++) {
        n += ((unsigned char)*s & 0xc0) != 0x80;
    }
    return n;
}

static size_t column_width(const struct grid *g, size_t c)
{
    size_t w = width(g->columns[c].name);
    for (size_t r = 0; r < g->nrows; r++) {
        size_t n = width(g->cells[r * g->ncolumns + c]);
        w = n > w ? n : w;
    }
    return w;
}

static size_t label_width(const struct grid *g)
{
    size_t w = 0;
    for (size_t r = 0; g->labels && r < g->nrows; r++) {
        size_t n = width(g->labels[r]);
        w = n > w ? n : w;
    }
    return w;
}

static void pad(struct buf *text, const char *s, size_t w, bool right, bool last)
{
    int spaces = (int)(w - width(s));
    if (right) {
        buf_printf(text, "%*s%s", spaces, "", s);
    } else {
        buf_printf(text, "%s%*s", s, last ? 0 : spaces, ""); /* no spaces at a line's end */
    }
}

static void text_line(struct buf *text, const struct grid *g, const size_t *widths, size_t labels, size_t row,
                      bool head)
{
    if (g->labels) {
        pad(text, head ? "" : g->labels[row], labels, true, false);
        buf_str(text, "  ");
    }
    for (size_t c = 0; c < g->ncolumns; c++) {
        bool right = show_is_number(&g->columns[c].field) && g->columns[c].field.ndim == 0;
        buf_str(text, c ? "  " : "");
        pad(text, head ? g->columns[c].name : g->cells[row * g->ncolumns + c], widths[c], right, c + 1 == g->ncolumns);
    }
    buf_char(text, '\n');
}

static enum err_code write_text(struct buf *text, struct grid *g, struct err *e)
{
    size_t *widths = arena_alloc(&g->arena, (g->ncolumns + 1) * sizeof *widths);
    if (!widths) {
        return err_memory(e);
    }
    for (size_t c = 0; c < g->ncolumns; c++) {
        widths[c] = column_width(g, c);
    }
    size_t labels = label_width(g);
    text_line(text, g, widths, labels, 0, true);
    for (size_t r = 0; r < g->nrows; r++) {
        text_line(text, g, widths, labels, r, false);
    }
    if (g->more_rows) {
        buf_printf(text, "... %zu more rows\n", g->more_rows);
    }
    if (g->more_columns) {
        buf_printf(text, "... %zu more columns\n", g->more_columns);
    }
    return ERR_NONE;
}

enum err_code show_table(struct buf *html, struct buf *text, const struct weir_field *f, const void *data,
                         const struct show_limits *limits, struct err *e)
{
    struct grid g = { 0 };
    unsigned row_dims = 0;
    limits = limits ? limits : &show_defaults;
    arena_init(&g.arena);
    enum err_code code = make_columns(&g, f, limits, &row_dims, e);
    if (!code) {
        code = make_rows(&g, f, row_dims, data, limits->rows, e);
    }
    if (!code && html) {
        write_html(html, &g);
        code = buf_check(html, "showing a table", e);
    }
    if (!code && text) {
        code = write_text(text, &g, e);
        code = code ? code : buf_check(text, "showing a table", e);
    }
    arena_done(&g.arena);
    return code;
}
