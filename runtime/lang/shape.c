/* See shape.h. */
#include "runtime/lang/shape.h"
#include "runtime/lang/constant.h"
#include "runtime/lang/macro.h"

#include <stdio.h>
#include <string.h>

enum { MAX_MEMBERS_DEEP = 40, MAX_PATH = 512 };

/* `bool`, or a user's `REAL`: a macro that stands for a type, as that type. NULL: it is none. */
static const struct ctype *macro_type(const struct index *ix, struct arena *a, const struct ctype *type)
{
    struct ctype *meant = NULL;
    struct tokens t = { .count = 0 };
    struct macro m;
    size_t end = 0;
    const struct decl *d =
        type->kind == CTYPE_NAMED ? index_find_macro(ix, type->spelling, strlen(type->spelling)) : NULL;
    if (!d || !macro_parse(d->source, &m) || m.takes_arguments || lex(m.body, m.nbody, &t, NULL)) {
        tokens_done(&t);
        return NULL;
    }
    if (ctype_parse_name(&t, 0, index_is_typedef, (void *)(uintptr_t)ix, a, &meant, &end, NULL) || end < t.count) {
        meant = NULL;
    }
    tokens_done(&t);
    return meant;
}

/* A struct's members, all the way down: pointers, unions and bit-fields have no bytes that mean the same elsewhere. */
struct keeper {
    const struct index *ix;
    struct arena *a;
    const char *name;               /* of the artifact */
    char path[MAX_PATH];            /* of the member looked at: "r.next" */
    struct err *e;
};

static enum err_code keep_type(struct keeper *k, const struct ctype *type, unsigned depth);

static enum err_code refuse(struct keeper *k, const char *what, const char *advice)
{
    if (strcmp(k->path, k->name) == 0) {
        return err_set(k->e, ERR_TYPE, "artifact '%s' is %s, which can't be kept%s", k->name, what, advice);
    }
    return err_set(k->e, ERR_TYPE, "artifact '%s' can't be kept: its member '%s' is %s%s", k->name, k->path, what,
                   advice);
}

static enum err_code keep_members(struct keeper *k, const struct ctype *type, unsigned depth)
{
    size_t len = strlen(k->path);
    for (size_t i = 0; i < type->nmembers; i++) {
        const struct cdecl *m = &type->members[i];
        if (m->name) {
            (void)snprintf(k->path + len, sizeof k->path - len, ".%s", m->name); /* cut at the limit on purpose */
        }
        if (m->bits) {
            return refuse(k, "a bit-field", "; make it a member of its own");
        }
        enum err_code code = m->type ? keep_type(k, m->type, depth + 1) : ERR_NONE;
        if (code) {
            return code;
        }
        k->path[len] = '\0';
    }
    return ERR_NONE;
}

static enum err_code keep_type(struct keeper *k, const struct ctype *type, unsigned depth)
{
    const struct ctype *meant = macro_type(k->ix, k->a, type);
    const struct ctype *t = index_resolve(k->ix, meant ? meant : type);
    const char *spelling = type->spelling ? type->spelling : "its type";
    if (!t || depth > MAX_MEMBERS_DEEP || t->kind == CTYPE_NAMED) {
        return err_set(k->e, ERR_PENDING, "artifact '%s' needs the type '%s', which no cell defines yet", k->name,
                       spelling);
    }
    switch (t->kind) {
    case CTYPE_BOOL: case CTYPE_CHAR: case CTYPE_FLOATING: case CTYPE_ENUM:
        return ERR_NONE;
    case CTYPE_INTEGER:
        return strstr(t->spelling, "128") ? refuse(k, "a 128-bit integer", "") : ERR_NONE;
    case CTYPE_ARRAY:
        if (!t->dim[0]) {
            return refuse(k, "an array without a size", "; give it a size, or make it an artifact of its own");
        }
        return keep_type(k, t->of, depth + 1);
    case CTYPE_STRUCT:
        if (!t->has_body) {
            return err_set(k->e, ERR_PENDING, "artifact '%s' needs 'struct %s', which no cell defines yet", k->name,
                           t->spelling ? t->spelling : "");
        }
        return keep_members(k, t, depth);
    case CTYPE_UNION: return refuse(k, "a union", "; use a struct");
    case CTYPE_POINTER:
        return refuse(k, "a pointer", "; keep an array (`T x[]`), or text in `char name[24]`, instead");
    case CTYPE_FUNCTION: return refuse(k, "a function", "");
    case CTYPE_COMPLEX: return refuse(k, "complex", "; keep real and imaginary part in a struct or in `double x[][2]`");
    case CTYPE_VOID: return refuse(k, "void", "");
    case CTYPE_TYPEOF: return refuse(k, "given by typeof", "; write the type itself");
    case CTYPE_NAMED:
    default: return refuse(k, "of an unknown type", "");
    }
}

