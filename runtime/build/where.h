/* Offsets in compiled code to cell, line and function: by addr2line on an object with debug information. */
#ifndef WEIR_BUILD_WHERE_H
#define WEIR_BUILD_WHERE_H

#include "runtime/base/buf.h"
#include "runtime/build/build.h"

/* A function whose place is known in every compilation of the same flow: offsets are told from it. */
#define BUILD_ANCHOR "weir_flow_anchor"

/* A flow's text appended to out, with the anchor behind it if it has none. */
enum err_code where_anchored(struct buf *out, const char *text, size_t len, struct err *e);

/* Ask addr2line about an address of the object file. False: it does not know, or it is not in a cell. */
bool where_ask(const char *object, uint64_t address, struct build_where *out);

/* Where tcc's code is, `distance` bytes from symbol `anchor`, in NUL-terminated text that it has compiled before
 * without -g: with -g it makes the same code. */
bool where_tcc(const char *text, const char *anchor, int64_t distance, struct build_where *out);

#endif
