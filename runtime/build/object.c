/* See object.h. ELF64, x86-64; the few kinds of relocation that tcc writes.
 *
 *   code | .text | addresses for GOTPCREL, 8 bytes a symbol | jumps, 16 bytes a symbol |
 *   data | section | section | ... | common symbols |
 *
 * First the relocations are only looked at (object_look.c): what they refer to tells how much room is needed, and what
 * may outlive the cell. */
#include "runtime/build/object_tables.h"

#include <stdlib.h>
#include <string.h>

void object_done(struct object *o)
{
    struct tables *t = o->tables;
    if (t) {
        free(t->sections);
        free(t->symbols);
        free(t);
    }
    free(o->data);
    *o = (struct object){ .data = NULL };
}

/* ---- reading ---- */

static bool within(const struct object *o, uint64_t offset, uint64_t size)
{
    return offset <= o->len && size <= o->len - offset;
}

enum err_code object_damaged(struct err *e)
{
    return err_set(e, ERR_FORMAT, "the compiled object is damaged");
}

static enum err_code read_sections(struct object *o, struct tables *t, struct err *e)
{
    Elf64_Ehdr h;
    if (o->len < sizeof h) {
        return object_damaged(e);
    }
    memcpy(&h, o->data, sizeof h);
    if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 || h.e_type != ET_REL || h.e_machine != EM_X86_64 ||
        h.e_shentsize != sizeof(Elf64_Shdr) || !within(o, h.e_shoff, (uint64_t)h.e_shnum * sizeof(Elf64_Shdr))) {
        return object_damaged(e);
    }
    t->nsections = h.e_shnum;
    t->sections = calloc(t->nsections + 1, sizeof *t->sections);
    if (!t->sections) {
        return err_memory(e);
    }
    memcpy(t->sections, o->data + h.e_shoff, t->nsections * sizeof *t->sections);
    for (size_t i = 0; i < t->nsections; i++) {
        t->sections[i].sh_addr = 0;
        if (t->sections[i].sh_type != SHT_NOBITS && !within(o, t->sections[i].sh_offset, t->sections[i].sh_size)) {
            return object_damaged(e);
        }
    }
    return ERR_NONE;
}

static enum err_code read_symbols(struct object *o, struct tables *t, struct err *e)
{
    const Elf64_Shdr *table = NULL;
    for (size_t i = 0; i < t->nsections && !table; i++) {
        table = t->sections[i].sh_type == SHT_SYMTAB ? &t->sections[i] : NULL;
    }
    if (!table || table->sh_link >= t->nsections || table->sh_size / sizeof(Elf64_Sym) > MAX_SYMBOLS) {
        return object_damaged(e);
    }
    const Elf64_Shdr *strings = &t->sections[table->sh_link];
    if (strings->sh_size == 0 || o->data[strings->sh_offset + strings->sh_size - 1] != '\0') {
        return object_damaged(e);
    }
    t->nsymbols = table->sh_size / sizeof(Elf64_Sym);
    t->symbols = calloc(t->nsymbols + 1, sizeof *t->symbols);
    if (!t->symbols) {
        return err_memory(e);
    }
    for (size_t i = 0; i < t->nsymbols; i++) {
        struct placed_symbol *s = &t->symbols[i];
        memcpy(&s->sym, o->data + table->sh_offset + i * sizeof s->sym, sizeof s->sym);
        if (s->sym.st_name >= strings->sh_size) {
            return object_damaged(e);
        }
        s->name = o->data + strings->sh_offset + s->sym.st_name;
    }
    return ERR_NONE;
}

/* ---- placing ---- */

/* A block being filled. */
struct place {
    char *at, *limit;
};

/* size bytes; NULL: no room. */
static char *take(struct place *p, size_t size, size_t align)
{
    size_t skip = align > 1 ? (size_t)(-(uintptr_t)p->at & (align - 1)) : 0;
    size_t room = (size_t)(p->limit - p->at);
    if (skip > room || size > room - skip) {
        return NULL;
    }
    char *taken = p->at + skip;
    p->at = taken + size;
    return taken;
}

static enum err_code no_room(struct err *e)
{
    return err_set(e, ERR_LIMIT, "no room for the cell's code and variables");
}

/* Bytes for size more at the end of a block of `used`, aligned. */
static size_t add_size(size_t used, size_t size, size_t align)
{
    return ((used + align - 1) & ~(align - 1)) + size;
}

