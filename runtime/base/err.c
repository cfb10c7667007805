/* See err.h. */
#include "runtime/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set_message(struct err *e, enum err_code code, const char *fmt, va_list args)
{
    char text[ERR_MESSAGE_MAX]; /* apart, since an argument may be e->msg itself */
    (void)vsnprintf(text, sizeof text, fmt, args); /* cut at the limit on purpose */
    memcpy(e->msg, text, strlen(text) + 1);
    e->code = code;
}

enum err_code err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    if (e) {
        va_list args;
        va_start(args, fmt);
        set_message(e, code, fmt, args);
        va_end(args);
        e->line = 0;
        e->cell[0] = '\0';
    }
    return code;
}

enum err_code err_at(struct err *e, enum err_code code, const char *cell, int line, const char *fmt, ...)
{
    if (e) {
        va_list args;
        va_start(args, fmt);
        set_message(e, code, fmt, args);
        va_end(args);
        e->line = line;
        (void)snprintf(e->cell, sizeof e->cell, "%s", cell ? cell : "");
    }
    return code;
}

enum err_code err_errno(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    if (e) {
        va_list args;
        va_start(args, fmt);
        set_message(e, ERR_IO, fmt, args);
        va_end(args);
        size_t used = strlen(e->msg);
        (void)snprintf(e->msg + used, sizeof e->msg - used, ": %s", strerror(saved));
        e->line = 0;
        e->cell[0] = '\0';
    }
    return ERR_IO;
}

enum err_code err_memory(struct err *e)
{
    return err_set(e, ERR_MEMORY, "out of memory");
}

enum err_code err_context(struct err *e, const char *fmt, ...)
{
    if (!e) {
        return ERR_IO;
    }
    char context[ERR_MESSAGE_MAX];
    char text[ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(context, sizeof context, fmt, args);
    va_end(args);
    int n = snprintf(text, sizeof text, "%s: %s", context, e->msg);
    memcpy(e->msg, text, n < (int)sizeof text ? (size_t)n + 1 : sizeof text);
    return e->code;
}

const char *err_name(enum err_code code)
{
    static const char *const names[ERR_CODES] = {
        [ERR_NONE] = "Ok",
        [ERR_MEMORY] = "MemoryError",
        [ERR_IO] = "IOError",
        [ERR_USAGE] = "UsageError",
        [ERR_NAME] = "NameError",
        [ERR_SYNTAX] = "SyntaxError",
        [ERR_TYPE] = "TypeError",
        [ERR_GRAPH] = "GraphError",
        [ERR_PENDING] = "PendingError",
        [ERR_COMPILE] = "CompileError",
        [ERR_FORMAT] = "FormatError",
        [ERR_LIMIT] = "LimitError",
        [ERR_NOT_FOUND] = "NotFoundError",
        [ERR_EXISTS] = "ExistsError",
        [ERR_BUSY] = "BusyError",
        [ERR_TASK] = "TaskError",
        [ERR_INTERRUPTED] = "KeyboardInterrupt",
    };
    return code < ERR_CODES ? names[code] : "Error";
}
