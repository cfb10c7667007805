/* See npy.h: the header's text. It is what numpy.save writes for the same dtype and shape, byte for byte. */
#include "runtime/type/npy.h"

#include <stdio.h>

enum { HEADER_ALIGN = 64, GROWTH_DIGITS = 21, NESTING_MAX = 32 };

static enum err_code cannot_keep(const struct weir_field *f, const struct weir_type *owner, struct err *e)
{
    const char *what =
        f->kind == WEIR_POINTER || f->kind == WEIR_STRING ? "a pointer" : "a bit-field or of a type without a layout";
    if (f->kind == WEIR_UNION) {
        what = "a union";
    }
    const char *hint = f->kind == WEIR_STRING ? " (char name[24] keeps text)" : "";
    if (owner) {
        return err_set(e, ERR_TYPE, "member '%s' of '%s' is %s: an artifact holds values only%s", f->name, owner->name,
                       what, hint);
    }
    return err_set(e, ERR_TYPE, "'%s' is %s: an artifact holds values only%s", f->name ? f->name : "", what, hint);
}

/* numpy's letter for a kind of scalar; 0: not one that can be kept. */
static char letter_of(int kind)
{
    switch ((enum weir_kind)kind) {
    case WEIR_INT:
    case WEIR_CHAR:
    case WEIR_ENUM:
        return 'i';
    case WEIR_UINT:
        return 'u';
    case WEIR_FLOAT:
        return 'f';
    case WEIR_BOOL:
        return 'b';
    case WEIR_OTHER:
    case WEIR_STRUCT:
    case WEIR_UNION:
    case WEIR_POINTER:
    case WEIR_STRING:
        break;
    }
    return 0;
}

static bool can_keep(const struct weir_field *f)
{
    return f->kind == WEIR_STRUCT ? f->type != NULL : letter_of(f->kind) != 0;
}

/* `'<f8'` */
static void scalar_descr(struct buf *out, const struct weir_field *f)
{
    buf_printf(out, "'%c%c%zu'", f->size == 1 ? '|' : '<', letter_of(f->kind), f->size);
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
static enum err_code member(struct buf *out, const struct weir_field *f, struct members *w, struct err *e)
{
    enum err_code code = ERR_NONE;
    unsigned ndim = f->ndim;
    separate(out, w);
    buf_printf(out, "('%s', ", f->name);
    if (f->kind == WEIR_CHAR && ndim) {
        ndim--; /* the last dim is the text's */
        buf_printf(out, "'|S%zu'", f->dim[ndim]);
    } else if (f->kind == WEIR_STRUCT) {
        code = struct_descr(out, f->type, w->depth + 1, e);
    } else {
        scalar_descr(out, f);
    }
    if (ndim) {
        buf_str(out, ", ");
        shape(out, f->dim, ndim);
    }
    buf_char(out, ')');
    return code;
}

static enum err_code struct_descr(struct buf *out, const struct weir_type *t, unsigned depth, struct err *e)
{
    struct members w = { .depth = depth };
    if (depth > NESTING_MAX) {
        return err_set(e, ERR_LIMIT, "'%s': structs nested more than %d deep", t->name, NESTING_MAX);
    }
    buf_char(out, '[');
    for (size_t i = 0; i < t->nmembers; i++) {
        const struct weir_field *f = &t->members[i];
        if (!can_keep(f)) {
            return cannot_keep(f, t, e);
        }
        if (f->offset < w.at) {
            return err_set(e, ERR_TYPE, "member '%s' of '%s' overlaps the one before it", f->name, t->name);
        }
        padding(out, &w, f->offset);
        enum err_code code = member(out, f, &w, e);
        if (code) {
            return code;
        }
        w.at = f->offset + field_bytes(f);
    }
    padding(out, &w, t->size);
    buf_char(out, ']');
    return ERR_NONE;
}

enum err_code npy_descr(struct buf *out, const struct weir_field *f, struct err *e)
{
    if (!can_keep(f)) {
        return cannot_keep(f, NULL, e);
    }
    if (f->kind == WEIR_STRUCT) {
        return struct_descr(out, f->type, 0, e);
    }
    scalar_descr(out, f);
    return ERR_NONE;
}

/* The dictionary, with the spaces that numpy leaves for a growing first dimension. */
static enum err_code dictionary(struct buf *text, const struct weir_field *f, const size_t *dim, size_t text_len,
                                struct err *e)
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
    const unsigned char start[12] = { 0x93,
                                      'N',
                                      'U',
                                      'M',
                                      'P',
                                      'Y',
                                      before == 10 ? 1
                                      : ascii      ? 2
                                                   : 3,
                                      0,
                                      (unsigned char)len,
                                      (unsigned char)(len >> 8),
                                      (unsigned char)(len >> 16),
                                      (unsigned char)(len >> 24) };
    buf_add(out, start, before);
    buf_add(out, text.data, text.len);
    buf_printf(out, "%*s\n", (int)pad, "");
    code = buf_check(out, "a .npy header", e);
done:
    buf_done(&text);
    return code;
}
