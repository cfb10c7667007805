/* JSON values as text: what jansson's dump gives with JSON_COMPACT, several times as fast for long strings, which is what a
 * cell's output is. */
#ifndef WEIR_KERNEL_JSON_TEXT_H
#define WEIR_KERNEL_JSON_TEXT_H

#include "runtime/base/buf.h"

#include <jansson.h>
#include <stdbool.h>

/* Append value's text; out keeps a failure of its own. Strings are UTF-8. False: value is, or holds, what JSON has no text
 * for. */
bool json_text(struct buf *out, const json_t *value);

#endif
