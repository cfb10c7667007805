/* See table.h. */
#include "runtime/view/table.h"

#include "runtime/base/html.h"
#include "runtime/view/view.h"

#include <stdarg.h>
#include <string.h>

void table_init(struct table *t, const char *const *heads, unsigned columns)
{
    *t = (struct table){ .heads = heads, .columns = columns };
    arena_init(&t->arena);
    buf_init(&t->cells, 0);
}

void table_done(struct table *t)
{
    arena_done(&t->arena);
    buf_done(&t->cells);
}

void table_right(struct table *t, unsigned column)
{
    t->right |= 1u << column;
}

void table_cell(struct table *t, const char *fmt, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text, 0);
    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    const char *copy = text.failed ? NULL : arena_strndup(&t->arena, text.data, text.len);
    const char *cell = copy ? copy : "?";
    buf_add(&t->cells, &cell, sizeof cell);
    t->count++;
    buf_done(&text);
}

static const char *cell_at(const struct table *t, size_t row, unsigned column)
{
    const char *cell;
    memcpy(&cell, t->cells.data + (row * t->columns + column) * sizeof cell, sizeof cell);
    return cell;
}

/* Characters, not bytes: UTF-8 continuation bytes do not count. */
static size_t width_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

static void write_text_row(const struct table *t, const size_t *widths, bool is_head, size_t row, struct buf *line,
                           struct buf *text)
{
    buf_clear(line);
    for (unsigned c = 0; c < t->columns; c++) {
        const char *cell = is_head ? t->heads[c] : cell_at(t, row, c);
        if (widths[c] == 0) {
            continue;
        }
        int pad = (int)(widths[c] - width_of(cell));
        bool right = t->right & 1u << c;
        buf_printf(line, "%s%*s", line->len ? "  " : "", right ? pad : 0, "");
        for (const char *p = cell; *p; p++) {
            buf_char(line, *p == '\n' ? ' ' : *p);
        }
        buf_printf(line, "%*s", right ? 0 : pad, "");
    }
    size_t len = line->len;
    while (len > 0 && line->data[len - 1] == ' ') {
        len--;
    }
    buf_add(text, line->data, len);
    buf_char(text, '\n');
}

static void write_html_row(const struct table *t, const size_t *widths, bool is_head, size_t row, struct buf *html)
{
    buf_str(html, "<tr>");
    for (unsigned c = 0; c < t->columns; c++) {
        if (widths[c] == 0) {
            continue;
        }
        bool right = t->right & 1u << c;
        buf_printf(html, "<%s style=\"text-align:%s\">", is_head ? "th" : "td", right ? "right" : "left");
        html_escape(html, is_head ? t->heads[c] : cell_at(t, row, c));
        buf_printf(html, "</%s>", is_head ? "th" : "td");
    }
    buf_str(html, "</tr>");
}

void table_write(const struct table *t, struct buf *html, struct buf *text)
{
    size_t widths[TABLE_MAX_COLUMNS] = { 0 };
    size_t rows = t->cells.failed ? 0 : t->count / t->columns;
    for (unsigned c = 0; c < t->columns; c++) {
        for (size_t r = 0; r < rows; r++) {
            size_t w = width_of(cell_at(t, r, c));
            widths[c] = w > widths[c] ? w : widths[c];
        }
        size_t head = width_of(t->heads[c]);
        widths[c] = widths[c] && head > widths[c] ? head : widths[c];
    }
    if (text) {
        struct buf line;
        buf_init(&line, 0);
        write_text_row(t, widths, true, 0, &line, text);
        for (size_t r = 0; r < rows; r++) {
            write_text_row(t, widths, false, r, &line, text);
        }
        buf_done(&line);
    }
    if (html) {
        buf_str(html, "<table><thead>");
        write_html_row(t, widths, true, 0, html);
        buf_str(html, "</thead><tbody>");
        for (size_t r = 0; r < rows; r++) {
            write_html_row(t, widths, false, r, html);
        }
        buf_str(html, "</tbody></table>");
    }
}
