/* See metadata.h: opening the database, transactions, kept statements. Writing is in write.c, reading in read.c.
 *
 * WAL with synchronous=NORMAL: a commit is a write() into the log, which outlives the process but not the machine
 * (WEIR_DURABLE=1 syncs each). The log is folded into the database when it is large, never at close: that would cost
 * a short run two disk syncs. */
#include "runtime/metadata/metadata.h"

#include "runtime/base/file.h"
#include "runtime/metadata/database.h"
#include "runtime/metadata/schema.sql.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BUSY_MS = 60000, LOG_BYTES = 1 << 20 /* of the log that a closing process leaves behind */, CHECKPOINT_PAGES = 8000 };

static const char *const SQL[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_RUN_ADD] = "INSERT INTO run (name, flow, status, started, beat, code, tier, user) VALUES (?,?,?,?,?,?,?,?)",
    [SQL_RUN_END] = "UPDATE run SET status = ?, finished = ?, reason = ? WHERE id = ?",
    [SQL_RUN_BEAT] = "UPDATE run SET beat = ? WHERE id = ?",
    [SQL_RUN_TASKS] = "UPDATE run SET tasks = tasks + ? WHERE id = ?",
    [SQL_STEP_FIND] = "SELECT id FROM step WHERE run = ?1 AND name = ?2",
    [SQL_STEP_ADD] = "INSERT INTO step (run, name) VALUES (?1, ?2)",
    [SQL_NAME_FIND] = "SELECT id FROM name WHERE name = ?2",
    [SQL_NAME_ADD] = "INSERT INTO name (name) VALUES (?2)",
    [SQL_OBJECT_FIND] = "SELECT id FROM object WHERE digest = ?",
    [SQL_OBJECT_ADD] = "INSERT INTO object (digest, size, data) VALUES (?,?,?) ON CONFLICT (digest) DO NOTHING",
    [SQL_TASK_ADD] = "INSERT INTO task (step, path) VALUES (?,?)",
    [SQL_ATTEMPT_ADD] = ("INSERT INTO attempt (task, number, status, started, finished, exit, reason, out, err, out_object,"
                         " err_object) VALUES (?,0,?,?,?,?,?,?,?,?,?)"),
    [SQL_ARTIFACT_ADD] = "INSERT INTO artifact (task, name, object) VALUES (?,?,?)",
    [SQL_TAG_ADD] = "INSERT INTO tag (run, tag) VALUES (?,?) ON CONFLICT DO NOTHING",
    [SQL_EVENT_ADD] = "INSERT INTO event (run, time, kind, text) VALUES (?,?,?,?)",
};

enum err_code db_error(struct metadata *m, const char *what, struct err *e)
{
    int result = sqlite3_extended_errcode(m->db);
    enum err_code code = ERR_IO;
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        code = ERR_BUSY;
        break;
    case SQLITE_NOMEM:
        code = ERR_MEMORY;
        break;
    case SQLITE_CONSTRAINT:
        code = ERR_EXISTS;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        code = ERR_FORMAT;
        break;
    default:
        break;
    }
    return err_set(e, code, "'%s/metadata.db': %s: %s", m->store_path, what, sqlite3_errmsg(m->db));
}

sqlite3_stmt *db_statement(struct metadata *m, enum statement which, struct err *e)
{
    sqlite3_stmt **s = &m->statements[which];
    if (*s) {
        return *s;
    }
    if (sqlite3_prepare_v3(m->db, SQL[which], -1, SQLITE_PREPARE_PERSISTENT, s, NULL) != SQLITE_OK) {
        (void)db_error(m, "preparing a statement", e);
        return NULL;
    }
    return *s;
}

enum err_code db_run(struct metadata *m, sqlite3_stmt *s, const char *what, struct err *e)
{
    int result = sqlite3_step(s);
    enum err_code code = result == SQLITE_DONE || result == SQLITE_ROW ? ERR_NONE : db_error(m, what, e);
    (void)sqlite3_reset(s); /* repeats the step's error */
    return code;
}

static enum err_code run_kept(struct metadata *m, enum statement which, const char *what, struct err *e)
{
    sqlite3_stmt *s = db_statement(m, which, e);
    return s ? db_run(m, s, what, e) : ERR_IO;
}