/* The type without const and volatile, its innermost element not given by a macro. NULL: out of memory. */
static const struct ctype *settle(const struct index *ix, struct arena *a, const struct ctype *type)
{
    const struct ctype *meant = macro_type(ix, a, type);
    struct ctype *copy = arena_alloc(a, sizeof *copy);
    if (!copy) {
        return NULL;
    }
    *copy = meant ? *meant : *type;
    copy->is_const = copy->is_volatile = false;
    if (copy->kind == CTYPE_ARRAY) {
        const struct ctype *of = settle(ix, a, copy->of);
        copy->of = (struct ctype *)(uintptr_t)of; /* only read from here on */
        return of ? copy : NULL;
    }
    return copy;
}

/* What names the element's type: "double", "struct point", the typedef of an anonymous struct. */
static void element_identity(const struct index *ix, const struct ctype *element, struct buf *out)
{
    const struct ctype *t = element;
    for (unsigned i = 0; t->kind == CTYPE_NAMED && i < MAX_MEMBERS_DEEP; i++) {
        const struct decl *d = index_find(ix, t->spelling, strlen(t->spelling));
        if (!d || d->kind != DECL_TYPEDEF || !d->type) {
            break;
        }
        bool tagged = d->type->kind == CTYPE_STRUCT || d->type->kind == CTYPE_ENUM || d->type->kind == CTYPE_UNION;
        if (tagged && !d->type->spelling) {
            break; /* anonymous: the typedef's name is all it has */
        }
        t = d->type;
    }
    if (t->kind == CTYPE_STRUCT || t->kind == CTYPE_ENUM) {
        buf_printf(out, "%s %s", t->kind == CTYPE_STRUCT ? "struct" : "enum", t->spelling ? t->spelling : "");
    } else {
        buf_str(out, t->spelling ? t->spelling : "?");
    }
}

/* The text of a size without blanks. */
static void add_squeezed(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (!strchr(" \t\r\n", *text)) {
            buf_char(out, *text);
        }
    }
}

static enum err_code dim_error(const char *name, struct err *e, const char *what)
{
    return err_set(e, ERR_TYPE, "artifact '%s': %s", name, what);
}

/* Dims, form and the identity's second part. */
static enum err_code read_dims(const struct index *ix, const char *name, struct shape *s, struct buf *identity,
                               struct err *e)
{
    bool varies = false, open = false;
    for (unsigned i = 0; i < s->ndim; i++) {
        s->size[i] = -1;
        if (!s->dim[i][0]) {
            open = true;
            if (i) {
                return dim_error(name, e, "only the first size may be left out");
            }
            buf_str(identity, "[]");
            continue;
        }
        long long value = 0;
        enum constant_kind kind =
            constant_eval(ix, s->dim[i], NULL, NULL, &value);
        varies = varies || kind == CONSTANT_NOT;
        if (kind == CONSTANT_VALUE) {
            if (value <= 0) {
                return err_set(e, ERR_TYPE, "artifact '%s': the size [%s] is %lld; an array has at least one element "
                               "(`T x[]` grows from none)", name, s->dim[i], value);
            }
            s->size[i] = value;
            buf_printf(identity, "[%lld]", value);
        } else {
            buf_char(identity, '[');
            add_squeezed(identity, s->dim[i]);
            buf_char(identity, ']');
            s->opaque = s->opaque || kind == CONSTANT_OPAQUE;
        }
    }
    if (varies && open) {
        return dim_error(
            name, e, "after `[]` all sizes must be constants; for sizes known at run time write them all: `T x[n][m]`");
    }
    s->form = varies ? WEIR_SHAPED : open ? WEIR_DYNAMIC : WEIR_FIXED;
    return ERR_NONE;
}

