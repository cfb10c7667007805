/* A cell by libtcc: compiled to an object in memory, placed by object.c into the session's code.
 *
 * Nothing is linked by libtcc: that would read libc and libtcc1.a for every cell (0.2 ms), and be wrong (object.h).
 * Names are looked up here: earlier cells', the host's, then libraries'. */
#include "runtime/build/cells.h"

#include "runtime/build/diagnostics.h"
#include "runtime/build/flags.h"
#include "runtime/build/object.h"
#include "runtime/build/tcc.h"

#include <libtcc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CODE_ALIGN = 64 };

/* What tcc's code calls by itself, from libtcc1.a and libc. */
#define HELPERS(X)                                                                                                     \
    X(__fixdfdi)                                                                                                       \
    X(__fixsfdi)                                                                                                       \
    X(__fixunsdfdi)                                                                                                    \
    X(__fixunssfdi) X(__fixunsxfdi) X(__fixxfdi) X(__floatundidf) X(__floatundisf) X(__floatundixf) X(alloca)          \
        X(__va_arg) X(memcpy) X(memmove) X(memset)

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
    struct block at = { .at = NULL };
    if (!code && tcc_compile_string(t.state, text) == 0) {
        size = tcc_relocate(t.state, NULL);
    }
    if (size > 0) {
        at = area_take(&b->code, (size_t)size, CODE_ALIGN);
    }
    if (!code && (!at.at || tcc_relocate(t.state, at.at) != 0)) {
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
    tcc_done(&t);
    return code;
}

/* ---- linking ---- */

static void *resolve(void *ctx, const char *name)
{
    return cells_resolve(ctx, name);
}

/* Of a function that the cell defines for others too. */
static void *gate(void *ctx, const char *name)
{
    const struct cell_job *j = ctx;
    for (size_t i = 0; i < j->ndefined; i++) {
        const struct build_symbol *d = &j->defined[i];
        if (d->function && cells_is_own(d) && strcmp(d->name, name) == 0) {
            return j->gates[i];
        }
    }
    return NULL;
}

/* The object that tcc has compiled, as bytes. */
static enum err_code take_object(struct build_cells *b, struct tcc *t, char **data, size_t *len, struct err *e)
{
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", b->object_fd);
    if (tcc_output_file(t->state, path) != 0) {
        return err_set(e, ERR_FORMAT, "tcc can't write its object: %s", t->first.data);
    }
    if (fstat(b->object_fd, &st) != 0 || st.st_size <= 0) {
        return err_errno(e, "can't read the compiled object");
    }
    *len = (size_t)st.st_size;
    *data = malloc(*len);
    if (!*data) {
        return err_memory(e);
    }
    if (pread(b->object_fd, *data, *len, 0) != st.st_size) {
        free(*data);
        return err_errno(e, "can't read the compiled object");
    }
    return ERR_NONE;
}

/* Addresses of what the cell defines. */
static enum err_code take_addresses(struct cell_job *j, const struct object *o, struct err *e)
{
    for (size_t i = 0; i <= j->ndefined; i++) {
        const char *name = i < j->ndefined ? j->defined[i].name : j->entry;
        if (!name || (i < j->ndefined && !cells_is_own(&j->defined[i]))) {
            continue;
        }
        j->addresses[i] = object_symbol(o, name);
        if (!j->addresses[i]) {
            return err_at(e, ERR_COMPILE, j->label, 0, "%s: error: '%s' is not defined by the compiled cell", j->label,
                          name);
        }
        if (!j->unit->anchor && (i == j->ndefined || j->defined[i].function)) {
            j->unit->anchor = strdup(name);
            j->unit->anchor_at = j->addresses[i];
        }
    }
    return ERR_NONE;
}

static enum err_code place_failed(const struct cell_job *j, enum err_code code, struct err *e)
{
    if (code == ERR_LIMIT) {
        return err_at(e, ERR_LIMIT, j->label, 0,
                      "the code and variables of all cells are over %zu MiB; take large memory with malloc",
                      j->b->map_size >> 20);
    }
    if (code == ERR_NOT_FOUND) {
        char name[256];
        (void)snprintf(name, sizeof name, "%s", e ? e->msg : "?");
        return err_at(e, ERR_COMPILE, j->label, 0,
                      "%s: error: '%s' is declared but defined nowhere: no cell and no library has it", j->label, name);
    }
    return code;
}

/* The unit has the object's memory from here on. */
static enum err_code take_object_memory(struct cell_job *j, const struct object *o, struct err *e)
{
    struct unit *u = j->unit;
    u->code = o->code;
    u->near = o->near;
    u->far = o->far;
    u->code_stays = o->code_stays;
    u->data_stays = o->data_stays;
    u->start = o->code.at;
    u->end = o->code.at + o->code.len;
    j->constructors = object_constructors(o, &j->nconstructors);
    enum err_code code = take_addresses(j, o, e);
    if (!code && !(u->text = strdup(j->text))) {
        code = err_memory(e);
    }
    return code;
}

/* *use_cc: only a real linker can link it. */
static enum err_code place(struct cell_job *j, char *data, size_t len, bool *use_cc, struct err *e)
{
    struct build_cells *b = j->b;
    struct object o;
    const struct object_home home = { .code = &b->code,
                                      .data = &b->data,
                                      .far = &b->far,
                                      .literals = &b->literals,
                                      .resolve = resolve,
                                      .gate = gate,
                                      .ctx = j };
    enum err_code code = object_place(&o, data, len, &home, e);
    if (code == ERR_FORMAT) {
        *use_cc = true;
        code = ERR_NONE;
    } else {
        code = code ? place_failed(j, code, e) : take_object_memory(j, &o, e);
    }
    object_done(&o);
    return code;
}

enum err_code cells_tcc(struct cell_job *j, bool *use_cc, struct err *e)
{
    struct tcc t;
    struct flags user;
    char *data = NULL;
    size_t len = 0;
    flags_init(&user);
    flags_words(&user, getenv("WEIR_CFLAGS"));
    enum err_code code = tcc_begin(&t, TCC_OUTPUT_OBJ, NULL, j->b->include_dir, e);
    if (!code) {
        tcc_options(&t, &user);
        if (!tcc_compile(&t, j->text)) {
            bool accepted;
            const struct suspect suspect = cells_suspect(j, &user);
            code = diagnose_refused(t.first.data, &suspect, &accepted, e);
            *use_cc = accepted && t.refused;
        }
    }
    if (!code && !*use_cc) {
        code = take_object(j->b, &t, &data, &len, e);
        code = code ? code : place(j, data, len, use_cc, e);
    }
    tcc_done(&t);
    flags_done(&user);
    return code;
}
