/* A plain cell as one translation unit (see cell.h): the order of the work, and what goes in front of the cell's own text.
 *
 * For tcc the front is the prelude: the declarations that the cell reaches, then the macros. For cc it is the headers
 * themselves, then the user's declarations, since gcc's headers do not mean the same as tcc's. */
#include "runtime/lang/cell.h"

#include "runtime/lang/cell_internal.h"

#include <stdio.h>
#include <string.h>

/* What the tables of layouts and our own calls need. weir.h says the same; it is not there in cells that do not include it. */
static const char layout_types[] =
    "enum weir_kind { WEIR_OTHER, WEIR_INT, WEIR_UINT, WEIR_FLOAT, WEIR_BOOL, WEIR_CHAR, WEIR_ENUM, WEIR_STRUCT, WEIR_UNION, "
    "WEIR_POINTER, WEIR_STRING };\n"
    "struct weir_type;\n"
    "struct weir_field { const char *name; unsigned long offset, size; int kind; const struct weir_type *type; unsigned ndim; "
    "unsigned long dim[8]; };\n"
    "struct weir_enumerator { const char *name; long long value; };\n"
    "struct weir_type { const char *name; unsigned long size; const struct weir_field *members; unsigned long nmembers; "
    "const struct weir_enumerator *enumerators; unsigned long nenumerators; };\n";
static const char session_value[] =
    "void weir_session_value(const struct weir_field *, const void *, const char *);\n";
static const char memory_calls[] = "void *weir_copy(void *, const void *, unsigned long) __asm__(\"memcpy\");\n"
                                   "void *weir_zero(void *, int, unsigned long) __asm__(\"memset\");\n";

static void put_forward_tags(const struct lowering *l, struct buf *out)
{
    for (size_t i = 0; i < l->prelude.npieces; i++) {
        for (const struct node *n = l->prelude.pieces[i]->nodes; n; n = n->sibling) {
            if (n->space == SPACE_TAG && n->decl.name[0] != 'e') { /* not enum */
                buf_add(out, n->decl.name, strcspn(n->decl.name, " ") + 1);
                node_name(n, out);
                buf_str(out, "; ");
            }
        }
    }
    buf_char(out, '\n');
}

static void put_macros(const struct lowering *l, bool headers, struct buf *out)
{
    for (size_t i = 0; i < l->prelude.nmacros; i++) {
        const struct piece *p = l->prelude.macros[i];
        if (headers || !p->record->is_header) {
            buf_add(out, p->source.text, p->source.len);
            buf_char(out, '\n');
        }
    }
}

/* A variable or function that a header of the user's own defines, rather than declares: it must be there once. */
static bool is_definition(struct lowering *l, struct piece *piece)
{
    const struct cdeclaration *d = piece->record->is_library ? piece_parse(l->ix, piece) : NULL;
    if (!d || d->storage != CDECL_PLAIN || d->is_inline || d->ndeclarators == 0) {
        return false;
    }
    return d->is_definition || (d->declarators[0].type && d->declarators[0].type->kind != CTYPE_FUNCTION);
}

/* The first cell that reaches it has it; others declare it. */
static enum err_code put_definition(struct lowering *l, struct piece *piece, struct buf *out)
{
    if (piece->home && piece->home != l->record) {
        enum err_code code = piece->outline ? ERR_NONE : piece_outline(l->ix, piece, l->e);
        buf_add(out, piece->outline ? piece->outline : "", piece->outline ? piece->outline_len : 0);
        return code;
    }
    enum err_code code = ERR_NONE;
    for (const struct node *n = piece->nodes; n && !code; n = n->sibling) {
        if (n->decl.kind == DECL_FUNCTION || n->decl.kind == DECL_VARIABLE) {
            code = cell_name(l, (struct cell_name){ .name = n->entry->name, .kind = n->decl.kind, .type = "" });
        }
    }
    piece->home = l->record;
    l->ix->has_homes = true;
    buf_add(out, piece->source.text, piece->source.len);
    return code;
}

static enum err_code put_prelude(struct lowering *l, struct buf *out)
{
    enum err_code code = ERR_NONE;
    buf_str(out, "#line 1 \"prelude\"\n");
    put_forward_tags(l, out);
    for (size_t i = 0; i < l->prelude.npieces && !code; i++) {
        struct piece *piece = l->prelude.pieces[i];
        if (is_definition(l, piece)) {
            code = put_definition(l, piece, out);
        } else {
            outline_emit(piece, out);
        }
        buf_char(out, '\n');
    }
    put_macros(l, true, out);
    return code;
}