static const struct ctype *array_of(const struct index *ix, const struct ctype *t)
{
    const struct ctype *r = t->kind == CTYPE_NAMED ? index_resolve(ix, t) : t;
    return r && r->kind == CTYPE_ARRAY ? r : NULL;
}

static enum err_code copy_texts(struct shape *s, struct buf *identity, struct arena *a, struct err *e)
{
    struct buf spelling;
    buf_init(&spelling, 0);
    ctype_print(&spelling, s->type, "");
    size_t len = spelling.len;
    while (len && spelling.data[len - 1] == ' ') {
        len--;
    }
    s->spelling = arena_strndup(a, spelling.data, len);
    size_t kept = s->form == WEIR_SHAPED ? strcspn(identity->data, "[") : identity->len;
    struct buf all;
    buf_init(&all, 0);
    buf_add(&all, identity->data, kept);
    for (unsigned i = 0; s->form == WEIR_SHAPED && i < s->ndim; i++) {
        buf_str(&all, "[*]"); /* sizes known at run time may differ from step to step */
    }
    s->identity = arena_strndup(a, all.data, all.len);
    buf_done(&all);
    bool ok = s->spelling && s->identity && !spelling.failed && !identity->failed;
    buf_done(&spelling);
    return ok ? ERR_NONE : err_memory(e);
}

enum err_code shape_of(const struct index *ix, const struct ctype *type, const char *name,
                        struct arena *a, struct shape *out, struct err *e)
{
    struct shape s = { .type = settle(ix, a, type) };
    if (!s.type) {
        return err_memory(e);
    }
    s.element = s.type;
    for (const struct ctype *array; (array = array_of(ix, s.element)) != NULL; s.element = array->of) {
        if (s.ndim == WEIR_MAX_DIMS) {
            return err_set(e, ERR_TYPE, "artifact '%s' has more than %d dimensions", name, WEIR_MAX_DIMS);
        }
        s.dim[s.ndim++] = array->dim ? array->dim : "";
    }
    s.element = settle(ix, a, s.element);
    s.resolved = s.element ? index_resolve(ix, s.element) : NULL;
    struct buf identity;
    buf_init(&identity, 0);
    enum err_code code = ERR_NONE;
    const struct ctype *pointee =
        s.resolved && s.resolved->kind == CTYPE_POINTER ? index_resolve(ix, s.resolved->of) : NULL;
    if (pointee && pointee->kind == CTYPE_CHAR && !s.ndim) {
        s.form = WEIR_TEXT;
        buf_str(&identity, "char*");
    } else {
        struct keeper k = { .ix = ix, .a = a, .name = name, .e = e };
        (void)snprintf(k.path, sizeof k.path, "%s", name); /* cut at the limit on purpose */
        code = s.element ? keep_type(&k, s.element, 0) : err_memory(e);
        if (!code) {
            element_identity(ix, s.element, &identity);
            code = read_dims(ix, name, &s, &identity, e);
        }
    }
    code = code ? code : copy_texts(&s, &identity, a, e);
    buf_done(&identity);
    if (!code) {
        *out = s;
    }
    return code;
}

bool shape_is_scalar(const struct shape *s)
{
    return s->resolved->kind != CTYPE_STRUCT && s->form != WEIR_TEXT;
}
