/* See npy.h: the header's text. It is what numpy.save writes for the same dtype and shape, byte for byte. */
#include "runtime/type/npy.h"

#include <stdio.h>

enum { HEADER_ALIGN = 64, GROWTH_DIGITS = 21, NESTING_MAX = 32 };

static enum err_code cannot_keep(const struct weir_field *f, const struct weir_type *owner, struct err *e)
{
    const char *what = f->kind == WEIR_POINTER || f->kind == WEIR_STRING ? "a pointer" : "of a type without a layout";
    if (f->kind == WEIR_UNION) {
        what = "a union";
    }
    const char *hint = f->kind == WEIR_STRING ? " (char name[24] keeps text)" : "";
    if (owner) {
        return err_set(e, ERR_TYPE, "member '%s' of '%s' is %s: an artifact holds values only%s", f->name, owner->name, what,
                       hint);
    }
    return err_set(e, ERR_TYPE, "'%s' is %s: an artifact holds values only%s", f->name ? f->name : "", what, hint);
}

/* `'<f8'` for a scalar; false: not one. */
static bool scalar_descr(struct buf *out, const struct weir_field *f)
{
    char letter = 0;
    switch ((enum weir_kind)f->kind) {
    case WEIR_INT:
    case WEIR_CHAR:
    case WEIR_ENUM:
        letter = 'i';
        break;
    case WEIR_UINT:
        letter = 'u';
        break;
    case WEIR_FLOAT:
        letter = 'f';
        break;
    case WEIR_BOOL:
        letter = 'b';
        break;
    case WEIR_OTHER:
    case WEIR_STRUCT:
    case WEIR_UNION:
    case WEIR_POINTER:
    case WEIR_STRING:
        return false;
    }
    buf_printf(out, "'%c%c%zu'", f->size == 1 ? '|' : '<', letter, f->size);
    return true;
}

/* A tuple as Python writes it: (), (3,), (3, 2). */
static void shape(struct buf *out, const size_t *dim, unsigned ndim)
{
    buf_char(out, '(');
    for (unsigned i = 0; i < ndim; i++) {
        buf_printf(out, i ? ", %zu" : "%zu", dim[i]);
    }
    buf_str(out, ndim == 1 ? ",)" : ")");
}

static size_t field_bytes(const struct weir_field *f)
{
    size_t n = f->size;
    for (unsigned i = 0; i < f->ndim; i++) {
        n *= f->dim[i];
    }
    return n;
}

/* Where in a struct's list of members the writing is. */
struct members {
    size_t at;      /* bytes of the outer struct written so far */
    bool any;       /* something is in the list */
    unsigned depth; /* of nesting */
};

static void separate(struct buf *out, struct members *w)
{
    buf_str(out, w->any ? ", " : "");
    w->any = true;
}

static void padding(struct buf *out, struct members *w, size_t until)
{
    if (until > w->at) {
        separate(out, w);
        buf_printf(out, "('', '|V%zu')", until - w->at);
    }
    w->at = until;
}

static enum err_code struct_descr(struct buf *out, const struct weir_type *t, unsigned depth, struct err *e);

/* One named member: `('rate', '<f8')`, `('data', '<f8', (3,))`, `('city', '|S24')`, `('at', [...])`. */
static enum err_code member(struct buf *out, const struct weir_type *t, const struct weir_field *f, struct members *w,
                            struct err *e)
{
    enum err_code code = ERR_NONE;
    unsigned ndim = f->ndim;
    separate(out, w);
    buf_printf(out, "('%s', ", f->name);
    if (f->kind == WEIR_CHAR && ndim) {
        ndim--; /* the last dim is the text's */
        buf_printf(out, "'|S%zu'", f->dim[ndim]);
    } else if (f->kind == WEIR_STRUCT && f->type) {
        code = struct_descr(out, f->type, w->depth + 1, e);
    } else if (!scalar_descr(out, f)) {
        code = cannot_keep(f, t, e);
    }
    if (ndim) {
        buf_str(out, ", ");
        shape(out, f->dim, ndim);
    }
    buf_char(out, ')');
    return code;
}