/* Forget what a rolled-back transaction may have taught us. */
static void roll_back(struct metadata *m)
{
    (void)run_kept(m, SQL_ROLLBACK, "", NULL); /* SQLite may have done it itself */
    m->writing = false;
    m->new_tasks = 0;
    memset(m->name_slots, 0, sizeof m->name_slots);
    memset(m->object_slots, 0, sizeof m->object_slots);
}

/* Add the tasks recorded in this transaction to their run's row. */
static enum err_code flush_count(struct metadata *m, struct err *e)
{
    if (m->new_tasks == 0) {
        return ERR_NONE;
    }
    sqlite3_stmt *s = db_statement(m, SQL_RUN_TASKS, e);
    if (!s) {
        return ERR_IO;
    }
    sqlite3_bind_int64(s, 1, m->new_tasks);
    sqlite3_bind_int64(s, 2, m->counted_run);
    m->new_tasks = 0;
    return db_run(m, s, "counting tasks", e);
}

enum err_code db_count_task(struct metadata *m, int64_t run, struct err *e)
{
    enum err_code code = m->counted_run == run ? ERR_NONE : flush_count(m, e);
    m->counted_run = run;
    m->new_tasks++;
    return code;
}

static enum err_code commit(struct metadata *m, struct err *e)
{
    if (!m->writing) {
        return ERR_NONE;
    }
    enum err_code code = flush_count(m, e);
    if (!code) {
        code = run_kept(m, SQL_COMMIT, "committing", e);
    }
    if (code) {
        roll_back(m);
        return code;
    }
    m->writing = false;
    return ERR_NONE;
}

enum err_code db_write_begin(struct metadata *m, struct err *e)
{
    if (m->lost) {
        return err_set(e, ERR_IO, "'%s/metadata.db': this batch failed before and was rolled back", m->store_path);
    }
    if (m->writing) {
        return ERR_NONE;
    }
    enum err_code code = run_kept(m, SQL_BEGIN, "waiting for other runs", e);
    m->writing = !code;
    return code;
}

enum err_code db_write_end(struct metadata *m, enum err_code code, struct err *e)
{
    if (code == ERR_EXISTS && m->batch) {
        return code; /* found before anything was changed */
    }
    if (code) {
        roll_back(m);
        m->lost = m->batch;
        return code;
    }
    return m->batch ? ERR_NONE : commit(m, e);
}

enum err_code metadata_begin(struct metadata *m, struct err *e)
{
    if (m->batch) {
        return err_set(e, ERR_BUSY, "a batch of metadata is open already");
    }
    m->batch = true;
    m->lost = false;
    return ERR_NONE;
}

enum err_code metadata_commit(struct metadata *m, struct err *e)
{
    if (!m->batch) {
        return err_set(e, ERR_USAGE, "no batch of metadata is open");
    }
    m->batch = false;
    if (m->lost) {
        m->lost = false;
        return err_set(e, ERR_IO, "'%s/metadata.db': the batch failed and was rolled back", m->store_path);
    }
    return commit(m, e);
}