enum where { IN_CODE, NEAR, FAR, PLACES };

static enum where section_where(const Elf64_Shdr *s)
{
    return s->sh_flags & SHF_EXECINSTR ? IN_CODE : s->sh_size >= OBJECT_FAR ? FAR : NEAR;
}

static enum where common_where(const Elf64_Sym *s)
{
    return s->st_size >= OBJECT_FAR ? FAR : NEAR;
}

static size_t align_of(uint64_t align)
{
    return align ? (size_t)align : 1;
}

static enum err_code measure(const struct tables *t, size_t size[PLACES], size_t align[PLACES], struct err *e)
{
    for (size_t i = 0; i < t->nsections; i++) {
        const Elf64_Shdr *s = &t->sections[i];
        if (!(s->sh_flags & SHF_ALLOC)) {
            continue;
        }
        size_t a = align_of(s->sh_addralign);
        if ((s->sh_flags & SHF_TLS) || (a & (a - 1)) || a > MAX_ALIGN || s->sh_size > (uint64_t)1 << 46) {
            return err_set(e, ERR_FORMAT, "thread-local variables and large alignments need a linker");
        }
        enum where w = section_where(s);
        size[w] = add_size(size[w], s->sh_size, a);
        align[w] = a > align[w] ? a : align[w];
    }
    for (size_t i = 1; i < t->nsymbols; i++) {
        const struct placed_symbol *s = &t->symbols[i];
        size_t a = align_of(s->sym.st_value);
        if (s->sym.st_shndx != SHN_COMMON) {
            continue;
        }
        if ((a & (a - 1)) || a > MAX_ALIGN || s->sym.st_size > (uint64_t)1 << 46) {
            return object_damaged(e);
        }
        size[common_where(&s->sym)] = add_size(size[common_where(&s->sym)], s->sym.st_size, a);
        align[common_where(&s->sym)] = a > align[common_where(&s->sym)] ? a : align[common_where(&s->sym)];
    }
    size[IN_CODE] = add_size(size[IN_CODE], t->ngot * sizeof(uint64_t), sizeof(uint64_t));
    size[IN_CODE] = add_size(size[IN_CODE], t->nstubs * STUB, STUB);
    return ERR_NONE;
}

static struct block take_block(struct area *area, size_t size, size_t align, bool *failed)
{
    struct block b = { .at = NULL };
    if (size) {
        b = area_take(area, size, align);
        *failed = *failed || !b.at;
    }
    return b;
}

static void give_back(struct object *o)
{
    area_give(o->home->code, o->code);
    area_give(o->home->data, o->near);
    area_give(o->home->far, o->far);
    o->code = o->near = o->far = (struct block){ .at = NULL };
}

static enum err_code take_blocks(struct object *o, struct tables *t, struct place at[PLACES], struct err *e)
{
    size_t size[PLACES] = { 0 }, align[PLACES] = { CODE_ALIGN, 1, 1 };
    bool failed = false;
    enum err_code code = measure(t, size, align, e);
    if (code) {
        return code;
    }
    o->code = take_block(o->home->code, size[IN_CODE], align[IN_CODE], &failed);
    o->near = take_block(o->home->data, size[NEAR], align[NEAR], &failed);
    o->far = take_block(o->home->far, size[FAR], align[FAR], &failed);
    at[IN_CODE] = (struct place){ .at = o->code.at, .limit = o->code.at + o->code.len };
    at[NEAR] = (struct place){ .at = o->near.at, .limit = o->near.at + o->near.len };
    at[FAR] = (struct place){ .at = o->far.at, .limit = o->far.at + o->far.len };
    return failed ? no_room(e) : ERR_NONE;
}

static enum err_code place_sections(const struct object *o, struct tables *t, struct place at[PLACES], struct err *e)
{
    for (size_t i = 0; i < t->nsections; i++) {
        Elf64_Shdr *s = &t->sections[i];
        if (!(s->sh_flags & SHF_ALLOC) || s->sh_size == 0) {
            continue;
        }
        char *to = take(&at[section_where(s)], s->sh_size, s->sh_addralign);
        if (!to) {
            return no_room(e);
        }
        if (s->sh_type != SHT_NOBITS) {
            memcpy(to, o->data + s->sh_offset, s->sh_size);
        }
        s->sh_addr = (uint64_t)(uintptr_t)to;
    }
    return ERR_NONE;
}

