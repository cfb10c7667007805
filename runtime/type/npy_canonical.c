/* See npy.h: one bit pattern a value.
 *
 * Works on pieces that stay in the first cache: copy a piece, then mend it where it lies. Members of an array of
 * structs are mended one member at a time with the struct's size as stride, so that no element is looked at through the
 * type's tables. A block of doubles is first only asked whether it has a NaN, at memory speed: (v & max) + 0x000f...f
 * carries into the top bit for NaNs alone. */
#include "runtime/type/npy.h"

#include <float.h>
#include <string.h>

enum { PIECE = 16 << 10, BLOCK = 512 };

static size_t count_of(const struct weir_field *f)
{
    size_t n = 1;
    for (unsigned i = 0; i < f->ndim; i++) {
        n *= f->dim[i];
    }
    return n;
}

/* Whether an element is made of floats of this size alone, without padding. */
static bool only_floats(int kind, const struct weir_type *type, size_t size, size_t float_size)
{
    if (kind == WEIR_FLOAT) {
        return size == float_size;
    }
    if (kind != WEIR_STRUCT || !type) {
        return false;
    }
    size_t at = 0;
    for (size_t i = 0; i < type->nmembers; i++) {
        const struct weir_field *f = &type->members[i];
        if (f->offset != at || !only_floats(f->kind, f->type, f->size, float_size)) {
            return false;
        }
        at += f->size * count_of(f);
    }
    return at == type->size;
}

static bool plain(int kind, const struct weir_type *type)
{
    if (kind == WEIR_FLOAT) {
        return false;
    }
    if (kind != WEIR_STRUCT || !type) {
        return true;
    }
    size_t at = 0;
    for (size_t i = 0; i < type->nmembers; i++) {
        const struct weir_field *f = &type->members[i];
        if (f->offset != at || !plain(f->kind, f->type)) {
            return false;
        }
        at += f->size * count_of(f);
    }
    return at == type->size;
}

bool npy_is_plain(const struct weir_field *f)
{
    return plain(f->kind, f->type);
}

/* ---- numbers ---- */

static void mend_double(char *p)
{
    const uint64_t canonical = 0x7ff8000000000000u;
    uint64_t v;
    memcpy(&v, p, sizeof v);
    if ((v & 0x7fffffffffffffffu) > 0x7ff0000000000000u && v != canonical) {
        memcpy(p, &canonical, sizeof v);
    }
}

static void mend_float(char *p)
{
    const uint32_t canonical = 0x7fc00000u;
    uint32_t v;
    memcpy(&v, p, sizeof v);
    if ((v & 0x7fffffffu) > 0x7f800000u && v != canonical) {
        memcpy(p, &canonical, sizeof v);
    }
}

#if LDBL_MANT_DIG == 64
/* x87: 64 bits with an explicit leading one, 15 of exponent, a sign, 6 bytes of nothing. */
static void mend_long_double(char *p)
{
    uint64_t mantissa;
    uint16_t high;
    memcpy(&mantissa, p, sizeof mantissa);
    memcpy(&high, p + 8, sizeof high);
    if ((high & 0x7fff) == 0x7fff && mantissa != 0x8000000000000000u) {
        mantissa = 0xc000000000000000u;
        high = 0x7fff;
        memcpy(p, &mantissa, sizeof mantissa);
        memcpy(p + 8, &high, sizeof high);
    }
    memset(p + 10, 0, 6);
}
#else
/* IEEE binary128. */
static void mend_long_double(char *p)
{
    uint64_t v[2];
    memcpy(v, p, sizeof v);
    uint64_t high = v[1] & 0x7fffffffffffffffu;
    if (high > 0x7fff000000000000u || (high == 0x7fff000000000000u && v[0])) {
        v[0] = 0;
        v[1] = 0x7fff800000000000u;
        memcpy(p, v, sizeof v);
    }
}
#endif

