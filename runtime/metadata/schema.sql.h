/* The database's schema, version METADATA_VERSION; a comment a column. Times are microseconds since the epoch, UTC.
 *
 *   run 1--n step 1--n task 1--n attempt
 *                        \--n artifact n--1 object
 *   run 1--n tag, event
 */
#ifndef WEIR_METADATA_SCHEMA_SQL_H
#define WEIR_METADATA_SCHEMA_SQL_H

enum { METADATA_VERSION = 1 };

static const char METADATA_SCHEMA[] =
    "CREATE TABLE run ("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"             /* the id that users see: 20261124-134512-3f9a2c */
    "  flow TEXT NOT NULL,"                    /* the flow's name */
    "  status INTEGER NOT NULL,"               /* enum meta_status */
    "  started INTEGER NOT NULL,"
    "  finished INTEGER NOT NULL DEFAULT 0,"   /* 0: not yet */
    "  beat INTEGER NOT NULL,"                 /* last sign of life of the runner */
    "  code TEXT NOT NULL,"                    /* sha256 (hex) of flow.c */
    "  tier TEXT NOT NULL,"                    /* compiler: tcc, cc */
    "  user TEXT NOT NULL,"                    /* who started it */
    "  reason TEXT NOT NULL DEFAULT '',"       /* of a failure */
    "  tasks INTEGER NOT NULL DEFAULT 0"       /* rows of task */
    ");"
    "CREATE TABLE step ("
    "  id INTEGER PRIMARY KEY,"
    "  run INTEGER NOT NULL REFERENCES run,"
    "  name TEXT NOT NULL,"                    /* as in the flow; _parameters: the task that makes the parameters */
    "  UNIQUE (run, name)"
    ");"
    "CREATE TABLE task ("
    "  id INTEGER PRIMARY KEY,"
    "  step INTEGER NOT NULL REFERENCES step,"
    "  path TEXT NOT NULL,"                    /* indices of the open foreach splits, outermost first: '', '3', '3.0' */
    "  UNIQUE (step, path)"
    ");"
    "CREATE TABLE attempt ("
    "  task INTEGER NOT NULL REFERENCES task,"
    "  number INTEGER NOT NULL,"               /* from 0 */
    "  status INTEGER NOT NULL,"               /* enum meta_status */
    "  started INTEGER NOT NULL,"
    "  finished INTEGER NOT NULL,"
    "  exit INTEGER NOT NULL,"                 /* as waitpid gives it */
    "  reason TEXT,"                           /* of a failure; NULL: it went well */
    "  out BLOB,"                              /* stdout up to 4096 bytes; NULL: nothing printed */
    "  err BLOB,"                              /* stderr likewise */
    "  out_object BLOB,"                       /* sha256 of all of stdout in objects/; NULL: out is all */
    "  err_object BLOB,"                       /* of stderr likewise */
    "  PRIMARY KEY (task, number)"
    ") WITHOUT ROWID;"
    "CREATE TABLE object ("
    "  id INTEGER PRIMARY KEY,"
    "  digest BLOB NOT NULL UNIQUE,"           /* sha256 of the .npy file's bytes */
    "  size INTEGER NOT NULL,"                 /* of the file, bytes */
    "  data BLOB"                              /* its bytes; NULL: they are in objects/ */
    ");"
    "CREATE TABLE name ("                      /* names of artifacts, each once */
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE"
    ");"
    "CREATE TABLE artifact ("
    "  task INTEGER NOT NULL REFERENCES task," /* the task that made it */
    "  name INTEGER NOT NULL REFERENCES name,"
    "  object INTEGER NOT NULL REFERENCES object,"
    "  PRIMARY KEY (task, name)"
    ") WITHOUT ROWID;"
    "CREATE TABLE tag ("
    "  run INTEGER NOT NULL REFERENCES run,"
    "  tag TEXT NOT NULL,"                     /* free text */
    "  PRIMARY KEY (run, tag)"
    ") WITHOUT ROWID;"
    "CREATE TABLE event ("
    "  id INTEGER PRIMARY KEY,"
    "  run INTEGER NOT NULL REFERENCES run,"
    "  time INTEGER NOT NULL,"
    "  kind TEXT NOT NULL,"                    /* what happened, one word */
    "  text TEXT NOT NULL"                     /* what there is to say of it */
    ");"
    "CREATE INDEX event_run ON event (run);"
    "PRAGMA user_version = 1;";

#endif
