/* See where.h and build_flow_where in build.h. tcc's line table is read here, cc's by addr2line; cc is told -gdwarf-4: in version 5, addr2line 2.40 gives lines behind a
 * `#line` in the first line of a file to the file itself. */
#include "runtime/build/where.h"

#include "runtime/base/file.h"
#include "runtime/base/spawn.h"
#include "runtime/build/elf64.h"
#include "runtime/build/stabs.h"
#include "runtime/build/tcc.h"

#include <inttypes.h>
#include <libtcc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OBJECT_MAX = 256 << 20, FLOW_TEXT_MAX = 64 << 20 };

/* addr2line's two lines: the function, then DIRECTORY/cell [4]:12 (perhaps with " (discriminator 1)"). */
static bool answer_parse(const char *s, struct build_where *out)
{
    size_t name = strcspn(s, "\n");
    if (s[name] == '\0') {
        return false;
    }
    const char *cell = strstr(s + name, "cell ");
    const char *colon = cell ? strchr(cell, ':') : NULL;
    if (!colon) {
        return false;
    }
    int line = (int)strtol(colon + 1, NULL, 10);
    if (line <= 0) {
        return false;
    }
    (void)snprintf(out->function, sizeof out->function, "%.*s", (int)name, s);
    (void)snprintf(out->cell, sizeof out->cell, "%.*s", (int)(colon - cell), cell);
    out->line = line;
    return true;
}

bool where_ask(const char *object, uint64_t address, struct build_where *out)
{
    char hex[32];
    struct buf answer;
    int status = 0;
    (void)snprintf(hex, sizeof hex, "0x%" PRIx64, address);
    const char *const argv[] = { "addr2line", "-f", "-e", object, hex, NULL };
    buf_init(&answer, 1 << 16);
    bool known =
        spawn_capture(argv, &answer, &status, NULL) == ERR_NONE && status == 0 && answer_parse(answer.data, out);
    buf_done(&answer);
    return known;
}

/* The object that tcc makes of the text, with -g, through a memory file. Owned; NULL: it can't be made. */
static char *compile_with_lines(const char *text, const char *include_dir, size_t *len)
{
    struct tcc t;
    char *object = NULL;
    char path[64];
    int fd = memfd_create("weir-where.o", MFD_CLOEXEC);
    if (fd < 0 || tcc_begin(&t, TCC_OUTPUT_OBJ, "-g", include_dir, NULL) != ERR_NONE) {
        (void)(fd >= 0 && close(fd));
        return NULL;
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    (void)tcc_compile(&t, text); /* doubts were settled when it was built */
    bool made = !t.refused && tcc_output_file(t.state, path) == 0;
    tcc_done(&t);
    if (!made || file_read(path, OBJECT_MAX, &object, len, NULL) != ERR_NONE) {
        object = NULL;
    }
    (void)close(fd);
    return object;
}

bool where_tcc(const char *text, const char *anchor, int64_t distance, struct build_where *out)
{
    const char *include_dir;
    size_t len = 0;
    uint64_t base = 0;
    if (build_paths(&include_dir, NULL, NULL, NULL) != ERR_NONE) {
        return false;
    }
    char *object = compile_with_lines(text, include_dir, &len);
    bool known = object && elf64_symbol(object, len, anchor, &base) &&
                 stabs_where(object, len, base + (uint64_t)distance, out);
    free(object);
    return known;
}

enum err_code where_anchored(struct buf *out, const char *text, size_t len, struct err *e)
{
    buf_add(out, text, len);
    if (!memmem(text, len, BUILD_ANCHOR "(void)", sizeof BUILD_ANCHOR "(void)" - 1)) {
        buf_str(out, "\nvoid " BUILD_ANCHOR "(void) {}\n");
    }
    return buf_check(out, "the flow's text", e);
}

static bool ends_with(const char *s, const char *end)
{
    size_t len = strlen(s), n = strlen(end);
    return len >= n && strcmp(s + len - n, end) == 0;
}

bool build_flow_where(const char *so_path, uint64_t offset, struct build_where *out)
{
    char source[4096];
    char *so = NULL, *text = NULL;
    size_t so_len = 0, text_len = 0;
    uint64_t anchor = 0;
    if (!ends_with(so_path, ".tcc.so")) {
        return where_ask(so_path, offset, out);
    }
    int stem = (int)(strlen(so_path) - strlen(".tcc.so"));
    if (snprintf(source, sizeof source, "%.*s.c", stem, so_path) >= (int)sizeof source) {
        return false;
    }
    struct buf whole;
    buf_init(&whole, 2 * (size_t)FLOW_TEXT_MAX);
    bool known = file_read(so_path, OBJECT_MAX, &so, &so_len, NULL) == ERR_NONE &&
                 elf64_symbol(so, so_len, BUILD_ANCHOR, &anchor) &&
                 file_read(source, FLOW_TEXT_MAX, &text, &text_len, NULL) == ERR_NONE;
    known = known && where_anchored(&whole, text, text_len, NULL) == ERR_NONE &&
            where_tcc(whole.data, BUILD_ANCHOR, (int64_t)(offset - anchor), out);
    buf_done(&whole);
    free(text);
    free(so);
    return known;
}
