/* See artifacts.h: finding and opening. artifacts_write.c has the texts. */
#include "runtime/view/artifacts.h"

#include "runtime/view/options.h"

#include <stdio.h>
#include <string.h>

/* ---- opening ---- */

enum err_code artifact_open(const char *store_path, const struct meta_found *found, struct arena *a,
                            struct artifact_value *out, struct err *e)
{
    *out = (struct artifact_value){ .data = found->object.data, .len = (size_t)found->object.size };
    enum err_code code = ERR_NONE;
    if (!out->data) {
        code = store_get(store_path, found->object.digest, &out->map, e);
        if (!code) {
            out->data = out->map.data;
            out->len = out->map.len;
        }
    }
    code = code ? code : npy_read(out->data, out->len, true, a, &out->npy, e);
    if (code) {
        (void)err_context(e, "artifact '%s' of step '%s'", found->name, found->step);
    }
    return code;
}

void artifact_close(struct artifact_value *v)
{
    if (v->map.data) {
        store_unmap(&v->map);
    }
    *v = (struct artifact_value){ 0 };
}

/* ---- finding ---- */

struct wanted {
    const char *run, *step, *path, *name; /* NULL: any (run: the one given) */
};

/* Cut a copy of spec into its parts. */
static enum err_code read_spec(const char *spec, struct arena *a, struct wanted *out, struct err *e)
{
    char *copy = arena_strndup(a, spec, strlen(spec));
    if (!copy) {
        return err_memory(e);
    }
    enum { MAX_PARTS = 4 };
    char *parts[MAX_PARTS];
    unsigned n = 0;
    for (char *p = copy; p;) {
        char *slash = strchr(p, '/');
        if (n == MAX_PARTS) {
            return err_set(e, ERR_USAGE, "'%s' has too many parts: NAME, STEP.NAME, RUN/STEP/NAME or RUN/STEP/PATH/NAME", spec);
        }
        parts[n++] = p;
        if (slash) {
            *slash++ = '\0';
        }
        p = slash;
    }
    char *dot = n == 1 ? strchr(copy, '.') : NULL;
    *out = (struct wanted){ .name = parts[n - 1] };
    if (dot) {
        *dot = '\0';
        out->step = copy;
        out->name = dot + 1;
    }
    if (n == 2) {
        out->step = parts[0];
    } else if (n == 3) { /* RUN/STEP/NAME, or STEP/PATH/NAME: a path is digits and dots */
        bool path = parts[1][0] && parts[1][strspn(parts[1], "0123456789.")] == '\0';
        out->run = path ? NULL : parts[0];
        out->step = path ? parts[0] : parts[1];
        out->path = path ? parts[1] : NULL;
    } else if (n == 4) {
        out->run = parts[0];
        out->step = parts[1];
        out->path = parts[2];
    }
    return ERR_NONE;
}

/* "run R has no artifact 'x' (did you mean..); it has a, b". */
static enum err_code not_found(struct metadata *m, const struct meta_run *run, const struct wanted *w, struct arena *a,
                               struct err *e)
{
    enum { MAX_NAMES = 100 };
    struct meta_found *all = NULL;
    size_t n = 0;
    size_t nnames = 0;
    const char *names[MAX_NAMES];
    enum err_code code = metadata_artifacts(m, run->id, NULL, NULL, NULL, a, &all, &n, e);
    if (code) {
        return code;
    }
    bool has_step = !w->step;
    for (size_t i = 0; i < n; i++) {
        bool here = !w->step || strcmp(all[i].step, w->step) == 0;
        has_step = has_step || here;
        bool known = !here;
        for (size_t k = 0; k < nnames && !known; k++) {
            known = strcmp(names[k], all[i].name) == 0;
        }
        if (!known && nnames < MAX_NAMES) {
            names[nnames++] = all[i].name;
        }
    }
    struct buf text;
    buf_init(&text, 0);
    if (!has_step) {
        buf_printf(&text, "in run %s no step '%s' made an artifact", run->name, w->step);
    } else {
        buf_printf(&text, "run %s has no artifact '%s'", run->name, w->name);
        if (w->step) {
            buf_printf(&text, " of step '%s'%s%s", w->step, w->path ? " at " : "", w->path ? w->path : "");
        }
        options_nearest(&text, w->name, names, nnames);
        buf_str(&text, nnames ? "; there are" : "; there are none");
        for (size_t i = 0; i < nnames; i++) {
            buf_printf(&text, "%s '%s'", i ? "," : "", names[i]);
        }
    }
    code = err_set(e, ERR_NOT_FOUND, "%s", text.data);
    buf_done(&text);
    return code;
}

