/* See show.h: single values. */
#include "runtime/base/utf8.h"
#include "runtime/type/show_internal.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct show_locale show_locale_begin(void)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* a constant of the C library: nothing to free */
    return (struct show_locale){ .kept = c ? uselocale(c) : NULL };
}

void show_locale_end(struct show_locale l)
{
    if (l.kept) {
        (void)uselocale(l.kept);
    }
}

bool show_is_number(const struct weir_field *f)
{
    return f->kind == WEIR_INT || f->kind == WEIR_UINT || f->kind == WEIR_FLOAT;
}

/* ---- numbers ---- */

/* The low `size` bytes at data, sign extended if is_signed. */
static int64_t integer(const void *data, size_t size, bool is_signed)
{
    uint64_t v = 0;
    memcpy(&v, data, size < sizeof v ? size : sizeof v); /* little endian, as .npy files are */
    if (is_signed && size < sizeof v && (v >> (8 * size - 1) & 1)) {
        v |= ~(uint64_t)0 << (8 * size);
    }
    return (int64_t)v;
}

/* Fewest digits that read back as the same number. Up to LDBL_DIG etc. digits survive any trip, and %g drops zeros at
 * the end: only subnormal numbers may need fewer than that many. */
static void shortest(char *text, size_t size, const void *data, size_t bytes)
{
    if (bytes == sizeof(float)) {
        float x;
        memcpy(&x, data, sizeof x);
        for (int p = isnormal(x) ? FLT_DIG : 1; p <= FLT_DECIMAL_DIG; p++) {
            (void)snprintf(text, size, "%.*g", p, (double)x);
            float back = strtof(text, NULL);
            if (memcmp(&back, &x, sizeof x) == 0) {
                return;
            }
        }
    } else if (bytes == sizeof(double)) {
        double x;
        memcpy(&x, data, sizeof x);
        for (int p = isnormal(x) ? DBL_DIG : 1; p <= DBL_DECIMAL_DIG; p++) {
            (void)snprintf(text, size, "%.*g", p, x);
            double back = strtod(text, NULL);
            if (memcmp(&back, &x, sizeof x) == 0) {
                return;
            }
        }
    } else {
        long double x;
        memcpy(&x, data, sizeof x);
        for (int p = isnormal(x) ? LDBL_DIG : 1; p <= LDBL_DECIMAL_DIG; p++) {
            (void)snprintf(text, size, "%.*Lg", p, x);
            long double back = strtold(text, NULL);
            if (back >= x && back <= x) {
                return;
            }
        }
    }
}

static void floating(struct buf *out, const void *data, size_t bytes)
{
    char text[64];
    shortest(text, sizeof text, data, bytes);
    if (strstr(text, "nan")) {
        buf_str(out, "nan"); /* the sign of a NaN means nothing */
        return;
    }
    buf_str(out, text);
    if (!strpbrk(text, ".en")) { /* 'n' of inf */
        buf_str(out, ".0");
    }
}

static void enumerator(struct buf *out, const struct weir_field *f, const void *data)
{
    const struct weir_type *t = f->type;
    bool is_signed = !t;
    int64_t value = integer(data, f->size, true);
    for (size_t i = 0; t && i < t->nenumerators; i++) {
        int64_t v = t->enumerators[i].value;
        is_signed = is_signed || v < 0;
        if (integer(&v, f->size, true) == value) {
            buf_str(out, t->enumerators[i].name);
            return;
        }
    }
    value = integer(data, f->size, is_signed);
    const char *name = t && t->name && t->name[0] ? t->name : "enum";
    buf_printf(out, is_signed ? "(%s) %lld" : "(%s) %llu", name, (long long)value);
}

/* ---- characters and text ---- */

/* One byte as it stands between `quote`s in C. Octal, since "\x1" would go on with a digit behind it. */
static void escaped(struct buf *out, unsigned char c, char quote)
{
    static const char from[] = "\a\b\f\n\r\t\v\\";
    static const char to[] = "abfnrtv\\";
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        buf_char(out, '\\');
        buf_char(out, to[known - from]);
    } else if (c == (unsigned char)quote) {
        buf_char(out, '\\');
        buf_char(out, quote);
    } else if (c < 32 || c > 126) {
        buf_printf(out, "\\%03o", c);
    } else {
        buf_char(out, (char)c);
    }
}

