/* See buf.h. */
#include "runtime/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char empty[1];

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){ .data = empty, .max = max ? max : BUF_DEFAULT_MAX };
}

void buf_done(struct buf *b)
{
    if (b->cap) {
        free(b->data);
    }
    buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->cap) {
        b->data[0] = '\0';
    }
}

void *buf_space(struct buf *b, size_t len)
{
    if (b->failed || len > b->max - b->len) {
        b->failed = true;
        return NULL;
    }
    if (b->len + len + 1 > b->cap) {
        size_t cap = b->cap ? b->cap : 64;
        while (cap < b->len + len + 1) {
            cap *= 2;
        }
        char *grown = realloc(b->cap ? b->data : NULL, cap);
        if (!grown) {
            b->failed = true;
            return NULL;
        }
        b->data = grown;
        b->cap = cap;
    }
    char *space = b->data + b->len;
    b->len += len;
    b->data[b->len] = '\0';
    return space;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    char *space = len ? buf_space(b, len) : NULL;
    if (space) {
        memcpy(space, data, len);
    }
}

void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    char small[256];
    int n = vsnprintf(small, sizeof small, fmt, args);
    if (n < 0) {
        b->failed = true;
    } else if ((size_t)n < sizeof small) {
        buf_add(b, small, (size_t)n);
    } else {
        char *space = buf_space(b, (size_t)n);
        if (space) {
            (void)vsnprintf(space, (size_t)n + 1, fmt, again); /* the NUL's byte is there already */
        }
    }
    va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vprintf(b, fmt, args);
    va_end(args);
}

enum err_code buf_check(const struct buf *b, const char *what, struct err *e)
{
    if (!b->failed) {
        return ERR_NONE;
    }
    return err_set(e, ERR_MEMORY, "%s: out of memory, or over its limit of %zu bytes", what, b->max);
}

char *buf_take(struct buf *b)
{
    if (b->failed) {
        return NULL;
    }
    char *text = b->cap ? b->data : calloc(1, 1);
    if (text) {
        buf_init(b, b->max);
    }
    return text;
}