enum err_code artifact_choose(struct metadata *m, const char *spec, const char *run, struct arena *a,
                              struct artifact_choice *out, struct err *e)
{
    struct wanted w = { 0 };
    struct artifact_choice c = { 0 };
    enum err_code code = read_spec(spec, a, &w, e);
    code = code ? code : metadata_run_find(m, NULL, w.run ? w.run : run ? run : "latest", a, &c.run, e);
    code = code ? code : metadata_artifacts(m, c.run.id, w.step, w.path, w.name, a, &c.found, &c.count, e);
    if (code) {
        return code;
    }
    if (c.count == 0) {
        return not_found(m, &c.run, &w, a, e);
    }
    size_t from = c.count - 1; /* of the step that made it last */
    while (from > 0 && strcmp(c.found[from - 1].step, c.found[c.count - 1].step) == 0) {
        from--;
    }
    c.found += from;
    c.count -= from;
    *out = c;
    return ERR_NONE;
}

enum err_code artifact_loops(struct metadata *m, struct artifact_choice *choice, struct artifact_loop *loops, size_t count,
                             struct arena *a, struct err *e)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; !code && i < count; i++) {
        code = metadata_artifacts(m, choice->run.id, loops[i].step, NULL, loops[i].name, a, &loops[i].found, &loops[i].count, e);
    }
    choice->loops = loops;
    choice->nloops = code ? 0 : count;
    return code;
}

/* ---- listing ---- */

static enum err_code describe_line(const char *store_path, const struct meta_found *found, struct arena *a,
                                   struct artifact_line *line, struct err *e)
{
    struct artifact_value v;
    struct buf type, shape;
    buf_init(&type, 0);
    buf_init(&shape, 0);
    enum err_code code = artifact_open(store_path, found, a, &v, e);
    if (!code) {
        artifact_type_text(&type, &v.npy.field);
        artifact_shape_text(&shape, &v.npy.field);
        *line = (struct artifact_line){ .name = found->name,
                                        .step = found->step,
                                        .tasks = 1,
                                        .type = arena_strndup(a, type.data, type.len),
                                        .shape = arena_strndup(a, shape.data, shape.len),
                                        .bytes = v.npy.bytes };
        sha256_hex(found->object.digest, line->hash);
        code = line->type && line->shape ? ERR_NONE : err_memory(e);
    }
    artifact_close(&v);
    buf_done(&type);
    buf_done(&shape);
    return code;
}

/* The line that found belongs to, looked for from the newest one back; a step's artifacts follow each other. */
static struct artifact_line *line_of(struct artifact_line *lines, size_t n, const struct meta_found *found)
{
    for (size_t i = n; i > 0 && strcmp(lines[i - 1].step, found->step) == 0; i--) {
        if (strcmp(lines[i - 1].name, found->name) == 0) {
            return &lines[i - 1];
        }
    }
    return NULL;
}

enum err_code artifacts_list(struct metadata *m, const char *store_path, int64_t run, struct arena *a,
                             struct artifact_line **out, size_t *count, struct err *e)
{
    struct meta_found *all = NULL;
    size_t n = 0;
    size_t nlines = 0;
    enum err_code code = metadata_artifacts(m, run, NULL, NULL, NULL, a, &all, &n, e);
    if (code) {
        return code;
    }
    struct buf lines;
    buf_init(&lines, 0);
    for (size_t i = 0; !code && i < n; i++) {
        struct artifact_line *line = lines.len ? line_of((void *)lines.data, nlines, &all[i]) : NULL;
        if (line) {
            line->tasks++;
            continue;
        }
        struct artifact_line fresh;
        code = describe_line(store_path, &all[i], a, &fresh, e);
        buf_add(&lines, &fresh, code ? 0 : sizeof fresh);
        nlines++;
    }
    code = code ? code : buf_check(&lines, "the list of artifacts", e);
    struct artifact_line *copy = code ? NULL : arena_alloc(a, lines.len + 1);
    if (!code && !copy) {
        code = err_memory(e);
    }
    if (!code) {
        memcpy(copy, lines.data, lines.len);
        *out = copy;
        *count = nlines;
    }
    buf_done(&lines);
    return code;
}
