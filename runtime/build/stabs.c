/* See stabs.h. tcc 0.9.27 writes stabs ("The stabs debug format", Free Software Foundation, 1993): records of 12 bytes,
 *
 *   SOL "cell [5]"   FUN "total:f1"   SLINE 2 +0x0   SLINE 3 +0xf   ...   SOL "cell [7]"   FUN "other:F1"   ...
 *
 * in the order of the code. A line's offset counts from its function, whose address is told by the symbol table. */
#include "runtime/build/stabs.h"

#include "runtime/build/elf64.h"

#include <stdio.h>
#include <string.h>

enum { N_FUN = 0x24, N_SLINE = 0x44, N_SO = 0x64, N_SOL = 0x84, N_BINCL = 0x82 };

struct stab {
    uint32_t string;
    uint8_t type, other;
    uint16_t line;
    uint32_t value;
};

/* A stab's string; "": it is not within the table. */
static const char *string_of(const struct elf64_part *strings, const struct stab *s)
{
    bool sound = s->string < strings->size && memchr(strings->data + s->string, '\0', strings->size - s->string);
    return sound ? strings->data + s->string : "";
}

/* "name:F1" is of that function. */
static bool is_function(const char *text, const char *name)
{
    size_t len = strlen(name);
    return strncmp(text, name, len) == 0 && text[len] == ':';
}

bool stabs_where(const char *object, size_t len, uint64_t address, struct build_where *out)
{
    struct elf64_part table, strings;
    const char *name = NULL, *file = "", *found = NULL;
    uint64_t start = 0;
    bool inside = false;
    int line = 0;
    if (!elf64_part(object, len, ".stab", &table) || !elf64_part(object, len, ".stabstr", &strings) ||
        !elf64_function(object, len, address, &name, &start)) {
        return false;
    }
    for (size_t at = 0; at + sizeof(struct stab) <= table.size; at += sizeof(struct stab)) {
        struct stab s;
        memcpy(&s, table.data + at, sizeof s);
        if (s.type == N_SO || s.type == N_SOL || s.type == N_BINCL) {
            file = string_of(&strings, &s);
        } else if (s.type == N_FUN) {
            inside = is_function(string_of(&strings, &s), name);
        } else if (s.type == N_SLINE && inside && s.value <= address - start) {
            found = file;
            line = s.line;
        }
    }
    if (!found || strncmp(found, "cell ", 5) != 0) {
        return false;
    }
    (void)snprintf(out->cell, sizeof out->cell, "%s", found);
    (void)snprintf(out->function, sizeof out->function, "%s", name);
    out->line = line;
    return true;
}
