/* See options.h. */
#include "runtime/view/options.h"

#include "runtime/base/words.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 64 /* longer words are never near to anything */ };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One word at line[*at]; its text goes to word. False: the line (or a comment) ends here. */
static bool next_word(const char *line, size_t len, size_t *at, struct buf *word, char *open)
{
    size_t i = *at;
    while (i < len && (is_blank(line[i]) || (line[i] == '\\' && i + 1 < len && line[i + 1] == '\n'))) {
        i++;
    }
    if (i >= len || (line[i] == '/' && i + 1 < len && line[i + 1] == '/')) {
        *at = len;
        return false;
    }
    *open = '\0';
    buf_clear(word);
    for (; i < len && (*open || !is_blank(line[i])); i++) {
        char c = line[i];
        if (c == *open) {
            *open = '\0';
        } else if (!*open && (c == '"' || c == '\'')) {
            *open = c;
        } else if (c == '\\' && *open != '\'' && i + 1 < len) {
            i++;
            if (line[i] != '\n') {
                buf_char(word, line[i]);
            }
        } else {
            buf_char(word, c);
        }
    }
    *at = i;
    return true;
}

enum err_code options_split(const char *line, size_t len, struct arena *a, const char ***words, size_t *count,
                            struct err *e)
{
    struct buf word;
    buf_init(&word, 0);
    enum err_code code = ERR_NONE;
    size_t n = 0;
    size_t at = 0;
    char open = '\0';
    const char **list = arena_alloc(a, (len / 2 + 2) * sizeof *list); /* a word and its blank take two bytes */
    if (!list) {
        code = err_memory(e);
        goto done;
    }
    while (next_word(line, len, &at, &word, &open)) {
        if (open) {
            code = err_set(e, ERR_USAGE, "the quote %c is not closed", open);
            goto done;
        }
        list[n] = word.failed ? NULL : arena_strndup(a, word.data, word.len);
        if (!list[n++]) {
            code = err_memory(e);
            goto done;
        }
    }
    *words = list;
    *count = n;
done:
    buf_done(&word);
    return code;
}

static const struct option_row *find_row(const struct option_row *rows, const char *name, size_t len)
{
    for (const struct option_row *r = rows; r && r->name; r++) {
        if (strlen(r->name) == len && memcmp(r->name, name, len) == 0) {
            return r;
        }
    }
    return NULL;
}

static enum err_code unknown(const struct option_row *rows, const char *name, size_t len, struct err *e)
{
    const char *names[MAX_NAME];
    size_t n = 0;
    for (const struct option_row *r = rows; r && r->name && n < MAX_NAME; r++) {
        names[n++] = r->name;
    }
    struct buf text;
    buf_init(&text, 0);
    buf_str(&text, "no option '--");
    buf_add(&text, name, len);
    buf_str(&text, "'");
    char word[MAX_NAME] = "";
    if (len < sizeof word) {
        memcpy(word, name, len);
    }
    options_offer(&text, word, "--", names, n);
    enum err_code code = err_set(e, ERR_USAGE, "%s", text.data);
    buf_done(&text);
    return code;
}

