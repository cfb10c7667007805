/* See json_text.h. */
#include "kernel/json_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ESCAPE_MAX = 6 /* \u001f */, CHUNK = 4096 };

/* The letter after the backslash; 0: the character stands for itself; 'u': by its number. */
static char escape_of(unsigned char c)
{
    static const char low[32] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";
    return c < 0x20 ? low[c] : c == '"' || c == '\\' ? (char)c : 0;
}

/* text[0..len) as it stands in a string, to `to`; its end. */
static char *escape(char *to, const char *text, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        char letter = escape_of(c);
        if (letter == 0) {
            *to++ = (char)c;
            continue;
        }
        *to++ = '\\';
        *to++ = letter;
        if (letter == 'u') {
            *to++ = '0';
            *to++ = '0';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    return to;
}

static void add_string(struct buf *out, const char *text, size_t len)
{
    buf_char(out, '"');
    while (len > 0) {
        char escaped[CHUNK * ESCAPE_MAX];
        size_t n = len < CHUNK ? len : CHUNK;
        buf_add(out, escaped, (size_t)(escape(escaped, text, n) - escaped));
        text += n;
        len -= n;
    }
    buf_char(out, '"');
}

static bool add_array(struct buf *out, const json_t *array)
{
    size_t i;
    const json_t *item;
    buf_char(out, '[');
    json_array_foreach(array, i, item)
    {
        if (i > 0) {
            buf_char(out, ',');
        }
        if (!json_text(out, item)) {
            return false;
        }
    }
    buf_char(out, ']');
    return true;
}

static bool add_object(struct buf *out, json_t *object)
{
    bool first = true;
    buf_char(out, '{');
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        if (!first) {
            buf_char(out, ',');
        }
        first = false;
        add_string(out, json_object_iter_key(i), strlen(json_object_iter_key(i)));
        buf_char(out, ':');
        if (!json_text(out, json_object_iter_value(i))) {
            return false;
        }
    }
    buf_char(out, '}');
    return true;
}

bool json_text(struct buf *out, const json_t *value)
{
    if (json_is_string(value)) {
        add_string(out, json_string_value(value), json_string_length(value));
        return true;
    }
    if (json_is_array(value)) {
        return add_array(out, value);
    }
    if (json_is_object(value)) {
        return add_object(out, (json_t *)(uintptr_t)value); /* jansson's iterators take no const */
    }
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    buf_str(out, text ? text : "");
    free(text);
    return text != NULL;
}
