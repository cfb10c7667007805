/* A temporary folder for the files of one compilation. */
#ifndef WEIR_BUILD_TEMPORARY_H
#define WEIR_BUILD_TEMPORARY_H

#include "runtime/base/err.h"

struct temporary {
    char dir[256];
    char path[512]; /* what temporary_path gave last */
};

/* Make a folder under TMPDIR or /tmp. */
enum err_code temporary_make(struct temporary *t, struct err *e);

/* dir/name; borrowed until the next call. */
const char *temporary_path(struct temporary *t, const char *name);

/* Remove the folder and the files in it. */
void temporary_remove(struct temporary *t);

#endif