static void character(struct buf *out, const void *data)
{
    unsigned char c;
    memcpy(&c, data, 1);
    buf_char(out, '\'');
    if (c == 0) {
        buf_str(out, "\\0");
    } else {
        escaped(out, c, '\'');
    }
    buf_char(out, '\'');
}

/* s[0..len) between quotes. Whole UTF-8 sequences stay as they are. */
static void quoted(struct buf *out, const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;
    buf_char(out, '"');
    for (size_t i = 0; i < len;) {
        size_t n = p[i] < 0x80 ? 0 : utf8_sequence(s + i, len - i);
        if (n) {
            buf_add(out, s + i, n);
            i += n;
        } else {
            escaped(out, p[i], '"');
            i++;
        }
    }
    buf_char(out, '"');
}

/* Where to cut s so that no UTF-8 sequence is torn: at most three bytes before `at`. */
static size_t cut_at(const char *s, size_t at)
{
    for (size_t back = 0; back < 4 && back < at; back++) {
        if (((unsigned char)s[at - back] & 0xc0) != 0x80) {
            return at - back;
        }
    }
    return at;
}

void show_text(struct buf *out, const char *data, size_t size, size_t max)
{
    size_t len = strnlen(data, size);
    if (len <= max) {
        quoted(out, data, len);
        return;
    }
    size_t cut = cut_at(data, max);
    quoted(out, data, cut);
    buf_printf(out, "... %zu more", len - cut);
}

/* Copy from an address that may be no memory at all: the kernel says so instead of a signal. Copies up to the NUL or
 * size bytes, page by page; false: it runs into what can't be read before either. */
static bool copy_text(const char *from, char *to, size_t size, size_t *len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    *len = 0;
    while (*len < size) {
        size_t n = page - ((uintptr_t)from + *len) % page;
        n = n < size - *len ? n : size - *len;
        struct iovec local = { to + *len, n };
        struct iovec remote = { (void *)((uintptr_t)from + *len), n };
        if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != (ssize_t)n) {
            return false;
        }
        size_t found = strnlen(to + *len, n);
        *len += found;
        if (found < n) {
            return true;
        }
    }
    return true;
}

static void string(struct buf *out, const void *data, size_t max)
{
    const char *s;
    memcpy(&s, data, sizeof s);
    if (!s) {
        buf_str(out, "NULL");
        return;
    }
    max = max < (1 << 20) ? max : 1 << 20;
    char *copy = malloc(max + 1); /* one more, to see whether it ends */
    size_t len = 0;
    if (!copy || !copy_text(s, copy, max + 1, &len)) {
        buf_printf(out, "(char *) %p", (const void *)s);
    } else if (len <= max) {
        quoted(out, copy, len);
    } else {
        quoted(out, copy, cut_at(copy, max));
        buf_str(out, "...");
    }
    free(copy);
}

static void pointer(struct buf *out, const struct weir_field *f, const void *data)
{
    const void *p;
    memcpy(&p, data, sizeof p);
    if (!p) {
        buf_str(out, "NULL");
    } else if (f->type) {
        buf_printf(out, "(%s *) %p", f->type->name, p);
    } else {
        buf_printf(out, "%p", p);
    }
}

void show_scalar(struct buf *out, const struct weir_field *f, const void *data, size_t text)
{
    switch ((enum weir_kind)f->kind) {
    case WEIR_INT:
        buf_printf(out, "%lld", (long long)integer(data, f->size, true));
        break;
    case WEIR_UINT:
        buf_printf(out, "%llu", (unsigned long long)integer(data, f->size, false));
        break;
    case WEIR_FLOAT:
        floating(out, data, f->size);
        break;
    case WEIR_BOOL:
        buf_str(out, integer(data, 1, false) ? "true" : "false");
        break;
    case WEIR_CHAR:
        character(out, data);
        break;
    case WEIR_ENUM:
        enumerator(out, f, data);
        break;
    case WEIR_POINTER:
        pointer(out, f, data);
        break;
    case WEIR_STRING:
        string(out, data, text);
        break;
    case WEIR_OTHER:
    case WEIR_STRUCT:
    case WEIR_UNION:
        buf_str(out, "?"); /* a bit-field, a function: no layout is known */
        break;
    }
}
