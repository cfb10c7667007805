/* See late.h. An initialiser is constant when it calls nothing and reads no variable: addresses, arrays by name,
 * functions by name, enumerators, literals and macros of such are. In doubt it is left to the compiler, whose answer
 * users see. */
#include "runtime/lang/late.h"
#include "runtime/lang/lower.h"
#include "runtime/lang/macro.h"

#include <stdio.h>
#include <string.h>

enum { MAX_MACROS_DEEP = 20 };

static bool varies(const struct index *ix, const struct tokens *t, uint32_t first, uint32_t end, unsigned depth);

static bool is_const_operand(const struct tokens *t, uint32_t first, uint32_t i)
{
    while (i > first && token_is(t, i - 1, "(")) {
        i--;
    }
    return i > first && (token_is(t, i - 1, "&") || token_is(t, i - 1, "sizeof"));
}

static bool variable_varies(const struct index *ix, const struct decl *d, const struct tokens *t, uint32_t first,
                            uint32_t i)
{
    const struct ctype *type = d->type ? index_resolve(ix, d->type) : NULL;
    bool is_array = type && type->kind == CTYPE_ARRAY && !token_is(t, i + 1, "[");
    return !is_array && !is_const_operand(t, first, i);
}

static bool macro_varies(const struct index *ix, const struct decl *d, unsigned depth)
{
    struct macro m;
    struct tokens t = { .count = 0 };
    bool yes = false;
    if (depth < MAX_MACROS_DEEP && macro_parse(d->source, &m) && !lex(m.body, m.nbody, &t, NULL)) {
        yes = varies(ix, &t, 0, (uint32_t)t.count, depth + 1);
    }
    tokens_done(&t);
    return yes;
}

static bool name_varies(const struct index *ix, const struct tokens *t, uint32_t first, uint32_t i, unsigned depth)
{
    const char *text = t->text + t->at[i].start;
    size_t len = t->at[i].len;
    const struct decl *macro = index_find_macro(ix, text, len), *d = index_find(ix, text, len);
    if (macro && macro_varies(ix, macro, depth)) {
        return true;
    }
    if (macro || !d) {
        return false;
    }
    if (d->kind == DECL_FUNCTION) {
        return token_is(t, i + 1, "(");
    }
    return d->kind == DECL_VARIABLE && variable_varies(ix, d, t, first, i);
}

static bool varies(const struct index *ix, const struct tokens *t, uint32_t first, uint32_t end, unsigned depth)
{
    for (uint32_t i = first; i < end; i++) {
        bool member = i > first && (token_is(t, i - 1, ".") || token_is(t, i - 1, "->"));
        if (t->at[i].kind == TOKEN_IDENT && !member && name_varies(ix, t, first, i, depth)) {
            return true;
        }
    }
    return false;
}

/* ---- reading ---- */

struct reading { struct tokens t; struct arena a; struct cdeclaration d; };

/* False: it is no definition of variables. reading_done in any case. */
static bool reading_init(struct reading *r, const struct index *ix, const struct source *source)
{
    *r = (struct reading){ .t = { .count = 0 } };
    arena_init(&r->a);
    return !lex(source->text, source->len, &r->t, NULL) &&
           !ctype_parse(&r->t, 0, index_is_typedef, (void *)(uintptr_t)ix, &r->a, &r->d, NULL) && !r->d.is_definition &&
           !r->d.is_assert && (r->d.storage == CDECL_PLAIN || r->d.storage == CDECL_STATIC);
}

static void reading_done(struct reading *r)
{
    tokens_done(&r->t);
    arena_done(&r->a);
}

bool late_is(const struct index *ix, const struct source *source)
{
    struct reading r;
    bool late = false;
    if (reading_init(&r, ix, source)) {
        for (size_t i = 0; i < r.d.ndeclarators; i++) {
            late = late || varies(ix, &r.t, r.d.declarators[i].init_first, r.d.declarators[i].init_end, 0);
        }
    }
    reading_done(&r);
    return late;
}

/* ---- writing ---- */

/* A braced list's elements; 0: designators, so that counting is not enough. */
static size_t count_elements(const struct tokens *t, uint32_t first, uint32_t end)
{
    size_t n = 0;
    for (uint32_t i = first + 1; i + 1 < end;) {
        if (token_is(t, i, "[")) {
            return 0;
        }
        n++;
        while (i + 1 < end && !token_is(t, i, ",")) {
            bool opens = token_is(t, i, "(") || token_is(t, i, "[") || token_is(t, i, "{");
            i = opens ? (uint32_t)token_match(t, i) + 1 : i + 1;
        }
        i++;
    }
    return n;
}

