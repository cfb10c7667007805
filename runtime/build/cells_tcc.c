/* A cell by libtcc, in memory: compile, name what it needs, relocate into the session's code.
 *
 * -nostdlib keeps libtcc from reading libc and libtcc1.a for every cell (0.2 ms): names are looked up here. Those of
 * earlier cells and the host are found by the text's identifiers; a library's name is found when linking misses it, and
 * remembered, so that a cell is compiled twice only when it is the first to use such a name. */
#include "runtime/build/cells.h"

#include "runtime/build/diagnostics.h"
#include "runtime/build/flags.h"
#include "runtime/build/tcc.h"

#include <dlfcn.h>
#include <libtcc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODE_LIMIT = 1 << 30, CODE_ALIGN = 64 };

/* What tcc's code calls by itself, from libtcc1.a and libc. */
#define HELPERS(X)                                                                                                     \
    X(__fixdfdi)                                                                                                       \
    X(__fixsfdi) X(__fixunsdfdi) X(__fixunssfdi) X(__fixunsxfdi) X(__fixxfdi) X(__floatundidf) X(__floatundisf)        \
        X(__floatundixf) X(alloca) X(__va_arg) X(memcpy) X(memmove) X(memset)

#define HELPER_NAME(name) #name,
static const char *const helpers[] = { HELPERS(HELPER_NAME) };

enum err_code cells_helpers(struct build_cells *b, struct err *e)
{
/* under another name, since tcc knows some of them with types of their own */
#define HELPER_TEXT(name)                                                                                              \
    "extern char at_" #name "[] __asm__(\"" #name "\"); void *weir_" #name "(void) { return at_" #name "; }\n"
    static const char text[] = HELPERS(HELPER_TEXT);
    struct tcc t;
    enum err_code code = tcc_begin(&t, TCC_OUTPUT_MEMORY, NULL, b->include_dir, e);
    int size = -1;
    if (!code && tcc_compile_string(t.state, text) == 0) {
        size = tcc_relocate(t.state, NULL);
    }
    if (!code && (size < 0 || tcc_relocate(t.state, b->code) != 0)) {
        code = err_set(e, ERR_COMPILE, "tcc's own library can't be loaded: %s", t.first.data);
    }
    for (size_t i = 0; !code && i < sizeof helpers / sizeof *helpers; i++) {
        char getter[64];
        (void)snprintf(getter, sizeof getter, "weir_%s", helpers[i]);
        void *address = tcc_get_symbol(t.state, getter);
        void *(*get)(void);
        memcpy(&get, &address, sizeof get);
        code = get ? build_cells_host(b, helpers[i], get(), e)
                   : err_set(e, ERR_NOT_FOUND, "tcc's own library has no '%s'", helpers[i]);
    }
    if (!code) {
        b->code_used = ((size_t)size + CODE_ALIGN - 1) & ~(size_t)(CODE_ALIGN - 1);
    }
    tcc_done(&t);
    return code;
}

static void add_symbol(void *ctx, const char *name, void *address)
{
    (void)tcc_add_symbol(ctx, name, address); /* it never fails but for memory, which linking will tell */
}

/* Names known from the text, and the helpers that no text shows. AFTER compiling: before it, a definition clashes. */
static void add_known(struct cell_job *j, struct TCCState *s)
{
    for (size_t i = 0; i < sizeof helpers / sizeof *helpers; i++) {
        if (!cells_defines(j, helpers[i], strlen(helpers[i]))) {
            add_symbol(s, helpers[i], build_cells_find(j->b, helpers[i]));
        }
    }
    cells_known(j, add_symbol, s);
}

/* Look the missed names up in the libraries. ERR_COMPILE: one is nowhere. */
static enum err_code find_missing(struct cell_job *j, const char *names, struct err *e)
{
    for (const char *s = names; *s;) {
        size_t len = strcspn(s, "\n");
        struct symbol *symbol = symbols_put(&j->b->symbols, s, len);
        if (!symbol) {
            return err_memory(e);
        }
        void *address = dlsym(RTLD_DEFAULT, symbol->name);
        if (!address && !symbol->host && !symbol->cell) {
            return err_at(e, ERR_COMPILE, j->label, 0,
                          "%s: error: '%s' is declared but defined nowhere: no cell and no library has it", j->label,
                          symbol->name);
        }
        if (!symbol->host) {
            symbol->host = address;
            symbol->library = true;
        }
        s += len + (s[len] == '\n');
    }
    return ERR_NONE;
}

