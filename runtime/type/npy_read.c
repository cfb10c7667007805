/* See npy.h: reading a header. It is a Python dictionary of strings, booleans, tuples and (for structs) lists of
 * tuples:
 *
 *   header := '{' ('descr' ':' descr | 'fortran_order' ':' bool | 'shape' ':' tuple) , ... '}'
 *   descr  := string | '[' (member ,)* ']'       member := '(' string , descr [, tuple] ')'
 *
 * Recursive descent over untrusted bytes: the text ends at a NUL of our own, every size is computed with overflow
 * checks, nesting and length have limits. */
#include "runtime/base/utf8.h"
#include "runtime/type/npy.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 1 << 20, NESTING_MAX = 32, SCALAR_MAX = 1 << 30 };

struct reader {
    const char *p; /* next character; the text ends in a NUL */
    struct arena *arena;
    unsigned depth;
    struct err *err;
};

/* Says what stands there, as far as it is plain text: the bytes may be anything. */
static enum err_code malformed(struct reader *r, const char *expected)
{
    int n = 0;
    while (n < 30 && r->p[n] >= ' ' && r->p[n] <= '~') {
        n++;
    }
    return err_set(r->err, ERR_FORMAT, "not a .npy header: expected %s at '%.*s'", expected, n, r->p);
}

/* ---- tokens ---- */

static void skip_space(struct reader *r)
{
    while (*r->p == ' ' || *r->p == '\t' || *r->p == '\n') {
        r->p++;
    }
}

/* Take c if it comes next. */
static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (*r->p != c) {
        return false;
    }
    r->p++;
    skip_space(r);
    return true;
}

static enum err_code need(struct reader *r, char c)
{
    const char expected[] = { '\'', c, '\'', '\0' };
    return take(r, c) ? ERR_NONE : malformed(r, expected);
}

/* A quoted string without escapes. *text is in the arena. */
static enum err_code string(struct reader *r, const char **text, size_t *len)
{
    skip_space(r);
    char quote = *r->p;
    if (quote != '\'' && quote != '"') {
        return malformed(r, "a string");
    }
    const char *start = r->p + 1;
    const char *end = start;
    while ((unsigned char)*end >= 32 && *end != 127 && *end != quote && *end != '\\') {
        end++;
    }
    *len = (size_t)(end - start);
    if (*end != quote || !utf8_valid(start, *len)) {
        return malformed(r, "a plain string");
    }
    *text = arena_strndup(r->arena, start, *len);
    r->p = end + 1;
    return *text ? ERR_NONE : err_memory(r->err);
}

static enum err_code number(struct reader *r, size_t *out)
{
    skip_space(r);
    if (*r->p < '0' || *r->p > '9') {
        return malformed(r, "a size");
    }
    size_t n = 0;
    for (; *r->p >= '0' && *r->p <= '9'; r->p++) {
        if (__builtin_mul_overflow(n, (size_t)10, &n) || __builtin_add_overflow(n, (size_t)(*r->p - '0'), &n)) {
            return err_set(r->err, ERR_LIMIT, "a .npy header with a size beyond 64 bits");
        }
    }
    *out = n;
    return ERR_NONE;
}

/* A tuple of sizes. */
static enum err_code dims(struct reader *r, struct weir_field *f)
{
    enum err_code code = need(r, '(');
    f->ndim = 0;
    while (!code && !take(r, ')')) {
        if (f->ndim == WEIR_MAX_DIMS) {
            return err_set(r->err, ERR_LIMIT, "an array of more than %d dimensions", WEIR_MAX_DIMS);
        }
        code = number(r, &f->dim[f->ndim]);
        f->ndim++;
        if (!code && !take(r, ',')) {
            skip_space(r);
            code = *r->p == ')' ? ERR_NONE : malformed(r, "',' or ')'");
        }
    }
    return code;
}

/* ---- types ---- */

static enum err_code unsupported(struct reader *r, const char *descr)
{
    if (descr[0] == '>') {
        return err_set(r->err, ERR_FORMAT, "type '%.40s' is big endian: save it with .astype(dtype.newbyteorder('<'))",
                       descr);
    }
    const char *hint = "";
    if (strchr(descr, 'O')) {
        hint = ": Python objects can't be read";
    } else if (strchr(descr, 'U')) {
        hint = ": save text as bytes, .astype('S')";
    } else if (strchr(descr, 'c')) {
        hint = ": save .real and .imag apart, or .view('f8')";
    }
    return err_set(r->err, ERR_FORMAT, "type '%.40s' has no C type here%s", descr, hint);
}

