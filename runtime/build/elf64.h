/* The little of ELF that we read: sections, symbols' values, and absolute addresses that ld turned into relative ones. */
#ifndef WEIR_BUILD_ELF64_H
#define WEIR_BUILD_ELF64_H

#include "runtime/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Value of a defined symbol in the ELF file's bytes (.symtab, else .dynsym). False: none, or no sound ELF file. */
bool elf64_symbol(const void *data, size_t len, const char *name, uint64_t *value);

/* The name (borrowed from data) and the value of the function that an address is in. False: none, or no sound ELF file. */
bool elf64_function(const void *data, size_t len, uint64_t address, const char **name, uint64_t *value);

/* A section by its name; borrowed from data. False: none, or no sound ELF file. */
struct elf64_part {
    const char *data;
    size_t size;
};
bool elf64_part(const void *data, size_t len, const char *name, struct elf64_part *out);

/* A shared object (its bytes) linked against absolute symbols (.set name, 0x7f..): ld writes R_X86_64_RELATIVE for
 * them, which would add the load address. Turn each into its plain value, before it is loaded. ERR_FORMAT. */
enum err_code elf64_fix_absolute(char *data, size_t len, struct err *e);

#endif