/* ---- for cc ---- */

/* Names of the user's that the headers declare too are hidden from them. */
static void hide_names(const struct lowering *l, bool hide, struct buf *out)
{
    for (size_t i = 0; i < l->prelude.npieces + 1; i++) {
        const struct piece *first = i < l->prelude.npieces ? l->prelude.pieces[i] : l->record->first;
        for (const struct piece *p = first; p; p = i < l->prelude.npieces ? NULL : p->next) {
            for (const struct node *n = p->record->is_header || p->is_macro ? NULL : p->nodes; n; n = n->sibling) {
                if (n->space == SPACE_ORDINARY && entry_header(n->entry, SPACE_ORDINARY)) {
                    buf_printf(out, hide ? "#define %s %s__header\n" : "#undef %s\n", n->entry->name, n->entry->name);
                }
            }
        }
    }
}

static void put_include(const char *header, const char **seen, size_t *nseen, size_t max, struct buf *out)
{
    for (size_t i = 0; i < *nseen; i++) {
        if (strcmp(seen[i], header) == 0) {
            return;
        }
    }
    if (*nseen < max) {
        seen[(*nseen)++] = header;
        buf_printf(out, "#include %s\n", header);
    }
}

static void put_user_includes(const struct include *inc, const char **seen, size_t *nseen, size_t max, struct buf *out)
{
    if (inc) {
        put_user_includes(inc->next, seen, nseen, max, out); /* oldest first */
        if (inc->by_user) {
            put_include(inc->name, seen, nseen, max, out);
        }
    }
}

static void put_headers(struct lowering *l, struct buf *out)
{
    enum { MAX_HEADERS = 256 };
    const char *seen[MAX_HEADERS];
    size_t nseen = 0;
    buf_str(out, "#ifndef _GNU_SOURCE\n#define _GNU_SOURCE 1\n#endif\n");
    hide_names(l, true, out);
    put_user_includes(l->ix->includes, seen, &nseen, MAX_HEADERS, out);
    for (size_t i = 0; i < l->prelude.npieces + l->prelude.nmacros; i++) {
        const struct piece *p = i < l->prelude.npieces ? l->prelude.pieces[i] : l->prelude.macros[i - l->prelude.npieces];
        if (p->record->is_header && p->source.header) {
            put_include(p->source.header, seen, &nseen, MAX_HEADERS, out);
        }
    }
    hide_names(l, false, out);
    for (size_t i = 0; i < l->prelude.npieces; i++) {
        if (!l->prelude.pieces[i]->record->is_header) {
            outline_emit(l->prelude.pieces[i], out);
            buf_char(out, '\n');
        }
    }
    put_macros(l, false, out);
}

/* ---- the whole ---- */

enum { ENTRY_NAME = 32 };

/* Macros that the cell itself defines more than once: the entry begins without them. */
static void put_undefs(const struct lowering *l, struct buf *out)
{
    for (const struct piece *p = l->record->first; p && l->repeats_macros; p = p->next) {
        if (p->is_macro && p->nodes) {
            buf_printf(out, "#undef %s\n", p->nodes->entry->name);
        }
    }
}

static bool repeats_macros(const struct record *r)
{
    for (const struct piece *p = r->first; p; p = p->next) {
        const struct node *older = p->is_macro && p->nodes ? p->nodes->older : NULL;
        if (older && older->piece->record == r) {
            return true;
        }
    }
    return false;
}

static bool has_layouts(const struct lowering *l)
{
    const struct node *node = entry_live(entry_find(l->ix, "weir_field", 10), SPACE_TAG);
    return node != NULL; /* the user has included weir.h */
}

static void put_tables(const struct lowering *l, struct buf *out)
{
    if (!l->has_value) {
        return;
    }
    if (!has_layouts(l)) {
        buf_str(out, layout_types);
    }
    buf_str(out, session_value);
}