/* The type without const on the object itself, with its first size filled in from the initialiser. */
static const struct ctype *storage_type(struct reading *r, const struct cdecl *d, struct ctype *copy, char size[24])
{
    *copy = *d->type;
    copy->is_const = false;
    if (copy->kind != CTYPE_ARRAY) {
        return copy;
    }
    if (!copy->dim[0]) {
        size_t n = token_is(&r->t, d->init_first, "{") ? count_elements(&r->t, d->init_first, d->init_end) : 0;
        if (!n) {
            return NULL;
        }
        (void)snprintf(size, 24, "%zu", n); /* fits */
        copy->dim = size;
    }
    return copy;
}

static void print_tokens(struct buf *out, const struct tokens *t, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) { /* on one line, comments left out */
        bool apart = i > first && t->at[i].start > t->at[i - 1].start + t->at[i - 1].len;
        buf_str(out, apart ? " " : "");
        buf_add(out, t->text + t->at[i].start, t->at[i].len);
    }
}

/* Const elements can't be filled later: an array's element type loses its const, too. */
static void print_plain(struct buf *out, const struct ctype *type, const char *name)
{
    struct ctype element, array;
    if (type->kind == CTYPE_ARRAY && type->of->kind != CTYPE_ARRAY) {
        element = *type->of;
        element.is_const = false;
        array = *type;
        array.of = &element;
        ctype_print(out, &array, name);
    } else {
        ctype_print(out, type, name);
    }
}

static void write_assignment(struct buf *out, const struct tokens *t, const struct ctype *type, const struct cdecl *d)
{
    bool braces = token_is(t, d->init_first, "{");
    if (type->kind == CTYPE_ARRAY) {
        buf_printf(out, "    memcpy(%s, (", d->name);
        print_plain(out, type, "");
        buf_str(out, braces ? ")" : "){ ");
        print_tokens(out, t, d->init_first, d->init_end);
        buf_printf(out, "%s, sizeof %s);\n", braces ? "" : " }", d->name);
        return;
    }
    buf_printf(out, "    %s = ", d->name);
    if (braces) {
        buf_char(out, '(');
        ctype_print(out, type, "");
        buf_char(out, ')');
    }
    print_tokens(out, t, d->init_first, d->init_end);
    buf_str(out, ";\n");
}

enum err_code late_write(const struct index *ix, const struct source *source, const char *file, struct arena *a,
                         struct buf *out, const char **function, struct err *e)
{
    struct reading r;
    struct buf body;
    char name[300];
    enum err_code code = ERR_NONE;
    buf_init(&body, 0);
    bool ok = reading_init(&r, ix, source);
    for (size_t i = 0; ok && !code && i < r.d.ndeclarators; i++) {
        const struct cdecl *d = &r.d.declarators[i];
        struct ctype copy;
        char size[24];
        const struct ctype *type = storage_type(&r, d, &copy, size);
        if (!type) {
            char label[32];
            cell_label(source->number, label, sizeof label);
            code = err_at(
                e, ERR_TYPE, label, source->line + d->line - 1,
                "the initialiser of '%s' is not constant; in a flow the array then needs its size: `%s[N] = ...`",
                d->name, d->name);
            break;
        }
        buf_printf(out, "#line %d \"cell [%d]\"\n%s", source->line + d->line - 1, source->number,
                   r.d.storage == CDECL_STATIC ? "static " : "");
        print_plain(out, type, d->name);
        buf_str(out, ";\n");
        if (d->init_end > d->init_first) {
            buf_printf(&body, "#line %d \"cell [%d]\"\n", source->line + d->line - 1, source->number);
            write_assignment(&body, &r.t, type, d);
        }
    }
    if (ok && !code) {
        (void)snprintf(name, sizeof name, "weir__init_%s", r.d.declarators[0].name); /* cut at the limit on purpose */
        *function = arena_strndup(a, name, strlen(name));
        buf_printf(
            out,
            "static void %s(void) /* its initialiser is not constant: it runs in each task that reaches it */\n{\n%s",
            name, body.data);
        lower_own_line(file, out);
        buf_str(out, "}\n");
        code = *function ? buf_check(&body, "initialisers", e) : err_memory(e);
    }
    buf_done(&body);
    reading_done(&r);
    return code;
}
