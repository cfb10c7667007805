/* Headers read into the index: libc's at the start, others when a cell includes them.
 *
 * tcc's own preprocessor runs over a list of #include lines (with -dD, so that it prints the macros too). Before each there is
 * a marker, `WEIR_HEADER n`, which tells the public header that a declaration came by. From the output each declaration and
 * each #define becomes a piece; its text stays where it is, and is parsed again only if a cell reaches it. */
#include "runtime/lang/index_internal.h"

#include "runtime/base/buf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MARKER "WEIR_HEADER"

static const char *const libc_headers[] = {
    "<stddef.h>", "<stdint.h>", "<stdbool.h>", "<stdarg.h>", "<stdio.h>", "<stdlib.h>", "<string.h>", "<math.h>",
    "<ctype.h>", "<errno.h>", "<assert.h>", "<limits.h>", "<float.h>", "<inttypes.h>", "<time.h>", "<signal.h>",
    "<setjmp.h>", "<locale.h>", "<wchar.h>", "<wctype.h>", "<unistd.h>", "<sys/types.h>", "<sys/stat.h>", "<fcntl.h>",
    "<sys/time.h>", "<sys/wait.h>", "<pthread.h>", "<dirent.h>", "<strings.h>", "<poll.h>", "<sys/mman.h>",
    "<sys/resource.h>", "<alloca.h>",
};
enum { LIBC_HEADERS = sizeof libc_headers / sizeof *libc_headers };

/* Headers of which people ask for by name, and the Debian package that has them. */
static const struct { const char *start, *package; } packages[] = {
    { "gsl/", "libgsl-dev" }, { "sqlite3.h", "libsqlite3-dev" }, { "zlib.h", "zlib1g-dev" }, { "curl/", "libcurl4-openssl-dev" },
    { "jansson.h", "libjansson-dev" }, { "openssl/", "libssl-dev" }, { "cblas.h", "libopenblas-dev" },
    { "lapacke.h", "liblapacke-dev" }, { "svm.h", "libsvm-dev" }, { "libsvm/", "libsvm-dev" }, { "fftw3.h", "libfftw3-dev" },
    { "zmq.h", "libzmq3-dev" }, { "zstd.h", "libzstd-dev" }, { "uuid/", "uuid-dev" }, { "gmp.h", "libgmp-dev" },
    { "mpfr.h", "libmpfr-dev" }, { "png.h", "libpng-dev" }, { "glib.h", "libglib2.0-dev" }, { "hdf5.h", "libhdf5-dev" },
    { "libpq-fe.h", "libpq-dev" }, { "microhttpd.h", "libmicrohttpd-dev" }, { "ncurses.h", "libncurses-dev" },
    { "readline/", "libreadline-dev" }, { "SDL2/", "libsdl2-dev" }, { "lzma.h", "liblzma-dev" }, { "bzlib.h", "libbz2-dev" },
    { "xgboost/", "libxgboost-dev" }, { "mpi.h", "libopenmpi-dev" }, { "netcdf.h", "libnetcdf-dev" },
};

/* From this byte on, declarations belong to names[header]. */
struct change {
    size_t at;
    size_t header;
};

struct reader {
    struct index *ix;
    struct record *record;
    const char *const *names;     /* public headers by marker number */
    size_t nnames;
    size_t current;
    struct change *changes;       /* where the public header changes within the text, by line markers */
    size_t nchanges, changes_cap, next_change;
    struct arena scratch;
    struct err *e;
};

/* tcc's stddef.h also defines what other compilers have in these. */
static const char *public_header(const struct reader *r, const struct node *node)
{
    const char *header = r->nnames ? r->names[r->current < r->nnames ? r->current : 0] : NULL;
    const char *name = node ? node->entry->name : "";
    if (header && strcmp(header, "<stddef.h>") == 0) {
        if (strncmp(name, "int", 3) == 0 || strncmp(name, "uint", 4) == 0) {
            return "<stdint.h>";
        }
        if (strcmp(name, "ssize_t") == 0) {
            return "<sys/types.h>";
        }
        if (strcmp(name, "alloca") == 0) {
            return "<alloca.h>";
        }
    }
    return header;
}

/* The public header that a file is; nnames: none (bits/...). */
static size_t public_file(const struct reader *r, const char *path, size_t len)
{
    const char *include = memmem(path, len, "/include/", 9);
    const char *name = include ? include + 9 : path;
    const char *end = path + len;
    const char *slash = memchr(name, '/', (size_t)(end - name));
    if (slash && memmem(name, (size_t)(slash - name), "-linux-gnu", 10)) {
        name = slash + 1;
    }
    size_t n = (size_t)(end - name);
    for (size_t i = 0; include && i < r->nnames; i++) {
        if (strlen(r->names[i]) == n + 2 && memcmp(r->names[i] + 1, name, n) == 0) {
            return i;
        }
    }
    return r->nnames;
}

