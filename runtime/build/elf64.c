/* See elf64.h. Every offset is checked against the file's size: a file in a cache may be damaged. */
#include "runtime/build/elf64.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

struct image {
    unsigned char *data;
    size_t len;
    const Elf64_Shdr *sections;
    size_t nsections, names; /* names: number of the section with the sections' names */
};

static bool within(const struct image *im, uint64_t offset, uint64_t size)
{
    return offset <= im->len && size <= im->len - offset;
}

static bool image_open(struct image *im, void *data, size_t len)
{
    *im = (struct image){ .data = data, .len = len };
    Elf64_Ehdr h;
    if (len < sizeof h) {
        return false;
    }
    memcpy(&h, data, sizeof h);
    if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 || h.e_ident[EI_CLASS] != ELFCLASS64 ||
        h.e_shentsize != sizeof(Elf64_Shdr) || !within(im, h.e_shoff, (uint64_t)h.e_shnum * sizeof(Elf64_Shdr))) {
        return false;
    }
    /* tcc writes its section table at any offset, so it is copied to be aligned */
    Elf64_Shdr *copy = calloc((size_t)h.e_shnum + 1, sizeof *copy);
    if (!copy) {
        return false;
    }
    memcpy(copy, im->data + h.e_shoff, (size_t)h.e_shnum * sizeof *copy);
    im->sections = copy;
    im->nsections = h.e_shnum;
    im->names = h.e_shstrndx;
    for (size_t i = 0; i < im->nsections; i++) {
        if (copy[i].sh_type != SHT_NOBITS && !within(im, copy[i].sh_offset, copy[i].sh_size)) {
            free(copy);
            return false;
        }
    }
    return true;
}

/* The same for bytes that are only read. */
static bool image_look(struct image *im, const void *data, size_t len)
{
    void *bytes;
    memcpy(&bytes, &data, sizeof bytes);
    return image_open(im, bytes, len);
}

static void image_close(struct image *im)
{
    void *sections;
    memcpy(&sections, &im->sections, sizeof sections);
    free(sections);
}

static bool section_symbol(const struct image *im, const Elf64_Shdr *s, const char *name, uint64_t *value)
{
    if (s->sh_link >= im->nsections) {
        return false;
    }
    const Elf64_Shdr *strings = &im->sections[s->sh_link];
    size_t wanted = strlen(name) + 1;
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= s->sh_size; at += sizeof(Elf64_Sym)) {
        Elf64_Sym sym;
        memcpy(&sym, im->data + s->sh_offset + at, sizeof sym);
        if (sym.st_shndx != SHN_UNDEF && sym.st_name < strings->sh_size && wanted <= strings->sh_size - sym.st_name &&
            memcmp(im->data + strings->sh_offset + sym.st_name, name, wanted) == 0) {
            *value = sym.st_value;
            return true;
        }
    }
    return false;
}

bool elf64_symbol(const void *data, size_t len, const char *name, uint64_t *value)
{
    struct image im;
    if (!image_look(&im, data, len)) {
        return false;
    }
    bool found = false;
    for (size_t i = 0; i < im.nsections && !found; i++) {
        unsigned type = im.sections[i].sh_type;
        if (type == SHT_SYMTAB || type == SHT_DYNSYM) {
            found = section_symbol(&im, &im.sections[i], name, value);
        }
    }
    image_close(&im);
    return found;
}

/* A string of a string section; NULL: it is not within it. */
static const char *string_at(const struct image *im, size_t section, uint64_t offset)
{
    if (section >= im->nsections || im->sections[section].sh_type != SHT_STRTAB ||
        offset >= im->sections[section].sh_size) {
        return NULL;
    }
    const char *s = (const char *)im->data + im->sections[section].sh_offset + offset;
    return memchr(s, '\0', im->sections[section].sh_size - offset) ? s : NULL;
}

bool elf64_part(const void *data, size_t len, const char *name, struct elf64_part *out)
{
    struct image im;
    if (!image_look(&im, data, len)) {
        return false;
    }
    bool found = false;
    for (size_t i = 0; i < im.nsections && !found; i++) {
        const char *own = string_at(&im, im.names, im.sections[i].sh_name);
        found = own && strcmp(own, name) == 0 && im.sections[i].sh_type != SHT_NOBITS;
        if (found) {
            *out = (struct elf64_part){ .data = (const char *)im.data + im.sections[i].sh_offset,
                                        .size = im.sections[i].sh_size };
        }
    }
    image_close(&im);
    return found;
}

