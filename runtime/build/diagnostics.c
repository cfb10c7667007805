/* See diagnostics.h.
 *
 *   text         #line 1 "cell [4]" / int x = y;        physical lines 1 and 2
 *   for cc       (blank)            / int x = y;        says FILE:2:9: error: ...
 *   for people   cell [4] line 1: error: ... / int x = y; / a caret under column 9
 */
#include "runtime/build/diagnostics.h"

#include "runtime/base/file.h"
#include "runtime/base/spawn.h"
#include "runtime/build/flags.h"
#include "runtime/build/temporary.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { SHOWN_ERRORS = 10, SHOWN_LINE = 160 };

/* Where one physical line is for people. */
struct place {
    const char *cell; /* in the text, not terminated; NULL: generated code */
    int cell_len;
    int line;
    const char *text; /* the line itself */
    int text_len;
};

struct map {
    struct place *at; /* [0] is physical line 1 */
    size_t count;
};

/* `#line 12 "cell [4]"` or `# 12 "cell [4]"` at s: sets *line, *name. */
static bool is_line_directive(const char *s, const char *end, int *line, const char **name, int *name_len)
{
    if (s >= end || *s++ != '#') {
        return false;
    }
    while (s < end && (*s == ' ' || *s == '\t')) {
        s++;
    }
    if (end - s > 4 && memcmp(s, "line", 4) == 0) {
        s += 4;
    }
    while (s < end && (*s == ' ' || *s == '\t')) {
        s++;
    }
    if (s >= end || !isdigit((unsigned char)*s)) {
        return false;
    }
    int number = 0;
    for (; s < end && isdigit((unsigned char)*s); s++) {
        number = number < 100000000 ? number * 10 + (*s - '0') : number;
    }
    const char *open = memchr(s, '"', (size_t)(end - s));
    const char *close = open ? memchr(open + 1, '"', (size_t)(end - open - 1)) : NULL;
    if (close) {
        *name = open + 1;
        *name_len = (int)(close - open - 1);
    }
    *line = number;
    return true;
}

static bool is_cell(const char *name, int len)
{
    return len > 5 && memcmp(name, "cell ", 5) == 0;
}

/* The map of text's lines, and its copy with the directives blanked (in blank). */
static enum err_code map_make(struct map *m, struct buf *blank, const char *text, size_t len, struct err *e)
{
    size_t lines = 1;
    for (size_t i = 0; i < len; i++) {
        lines += text[i] == '\n';
    }
    m->at = calloc(lines, sizeof *m->at);
    if (!m->at) {
        return err_memory(e);
    }
    const char *name = "", *end = text + len;
    int name_len = 0, line = 1;
    for (const char *s = text; m->count < lines; m->count++) {
        const char *newline = memchr(s, '\n', (size_t)(end - s));
        const char *stop = newline ? newline : end;
        int next = 0;
        if (is_line_directive(s, stop, &next, &name, &name_len)) {
            line = next;
        } else {
            buf_add(blank, s, (size_t)(stop - s));
            m->at[m->count] = (struct place){ .cell = is_cell(name, name_len) ? name : NULL,
                                              .cell_len = name_len,
                                              .line = line++,
                                              .text = s,
                                              .text_len = (int)(stop - s) };
        }
        buf_char(blank, '\n');
        s = newline ? newline + 1 : end;
    }
    return buf_check(blank, "the text to check", e);
}

/* One line of cc's output, taken apart: PATH:LINE:COLUMN: KIND: MESSAGE. */
struct remark {
    int line, column;
    bool error, note;
    const char *message;
    int message_len;
};

