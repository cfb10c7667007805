/* See macro.h. */
#include "runtime/lang/macro.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\\';
}

static bool is_letter(char c)
{
    return c == '_' || c == '$' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

bool macro_parse(const struct source *s, struct macro *out)
{
    const char *p = memmem(s->text, s->len, "define", 6), *end = s->text + s->len;
    struct macro m = { .takes_arguments = false };
    if (!p) {
        return false;
    }
    for (p += 6; p < end && is_blank(*p); p++) {
    }
    while (p < end && is_letter(*p)) {
        p++;
    }
    if (p < end && *p == '(') {
        const char *close = memchr(p, ')', (size_t)(end - p));
        if (!close) {
            return false;
        }
        m.takes_arguments = true;
        m.parameters = p + 1;
        m.nparameters = (size_t)(close - p - 1);
        p = close + 1;
    }
    m.body = p;
    m.nbody = (size_t)(end - p);
    *out = m;
    return true;
}

bool macro_has_parameter(const struct macro *m, const char *name, size_t len)
{
    for (size_t i = 0; i + len <= m->nparameters; i++) {
        bool begins = i == 0 || !is_letter(m->parameters[i - 1]);
        bool ends = i + len == m->nparameters || !is_letter(m->parameters[i + len]);
        if (begins && ends && memcmp(m->parameters + i, name, len) == 0) {
            return true;
        }
    }
    return false;
}
