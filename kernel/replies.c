/* See replies.h. */
#include "kernel/replies.h"

#include <string.h>

/* clang-format off */
json_t *reply_kernel_info(void)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s, s:s, s:s}, s:s, s:b, s:[{s:s, s:s}, {s:s, s:s}],"
                     " s:[]}",
                     "status", "ok",
                     "protocol_version", "5.5",
                     "implementation", "weir",
                     "implementation_version", WEIR_VERSION,
                     "language_info",
                         "name", "c",
                         "version", "C11 with GNU extensions",
                         "mimetype", "text/x-csrc",
                         "file_extension", ".c",
                         "pygments_lexer", "c",
                         "codemirror_mode", "text/x-csrc",
                         "nbconvert_exporter", "script",
                     "banner", "Weir " WEIR_VERSION ": C in cells, and cells as the steps of a workflow",
                     "debugger", 0,
                     "help_links",
                         "text", "C reference", "url", "https://en.cppreference.com/w/c",
                         "text", "The GNU C Library", "url", "https://sourceware.org/glibc/manual/latest/html_node/",
                     "supported_features");
}

json_t *reply_connect(const struct connection *c)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "status", "ok",
                     "shell_port", c->shell_port,
                     "iopub_port", c->iopub_port,
                     "stdin_port", c->stdin_port,
                     "control_port", c->control_port,
                     "hb_port", c->hb_port);
}

json_t *reply_error(const char *ename, const char *evalue, json_t *traceback)
{
    if (traceback) {
        return json_pack("{s:s, s:s, s:s, s:O}", "status", "error", "ename", ename, "evalue", evalue,
                         "traceback", traceback);
    }
    return json_pack("{s:s, s:s, s:s, s:[s++]}", "status", "error", "ename", ename, "evalue", evalue,
                     "traceback", ename, ": ", evalue);
}

/* clang-format on */

static int is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

size_t utf8_offset(const char *text, size_t position)
{
    size_t i = 0;
    while (text[i] && position > 0) {
        i++;
        while (is_continuation(text[i])) {
            i++;
        }
        position--;
    }
    return i;
}

size_t utf8_position(const char *text, size_t offset)
{
    size_t position = 0;
    for (size_t i = 0; i < offset && text[i]; i++) {
        position += !is_continuation(text[i]);
    }
    return position;
}
