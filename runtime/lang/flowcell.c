/* See flowcell.h. */
#include "runtime/base/buf.h"
#include "runtime/lang/flowcell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err_code read_cell(struct flowcell *c, const struct cell *cell, struct err *e)
{
    char *label = arena_alloc(&c->arena, 32), *blank = arena_strndup(&c->arena, cell->text, cell->len);
    c->id = cell->id ? arena_strndup(&c->arena, cell->id, strlen(cell->id)) : NULL;
    c->text = arena_strndup(&c->arena, cell->text, cell->len);
    if (!label || !blank || !c->text || (cell->id && !c->id)) {
        return err_memory(e);
    }
    cell_label(cell->number, label, 32);
    c->label = label;
    c->number = cell->number;
    c->len = cell->len;
    enum err_code code = stepline_parse(c->text, c->len, &c->arena, &c->line, e);
    if (!code) {
        for (size_t i = 0; i < c->line.body; i++) {
            blank[i] = blank[i] == '\n' ? '\n' : ' ';
        }
        code = lex(blank, c->len, &c->tokens, e);
    }
    if (code && e) {
        (void)snprintf(e->cell, sizeof e->cell, "%s", label); /* cut at the limit on purpose */
    }
    return code;
}

enum err_code flowcell_new(const struct cell *cell, struct flowcell **out, struct err *e)
{
    struct flowcell *c = calloc(1, sizeof *c);
    if (!c) {
        return err_memory(e);
    }
    arena_init(&c->arena);
    enum err_code code = read_cell(c, cell, e);
    if (code) {
        flowcell_free(c);
        return code;
    }
    *out = c;
    return ERR_NONE;
}

void flowcell_free(struct flowcell *c)
{
    if (c) {
        tokens_done(&c->tokens);
        arena_done(&c->arena);
        free(c);
    }
}

const char *flowcell_includes(struct flowcell *c)
{
    struct buf b;
    buf_init(&b, 0);
    for (size_t i = 0; i < c->tokens.count; i++) {
        const struct token *k = &c->tokens.at[i];
        const char *p = c->tokens.text + k->start + 1;
        if (k->kind == TOKEN_PP && strncmp(p + strspn(p, " \t"), "include", 7) == 0) {
            buf_add(&b, p - 1, k->len);
            buf_char(&b, '\n');
        }
    }
    const char *text = b.failed ? NULL : arena_strndup(&c->arena, b.data, b.len);
    buf_done(&b);
    return text;
}
