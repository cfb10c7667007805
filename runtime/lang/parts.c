/* See parts.h. */
#include "runtime/lang/parts.h"

#include "runtime/lang/lexer.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

struct splitting {
    const char *text;
    size_t len;
    part_is_magic *is_magic;
    void *ctx;
    struct part *parts;
    size_t count;
    size_t from;          /* where the C text begins that is not a part yet */
    int from_line;
};

/* Whether a magic may begin at text[at], judged by the C text since the last part. strict: only a known name may. */
static enum err_code may_begin(const struct splitting *s, size_t at, bool *may, bool *strict, struct err *e)
{
    struct tokens t;
    enum err_code code = lex(s->text + s->from, at - s->from, &t, e);
    if (code) {
        return code;
    }
    long depth = 0;
    for (size_t i = 0; i < t.count; i++) {
        if (t.at[i].kind == TOKEN_PUNCT && t.at[i].len == 1) {
            char c = t.text[t.at[i].start];
            depth += c == '(' || c == '[' || c == '{';
            depth -= c == ')' || c == ']' || c == '}';
        }
    }
    bool after_nothing = t.count == 0 || t.at[t.count - 1].kind == TOKEN_PP;
    bool after_end = t.count > 0 && (token_is(&t, t.count - 1, ";") || token_is(&t, t.count - 1, "}"));
    *may = t.open == LEX_CLOSED && depth == 0 && (after_nothing || after_end);
    *strict = !after_nothing;
    tokens_done(&t);
    return ERR_NONE;
}

static bool is_blank_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isspace((unsigned char)text[i])) {
            return false;
        }
    }
    return true;
}

static void end_c(struct splitting *s, size_t at)
{
    if (!is_blank_text(s->text + s->from, at - s->from)) {
        s->parts[s->count++] =
            (struct part){ .kind = PART_C, .text = s->text + s->from, .len = at - s->from, .line = s->from_line };
    }
}

/* End of the magic's line at text[at] (its newline or the text's end); lines counts the continuations in it. */
static size_t magic_end(const struct splitting *s, size_t at, int *lines)
{
    size_t i = at;
    while (i < s->len && s->text[i] != '\n') {
        if (s->text[i] == '\\' && i + 1 < s->len && s->text[i + 1] == '\n') {
            (*lines)++;
            i++;
        }
        i++;
    }
    return i < s->len ? i : s->len;
}

/* Handle a line that begins with % and a letter. *next: where to go on. */
static enum err_code take_magic(struct splitting *s, size_t at, int line, size_t *next, int *next_line, struct err *e)
{
    bool may = false;
    bool strict = false;
    enum err_code code = may_begin(s, at, &may, &strict, e);
    if (code || !may) {
        return code;
    }
    bool whole = s->text[at + 1] == '%';
    size_t name = at + (whole ? 2 : 1);
    size_t end = name;
    while (end < s->len && (isalnum((unsigned char)s->text[end]) || s->text[end] == '_')) {
        end++;
    }
    if (strict && !s->is_magic(s->ctx, s->text + name, end - name)) {
        return ERR_NONE;
    }
    if (whole && (s->count > 0 || !is_blank_text(s->text, at))) {
        return err_set(e, ERR_SYNTAX, "%%%%%.*s must be the first line of its cell", (int)(end - name), s->text + name);
    }
    int lines = 0;
    size_t stop = whole ? s->len : magic_end(s, at, &lines);
    end_c(s, at);
    s->parts[s->count++] = (struct part){ .kind = whole ? PART_CELL : PART_LINE,
                                            .text = s->text + at,
                                            .len = stop - at,
                                            .line = line,
                                            .name = s->text + name,
                                            .name_len = end - name };
    *next = stop;
    *next_line = line + lines;
    s->from = stop;
    s->from_line = *next_line;
    return ERR_NONE;
}

static bool looks_like_magic(const char *text, size_t len, size_t at)
{
    if (text[at] != '%') {
        return false;
    }
    size_t name = at + (at + 1 < len && text[at + 1] == '%' ? 2 : 1);
    return name < len && (isalpha((unsigned char)text[name]) || text[name] == '_');
}

enum err_code parts_split(const char *text, size_t len, part_is_magic *is_magic, void *ctx, struct arena *a,
                          struct part **out, size_t *count, struct err *e)
{
    size_t candidates = 0;
    for (size_t i = 0; i < len; i++) {
        candidates += (i == 0 || text[i - 1] == '\n') && looks_like_magic(text, len, i);
    }
    struct splitting s = { .text = text, .len = len, .is_magic = is_magic, .ctx = ctx, .from_line = 1,
                      .parts = arena_alloc(a, (2 * candidates + 1) * sizeof *s.parts) };
    if (!s.parts) {
        return err_memory(e);
    }
    int line = 1;
    for (size_t i = 0; i < len;) {
        size_t next = i;
        if (candidates && looks_like_magic(text, len, i)) {
            enum err_code code = take_magic(&s, i, line, &next, &line, e);
            if (code) {
                return code;
            }
        }
        const char *newline = memchr(text + next, '\n', len - next);
        i = newline ? (size_t)(newline - text) + 1 : len;
        line++;
    }
    end_c(&s, len);
    *out = s.parts;
    *count = s.count;
    return ERR_NONE;
}
