/* See metadata.h: recording runs, tasks, artifacts. A task is one row in task and attempt, and one in artifact and (if
 * new) object for each value. */
#include "runtime/metadata/database.h"
#include "runtime/base/hash.h"
#include "runtime/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uuid/uuid.h>

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t); /* can't fail for this clock */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void bind_text(sqlite3_stmt *s, int column, const char *text)
{
    (void)sqlite3_bind_text(s, column, text ? text : "", -1, SQLITE_STATIC); /* bound until the step below only */
}

static void bind_bytes(sqlite3_stmt *s, int column, const void *data, size_t len)
{
    (void)sqlite3_bind_blob64(s, column, data, len, SQLITE_STATIC);
}

/* ---- runs ---- */

/* Time first, so that names sort as runs do; then 24 random bits against another run in the same second. */
static char *make_run_name(struct metadata *m, int64_t started)
{
    time_t seconds = (time_t)(started / 1000000);
    struct tm tm;
    uuid_t random;
    char day[32];
    char name[64];
    uuid_generate_random(random);
    if (!gmtime_r(&seconds, &tm) || !strftime(day, sizeof day, "%Y%m%d-%H%M%S", &tm)) {
        return NULL;
    }
    int n = snprintf(name, sizeof name, "%s-%02x%02x%02x", day, random[0], random[1], random[2]);
    return arena_strndup(&m->names, name, (size_t)n);
}

static const char *this_user(void)
{
    const char *user = getenv("USER");
    user = user && user[0] ? user : getenv("LOGNAME");
    return user ? user : "";
}

static enum err_code insert_run(struct metadata *m, struct meta_run *r, struct err *e)
{
    sqlite3_stmt *s = db_statement(m, SQL_RUN_ADD, e);
    if (!s) {
        return ERR_IO;
    }
    bind_text(s, 1, r->name);
    bind_text(s, 2, r->flow);
    sqlite3_bind_int(s, 3, r->status);
    sqlite3_bind_int64(s, 4, r->started);
    sqlite3_bind_int64(s, 5, now_us());
    bind_text(s, 6, r->code);
    bind_text(s, 7, r->tier);
    bind_text(s, 8, r->user ? r->user : this_user());
    enum err_code code = db_run(m, s, "adding a run", e);
    if (!code) {
        r->id = sqlite3_last_insert_rowid(m->db);
    }
    return code;
}

enum err_code metadata_run_add(struct metadata *m, struct meta_run *r, struct err *e)
{
    enum err_code code = db_write_begin(m, e);
    if (code) {
        return code;
    }
    bool named = r->name != NULL;
    if (r->started == 0) {
        r->started = now_us();
    }
    for (int tries = 0; tries < 100; tries++) {
        if (!named && !(r->name = make_run_name(m, r->started))) {
            code = err_memory(e);
            break;
        }
        code = insert_run(m, r, e);
        if (code != ERR_EXISTS || named) {
            break;
        }
    }
    if (code == ERR_EXISTS) {
        code = err_set(e, ERR_EXISTS, "there is a run '%s' already", r->name);
    }
    return db_write_end(m, code, e);
}

enum err_code metadata_run_end(struct metadata *m, int64_t run, enum meta_status status, int64_t finished,
                               const char *reason, struct err *e)
{
    enum err_code code = db_write_begin(m, e);
    if (code) {
        return code;
    }
    sqlite3_stmt *s = db_statement(m, SQL_RUN_END, e);
    if (!s) {
        return db_write_end(m, ERR_IO, e);
    }
    sqlite3_bind_int(s, 1, (int)status);
    sqlite3_bind_int64(s, 2, finished ? finished : now_us());
    bind_text(s, 3, reason);
    sqlite3_bind_int64(s, 4, run);
    return db_write_end(m, db_run(m, s, "ending a run", e), e);
}

enum err_code metadata_run_beat(struct metadata *m, int64_t run, int64_t now, struct err *e)
{
    enum err_code code = db_write_begin(m, e);
    if (code) {
        return code;
    }
    sqlite3_stmt *s = db_statement(m, SQL_RUN_BEAT, e);
    if (!s) {
        return db_write_end(m, ERR_IO, e);
    }
    sqlite3_bind_int64(s, 1, now);
    sqlite3_bind_int64(s, 2, run);
    return db_write_end(m, db_run(m, s, "keeping a run's lease", e), e);
}

/* ---- ids of steps, names and objects ---- */

