/* What an object's relocations tell before it is placed. See object_tables.h.
 *
 * Somebody may hold a pointer to whatever has its address taken:
 *
 *   a string literal                  L.12, from the code alone: goes to the pool, once for ever
 *   a constant that is only loaded    nobody
 *   our tables of a value's layout    weir_f, weir_type_...: only weir_session_value sees them, and keeps nothing; so
 *                                     with weir_v, which is copied from (but what it points to stays)
 *   any other data                    variables, static locals, literals in initialisers: stays
 *   a function of the cell            by its gate, which stays; called by name, no address is taken
 *   a label, another function         its address in the code: the code stays */
#include "runtime/build/object_tables.h"

#include <stdlib.h>
#include <string.h>

/* Data symbols by section and place, to tell which one a relocation lies in. */
struct extents {
    struct placed_symbol **at; /* owned */
    size_t count;
};

static bool is_code(const struct tables *t, const struct placed_symbol *s)
{
    return s->sym.st_shndx != SHN_UNDEF && s->sym.st_shndx < t->nsections &&
           (t->sections[s->sym.st_shndx].sh_flags & SHF_EXECINSTR);
}

static bool is_data(const struct tables *t, const struct placed_symbol *s)
{
    return s->sym.st_shndx == SHN_COMMON ||
           (s->sym.st_shndx != SHN_UNDEF && s->sym.st_shndx < t->nsections &&
            (t->sections[s->sym.st_shndx].sh_flags & SHF_ALLOC) && !is_code(t, s));
}

static bool is_local(const struct placed_symbol *s)
{
    return ELF64_ST_BIND(s->sym.st_info) == STB_LOCAL;
}

/* tcc's own name for a literal or constant. */
static bool is_anonymous(const struct placed_symbol *s)
{
    return is_local(s) && strncmp(s->name, "L.", 2) == 0;
}

/* What an initialiser in the entry is copied from (runtime/lang/cell_entry.c). */
static bool is_pattern(const struct placed_symbol *s)
{
    return is_local(s) && strcmp(s->name, "weir_v") == 0;
}

/* A table that describes a value (runtime/lang/describe.c). */
static bool is_table(const struct placed_symbol *s)
{
    return is_local(s) && (strcmp(s->name, "weir_f") == 0 || strncmp(s->name, "weir_type_", 10) == 0);
}

static int by_place(const void *a, const void *b)
{
    const struct placed_symbol *x = *(struct placed_symbol *const *)a, *y = *(struct placed_symbol *const *)b;
    if (x->sym.st_shndx != y->sym.st_shndx) {
        return x->sym.st_shndx < y->sym.st_shndx ? -1 : 1;
    }
    return x->sym.st_value < y->sym.st_value ? -1 : x->sym.st_value > y->sym.st_value;
}

static enum err_code sort_extents(struct tables *t, struct extents *x, struct err *e)
{
    x->at = calloc(t->nsymbols + 1, sizeof(struct placed_symbol *));
    if (!x->at) {
        return err_memory(e);
    }
    for (size_t i = 1; i < t->nsymbols; i++) {
        struct placed_symbol *s = &t->symbols[i];
        if (is_data(t, s) && s->sym.st_shndx != SHN_COMMON && ELF64_ST_TYPE(s->sym.st_info) != STT_SECTION) {
            x->at[x->count++] = s;
        }
    }
    if (x->count) {
        qsort(x->at, x->count, sizeof(struct placed_symbol *), by_place);
    }
    return ERR_NONE;
}

