/* See parse.h. */
#include "runtime/type/parse.h"

#include "runtime/type/npy.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 };

/* One element's text and what it is to become. */
struct parser {
    const struct weir_artifact *a;
    char type[TEXT_MAX]; /* the element's, as C spells it */
    const char *text;    /* NUL-terminated, without blanks around it */
    struct buf *out;
    struct err *err;
};

/* "an int", "a double" */
static const char *article(const char *type)
{
    return strchr("aeiouAEIOU", type[0]) ? "an" : "a";
}

static enum err_code not_one(struct parser *p)
{
    return err_set(p->err, ERR_USAGE, "--%s: '%.200s' is not %s %s", p->a->name, p->text, article(p->type), p->type);
}

/* ---- scalars ---- */

/* text as sign and magnitude. False: not an integer at all; *over: its magnitude is beyond 64 bits. */
static bool read_integer(const char *text, bool *negative, uint64_t *magnitude, bool *over)
{
    *negative = *text == '-';
    text += *text == '-' || *text == '+';
    if (!isdigit((unsigned char)*text)) {
        return false;
    }
    char *end = NULL;
    errno = 0;
    *magnitude = strtoull(text, &end, 0);
    *over = errno == ERANGE;
    end += strspn(end, "uUlL"); /* C's suffixes say nothing here */
    return *end == '\0';
}

static enum err_code integer(struct parser *p, bool is_signed)
{
    size_t size = p->a->field.size;
    uint64_t max = UINT64_MAX >> (64 - 8 * size) >> is_signed;
    uint64_t below = is_signed ? max + 1 : 0; /* magnitude of the least value */
    bool negative = false;
    bool over = false;
    uint64_t magnitude = 0;
    if (!read_integer(p->text, &negative, &magnitude, &over)) {
        return not_one(p);
    }
    if (over || magnitude > (negative ? below : max)) {
        return err_set(p->err, ERR_USAGE, "--%s: %.200s is out of range: %s %s is from %s%llu to %llu", p->a->name,
                       p->text, article(p->type), p->type, is_signed ? "-" : "", (unsigned long long)below,
                       (unsigned long long)max);
    }
    uint64_t value = negative ? 0 - magnitude : magnitude;
    buf_add(p->out, &value, size); /* little endian */
    return ERR_NONE;
}

static enum err_code floating(struct parser *p)
{
    char *end = NULL;
    bool over = false;
    union {
        float f;
        double d;
        long double l;
        char bytes[sizeof(long double)];
    } v;
    memset(&v, 0, sizeof v);
    if (p->a->field.size == sizeof v.f) {
        v.f = strtof(p->text, &end);
        over = isinf(v.f);
    } else if (p->a->field.size == sizeof v.d) {
        v.d = strtod(p->text, &end);
        over = isinf(v.d);
    } else {
        v.l = strtold(p->text, &end);
        over = isinf(v.l);
    }
    if (end == p->text || *end != '\0') {
        return not_one(p);
    }
    if (over && !strpbrk(p->text, "iI")) { /* it does not say "inf" itself */
        return err_set(p->err, ERR_USAGE, "--%s: %.200s is beyond the range of %s %s", p->a->name, p->text,
                       article(p->type), p->type);
    }
    buf_add(p->out, v.bytes, p->a->field.size);
    return ERR_NONE;
}

static enum err_code boolean(struct parser *p)
{
    bool yes = strcmp(p->text, "true") == 0 || strcmp(p->text, "1") == 0;
    if (!yes && strcmp(p->text, "false") != 0 && strcmp(p->text, "0") != 0) {
        return err_set(p->err, ERR_USAGE, "--%s: '%.200s' is neither true nor false", p->a->name, p->text);
    }
    buf_char(p->out, yes);
    return ERR_NONE;
}

static enum err_code enumerator(struct parser *p)
{
    const struct weir_type *t = p->a->field.type;
    struct buf names;
    for (size_t i = 0; t && i < t->nenumerators; i++) {
        if (strcmp(t->enumerators[i].name, p->text) == 0) {
            uint64_t value = (uint64_t)t->enumerators[i].value;
            buf_add(p->out, &value, p->a->field.size);
            return ERR_NONE;
        }
    }
    buf_init(&names, 0);
    for (size_t i = 0; t && i < t->nenumerators; i++) {
        buf_printf(&names, "%s%s", i ? ", " : "", t->enumerators[i].name);
    }
    enum err_code code = err_set(p->err, ERR_USAGE, "--%s: '%.200s' is none of %s", p->a->name, p->text, names.data);
    buf_done(&names);
    return code;
}

static enum err_code character(struct parser *p)
{
    if (strlen(p->text) != 1) {
        return err_set(p->err, ERR_USAGE, "--%s: '%.200s' is not one character", p->a->name, p->text);
    }
    buf_char(p->out, p->text[0]);
    return ERR_NONE;
}