static bool has_nan_doubles(const char *p)
{
    uint64_t any = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        uint64_t v;
        memcpy(&v, p + i * sizeof v, sizeof v);
        any |= (v & 0x7fffffffffffffffu) + 0x000fffffffffffffu;
    }
    return any >> 63;
}

static bool has_nan_floats(const char *p)
{
    uint32_t any = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        uint32_t v;
        memcpy(&v, p + i * sizeof v, sizeof v);
        any |= (v & 0x7fffffffu) + 0x007fffffu;
    }
    return any >> 31;
}

static void mend_numbers(char *p, size_t size, size_t n, size_t stride)
{
    void (*mend)(char *) = size == 4 ? mend_float : size == 8 ? mend_double : mend_long_double;
    size_t i = 0;
    if (stride == size && size <= 8) {
        for (; n - i >= BLOCK; i += BLOCK) {
            char *block = p + i * size;
            if (size == 8 ? has_nan_doubles(block) : has_nan_floats(block)) {
                for (size_t k = 0; k < BLOCK; k++) {
                    mend(block + k * size);
                }
            }
        }
    }
    if (size == 8) {
        for (; i < n; i++) {
            mend_double(p + i * stride);
        }
    } else {
        for (; i < n; i++) {
            mend(p + i * stride);
        }
    }
}

/* ---- structs ---- */

static void clear(char *p, size_t bytes, size_t n, size_t stride)
{
    if (bytes == 4) { /* by far the commonest: after an int or a float */
        for (size_t i = 0; i < n; i++) {
            memset(p + i * stride, 0, 4);
        }
        return;
    }
    for (size_t i = 0; i < n && bytes; i++) {
        memset(p + i * stride, 0, bytes);
    }
}

static void mend(int kind, const struct weir_type *type, size_t size, char *p, size_t n, size_t stride);

/* A member that is an array, in each of n structs: the longer of the two is the inner loop. */
static void mend_array(const struct weir_field *f, char *p, size_t n, size_t stride)
{
    size_t count = count_of(f);
    if (count < n) {
        for (size_t k = 0; k < count; k++) {
            mend(f->kind, f->type, f->size, p + k * f->size, n, stride);
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        mend(f->kind, f->type, f->size, p + i * stride, count, f->size);
    }
}

/* n elements of `size` bytes, one every `stride` bytes. */
static void mend(int kind, const struct weir_type *type, size_t size, char *p, size_t n, size_t stride)
{
    if (kind == WEIR_FLOAT) {
        mend_numbers(p, size, n, stride);
        return;
    }
    if (kind != WEIR_STRUCT || !type) {
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < type->nmembers; i++) {
        const struct weir_field *f = &type->members[i];
        clear(p + at, f->offset - at, n, stride);
        mend_array(f, p + f->offset, n, stride);
        at = f->offset + f->size * count_of(f);
    }
    clear(p + at, type->size - at, n, stride);
}

void npy_canonical(const struct weir_field *f, void *dst, const void *src, size_t n)
{
    if (npy_is_plain(f)) {
        if (dst != src && n) {
            memmove(dst, src, n * f->size);
        }
        return;
    }
    int kind = f->kind;
    size_t size = f->size;
    size_t flat = only_floats(kind, f->type, size, 8) ? 8 : only_floats(kind, f->type, size, 4) ? 4 : 0;
    if (flat) { /* structs of floats alone are an array of floats */
        n *= size / flat;
        kind = WEIR_FLOAT;
        size = flat;
    }
    char *to = dst;
    const char *from = src;
    size_t piece = size < PIECE ? PIECE / size : 1; /* elements */
    for (size_t i = 0; i < n; i += piece) {
        size_t k = n - i < piece ? n - i : piece;
        char *p = to + i * size;
        if (dst != src) {
            memcpy(p, from + i * size, k * size);
        }
        mend(kind, f->type, size, p, k, size);
    }
}
