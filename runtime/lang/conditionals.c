/* #if at the top level of a cell. tcc's preprocessor is asked, in a child: it gets the macros, the cell's directives, and a
 * marker in the place of each item; the markers that come out stand for the items that count. */
#include "runtime/lang/index_internal.h"

#include "runtime/base/buf.h"

#include <stdio.h>
#include <string.h>

bool conditional_line(const char *text, size_t len)
{
    static const char *const words[] = { "if", "else", "elif", "endif" };
    size_t i = 1;
    while (i < len && (text[i] == ' ' || text[i] == '\t')) {
        i++;
    }
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        size_t n = strlen(words[k]);
        if (len - i >= n && memcmp(text + i, words[k], n) == 0) {
            return true;
        }
    }
    return false;
}

static bool item_is_conditional(const struct tokens *t, const struct item *item)
{
    const struct token *at = &t->at[item->first];
    return item->kind == ITEM_PP && conditional_line(t->text + at->start, at->len);
}

static bool is_definition(const char *text, size_t len)
{
    struct tokens t;
    if (lex(text + 1, len - 1, &t, NULL)) {
        return false;
    }
    bool yes = token_is(&t, 0, "define") || token_is(&t, 0, "undef");
    tokens_done(&t);
    return yes;
}

static enum err_code ask(struct index *ix, const struct tokens *t, const struct items *items, struct buf *out, struct err *e)
{
    struct buf lines;
    struct buf text;
    struct buf complaint;
    struct tokens directives = { 0 };
    buf_init(&lines, 0);
    buf_init(&text, 0);
    buf_init(&complaint, 0);
    for (size_t i = 0; i < items->count; i++) {
        const struct token *at = &t->at[items->at[i].first];
        bool conditional = item_is_conditional(t, &items->at[i]);
        if (!conditional) {
            buf_printf(&lines, "WEIR_ITEM_%zu;\n", i);
        }
        if (conditional || (items->at[i].kind == ITEM_PP && is_definition(t->text + at->start, at->len))) {
            buf_printf(&lines, "#line %u\n%.*s\n", at->line, (int)at->len, t->text + at->start);
        }
    }
    enum err_code code = buf_check(&lines, "conditionals", e);
    code = code ? code : lex(lines.data, lines.len, &directives, e);
    code = code ? code : closure_macros(ix, &directives, &text, e);
    buf_add(&text, lines.data, lines.len);
    code = code ? code : run_preprocessor(text.data, text.len, PREPROCESS_TEXT, out, &complaint, e);
    if (!code && complaint.len) {
        const char *colon = strstr(complaint.data, "error: ");
        const char *line = strchr(complaint.data, ':');
        int number = 0;
        if (line) {
            (void)sscanf(line + 1, "%d", &number); /* 0: unknown */
        }
        code = err_at(e, ERR_SYNTAX, "", number, "%.*s", (int)strcspn(colon ? colon + 7 : complaint.data, "\n"),
                      colon ? colon + 7 : complaint.data);
    }
    tokens_done(&directives);
    buf_done(&lines);
    buf_done(&text);
    buf_done(&complaint);
    return code;
}

enum err_code conditionals(struct index *ix, const struct tokens *t, const struct items *items, bool *inactive,
                           struct err *e)
{
    bool any = false;
    for (size_t i = 0; i < items->count; i++) {
        any = any || item_is_conditional(t, &items->at[i]);
    }
    if (!any) {
        return ERR_NONE;
    }
    struct buf output;
    buf_init(&output, 0);
    enum err_code code = ask(ix, t, items, &output, e);
    for (size_t i = 0; !code && i < items->count; i++) {
        char marker[40];
        (void)snprintf(marker, sizeof marker, "WEIR_ITEM_%zu;", i); /* fits */
        inactive[i] = item_is_conditional(t, &items->at[i]) || !strstr(output.data, marker);
    }
    buf_done(&output);
    return code;
}
