/* See show.h: structs and arrays. A value is written by recursion over its layout; lines are broken only outside
 * structs, so that a struct is one line:
 *
 *   {{1, 2, 3},                     {{.rate = 0.1, .loss = {1, 2}},
 *    {4, 5, 6},                      {.rate = 0.2, .loss = {3, 4}},
 *    ... 90 more rows}               ... 8 more rows}
 */
#include "runtime/type/show_internal.h"

const struct show_limits show_defaults = { .rows = 10, .columns = 10, .text = 1000, .depth = 4 };

/* However the limits multiply over dimensions and members, a value stays readable. */
enum { SCALARS_MAX = 10000 };

struct shower {
    struct buf *out;
    const struct show_limits *limits;
    unsigned depth;  /* structs around */
    unsigned indent; /* columns of a line that belongs to the rows around */
    bool one_line;
    size_t scalars; /* shown so far */
};

static size_t count_from(const struct weir_field *f, unsigned dim)
{
    size_t n = 1;
    for (unsigned i = dim; i < f->ndim; i++) {
        n *= f->dim[i];
    }
    return n;
}

static void element(struct shower *s, const struct weir_field *f, const char *data);
static void array(struct shower *s, const struct weir_field *f, unsigned dim, const char *data);

static void show_struct(struct shower *s, const struct weir_type *t, const char *data)
{
    if (s->depth >= s->limits->depth) {
        buf_str(s->out, "{...}");
        return;
    }
    bool one_line = s->one_line;
    s->one_line = true;
    s->depth++;
    buf_char(s->out, '{');
    for (size_t i = 0; i < t->nmembers; i++) {
        const struct weir_field *f = &t->members[i];
        buf_str(s->out, i ? ", " : "");
        if (f->name && f->name[0]) { /* an anonymous struct or union has none */
            buf_printf(s->out, ".%s = ", f->name);
        }
        array(s, f, 0, data + f->offset);
    }
    buf_char(s->out, '}');
    s->depth--;
    s->one_line = one_line;
}

static void element(struct shower *s, const struct weir_field *f, const char *data)
{
    s->scalars++;
    if ((f->kind == WEIR_STRUCT || f->kind == WEIR_UNION) && f->type) {
        show_struct(s, f->type, data);
    } else {
        show_scalar(s->out, f, data, s->limits->text);
    }
}

/* Between two elements or rows. */
static void separate(struct shower *s, bool lines)
{
    if (lines) {
        buf_printf(s->out, ",\n%*s", (int)s->indent, "");
    } else {
        buf_str(s->out, ", ");
    }
}

/* The array that is left of f from dimension dim on; none left: the element itself. */
static void array(struct shower *s, const struct weir_field *f, unsigned dim, const char *data)
{
    if (f->ndim == dim) {
        element(s, f, data);
        return;
    }
    bool innermost = dim + 1 == f->ndim;
    if (innermost && f->kind == WEIR_CHAR) {
        s->scalars++;
        show_text(s->out, data, f->dim[dim], s->limits->text);
        return;
    }
    bool rows = !innermost || f->kind == WEIR_STRUCT || f->kind == WEIR_UNION;
    bool texts = f->kind == WEIR_CHAR && dim + 2 == f->ndim;
    bool lines = rows && !texts && !s->one_line;
    size_t limit = rows && !texts ? s->limits->rows : s->limits->columns;
    size_t stride = f->size * count_from(f, dim + 1);
    size_t i = 0;
    buf_char(s->out, '{');
    s->indent++;
    for (; i < f->dim[dim] && i < limit && s->scalars < SCALARS_MAX; i++) {
        if (i) {
            separate(s, lines);
        }
        array(s, f, dim + 1, data + i * stride);
    }
    if (i < f->dim[dim]) {
        if (i) {
            separate(s, lines);
        }
        buf_printf(s->out, "... %zu more%s", f->dim[dim] - i, rows && !texts ? " rows" : "");
    }
    s->indent--;
    buf_char(s->out, '}');
}

static enum err_code show(struct buf *out, const struct weir_field *f, const void *data,
                          const struct show_limits *limits, bool one_line, struct err *e)
{
    struct shower s = { .out = out, .limits = limits ? limits : &show_defaults, .one_line = one_line };
    struct show_locale locale = show_locale_begin();
    array(&s, f, 0, data);
    show_locale_end(locale);
    return buf_check(out, "showing a value", e);
}

enum err_code show_value(struct buf *out, const struct weir_field *f, const void *data,
                         const struct show_limits *limits, struct err *e)
{
    return show(out, f, data, limits, false, e);
}

enum err_code show_line(struct buf *out, const struct weir_field *f, const void *data, const struct show_limits *limits,
                        struct err *e)
{
    return show(out, f, data, limits, true, e);
}