static bool right_size(int kind, size_t size)
{
    switch (kind) {
    case WEIR_INT:
    case WEIR_UINT:
        return size == 1 || size == 2 || size == 4 || size == 8;
    case WEIR_FLOAT:
        return size == 4 || size == 8 || size == sizeof(long double);
    case WEIR_BOOL:
        return size == 1;
    default:
        return false;
    }
}

/* The type string of a scalar, "<f8". Text ("|S5") becomes char with *text_size bytes, void ("|V4") WEIR_OTHER. */
static enum err_code scalar(struct reader *r, const char *descr, struct weir_field *f, size_t *text_size)
{
    char *end = NULL;
    bool ok = strlen(descr) >= 3 && strchr("<>|=", descr[0]) && descr[2] >= '0' && descr[2] <= '9';
    unsigned long long size = ok ? strtoull(descr + 2, &end, 10) : 0;
    if (!ok || *end != '\0') {
        return unsupported(r, descr);
    }
    if (size > SCALAR_MAX) {
        return err_set(r->err, ERR_LIMIT, "type '%.40s' is too large", descr);
    }
    f->size = (size_t)size;
    switch (descr[1]) {
    case 'S':
        f->kind = WEIR_CHAR;
        f->size = 1;
        *text_size = (size_t)size;
        return ERR_NONE;
    case 'V':
        f->kind = WEIR_OTHER;
        return ERR_NONE;
    case 'i':
        f->kind = WEIR_INT;
        break;
    case 'u':
        f->kind = WEIR_UINT;
        break;
    case 'f':
        f->kind = WEIR_FLOAT;
        break;
    case 'b':
        f->kind = WEIR_BOOL;
        break;
    default:
        return unsupported(r, descr);
    }
    if (!right_size(f->kind, f->size) || (descr[0] == '>' && f->size > 1)) {
        return unsupported(r, descr);
    }
    return ERR_NONE;
}

static enum err_code list(struct reader *r, struct weir_field *f);

static enum err_code element(struct reader *r, struct weir_field *f, bool *text, size_t *text_size)
{
    *text = false;
    skip_space(r);
    if (*r->p == '[') {
        return list(r, f);
    }
    const char *descr = NULL;
    size_t len = 0;
    enum err_code code = string(r, &descr, &len);
    if (!code) {
        code = scalar(r, descr, f, text_size);
    }
    *text = !code && f->kind == WEIR_CHAR;
    return code;
}

/* Text has its length as one more dimension of char. */
static enum err_code add_text_dim(struct reader *r, struct weir_field *f, size_t text_size)
{
    if (f->ndim == WEIR_MAX_DIMS) {
        return err_set(r->err, ERR_LIMIT, "an array of more than %d dimensions", WEIR_MAX_DIMS);
    }
    f->dim[f->ndim++] = text_size;
    return ERR_NONE;
}

static bool bytes_of(const struct weir_field *f, size_t *out)
{
    size_t n = f->size;
    bool ok = true;
    bool empty = false;
    for (unsigned i = 0; i < f->ndim; i++) {
        empty = empty || f->dim[i] == 0;
        ok = ok && (empty || !__builtin_mul_overflow(n, f->dim[i], &n));
    }
    *out = empty ? 0 : n;
    return ok || empty;
}

/* One tuple of a struct's list. *end: bytes of the struct so far. */
static enum err_code member(struct reader *r, struct weir_field *f, size_t *end)
{
    size_t name_len = 0;
    size_t text_size = 0;
    bool text = false;
    enum err_code code = need(r, '(');
    code = code ? code : string(r, &f->name, &name_len);
    code = code ? code : need(r, ',');
    code = code ? code : element(r, f, &text, &text_size);
    if (!code && take(r, ',')) {
        skip_space(r);
        code = *r->p == '(' ? dims(r, f) : ERR_NONE; /* numpy also takes a comma before the end */
        (void)take(r, ',');
    }
    code = code ? code : need(r, ')');
    if (!code && text) {
        code = add_text_dim(r, f, text_size);
    }
    if (!code && f->kind == WEIR_OTHER && name_len) {
        code = err_set(r->err, ERR_FORMAT, "member '%.60s' is of a type that has no C type here ('|V%zu')", f->name,
                       f->size);
    }
    if (!code && f->kind != WEIR_OTHER && !name_len) {
        code = err_set(r->err, ERR_FORMAT, "a struct's member without a name");
    }
    size_t bytes = 0;
    if (!code && (!bytes_of(f, &bytes) || __builtin_add_overflow(*end, bytes, &f->offset))) {
        code = err_set(r->err, ERR_LIMIT, "a struct of more than 2^64 bytes");
    }
    if (!code) {
        size_t after = f->offset;
        f->offset = *end;
        *end = after;
    }
    return code;
}

