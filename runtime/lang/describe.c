/* Layout tables as C text (see describe.h).
 *
 * Each struct becomes two tables, its members' fields and its weir_type, named after it; structs inside come first. Whatever
 * number is needed is written as sizeof or offsetof of a path from a null object (`(*(result *)0).loss`), which works for
 * members of anonymous structs too. Only the kind of a base type is written down: the declaration tells it. */
#include "runtime/lang/describe.h"

#include "runtime/include/weir.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

/* A struct or enum whose table is written. */
struct seen {
    struct seen *next;
    const struct ctype *type;
    const char *table;           /* "weir_type_result" */
};

/* A place in an object: its top type as text, a pointer to that, and the path below it ("", ".inner.x"). */
struct place {
    const char *top;
    const char *pointer;
    const char *path;
    unsigned depth;
};

static enum err_code field_at(struct describe *d, const struct ctype *type, const char *name, unsigned ndim_runtime,
                              const struct place *at, const struct place *outer, struct buf *tables, struct buf *field,
                              struct err *e);

void describe_init(struct describe *d, const struct index *ix, struct arena *a)
{
    *d = (struct describe){ .arena = a, .ix = ix };
}

static const struct ctype *resolve(const struct describe *d, const struct ctype *type)
{
    const struct ctype *resolved = index_resolve(d->ix, type);
    return resolved ? resolved : type;
}

static char *text(struct describe *d, struct buf *b, struct err *e)
{
    char *copy = b->failed ? NULL : arena_strndup(d->arena, b->data, b->len);
    buf_done(b);
    if (!copy) {
        (void)err_memory(e);
    }
    return copy;
}

/* An expression of the object's type that is never evaluated. */
static void put_object(struct buf *out, const struct place *at)
{
    buf_printf(out, "(*(%s)0)%s", at->pointer, at->path);
}

static const char *table_name(struct describe *d, const struct ctype *type, const char *shown, struct err *e)
{
    struct buf b;
    buf_init(&b, 0);
    buf_str(&b, "weir_type_");
    bool plain = shown && *shown;
    for (const char *c = plain ? shown : ""; *c; c++) {
        buf_char(&b, isalnum((unsigned char)*c) ? *c : '_');
    }
    d->count++;
    if (!plain || type->spelling == NULL || strchr(shown, ' ')) {
        buf_printf(&b, "%s%u", plain ? "_" : "", d->count);
    }
    return text(d, &b, e);
}

static const struct seen *find_seen(const struct describe *d, const struct ctype *type)
{
    for (const struct seen *s = d->seen; s; s = s->next) {
        if (s->type == type) {
            return s;
        }
    }
    return NULL;
}

static const struct seen *add_seen(struct describe *d, const struct ctype *type, const char *table, struct err *e)
{
    struct seen *s = table ? arena_alloc(d->arena, sizeof *s) : NULL;
    if (!s) {
        (void)err_memory(e);
        return NULL;
    }
    *s = (struct seen){ .next = d->seen, .type = type, .table = table };
    d->seen = s;
    return s;
}

/* ---- struct, union, enum ---- */

static enum err_code put_bit_field(struct buf *fields, const struct cdecl *m)
{
    buf_printf(fields, "    { \"%s\", 0, 0, WEIR_OTHER, 0, 0, { 0 } },\n", m->name);
    return ERR_NONE;
}

/* One member, or the members of an anonymous struct or union, which are reached by the same path. */
static enum err_code put_member(struct describe *d, const struct cdecl *m, const struct place *at, struct buf *tables,
                                struct buf *fields, struct err *e)
{
    const struct ctype *type = resolve(d, m->type);
    if (m->bits) {
        return m->name ? put_bit_field(fields, m) : ERR_NONE;
    }
    if (!m->name) {
        enum err_code code = ERR_NONE;
        for (size_t i = 0; i < type->nmembers && code == ERR_NONE && type->kind != CTYPE_ENUM; i++) {
            code = put_member(d, &type->members[i], at, tables, fields, e);
        }
        return code;
    }
    struct buf path;
    buf_init(&path, 0);
    buf_printf(&path, "%s.%s", at->path, m->name);
    struct place inner = { .top = at->top, .pointer = at->pointer, .path = text(d, &path, e), .depth = at->depth + 1 };
    if (!inner.path) {
        return ERR_MEMORY;
    }
    buf_str(fields, "    ");
    enum err_code code = field_at(d, m->type, m->name, 0, &inner, at, tables, fields, e);
    buf_str(fields, ",\n");
    return code;
}

