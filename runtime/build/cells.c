/* The session's linker: what is common to tcc's cells and cc's.
 *
 *   map    | gates | literals, read-only | code | data | data of large cells ... |
 *   names  symbols: newest cell's definition first, then the host's, then libraries'
 *
 * The mapping is reserved whole and costs what is used of it. Up to `data`, all of it is within reach of a 32-bit
 * distance. A cell enters the tables only after it is compiled and linked. */
#include "runtime/build/cells.h"

#include "runtime/build/where.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GATES_SIZE = 16 << 20, LITERALS_SIZE = 48 << 20, CODE_SIZE = 256 << 20, NEAR_SIZE = 1 << 30 };
static const size_t map_sizes[] = { (size_t)64 << 30, (size_t)2 << 30 }; /* the second where address space is limited */

static enum err_code reserve_map(struct build_cells *b, struct err *e)
{
    void *map = MAP_FAILED;
    for (size_t i = 0; i < sizeof map_sizes / sizeof *map_sizes && map == MAP_FAILED; i++) {
        b->map_size = map_sizes[i];
        map = mmap(NULL, b->map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (map == MAP_FAILED) {
        return err_errno(e, "can't reserve memory for code");
    }
    b->map = map;
    char *literals = b->map + GATES_SIZE, *code = literals + LITERALS_SIZE, *data = code + CODE_SIZE;
    char *far = b->map + NEAR_SIZE;
    b->gates = (struct gates){ .base = b->map, .size = GATES_SIZE };
    if (mprotect(b->map, GATES_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) != 0 ||
        mprotect(code, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) != 0 ||
        !pool_init(&b->literals, literals, LITERALS_SIZE)) {
        return err_errno(e, "can't make memory for code executable");
    }
    (void)madvise(b->map, NEAR_SIZE, MADV_NOHUGEPAGE); /* a little of each part is used */
    (void)madvise(far, b->map_size - NEAR_SIZE, MADV_HUGEPAGE); /* cheap to fork once it is full */
    bool ok = area_init(&b->code, code, CODE_SIZE) && area_init(&b->data, data, (size_t)(far - data)) &&
              area_init(&b->far, far, b->map_size - NEAR_SIZE);
    return ok ? ERR_NONE : err_memory(e);
}

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
    code = code ? code : reserve_map(b, e);
    code = code ? code : cells_helpers(b, e);
    if (code) {
        build_cells_free(b);
        return code;
    }
    *out = b;
    return ERR_NONE;
}

void cells_unit_free(struct build_cells *b, struct unit *u)
{
    if (!u) {
        return;
    }
    free(u->text);
    free(u->anchor);
    if (u->handle) {
        (void)dlclose(u->handle); /* nothing to do about a failure */
    }
    if (u->so > 0) {
        (void)close(u->so);
    }
    area_give(&b->code, u->code);
    area_give(&b->data, u->near);
    area_give(&b->far, u->far);
    free(u);
}

void build_cells_free(struct build_cells *b)
{
    if (!b) {
        return;
    }
    for (size_t i = 0; i < b->nunits; i++) {
        cells_unit_free(b, b->units[i]);
    }
    free(b->units);
    free(b->idle);
    area_done(&b->code);
    area_done(&b->data);
    area_done(&b->far);
    pool_done(&b->literals);
    if (b->map) {
        (void)munmap(b->map, b->map_size);
    }
    if (b->object_fd >= 0) {
        (void)close(b->object_fd);
    }
    symbols_done(&b->symbols);
    free(b);
}

void build_cells_undefined(struct build_cells *b, void (*called)(const char *name))
{
    b->undefined = called;
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
        if (cells_is_own(&j->defined[i]) && strncmp(d, name, len) == 0 && d[len] == '\0') {
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

/* ---- names that are not defined here ---- */

static bool declares(const struct cell_job *j, const char *name)
{
    for (size_t i = 0; i < j->ndefined; i++) {
        if (j->defined[i].declared && strcmp(j->defined[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Code that tells b->undefined the name; the stack is its caller's. NULL: no room. */
static char *make_trap(struct build_cells *b, const char *name)
{
    enum { TRAP = 22 };
    unsigned char code[TRAP] = { 0x48, 0xbf }; /* movabs $name, %rdi; movabs $undefined, %rax; jmp *%rax */
    struct block at = area_take(&b->code, TRAP, 16);
    if (!at.at) {
        return NULL;
    }
    memcpy(code + 2, &name, sizeof name);
    code[10] = 0x48;
    code[11] = 0xb8;
    memcpy(code + 12, &b->undefined, sizeof b->undefined);
    code[20] = 0xff;
    code[21] = 0xe0;
    memcpy(at.at, code, sizeof code);
    return at.at;
}

static char *gate_for_later(struct build_cells *b, struct symbol *s)
{
    if (!s->gate) {
        char *trap = make_trap(b, s->name);
        s->gate = trap ? gate_new(&b->gates, trap) : NULL;
    }
    return s->gate;
}

void *cells_resolve(const struct cell_job *j, const char *name)
{
    struct build_cells *b = j->b;
    struct symbol *s = symbols_put(&b->symbols, name, strlen(name));
    if (!s) {
        return NULL;
    }
    if (!s->cell && !s->host) {
        s->host = dlsym(RTLD_DEFAULT, name);
        s->library = true;
    }
    if (!s->cell && !s->host && b->undefined && declares(j, name)) {
        return gate_for_later(b, s);
    }
    return s->cell ? s->cell : s->host;
}

/* ---- entering ---- */

enum err_code cells_reserve_unit(struct build_cells *b, struct err *e)
{
    if (b->nunits == b->cap_units) {
        size_t cap = b->cap_units ? b->cap_units * 2 : 64;
        struct unit **grown = realloc(b->units, cap * sizeof(struct unit *));
        if (!grown) {
            return err_memory(e);
        }
        b->units = grown;
        b->cap_units = cap;
    }
    return ERR_NONE;
}

void cells_unit_add(struct build_cells *b, struct unit *u)
{
    u->index = b->nunits;
    b->units[b->nunits++] = u;
    b->newest = u;
}

/* Room for the unit, and all names with their gates beforehand, so that nothing can fail halfway. */
static enum err_code reserve(struct cell_job *j, struct err *e)
{
    struct build_cells *b = j->b;
    enum err_code code = cells_reserve_unit(b, e);
    for (size_t i = 0; i < j->ndefined && !code; i++) {
        const struct build_symbol *d = &j->defined[i];
        struct symbol *s = symbols_put(&b->symbols, d->name, strlen(d->name));
        bool function = cells_is_own(d) && d->function;
        if (s && function) {
            j->gates[i] = s->gate && !d->other_type ? s->gate : gate_new(&b->gates, NULL);
        }
        code = s && (j->gates[i] || !function) ? ERR_NONE : err_memory(e);
    }
    return code;
}

static void enter_function(struct cell_job *j, struct symbol *s, char *gate, const void *address)
{
    struct unit *before = gate == s->gate ? s->unit : NULL; /* else earlier callers still use it */
    gate_lead(gate, address);
    s->gate = gate;
    s->cell = s->gate;
    s->unit = j->unit;
    j->unit->alive++;
    j->unit->has_functions = true;
    if (before && --before->alive == 0) {
        cells_idle(j->b, before);
    }
}

/* The cell is in: its names mean its definitions. */
static void enter(struct cell_job *j)
{
    struct build_cells *b = j->b;
    for (size_t i = 0; i < j->ndefined; i++) {
        const struct build_symbol *d = &j->defined[i];
        struct symbol *s = symbols_find(&b->symbols, d->name, strlen(d->name));
        if (!cells_is_own(d) || !s) {
            continue;
        }
        if (d->function) {
            enter_function(j, s, j->gates[i], j->addresses[i]);
        } else {
            s->cell = j->addresses[i];
        }
        s->function = d->function;
    }
    cells_unit_add(b, j->unit);
    b->constructors = j->constructors;
    b->nconstructors = j->nconstructors;
    j->unit = NULL; /* given away */
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
    j.gates = calloc(ndefined + 1, sizeof *j.gates);
    j.unit = calloc(1, sizeof *j.unit);
    code = j.text && j.addresses && j.gates && j.unit ? reserve(&j, e) : err_memory(e);
    if (!code) {
        (void)snprintf(j.unit->label, sizeof j.unit->label, "%s", label);
        b->has_contexts = b->has_contexts || memmem(text, len, "makecontext", 11);
    }
    if (!code && !use_cc) {
        code = cells_tcc(&j, &use_cc, e);
    }
    if (!code && use_cc) {
        code = cells_cc(&j, e);
    }
    if (!code) {
        enter(&j);
        if (entry_address) {
            *entry_address = entry ? j.addresses[ndefined] : NULL;
        }
    }
    cells_unit_free(b, j.unit);
    free(j.addresses);
    free(j.gates);
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
    const char *at = gate_follow(&b->gates, pc);
    for (size_t i = b->nunits; i-- > 0;) {
        if (at >= b->units[i]->start && at < b->units[i]->end) {
            return b->units[i];
        }
    }
    return NULL;
}

/* Asked of thousands of words by a handler: not unit by unit. */
bool build_cells_has(const struct build_cells *b, const void *pc)
{
    const char *at = gate_follow(&b->gates, pc);
    return (at >= b->code.base && at < b->code.base + b->code.size) || cells_cc_has(at);
}

bool build_cells_where(struct build_cells *b, const void *pc, struct build_where *out)
{
    const struct unit *u = unit_of(b, pc);
    if (!u) {
        return false;
    }
    pc = gate_follow(&b->gates, pc);
    if (u->so > 0) { /* by our pid, since a tool reads it */
        char path[64];
        (void)snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getpid(), u->so);
        return where_ask(path, (uint64_t)((const char *)pc - u->start), out);
    }
    return u->anchor && where_tcc(u->text, u->anchor, (const char *)pc - u->anchor_at, out);
}
