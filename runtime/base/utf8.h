/* Whether bytes are UTF-8: what goes to JSON and to browsers has to be. */
#ifndef WEIR_BASE_UTF8_H
#define WEIR_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length (1 to 4) of the well-formed UTF-8 sequence that s[0..len) begins with; 0: none. No overlong forms, no surrogates. */
size_t utf8_sequence(const char *s, size_t len);

/* All of s[0..len) is well-formed. */
bool utf8_valid(const char *s, size_t len);

#endif