static enum err_code execute(struct metadata *m, const char *sql, const char *what, struct err *e)
{
    return sqlite3_exec(m->db, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_NONE : db_error(m, what, e);
}

/* One integer that sql gives. */
static enum err_code query_int(struct metadata *m, const char *sql, int64_t *out, struct err *e)
{
    sqlite3_stmt *s = NULL;
    enum err_code code = ERR_NONE;
    if (sqlite3_prepare_v2(m->db, sql, -1, &s, NULL) != SQLITE_OK || sqlite3_step(s) != SQLITE_ROW) {
        code = db_error(m, "reading", e);
    } else {
        *out = sqlite3_column_int64(s, 0);
    }
    (void)sqlite3_finalize(s);
    return code;
}

/* Create the tables unless another process was first. The caller has the version as read before. */
static enum err_code create_tables(struct metadata *m, struct err *e)
{
    enum err_code code = execute(m, "BEGIN IMMEDIATE", "waiting for other runs", e);
    int64_t version = 0;
    int64_t tables = 0;
    if (code) {
        return code;
    }
    code = query_int(m, "PRAGMA user_version", &version, e);
    if (!code && version == 0) {
        code = query_int(m, "SELECT count(*) FROM sqlite_schema", &tables, e);
        if (!code && tables) {
            code = err_set(e, ERR_FORMAT, "'%s/metadata.db' is a database of something else", m->store_path);
        }
        if (!code) {
            code = execute(m, METADATA_SCHEMA, "creating the tables", e);
        }
    }
    if (!code) {
        code = execute(m, "COMMIT", "creating the tables", e);
    }
    if (code) {
        (void)execute(m, "ROLLBACK", "", NULL);
    }
    return code;
}

/* Switching to WAL needs the file alone for a moment, and SQLite does not wait for that by itself. */
static enum err_code use_wal(struct metadata *m, struct err *e)
{
    for (int waited = 0;; waited += 5) {
        enum err_code code = execute(m, "PRAGMA journal_mode = WAL", "switching to WAL", e);
        if (code != ERR_BUSY || waited > BUSY_MS) {
            return code;
        }
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    }
}

static enum err_code configure(struct metadata *m, bool create, struct err *e)
{
    const char *durable = getenv("WEIR_DURABLE");
    bool sync = durable && strcmp(durable, "1") == 0;
    sqlite3_busy_timeout(m->db, BUSY_MS);
    (void)sqlite3_db_config(m->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_wal_autocheckpoint(m->db, CHECKPOINT_PAGES);
    int64_t version = 0;
    enum err_code code = query_int(m, "PRAGMA user_version", &version, e);
    if (!code && version > METADATA_VERSION) {
        return err_set(e, ERR_FORMAT,
                       "'%s/metadata.db' was made by a newer Weir (version %lld, this one knows %d): "
                       "upgrade Weir, or set WEIR_HOME to another folder",
                       m->store_path, (long long)version, METADATA_VERSION);
    }
    if (!code && version == 0 && !create) {
        return err_set(e, ERR_NOT_FOUND, "there are no runs in '%s' yet", m->store_path);
    }
    if (!code && version == 0) {
        /* Nothing can be lost yet: don't sync an empty database. */
        code = execute(m, sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF", "setting up", e);
        code = code ? code : use_wal(m, e);
        code = code ? code : create_tables(m, e);
    }
    if (!code) {
        code = execute(m, sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", "setting up", e);
    }
    return code ? code : execute(m, "PRAGMA cache_size = -8000", "setting up", e);
}

enum err_code metadata_open(const char *store_path, bool create, struct metadata **out, struct err *e)
{
    char file[PATH_MAX];
    int n = snprintf(file, sizeof file, "%s/metadata.db", store_path);
    if (n < 0 || (size_t)n >= sizeof file) {
        return err_set(e, ERR_LIMIT, "the store's path is too long: '%.200s'", store_path);
    }
    if (!create && access(file, F_OK) != 0) {
        return err_set(e, ERR_NOT_FOUND, "there are no runs in '%s' yet", store_path);
    }
    enum err_code code = create ? file_mkdirs(store_path, e) : ERR_NONE;
    if (code) {
        return code;
    }
    struct metadata *m = calloc(1, sizeof *m);
    if (!m) {
        return err_memory(e);
    }
    arena_init(&m->names);
    m->store_path = strdup(store_path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
    if (!m->store_path) {
        code = err_memory(e);
    } else if (sqlite3_open_v2(file, &m->db, flags, NULL) != SQLITE_OK) {
        code = db_error(m, "opening", e);
    } else {
        code = configure(m, create, e);
    }
    if (code) {
        metadata_close(m);
        return code;
    }
    *out = m;
    return ERR_NONE;
}

/* Whoever opens the database next reads the log whole: once it is long, put it into the database, if nobody else is there. */
static void shorten_log(struct metadata *m)
{
    char *path = sqlite3_mprintf("%s/metadata.db-wal", m->store_path);
    struct stat st;
    if (path && stat(path, &st) == 0 && st.st_size > LOG_BYTES) {
        sqlite3_busy_timeout(m->db, 0);
        (void)sqlite3_wal_checkpoint_v2(m->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL); /* somebody is: next time */
    }
    sqlite3_free(path);
}

void metadata_close(struct metadata *m)
{
    if (!m) {
        return;
    }
    for (int i = 0; i < SQL_STATEMENTS; i++) {
        (void)sqlite3_finalize(m->statements[i]); /* repeats an older error */
    }
    if (m->db && m->store_path) {
        shorten_log(m);
    }
    (void)sqlite3_close(m->db); /* rolls back what was not committed */
    arena_done(&m->names);
    free(m->store_path);
    free(m);
}
