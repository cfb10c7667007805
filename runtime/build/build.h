/* From C text to code: libtcc in memory for cells, a .so for flows by tcc or cc, with a cache by content.
 *
 * libtcc may exit() on odd input and keeps global state: used in the session and the command line only, never in
 * weir-kernel. One thread. */
#ifndef WEIR_BUILD_BUILD_H
#define WEIR_BUILD_BUILD_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum build_tier { BUILD_TCC, BUILD_CC };

/* The tier that is asked for: given (of --tier), else WEIR_TIER, else tcc. ERR_USAGE: no such tier. */
enum err_code build_tier_pick(const char *given, enum build_tier *tier, struct err *e);

/* "tcc", "cc". Static. */
const char *build_tier_name(enum build_tier tier);

/* The flags that make both tiers give the same bytes: "-ffp-contract=off -fwrapv -fno-builtin-..."; static,
 * NULL-terminated. */
const char *const *build_cc_flags(void);

/* Where weir.h and the runtime are: beside this executable's build folder, or PREFIX. ERR_NOT_FOUND. Static strings. */
enum err_code build_paths(const char **include_dir, const char **lib_dir, const char **exec_dir, struct err *e);

/* Compile flow.c text into a shared object under build_dir (STORE/build), or find it there. tier BUILD_TCC falls back
 * to cc by itself for what tcc can't compile (*used says what was taken). so_path: owned, free. Extra cc flags from
 * WEIR_CFLAGS. ERR_COMPILE: messages in the users' cells, `cell [4] line 3: error: ...`, all of them. */
enum err_code build_flow(const char *text, size_t len, const char *build_dir, enum build_tier tier, char **so_path,
                         enum build_tier *used, struct err *e);

/* Only whether it compiles (tcc), as fast as possible. */
enum err_code build_check(const char *text, size_t len, struct err *e);

/* ---- cells ---- */

struct build_cells; /* the session's linker: every cell's symbols, in one arena of executable memory */

struct build_symbol {
    const char *name;
    bool function;
    bool keeps_storage; /* a variable of an earlier cell, that this one only sets */
    bool other_type;    /* a function that earlier callers can't call: they keep the earlier one */
    bool declared;      /* a function that this cell doesn't define: a later one may */
};

enum err_code build_cells_new(struct build_cells **out, struct err *e);
void build_cells_free(struct build_cells *b);

/* A line of a cell ("cell [3]") as its user wrote it, without its newline; borrowed for the call. NULL: unknown. */
typedef const char *build_line(void *ctx, const char *cell, int line, size_t *len);

/* Where messages take the users' lines from: lowered ones read worse. */
void build_cells_lines(struct build_cells *b, build_line *line, void *ctx);

/* What a function calls that is declared and not defined yet: with its name; must not return. Until this is told, linking
 * such a call is an error. */
void build_cells_undefined(struct build_cells *b, void (*called)(const char *name));

/* A symbol of the host for cells to call. */
enum err_code build_cells_host(struct build_cells *b, const char *name, void *address, struct err *e);

/* Compile and link one lowered cell (by tcc, or cc into a .so when cc is set). Undefined symbols are looked for in
 * earlier cells, the host's, then libc and libm. Earlier callers of a function defined again, and pointers to it, reach
 * the new one, also while a thread calls it. Nothing changes on failure (a cell is a transaction). entry_address: of
 * `entry`, NULL if entry is. label: "cell [3]". */
enum err_code build_cells_add(struct build_cells *b, const char *label, const char *text, size_t len, const char *entry,
                              bool cc, const struct build_symbol *defined, size_t ndefined, void **entry_address,
                              struct err *e);

/* Run the constructors of the cell added last (user code: under the session's guard, before its entry). */
void build_cells_construct(struct build_cells *b);

/* The newest cell has run. What nobody can reach any more, of it and of functions replaced since, is given back. */
void build_cells_ran(struct build_cells *b);

/* Address of a symbol (of a function the one that stays when it is replaced), NULL: none. */
void *build_cells_find(const struct build_cells *b, const char *name);

/* Whether a code address is in a cell. Async-signal-safe. */
bool build_cells_has(const struct build_cells *b, const void *pc);

/* Where a code address is: cell label, line and function; false: not in a cell. Slow (compiles once more with debug
 * info). */
struct build_where {
    char cell[64];
    int line;
    char function[128];
};
bool build_cells_where(struct build_cells *b, const void *pc, struct build_where *out);

/* Describe the newest cell's code, so that a process that never ran it can say where its addresses are. area: of `size`
 * bytes; returns those used, 0: it doesn't fit. */
size_t build_cells_describe(const struct build_cells *b, void *area, size_t size);

/* Take such a description (copied), until build_cells_forget. Nothing else may be added before. ERR_FORMAT: damaged. */
enum err_code build_cells_learn(struct build_cells *b, const void *area, size_t len, struct err *e);
void build_cells_forget(struct build_cells *b);

/* The same for a flow's .so: offset from its load address; source text of the flow for tcc's. */
bool build_flow_where(const char *so_path, uint64_t offset, struct build_where *out);

#endif