static void note_change(struct reader *r, size_t at, size_t header)
{
    if (r->nchanges == r->changes_cap) {
        size_t cap = r->changes_cap ? r->changes_cap * 2 : 256;
        struct change *grown = realloc(r->changes, cap * sizeof *grown);
        if (!grown) {
            return; /* some declarations are then told under a header that only includes theirs */
        }
        r->changes = grown;
        r->changes_cap = cap;
    }
    r->changes[r->nchanges++] = (struct change){ at, header };
}

/* Line markers (# 12 "file" 2) made blank, since they may stand inside a declaration; the files they name are told. */
static void blank_markers(struct reader *r, char *text, size_t len, void (*file)(void *, const char *, size_t), void *ctx)
{
    for (char *line = text; line < text + len;) {
        char *end = memchr(line, '\n', (size_t)(text + len - line));
        end = end ? end : text + len;
        if (line[0] == '#' && end - line > 2 && line[1] == ' ' && isdigit((unsigned char)line[2])) {
            char *quote = memchr(line, '"', (size_t)(end - line));
            char *close = quote ? memchr(quote + 1, '"', (size_t)(end - quote - 1)) : NULL;
            if (close && file) {
                file(ctx, quote + 1, (size_t)(close - quote - 1));
            }
            size_t header = close ? public_file(r, quote + 1, (size_t)(close - quote - 1)) : r->nnames;
            if (header < r->nnames) {
                note_change(r, (size_t)(line - text), header);
            }
            memset(line, ' ', (size_t)(end - line));
        }
        line = end + 1;
    }
}

static bool scratch_typedef(void *ctx, const char *name, size_t len)
{
    struct node *node = entry_header(entry_find(ctx, name, len), SPACE_ORDINARY);
    return node && node->decl.kind == DECL_TYPEDEF;
}

static enum err_code read_macro(struct reader *r, const char *text, size_t len)
{
    struct err *e = r->e;
    struct piece *piece = piece_macro(r->ix, r->record, text, len, 0, e);
    if (piece) {
        piece->source.header = public_header(r, piece->nodes);
    }
    return ERR_NONE; /* a line that is no macro (#pragma) says nothing to us */
}

/* The piece [first, end) of t. One that only repeats what is known is dropped. */
static enum err_code read_declaration(struct reader *r, const struct tokens *t, size_t first, const struct cdeclaration *d)
{
    size_t start = t->at[first].start;
    size_t len = (size_t)t->at[d->end - 1].start + t->at[d->end - 1].len - start;
    struct piece *last = r->record->last;
    struct piece *piece = piece_new(r->ix, r->record, t->text + start, len, 0);
    if (!piece) {
        return err_memory(r->e);
    }
    enum err_code code = piece_declare_as(r->ix, piece, d, r->e);
    if (!code && !piece->nodes) {
        r->record->last = last;
        if (last) {
            last->next = NULL;
        } else {
            r->record->first = NULL;
        }
    }
    piece->source.header = public_header(r, piece->nodes);
    piece->source.is_inline = d->is_definition;
    for (size_t i = first; !code && i < d->end; i++) { /* struct stat has #define st_mtime among its members */
        if (t->at[i].kind == TOKEN_PP) {
            code = read_macro(r, t->text + t->at[i].start, t->at[i].len);
        }
    }
    return code;
}

static enum err_code read_text(struct reader *r, const struct tokens *t)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; !code && i < t->count;) {
        const struct token *at = &t->at[i];
        struct cdeclaration d;
        while (r->next_change < r->nchanges && r->changes[r->next_change].at <= at->start) {
            r->current = r->changes[r->next_change++].header;
        }
        if (at->kind == TOKEN_PP) {
            code = read_macro(r, t->text + at->start, at->len);
            i++;
        } else if (token_is(t, i, MARKER)) {
            r->current = (size_t)strtoul(t->text + t->at[i + 1].start, NULL, 10);
            i += 2;
        } else if (token_is(t, i, ";")) {
            i++;
        } else if (ctype_parse(t, i, scratch_typedef, r->ix, &r->scratch, &d, NULL)) {
            size_t semicolon = i; /* something that we do not understand: left out */
            while (semicolon < t->count && !token_is(t, semicolon, ";") && t->at[semicolon].kind != TOKEN_PP) {
                semicolon = token_is(t, semicolon, "{") ? token_match(t, semicolon) + 1 : semicolon + 1;
            }
            i = semicolon < t->count && token_is(t, semicolon, ";") ? semicolon + 1 : semicolon;
        } else {
            code = d.is_assert ? ERR_NONE : read_declaration(r, t, i, &d);
            i = d.end;
        }
        if (r->scratch.blocks) { /* one declaration's tree is not needed any more */
            arena_done(&r->scratch);
            arena_init(&r->scratch);
        }
    }
    return code;
}

