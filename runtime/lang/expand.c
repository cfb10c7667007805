/* Macro expansion of a short text, for declarations that later cells have to repeat after the macros have changed.
 *
 * Macros without parameters are expanded here. As soon as one with parameters, or one that pastes, is met, tcc's preprocessor
 * does it in a child process, which is right but slow (about a millisecond). */
#include "runtime/lang/index_internal.h"

#include "runtime/base/buf.h"

#include <string.h>

enum { MAX_ACTIVE = 64 };

struct expander {
    struct index *ix;
    struct buf *out;
    const struct node *active[MAX_ACTIVE]; /* macros being expanded: not expanded again inside themselves */
    unsigned nactive;
    bool hard;                             /* needs the real preprocessor */
    bool failed;
};

static void expand_tokens(struct expander *x, const struct tokens *t, size_t first);

static bool is_active(const struct expander *x, const struct node *node)
{
    for (unsigned i = 0; i < x->nactive; i++) {
        if (x->active[i] == node) {
            return true;
        }
    }
    return false;
}

static void expand_macro(struct expander *x, const struct node *node)
{
    struct tokens t;
    const struct source *source = node->decl.source;
    if (node->piece->function_like || memchr(source->text + 1, '#', source->len - 1) || x->nactive == MAX_ACTIVE) {
        x->hard = true;
        return;
    }
    if (lex(source->text + 1, source->len - 1, &t, NULL)) {
        x->failed = true;
        return;
    }
    x->active[x->nactive++] = node;
    expand_tokens(x, &t, 2); /* after `define NAME` */
    x->nactive--;
    tokens_done(&t);
}

static void expand_tokens(struct expander *x, const struct tokens *t, size_t first)
{
    for (size_t i = first; i < t->count && !x->hard; i++) {
        const struct token *at = &t->at[i];
        const char *text = t->text + at->start;
        if (i > first && (t->at[i - 1].start + t->at[i - 1].len < at->start)) {
            buf_char(x->out, at->line != t->at[i - 1].line ? '\n' : ' ');
        }
        const struct node *node = at->kind == TOKEN_IDENT ? entry_macro(entry_find(x->ix, text, at->len)) : NULL;
        bool call = node && node->piece->function_like && !token_is(t, i + 1, "(");
        if (node && !call && !is_active(x, node)) {
            expand_macro(x, node);
        } else {
            buf_add(x->out, text, at->len);
        }
    }
}

/* ---- one call ---- */

/* Tokens of the argument number k of the call whose ( is at open; false: there are not so many. */
static bool argument(const struct tokens *t, size_t open, size_t k, size_t *first, size_t *end)
{
    size_t close = token_match(t, open);
    size_t i = open + 1;
    for (;; k--) {
        *first = i;
        while (i < close && !token_is(t, i, ",")) {
            bool opens = token_is(t, i, "(") || token_is(t, i, "[") || token_is(t, i, "{");
            i = opens ? token_match(t, i) + 1 : i + 1;
        }
        *end = i;
        if (k == 0 || i >= close) {
            return k == 0;
        }
        i++;
    }
}

/* Number of the parameter that token i of the macro's tokens is; false: none. */
static bool parameter(const struct tokens *body, size_t close, size_t i, size_t *k)
{
    *k = 0;
    for (size_t p = 3; p < close; p++) {
        if (token_is(body, p, ",")) {
            (*k)++;
        } else if (body->at[p].len == body->at[i].len &&
                   memcmp(body->text + body->at[p].start, body->text + body->at[i].start, body->at[i].len) == 0) {
            return true;
        }
    }
    return false;
}

bool expand_call(const struct node *macro, const struct tokens *t, size_t open, struct buf *out)
{
    struct tokens body;
    const struct source *source = macro->decl.source;
    if (memchr(source->text + 1, '#', source->len - 1) || lex(source->text + 1, source->len - 1, &body, NULL)) {
        return false;
    }
    size_t close = token_match(&body, 2); /* define NAME ( ... ) */
    bool ok = close < body.count;
    for (size_t i = close + 1; ok && i < body.count; i++) {
        size_t k;
        size_t first;
        size_t end;
        buf_char(out, ' ');
        if (body.at[i].kind != TOKEN_IDENT || !parameter(&body, close, i, &k)) {
            buf_add(out, body.text + body.at[i].start, body.at[i].len);
        } else if (argument(t, open, k, &first, &end)) {
            outline_tokens(out, t, first, end, 0);
        } else {
            ok = false;
        }
    }
    tokens_done(&body);
    return ok && !out->failed;
}

/* All macros that the text reaches, a marker, the text. */
enum err_code expand_all(struct index *ix, const char *before, const struct tokens *t, struct buf *out, struct err *e)
{
    static const char marker[] = "WEIR_EXPANDED";
    struct buf text;
    struct buf output;
    struct buf complaint;
    buf_init(&text, 0);
    buf_init(&output, 0);
    buf_init(&complaint, 0);
    enum err_code code = closure_macros(ix, t, &text, e);
    buf_str(&text, before);
    buf_printf(&text, "%s\n%.*s\n", marker, (int)t->len, t->text);
    code = code ? code : run_preprocessor(text.data, text.len, PREPROCESS_TEXT, &output, &complaint, e);
    const char *start = code ? NULL : strstr(output.data, marker);
    if (!code && (complaint.len || !start)) {
        code = err_set(e, ERR_COMPILE, "%s", complaint.len ? complaint.data : "the preprocessor lost the text");
    }
    for (const char *line = start ? start + strlen(marker) : NULL; !code && line && *line;) {
        const char *end = strchr(line, '\n');
        size_t len = end ? (size_t)(end - line) : strlen(line);
        if (line[0] != '#') { /* a line marker */
            buf_add(out, line, len);
            buf_char(out, ' ');
        }
        line += len + (end != NULL);
    }
    buf_done(&text);
    buf_done(&output);
    buf_done(&complaint);
    return code;
}

enum err_code expand(struct index *ix, const char *text, size_t len, struct buf *out, struct err *e)
{
    struct tokens t;
    struct buf soft;
    enum err_code code = lex(text, len, &t, e);
    if (code) {
        return code;
    }
    buf_init(&soft, 0);
    struct expander x = { .ix = ix, .out = &soft };
    expand_tokens(&x, &t, 0);
    if (x.failed) {
        code = err_memory(e);
    } else if (x.hard) {
        code = expand_all(ix, "", &t, out, e);
    } else {
        buf_add(out, soft.data, soft.len);
        code = buf_check(&soft, "macro expansion", e);
    }
    buf_done(&soft);
    tokens_done(&t);
    return code;
}