static bool remark_parse(const char *s, size_t len, const char *path, struct remark *out)
{
    size_t skip = strlen(path);
    if (len <= skip + 1 || memcmp(s, path, skip) != 0 || s[skip] != ':') {
        return false;
    }
    char *after;
    const char *end = s + len;
    out->line = (int)strtol(s + skip + 1, &after, 10);
    if (after >= end || *after != ':') {
        return false;
    }
    out->column = isdigit((unsigned char)after[1]) ? (int)strtol(after + 1, &after, 10) : 0;
    if (end - after < 3 || after[0] != ':') {
        return false;
    }
    const char *kind = after + 2;
    const char *colon = memchr(kind, ':', (size_t)(end - kind));
    if (!colon || colon + 2 > end) {
        return false;
    }
    out->error = strncmp(kind, "error", 5) == 0 || strncmp(kind, "fatal error", 11) == 0;
    out->note = strncmp(kind, "note", 4) == 0;
    out->message = colon + 2;
    out->message_len = (int)(end - out->message);
    if (out->message_len > 0 && out->message[out->message_len - 1] == ']') { /* the option that made it an error */
        for (int i = out->message_len - 1; i > 1; i--) {
            if (out->message[i] == '[' && out->message[i + 1] == '-') {
                out->message_len = i - 1;
                break;
            }
        }
    }
    return true;
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* How much of the text around a[i] and b[j] is the same. */
static int likeness(const char *a, int alen, int i, const char *b, int blen, int j)
{
    int ahead = 0, behind = 0;
    while (i + ahead < alen && j + ahead < blen && a[i + ahead] == b[j + ahead]) {
        ahead++;
    }
    while (behind < i && behind < j && a[i - behind - 1] == b[j - behind - 1]) {
        behind++;
    }
    return ahead > 0 ? ahead + behind : 0;
}

/* Where in the user's line that is which stands in column of the lowered line: the place whose surroundings are most
 * like it, and that begins a word if it does. 0: nowhere. */
static int users_column(const struct place *p, int column, const char *line, int len)
{
    int at = column - 1, best = 0, found = 0;
    if (at < 0 || at >= p->text_len) {
        return 0;
    }
    bool begins = in_word(p->text[at]) && (at == 0 || !in_word(p->text[at - 1]));
    for (int i = 0; i < len; i++) {
        int like = likeness(p->text, p->text_len, at, line, len, i);
        if (like > best && (!begins || i == 0 || !in_word(line[i - 1]))) {
            best = like;
            found = i + 1;
        }
    }
    return found;
}

/* The source line and a caret below (column 0: none). Tabs stay tabs so that the caret stands right. */
static void add_line(struct buf *out, const char *line, int len, int column)
{
    if (len > SHOWN_LINE || len == 0) {
        return;
    }
    buf_printf(out, "\n    %.*s", len, line);
    if (column < 1 || column > len + 1) {
        return;
    }
    buf_str(out, "\n    ");
    for (int i = 0; i < column - 1; i++) {
        buf_char(out, line[i] == '\t' ? '\t' : ' ');
    }
    buf_char(out, '^');
}

/* The user's own line if it can be had, else the lowered one. */
static void add_caret(struct buf *out, const struct suspect *s, const struct place *p, int column)
{
    char cell[64];
    size_t len = 0;
    (void)snprintf(cell, sizeof cell, "%.*s", p->cell_len, p->cell);
    const char *line = s->line ? s->line(s->line_ctx, cell, p->line, &len) : NULL;
    if (!line || len > SHOWN_LINE) {
        add_line(out, p->text, p->text_len, column);
        return;
    }
    bool same = (int)len == p->text_len && memcmp(line, p->text, len) == 0;
    add_line(out, line, (int)len, same ? column : users_column(p, column, line, (int)len));
}

static bool note_helps(const struct remark *r)
{
    static const char *const useful[] = { "include '<", "previous ", "originally defined", "expected '" };
    for (size_t i = 0; i < sizeof useful / sizeof *useful; i++) {
        if (memmem(r->message, (size_t)r->message_len, useful[i], strlen(useful[i]))) {
            return true;
        }
    }
    return false;
}

struct collected {
    struct buf text;
    int errors;    /* in all */
    char cell[64]; /* of the first error shown */
    int line;
    const struct suspect *suspect;
};

static void add_remark(struct collected *c, const struct map *m, const struct remark *r)
{
    const struct place *p = r->line >= 1 && (size_t)r->line <= m->count ? &m->at[r->line - 1] : NULL;
    if (!p || !p->cell || (r->error && ++c->errors > SHOWN_ERRORS)) {
        return;
    }
    if (c->text.len) {
        buf_char(&c->text, '\n');
    } else {
        (void)snprintf(c->cell, sizeof c->cell, "%.*s", p->cell_len, p->cell);
        c->line = p->line;
    }
    buf_printf(&c->text, "%.*s line %d: %s: %.*s", p->cell_len, p->cell, p->line, r->error ? "error" : "note",
               r->message_len, r->message);
    if (r->error) {
        add_caret(&c->text, c->suspect, p, r->column);
    }
}

/* All errors in cells' lines; if there are none, those in generated code (generated = true), so that nothing is lost.
 */
static void collect(struct collected *c, const struct map *m, const char *output, const char *path, bool generated)
{
    bool last_kept = false;
    for (const char *s = output; *s;) {
        size_t len = strcspn(s, "\n");
        struct remark r;
        if (!remark_parse(s, len, path, &r)) {
            if (generated && memmem(s, len, "error:", 6) && c->errors++ < SHOWN_ERRORS) {
                buf_printf(&c->text, "%s%.*s", c->text.len ? "\n" : "", (int)len, s);
            }
        } else if (generated && r.error) {
            if (c->errors++ < SHOWN_ERRORS) {
                buf_printf(&c->text, "%sgenerated code: error: %.*s", c->text.len ? "\n" : "", r.message_len,
                           r.message);
            }
        } else if (r.error) {
            add_remark(c, m, &r);
            last_kept = c->text.len > 0 && c->errors <= SHOWN_ERRORS;
        } else if (r.note && last_kept && note_helps(&r)) {
            add_remark(c, m, &r);
        } else if (!r.note) {
            last_kept = false;
        }
        s += len + (s[len] == '\n');
    }
}

static void report(struct collected *c, const struct map *m, const char *output, const char *path, struct err *e)
{
    collect(c, m, output, path, false);
    if (!c->errors) {
        collect(c, m, output, path, true);
    }
    if (c->errors > SHOWN_ERRORS) {
        buf_printf(&c->text, "\n... %d more errors", c->errors - SHOWN_ERRORS);
    }
    (void)err_at(e, ERR_COMPILE, c->cell, c->line, "%s", c->text.len ? c->text.data : "the compiler failed");
}

static enum diagnosis ask_cc(const char *path, const struct suspect *s, struct buf *output)
{
    struct flags f;
    int status = 0;
    flags_init(&f);
    flags_add(&f, flags_compiler());
    flags_adds(&f, flags_strict());
    flags_add(&f, "-fsyntax-only");
    flags_add(&f, "-fdiagnostics-plain-output");
    flags_add(&f, "-fdiagnostics-column-unit=byte");
    flags_add(&f, "-I");
    flags_add(&f, s->include_dir);
    flags_adds(&f, s->extra);
    flags_add(&f, path);
    bool asked = flags_ok(&f) && spawn_capture(f.argv, output, &status, NULL) == ERR_NONE && WIFEXITED(status);
    flags_done(&f);
    if (!asked || WEXITSTATUS(status) > 1) {
        return DIAGNOSIS_UNKNOWN;
    }
    return WEXITSTATUS(status) == 0 ? DIAGNOSIS_CLEAN : DIAGNOSIS_ERRORS;
}

enum diagnosis diagnose(const struct suspect *s, struct err *e)
{
    struct map m = { 0 };
    struct collected c = { .suspect = s };
    struct buf blank, output;
    struct temporary dir;
    enum diagnosis result = DIAGNOSIS_UNKNOWN;
    buf_init(&blank, 0);
    buf_init(&output, 1 << 20);
    buf_init(&c.text, 1 << 16);
    bool made = temporary_make(&dir, NULL) == ERR_NONE;
    if (!made || map_make(&m, &blank, s->text, s->len, NULL) != ERR_NONE) {
        goto done;
    }
    const char *path = temporary_path(&dir, "check.c");
    if (file_write_atomic(path, blank.data, blank.len, 0600, 0, NULL) != ERR_NONE) {
        goto done;
    }
    result = ask_cc(path, s, &output);
    if (result == DIAGNOSIS_ERRORS) {
        report(&c, &m, output.data, path, e);
    }
done:
    if (made) {
        temporary_remove(&dir);
    }
    free(m.at);
    buf_done(&c.text);
    buf_done(&output);
    buf_done(&blank);
    return result;
}

/* One message of tcc's ("cell [4]:3: error: ...") in the same form. */
static enum err_code from_tcc(const char *message, struct err *e)
{
    const char *start = strstr(message, "cell [");
    const char *colon = start ? strstr(start, "]:") : NULL;
    if (!colon) {
        return err_set(e, ERR_COMPILE, "%s", message);
    }
    char *after;
    long line = strtol(colon + 2, &after, 10);
    char cell[64];
    (void)snprintf(cell, sizeof cell, "%.*s", (int)(colon + 1 - start), start);
    while (*after == ':' || *after == ' ') {
        after++;
    }
    /* tcc says "warning" of what we take for an error */
    const char *what = strncmp(after, "warning: ", 9) == 0 ? after + 9 : after;
    return err_at(e, ERR_COMPILE, cell, (int)line, "%s line %ld: %s%s", cell, line,
                  strncmp(what, "error", 5) == 0 ? "" : "error: ", what);
}

enum err_code diagnose_refused(const char *first, const struct suspect *s, bool *accepted, struct err *e)
{
    *accepted = false;
    switch (diagnose(s, e)) {
    case DIAGNOSIS_CLEAN:
        *accepted = true;
        return ERR_NONE;
    case DIAGNOSIS_ERRORS:
        return ERR_COMPILE;
    case DIAGNOSIS_UNKNOWN:
        break;
    }
    return from_tcc(*first ? first : "tcc failed without a word", e);
}
