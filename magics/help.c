/* Help and completion, from the table's rows. */
#include "magics/state.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts ---- */

static void usage_lines(struct buf *out, const struct magic *row, const char *prefix)
{
    if (row->kind & MAGIC_LINE) {
        for (const struct magic *a = row->actions; a && a->name; a++) {
            buf_printf(out, "%%%s%s %s%s%s\n", prefix, row->name, a->name, a->usage[0] ? " " : "", a->usage);
        }
        if (!row->actions) {
            buf_printf(out, "%%%s%s%s%s\n", prefix, row->name, row->usage[0] ? " " : "", row->usage);
        }
    }
    if (row->kind & MAGIC_CELL) {
        buf_printf(out, "%%%%%s%s%s\n", row->name, row->usage[0] ? " " : "", row->usage);
    }
}

void magics_help_text(struct buf *out, const struct magic *row, const char *prefix)
{
    usage_lines(out, row, prefix);
    buf_printf(out, "\n  %s.\n", row->help);
    if (row->actions) {
        size_t widest = 0;
        for (const struct magic *a = row->actions; a->name; a++) {
            widest = strlen(a->name) > widest ? strlen(a->name) : widest;
        }
        buf_char(out, '\n');
        for (const struct magic *a = row->actions; a->name; a++) {
            buf_printf(out, "  %-*s   %s\n", (int)widest, a->name, a->help);
        }
    }
    if (row->options) {
        buf_char(out, '\n');
        options_help(out, row->options);
    }
    for (const struct magic *a = row->actions; a && a->name; a++) {
        if (a->options) {
            buf_printf(out, "\nOptions of %%%s %s:\n", row->name, a->name);
            options_help(out, a->options);
        }
    }
    if (row->details) {
        size_t n = strlen(row->details);
        buf_printf(out, "\n%s%s", row->details, row->details[n - 1] == '\n' ? "" : "\n");
    }
}

/* A text a row, made when first asked for: what callers get lives as long as the program. */
const char *magics_help(const char *name)
{
    enum { MAX_ROWS = 256 };
    static char *texts[MAX_ROWS];
    while (*name == '%' || *name == '?') {
        name++;
    }
    size_t len = strcspn(name, "? \t\n");
    const struct magic *row = magics_find(magics_table(), name, len);
    if (!row) {
        return NULL;
    }
    char **text = &texts[row - magics_table()];
    if (!*text) {
        struct buf out;
        buf_init(&out, 0);
        magics_help_text(&out, row, "");
        *text = buf_take(&out);
        buf_done(&out);
    }
    return *text;
}

enum err_code magic_lsmagic(struct magics *m, const struct magic_call *call, struct err *e)
{
    (void)call;
    struct buf out;
    buf_init(&out, 0);
    for (int kind = MAGIC_LINE; kind <= MAGIC_CELL; kind++) {
        buf_str(&out, kind == MAGIC_LINE ? "Line magics, one a line of a cell:\n" : "\nCell magics, in a cell's first line:\n");
        for (const struct magic *r = magics_table(); r->name; r++) {
            if (r->kind & kind) {
                buf_printf(&out, "  %s%-10s %s\n", kind == MAGIC_LINE ? "%" : "%%", r->name, r->help);
            }
        }
    }
    buf_str(&out, "\n%name? tells more about one.\n");
    enum err_code code = buf_check(&out, "the list of magics", e);
    if (!code) {
        say(m, "stdout", "%s", out.data);
    }
    buf_done(&out);
    return code;
}

/* ---- completion ---- */

void magics_offer(json_t *list, const char *prefix, const char *name, const char *typed, size_t len)
{
    if (strlen(name) >= len && memcmp(name, typed, len) == 0) {
        char text[128];
        (void)snprintf(text, sizeof text, "%s%s", prefix, name); /* names of the table are short */
        (void)json_array_append_new(list, json_string(text));     /* out of memory: one match less */
    }
}

static void offer_rows(json_t *list, const char *prefix, const struct magic *rows, int kind, const char *typed, size_t len)
{
    for (const struct magic *r = rows; r && r->name; r++) {
        if (r->kind & kind) {
            magics_offer(list, prefix, r->name, typed, len);
        }
    }
}

static void offer_arguments(struct magics *m, json_t *list, const struct magic *row, const char *before, const char *typed,
                            size_t len)
{
    if (len >= 1 && typed[0] == '-') {
        size_t dashes = len >= 2 && typed[1] == '-' ? 2 : 1;
        for (const struct option_row *o = row->options; o && o->name; o++) {
            magics_offer(list, "--", o->name, typed + dashes, len - dashes);
        }
        return;
    }
    if (row->complete) {
        row->complete(m, list, before, (size_t)(typed - before), typed, len);
    }
    offer_rows(list, "", row->actions, MAGIC_LINE, typed, len);
    for (size_t i = 0; row->max_words && strstr(row->usage, "FLOW") && i < flows_count(m->host.flows); i++) {
        magics_offer(list, "", flows_name(m->host.flows, i), typed, len);
    }
}

json_t *magics_complete(struct magics *m, const char *line, size_t cursor)
{
    json_t *list = json_array();
    size_t len = strlen(line);
    cursor = cursor < len ? cursor : len;
    if (!list || cursor == 0 || line[0] != '%') {
        return list;
    }
    size_t start = cursor;
    while (start > 0 && !isspace((unsigned char)line[start - 1])) {
        start--;
    }
    int kind = line[1] == '%' ? MAGIC_CELL : MAGIC_LINE;
    size_t name = kind == MAGIC_CELL ? 2 : 1;
    if (start == 0) {
        size_t typed = cursor < name ? cursor : name;
        offer_rows(list, kind == MAGIC_CELL ? "%%" : "%", magics_table(), kind, line + typed, cursor - typed);
        if (cursor == 1) {
            offer_rows(list, "%%", magics_table(), MAGIC_CELL, line, 0);
        }
        return list;
    }
    const struct magic *row = magics_find(magics_table(), line + name, strcspn(line + name, " \t"));
    if (!row || kind == MAGIC_CELL) {
        return list;
    }
    const char *after = line + name + strlen(row->name);
    const char *second = after + strspn(after, " \t");
    size_t second_len = strcspn(second, " \t");
    const struct magic *action = magics_find(row->actions, second, second_len);
    bool past_action = action && second + second_len < line + cursor;
    offer_arguments(m, list, past_action ? action : row, past_action ? second + second_len : after, line + start,
                    cursor - start);
    return list;
}
