/* The .npy format (NumPy Enhancement Proposal 1 and numpy.lib.format): header text and its reading.
 *
 * An artifact's file is: magic, version 1.0 (2.0 when the header needs it), header padded with spaces so that the
 * payload starts at a multiple of 64, then the payload in C order. One header text per (layout, dims): canonical, so that
 * equal values have equal bytes. Scalars and structs are 0-d. Struct padding is written as unnamed void fields
 * (`('', '|V7')`), since numpy refuses a descr with offsets. char* is `|Sn` with n = strlen ("|S0" when empty); a char[n]
 * member of a struct is `|Sn` too; a char array artifact is int8. Enums are their integer type.
 */
#ifndef WEIR_TYPE_NPY_H
#define WEIR_TYPE_NPY_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/include/weir.h"

#include <stdbool.h>
#include <stdint.h>

/* numpy's descr of one element of f, e.g. `'<f8'` or `[('rate', '<f8'), ('', '|V4')]`, appended to out.
 * ERR_TYPE: a type that can't be kept (pointer, union), naming the member. */
enum err_code npy_descr(struct buf *out, const struct weir_field *f, struct err *e);

/* The whole header (multiple of 64 bytes), appended to out. dim: f->ndim run-time dims (NULL: those of f).
 * text_len: for WEIR_STRING the string's length, else ignored. */
enum err_code npy_header(struct buf *out, const struct weir_field *f, const size_t *dim, size_t text_len, struct err *e);

/* What a file says of itself. Everything is checked: a file is untrusted input. */
struct npy {
    size_t payload;                /* offset of the data in the file */
    size_t bytes;                  /* of the data */
    struct weir_field field;       /* element kind, size, dims; structs as a weir_type; a 0-d value has ndim 0 */
    const char *descr;             /* the descr's text as it stands in the header */
    /* all memory belongs to the arena given to npy_read */
};

/* Read the header at data[0..len); len may be the whole file, or with whole = false only its beginning (then bytes is what
 * the header says). A string (0-d `|Sn`) comes as WEIR_STRING of size n; `|Sn` in arrays and structs as char with n as one
 * more, innermost, dim; int8 as an integer: that it was char is not in the file.
 * ERR_FORMAT: not .npy, Fortran order, big endian, objects, truncated or too long; ERR_LIMIT: nesting, dims, sizes. */
enum err_code npy_read(const void *data, size_t len, bool whole, struct arena *a, struct npy *out, struct err *e);

/* The field under which show_value and show_table take the payload: n->field, but a string as char[n], since its bytes
 * are there and not a pointer to them. */
struct weir_field npy_payload_field(const struct npy *n);

/* Copy n elements from src to dst with padding zero and every NaN replaced by the canonical quiet one (long double's
 * unused 6 bytes zero too). dst may be src. When the layout has neither padding nor floats this is memmove. */
void npy_canonical(const struct weir_field *f, void *dst, const void *src, size_t n);

/* 1: npy_canonical would be memmove for this element. */
bool npy_is_plain(const struct weir_field *f);

#endif