static enum err_code unique_names(struct reader *r, const struct weir_field *members, size_t n)
{
    /* numpy has checked it for files of its own; the square stays small by HEADER_MAX only for honest files */
    if (n > 4096) {
        return err_set(r->err, ERR_LIMIT, "a struct of more than 4096 members");
    }
    for (size_t i = 1; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(members[i].name, members[k].name) == 0) {
                return err_set(r->err, ERR_FORMAT, "a struct with two members '%.60s'", members[i].name);
            }
        }
    }
    return ERR_NONE;
}

/* The members read so far as a type in the arena. */
static enum err_code make_struct(struct reader *r, const struct buf *rows, size_t size, struct weir_field *f)
{
    enum err_code code = buf_check(rows, "a .npy header", r->err);
    if (code) {
        return code;
    }
    struct weir_field *members = arena_alloc(r->arena, rows->len);
    struct weir_type *type = arena_alloc(r->arena, sizeof *type);
    if (!members || !type) {
        return err_memory(r->err);
    }
    if (rows->len) {
        memcpy(members, rows->data, rows->len);
    }
    *type = (struct weir_type){
        .name = "struct", .size = size, .members = members, .nmembers = rows->len / sizeof *members
    };
    f->kind = WEIR_STRUCT;
    f->size = size;
    f->type = type;
    return unique_names(r, members, type->nmembers);
}

/* A struct: '[' member, ... ']'. Padding (unnamed void) only moves the offsets. */
static enum err_code list(struct reader *r, struct weir_field *f)
{
    struct buf rows;
    size_t end = 0;
    enum err_code code = need(r, '[');
    if (!code && ++r->depth > NESTING_MAX) {
        return err_set(r->err, ERR_LIMIT, "structs nested more than %d deep", NESTING_MAX);
    }
    buf_init(&rows, 0);
    while (!code && !take(r, ']')) {
        struct weir_field one = { 0 };
        code = member(r, &one, &end);
        if (!code && one.kind != WEIR_OTHER) {
            buf_add(&rows, &one, sizeof one);
        }
        if (!code && !take(r, ',')) {
            skip_space(r);
            code = *r->p == ']' ? ERR_NONE : malformed(r, "',' or ']'");
        }
    }
    if (!code) {
        code = make_struct(r, &rows, end, f);
    }
    r->depth--;
    buf_done(&rows);
    return code;
}

/* ---- the dictionary ---- */

struct seen {
    bool descr, order, shape, text;
    size_t text_size;
};

static enum err_code descr_entry(struct reader *r, struct npy *out, struct seen *seen)
{
    skip_space(r);
    const char *start = r->p;
    enum err_code code = element(r, &out->field, &seen->text, &seen->text_size);
    if (!code && out->field.kind == WEIR_OTHER) {
        code = err_set(r->err, ERR_FORMAT, "raw bytes ('|V%zu') have no C type here", out->field.size);
    }
    if (!code && !(out->descr = arena_strndup(r->arena, start, (size_t)(r->p - start)))) {
        code = err_memory(r->err);
    }
    seen->descr = true;
    return code;
}

static enum err_code order_entry(struct reader *r, struct seen *seen)
{
    seen->order = true;
    if (strncmp(r->p, "False", 5) == 0) {
        r->p += 5;
        return ERR_NONE;
    }
    if (strncmp(r->p, "True", 4) == 0) {
        return err_set(r->err, ERR_FORMAT, "the array is in Fortran order: save it as numpy.ascontiguousarray(x)");
    }
    return malformed(r, "True or False");
}

static enum err_code entry(struct reader *r, struct npy *out, struct seen *seen)
{
    const char *key = NULL;
    size_t len = 0;
    enum err_code code = string(r, &key, &len);
    code = code ? code : need(r, ':');
    if (code) {
        return code;
    }
    if (strcmp(key, "descr") == 0 && !seen->descr) {
        return descr_entry(r, out, seen);
    }
    if (strcmp(key, "fortran_order") == 0 && !seen->order) {
        return order_entry(r, seen);
    }
    if (strcmp(key, "shape") == 0 && !seen->shape) {
        struct weir_field shape = { 0 };
        code = dims(r, &shape);
        out->field.ndim = shape.ndim;
        memcpy(out->field.dim, shape.dim, sizeof shape.dim);
        seen->shape = true;
        return code;
    }
    return err_set(r->err, ERR_FORMAT, "not a .npy header: key '%.40s'", key);
}