bool elf64_function(const void *data, size_t len, uint64_t address, const char **name, uint64_t *value)
{
    struct image im;
    if (!image_look(&im, data, len)) {
        return false;
    }
    bool found = false;
    for (size_t i = 0; i < im.nsections; i++) {
        const Elf64_Shdr *s = &im.sections[i];
        for (uint64_t at = 0; s->sh_type == SHT_SYMTAB && !found && at + sizeof(Elf64_Sym) <= s->sh_size;
             at += sizeof(Elf64_Sym)) {
            Elf64_Sym sym;
            memcpy(&sym, im.data + s->sh_offset + at, sizeof sym);
            const char *own = string_at(&im, s->sh_link, sym.st_name);
            found = own && sym.st_shndx != SHN_UNDEF && ELF64_ST_TYPE(sym.st_info) == STT_FUNC &&
                    address >= sym.st_value && address - sym.st_value < sym.st_size;
            if (found) {
                *name = own;
                *value = sym.st_value;
            }
        }
    }
    image_close(&im);
    return found;
}

/* File offset of a loaded address; 0: not in the file. */
static uint64_t offset_of(const struct image *im, uint64_t address)
{
    for (size_t i = 0; i < im->nsections; i++) {
        const Elf64_Shdr *s = &im->sections[i];
        if ((s->sh_flags & SHF_ALLOC) && s->sh_type != SHT_NOBITS && address >= s->sh_addr &&
            address - s->sh_addr + 8 <= s->sh_size) {
            return s->sh_offset + (address - s->sh_addr);
        }
    }
    return 0;
}

static uint64_t image_end(const struct image *im)
{
    uint64_t end = 0;
    for (size_t i = 0; i < im->nsections; i++) {
        const Elf64_Shdr *s = &im->sections[i];
        if ((s->sh_flags & SHF_ALLOC) && s->sh_addr + s->sh_size > end) {
            end = s->sh_addr + s->sh_size;
        }
    }
    return end;
}

/* Absolute ones become R_X86_64_NONE, and their place holds the value. */
static bool fix_relocations(struct image *im, const Elf64_Shdr *s, uint64_t end)
{
    for (uint64_t at = 0; at + sizeof(Elf64_Rela) <= s->sh_size; at += sizeof(Elf64_Rela)) {
        Elf64_Rela r;
        memcpy(&r, im->data + s->sh_offset + at, sizeof r);
        if (ELF64_R_TYPE(r.r_info) != R_X86_64_RELATIVE || (uint64_t)r.r_addend <= end) {
            continue;
        }
        uint64_t place = offset_of(im, r.r_offset);
        if (!place) {
            return false;
        }
        memcpy(im->data + place, &r.r_addend, sizeof r.r_addend);
        r.r_info = ELF64_R_INFO(0, R_X86_64_NONE);
        memcpy(im->data + s->sh_offset + at, &r, sizeof r);
    }
    return true;
}

/* The loader takes the first DT_RELACOUNT relocations for relative ones without looking. */
static void forget_relacount(struct image *im, const Elf64_Shdr *s)
{
    for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= s->sh_size; at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn d;
        memcpy(&d, im->data + s->sh_offset + at, sizeof d);
        if (d.d_tag == DT_RELACOUNT) {
            d.d_un.d_val = 0;
            memcpy(im->data + s->sh_offset + at, &d, sizeof d);
        }
    }
}

enum err_code elf64_fix_absolute(char *data, size_t len, struct err *e)
{
    struct image im;
    enum err_code code = ERR_NONE;
    if (!image_open(&im, data, len)) {
        return err_set(e, ERR_FORMAT, "the compiled object is no ELF file");
    }
    uint64_t end = image_end(&im);
    for (size_t i = 0; i < im.nsections && !code; i++) {
        if (im.sections[i].sh_type == SHT_RELA && (im.sections[i].sh_flags & SHF_ALLOC) &&
            !fix_relocations(&im, &im.sections[i], end)) {
            code = err_set(e, ERR_FORMAT, "the compiled object has a relocation outside its sections");
        } else if (im.sections[i].sh_type == SHT_DYNAMIC) {
            forget_relacount(&im, &im.sections[i]);
        }
    }
    image_close(&im);
    return code;
}