/* Addresses of what the cell defines. */
static enum err_code take_addresses(struct cell_job *j, struct TCCState *s, struct err *e)
{
    for (size_t i = 0; i <= j->ndefined; i++) {
        const char *name = i < j->ndefined ? j->defined[i].name : j->entry;
        if (!name || (i < j->ndefined && j->defined[i].keeps_storage)) {
            continue;
        }
        j->addresses[i] = tcc_get_symbol(s, name);
        if (!j->addresses[i]) {
            return err_at(e, ERR_COMPILE, j->label, 0, "%s: error: '%s' is not defined by the compiled cell", j->label,
                          name);
        }
        if (!j->unit.anchor && (i == j->ndefined || j->defined[i].function)) {
            j->unit.anchor = strdup(name);
            j->unit.anchor_at = j->addresses[i];
        }
    }
    return ERR_NONE;
}

static void take_constructors(struct cell_job *j, struct TCCState *s)
{
    char *start = tcc_get_symbol(s, "__init_array_start"), *end = tcc_get_symbol(s, "__init_array_end");
    if (start && end > start) {
        memcpy(&j->constructors, &start, sizeof start);
        j->nconstructors = (size_t)(end - start) / sizeof *j->constructors;
    }
}

static enum err_code link_cell(struct cell_job *j, struct tcc *t, int size, struct err *e)
{
    struct build_cells *b = j->b;
    size_t rounded = ((size_t)size + CODE_ALIGN - 1) & ~(size_t)(CODE_ALIGN - 1);
    if (rounded > CODE_LIMIT - b->code_used) {
        return err_at(e, ERR_LIMIT, j->label, 0,
                      "the code and variables of all cells are over %d MiB; restart the kernel, "
                      "or take memory with malloc",
                      CODE_LIMIT >> 20);
    }
    char *at = b->code + b->code_used;
    if (tcc_relocate(t->state, at) != 0) {
        return err_at(e, ERR_COMPILE, j->label, 0, "%s: error: can't be linked: %s", j->label, t->first.data);
    }
    j->unit.start = at;
    j->unit.end = at + rounded;
    j->code_size = rounded;
    enum err_code code = take_addresses(j, t->state, e);
    take_constructors(j, t->state);
    if (!code && !(j->unit.text = strdup(j->text))) {
        code = err_memory(e);
    }
    return code;
}

/* One round. *again: names were missing and are known now. */
static enum err_code try_once(struct cell_job *j, const struct flags *user, bool *again, bool *use_cc, struct err *e)
{
    struct tcc t;
    *again = false;
    enum err_code code = tcc_begin(&t, TCC_OUTPUT_MEMORY, "-nostdlib", j->b->include_dir, e);
    if (code) {
        tcc_done(&t);
        return code;
    }
    tcc_options(&t, user);
    if (!tcc_compile(&t, j->text)) {
        bool accepted;
        code = diagnose_refused(t.first.data, j->text, j->len, j->b->include_dir, user->argv, &accepted, e);
        *use_cc = accepted && t.refused;
    }
    if (!code && !*use_cc) {
        buf_clear(&t.first);
        add_known(j, t.state);
        int size = tcc_relocate(t.state, NULL);
        if (size >= 0) {
            code = link_cell(j, &t, size, e);
        } else if (t.undefined.len) {
            code = find_missing(j, t.undefined.data, e);
            *again = !code;
        } else {
            *use_cc = true; /* its linker knows less than ld */
        }
    }
    tcc_done(&t);
    return code;
}

enum err_code cells_tcc(struct cell_job *j, bool *use_cc, struct err *e)
{
    struct flags user;
    bool again = true;
    enum err_code code = ERR_NONE;
    flags_init(&user);
    flags_words(&user, getenv("WEIR_CFLAGS"));
    /* what is missing is found in the first round; a second that misses again would miss for ever */
    for (int round = 0; !code && !*use_cc && again; round++) {
        code = round < 3 ? try_once(j, &user, &again, use_cc, e)
                         : err_at(e, ERR_COMPILE, j->label, 0, "%s: error: can't be linked", j->label);
    }
    flags_done(&user);
    return code;
}
