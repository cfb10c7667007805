/* Text inside an HTML page. */
#ifndef WEIR_BASE_HTML_H
#define WEIR_BASE_HTML_H

#include "runtime/base/buf.h"

/* text with & < > " ' replaced by entities, appended. Bytes that are no text (control characters but for newline and tab)
 * become '?'. */
void html_escape(struct buf *out, const char *text);

#endif