static enum err_code assemble(struct lowering *l)
{
    struct buf out;
    struct cell_unit *u = l->unit;
    enum err_code code = ERR_NONE;
    buf_init(&out, 0);
    if (u->needs_cc) {
        put_headers(l, &out);
    } else {
        code = put_prelude(l, &out);
    }
    put_tables(l, &out);
    if (strstr(l->entry.text.data, "weir_copy") || strstr(l->entry.text.data, "weir_zero")) {
        buf_str(&out, memory_calls);
    }
    if (u->has_main) {
        buf_str(&out, "void exit(int);\n");
    }
    buf_add(&out, l->file.text.data, l->file.text.len);
    if (l->entry.text.len) {
        if (l->tables.len) {
            buf_str(&out, "\n#undef offsetof\n#define offsetof(type, member) __builtin_offsetof(type, member)\n");
            buf_add(&out, l->tables.data, l->tables.len);
        }
        buf_char(&out, '\n');
        put_undefs(l, &out);
        char *entry = arena_alloc(l->a, ENTRY_NAME);
        u->entry = entry;
        if (entry) {
            (void)snprintf(entry, ENTRY_NAME, "weir_cell_%u", l->id); /* fits */
            buf_printf(&out, "void %s(void);\nvoid %s(void)\n{\n", u->entry, u->entry);
        }
        buf_add(&out, l->entry.text.data, l->entry.text.len);
        buf_str(&out, "\n}\n");
    }
    code = code ? code : buf_check(&out, "the lowered cell", l->e);
    if (!code) {
        u->len = out.len;
        u->text = arena_strndup(l->a, out.data, out.len);
        code = u->text && (u->entry || !l->entry.text.len) ? ERR_NONE : err_memory(l->e);
    }
    buf_done(&out);
    return code;
}

/* What the tables name is reached too. */
static enum err_code close_over(struct lowering *l)
{
    enum err_code code = closure_prelude(l->ix, &l->t, l->a, &l->prelude, l->e);
    if (!code && has_layouts(l)) {
        struct buf text;
        struct tokens t;
        buf_init(&text, 0);
        buf_printf(&text, "%.*s\nstruct weir_field struct weir_type struct weir_enumerator WEIR_INT\n", (int)l->t.len, l->t.text);
        code = buf_check(&text, "the cell", l->e);
        code = code ? code : lex(text.data, text.len, &t, l->e);
        if (!code) {
            code = closure_prelude(l->ix, &t, l->a, &l->prelude, l->e);
            tokens_done(&t);
        }
        buf_done(&text);
    }
    return code;
}

static enum err_code lower(struct lowering *l, bool cc)
{
    enum err_code code = cell_prepare(l);
    code = code ? code : index_stage(l->ix, l->cell, &l->t, &l->items, l->e);
    if (code) {
        return code;
    }
    l->record = index_staged(l->ix);
    l->repeats_macros = repeats_macros(l->record);
    code = cell_check_calls(l);
    code = code ? code : close_over(l);
    if (code) {
        return code;
    }
    l->unit->needs_cc = cc || cell_wants_cc(l);
    l->record->by_cc = l->unit->needs_cc;
    code = cell_file_scope(l);
    code = code ? code : cell_entry(l);
    code = code ? code : cell_notes(l);
    return code ? code : assemble(l);
}

static enum err_code lower_for(struct index *ix, const struct cell *cell, bool cc, struct cell_unit *out, struct err *e)
{
    struct err local;
    *out = (struct cell_unit){ 0 };
    arena_init(&out->arena);
    struct lowering l = { .ix = ix, .cell = cell, .unit = out, .a = &out->arena, .e = e ? e : &local };
    l.id = ix->order;
    l.e->cell[0] = '\0';
    l.e->line = 0;
    cell_label(cell->number, l.label, sizeof l.label);
    buf_init(&l.file.text, 0);
    buf_init(&l.entry.text, 0);
    buf_init(&l.tables, 0);
    enum err_code code = lower(&l, cc);
    if (code) {
        index_name_cell(l.e, cell);
    }
    tokens_done(&l.t);
    buf_done(&l.file.text);
    buf_done(&l.entry.text);
    buf_done(&l.tables);
    return code;
}

enum err_code cell_lower(struct index *ix, const struct cell *cell, struct cell_unit *out, struct err *e)
{
    return lower_for(ix, cell, false, out, e);
}

enum err_code cell_lower_cc(struct index *ix, const struct cell *cell, struct cell_unit *out, struct err *e)
{
    return lower_for(ix, cell, true, out, e);
}

void cell_unit_done(struct cell_unit *u)
{
    arena_done(&u->arena);
    *u = (struct cell_unit){ 0 };
}
