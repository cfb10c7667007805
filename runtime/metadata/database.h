/* Inside metadata/: the open database, its kept statements and caches. For its own files only. */
#ifndef WEIR_METADATA_DATABASE_H
#define WEIR_METADATA_DATABASE_H

#include "runtime/metadata/metadata.h"

#include <sqlite3.h>

/* Statements that are prepared once, when first used. */
enum statement {
    SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK,
    SQL_RUN_ADD, SQL_RUN_END, SQL_RUN_BEAT, SQL_RUN_TASKS,
    SQL_STEP_FIND, SQL_STEP_ADD, SQL_NAME_FIND, SQL_NAME_ADD, SQL_OBJECT_FIND, SQL_OBJECT_ADD,
    SQL_TASK_ADD, SQL_ATTEMPT_ADD, SQL_ARTIFACT_ADD, SQL_TAG_ADD, SQL_EVENT_ADD,
    SQL_STATEMENTS
};

/* Row ids met lately, so that a batch does not look them up again. Direct-mapped: a collision only costs a look-up. */
enum { NAME_SLOTS = 256, NAME_CACHED = 48, OBJECT_SLOTS = 1024 };
struct name_slot { int64_t run; /* -1: an artifact's name */ int64_t id; /* 0: empty */ char name[NAME_CACHED]; };
struct object_slot { unsigned char digest[SHA256_BYTES]; int64_t id; };

struct metadata {
    sqlite3 *db;
    char *store_path;
    sqlite3_stmt *statements[SQL_STATEMENTS];
    bool batch;              /* between metadata_begin and metadata_commit */
    bool writing;            /* a transaction is open; it begins with the batch's first write */
    bool lost;               /* the batch failed and was rolled back */
    int64_t counted_run;     /* run that new_tasks belong to */
    int64_t new_tasks;       /* not yet added to its row */
    struct arena names;      /* of runs, made here */
    struct name_slot name_slots[NAME_SLOTS];
    struct object_slot object_slots[OBJECT_SLOTS];
};

/* The error of the last SQLite call as ours: "metadata.db: WHAT: database is locked". */
enum err_code db_error(struct metadata *m, const char *what, struct err *e);

/* A kept statement, reset and ready to bind; NULL: e is set. */
sqlite3_stmt *db_statement(struct metadata *m, enum statement which, struct err *e);

/* Run a kept statement that returns no row. */
enum err_code db_run(struct metadata *m, sqlite3_stmt *s, const char *what, struct err *e);

/* Around every change: opens the transaction if none is; without a batch, write_end commits it. After a failure that may
 * have left half a change, all of the batch is rolled back. */
enum err_code db_write_begin(struct metadata *m, struct err *e);
enum err_code db_write_end(struct metadata *m, enum err_code code, struct err *e);

/* One more task in run; its row is brought up to date at the commit. */
enum err_code db_count_task(struct metadata *m, int64_t run, struct err *e);

#endif