static enum err_code take_option(const struct option_row *rows, bool others, const char *const *words, size_t count,
                                 size_t *at, struct arena *a, struct option_value *out, struct err *e)
{
    const char *name = words[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_row *row = find_row(rows, name, len);
    if (!row && (!others || len == 0)) {
        return unknown(rows, name, len, e);
    }
    char *copy = arena_strndup(a, name, len);
    if (!copy) {
        return err_memory(e);
    }
    *out = (struct option_value){ .name = row ? row->name : copy, .other = !row, .value = equals ? equals + 1 : "" };
    bool takes_value = !row || row->argument;
    if (equals && !takes_value) {
        return err_set(e, ERR_USAGE, "--%s takes no value, but was given '%s'", copy, equals + 1);
    }
    if (takes_value && !equals) {
        if (*at + 1 >= count) {
            return err_set(e, ERR_USAGE, "--%s needs a value: --%s %s", copy, copy, row ? row->argument : "VALUE");
        }
        out->value = words[++*at];
    }
    return ERR_NONE;
}

enum err_code options_parse(const struct option_row *rows, bool others, const char *const *words, size_t count,
                            struct arena *a, struct options *out, struct err *e)
{
    struct options o = { .values = arena_alloc(a, (count + 1) * sizeof *o.values),
                         .words = arena_alloc(a, (count + 1) * sizeof *o.words) };
    if (!o.values || !o.words) {
        return err_memory(e);
    }
    bool ended = false;
    for (size_t i = 0; i < count; i++) {
        if (ended || strncmp(words[i], "--", 2) != 0) {
            o.words[o.nwords++] = words[i];
        } else if (words[i][2] == '\0') {
            ended = true;
        } else {
            enum err_code code = take_option(rows, others, words, count, &i, a, &o.values[o.nvalues], e);
            if (code) {
                return code;
            }
            o.nvalues++;
        }
    }
    *out = o;
    return ERR_NONE;
}

const char *options_get(const struct options *o, const char *name)
{
    for (size_t i = o->nvalues; i > 0; i--) {
        if (!o->values[i - 1].other && strcmp(o->values[i - 1].name, name) == 0) {
            return o->values[i - 1].value;
        }
    }
    return NULL;
}

enum err_code options_number(const struct options *o, const char *name, uint64_t min, uint64_t max, uint64_t *out,
                             struct err *e)
{
    const char *text = options_get(o, name);
    if (!text) {
        return ERR_NONE;
    }
    char *end = NULL;
    errno = 0;
    uintmax_t value = strtoumax(text, &end, 0);
    if (!isdigit((unsigned char)text[0]) || *end || errno || value < min || value > max) {
        return err_set(e, ERR_USAGE, "--%s: '%s' is not a whole number from %" PRIu64 " to %" PRIu64, name, text, min, max);
    }
    *out = value;
    return ERR_NONE;
}

void options_help(struct buf *out, const struct option_row *rows)
{
    size_t widest = 0;
    for (const struct option_row *r = rows; r && r->name; r++) {
        size_t width = strlen(r->name) + (r->argument ? strlen(r->argument) + 1 : 0);
        widest = width > widest ? width : widest;
    }
    for (const struct option_row *r = rows; r && r->name; r++) {
        size_t width = strlen(r->name) + (r->argument ? strlen(r->argument) + 1 : 0);
        buf_printf(out, "  --%s%s%s%*s%s\n", r->name, r->argument ? " " : "", r->argument ? r->argument : "",
                   (int)(widest - width + 3), "", r->help);
    }
}

/* How far a name is from a word, SIZE_MAX: too far to be meant. A beginning of a name is next to it. */
static size_t nearness(const char *word, const char *name)
{
    size_t len = strlen(word);
    size_t far = len < 4 ? 1 : len / 3 + (len % 3 != 0);
    if (len >= 2 && strncmp(word, name, len) == 0) {
        return 0;
    }
    size_t n = strlen(name);
    size_t d = len > MAX_NAME || n > MAX_NAME ? SIZE_MAX : words_distance(word, len, name, n, true);
    return d <= far ? d : SIZE_MAX;
}

void options_nearest(struct buf *out, const char *word, const char *const *names, size_t count)
{
    size_t best = count;
    size_t second = count;
    for (size_t i = 0; i < count; i++) {
        size_t d = nearness(word, names[i]);
        if (d == SIZE_MAX) {
            continue;
        }
        if (best == count || d < nearness(word, names[best])) {
            second = best;
            best = i;
        } else if (second == count || d < nearness(word, names[second])) {
            second = i;
        }
    }
    if (best < count) {
        buf_printf(out, " (did you mean '%s'", names[best]);
        if (second < count) {
            buf_printf(out, " or '%s'", names[second]);
        }
        buf_str(out, "?)");
    }
}

void options_offer(struct buf *out, const char *word, const char *mark, const char *const *names, size_t count)
{
    options_nearest(out, word, names, count);
    buf_str(out, count ? "; there are" : "; there are none");
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s %s%s", i ? "," : "", mark, names[i]);
    }
}