/* Addresses of what is defined here; of what is not, by resolve, when a relocation needs it. */
static enum err_code place_symbols(const struct object *o, struct tables *t, struct place at[PLACES], struct err *e)
{
    for (size_t i = 1; i < t->nsymbols; i++) {
        struct placed_symbol *s = &t->symbols[i];
        if (s->sym.st_shndx == SHN_COMMON) { /* int n; at file scope: st_value is the alignment */
            s->own = take(&at[common_where(&s->sym)], s->sym.st_size, s->sym.st_value);
            if (!s->own) {
                return no_room(e);
            }
        } else if (s->sym.st_shndx == SHN_ABS) {
            s->own = (char *)(uintptr_t)s->sym.st_value;
        } else if (s->sym.st_shndx != SHN_UNDEF && s->sym.st_shndx < t->nsections &&
                   t->sections[s->sym.st_shndx].sh_addr) {
            s->own = (char *)(uintptr_t)(t->sections[s->sym.st_shndx].sh_addr + s->sym.st_value);
        }
        s->address = s->gate ? s->gate : s->literal ? s->literal : s->own;
    }
    (void)o;
    return ERR_NONE;
}

/* ---- relocating ---- */

struct linking {
    struct tables *t;
    struct place got, stubs;
    const struct object_home *home;
    struct err *e;
};

static enum err_code find(struct linking *l, struct placed_symbol *s)
{
    if (s->address || s == l->t->symbols) {
        return ERR_NONE;
    }
    if (s->sym.st_shndx == SHN_UNDEF) {
        s->address = l->home->resolve(l->home->ctx, s->name);
    }
    if (!s->address && ELF64_ST_BIND(s->sym.st_info) != STB_WEAK) {
        return err_set(l->e, ERR_NOT_FOUND, "%s", s->name);
    }
    return ERR_NONE;
}

/* A word in reach that holds the symbol's address. */
static char *got_of(struct linking *l, struct placed_symbol *s)
{
    if (!s->got) {
        s->got = take(&l->got, sizeof s->address, sizeof s->address);
        if (s->got) {
            memcpy(s->got, &s->address, sizeof s->address);
        }
    }
    return s->got;
}

/* A jump in reach to the symbol: jmp *0(%rip), and the address behind it. */
static char *stub_of(struct linking *l, struct placed_symbol *s)
{
    static const unsigned char jump[6] = { 0xff, 0x25 };
    if (!s->stub) {
        s->stub = take(&l->stubs, STUB, STUB);
        if (s->stub) {
            memcpy(s->stub, jump, sizeof jump);
            memcpy(s->stub + sizeof jump, &s->address, sizeof s->address);
        }
    }
    return s->stub;
}

static bool put32(char *where, int64_t value)
{
    int32_t narrow = (int32_t)value;
    memcpy(where, &narrow, sizeof narrow);
    return value == narrow;
}

/* The distance from where to target + addend. */
static bool put_distance(char *where, const char *target, int64_t addend)
{
    return put32(where, (int64_t)((uint64_t)(uintptr_t)target + (uint64_t)addend - (uint64_t)(uintptr_t)where));
}

/* Whether the instruction that ends in this place calls or jumps. */
static bool is_branch(const char *where, const char *section)
{
    unsigned char before = where > section ? (unsigned char)where[-1] : 0;
    return before == 0xe8 || before == 0xe9;
}

static enum err_code relocate(struct linking *l, const Elf64_Rela *r, char *where, const char *section)
{
    struct placed_symbol *s = &l->t->symbols[ELF64_R_SYM(r->r_info)];
    uint64_t value;
    char *via;
    enum err_code code = find(l, s);
    if (code) {
        return code;
    }
    switch (ELF64_R_TYPE(r->r_info)) {
    case R_X86_64_NONE:
        return ERR_NONE;
    case R_X86_64_64:
        value = (uint64_t)(uintptr_t)s->address + (uint64_t)r->r_addend;
        memcpy(where, &value, sizeof value);
        return ERR_NONE;
    case R_X86_64_PC64:
        value = (uint64_t)(uintptr_t)s->address + (uint64_t)r->r_addend - (uint64_t)(uintptr_t)where;
        memcpy(where, &value, sizeof value);
        return ERR_NONE;
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
        if (put_distance(where, s->address, r->r_addend)) {
            return ERR_NONE;
        }
        via = ELF64_R_TYPE(r->r_info) == R_X86_64_PLT32 || is_branch(where, section) ? stub_of(l, s) : NULL;
        break;
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX:
        via = got_of(l, s);
        break;
    default:
        return err_set(l->e, ERR_FORMAT, "a relocation of kind %u needs a linker", (unsigned)ELF64_R_TYPE(r->r_info));
    }
    if (via && put_distance(where, via, r->r_addend)) {
        return ERR_NONE;
    }
    return err_set(l->e, ERR_FORMAT, "'%s' is out of reach", s->name);
}

