/* Values from the command line: "--rates 0.1,0.01" by the parameter's layout. */
#ifndef WEIR_TYPE_PARSE_H
#define WEIR_TYPE_PARSE_H

#include "runtime/base/buf.h"
#include "runtime/include/weir.h"

/* text as a value of artifact a: bytes appended to out, dim[0] set for WEIR_DYNAMIC. Integers in C's notations (range
 * checked), floating by strtod in the C locale, bool as true/false/1/0, enums by name, char as one character, 1-d arrays
 * comma-separated ("" is an empty dynamic array; a fixed one must have its length), strings as they are (no NUL added).
 * ERR_USAGE: message says what was expected and what came: `--epochs: 'ten' is not an int`. */
enum err_code parse_value(const struct weir_artifact *a, const char *text, struct buf *out, size_t *dim, struct err *e);

#endif
