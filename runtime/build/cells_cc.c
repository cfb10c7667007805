/* A cell by cc: a shared object in a memory file, loaded with names of its own.
 *
 * What earlier cells define is handed to ld as absolute symbols (an assembler file of `.set name, address`); code
 * reaches them through the GOT (-fno-plt), whose entries elf64_fix_absolute puts right. Own names bind to themselves
 * (-Bsymbolic), whatever the host exports. Functions begin with 16 bytes of nops, room for a jump through their gate. */
#include "runtime/build/cells.h"

#include "runtime/base/file.h"
#include "runtime/base/spawn.h"
#include "runtime/build/diagnostics.h"
#include "runtime/build/elf64.h"
#include "runtime/build/flags.h"
#include "runtime/build/temporary.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { SO_MAX = 256 << 20 };

/* What cells' shared objects are loaded by, and nothing else is. */
#define LOADED_FROM "/proc/self/fd/"

static void set_symbol(void *ctx, const char *name, void *address)
{
    buf_printf(ctx, ".globl %s\n.set %s, %p\n", name, name, address);
}

/* Names from libraries are the loader's business: only cells' and the host's own are set. */
struct known {
    struct buf *out;
    const struct symbols *symbols;
};

static void set_known(void *ctx, const char *name, void *address)
{
    struct known *k = ctx;
    const struct symbol *s = symbols_find(k->symbols, name, strlen(name));
    if (s && (s->cell || !s->library)) {
        set_symbol(k->out, name, address);
    }
}

/* Functions that only later cells will define, if any does. */
static void set_later(const struct cell_job *j, struct buf *out)
{
    for (size_t i = 0; i < j->ndefined; i++) {
        const char *name = j->defined[i].name;
        void *address = j->defined[i].declared ? cells_resolve(j, name) : NULL;
        const struct symbol *s = symbols_find(&j->b->symbols, name, strlen(name));
        if (address && s && !s->cell && !s->host) {
            set_symbol(out, name, address);
        }
    }
}

static enum err_code write_sources(struct cell_job *j, const char *source, const char *symbols, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    struct known k = { .out = &text, .symbols = &j->b->symbols };
    cells_known(j, set_known, &k);
    set_later(j, &text);
    buf_str(&text, ".section .note.GNU-stack,\"\",@progbits\n");
    enum err_code code = buf_check(&text, "the cell's symbols", e);
    code = code ? code : file_write_atomic(symbols, text.data, text.len, 0600, 0, e);
    code = code ? code : file_write_atomic(source, j->text, j->len, 0600, 0, e);
    buf_done(&text);
    return code;
}

static enum err_code compile(struct cell_job *j, const char *source, const char *symbols, const char *so, struct err *e)
{
    struct flags f, user;
    struct buf output;
    int status = 0;
    flags_init(&f);
    flags_init(&user);
    flags_words(&user, getenv("WEIR_CFLAGS"));
    buf_init(&output, 1 << 20);
    const char *const head[] = { flags_compiler(),
                                 "-O1",
                                 "-gdwarf-4",
                                 "-shared",
                                 "-fPIC",
                                 "-fno-plt",
                                 "-fno-omit-frame-pointer",
                                 "-fpatchable-function-entry=16",
                                 "-fdiagnostics-plain-output",
                                 "-Wl,-Bsymbolic",
                                 "-Wl,--no-relax",
                                 "-I",
                                 j->b->include_dir,
                                 "-o",
                                 so,
                                 NULL };
    flags_adds(&f, head);
    flags_adds(&f, flags_strict());
    flags_adds(&f, build_cc_flags());
    flags_add(&f, source);
    flags_add(&f, symbols);
    flags_adds(&f, user.argv);
    flags_add(&f, "-lm");
    enum err_code code = flags_ok(&f) && !user.failed ? spawn_capture(f.argv, &output, &status, e) : err_memory(e);
    const struct suspect suspect = cells_suspect(j, &user);
    if (!code && status != 0 && diagnose(&suspect, e) != DIAGNOSIS_ERRORS) {
        code = err_at(e, ERR_COMPILE, j->label, 0, "%s: %s failed: %s", j->label, flags_compiler(), output.data);
    } else if (!code && status != 0) {
        code = ERR_COMPILE;
    }
    buf_done(&output);
    flags_done(&user);
    flags_done(&f);
    return code;
}