static enum err_code write_struct(struct describe *d, const struct ctype *type, const char *shown, const char *table,
                                  const struct place *at, struct buf *tables, struct err *e)
{
    struct buf fields;
    buf_init(&fields, 0);
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < type->nmembers && code == ERR_NONE; i++) {
        code = put_member(d, &type->members[i], at, tables, &fields, e);
    }
    if (code == ERR_NONE && fields.len == 0) {
        buf_str(&fields, "    { \"\", 0, 0, WEIR_OTHER, 0, 0, { 0 } }\n"); /* C has no empty array */
    }
    buf_printf(tables, "static const struct weir_field %s_members[] = {\n%s};\n", table, fields.data);
    buf_printf(tables, "static const struct weir_type %s = { \"%s\", sizeof(", table, shown);
    put_object(tables, at);
    buf_printf(tables, "), %s_members, sizeof %s_members / sizeof %s_members[0], 0, 0 };\n", table, table, table);
    tables->failed = tables->failed || fields.failed;
    buf_done(&fields);
    return code;
}

static void write_enum(const struct ctype *type, const char *shown, const char *table, const struct place *at,
                       struct buf *tables)
{
    buf_printf(tables, "static const struct weir_enumerator %s_values[] = {\n", table);
    for (size_t i = 0; i < type->nmembers; i++) {
        buf_printf(tables, "    { \"%s\", %s },\n", type->members[i].name, type->members[i].name);
    }
    buf_printf(tables, "};\nstatic const struct weir_type %s = { \"%s\", sizeof(", table, shown);
    put_object(tables, at);
    buf_printf(tables, "), 0, 0, %s_values, sizeof %s_values / sizeof %s_values[0] };\n", table, table, table);
}

/* The name of the table of a struct, union or enum with a body, written now if it has not been. NULL: *e says why. */
static const char *type_table(struct describe *d, const struct ctype *type, const char *shown, const struct place *at,
                              struct buf *tables, struct err *e)
{
    const struct seen *s = find_seen(d, type);
    if (s) {
        return s->table;
    }
    if (at->depth > MAX_DEPTH) {
        (void)err_set(e, ERR_LIMIT, "'%s': structs nest deeper than %d", shown, MAX_DEPTH);
        return NULL;
    }
    const char *table = table_name(d, type, shown, e);
    if (!table) {
        return NULL;
    }
    if (type->kind == CTYPE_ENUM) {
        write_enum(type, shown, table, at, tables);
    } else if (write_struct(d, type, shown, table, at, tables, e)) {
        return NULL;
    }
    s = add_seen(d, type, table, e);
    return s ? s->table : NULL;
}

/* ---- one field ---- */

/* What C calls a base type or pointer, as an enumerator of enum weir_kind; NULL: the compiler has to say. */
static const char *simple_kind(const struct describe *d, const struct ctype *type)
{
    switch (type->kind) {
    case CTYPE_BOOL:
        return "WEIR_BOOL";
    case CTYPE_CHAR:
        return "WEIR_CHAR";
    case CTYPE_INTEGER:
        return strncmp(type->spelling, "unsigned", 8) == 0 ? "WEIR_UINT" : "WEIR_INT";
    case CTYPE_FLOATING:
        return "WEIR_FLOAT";
    case CTYPE_POINTER:
        return type->of && resolve(d, type->of)->kind == CTYPE_CHAR ? "WEIR_STRING" : "WEIR_POINTER";
    case CTYPE_VOID:
    case CTYPE_COMPLEX:
    case CTYPE_FUNCTION:
        return "WEIR_OTHER";
    case CTYPE_ENUM:
        return type->nmembers ? NULL : "WEIR_INT";
    case CTYPE_STRUCT:
    case CTYPE_UNION:
    case CTYPE_NAMED:
    case CTYPE_TYPEOF:
    case CTYPE_ARRAY:
    default:
        return NULL;
    }
}

static bool has_table(const struct ctype *type)
{
    return (type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION || type->kind == CTYPE_ENUM) && type->has_body &&
           type->nmembers;
}

static bool has_size(const struct ctype *type)
{
    bool tagged = type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION;
    return type->kind != CTYPE_VOID && type->kind != CTYPE_FUNCTION && (!tagged || type->has_body);
}

/* Peel the arrays off: dims go to dims as text, the place's path gets an [0] a dim. */
static const struct ctype *peel(struct describe *d, const struct ctype *type, unsigned ndim_runtime, struct buf *dims,
                                struct buf *path, unsigned *ndim, struct err *e)
{
    *ndim = 0;
    for (const struct ctype *level = resolve(d, type); level->kind == CTYPE_ARRAY; level = resolve(d, type)) {
        if (*ndim == WEIR_MAX_DIMS) {
            (void)err_set(e, ERR_LIMIT, "an array of more than %d dimensions", WEIR_MAX_DIMS);
            return NULL;
        }
        bool open = *ndim < ndim_runtime || !level->dim || !*level->dim;
        buf_str(dims, *ndim ? ", " : "");
        if (open) {
            buf_char(dims, '0');
        } else {
            buf_printf(dims, "(%s)", level->dim);
        }
        buf_str(path, "[0]");
        (*ndim)++;
        type = level->of;
    }
    if (*ndim == 0) {
        buf_char(dims, '0');
    }
    return type;
}

