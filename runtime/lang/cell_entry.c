/* A lowered cell's entry function: statements, initialisers in their place, main, and the value. See cell_internal.h. */
#include "runtime/lang/cell_internal.h"
#include "runtime/lang/describe.h"
#include "runtime/lang/typer.h"

#include <string.h>

/* ---- initialisers ---- */

/* Whether `x = initialiser;` means the same as the declaration. */
static bool is_assignable(struct lowering *l, const struct cdecl *d)
{
    const struct ctype *type = index_resolve(l->ix, d->type);
    bool array = type && type->kind == CTYPE_ARRAY;
    return type && !array && !type->is_const && !token_is(&l->t, d->init_first, "{");
}

/* The memory of a variable, also of a const one, set from a block's own variable of the same type. */
static void put_copy(struct lowering *l, const struct cdecl *d, bool constant)
{
    struct buf *out = &l->entry.text;
    buf_printf(out, " { %s__typeof__(%s) weir_v = ", constant ? "static " : "", d->name);
    lines_tokens(&l->entry, &l->t, d->init_first, d->init_end, 0, l->label);
    buf_printf(out, "; weir_copy((void *)&%s, &weir_v, sizeof weir_v); }", d->name);
}

static void put_initialiser(struct lowering *l, const struct cdecl *d, const struct node *node)
{
    bool kept = node_kept(node) != NULL;
    bool initialised = d->init_first < d->init_end;
    bool constant = initialised && cell_is_constant(l->ix, &l->t, d);
    if (!kept && (!initialised || constant)) {
        return; /* the compiler has done it */
    }
    lines_at(&l->entry, l->t.at[d->name_token].line, l->label);
    if (!initialised) {
        buf_printf(&l->entry.text, " weir_zero((void *)&%s, 0, sizeof %s);", d->name, d->name);
    } else if (is_assignable(l, d)) {
        buf_printf(&l->entry.text, " %s = ", d->name);
        lines_tokens(&l->entry, &l->t, d->init_first, d->init_end, 0, l->label);
        buf_char(&l->entry.text, ';');
    } else {
        put_copy(l, d, constant);
    }
}

static struct node *own_variable(const struct piece *piece, const char *name)
{
    for (struct node *n = piece ? piece->nodes : NULL; n; n = n->sibling) {
        if (n->space == SPACE_ORDINARY && strcmp(n->entry->name, name) == 0) {
            return n->decl.kind == DECL_VARIABLE ? n : NULL;
        }
    }
    return NULL;
}

/* An array whose size is known only now lives in the entry. */
static enum err_code put_local_array(struct lowering *l, const struct cdeclaration *decl, const struct cdecl *d)
{
    lines_at(&l->entry, l->t.at[d->first].line, l->label);
    buf_char(&l->entry.text, ' ');
    outline_tokens(&l->entry.text, &l->t, decl->first, decl->specifiers_end, DROP_STATIC);
    buf_char(&l->entry.text, ' ');
    lines_tokens(&l->entry, &l->t, d->first, d->end, 0, l->label);
    buf_char(&l->entry.text, ';');
    return cell_note(l, "'%s' has a size that is known only when the cell runs, so it lives in this cell alone; for later "
                        "cells give it a constant size or use malloc", d->name);
}

static enum err_code put_initialisers(struct lowering *l, size_t index)
{
    const struct cdeclaration *d = &l->items.at[index].decl;
    const struct piece *piece = l->record->item_piece[index];
    enum err_code code = ERR_NONE;
    if (d->is_assert || d->storage == CDECL_TYPEDEF) {
        return ERR_NONE;
    }
    for (size_t i = 0; !code && i < d->ndeclarators; i++) {
        const struct cdecl *one = &d->declarators[i];
        const struct node *node = own_variable(piece, one->name);
        if (node) {
            put_initialiser(l, one, node);
        } else if (piece_is_runtime_array(l->ix, one->type)) {
            code = put_local_array(l, d, one);
        }
    }
    return code;
}

/* ---- a whole program ---- */

