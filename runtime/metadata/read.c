/* See metadata.h: reading runs, tasks and artifacts. Rows are put in order here, not by SQL: a path's indices compare
 * as numbers, and a step's place is when its first task started. */
#include "runtime/base/buf.h"
#include "runtime/metadata/database.h"
#include "runtime/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_MAX = 64 << 20 };
static const size_t ROWS_MAX = (size_t)1 << 32; /* bytes of rows in one answer */

static enum err_code prepare(struct metadata *m, const char *sql, sqlite3_stmt **s, struct err *e)
{
    return sqlite3_prepare_v2(m->db, sql, -1, s, NULL) == SQLITE_OK ? ERR_NONE : db_error(m, "reading", e);
}

static const char *text_column(sqlite3_stmt *s, int column, struct arena *a)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return arena_strndup(a, text ? text : "", text ? (size_t)sqlite3_column_bytes(s, column) : 0);
}

/* The rows collected as an array in the arena. */
static enum err_code take_rows(struct buf *rows, struct arena *a, void *out, struct err *e)
{
    enum err_code code = buf_check(rows, "reading metadata", e);
    if (code) {
        return code;
    }
    void *array = arena_alloc(a, rows->len);
    if (!array) {
        return err_memory(e);
    }
    if (rows->len) {
        memcpy(array, rows->data, rows->len);
    }
    memcpy(out, &array, sizeof array);
    return ERR_NONE;
}

/* ---- runs ---- */

#define RUN_COLUMNS "SELECT id, name, flow, status, started, finished, code, tier, user, reason, tasks FROM run "

static enum err_code run_row(sqlite3_stmt *s, struct arena *a, struct meta_run *r, struct err *e)
{
    *r = (struct meta_run){
        .id = sqlite3_column_int64(s, 0),
        .name = text_column(s, 1, a),
        .flow = text_column(s, 2, a),
        .status = sqlite3_column_int(s, 3),
        .started = sqlite3_column_int64(s, 4),
        .finished = sqlite3_column_int64(s, 5),
        .code = text_column(s, 6, a),
        .tier = text_column(s, 7, a),
        .user = text_column(s, 8, a),
        .reason = text_column(s, 9, a),
        .tasks = sqlite3_column_int64(s, 10),
    };
    bool ok = r->name && r->flow && r->code && r->tier && r->user && r->reason;
    return ok ? ERR_NONE : err_memory(e);
}

/* All rows of a bound statement over RUN_COLUMNS. */
static enum err_code run_rows(struct metadata *m, sqlite3_stmt *s, struct arena *a, struct meta_run **out,
                              size_t *count, struct err *e)
{
    struct buf rows;
    buf_init(&rows, ROWS_MAX);
    enum err_code code = ERR_NONE;
    int result = SQLITE_DONE;
    while (!code && (result = sqlite3_step(s)) == SQLITE_ROW) {
        struct meta_run r;
        code = run_row(s, a, &r, e);
        buf_add(&rows, &r, sizeof r);
    }
    if (!code && result != SQLITE_DONE) {
        code = db_error(m, "reading runs", e);
    }
    struct meta_run *array = NULL;
    if (!code) {
        code = take_rows(&rows, a, &array, e);
    }
    if (!code) {
        *out = array;
        *count = rows.len / sizeof **out;
    }
    buf_done(&rows);
    return code;
}

enum err_code metadata_runs(struct metadata *m, const char *flow, size_t limit, struct arena *a, struct meta_run **out,
                            size_t *count, struct err *e)
{
    sqlite3_stmt *s = NULL;
    enum err_code code = prepare(m, RUN_COLUMNS "WHERE ?1 IS NULL OR flow = ?1 ORDER BY id DESC LIMIT ?2", &s, e);
    if (!code) {
        (void)sqlite3_bind_text(s, 1, flow, -1, SQLITE_STATIC); /* NULL binds NULL */
        sqlite3_bind_int64(s, 2, limit ? (int64_t)limit : -1);
        code = run_rows(m, s, a, out, count, e);
    }
    (void)sqlite3_finalize(s);
    return code;
}