/* The element's type in words, for people and for a table's name. */
static const char *shown_type(struct describe *d, const struct ctype *type, struct err *e)
{
    struct ctype bare = *type;
    bare.is_const = bare.is_volatile = false;
    bool anonymous = !bare.spelling && (bare.kind == CTYPE_STRUCT || bare.kind == CTYPE_UNION || bare.kind == CTYPE_ENUM);
    struct buf b;
    buf_init(&b, 0);
    if (anonymous) {
        buf_str(&b, bare.kind == CTYPE_STRUCT ? "struct" : bare.kind == CTYPE_UNION ? "union" : "enum");
    } else {
        ctype_print(&b, &bare, "");
    }
    return text(d, &b, e);
}

static enum err_code put_kind(struct describe *d, const struct ctype *type, const struct ctype *named,
                              const struct place *element, struct buf *tables, struct buf *kind, struct err *e)
{
    const char *simple = simple_kind(d, type);
    if (simple) {
        buf_printf(kind, "%s, 0", simple);
        return ERR_NONE;
    }
    if (!has_table(type)) {
        if (type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION) {
            buf_str(kind, "WEIR_OTHER, 0");
        } else {
            buf_str(kind, "WEIR_KIND(");
            put_object(kind, element);
            buf_str(kind, "), 0");
        }
        return ERR_NONE;
    }
    const char *shown = shown_type(d, named, e);
    const char *table = shown ? type_table(d, type, shown, element, tables, e) : NULL;
    if (!table) {
        return e ? e->code : ERR_MEMORY;
    }
    buf_printf(kind, "%s, &%s",
               type->kind == CTYPE_ENUM    ? "WEIR_ENUM"
               : type->kind == CTYPE_UNION ? "WEIR_UNION"
                                           : "WEIR_STRUCT",
               table);
    return ERR_NONE;
}

/* at: the object itself; outer: the struct it is a member of, NULL at the top. */
static enum err_code field_at(struct describe *d, const struct ctype *type, const char *name, unsigned ndim_runtime,
                              const struct place *at, const struct place *outer, struct buf *tables, struct buf *field,
                              struct err *e)
{
    struct buf dims, path, kind;
    buf_init(&dims, 0);
    buf_init(&path, 0);
    buf_init(&kind, 0);
    unsigned ndim = 0;
    enum err_code code = ERR_NONE;
    buf_str(&path, at->path);
    const struct ctype *named = peel(d, type, ndim_runtime, &dims, outer ? &path : &kind, &ndim, e);
    struct place element = { .top = at->top, .pointer = at->pointer, .path = "", .depth = at->depth + 1 };
    buf_clear(&kind);
    if (!named) {
        code = e ? e->code : ERR_LIMIT;
        goto done;
    }
    if (outer) {
        element.path = path.data;
    }
    const struct ctype *resolved = resolve(d, named);
    code = put_kind(d, resolved, named, &element, tables, &kind, e);
    buf_printf(field, "{ \"%s\", ", name);
    if (outer) {
        buf_printf(field, "offsetof(%s, %s)", at->top, at->path + 1);
        if (outer->path[0]) {
            buf_printf(field, " - offsetof(%s, %s)", at->top, outer->path + 1);
        }
    } else {
        buf_char(field, '0');
    }
    buf_str(field, ", ");
    if (has_size(resolved)) {
        buf_str(field, "sizeof(");
        put_object(field, &element);
        buf_char(field, ')');
    } else {
        buf_char(field, '0');
    }
    buf_printf(field, ", %s, %u, { %s } }", kind.data, ndim, dims.data);
done:
    field->failed = field->failed || dims.failed || path.failed || kind.failed;
    buf_done(&dims);
    buf_done(&path);
    buf_done(&kind);
    return code;
}

enum err_code describe_field(struct describe *d, const struct ctype *type, const char *name, unsigned ndim_runtime,
                             struct buf *tables, struct buf *field, struct err *e)
{
    /* The top of all places is the innermost element's type, so that arrays of run-time size need no type of their own. */
    const struct ctype *element = type;
    for (const struct ctype *r = resolve(d, type); r->kind == CTYPE_ARRAY; r = resolve(d, element)) {
        element = r->of;
    }
    struct ctype bare = *element;
    bare.is_const = bare.is_volatile = false;
    struct buf b;
    buf_init(&b, 0);
    ctype_print(&b, &bare, "");
    struct place top = { .top = text(d, &b, e), .path = "" };
    ctype_print(&b, &bare, "*");
    top.pointer = text(d, &b, e);
    if (!top.top || !top.pointer) {
        return ERR_MEMORY;
    }
    return field_at(d, type, name, ndim_runtime, &top, NULL, tables, field, e);
}
