/* Inside of placing an object (object.h): its tables, shared by object.c and object_look.c. */
#ifndef WEIR_BUILD_OBJECT_TABLES_H
#define WEIR_BUILD_OBJECT_TABLES_H

#include "runtime/build/object.h"

#include <elf.h>

enum { STUB = 16, MAX_SYMBOLS = 1 << 20, MAX_ALIGN = 4096, CODE_ALIGN = 64 };

struct placed_symbol {
    Elf64_Sym sym;
    const char *name;
    char *address; /* what references mean; NULL: not known (yet) */
    char *own;     /* where it has been placed */
    char *gate;    /* a function's, if it has one */
    char *literal; /* in the pool; NULL: not there */
    char *got;     /* its slot; NULL: none */
    char *stub;    /* its jump; NULL: none */
    bool from_code, from_tables, from_data; /* who refers to it */
    bool wants_got, wants_stub;
    bool holds_addresses; /* relocated itself */
};

struct tables {
    Elf64_Shdr *sections; /* copies, sh_addr is the place (0: not placed) */
    size_t nsections;
    struct placed_symbol *symbols;
    size_t nsymbols;
    size_t ngot, nstubs; /* room for as many */
};

/* Look at all relocations: fill the symbols' flags, gates and literals, and what stays of the object. ERR_FORMAT. */
enum err_code object_look(struct object *o, struct tables *t, struct err *e);

enum err_code object_damaged(struct err *e);

#endif
