/* The session's linker: what is common to tcc's cells and cc's.
 *
 *   code   one reserved mapping, read-write-execute; each tcc cell takes the next piece
 *   names  symbols: newest cell's definition first, then the host's, then libraries'
 *
 * A function defined again: the first bytes of the old one become a jump to the new one, so that earlier callers and
 * stored pointers reach it. A cell enters the tables only after it is compiled and linked. */
#include "runtime/build/cells.h"

#include "runtime/build/where.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CODE_RESERVED = 1 << 30 };

enum err_code build_cells_new(struct build_cells **out, struct err *e)
{
    struct build_cells *b = calloc(1, sizeof *b);
    if (!b) {
        return err_memory(e);
    }
    symbols_init(&b->symbols);
    b->object_fd = memfd_create("weir-cell", MFD_CLOEXEC);
    enum err_code code = build_paths(&b->include_dir, NULL, NULL, e);
    if (!code && b->object_fd < 0) {
        code = err_errno(e, "can't make a memory file");
    }
    if (!code) {
        void *map = mmap(NULL, CODE_RESERVED, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (map == MAP_FAILED) {
            code = err_errno(e, "can't reserve memory for code");
        } else {
            b->code = map;
        }
    }
    code = code ? code : cells_helpers(b, e);
    if (code) {
        build_cells_free(b);
        return code;
    }
    *out = b;
    return ERR_NONE;
}

void cells_unit_done(struct unit *u)
{
    free(u->text);
    free(u->anchor);
    if (u->handle) {
        (void)dlclose(u->handle); /* nothing to do about a failure */
    }
    if (u->so > 0) {
        (void)close(u->so);
    }
}

void build_cells_free(struct build_cells *b)
{
    if (!b) {
        return;
    }
    for (size_t i = 0; i < b->nunits; i++) {
        cells_unit_done(&b->units[i]);
    }
    free(b->units);
    if (b->code) {
        (void)munmap(b->code, CODE_RESERVED);
    }
    if (b->object_fd >= 0) {
        (void)close(b->object_fd);
    }
    symbols_done(&b->symbols);
    free(b);
}

enum err_code build_cells_host(struct build_cells *b, const char *name, void *address, struct err *e)
{
    struct symbol *s = symbols_put(&b->symbols, name, strlen(name));
    if (!s) {
        return err_memory(e);
    }
    s->host = address;
    s->library = false;
    return ERR_NONE;
}

void *build_cells_find(const struct build_cells *b, const char *name)
{
    const struct symbol *s = symbols_find(&b->symbols, name, strlen(name));
    if (!s) {
        return NULL;
    }
    return s->cell ? s->cell : s->host;
}

void build_cells_lines(struct build_cells *b, build_line *line, void *ctx)
{
    b->line = line;
    b->line_ctx = ctx;
}

struct suspect cells_suspect(const struct cell_job *j, const struct flags *user)
{
    return (struct suspect){ .text = j->text,
                             .len = j->len,
                             .include_dir = j->b->include_dir,
                             .extra = user->argv,
                             .line = j->b->line,
                             .line_ctx = j->b->line_ctx };
}

/* Whether this cell itself defines the name (with storage of its own). */
static bool cells_defines(const struct cell_job *j, const char *name, size_t len)
{
    for (size_t i = 0; i < j->ndefined; i++) {
        const char *d = j->defined[i].name;
        if (!j->defined[i].keeps_storage && strncmp(d, name, len) == 0 && d[len] == '\0') {
            return true;
        }
    }
    return j->entry && strncmp(j->entry, name, len) == 0 && j->entry[len] == '\0';
}

void cells_known(const struct cell_job *j, cells_visit *visit, void *ctx)
{
    for (const char *s = j->text; *s;) {
        if (!isalpha((unsigned char)*s) && *s != '_') {
            s++;
            continue;
        }
        size_t len = 1;
        while (isalnum((unsigned char)s[len]) || s[len] == '_') {
            len++;
        }
        const struct symbol *known = symbols_find(&j->b->symbols, s, len);
        if (known && (known->cell || known->host) && !cells_defines(j, s, len)) {
            visit(ctx, known->name, known->cell ? known->cell : known->host);
        }
        s += len;
    }
}

/* ---- redefinition ---- */

/* Make calls to `from` arrive at `to`. The jump takes 5 bytes in reach, else 13 (through r11, which no call preserves):
 * tcc's shortest function has 13, cc's begin with 16 bytes of nops. */
static bool redirect(void *from, const void *to)
{
    unsigned char jump[13] = { 0xe9 };
    size_t size = 5;
    intptr_t distance = (intptr_t)to - ((intptr_t)from + 5);
    if (distance >= INT32_MIN && distance <= INT32_MAX) {
        int32_t near = (int32_t)distance;
        memcpy(jump + 1, &near, sizeof near);
    } else {
        jump[0] = 0x49; /* movabs $to, %r11 */
        jump[1] = 0xbb;
        memcpy(jump + 2, &to, sizeof to);
        jump[10] = 0x41; /* jmp *%r11 */
        jump[11] = 0xff;
        jump[12] = 0xe3;
        size = sizeof jump;
    }
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = (uintptr_t)from & ~(page - 1);
    if (mprotect((void *)first, (uintptr_t)from + size - first, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
        return false;
    }
    memcpy(from, jump, size);
    return true;
}

enum err_code cells_reserve_unit(struct build_cells *b, struct err *e)
{
    if (b->nunits == b->cap_units) {
        size_t cap = b->cap_units ? b->cap_units * 2 : 64;
        struct unit *grown = realloc(b->units, cap * sizeof *grown);
        if (!grown) {
            return err_memory(e);
        }
        b->units = grown;
        b->cap_units = cap;
    }
    return ERR_NONE;
}

/* Room for the unit and all names beforehand, so that nothing can fail halfway. */
static enum err_code reserve(struct cell_job *j, struct err *e)
{
    struct build_cells *b = j->b;
    enum err_code code = cells_reserve_unit(b, e);
    if (code) {
        return code;
    }
    for (size_t i = 0; i < j->ndefined; i++) {
        if (!symbols_put(&b->symbols, j->defined[i].name, strlen(j->defined[i].name))) {
            return err_memory(e);
        }
    }
    return ERR_NONE;
}

/* The cell is in: its names mean its definitions. ERR_IO: an old function can't be redirected (its page is locked). */
static enum err_code enter(struct cell_job *j, struct err *e)
{
    struct build_cells *b = j->b;
    for (size_t i = 0; i < j->ndefined; i++) {
        const struct build_symbol *d = &j->defined[i];
        struct symbol *s = symbols_find(&b->symbols, d->name, strlen(d->name));
        if (d->keeps_storage || !s) {
            continue;
        }
        if (d->function && !d->other_type && s->cell && s->function && !redirect(s->cell, j->addresses[i])) {
            return err_errno(e, "can't redirect the earlier '%s'", d->name);
        }
        s->cell = j->addresses[i];
        s->function = d->function;
    }
    b->units[b->nunits++] = j->unit;
    b->code_used += j->code_size;
    b->constructors = j->constructors;
    b->nconstructors = j->nconstructors;
    j->unit = (struct unit){ .start = NULL }; /* given away */
    return ERR_NONE;
}

enum err_code build_cells_add(struct build_cells *b, const char *label, const char *text, size_t len, const char *entry,
                              bool cc, const struct build_symbol *defined, size_t ndefined, void **entry_address,
                              struct err *e)
{
    struct cell_job j = {
        .b = b, .label = label, .entry = entry, .len = len, .defined = defined, .ndefined = ndefined
    };
    bool use_cc = cc;
    enum err_code code = ERR_NONE;
    j.text = strndup(text, len);
    j.addresses = calloc(ndefined + 1, sizeof *j.addresses);
    (void)snprintf(j.unit.label, sizeof j.unit.label, "%s", label);
    code = j.text && j.addresses ? reserve(&j, e) : err_memory(e);
    if (!code && !use_cc) {
        code = cells_tcc(&j, &use_cc, e);
    }
    if (!code && use_cc) {
        code = cells_cc(&j, e);
    }
    code = code ? code : enter(&j, e);
    if (!code && entry_address) {
        *entry_address = entry ? j.addresses[ndefined] : NULL;
    }
    cells_unit_done(&j.unit);
    free(j.addresses);
    free(j.text);
    return code;
}

void build_cells_construct(struct build_cells *b)
{
    void (**functions)(void) = b->constructors;
    size_t n = b->nconstructors;
    b->nconstructors = 0;
    for (size_t i = 0; i < n; i++) {
        functions[i]();
    }
}

/* ---- where ---- */

static const struct unit *unit_of(const struct build_cells *b, const void *pc)
{
    const char *at = pc;
    for (size_t i = b->nunits; i-- > 0;) {
        if (at >= b->units[i].start && at < b->units[i].end) {
            return &b->units[i];
        }
    }
    return NULL;
}

/* Asked of thousands of words by a handler: not unit by unit. */
bool build_cells_has(const struct build_cells *b, const void *pc)
{
    const char *at = pc;
    return (at >= b->code && at < b->code + b->code_used) || cells_cc_has(pc);
}

bool build_cells_where(struct build_cells *b, const void *pc, struct build_where *out)
{
    const struct unit *u = unit_of(b, pc);
    if (!u) {
        return false;
    }
    if (u->so > 0) { /* by our pid, since a tool reads it */
        char path[64];
        (void)snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getpid(), u->so);
        return where_ask(path, (uint64_t)((const char *)pc - u->start), out);
    }
    return u->anchor && where_tcc(u->text, u->anchor, (const char *)pc - u->anchor_at, out);
}