static enum err_code relocate_section(struct linking *l, const struct object *o, const Elf64_Shdr *s)
{
    const Elf64_Shdr *target = s->sh_info < l->t->nsections ? &l->t->sections[s->sh_info] : NULL;
    if (!target || !target->sh_addr) {
        return ERR_NONE; /* of debug information */
    }
    char *section = (char *)(uintptr_t)target->sh_addr;
    for (uint64_t at = 0; at + sizeof(Elf64_Rela) <= s->sh_size; at += sizeof(Elf64_Rela)) {
        Elf64_Rela r;
        memcpy(&r, o->data + s->sh_offset + at, sizeof r);
        if (r.r_offset > target->sh_size || target->sh_size - r.r_offset < 4 ||
            ELF64_R_SYM(r.r_info) >= l->t->nsymbols) {
            return object_damaged(l->e);
        }
        enum err_code code = relocate(l, &r, section + r.r_offset, section);
        if (code) {
            return code;
        }
    }
    return ERR_NONE;
}

/* Room for n of one size, which measure has counted. */
static struct place part(struct place *p, size_t n, size_t size)
{
    char *at = take(p, n * size, size);
    return (struct place){ .at = at, .limit = at ? at + n * size : NULL };
}

static enum err_code link_all(struct object *o, struct tables *t, struct err *e)
{
    struct place at[PLACES];
    enum err_code code = read_sections(o, t, e);
    code = code ? code : read_symbols(o, t, e);
    code = code ? code : object_look(o, t, e);
    code = code ? code : take_blocks(o, t, at, e);
    code = code ? code : place_sections(o, t, at, e);
    code = code ? code : place_symbols(o, t, at, e);
    struct linking l = { .t = t, .home = o->home, .e = e };
    if (!code) {
        l.got = part(&at[IN_CODE], t->ngot, sizeof(uint64_t));
        l.stubs = part(&at[IN_CODE], t->nstubs, STUB);
    }
    for (size_t i = 0; i < t->nsections && !code; i++) {
        if (t->sections[i].sh_type == SHT_RELA) {
            code = relocate_section(&l, o, &t->sections[i]);
        }
    }
    return code;
}

enum err_code object_place(struct object *out, char *data, size_t len, const struct object_home *home, struct err *e)
{
    struct tables *t = calloc(1, sizeof *t);
    *out = (struct object){ .data = data, .len = len, .tables = t, .home = home };
    if (!t) {
        return err_memory(e);
    }
    enum err_code code = link_all(out, t, e);
    if (code) {
        give_back(out);
    }
    return code;
}

void *object_symbol(const struct object *o, const char *name)
{
    const struct tables *t = o->tables;
    for (size_t i = 1; i < t->nsymbols; i++) {
        const struct placed_symbol *s = &t->symbols[i];
        if (s->sym.st_shndx != SHN_UNDEF && ELF64_ST_BIND(s->sym.st_info) != STB_LOCAL && strcmp(s->name, name) == 0) {
            return s->own;
        }
    }
    return NULL;
}

void (**object_constructors(const struct object *o, size_t *count))(void)
{
    const struct tables *t = o->tables;
    for (size_t i = 0; i < t->nsections; i++) {
        if (t->sections[i].sh_type == SHT_INIT_ARRAY) {
            void (**functions)(void);
            uintptr_t at = (uintptr_t)t->sections[i].sh_addr;
            memcpy(&functions, &at, sizeof functions);
            *count = t->sections[i].sh_size / sizeof *functions;
            return functions;
        }
    }
    *count = 0;
    return NULL;
}