/* The extent of a loaded object, for `where`. */
struct extent {
    const char *start, *end;
};

static int find_extent(struct dl_phdr_info *info, size_t size, void *ctx)
{
    struct extent *x = ctx;
    (void)size; /* every field we read is in the first version of the struct */
    if ((uintptr_t)info->dlpi_addr != (uintptr_t)x->start) {
        return 0;
    }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && x->start + p->p_vaddr + p->p_memsz > x->end) {
            x->end = x->start + p->p_vaddr + p->p_memsz;
        }
    }
    return 1;
}

/* Calls inside the object go through the gates too. */
static enum err_code make_replaceable(struct cell_job *j, struct err *e)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < j->ndefined && !code; i++) {
        if (j->gates[i]) {
            code = gate_patch(j->addresses[i], j->gates[i], &j->addresses[i], e);
        }
    }
    return code;
}

static enum err_code load(struct cell_job *j, struct err *e)
{
    struct link_map *map = NULL;
    char path[64];
    (void)snprintf(path, sizeof path, LOADED_FROM "%d", j->unit->so);
    j->unit->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!j->unit->handle || dlinfo(j->unit->handle, RTLD_DI_LINKMAP, &map) != 0) {
        const char *why = dlerror();
        return err_at(e, ERR_COMPILE, j->label, 0, "%s: error: can't be loaded: %s", j->label,
                      why ? why : "unknown reason");
    }
    struct extent x = { .start = (const char *)map->l_addr };
    (void)dl_iterate_phdr(find_extent, &x);
    j->unit->start = x.start;
    j->unit->end = x.end;
    for (size_t i = 0; i <= j->ndefined; i++) {
        const char *name = i < j->ndefined ? j->defined[i].name : j->entry;
        if (!name || (i < j->ndefined && !cells_is_own(&j->defined[i]))) {
            continue;
        }
        j->addresses[i] = dlsym(j->unit->handle, name);
        if (!j->addresses[i]) {
            return err_at(e, ERR_COMPILE, j->label, 0, "%s: error: '%s' is not defined by the compiled cell", j->label,
                          name);
        }
    }
    return make_replaceable(j, e);
}

bool cells_cc_has(const void *pc)
{
    struct dl_find_object found;
    void *address;
    memcpy(&address, &pc, sizeof address); /* it is only compared */
    return _dl_find_object(address, &found) == 0 && found.dlfo_link_map->l_name &&
           strncmp(found.dlfo_link_map->l_name, LOADED_FROM, sizeof LOADED_FROM - 1) == 0;
}

/* The shared object at path, with its absolute symbols right, as a memory file: nothing is left on disk. */
static enum err_code keep(struct cell_job *j, const char *path, struct err *e)
{
    char *data = NULL;
    size_t len = 0;
    enum err_code code = file_read(path, SO_MAX, &data, &len, e);
    code = code ? code : elf64_fix_absolute(data, len, e);
    if (!code) {
        int fd = memfd_create("weir-cell.so", MFD_CLOEXEC);
        if (fd < 0) {
            code = err_errno(e, "can't make a memory file");
        } else {
            j->unit->so = fd;
            code = file_write_all(fd, data, len, "a cell's code", e);
        }
    }
    free(data);
    return code;
}

enum err_code cells_cc(struct cell_job *j, struct err *e)
{
    struct temporary dir;
    char source[600], symbols[600], so[600];
    enum err_code code = temporary_make(&dir, e);
    if (code) {
        return code;
    }
    (void)snprintf(source, sizeof source, "%s", temporary_path(&dir, "cell.c")); /* none can be cut */
    (void)snprintf(symbols, sizeof symbols, "%s", temporary_path(&dir, "symbols.s"));
    (void)snprintf(so, sizeof so, "%s", temporary_path(&dir, "cell.so"));
    code = write_sources(j, source, symbols, e);
    code = code ? code : compile(j, source, symbols, so, e);
    code = code ? code : keep(j, so, e);
    temporary_remove(&dir);
    return code ? code : load(j, e);
}
