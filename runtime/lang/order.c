/* See order.h. Repeatedly takes the smallest declaration whose needs are all there; in a circle, the smallest of all,
 * after prototypes of the functions that it still needs. */
#include "runtime/lang/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    const struct source *source;
    enum order_kind kind;
    const char *prototype;      /* of a function */
    bool *needs;                /* of each node */
    bool placed, announced;     /* announced: its prototype is out */
};

struct sorter {
    const struct index *ix;
    struct arena *a;
    struct node *nodes;
    size_t n;
    struct order_item *out;
    size_t nout;
};

static int compare(const struct node *a, const struct node *b)
{
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    size_t len = a->source->len < b->source->len ? a->source->len : b->source->len;
    int order = memcmp(a->source->text, b->source->text, len);
    return order ? order : (a->source->len > b->source->len) - (a->source->len < b->source->len);
}

static int compare_nodes(const void *a, const void *b)
{
    return compare(a, b);
}

static void need(const struct sorter *s, struct node *node, const struct decl *d)
{
    for (size_t i = 0; d && i < s->n; i++) {
        if (s->nodes[i].source == d->source && &s->nodes[i] != node) {
            node->needs[i] = true;
        }
    }
}

static void find_needs(const struct sorter *s, struct node *node, const struct tokens *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const char *text = t->text + t->at[i].start;
        size_t len = t->at[i].len;
        if (t->at[i].kind != TOKEN_IDENT) {
            continue;
        }
        need(s, node, index_find(s->ix, text, len));
        need(s, node, index_find_macro(s->ix, text, len));
        if (i && (token_is(t, i - 1, "struct") || token_is(t, i - 1, "union") || token_is(t, i - 1, "enum"))) {
            char tag[300];
            int n = snprintf(tag, sizeof tag, "%.*s %.*s", (int)t->at[i - 1].len, t->text + t->at[i - 1].start,
                             (int)len, text);
            need(s, node, index_find(s->ix, tag, n < (int)sizeof tag ? (size_t)n : sizeof tag - 1));
        }
    }
}

/* The tokens of a macro: its `#define` line is one token of the lexer, so what follows the word is lexed apart. */
static enum err_code lex_source(const struct source *source, bool is_macro, struct tokens *t, struct err *e)
{
    const char *define = is_macro ? memmem(source->text, source->len, "define", 6) : NULL;
    size_t skip = define ? (size_t)(define + 6 - source->text) : 0;
    return lex(source->text + skip, source->len - skip, t, e);
}

static enum err_code read_declaration(struct sorter *s, struct node *node, const struct tokens *t)
{
    struct cdeclaration d = { 0 };
    node->kind = ORDER_VARIABLE;
    if (ctype_parse(t, 0, index_is_typedef, (void *)(uintptr_t)s->ix, s->a, &d, NULL)) {
        return ERR_NONE; /* the compiler will say what is wrong with it */
    }
    if (d.storage == CDECL_TYPEDEF || !d.ndeclarators) {
        node->kind = ORDER_TYPE;
    } else if (d.is_definition || d.declarators[0].type->kind == CTYPE_FUNCTION) {
        node->kind = ORDER_FUNCTION;
        if (d.is_definition && !d.old_style) {
            size_t start = t->at[d.first].start,
                   end = (size_t)t->at[d.declarators[0].end - 1].start + t->at[d.declarators[0].end - 1].len;
            char *text = arena_alloc(s->a, end - start + 2);
            if (!text) {
                return ERR_MEMORY;
            }
            memcpy(text, t->text + start, end - start);
            text[end - start] = ';';
            node->prototype = text;
        }
    }
    return ERR_NONE;
}

static enum err_code add_node(struct sorter *s, const struct source *source, bool is_macro, struct err *e)
{
    if (source->header) {
        return ERR_NONE;
    }
    struct node *node = &s->nodes[s->n];
    *node = (struct node){ .source = source, .kind = ORDER_MACRO };
    if (!is_macro) {
        struct tokens t = { .count = 0 };
        enum err_code code = lex_source(source, false, &t, e);
        code = code ? code : read_declaration(s, node, &t);
        tokens_done(&t);
        if (code) {
            return code == ERR_MEMORY ? err_memory(e) : code;
        }
    }
    s->n++;
    return ERR_NONE;
}

static enum err_code add_needs(struct sorter *s, struct err *e)
{
    enum err_code code = ERR_NONE;
    qsort(s->nodes, s->n, sizeof *s->nodes, compare_nodes);
    for (size_t i = 0; i < s->n && !code; i++) {
        struct tokens t = { .count = 0 };
        s->nodes[i].needs = arena_alloc(s->a, s->n + 1);
        code =
            s->nodes[i].needs ? lex_source(s->nodes[i].source, s->nodes[i].kind == ORDER_MACRO, &t, e) : err_memory(e);
        if (!code) {
            find_needs(s, &s->nodes[i], &t);
        }
        tokens_done(&t);
    }
    return code;
}

static bool is_ready(const struct sorter *s, const struct node *node)
{
    for (size_t i = 0; i < s->n; i++) {
        if (node->needs[i] && !s->nodes[i].placed && !s->nodes[i].announced) {
            return false;
        }
    }
    return true;
}

static void put(struct sorter *s, struct node *node)
{
    node->placed = true;
    s->out[s->nout++] = (struct order_item){ .source = node->source, .kind = node->kind };
}

/* No one is ready: announce the functions that the first one left needs, then place it. */
static void break_circle(struct sorter *s, struct node *node)
{
    for (size_t i = 0; i < s->n; i++) {
        struct node *other = &s->nodes[i];
        if (node->needs[i] && !other->placed && !other->announced && other->prototype) {
            other->announced = true;
            s->out[s->nout++] = (struct order_item){ .source = other->source, .kind = ORDER_FUNCTION,
                                                     .prototype = other->prototype };
        }
    }
    put(s, node);
}

static void sort(struct sorter *s)
{
    for (size_t placed = 0; placed < s->n; placed++) {
        struct node *ready = NULL, *left = NULL;
        for (size_t i = 0; i < s->n && !ready; i++) {
            if (!s->nodes[i].placed) {
                left = left ? left : &s->nodes[i];
                ready = is_ready(s, &s->nodes[i]) ? &s->nodes[i] : NULL;
            }
        }
        if (ready) {
            put(s, ready);
        } else {
            break_circle(s, left);
        }
    }
}

enum err_code order_sources(const struct index *ix, const struct closure *reached, struct arena *a,
                            struct order_item **out, size_t *count, struct err *e)
{
    struct sorter s = { .ix = ix, .a = a };
    size_t most = reached->nsources + reached->nmacros;
    s.nodes = arena_alloc(a, (most + 1) * sizeof *s.nodes);
    s.out = arena_alloc(a, (2 * most + 1) * sizeof *s.out);
    if (!s.nodes || !s.out) {
        return err_memory(e);
    }
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < reached->nmacros && !code; i++) {
        code = add_node(&s, reached->macros[i], true, e);
    }
    for (size_t i = 0; i < reached->nsources && !code; i++) {
        code = add_node(&s, reached->sources[i], false, e);
    }
    code = code ? code : add_needs(&s, e);
    if (code) {
        return code;
    }
    sort(&s);
    *out = s.out;
    *count = s.nout;
    return ERR_NONE;
}