/* ERR_NAME with the first few of the runs that begin with name. */
static enum err_code ambiguous(const char *name, const struct meta_run *runs, size_t count, struct err *e)
{
    char some[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < count && i < 3; i++) {
        int n = snprintf(some + used, sizeof some - used, "%s'%.100s'", i ? ", " : "", runs[i].name);
        used += n > 0 ? (size_t)n : 0;
    }
    return err_set(e, ERR_NAME, "several runs begin with '%s': %s%s; give more of the name", name, some,
                   count > 3 ? " and more" : "");
}

enum err_code metadata_run_find(struct metadata *m, const char *flow, const char *name, struct arena *a,
                                struct meta_run *out, struct err *e)
{
    struct meta_run *runs = NULL;
    size_t count = 0;
    enum err_code code;
    if (strcmp(name, "latest") == 0) {
        code = metadata_runs(m, flow, 1, a, &runs, &count, e);
    } else {
        sqlite3_stmt *s = NULL;
        /* From the prefix up to the prefix with the last code point behind it; the name itself comes first. */
        code = prepare(m,
                       RUN_COLUMNS "WHERE name >= ?1 AND name <= ?1 || char(1114111) AND (?2 IS NULL OR flow = ?2)"
                                   " ORDER BY name LIMIT 4",
                       &s, e);
        if (!code) {
            (void)sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
            (void)sqlite3_bind_text(s, 2, flow, -1, SQLITE_STATIC);
            code = name[0] ? run_rows(m, s, a, &runs, &count, e) : ERR_NONE;
        }
        (void)sqlite3_finalize(s);
    }
    if (code) {
        return code;
    }
    const char *of = flow ? flow : "";
    const char *says = flow ? " of flow " : "";
    if (count == 0) {
        return err_set(e, ERR_NOT_FOUND, "there is no run '%s'%s%s", name, says, of);
    }
    if (count > 1 && strcmp(runs[0].name, name) != 0) {
        return ambiguous(name, runs, count, e);
    }
    *out = runs[0];
    return ERR_NONE;
}

/* ---- order of tasks ---- */

/* What a row of tasks or artifacts is sorted by. */
struct place {
    int64_t step_started; /* of the step's first task */
    int64_t step;         /* row id */
    const char *path;
    int64_t task;
    size_t row;
};

/* Paths by their numbers: "2" < "10", "1" < "1.0". */
static int compare_paths(const char *a, const char *b)
{
    while (*a && *b) {
        char *a_end = NULL;
        char *b_end = NULL;
        unsigned long x = strtoul(a, &a_end, 10);
        unsigned long y = strtoul(b, &b_end, 10);
        if (a_end == a || b_end == b) {
            return strcmp(a, b); /* not numbers */
        }
        if (x != y) {
            return x < y ? -1 : 1;
        }
        a = *a_end == '.' ? a_end + 1 : a_end;
        b = *b_end == '.' ? b_end + 1 : b_end;
    }
    return (*a != '\0') - (*b != '\0');
}

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    if (a->step_started != b->step_started) {
        return a->step_started < b->step_started ? -1 : 1;
    }
    if (a->step != b->step) {
        return a->step < b->step ? -1 : 1;
    }
    int by_path = compare_paths(a->path, b->path);
    if (by_path) {
        return by_path;
    }
    if (a->task != b->task) {
        return a->task < b->task ? -1 : 1;
    }
    return a->row < b->row ? -1 : a->row > b->row; /* as they came */
}

static int compare_steps(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    return a->step < b->step ? -1 : a->step > b->step;
}

/* Put the places in order: step_started comes in as each task's own start. */
static void order_places(struct place *places, size_t count)
{
    qsort(places, count, sizeof *places, compare_steps);
    for (size_t i = 0; i < count;) {
        size_t end = i;
        int64_t first = places[i].step_started;
        for (; end < count && places[end].step == places[i].step; end++) {
            first = places[end].step_started < first ? places[end].step_started : first;
        }
        for (; i < end; i++) {
            places[i].step_started = first;
        }
    }
    qsort(places, count, sizeof *places, compare_places);
}

