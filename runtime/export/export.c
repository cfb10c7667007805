/* See export.h.
 *
 * Each file begins with a line that says it was exported by weir; that line is how a later export knows its own. The
 * Makefile finds the runtime where the exporting weir found it, unless WEIR_INCLUDE and WEIR_LIB say otherwise. */
#include "runtime/export/export.h"

#include "runtime/base/buf.h"
#include "runtime/base/file.h"
#include "runtime/build/build.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EXISTING = 64 << 20, PATH_SIZE = 4096 };

static const char mark[] = "exported by weir";

/* ---- whose files are there ---- */

/* The mark stands in the first 300 bytes of what an export wrote. */
static bool is_ours(const char *data, size_t len)
{
    return memmem(data, len < 300 ? len : 300, mark, sizeof mark - 1) != NULL;
}

static enum err_code refuse_foreign(const char *path, struct err *e)
{
    char *data = NULL;
    size_t len = 0;
    struct err absent = { 0 };
    enum err_code code = file_read(path, MAX_EXISTING, &data, &len, &absent);
    if (code == ERR_NOT_FOUND) {
        return ERR_NONE;
    }
    if (code) {
        return err_set(e, code, "%s", absent.msg);
    }
    bool ours = is_ours(data, len);
    free(data);
    return ours ? ERR_NONE
                : err_set(e, ERR_EXISTS, "'%s' is there and was not made by an export; choose another folder, or --force", path);
}

/* ---- the files ---- */

/* The program's name: the flow's in lower case. */
static void program_name(const struct weir_flow *flow, char *out, size_t size)
{
    size_t i = 0;
    for (; flow->name[i] && i + 1 < size; i++) {
        out[i] = (char)tolower((unsigned char)flow->name[i]);
    }
    out[i] = '\0';
}

static void write_main(struct buf *b, const struct export_request *r)
{
    buf_printf(b,
               "/* The program of flow %s, %s. */\n"
               "#include \"weir.h\"\n\n"
               "int main(int argc, char **argv)\n{\n    return weir_main(argc, argv, &weir_flow);\n}\n",
               r->flow->name, mark);
}

static enum err_code write_makefile(struct buf *b, const struct export_request *r, const char *program, struct err *e)
{
    const char *include_dir = NULL, *lib_dir = NULL, *exec_dir = NULL;
    enum err_code code = build_paths(&include_dir, &lib_dir, &exec_dir, e);
    if (code) {
        return code;
    }
    buf_printf(b, "# Flow %s, %s. `make` gives ./%s; `./%s --help` tells what it does.\n\n", r->flow->name, mark, program,
               program);
    buf_printf(b,
               "# weir.h and libweir.a: those of the weir that wrote this. Elsewhere:\n"
               "#   make WEIR_INCLUDE=$$(pkg-config --variable=includedir weir) WEIR_LIB=$$(pkg-config --variable=libdir weir)\n"
               "WEIR_INCLUDE ?= %s\nWEIR_LIB     ?= %s\n\n",
               include_dir, lib_dir);
    buf_str(b, "CC     ?= cc\nOPT    ?= -O2 -g -gdwarf-4\n# With these a flow gives the same bytes whatever compiles it.\nEXACT  := ");
    for (const char *const *flag = build_cc_flags(); *flag; flag++) {
        buf_printf(b, "%s%s", flag == build_cc_flags() ? "" : " ", *flag);
    }
    buf_str(b, "\nCFLAGS := -std=gnu17 -D_GNU_SOURCE $(OPT) -fno-omit-frame-pointer $(EXACT) -I$(WEIR_INCLUDE) $(EXTRA)\n"
               "LIBS   := -lsqlite3 -ljansson -lcrypto -luuid -ldl -lpthread -lm\n\n");
    buf_printf(b,
               "%s: flow.o main.o $(WEIR_LIB)/libweir.a\n"
               "\t@echo \"  LINK $@\"\n\t@$(CC) -rdynamic $(EXTRA) -o $@ $^ $(LIBS)\n\n"
               "%%.o: %%.c $(WEIR_INCLUDE)/weir.h\n\t@echo \"  CC   $<\"\n\t@$(CC) $(CFLAGS) -c -o $@ $<\n\n"
               "run: %s\n\t./%s run\n\n"
               "clean:\n\trm -f %s flow.o main.o\n\n.PHONY: run clean\n",
               program, program, program, program);
    return ERR_NONE;
}

static void put_cell(struct buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '|') {
            buf_char(b, '\\');
        }
        buf_char(b, *text == '\n' ? ' ' : *text);
    }
}