static void put_main(struct lowering *l, const struct cdeclaration *d)
{
    const struct ctype *type = d->declarators[0].type;
    const struct ctype *result = index_resolve(l->ix, type->of);
    const char *arguments = type->nmembers >= 3 ? "1, weir_argv, environ" : type->nmembers >= 1 ? "1, weir_argv" : "";
    struct buf *out = &l->entry.text;
    lines_at(&l->entry, l->t.at[d->first].line, l->label);
    if (type->nmembers >= 3) {
        buf_str(out, " extern char **environ;");
    }
    buf_str(out, " { static char *weir_argv[] = { \"cell\", 0 }; (void)weir_argv; ");
    if (result && result->kind == CTYPE_VOID) {
        buf_printf(out, CELL_MAIN "%u(%s); }", l->id, arguments);
    } else {
        buf_printf(out, "int weir_status = " CELL_MAIN "%u(%s); if (weir_status) exit(weir_status); }", l->id, arguments);
    }
}

/* ---- the value ---- */

static const char *printed(struct lowering *l, const struct ctype *type, const char *name)
{
    struct buf b;
    buf_init(&b, 0);
    ctype_print(&b, type, name);
    const char *text = b.failed ? "" : arena_strndup(l->a, b.data, b.len);
    buf_done(&b);
    return text ? text : "";
}

/* A number whose type the compiler knows. */
static void put_number(struct lowering *l, const struct item *item)
{
    static const char kinds[] =
        "_Generic(weir_v, _Bool: 4, char: 5, signed char: 1, short: 1, int: 1, long: 1, long long: 1, unsigned char: 2, "
        "unsigned short: 2, unsigned int: 2, unsigned long: 2, unsigned long long: 2, float: 3, double: 3, long double: 3, "
        "char *: 10, const char *: 10, void *: 9, default: 0)";
    struct buf *out = &l->entry.text;
    lines_at(&l->entry, l->t.at[item->first].line, l->label);
    buf_str(out, " { __typeof__((0, "); /* the comma makes a pointer of an array */
    outline_tokens(out, &l->t, item->first, item->end, 0);
    buf_str(out, ")) weir_v = (");
    lines_tokens(&l->entry, &l->t, item->first, item->end, 0, l->label);
    buf_printf(out, "); static const struct weir_field weir_f = { \"\", 0, sizeof weir_v, %s, 0, 0, { 0 } }; "
                    "weir_session_value(&weir_f, &weir_v, \"\"); }", kinds);
}

static void put_quoted(struct buf *out, const char *s)
{
    buf_char(out, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') {
            buf_char(out, '\\');
        }
        buf_char(out, *s == '\n' ? ' ' : *s);
    }
    buf_char(out, '"');
}

/* Copies lose a const on the top, which would forbid nothing but the copying. */
static const struct ctype *unqualified(struct lowering *l, const struct ctype *type)
{
    struct ctype *copy = type->is_const || type->is_volatile ? arena_alloc(l->a, sizeof *copy) : NULL;
    if (!copy) {
        return type;
    }
    *copy = *type;
    copy->is_const = copy->is_volatile = false;
    return copy;
}

static enum err_code put_known(struct lowering *l, const struct item *item, struct typed x, struct buf *tables)
{
    struct describe d;
    struct buf field;
    struct buf *out = &l->entry.text;
    const struct ctype *type = unqualified(l, x.type);
    buf_init(&field, 0);
    describe_init(&d, l->ix, l->a);
    enum err_code code = describe_field(&d, type, "", 0, tables, &field, l->e);
    if (!code) {
        buf_printf(tables, "static const struct weir_field weir_f = %s;\n", field.data);
        lines_at(&l->entry, l->t.at[item->first].line, l->label);
        if (x.is_object) {
            buf_str(out, " weir_session_value(&weir_f, (const void *)&(");
            lines_tokens(&l->entry, &l->t, item->first, item->end, 0, l->label);
            buf_str(out, "), ");
        } else {
            buf_printf(out, " { %s = (", printed(l, type, "weir_v"));
            lines_tokens(&l->entry, &l->t, item->first, item->end, 0, l->label);
            buf_str(out, "); weir_session_value(&weir_f, &weir_v, ");
        }
        put_quoted(out, printed(l, type, ""));
        buf_str(out, x.is_object ? ");" : "); }");
    }
    buf_done(&field);
    return code;
}

static enum err_code put_without_value(struct lowering *l, const struct item *item)
{
    lines_tokens(&l->entry, &l->t, item->first, item->end, 0, l->label);
    buf_char(&l->entry.text, ';');
    return ERR_NONE;
}

/* An incomplete struct, which has no size and no value. */
static bool is_incomplete(const struct ctype *type)
{
    return (type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION) && !type->has_body;
}

