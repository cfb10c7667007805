/* A cell's code described for another process, which never ran it, so that it can tell where in the cell an address
 * is: see build_cells_describe. Both processes are of one program on one machine: the bytes are a struct and three texts. */
#include "runtime/build/cells.h"

#include "runtime/base/file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct report {
    char label[64];
    const char *start, *end, *anchor_at;
    uint32_t text, anchor, image; /* lengths; the bytes follow in this order */
};

static size_t image_size(const struct unit *u)
{
    struct stat st;
    return u->so > 0 && fstat(u->so, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0;
}

size_t build_cells_describe(const struct build_cells *b, void *area, size_t size)
{
    const struct unit *u = b->newest;
    if (!u) {
        return 0;
    }
    size_t text = u->text ? strlen(u->text) : 0, anchor = u->anchor ? strlen(u->anchor) : 0, image = image_size(u);
    size_t whole = sizeof(struct report) + text + anchor + image;
    if (whole > size || whole > UINT32_MAX) {
        return 0;
    }
    struct report r = { .start = u->start,
                        .end = u->end,
                        .anchor_at = u->anchor_at,
                        .text = (uint32_t)text,
                        .anchor = (uint32_t)anchor,
                        .image = (uint32_t)image };
    memcpy(r.label, u->label, sizeof r.label);
    char *to = area;
    memcpy(to, &r, sizeof r);
    to += sizeof r;
    if (text) {
        memcpy(to, u->text, text);
    }
    if (anchor) {
        memcpy(to + text, u->anchor, anchor);
    }
    if (image && pread(u->so, to + text + anchor, image, 0) != (ssize_t)image) {
        return 0;
    }
    return whole;
}

static enum err_code learn_image(struct unit *u, const char *image, size_t len, struct err *e)
{
    u->so = memfd_create("weir-cell.so", MFD_CLOEXEC);
    return u->so < 0 ? err_errno(e, "can't make a memory file") : file_write_all(u->so, image, len, "a cell's code", e);
}

enum err_code build_cells_learn(struct build_cells *b, const void *area, size_t len, struct err *e)
{
    struct report r;
    if (len < sizeof r) {
        return err_set(e, ERR_FORMAT, "the description of a cell's code is cut off");
    }
    memcpy(&r, area, sizeof r);
    const char *at = (const char *)area + sizeof r;
    if ((size_t)r.text + r.anchor + r.image != len - sizeof r || !memchr(r.label, '\0', sizeof r.label)) {
        return err_set(e, ERR_FORMAT, "the description of a cell's code is damaged");
    }
    struct unit *u = calloc(1, sizeof *u);
    if (!u) {
        return err_memory(e);
    }
    *u = (struct unit){ .start = r.start, .end = r.end, .anchor_at = r.anchor_at, .learned = true };
    memcpy(u->label, r.label, sizeof u->label);
    u->text = strndup(at, r.text);
    u->anchor = r.anchor ? strndup(at + r.text, r.anchor) : NULL;
    enum err_code code = u->text && (u->anchor || !r.anchor) ? cells_reserve_unit(b, e) : err_memory(e);
    if (!code && r.image) {
        code = learn_image(u, at + r.text + r.anchor, r.image, e);
    }
    if (code) {
        cells_unit_free(b, u);
        return code;
    }
    cells_unit_add(b, u);
    return ERR_NONE;
}

void build_cells_forget(struct build_cells *b)
{
    while (b->nunits > 0 && b->units[b->nunits - 1]->learned) {
        cells_unit_free(b, b->units[--b->nunits]);
    }
    b->newest = NULL;
}