static enum err_code dictionary(struct reader *r, struct npy *out)
{
    struct seen seen = { 0 };
    enum err_code code = need(r, '{');
    while (!code && !take(r, '}')) {
        code = entry(r, out, &seen);
        if (!code && !take(r, ',')) {
            skip_space(r);
            code = *r->p == '}' ? ERR_NONE : malformed(r, "',' or '}'");
        }
    }
    if (code) {
        return code;
    }
    skip_space(r);
    if (*r->p || !seen.descr || !seen.order || !seen.shape) {
        return malformed(r, *r->p ? "the header's end" : "descr, fortran_order and shape");
    }
    if (seen.text && out->field.ndim == 0) {
        out->field.kind = WEIR_STRING;
        out->field.size = seen.text_size;
    } else if (seen.text) {
        code = add_text_dim(r, &out->field, seen.text_size);
    }
    if (!code && !bytes_of(&out->field, &out->bytes)) {
        code = err_set(r->err, ERR_LIMIT, "an array of more than 2^64 bytes");
    }
    return code;
}

/* ---- the file ---- */

/* Where the header's text lies: data[*start .. *start + *len). */
static enum err_code find_text(const unsigned char *data, size_t len, size_t *start, size_t *text_len, struct err *e)
{
    if (len < 10 || memcmp(data, "\x93NUMPY", 6) != 0) {
        return err_set(e, ERR_FORMAT, "not a .npy file: it should begin with \\x93NUMPY");
    }
    if (data[6] < 1 || data[6] > 3 || data[7] != 0) {
        return err_set(e, ERR_FORMAT, "a .npy file of version %d.%d; 1.0 to 3.0 can be read", data[6], data[7]);
    }
    if (data[6] == 1) {
        *start = 10;
        *text_len = (size_t)data[8] | (size_t)data[9] << 8;
    } else if (len >= 12) {
        *start = 12;
        *text_len = (size_t)data[8] | (size_t)data[9] << 8 | (size_t)data[10] << 16 | (size_t)data[11] << 24;
    } else {
        return err_set(e, ERR_FORMAT, "the .npy file is truncated in its header");
    }
    if (*text_len > HEADER_MAX) {
        return err_set(e, ERR_LIMIT, "a .npy header of %zu bytes; up to %d can be read", *text_len, HEADER_MAX);
    }
    if (len - *start < *text_len) {
        return err_set(e, ERR_FORMAT, "the .npy file is truncated in its header");
    }
    return ERR_NONE;
}

/* The header's text as UTF-8 with a NUL: versions 1 and 2 are Latin-1. NULL: out of memory. */
static const char *header_text(const unsigned char *text, size_t len, int version, struct arena *a)
{
    if (version == 3) {
        return arena_strndup(a, (const char *)text, len);
    }
    char *utf8 = arena_alloc(a, 2 * len + 1);
    for (size_t i = 0, n = 0; utf8 && i < len; i++) {
        if (text[i] < 0x80) {
            utf8[n++] = (char)text[i];
        } else {
            utf8[n++] = (char)(0xc0 | text[i] >> 6);
            utf8[n++] = (char)(0x80 | (text[i] & 0x3f));
        }
    }
    return utf8;
}

enum err_code npy_read(const void *data, size_t len, bool whole, struct arena *a, struct npy *out, struct err *e)
{
    size_t start = 0;
    size_t text_len = 0;
    const unsigned char *bytes = data;
    enum err_code code = find_text(bytes, len, &start, &text_len, e);
    if (code) {
        return code;
    }
    if (memchr(bytes + start, '\0', text_len)) {
        return err_set(e, ERR_FORMAT, "not a .npy header: it has a zero byte");
    }
    struct reader r = { .p = header_text(bytes + start, text_len, bytes[6], a), .arena = a, .err = e };
    if (!r.p) {
        return err_memory(e);
    }
    struct npy npy = { .payload = start + text_len, .field.name = "" };
    code = dictionary(&r, &npy);
    if (code) {
        return code;
    }
    size_t there = len - npy.payload;
    if (whole && there != npy.bytes) {
        return err_set(e, ERR_FORMAT, "the .npy file is %s: its header says %zu bytes of data, and there are %zu",
                       there < npy.bytes ? "truncated" : "longer than it says", npy.bytes, there);
    }
    *out = npy;
    return ERR_NONE;
}

struct weir_field npy_payload_field(const struct npy *n)
{
    struct weir_field f = n->field;
    if (f.kind == WEIR_STRING) {
        f.kind = WEIR_CHAR;
        f.ndim = 1;
        f.dim[0] = f.size;
        f.size = 1;
    }
    return f;
}
