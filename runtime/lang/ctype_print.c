/* A type as C text (ctype_print in ctype.h).
 *
 * A declarator is printed outside in: each level wraps the text of the name so far (`x` -> `*x` -> `(*x)[2]`), until a base
 * type is reached, which goes in front. */
#include "runtime/base/buf.h"
#include "runtime/lang/ctype.h"

#include <string.h>

enum { MAX_LEVELS = 200 };

static void print(struct buf *out, const struct ctype *type, const char *name, unsigned level);

static void qualifiers(struct buf *out, const struct ctype *type)
{
    buf_str(out, type->is_const ? "const " : "");
    buf_str(out, type->is_volatile ? "volatile " : "");
}

static void print_parameters(struct buf *out, const struct ctype *type, unsigned level)
{
    buf_char(out, '(');
    for (size_t i = 0; i < type->nmembers; i++) {
        buf_str(out, i ? ", " : "");
        print(out, type->members[i].type, type->members[i].name ? type->members[i].name : "", level + 1);
    }
    if (type->variadic) {
        buf_str(out, type->nmembers ? ", ..." : "...");
    } else if (type->nmembers == 0 && type->has_body) {
        buf_str(out, "void");
    }
    buf_char(out, ')');
}

/* struct {...} without a tag has to be spelt out; an anonymous enum's values are plain ints. */
static void print_base(struct buf *out, const struct ctype *type, unsigned level)
{
    if (type->kind != CTYPE_STRUCT && type->kind != CTYPE_UNION && type->kind != CTYPE_ENUM) {
        buf_str(out, type->spelling ? type->spelling : "int");
        return;
    }
    const char *word = type->kind == CTYPE_STRUCT ? "struct" : type->kind == CTYPE_UNION ? "union" : "enum";
    if (type->spelling) {
        buf_printf(out, "%s %s", word, type->spelling);
        return;
    }
    if (type->kind == CTYPE_ENUM) {
        buf_str(out, "int");
        return;
    }
    buf_printf(out, "%s { ", word);
    for (size_t i = 0; i < type->nmembers; i++) {
        const struct cdecl *m = &type->members[i];
        print(out, m->type, m->name ? m->name : "", level + 1);
        if (m->bits) {
            buf_printf(out, " : %s", m->bits);
        }
        buf_str(out, "; ");
    }
    buf_char(out, '}');
}

static void print(struct buf *out, const struct ctype *type, const char *name, unsigned level)
{
    struct buf inner;
    if (!type || level > MAX_LEVELS) {
        buf_printf(out, "int %s", name);
        return;
    }
    switch (type->kind) {
    case CTYPE_POINTER: {
        bool wrap = type->of && (type->of->kind == CTYPE_ARRAY || type->of->kind == CTYPE_FUNCTION);
        buf_init(&inner, 0);
        buf_str(&inner, wrap ? "(*" : "*");
        qualifiers(&inner, type);
        buf_str(&inner, name);
        buf_str(&inner, wrap ? ")" : "");
        print(out, type->of, inner.data, level + 1);
        break;
    }
    case CTYPE_ARRAY:
        buf_init(&inner, 0);
        buf_printf(&inner, "%s[%s]", name, type->dim ? type->dim : "");
        print(out, type->of, inner.data, level + 1);
        break;
    case CTYPE_FUNCTION:
        buf_init(&inner, 0);
        buf_str(&inner, name);
        print_parameters(&inner, type, level);
        print(out, type->of, inner.data, level + 1);
        break;
    case CTYPE_VOID:
    case CTYPE_BOOL:
    case CTYPE_CHAR:
    case CTYPE_INTEGER:
    case CTYPE_FLOATING:
    case CTYPE_COMPLEX:
    case CTYPE_STRUCT:
    case CTYPE_UNION:
    case CTYPE_ENUM:
    case CTYPE_NAMED:
    case CTYPE_TYPEOF:
    default:
        qualifiers(out, type);
        print_base(out, type, level);
        buf_str(out, *name ? " " : "");
        buf_str(out, name);
        return;
    }
    out->failed = out->failed || inner.failed;
    buf_done(&inner);
}

void ctype_print(struct buf *out, const struct ctype *type, const char *name)
{
    print(out, type, name ? name : "", 0);
}
