/* Inside type/: what values and tables share. For its own files only. */
#ifndef WEIR_TYPE_SHOW_INTERNAL_H
#define WEIR_TYPE_SHOW_INTERNAL_H

#include "runtime/type/show.h"

#include <stdbool.h>

/* One scalar (not a struct or union) at data in C's notation, wherever it lies in a value. text: bytes of a string. */
void show_scalar(struct buf *out, const struct weir_field *f, const void *data, size_t text);

/* The text in data[0..size) up to its NUL, quoted; what is beyond `max` bytes is counted. */
void show_text(struct buf *out, const char *data, size_t size, size_t max);

/* The scalar at data is a number: shown with the right edge in line. */
bool show_is_number(const struct weir_field *f);

/* Numbers are written and read in the C locale between these two, whatever the user's is. */
struct show_locale {
    void *kept;
};
struct show_locale show_locale_begin(void);
void show_locale_end(struct show_locale l);

#endif
