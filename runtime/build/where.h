/* Offsets in compiled code to cell, line and function: by addr2line on an object with debug information. */
#ifndef WEIR_BUILD_WHERE_H
#define WEIR_BUILD_WHERE_H

#include "runtime/build/build.h"

/* A function that tcc's flows get at their end: its place is known in every compilation of the same text. */
#define BUILD_ANCHOR "weir_flow_anchor"
#define BUILD_ANCHOR_TEXT "\nvoid " BUILD_ANCHOR "(void) {}\n"

/* Ask addr2line about an address of the object file. False: it does not know, or it is not in a cell. */
bool where_ask(const char *object, uint64_t address, struct build_where *out);

/* Where tcc's code is, `distance` bytes from symbol `anchor`, in NUL-terminated text that it has compiled before
 * without -g: with -g it makes the same code. */
bool where_tcc(const char *text, const char *anchor, int64_t distance, struct build_where *out);

#endif
