/* Artifacts of runs as people look for them and read them: lists, tables of first rows, type, shape, size, hash.
 *
 * Reads the metadata and the store; files are untrusted input. Everything is made in an arena. */
#ifndef WEIR_VIEW_ARTIFACTS_H
#define WEIR_VIEW_ARTIFACTS_H

#include "runtime/base/buf.h"
#include "runtime/metadata/metadata.h"
#include "runtime/store/store.h"
#include "runtime/type/npy.h"
#include "runtime/type/show.h"

/* An artifact's bytes and what they say of themselves. */
struct artifact_value {
    struct store_map map;   /* of a file; data NULL: the bytes are the metadata's */
    const void *data;       /* the whole .npy, borrowed */
    size_t len;
    struct npy npy;
};

/* Map and read one artifact. Close with artifact_close, also after a failure. */
enum err_code artifact_open(const char *store_path, const struct meta_found *found, struct arena *a,
                            struct artifact_value *out, struct err *e);
void artifact_close(struct artifact_value *v);

/* A foreach around a step: its variable's values become a column of the table by index. */
struct artifact_loop {
    const char *name, *step;      /* the variable, and the step that fans out */
    struct meta_found *found;     /* its arrays; set by artifact_loops */
    size_t count;
};

/* What was asked for: artifacts of one name and step in a run; several when the step was fanned out. */
struct artifact_choice {
    struct meta_run run;
    struct meta_found *found;
    size_t count;
    struct artifact_loop *loops;  /* outermost first; none unless the caller sets them by artifact_loops */
    size_t nloops;
    const char *type;             /* its C type, where somebody knows it; NULL: as the file has it */
};

/* spec: "NAME" (as the run's end saw it: of the step that made it last), "STEP.NAME", "STEP/NAME", "STEP/PATH/NAME", with "RUN/" before
 * it where it has three parts or more. run: the run meant when the spec names none; NULL: the latest.
 * ERR_NOT_FOUND with the names there are; ERR_USAGE. */
enum err_code artifact_choose(struct metadata *m, const char *spec, const char *run, struct arena *a,
                              struct artifact_choice *out, struct err *e);

/* Look up the arrays that the loops of a choice's step went over (loops that counted have none, and are left out). loops:
 * borrowed for the choice's life. */
enum err_code artifact_loops(struct metadata *m, struct artifact_choice *choice, struct artifact_loop *loops, size_t count,
                             struct arena *a, struct err *e);

/* One artifact by what is to be said of it in a line. */
struct artifact_line {
    const char *name, *step;
    size_t tasks;             /* that made it; then the rest is the first one's */
    const char *type, *shape; /* "double", "(1000, 2)"; shape "" for a single value */
    uint64_t bytes;           /* of the value */
    char hash[SHA256_HEX];
};

/* A run's artifacts, a line a step and name, in the order they were made. */
enum err_code artifacts_list(struct metadata *m, const char *store_path, int64_t run, struct arena *a,
                             struct artifact_line **out, size_t *count, struct err *e);

/* The lines as a table. html or text may be NULL. */
void artifacts_write_list(struct buf *html, struct buf *text, const struct artifact_line *lines, size_t count);

/* What was chosen: one artifact's first rows, type, shape, size, hash and place; or several as a table by index. */
enum err_code artifacts_write(struct buf *html, struct buf *text, const char *store_path,
                              const struct artifact_choice *choice, const struct show_limits *limits, struct arena *a,
                              struct err *e);

/* A type as C people call it: "double", "char *", "struct {double rate, loss;}" cut at about 60 bytes; appended. */
void artifact_type_text(struct buf *out, const struct weir_field *f);

/* "(1000, 2)"; nothing for a single value; appended. */
void artifact_shape_text(struct buf *out, const struct weir_field *f);

#endif