/* The data symbol that this place of a section belongs to; NULL: none. */
static struct placed_symbol *extent_at(const struct extents *x, size_t section, uint64_t offset)
{
    size_t low = 0, high = x->count;
    while (low < high) { /* the first symbol behind it */
        size_t middle = low + (high - low) / 2;
        const Elf64_Sym *s = &x->at[middle]->sym;
        if (s->st_shndx < section || (s->st_shndx == section && s->st_value <= offset)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct placed_symbol *s = low > 0 ? x->at[low - 1] : NULL;
    return s && s->sym.st_shndx == section && offset - s->sym.st_value < s->sym.st_size ? s : NULL;
}

/* Whether the instruction takes an address (lea), rather than loads or stores what is there. */
static bool takes_address(const struct object *o, const Elf64_Shdr *target, const Elf64_Rela *r)
{
    bool direct = ELF64_R_TYPE(r->r_info) == R_X86_64_PC32 && r->r_offset >= 2;
    return !direct || (unsigned char)o->data[target->sh_offset + r->r_offset - 2] == 0x8d;
}

/* Whether the relocated operand is a call's or jump's. */
static bool is_branch(const struct object *o, const Elf64_Shdr *target, const Elf64_Rela *r)
{
    if (ELF64_R_TYPE(r->r_info) == R_X86_64_PLT32) {
        return true;
    }
    unsigned char before = r->r_offset > 0 ? (unsigned char)o->data[target->sh_offset + r->r_offset - 1] : 0;
    return ELF64_R_TYPE(r->r_info) == R_X86_64_PC32 && (before == 0xe8 || before == 0xe9);
}

static void look(struct object *o, struct tables *t, const struct extents *x, size_t target, const Elf64_Rela *r)
{
    const Elf64_Shdr *section = &t->sections[target];
    struct placed_symbol *s = &t->symbols[ELF64_R_SYM(r->r_info)];
    unsigned type = ELF64_R_TYPE(r->r_info);
    bool in_code = section->sh_flags & SHF_EXECINSTR;
    bool branch = in_code && is_branch(o, section, r);
    struct placed_symbol *holder = in_code ? NULL : extent_at(x, target, r->r_offset);
    if (holder) {
        holder->holds_addresses = true;
    }
    s->from_code = s->from_code || (in_code && takes_address(o, section, r));
    s->from_tables = s->from_tables || (holder && is_table(holder));
    s->from_data = s->from_data || (!in_code && !(holder && is_table(holder)));
    s->wants_got = s->wants_got || type == R_X86_64_GOTPCREL || type == R_X86_64_GOTPCRELX || type == R_X86_64_REX_GOTPCRELX;
    s->wants_stub = s->wants_stub || branch;
    if (is_code(t, s) && !s->gate && !branch) {
        o->code_stays = true;
    }
    o->data_stays = o->data_stays || (ELF64_ST_TYPE(s->sym.st_info) == STT_SECTION && is_data(t, s));
}

static enum err_code look_all(struct object *o, struct tables *t, const struct extents *x, struct err *e)
{
    for (size_t i = 0; i < t->nsections; i++) {
        const Elf64_Shdr *s = &t->sections[i];
        if (s->sh_type != SHT_RELA || s->sh_info >= t->nsections || !(t->sections[s->sh_info].sh_flags & SHF_ALLOC)) {
            continue;
        }
        const Elf64_Shdr *target = &t->sections[s->sh_info];
        for (uint64_t at = 0; at + sizeof(Elf64_Rela) <= s->sh_size; at += sizeof(Elf64_Rela)) {
            Elf64_Rela r;
            memcpy(&r, o->data + s->sh_offset + at, sizeof r);
            if (r.r_offset > target->sh_size || target->sh_size - r.r_offset < 4 || target->sh_type == SHT_NOBITS ||
                ELF64_R_SYM(r.r_info) >= t->nsymbols) {
                return object_damaged(e);
            }
            look(o, t, x, s->sh_info, &r);
        }
    }
    return ERR_NONE;
}

/* A literal's bytes in the pool; NULL: it has to stay with the cell. */
static char *literal(const struct object *o, const struct tables *t, const struct placed_symbol *s)
{
    const Elf64_Shdr *section = &t->sections[s->sym.st_shndx];
    uint64_t at = s->sym.st_value, size = s->sym.st_size;
    if (section->sh_type == SHT_NOBITS || s->holds_addresses || size == 0 || at > section->sh_size ||
        size > section->sh_size - at) {
        return NULL;
    }
    size_t align = size >= 16 ? 16 : size >= 8 ? 8 : size >= 4 ? 4 : 1;
    const char *kept = pool_put(o->home->literals, o->data + section->sh_offset + at, size, align);
    char *place;
    memcpy(&place, &kept, sizeof place); /* references are placed, never written through by us */
    return place;
}

static void settle(struct object *o, struct tables *t)
{
    for (size_t i = 1; i < t->nsymbols; i++) {
        struct placed_symbol *s = &t->symbols[i];
        t->ngot += s->wants_got;
        t->nstubs += s->wants_stub;
        if (!is_data(t, s) || ELF64_ST_TYPE(s->sym.st_info) == STT_SECTION || is_table(s) ||
            is_pattern(s)) {
            continue;
        }
        if (is_anonymous(s) && s->from_code && !s->from_data && !s->from_tables) {
            s->literal = literal(o, t, s);
        }
        bool unseen = is_anonymous(s) && !s->from_code && !s->from_data; /* our tables alone may refer to it */
        o->data_stays = o->data_stays || (!s->literal && !unseen);
    }
}

enum err_code object_look(struct object *o, struct tables *t, struct err *e)
{
    struct extents x = { .at = NULL };
    for (size_t i = 1; i < t->nsymbols; i++) {
        struct placed_symbol *s = &t->symbols[i];
        if (is_code(t, s) && !is_local(s)) {
            s->gate = o->home->gate(o->home->ctx, s->name);
        }
    }
    enum err_code code = sort_extents(t, &x, e);
    code = code ? code : look_all(o, t, &x, e);
    if (!code) {
        settle(o, t);
    }
    free(x.at);
    return code;
}