/* rows (each `size` bytes) in the order of places, as an array in the arena. */
static enum err_code take_ordered(struct buf *rows, struct buf *places, size_t size, struct arena *a, void *out,
                                  size_t *count, struct err *e)
{
    enum err_code code = buf_check(rows, "reading metadata", e);
    code = code ? code : buf_check(places, "reading metadata", e);
    if (code) {
        return code;
    }
    struct place *place = (void *)places->data;
    size_t n = places->len / sizeof *place;
    char *array = arena_alloc(a, rows->len);
    if (!array) {
        return err_memory(e);
    }
    if (n) {
        order_places(place, n);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(array + i * size, rows->data + place[i].row * size, size);
    }
    memcpy(out, &array, sizeof array);
    *count = n;
    return ERR_NONE;
}

/* ---- tasks ---- */

/* A log: of a long one all that is in objects/, or the beginning if that is gone or very large. */
static enum err_code log_column(struct metadata *m, sqlite3_stmt *s, int column, int object_column, struct arena *a,
                                const char **text, size_t *len, struct err *e)
{
    const void *data = sqlite3_column_blob(s, column);
    size_t size = (size_t)sqlite3_column_bytes(s, column);
    const unsigned char *digest = sqlite3_column_blob(s, object_column);
    struct store_map map = { 0 };
    if (digest && sqlite3_column_bytes(s, object_column) == SHA256_BYTES &&
        store_get(m->store_path, digest, &map, NULL) == ERR_NONE && map.len <= LOG_MAX) {
        data = map.data;
        size = map.len;
    }
    *text = arena_strndup(a, data ? data : "", size);
    *len = size;
    store_unmap(&map);
    return *text ? ERR_NONE : err_memory(e);
}

static enum err_code task_row(struct metadata *m, sqlite3_stmt *s, int64_t run, struct arena *a, struct meta_task *t,
                              struct err *e)
{
    *t = (struct meta_task){
        .id = sqlite3_column_int64(s, 0),
        .run = run,
        .step = text_column(s, 2, a),
        .path = text_column(s, 3, a),
        .status = sqlite3_column_int(s, 4),
        .started = sqlite3_column_int64(s, 5),
        .finished = sqlite3_column_int64(s, 6),
        .exit_status = sqlite3_column_int(s, 7),
        .reason = text_column(s, 8, a),
    };
    if (!t->step || !t->path || !t->reason) {
        return err_memory(e);
    }
    enum err_code code = log_column(m, s, 9, 11, a, &t->out, &t->out_len, e);
    return code ? code : log_column(m, s, 10, 12, a, &t->err, &t->err_len, e);
}

static const char TASKS_SQL[] =
    "SELECT t.id, t.step, s.name, t.path, x.status, x.started, x.finished, x.exit, x.reason, x.out, x.err, "
    "x.out_object,"
    " x.err_object FROM step s CROSS JOIN task t ON t.step = s.id CROSS JOIN attempt x ON x.task = t.id"
    " WHERE s.run = ?1 AND (?2 IS NULL OR s.name = ?2)"
    " AND x.number = (SELECT max(number) FROM attempt WHERE task = t.id)";

enum err_code metadata_tasks(struct metadata *m, int64_t run, const char *step, struct arena *a, struct meta_task **out,
                             size_t *count, struct err *e)
{
    struct buf rows;
    struct buf places;
    buf_init(&rows, ROWS_MAX);
    buf_init(&places, ROWS_MAX);
    sqlite3_stmt *s = NULL;
    enum err_code code = prepare(m, TASKS_SQL, &s, e);
    if (code) {
        goto done;
    }
    sqlite3_bind_int64(s, 1, run);
    (void)sqlite3_bind_text(s, 2, step, -1, SQLITE_STATIC);
    int result = SQLITE_DONE;
    while (!code && (result = sqlite3_step(s)) == SQLITE_ROW) {
        struct meta_task t;
        code = task_row(m, s, run, a, &t, e);
        struct place p = { t.started, sqlite3_column_int64(s, 1), t.path, t.id, rows.len / sizeof t };
        buf_add(&rows, &t, sizeof t);
        buf_add(&places, &p, sizeof p);
    }
    if (!code && result != SQLITE_DONE) {
        code = db_error(m, "reading tasks", e);
    }
    if (!code) {
        code = take_ordered(&rows, &places, sizeof(struct meta_task), a, out, count, e);
    }
done:
    (void)sqlite3_finalize(s);
    buf_done(&rows);
    buf_done(&places);
    return code;
}

