/* Any text as a cell: tokens stay inside the text, in order, and leave out only white space and comments; items cover the
 * tokens in order, each kind as it must be; is_complete answers within its buffer. */
#include "runtime/lang/items.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool no_typedef(void *ctx, const char *name, size_t len)
{
    (void)ctx;
    return len > 2 && memcmp(name + len - 2, "_t", 2) == 0;
}

static void check_tokens(const struct tokens *t, const char *text, size_t len)
{
    size_t end = 0;
    for (size_t i = 0; i < t->count; i++) {
        size_t start = t->at[i].start;
        must(start >= end && start + (size_t)t->at[i].len <= len && t->at[i].len > 0);
        must(i == 0 || t->at[i].line >= t->at[i - 1].line);
        for (size_t k = end; k < start; k++) { /* a comment begins with a slash; so does nothing else that is left out */
            if (text[k] == '/') {
                break;
            }
            must(strchr(" \t\r\n\v\f\\", text[k]) != NULL);
        }
        end = start + (size_t)t->at[i].len;
    }
}

static void check_declaration(const struct item *item, size_t count)
{
    for (size_t i = 0; i < item->decl.ndeclarators; i++) {
        const struct cdecl *d = &item->decl.declarators[i];
        must(d->name && d->first <= d->end && d->end <= count && d->init_first <= d->init_end && d->init_end <= count);
    }
    must(item->kind != ITEM_FUNCTION || (item->decl.is_definition && item->decl.ndeclarators > 0));
}

static void check_items(const struct items *items, size_t count)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct item *item = &items->at[i];
        must(item->end <= count && item->first < item->end && (i == 0 || item->first >= items->at[i - 1].end));
        must(i == 0 || items->at[i - 1].kind != ITEM_EXPRESSION || item->kind == ITEM_PP); /* the last, or a branch's last */
        if (item->kind == ITEM_FUNCTION || item->kind == ITEM_DECLARATION) {
            check_declaration(item, count);
        }
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
    char *text = malloc(len + 1);
    struct tokens t;
    struct err e;
    must(text != NULL);
    memcpy(text, data, len);
    text[len] = 0;
    enum err_code code = lex(text, len, &t, &e);
    must(!code || e.msg[0] != '\0');
    if (!code) {
        struct arena a;
        struct items items;
        char indent[16];
        check_tokens(&t, text, len);
        arena_init(&a);
        if (items_split(&t, no_typedef, NULL, &a, &items, &e) == ERR_NONE) {
            check_items(&items, t.count);
        } else {
            must(e.msg[0] != '\0');
        }
        arena_done(&a);
        tokens_done(&t);
        memset(indent, 'x', sizeof indent);
        enum completeness c = items_complete(text, indent, sizeof indent);
        must((c == COMPLETE || c == INCOMPLETE || c == INVALID) && memchr(indent, '\0', sizeof indent));
    }
    free(text);
    return 0;
}
