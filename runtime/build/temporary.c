/* See temporary.h. Folders hold plain files only, so removing is one level deep. */
#include "runtime/build/temporary.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum err_code temporary_make(struct temporary *t, struct err *e)
{
    const char *base = getenv("TMPDIR");
    if (snprintf(t->dir, sizeof t->dir, "%s/weir-build-XXXXXX", base && *base ? base : "/tmp") >= (int)sizeof t->dir) {
        return err_set(e, ERR_LIMIT, "TMPDIR is longer than %zu bytes", sizeof t->dir - 20);
    }
    if (!mkdtemp(t->dir)) {
        return err_errno(e, "can't make the temporary folder '%s'", t->dir);
    }
    return ERR_NONE;
}

const char *temporary_path(struct temporary *t, const char *name)
{
    (void)snprintf(t->path, sizeof t->path, "%s/%s", t->dir, name); /* names are ours and short */
    return t->path;
}

void temporary_remove(struct temporary *t)
{
    DIR *dir = opendir(t->dir);
    if (dir) {
        for (struct dirent *d; (d = readdir(dir));) {
            (void)unlinkat(dirfd(dir), d->d_name, 0); /* "." and ".." refuse */
        }
        (void)closedir(dir);
    }
    (void)rmdir(t->dir);
}
