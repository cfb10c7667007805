/* A growing byte buffer with a maximum and a sticky failure.
 *
 * Appending never has to be checked call by call: after the first failure (memory, or the maximum) every further
 * append does nothing, and buf_check tells once at the end. data always ends in a NUL that len does not count
 * (data is "" before the first append). Embedded in its owner; not for sharing between threads. */
#ifndef WEIR_BASE_BUF_H
#define WEIR_BASE_BUF_H

#include "runtime/base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;       /* owned; valid until the next append */
    size_t len;       /* bytes */
    size_t cap;
    size_t max;       /* bytes that len may reach */
    bool failed;
};

enum { BUF_DEFAULT_MAX = 64 << 20 };

/* An empty buffer that may hold max bytes; 0 means BUF_DEFAULT_MAX. Allocates nothing. */
void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);

/* Forget the content and a failure, keep the memory. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));

/* Room for len more bytes at the end, uninitialised, counted in len already. NULL on failure. */
void *buf_space(struct buf *b, size_t len);

/* ERR_MEMORY if any append failed, naming `what`; else ERR_NONE. */
enum err_code buf_check(const struct buf *b, const char *what, struct err *e);

/* The content as a heap string, owned by the caller (free); b is left empty. NULL if an append failed. */
char *buf_take(struct buf *b);

#endif