/* ---- artifacts ---- */

static enum err_code found_row(struct metadata *m, sqlite3_stmt *s, struct arena *a, struct meta_found *f,
                               struct err *e)
{
    *f = (struct meta_found){
        .task = sqlite3_column_int64(s, 0),
        .step = text_column(s, 2, a),
        .path = text_column(s, 3, a),
        .name = text_column(s, 5, a),
        .object.size = sqlite3_column_int64(s, 7),
    };
    if (!f->step || !f->path || !f->name) {
        return err_memory(e);
    }
    const void *digest = sqlite3_column_blob(s, 6);
    const void *data = sqlite3_column_blob(s, 8);
    size_t size = (size_t)sqlite3_column_bytes(s, 8);
    if (!digest || sqlite3_column_bytes(s, 6) != SHA256_BYTES || (data && (int64_t)size != f->object.size)) {
        return err_set(e, ERR_FORMAT, "'%s/metadata.db': the row of artifact '%s' is damaged", m->store_path, f->name);
    }
    memcpy(f->object.digest, digest, SHA256_BYTES);
    if (data) {
        void *copy = arena_alloc(a, size);
        if (!copy) {
            return err_memory(e);
        }
        f->object.data = memcpy(copy, data, size);
    }
    return ERR_NONE;
}

/* The query's text has only the conditions asked for: so SQLite uses the index on (step, path). */
static enum err_code prepare_artifacts(struct metadata *m, int64_t run, const char *step, const char *path,
                                       const char *name, sqlite3_stmt **s, struct err *e)
{
    char sql[1000];
    (void)snprintf(sql, sizeof sql,
                   "SELECT t.id, t.step, s.name, t.path, x.started, n.name, o.digest, o.size, o.data"
                   " FROM step s CROSS JOIN task t ON t.step = s.id%s"
                   " CROSS JOIN attempt x ON x.task = t.id AND x.number = 0"
                   " CROSS JOIN artifact r ON r.task = t.id CROSS JOIN name n ON n.id = r.name%s"
                   " CROSS JOIN object o ON o.id = r.object WHERE s.run = ?1%s",
                   path ? " AND t.path = ?3" : "", name ? " AND r.name = (SELECT id FROM name WHERE name = ?4)" : "",
                   step ? " AND s.name = ?2" : "");
    enum err_code code = prepare(m, sql, s, e);
    if (code) {
        return code;
    }
    sqlite3_bind_int64(*s, 1, run);
    const char *const values[] = { step, path, name };
    for (int i = 0; i < 3; i++) {
        if (values[i]) {
            (void)sqlite3_bind_text(*s, i + 2, values[i], -1, SQLITE_STATIC);
        }
    }
    return ERR_NONE;
}

enum err_code metadata_artifacts(struct metadata *m, int64_t run, const char *step, const char *path, const char *name,
                                 struct arena *a, struct meta_found **out, size_t *count, struct err *e)
{
    struct buf rows;
    struct buf places;
    buf_init(&rows, ROWS_MAX);
    buf_init(&places, ROWS_MAX);
    sqlite3_stmt *s = NULL;
    enum err_code code = prepare_artifacts(m, run, step, path, name, &s, e);
    if (code) {
        goto done;
    }
    int result = SQLITE_DONE;
    while (!code && (result = sqlite3_step(s)) == SQLITE_ROW) {
        struct meta_found f;
        code = found_row(m, s, a, &f, e);
        struct place p = { sqlite3_column_int64(s, 4), sqlite3_column_int64(s, 1), f.path, f.task,
                           rows.len / sizeof f };
        buf_add(&rows, &f, sizeof f);
        buf_add(&places, &p, sizeof p);
    }
    if (!code && result != SQLITE_DONE) {
        code = db_error(m, "reading artifacts", e);
    }
    if (!code) {
        code = take_ordered(&rows, &places, sizeof(struct meta_found), a, out, count, e);
    }
done:
    (void)sqlite3_finalize(s);
    buf_done(&rows);
    buf_done(&places);
    return code;
}
