/* See unit_cache.h. */
#include "runtime/cli/unit_cache.h"

#include "runtime/base/file.h"
#include "runtime/base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_UNIT = 64 << 20 };

/* `#include "own.h"`: what the file says would have to be part of the name. Also true of such a line in a comment. */
static bool includes_own(const struct cell *cell)
{
    for (size_t i = 0; i < cell->len; i++) {
        const char *line = cell->text + i;
        size_t left = cell->len - i;
        const char *end = memchr(line, '\n', left);
        size_t len = end ? (size_t)(end - line) : left;
        size_t k = strspn(line, " \t#");
        if (k < len && memchr(line, '#', k + 1) && len - k > 7 && strncmp(line + k, "include", 7) == 0 && memchr(line, '"', len)) {
            return true;
        }
        i += len;
    }
    return false;
}

static void add_text(struct sha256 *h, const char *text, size_t len)
{
    sha256_add(h, &len, sizeof len);
    sha256_add(h, text, len);
}

/* This program's own file: a newer weir may lower differently. */
static bool add_program(struct sha256 *h)
{
    struct stat st;
    if (stat("/proc/self/exe", &st) != 0) {
        return false;
    }
    sha256_add(h, &st.st_size, sizeof st.st_size);
    sha256_add(h, &st.st_mtim, sizeof st.st_mtim);
    sha256_add(h, &st.st_ino, sizeof st.st_ino);
    return true;
}

bool unit_cache_path(const char *store, const struct notebook *nb, const char *flow, const char *const *inputs, char *path,
                     size_t size)
{
    struct sha256 h;
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX];
    if (sha256_begin(&h, NULL)) {
        return false;
    }
    bool own = !add_program(&h);
    add_text(&h, flow ? flow : "", flow ? strlen(flow) : 0);
    for (; inputs && *inputs; inputs++) {
        add_text(&h, *inputs, strlen(*inputs));
    }
    for (size_t i = 0; i < nb->ncells; i++) {
        own = own || includes_own(&nb->cells[i]);
        add_text(&h, nb->cells[i].text, nb->cells[i].len);
    }
    if (sha256_end(&h, digest, NULL) || own) {
        return false;
    }
    sha256_hex(digest, hex);
    int n = snprintf(path, size, "%s/build/unit-%s.c", store, hex);
    return n > 0 && (size_t)n < size;
}

bool unit_cache_read(const char *path, struct buf *unit)
{
    char *text = NULL;
    size_t len = 0;
    if (file_read(path, MAX_UNIT, &text, &len, NULL)) {
        return false;
    }
    buf_add(unit, text, len);
    free(text);
    return !unit->failed;
}

void unit_cache_write(const char *path, const struct buf *unit)
{
    (void)file_write_atomic(path, unit->data, unit->len, 0644, 0, NULL); /* next time is as slow as this one, no more */
}
