/* See log.h. */
#include "kernel/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 1024 };

void log_line(const char *fmt, ...)
{
    char line[LOG_LINE_MAX] = "weir-kernel: ";
    size_t used = strlen(line);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line + used, sizeof line - used - 1, fmt, args); /* cut at the limit on purpose */
    va_end(args);
    size_t len = strlen(line);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)line[i] < ' ') {
            line[i] = ' '; /* what a client sent must not be able to forge a line */
        }
    }
    line[len++] = '\n';
    ssize_t n = write(STDERR_FILENO, line, len);
    (void)n; /* nobody is left to tell */
}