static size_t slot_of(int64_t run, const char *name)
{
    return (size_t)(hash_bytes((uint64_t)run, name, strlen(name)) % NAME_SLOTS);
}

/* The id in column 0 of a look-up that is bound already; 0: no row. */
static enum err_code find_id(struct metadata *m, sqlite3_stmt *s, int64_t *id, struct err *e)
{
    int result = sqlite3_step(s);
    enum err_code code = ERR_NONE;
    if (result == SQLITE_ROW) {
        *id = sqlite3_column_int64(s, 0);
    } else if (result == SQLITE_DONE) {
        *id = 0;
    } else {
        code = db_error(m, "looking up an id", e);
    }
    (void)sqlite3_reset(s);
    return code;
}

/* The row of a step (run given) or an artifact's name (run -1), made if it is not there. */
static enum err_code name_id(struct metadata *m, int64_t run, const char *name, int64_t *id, struct err *e)
{
    struct name_slot *slot = &m->name_slots[slot_of(run, name)];
    if (slot->id && slot->run == run && strcmp(slot->name, name) == 0) {
        *id = slot->id;
        return ERR_NONE;
    }
    const enum statement both[2] = { run < 0 ? SQL_NAME_FIND : SQL_STEP_FIND, run < 0 ? SQL_NAME_ADD : SQL_STEP_ADD };
    *id = 0;
    for (int i = 0; i < 2 && *id == 0; i++) {
        sqlite3_stmt *s = db_statement(m, both[i], e);
        if (!s) {
            return ERR_IO;
        }
        if (run >= 0) {
            sqlite3_bind_int64(s, 1, run);
        }
        bind_text(s, 2, name);
        enum err_code code = i == 0 ? find_id(m, s, id, e) : db_run(m, s, "adding a name", e);
        if (code) {
            return code;
        }
        if (i == 1) {
            *id = sqlite3_last_insert_rowid(m->db);
        }
    }
    size_t len = strlen(name);
    if (len < sizeof slot->name) {
        slot->run = run;
        slot->id = *id;
        memcpy(slot->name, name, len + 1);
    }
    return ERR_NONE;
}

static enum err_code object_id(struct metadata *m, const struct meta_object *o, int64_t *id, struct err *e)
{
    size_t which;
    memcpy(&which, o->digest, sizeof which);
    struct object_slot *slot = &m->object_slots[which % OBJECT_SLOTS];
    if (slot->id && memcmp(slot->digest, o->digest, SHA256_BYTES) == 0) {
        *id = slot->id;
        return ERR_NONE;
    }
    sqlite3_stmt *s = db_statement(m, SQL_OBJECT_ADD, e);
    if (!s) {
        return ERR_IO;
    }
    bind_bytes(s, 1, o->digest, SHA256_BYTES);
    sqlite3_bind_int64(s, 2, o->size);
    bind_bytes(s, 3, o->data, o->data ? (size_t)o->size : 0); /* NULL data binds NULL */
    enum err_code code = db_run(m, s, "adding an object", e);
    if (!code && sqlite3_changes(m->db)) {
        *id = sqlite3_last_insert_rowid(m->db);
    } else if (!code) {
        s = db_statement(m, SQL_OBJECT_FIND, e);
        if (!s) {
            return ERR_IO;
        }
        bind_bytes(s, 1, o->digest, SHA256_BYTES);
        code = find_id(m, s, id, e);
    }
    if (!code) {
        memcpy(slot->digest, o->digest, SHA256_BYTES);
        slot->id = *id;
    }
    return code;
}

/* ---- tasks ---- */

/* What was printed: up to STORE_INLINE bytes in the row; of more, the beginning there and all of it as an object. */
static enum err_code bind_log(struct metadata *m, sqlite3_stmt *s, int column, int object_column, const char *text,
                              size_t len, unsigned char digest[SHA256_BYTES], struct err *e)
{
    sqlite3_bind_null(s, column);
    sqlite3_bind_null(s, object_column);
    if (len == 0) {
        return ERR_NONE;
    }
    bind_bytes(s, column, text, len <= STORE_INLINE ? len : STORE_INLINE);
    if (len <= STORE_INLINE) {
        return ERR_NONE;
    }
    enum err_code code = store_put(m->store_path, NULL, 0, text, len, digest, e);
    if (!code) {
        bind_bytes(s, object_column, digest, SHA256_BYTES);
    }
    return code;
}