static enum err_code scalar(struct parser *p)
{
    switch ((enum weir_kind)p->a->field.kind) {
    case WEIR_INT:
        return integer(p, true);
    case WEIR_UINT:
        return integer(p, false);
    case WEIR_FLOAT:
        return floating(p);
    case WEIR_BOOL:
        return boolean(p);
    case WEIR_CHAR:
        return character(p);
    case WEIR_ENUM:
        return enumerator(p);
    case WEIR_OTHER:
    case WEIR_STRUCT:
    case WEIR_UNION:
    case WEIR_POINTER:
    case WEIR_STRING:
        break;
    }
    return err_set(p->err, ERR_USAGE, "--%s: %s %s can't be given as text", p->a->name, article(p->type), p->type);
}

/* ---- arrays and strings ---- */

/* text[0..len) without the blanks around it, as one element. */
static enum err_code element(struct parser *p, const char *text, size_t len)
{
    while (len && isspace((unsigned char)*text)) {
        text++;
        len--;
    }
    while (len && isspace((unsigned char)text[len - 1])) {
        len--;
    }
    char *copy = strndup(text, len);
    if (!copy) {
        return err_memory(p->err);
    }
    p->text = copy;
    enum err_code code = scalar(p);
    free(copy);
    return code;
}

static enum err_code wrong_length(struct parser *p, size_t want, size_t have)
{
    return err_set(p->err, ERR_USAGE, "--%s: %s has %zu elements, and %zu came", p->a->name, p->a->ctype, want, have);
}

static enum err_code list(struct parser *p, const char *text, size_t *count)
{
    size_t n = 0;
    for (const char *at = text; *text;) {
        size_t len = strcspn(at, ",");
        enum err_code code = element(p, at, len);
        if (code && strchr(text, ',') && p->err) {
            return err_set(p->err, code, "%s (element %zu of '%.200s')", p->err->msg, n, text);
        }
        if (code) {
            return code;
        }
        n++;
        if (!at[len]) {
            break;
        }
        at += len + 1;
    }
    size_t want = p->a->field.dim[0];
    if (p->a->form == WEIR_FIXED && n != want) {
        return wrong_length(p, want, n);
    }
    *count = n;
    return ERR_NONE;
}

/* char[]: the text itself; a fixed one is filled up with zeros. */
static enum err_code characters(struct parser *p, const char *text, size_t *count)
{
    size_t len = strlen(text);
    size_t want = p->a->form == WEIR_FIXED ? p->a->field.dim[0] : len;
    if (len > want) {
        return err_set(p->err, ERR_USAGE, "--%s: '%.200s' has %zu bytes, and %s holds %zu", p->a->name, text, len,
                       p->a->ctype, want);
    }
    buf_add(p->out, text, len);
    char *rest = buf_space(p->out, want - len);
    if (rest) {
        memset(rest, 0, want - len);
    }
    *count = len;
    return ERR_NONE;
}

/* The element's type: the artifact's up to its brackets. */
static void element_type(struct parser *p)
{
    const char *type = p->a->ctype;
    size_t len = strcspn(type, "[");
    while (len && type[len - 1] == ' ') {
        len--;
    }
    len = len < sizeof p->type - 1 ? len : sizeof p->type - 1;
    memcpy(p->type, type, len);
    p->type[len] = '\0';
}

static enum err_code any(struct parser *p, const char *text, size_t *count)
{
    const struct weir_field *f = &p->a->field;
    if (p->a->form == WEIR_TEXT) {
        *count = strlen(text);
        buf_add(p->out, text, *count);
        return ERR_NONE;
    }
    if (f->ndim > 1) {
        return err_set(p->err, ERR_USAGE, "--%s: %s can't be given as text, only arrays of one dimension", p->a->name,
                       p->a->ctype);
    }
    if (f->ndim == 0 && f->kind == WEIR_CHAR) {
        p->text = text; /* a blank is a character, too */
        return character(p);
    }
    if (f->ndim == 0) {
        return element(p, text, strlen(text));
    }
    return f->kind == WEIR_CHAR ? characters(p, text, count) : list(p, text, count);
}

enum err_code parse_value(const struct weir_artifact *a, const char *text, struct buf *out, size_t *dim, struct err *e)
{
    struct parser p = { .a = a, .err = e };
    struct buf bytes; /* so that out is untouched on failure */
    size_t count = 0;
    element_type(&p);
    buf_init(&bytes, 0);
    p.out = &bytes;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* a constant of the C library: nothing to free */
    locale_t before = c ? uselocale(c) : (locale_t)0;
    enum err_code code = any(&p, text, &count);
    if (before) {
        (void)uselocale(before);
    }
    if (!code) {
        code = buf_check(&bytes, a->name, e);
    }
    if (!code) {
        size_t size = a->form == WEIR_TEXT ? 1 : a->field.size;
        if (a->form != WEIR_TEXT) {
            npy_canonical(&a->field, bytes.data, bytes.data, size ? bytes.len / size : 0);
        }
        buf_add(out, bytes.data, bytes.len);
        code = buf_check(out, a->name, e);
    }
    if (!code && dim && a->form != WEIR_FIXED) {
        dim[0] = count;
    }
    buf_done(&bytes);
    return code;
}