/* The members of t, which lies at `base` of the outer struct. Those of an anonymous struct count as the outer one's. */
static enum err_code members(struct buf *out, const struct weir_type *t, size_t base, struct members *w, struct err *e)
{
    if (w->depth > NESTING_MAX) {
        return err_set(e, ERR_LIMIT, "'%s': structs nested more than %d deep", t->name, NESTING_MAX);
    }
    for (size_t i = 0; i < t->nmembers; i++) {
        const struct weir_field *f = &t->members[i];
        size_t at = base + f->offset;
        if (at < w->at) {
            return err_set(e, ERR_TYPE, "member '%s' of '%s' overlaps the one before it", f->name, t->name);
        }
        padding(out, w, at);
        enum err_code code;
        if ((!f->name || !f->name[0]) && f->kind == WEIR_STRUCT && f->type && f->ndim == 0) {
            w->depth++;
            code = members(out, f->type, at, w, e);
            w->depth--;
            padding(out, w, at + f->size);
        } else {
            code = member(out, t, f, w, e);
        }
        if (code) {
            return code;
        }
        w->at = at + field_bytes(f);
    }
    return ERR_NONE;
}

static enum err_code struct_descr(struct buf *out, const struct weir_type *t, unsigned depth, struct err *e)
{
    struct members w = { .depth = depth };
    buf_char(out, '[');
    enum err_code code = members(out, t, 0, &w, e);
    if (code) {
        return code;
    }
    padding(out, &w, t->size);
    buf_char(out, ']');
    return ERR_NONE;
}

enum err_code npy_descr(struct buf *out, const struct weir_field *f, struct err *e)
{
    if (f->kind == WEIR_STRUCT && f->type) {
        return struct_descr(out, f->type, 0, e);
    }
    return scalar_descr(out, f) ? ERR_NONE : cannot_keep(f, NULL, e);
}

/* The dictionary, with the spaces that numpy leaves for a growing first dimension. */
static enum err_code dictionary(struct buf *text, const struct weir_field *f, const size_t *dim, size_t text_len, struct err *e)
{
    unsigned ndim = f->ndim;
    enum err_code code = ERR_NONE;
    buf_str(text, "{'descr': ");
    if (f->kind == WEIR_STRING && ndim == 0) {
        buf_printf(text, "'|S%zu'", text_len);
    } else {
        code = npy_descr(text, f, e);
    }
    if (code) {
        return code;
    }
    buf_str(text, ", 'fortran_order': False, 'shape': ");
    shape(text, dim, ndim);
    buf_str(text, ", }");
    if (ndim) {
        char digits[32];
        buf_printf(text, "%*s", GROWTH_DIGITS - snprintf(digits, sizeof digits, "%zu", dim[0]), "");
    }
    return buf_check(text, "a .npy header", e);
}

static bool is_ascii(const struct buf *b)
{
    for (size_t i = 0; i < b->len; i++) {
        if ((unsigned char)b->data[i] > 126) {
            return false;
        }
    }
    return true;
}

enum err_code npy_header(struct buf *out, const struct weir_field *f, const size_t *dim, size_t text_len, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    enum err_code code = dictionary(&text, f, dim ? dim : f->dim, text_len, e);
    if (code) {
        goto done;
    }
    /* Version 1 counts the header's length in 2 bytes; 2 in 4 bytes; 3 is 2 in UTF-8. */
    bool ascii = is_ascii(&text);
    size_t before = 10;
    size_t pad = HEADER_ALIGN - (before + text.len + 1) % HEADER_ALIGN; /* 64, not 0, when it fits: as numpy has it */
    if (!ascii || text.len + 1 + pad > 65535) {
        before = 12;
        pad = HEADER_ALIGN - (before + text.len + 1) % HEADER_ALIGN;
    }
    size_t len = text.len + pad + 1;
    const unsigned char start[12] = { 0x93, 'N', 'U', 'M', 'P', 'Y', before == 10 ? 1 : ascii ? 2 : 3, 0,
                                      (unsigned char)len, (unsigned char)(len >> 8), (unsigned char)(len >> 16),
                                      (unsigned char)(len >> 24) };
    buf_add(out, start, before);
    buf_add(out, text.data, text.len);
    buf_printf(out, "%*s\n", (int)pad, "");
    code = buf_check(out, "a .npy header", e);
done:
    buf_done(&text);
    return code;
}