/* Take over the preprocessor's output (a heap string) into a new record. */
static enum err_code read_output(struct reader *r, char *text, size_t len, void (*file)(void *, const char *, size_t),
                                 void *ctx)
{
    struct tokens t;
    char *start = strstr(text, MARKER);
    if (start) { /* what is before are tcc's own macros and the user's */
        memset(text, ' ', (size_t)(start - text));
    }
    blank_markers(r, text, len, file, ctx);
    enum err_code code = lex(text, len, &t, r->e);
    if (code) {
        free(text);
        free(r->changes);
        return code;
    }
    r->record->text = text;
    arena_init(&r->scratch);
    code = read_text(r, &t);
    arena_done(&r->scratch);
    tokens_done(&t);
    free(r->changes);
    r->changes = NULL;
    return code;
}

static enum err_code new_record(struct index *ix, struct record **out, struct err *e)
{
    enum err_code code = index_record(ix, out, e);
    if (!code) {
        (*out)->is_header = true;
    }
    return code;
}

static enum err_code add_include(struct index *ix, const char *name, size_t len, struct include **out, struct err *e)
{
    struct include *inc = arena_alloc(&ix->arena, sizeof *inc);
    char *copy = arena_strndup(&ix->arena, name, len);
    if (!inc || !copy) {
        return err_memory(e);
    }
    *inc = (struct include){ .next = ix->includes, .name = copy };
    ix->includes = inc;
    if (out) {
        *out = inc;
    }
    return ERR_NONE;
}

/* From the cache, else by the preprocessor. */
static enum err_code libc_text(const struct buf *includes, struct buf *output, struct err *e)
{
    struct buf complaint;
    if (headers_cache_read(includes->data, output)) {
        return ERR_NONE;
    }
    buf_clear(output);
    buf_init(&complaint, 0);
    enum err_code code =
        run_preprocessor(includes->data, includes->len, PREPROCESS_DEFINITIONS, output, &complaint, e);
    if (!code && complaint.len) {
        code = err_set(e, ERR_COMPILE, "libc's headers: %s", complaint.data);
    } else if (!code) {
        headers_cache_write(includes->data, output);
    }
    buf_done(&complaint);
    return code;
}

enum err_code headers_libc(struct index *ix, struct err *e)
{
    struct buf output;
    struct reader r = { .ix = ix, .names = libc_headers, .nnames = LIBC_HEADERS, .e = e };
    struct buf includes;
    buf_init(&output, 0);
    buf_init(&includes, 0);
    for (size_t i = 0; i < LIBC_HEADERS; i++) {
        buf_printf(&includes, MARKER " %zu\n#include %s\n", i, libc_headers[i]);
    }
    enum err_code code = buf_check(&includes, "headers", e);
    code = code ? code : libc_text(&includes, &output, e);
    code = code ? code : new_record(ix, &r.record, e);
    for (size_t i = 0; !code && i < LIBC_HEADERS; i++) {
        code = add_include(ix, libc_headers[i], strlen(libc_headers[i]), NULL, e);
    }
    if (!code) {
        size_t len = output.len;
        char *taken = buf_take(&output);
        code = taken ? read_output(&r, taken, len, NULL, NULL) : err_memory(e);
    }
    buf_done(&output);
    buf_done(&includes);
    return code;
}

/* ---- a cell's own #include ---- */

static struct include *find_include(struct index *ix, const char *name, size_t len)
{
    for (struct include *inc = ix->includes; inc; inc = inc->next) {
        if (strlen(inc->name) == len && memcmp(inc->name, name, len) == 0) {
            return inc;
        }
    }
    return NULL;
}

static bool stamp_of(const char *path, struct include_stamp *out)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return false;
    }
    *out = (struct include_stamp){ .mtime_ns = (long long)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec, .size = st.st_size };
    return true;
}

static bool is_fresh(const struct include *inc)
{
    for (size_t i = 0; i < inc->nfiles; i++) {
        struct include_stamp now;
        if (!stamp_of(inc->files[i], &now) || now.mtime_ns != inc->stamps[i].mtime_ns || now.size != inc->stamps[i].size) {
            return false;
        }
    }
    return true;
}