static void write_parameters(struct buf *b, const struct weir_flow *flow)
{
    bool any = false;
    for (unsigned i = 0; i < flow->nartifacts; i++) {
        const struct weir_artifact *p = &flow->artifacts[i];
        if (!(p->flags & WEIR_PARAMETER)) {
            continue;
        }
        buf_str(b, any ? "" : "## Parameters\n\n| option | type | default | |\n|---|---|---|---|\n");
        any = true;
        buf_printf(b, "| `--%s` | `%s` | ", p->name, p->ctype);
        if (p->flags & WEIR_REQUIRED) {
            buf_str(b, "required");
        } else {
            buf_char(b, '`');
            put_cell(b, p->initial ? p->initial : "");
            buf_char(b, '`');
        }
        buf_str(b, " | ");
        put_cell(b, p->help ? p->help : "");
        buf_str(b, " |\n");
    }
    buf_str(b, any ? "\n" : "");
}

static void write_steps(struct buf *b, const struct weir_flow *flow)
{
    buf_str(b, "## Steps\n\n");
    for (unsigned i = 0; i < flow->nsteps; i++) {
        const struct weir_step *s = &flow->steps[i];
        buf_printf(b, "- `%s`%s", s->name, s->join ? " (join)" : "");
        for (unsigned n = 0; n < s->nnext; n++) {
            buf_printf(b, "%s `%s`", n ? "," : " ->", flow->steps[s->next[n]].name);
        }
        if (s->foreach >= 0) {
            buf_printf(b, " foreach `%s`", flow->artifacts[s->foreach].name);
        }
        buf_char(b, '\n');
    }
}

static void write_readme(struct buf *b, const struct export_request *r, const char *program)
{
    buf_printf(b, "# %s\n\n<!-- %s -->\n\nA workflow in C, made from `%s`.\n\n", r->flow->name, mark, r->source);
    buf_printf(b,
               "```sh\nmake                    # needs a C compiler and the -dev packages of sqlite3, jansson, OpenSSL, libuuid\n"
               "./%s run               # run it; artifacts go to .weir/ here\n"
               "./%s run --help        # its parameters\n"
               "./%s show              # its steps\n"
               "./%s check             # whether it is sound\n```\n\n",
               program, program, program, program);
    write_parameters(b, r->flow);
    write_steps(b, r->flow);
    buf_str(b, "\n`flow.c` keeps the source of each cell as a comment above what it became. Artifacts are `.npy` files by the\n"
               "sha256 of their bytes: the same inputs give the same hashes here and in the notebook.\n");
}

static enum err_code write_file(const struct export_request *r, const char *name, const struct buf *content, struct err *e)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", r->directory, name);
    enum err_code code = buf_check(content, name, e);
    return code ? code : file_write_atomic(path, content->data, content->len, 0666, 0, e);
}

static enum err_code check_all(const struct export_request *r, struct err *e)
{
    static const char *const names[] = { "flow.c", "main.c", "Makefile", "README.md" };
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !r->force; i++) {
        char path[PATH_SIZE];
        if (snprintf(path, sizeof path, "%s/%s", r->directory, names[i]) >= (int)sizeof path) {
            return err_set(e, ERR_LIMIT, "the folder's name is too long");
        }
        enum err_code code = refuse_foreign(path, e);
        if (code) {
            return code;
        }
    }
    return ERR_NONE;
}

enum err_code export_flow(const struct export_request *r, struct err *e)
{
    char program[256];
    program_name(r->flow, program, sizeof program);
    enum err_code code = check_all(r, e);
    if (code || (code = file_mkdirs(r->directory, e))) {
        return code;
    }
    struct buf unit, main_c, makefile, readme;
    buf_init(&unit, 0);
    buf_init(&main_c, 0);
    buf_init(&makefile, 0);
    buf_init(&readme, 0);
    buf_printf(&unit, "/* Flow %s, %s. */\n", r->flow->name, mark);
    buf_add(&unit, r->unit, r->unit_len);
    write_main(&main_c, r);
    write_readme(&readme, r, program);
    code = write_makefile(&makefile, r, program, e);
    if (!code && !(code = write_file(r, "flow.c", &unit, e)) && !(code = write_file(r, "main.c", &main_c, e)) &&
        !(code = write_file(r, "Makefile", &makefile, e))) {
        code = write_file(r, "README.md", &readme, e);
    }
    buf_done(&unit);
    buf_done(&main_c);
    buf_done(&makefile);
    buf_done(&readme);
    return code;
}