static enum err_code insert_attempt(struct metadata *m, const struct meta_task *t, struct err *e)
{
    unsigned char out[SHA256_BYTES];
    unsigned char err[SHA256_BYTES];
    sqlite3_stmt *s = db_statement(m, SQL_ATTEMPT_ADD, e);
    if (!s) {
        return ERR_IO;
    }
    sqlite3_bind_int64(s, 1, t->id);
    sqlite3_bind_int(s, 2, t->status);
    sqlite3_bind_int64(s, 3, t->started);
    sqlite3_bind_int64(s, 4, t->finished);
    sqlite3_bind_int(s, 5, t->exit_status);
    if (t->reason && t->reason[0]) {
        bind_text(s, 6, t->reason);
    } else {
        sqlite3_bind_null(s, 6);
    }
    enum err_code code = bind_log(m, s, 7, 9, t->out, t->out_len, out, e);
    if (!code) {
        code = bind_log(m, s, 8, 10, t->err, t->err_len, err, e);
    }
    if (!code) {
        code = db_run(m, s, "adding an attempt", e);
    }
    return code;
}

static enum err_code insert_task(struct metadata *m, struct meta_task *t, int64_t step, struct err *e)
{
    sqlite3_stmt *s = db_statement(m, SQL_TASK_ADD, e);
    if (!s) {
        return ERR_IO;
    }
    sqlite3_bind_int64(s, 1, step);
    bind_text(s, 2, t->path);
    enum err_code code = db_run(m, s, "adding a task", e);
    if (code == ERR_EXISTS) {
        return err_set(e, ERR_EXISTS, "task '%s/%s' is recorded already", t->step, t->path ? t->path : "");
    }
    if (!code) {
        t->id = sqlite3_last_insert_rowid(m->db);
    }
    return code;
}

static enum err_code insert_artifact(struct metadata *m, int64_t task, const struct meta_artifact *a, struct err *e)
{
    int64_t name = 0;
    int64_t object = 0;
    enum err_code code = name_id(m, -1, a->name, &name, e);
    if (!code) {
        code = object_id(m, &a->object, &object, e);
    }
    sqlite3_stmt *s = code ? NULL : db_statement(m, SQL_ARTIFACT_ADD, e);
    if (!s) {
        return code ? code : ERR_IO;
    }
    sqlite3_bind_int64(s, 1, task);
    sqlite3_bind_int64(s, 2, name);
    sqlite3_bind_int64(s, 3, object);
    code = db_run(m, s, "adding an artifact", e);
    if (code == ERR_EXISTS) { /* not ERR_EXISTS: the task's row is in already, so that the batch has to go */
        code = err_set(e, ERR_USAGE, "a task recorded artifact '%s' twice", a->name);
    }
    return code;
}

enum err_code metadata_task_add(struct metadata *m, struct meta_task *t, const struct meta_artifact *artifacts,
                                size_t count, struct err *e)
{
    enum err_code code = db_write_begin(m, e);
    if (code) {
        return code;
    }
    int64_t step = 0;
    code = name_id(m, t->run, t->step, &step, e);
    if (!code) {
        code = insert_task(m, t, step, e);
    }
    if (!code) {
        code = insert_attempt(m, t, e);
    }
    for (size_t i = 0; !code && i < count; i++) {
        code = insert_artifact(m, t->id, &artifacts[i], e);
    }
    if (!code) {
        code = db_count_task(m, t->run, e);
    }
    return db_write_end(m, code, e);
}

/* ---- tags and events ---- */

enum err_code metadata_tag(struct metadata *m, int64_t run, const char *tag, struct err *e)
{
    enum err_code code = db_write_begin(m, e);
    if (code) {
        return code;
    }
    sqlite3_stmt *s = db_statement(m, SQL_TAG_ADD, e);
    if (!s) {
        return db_write_end(m, ERR_IO, e);
    }
    sqlite3_bind_int64(s, 1, run);
    bind_text(s, 2, tag);
    return db_write_end(m, db_run(m, s, "adding a tag", e), e);
}

enum err_code metadata_event(struct metadata *m, int64_t run, int64_t time, const char *kind, const char *text,
                             struct err *e)
{
    enum err_code code = db_write_begin(m, e);
    if (code) {
        return code;
    }
    sqlite3_stmt *s = db_statement(m, SQL_EVENT_ADD, e);
    if (!s) {
        return db_write_end(m, ERR_IO, e);
    }
    sqlite3_bind_int64(s, 1, run);
    sqlite3_bind_int64(s, 2, time);
    bind_text(s, 3, kind);
    bind_text(s, 4, text);
    return db_write_end(m, db_run(m, s, "adding an event", e), e);
}
