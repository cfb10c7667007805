/* What the kernel says, as JSON: the contents of replies that need no state. Source: "Messaging in Jupyter", 5.5. */
#ifndef WEIR_KERNEL_REPLIES_H
#define WEIR_KERNEL_REPLIES_H

#include "kernel/connection.h"

#include <jansson.h>
#include <stddef.h>

#define WEIR_VERSION "0.1.0"

/* Each returns a new reference; NULL: out of memory (or text that is not UTF-8). */
json_t *reply_kernel_info(void);
json_t *reply_connect(const struct connection *c);

/* {"status":"error", ename, evalue, traceback}; traceback: borrowed array of strings, NULL: one line made of the two.
 */
json_t *reply_error(const char *ename, const char *evalue, json_t *traceback);

/* Byte offset of the code point number `position` in UTF-8 text (at most its end), and back. */
size_t utf8_offset(const char *text, size_t position);
size_t utf8_position(const char *text, size_t offset);

#endif
