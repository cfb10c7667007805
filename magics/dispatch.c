/* From a cell's text to the functions of its magics. See magics.h. */
#include "magics/state.h"
#include "magics/values.h"
#include "runtime/lang/lexer.h"
#include "runtime/lang/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what all magics do ---- */

void say(struct magics *m, const char *stream, const char *fmt, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text, 0);
    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    m->host.stream(m->host.ctx, stream, text.data, text.len);
    buf_done(&text);
}

void show_bundle(struct magics *m, const char *html, const char *text, const char *display_id, bool update)
{
    json_t *data = json_object();
    if (html) {
        (void)json_object_set_new(data, "text/html", json_string(html)); /* out of memory: the text alone */
    }
    (void)json_object_set_new(data, "text/plain", json_string(text));
    m->host.display(m->host.ctx, data, display_id, update);
    json_decref(data);
}

enum err_code pick_flow(struct magics *m, const char *word, const char **flow, struct err *e)
{
    struct flows *f = m->host.flows;
    if (!word) {
        *flow = flows_current(f);
        return *flow ? ERR_NONE : err_set(e, ERR_NOT_FOUND, "there is no flow yet: begin one with %%%%flow NAME or %%%%step NAME");
    }
    enum { MAX_FLOWS = 256 };
    const char *names[MAX_FLOWS];
    size_t n = 0;
    for (size_t i = 0; i < flows_count(f) && n < MAX_FLOWS; i++) {
        names[n++] = flows_name(f, i);
        if (strcmp(names[n - 1], word) == 0) {
            *flow = names[n - 1];
            return ERR_NONE;
        }
    }
    struct buf text;
    buf_init(&text, 0);
    buf_printf(&text, "no flow '%s'", word);
    options_nearest(&text, word, names, n);
    buf_str(&text, n ? "; there are" : "; there are none yet");
    for (size_t i = 0; i < n; i++) {
        buf_printf(&text, "%s '%s'", i ? "," : "", names[i]);
    }
    enum err_code code = err_set(e, ERR_NAME, "%s", text.data);
    buf_done(&text);
    return code;
}

/* ---- life ---- */

enum err_code magics_new(const struct magic_host *host, struct magics **out, struct err *e)
{
    struct magics *m = calloc(1, sizeof *m);
    if (!m) {
        return err_memory(e);
    }
    m->host = *host;
    enum err_code code = values_new(m, &m->values, e);
    if (code) {
        free(m);
        return code;
    }
    *out = m;
    return ERR_NONE;
}

void magics_free(struct magics *m)
{
    if (!m) {
        return;
    }
    for (size_t i = 0; i < m->npending; i++) {
        free(m->pending[i].flow);
        free(m->pending[i].step);
    }
    values_free(m->values);
    free(m);
}

/* Whether one of a cell's parts is so; also if it has a %% magic in the wrong place, which is ours to refuse. unknown: the
 * answer if memory doesn't suffice to tell. */
static bool any_part(const char *text, bool (*is_so)(const struct part *p), bool unknown)
{
    struct arena a;
    arena_init(&a);
    struct part *parts = NULL;
    size_t n = 0;
    struct err e;
    enum err_code code = parts_split(text, strlen(text), magics_has, NULL, &a, &parts, &n, &e);
    bool found = code && (code == ERR_SYNTAX || unknown);
    for (size_t i = 0; !code && !found && i < n; i++) {
        found = is_so(&parts[i]);
    }
    arena_done(&a);
    return found;
}

static bool is_magic(const struct part *p)
{
    return p->kind != PART_C;
}

bool magics_is(const char *text)
{
    return any_part(text, is_magic, false);
}

/* The row of a magic as it stands in a cell, of its action if it has one. NULL: it is unknown. */
static const struct magic *row_of(const struct part *p)
{
    const struct magic *row = magics_find(magics_table(), p->name, p->name_len);
    if (!row || !row->actions || p->kind == PART_CELL) {
        return row;
    }
    const char *word = p->name + p->name_len;
    word += strspn(word, " \t");
    const struct magic *action = magics_find(row->actions, word, strcspn(word, " \t\r\n"));
    return action ? action : row; /* in quotes, or on a line behind a backslash: it may be any */
}

/* An unknown one does nothing; C tells by itself. */
static bool changes(const struct part *p)
{
    const struct magic *row = is_magic(p) ? row_of(p) : NULL;
    return row && !row->shows;
}

bool magics_change(const char *text)
{
    return any_part(text, changes, true);
}

/* ---- one magic ---- */

static bool asks_help(const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0 || strcmp(words[i], "?") == 0) {
            return true;
        }
    }
    return false;
}

static enum err_code give_help(struct magics *m, const struct magic *row, const char *prefix, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    magics_help_text(&text, row, prefix);
    enum err_code code = buf_check(&text, "a magic's help", e);
    if (!code) {
        say(m, "stdout", "%s", text.data);
    }
    buf_done(&text);
    return code;
}