static enum err_code cell_value(struct lowering *l, const struct item *item)
{
    struct typed x = type_expression(l->ix, &l->t, item->first, item->end, l->a);
    if (x.kind == TYPED_OLD) {
        enum err_code code = cell_note(l, "'%s' still has a type that has been redefined since: run its cell again to see it",
                                       x.name);
        return code ? code : put_without_value(l, item);
    }
    const struct ctype *type = x.kind == TYPED_KNOWN ? index_resolve(l->ix, x.type) : NULL;
    if (type && type->kind == CTYPE_TYPEOF) {
        x.type = type_typeof(l->ix, type, l->a);
        type = x.type ? index_resolve(l->ix, x.type) : NULL;
    }
    bool alone = item->end == item->first + 1 && l->t.at[item->first].kind == TOKEN_IDENT;
    bool local = alone && x.kind == TYPED_ARITHMETIC &&
                 !entry_live(entry_find(l->ix, l->t.text + l->t.at[item->first].start, l->t.at[item->first].len), SPACE_ORDINARY);
    if (type && (type->kind == CTYPE_VOID || is_incomplete(type))) {
        return put_without_value(l, item);
    }
    if (local && l->has_local_array) {
        return put_without_value(l, item);
    }
    l->has_value = true;
    if (type && type->kind == CTYPE_FUNCTION) {
        struct ctype *pointer = arena_alloc(l->a, sizeof *pointer);
        if (!pointer) {
            return err_memory(l->e);
        }
        *pointer = (struct ctype){ .kind = CTYPE_POINTER, .of = (struct ctype *)(uintptr_t)type };
        x = (struct typed){ .kind = TYPED_KNOWN, .type = pointer };
        type = pointer;
    }
    if (!type || type->kind == CTYPE_TYPEOF || type->kind == CTYPE_NAMED) {
        put_number(l, item);
        return ERR_NONE;
    }
    return put_known(l, item, x, &l->tables);
}

/* ---- all items in order ---- */

static bool is_omp(const struct tokens *t, const struct item *item)
{
    const struct token *at = &t->at[item->first];
    return memmem(t->text + at->start, at->len, "pragma", 6) && memmem(t->text + at->start, at->len, "omp", 3);
}

/* A directive that the statements need in its place: OpenMP, and macros that change on the way. */
static void put_directive(struct lowering *l, const struct item *item)
{
    const struct token *at = &l->t.at[item->first];
    bool macro = memmem(l->t.text + at->start, at->len, "define", 6) || memmem(l->t.text + at->start, at->len, "undef", 5);
    if (!is_omp(&l->t, item) && !(macro && l->repeats_macros)) {
        return;
    }
    if (l->entry.text.len && l->entry.text.data[l->entry.text.len - 1] != '\n') {
        buf_char(&l->entry.text, '\n');
        l->entry.line += l->entry.line != 0;
    }
    lines_tokens(&l->entry, &l->t, item->first, item->end, 0, l->label);
}

static enum err_code put_item(struct lowering *l, size_t i)
{
    const struct item *item = &l->items.at[i];
    switch (item->kind) {
    case ITEM_PP:
        put_directive(l, item);
        return ERR_NONE;
    case ITEM_FUNCTION:
        if (l->unit->has_main && strncmp(item->decl.declarators[0].name, CELL_MAIN, strlen(CELL_MAIN)) == 0) {
            put_main(l, &item->decl);
        }
        return ERR_NONE;
    case ITEM_DECLARATION:
        return put_initialisers(l, i);
    case ITEM_STATEMENT:
        lines_tokens(&l->entry, &l->t, item->first, item->end, 0, l->label);
        return ERR_NONE;
    case ITEM_EXPRESSION:
        return cell_value(l, item);
    default:
        return ERR_NONE;
    }
}

enum err_code cell_entry(struct lowering *l)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < l->items.count; i++) {
        const struct cdeclaration *d = &l->items.at[i].decl;
        for (size_t k = 0; l->items.at[i].kind == ITEM_DECLARATION && k < d->ndeclarators; k++) {
            l->has_local_array = l->has_local_array || piece_is_runtime_array(l->ix, d->declarators[k].type);
        }
    }
    for (size_t i = 0; !code && i < l->items.count; i++) {
        code = l->record->item_inactive[i] ? ERR_NONE : put_item(l, i);
    }
    return code ? code : buf_check(&l->entry.text, "the lowered cell", l->e);
}