struct files {
    struct index *ix;
    struct include *inc;
};

/* A file that the header brought: the user's own are remembered with their time. */
static void note_file(void *ctx, const char *path, size_t len)
{
    struct files *f = ctx;
    struct include *inc = f->inc;
    if ((len > 5 && memcmp(path, "/usr/", 5) == 0) || path[0] == '<') {
        return;
    }
    for (size_t i = 0; i < inc->nfiles; i++) {
        if (strlen(inc->files[i]) == len && memcmp(inc->files[i], path, len) == 0) {
            return;
        }
    }
    char *copy = arena_strndup(&f->ix->arena, path, len);
    char **files = arena_alloc(&f->ix->arena, (inc->nfiles + 1) * sizeof *files);
    struct include_stamp *stamps = arena_alloc(&f->ix->arena, (inc->nfiles + 1) * sizeof *stamps);
    struct include_stamp now;
    if (!copy || !files || !stamps || !stamp_of(copy, &now)) {
        return; /* then a change goes unnoticed until the next kernel */
    }
    if (inc->nfiles) {
        memcpy(files, inc->files, inc->nfiles * sizeof *files);
        memcpy(stamps, inc->stamps, inc->nfiles * sizeof *stamps);
    }
    files[inc->nfiles] = copy;
    stamps[inc->nfiles++] = now;
    inc->files = files;
    inc->stamps = stamps;
}

static enum err_code not_found(const char *name, size_t len, int line, const char *complaint, struct err *e)
{
    const char *quote = strstr(complaint, "include file '");
    if (!quote) {
        return err_at(e, ERR_COMPILE, "", line, "#include %.*s: %s", (int)len, name, complaint);
    }
    const char *missing = quote + strlen("include file '");
    int missing_len = (int)strcspn(missing, "'");
    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++) {
        if (strncmp(missing, packages[i].start, strlen(packages[i].start)) == 0) {
            return err_at(e, ERR_NOT_FOUND, "", line, "#include %.*s: '%.*s' is not installed; it is in Debian's %s",
                          (int)len, name, missing_len, missing, packages[i].package);
        }
    }
    return err_at(e, ERR_NOT_FOUND, "", line, "#include %.*s: there is no file '%.*s'", (int)len, name, missing_len, missing);
}

/* The user's macros that are in force, since a header may ask for them. */
static void add_user_macros(const struct index *ix, const struct record *r, struct buf *out)
{
    if (!r) {
        return;
    }
    add_user_macros(ix, r->next, out); /* oldest first */
    for (const struct piece *p = r->first; p && !r->is_header && !r->dead; p = p->next) {
        if (p->is_macro) {
            buf_add(out, p->source.text, p->source.len);
            buf_char(out, '\n');
        }
    }
}

enum err_code headers_include(struct index *ix, const char *name, size_t len, int line, const char *before, struct err *e)
{
    struct include *inc = find_include(ix, name, len);
    if (inc && (!inc->record || is_fresh(inc))) {
        inc->by_user = true;
        return ERR_NONE;
    }
    struct buf text;
    struct buf output;
    struct buf complaint;
    buf_init(&text, 0);
    buf_init(&output, 0);
    buf_init(&complaint, 0);
    add_user_macros(ix, ix->records, &text);
    buf_str(&text, before);
    buf_printf(&text, MARKER " 0\n#include %.*s\n", (int)len, name);
    enum err_code code = buf_check(&text, "headers", e);
    code = code ? code : run_preprocessor(text.data, text.len, PREPROCESS_DEFINITIONS, &output, &complaint, e);
    if (!code && complaint.len) {
        code = not_found(name, len, line, complaint.data, e);
    }
    struct reader r = { .ix = ix, .nnames = 1, .e = e };
    if (!code && !inc) {
        code = add_include(ix, name, len, &inc, e);
    }
    code = code ? code : new_record(ix, &r.record, e);
    if (!code) {
        r.record->is_library = true;
        struct files files = { .ix = ix, .inc = inc };
        const char *names[] = { inc->name };
        size_t output_len = output.len;
        char *taken = buf_take(&output);
        r.names = names;
        inc->nfiles = 0;
        if (inc->record) {
            record_kill(inc->record); /* the file has changed */
        }
        code = taken ? read_output(&r, taken, output_len, note_file, &files) : err_memory(e);
        inc->record = r.record;
        inc->by_user = true;
    }
    buf_done(&text);
    buf_done(&output);
    buf_done(&complaint);
    return code;
}
