/* See notebook.h.
 *
 * A cell's source is a string or a list of strings to be joined. Ids are missing before nbformat 4.5, and hand-edited
 * files repeat them: such cells get one made from their position, so that no cell is taken for another. */
#include "runtime/lang/notebook.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err_code read_source(struct notebook *nb, const json_t *source, size_t position, struct cell *cell,
                                 struct err *e)
{
    struct buf text;
    buf_init(&text, LEX_MAX_TEXT);
    enum err_code code = ERR_NONE;
    if (json_is_string(source)) {
        buf_add(&text, json_string_value(source), json_string_length(source));
    } else if (json_is_array(source)) {
        for (size_t i = 0; i < json_array_size(source) && !code; i++) {
            const json_t *line = json_array_get(source, i);
            if (json_is_string(line)) {
                buf_add(&text, json_string_value(line), json_string_length(line));
            } else {
                code = err_set(e, ERR_FORMAT, "cell %zu: its source holds something that is no text", position);
            }
        }
    } else {
        code = err_set(e, ERR_FORMAT, "cell %zu has no source", position);
    }
    if (!code && text.failed) {
        code = err_set(e, ERR_LIMIT, "cell %zu is longer than %d bytes", position, LEX_MAX_TEXT);
    }
    if (!code) {
        cell->text = arena_strndup(&nb->arena, text.data, text.len);
        cell->len = text.len;
        code = cell->text ? ERR_NONE : err_memory(e);
    }
    buf_done(&text);
    return code;
}

static bool is_blank_text(const struct cell *cell)
{
    return strspn(cell->text, " \t\r\n\f\v") == cell->len;
}

static enum err_code read_cell(struct notebook *nb, const json_t *json, size_t position, json_t *ids, struct err *e)
{
    const char *type = json_string_value(json_object_get(json, "cell_type"));
    if (!type) {
        return err_set(e, ERR_FORMAT, "cell %zu has no cell_type", position);
    }
    if (strcmp(type, "code") != 0) {
        return ERR_NONE;
    }
    struct cell *cell = &nb->cells[nb->ncells];
    enum err_code code = read_source(nb, json_object_get(json, "source"), position, cell, e);
    if (code || is_blank_text(cell)) {
        return code;
    }
    const char *id = json_string_value(json_object_get(json, "id"));
    char made[64];
    for (size_t n = position; !id || !id[0] || json_object_get(ids, id); n += NOTEBOOK_MAX_CELLS) {
        (void)snprintf(made, sizeof made, "position-%zu", n); /* fits */
        id = made;
    }
    cell->id = arena_strndup(&nb->arena, id, strlen(id));
    if (!cell->id || json_object_set_new(ids, id, json_true()) != 0) {
        return err_memory(e);
    }
    nb->ncells++;
    cell->number = (int)nb->ncells;
    return ERR_NONE;
}

static enum err_code read_cells(const char *name, const json_t *root, struct notebook *nb, struct err *e)
{
    const json_t *cells = json_object_get(root, "cells");
    json_int_t format = json_integer_value(json_object_get(root, "nbformat"));
    if (format != 4 || !json_is_array(cells)) {
        return err_set(e, ERR_FORMAT,
                       "%s is not a notebook of format 4 (nbformat %lld%s); save it with a current Jupyter", name,
                       (long long)format, json_is_array(cells) ? "" : ", no list of cells");
    }
    size_t count = json_array_size(cells);
    if (count > NOTEBOOK_MAX_CELLS) {
        return err_set(e, ERR_LIMIT, "%s has %zu cells, more than %d", name, count, NOTEBOOK_MAX_CELLS);
    }
    nb->cells = arena_alloc(&nb->arena, (count + 1) * sizeof *nb->cells);
    json_t *ids = json_object();
    enum err_code code = nb->cells && ids ? ERR_NONE : err_memory(e);
    for (size_t i = 0; i < count && !code; i++) {
        code = read_cell(nb, json_array_get(cells, i), i + 1, ids, e);
        if (code) {
            (void)err_context(e, "%s", name); /* keeps the code */
        }
    }
    json_decref(ids);
    return code;
}

enum err_code notebook_parse(const char *name, const char *json, size_t len, struct notebook *out, struct err *e)
{
    *out = (struct notebook){ .ncells = 0 };
    arena_init(&out->arena);
    json_error_t problem;
    json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &problem);
    if (!root) {
        return err_set(e, ERR_FORMAT, "%s is not a notebook: line %d: %s", name, problem.line, problem.text);
    }
    enum err_code code = read_cells(name, root, out, e);
    json_decref(root);
    return code;
}

/* Exactly size bytes into data. */
static bool read_all(int fd, char *data, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(fd, data + got, size - got);
        if (n <= 0) {
            return false;
        }
        got += (size_t)n;
    }
    return true;
}

enum err_code notebook_read(const char *path, struct notebook *out, struct err *e)
{
    *out = (struct notebook){ .ncells = 0 };
    arena_init(&out->arena);
    char *data = NULL;
    struct stat st;
    enum err_code code = ERR_NONE;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang us */
    if (fd < 0 || fstat(fd, &st) != 0) {
        code = err_errno(e, "%s", path);
        goto done;
    }
    if (!S_ISREG(st.st_mode)) {
        code = err_set(e, ERR_FORMAT, "%s is not a file", path);
        goto done;
    }
    if (st.st_size > NOTEBOOK_MAX_BYTES) {
        code =
            err_set(e, ERR_LIMIT, "%s has %lld bytes, more than %d", path, (long long)st.st_size, NOTEBOOK_MAX_BYTES);
        goto done;
    }
    data = malloc((size_t)st.st_size + 1);
    if (!data) {
        code = err_memory(e);
    } else if (!read_all(fd, data, (size_t)st.st_size)) {
        code = err_errno(e, "%s", path);
    } else {
        code = notebook_parse(path, data, (size_t)st.st_size, out, e);
    }
done:
    free(data);
    if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}

void notebook_done(struct notebook *nb)
{
    arena_done(&nb->arena);
    *nb = (struct notebook){ .ncells = 0 };
}