/* `%flow` + words, the action's name first where the row has actions. */
static enum err_code run_line(struct magics *m, const struct magic *row, const char **words, size_t count,
                              struct magic_call *call, struct err *e)
{
    char prefix[64] = "";
    if (row->actions) {
        if (count == 0 || asks_help((const char *const *)words, 1)) {
            return give_help(m, row, "", e);
        }
        (void)snprintf(prefix, sizeof prefix, "%s ", row->name);
        char what[72];
        (void)snprintf(what, sizeof what, "%%%s", prefix);
        const struct magic *action = magics_find(row->actions, words[0], strlen(words[0]));
        if (!action) {
            return magics_unknown(row->actions, what, words[0], strlen(words[0]), e);
        }
        row = action;
        words++;
        count--;
    }
    if (asks_help((const char *const *)words, count)) {
        return give_help(m, row, prefix, e);
    }
    call->row = row;
    enum err_code code =
        options_parse(row->options, row->others, (const char *const *)words, count, call->arena, &call->options, e);
    if (!code && call->options.nwords > row->max_words) {
        code = err_set(e, ERR_USAGE, "'%s' is one word too many", call->options.words[row->max_words]);
    }
    if (code) {
        (void)err_context(e, "%%%s%s", prefix, row->name);
        return code;
    }
    return row->run(m, call, e);
}

/* ERR_NAME and ERR_USAGE of a magic, with where it stands. */
static enum err_code run_magic(struct magics *m, const struct part *p, struct magic_call *call, struct err *e)
{
    const char *mark = p->kind == PART_CELL ? "%%" : "%";
    const struct magic *row = magics_find(magics_table(), p->name, p->name_len);
    if (!row) {
        return magics_unknown(magics_table(), mark, p->name, p->name_len, e);
    }
    const char *rest = p->name + p->name_len;
    size_t len = p->len - (size_t)(rest - p->text);
    size_t first = p->kind == PART_CELL ? strcspn(rest, "\n") : len;
    first = first < len ? first : len;
    if (first > 0 && rest[0] == '?') {
        return give_help(m, row, "", e);
    }
    int kind = p->kind == PART_CELL ? MAGIC_CELL : MAGIC_LINE;
    if (!(row->kind & kind)) {
        return err_set(e, ERR_USAGE, "%s is a %s magic: write %s%s", row->name, kind == MAGIC_CELL ? "line" : "cell",
                       kind == MAGIC_CELL ? "%" : "%%", row->name);
    }
    const char **words = NULL;
    size_t count = 0;
    enum err_code code = options_split(rest, first, call->arena, &words, &count, e);
    if (p->kind == PART_CELL) {
        if (!code && asks_help((const char *const *)words, count)) {
            return give_help(m, row, "", e);
        }
        call->row = row;
        return row->run(m, call, e); /* raw: a quote that is not closed may be its C's */
    }
    return code ? code : run_line(m, row, words, count, call, e);
}

/* C between magics, with the lines before it blank, so that its line numbers are the cell's. */
static enum err_code run_c(struct magics *m, const struct cell *cell, const struct part *p, struct err *e)
{
    char label[64];
    struct buf text;
    buf_init(&text, 0);
    for (int i = 1; i < p->line; i++) {
        buf_char(&text, '\n');
    }
    buf_add(&text, p->text, p->len);
    enum err_code code = buf_check(&text, "a cell", e);
    cell_label(cell->number, label, sizeof label);
    code = code ? code : m->host.run_cell(m->host.ctx, label, text.data, text.len, e);
    buf_done(&text);
    return code;
}

static bool is_comment(const struct part *p)
{
    struct tokens t;
    if (p->kind != PART_C || lex(p->text, p->len, &t, NULL) != ERR_NONE) {
        return false;
    }
    bool none = t.count == 0;
    tokens_done(&t);
    return none;
}

/* A magic that wants a cell of its own has one, but for comments: looked at before anything of the cell runs. */
static enum err_code check_alone(const struct cell *cell, const struct part *parts, size_t n, struct err *e)
{
    size_t others = 0;
    for (size_t i = 0; i < n && n > 1; i++) {
        others += !is_comment(&parts[i]);
    }
    for (size_t i = 0; i < n; i++) {
        const struct magic *row = parts[i].kind == PART_C ? NULL : magics_find(magics_table(), parts[i].name, parts[i].name_len);
        if (row && row->alone && others > 1) {
            char label[64];
            cell_label(cell->number, label, sizeof label);
            return err_at(e, ERR_USAGE, label, parts[i].line, "%%%s takes a cell of its own: nothing of this one has run",
                          row->name);
        }
    }
    return ERR_NONE;
}

enum err_code magics_run(struct magics *m, const struct cell *cell, struct err *e)
{
    struct arena a;
    struct part *parts = NULL;
    size_t n = 0;
    arena_init(&a);
    enum err_code code = parts_split(cell->text, cell->len, magics_has, NULL, &a, &parts, &n, e);
    code = code ? code : check_alone(cell, parts, n, e);
    for (size_t i = 0; !code && i < n; i++) {
        if (parts[i].kind == PART_C) {
            code = run_c(m, cell, &parts[i], e);
            continue;
        }
        struct magic_call call = { .cell = cell, .line = parts[i].line, .arena = &a };
        code = run_magic(m, &parts[i], &call, e);
        if (code && e->line == 0 && (code == ERR_NAME || code == ERR_USAGE)) {
            char label[64], text[ERR_MESSAGE_MAX];
            cell_label(cell->number, label, sizeof label);
            (void)snprintf(text, sizeof text, "%s", e->msg);
            code = err_at(e, code, label, parts[i].line, "%s", text);
        }
    }
    arena_done(&a);
    return code;
}

enum err_code magics_provide(struct magics *m, const char *text, size_t len, struct err *e)
{
    if (m->providing) {
        return ERR_NONE; /* a hidden cell: what it needs is there */
    }
    m->providing = true;
    enum err_code code = values_provide(m->values, text, len, e);
    m->providing = false;
    return code;
}
