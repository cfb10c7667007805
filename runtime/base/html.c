/* See html.h. */
#include "runtime/base/html.h"

void html_escape(struct buf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '&':
            buf_str(out, "&amp;");
            break;
        case '<':
            buf_str(out, "&lt;");
            break;
        case '>':
            buf_str(out, "&gt;");
            break;
        case '"':
            buf_str(out, "&quot;");
            break;
        case '\'':
            buf_str(out, "&#39;");
            break;
        default: {
            unsigned char c = (unsigned char)*p;
            buf_char(out, (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ? '?' : *p);
        }
        }
    }
}
