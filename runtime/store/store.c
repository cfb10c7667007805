/* See store.h: finding, opening and tidying a store. Objects are in put.c. */
#include "runtime/store/store.h"

#include "runtime/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STORE_VERSION = 1 };

struct store {
    char *path; /* owned, absolute */
};

/* path made absolute by the working folder; nothing has to exist. Owned: free. */
static enum err_code absolute(const char *path, char **out, struct err *e)
{
    char cwd[PATH_MAX];
    char *joined = NULL;
    if (path[0] == '/') {
        joined = strdup(path);
    } else if (!getcwd(cwd, sizeof cwd)) {
        return err_errno(e, "finding the working folder");
    } else if (strcmp(path, ".") == 0 || path[0] == '\0') {
        joined = strdup(cwd);
    } else if (asprintf(&joined, "%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, path) < 0) {
        joined = NULL;
    }
    if (!joined) {
        return err_memory(e);
    }
    for (size_t n = strlen(joined); n > 1 && joined[n - 1] == '/'; n--) {
        joined[n - 1] = '\0';
    }
    *out = joined;
    return ERR_NONE;
}

static bool is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* "FOLDER/.weir" of folder[0..len); owned, NULL: out of memory. */
static char *weir_in(const char *folder, size_t len)
{
    char *path = NULL;
    if (asprintf(&path, "%.*s/.weir", (int)len, folder) < 0) {
        return NULL;
    }
    return path;
}

enum err_code store_locate(const char *dir, char **path, struct err *e)
{
    const char *home = getenv("WEIR_HOME");
    if (home && home[0]) {
        return absolute(home, path, e);
    }
    char *start = NULL;
    enum err_code code = absolute(dir, &start, e);
    if (code) {
        return code;
    }
    if (strlen(start) >= PATH_MAX) {
        code = err_set(e, ERR_LIMIT, "the folder's path is too long: '%.200s'", start);
        goto done;
    }
    size_t whole = strcmp(start, "/") == 0 ? 0 : strlen(start);
    char *found = NULL;
    for (size_t len = whole;;) {
        char *candidate = weir_in(start, len);
        if (candidate && is_dir(candidate)) {
            found = candidate;
            break;
        }
        free(candidate);
        if (len == 0) {
            break;
        }
        do {
            len--; /* to the slash before the last name */
        } while (len > 0 && start[len] != '/');
    }
    found = found ? found : weir_in(start, whole);
    code = found ? ERR_NONE : err_memory(e);
    if (!code) {
        *path = found;
    }
done:
    free(start);
    return code;
}

/* Read the stamp, or write it into a new store. Two processes that create one store write the same stamp. */
static enum err_code check_version(const char *path, bool create, struct err *e)
{
    char file[PATH_MAX];
    char *text = NULL;
    size_t len = 0;
    (void)snprintf(file, sizeof file, "%s/version", path);
    enum err_code code = file_read(file, 64, &text, &len, e);
    if (code == ERR_NOT_FOUND && create) {
        char stamp[16];
        int n = snprintf(stamp, sizeof stamp, "%d\n", STORE_VERSION);
        return file_write_atomic(file, stamp, (size_t)n, 0644, 0, e);
    }
    if (code == ERR_NOT_FOUND) {
        return err_set(e, ERR_NOT_FOUND, "'%s' is no store: it has no file 'version'", path);
    }
    if (code) {
        return code;
    }
    char *end = NULL;
    long version = strtol(text, &end, 10);
    if (end == text || (*end != '\0' && *end != '\n') || version < 1) {
        code = err_set(e, ERR_FORMAT, "'%s' should hold the store's version, but holds '%.20s'", file, text);
    } else if (version > STORE_VERSION) {
        code = err_set(e, ERR_FORMAT,
                       "the store '%s' was made by a newer Weir (version %ld, this one knows %d): "
                       "upgrade Weir, or set WEIR_HOME to another folder",
                       path, version, STORE_VERSION);
    }
    free(text);
    return code;
}

/* Remove files in tmp/ that no living writer holds locked. */
static void clean_tmp(const char *path)
{
    char name[PATH_MAX];
    (void)snprintf(name, sizeof name, "%s/tmp", path);
    DIR *dir = opendir(name);
    if (!dir) {
        return; /* not made yet */
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) {
            continue; /* gone, or another user's */
        }
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            (void)unlinkat(dirfd(dir), entry->d_name, 0); /* somebody else may have been first */
        }
        close(fd);
    }
    closedir(dir);
}

static enum err_code make_folders(const char *path, struct err *e)
{
    static const char *const names[] = { "objects", "tmp", "build" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char folder[PATH_MAX];
        (void)snprintf(folder, sizeof folder, "%s/%s", path, names[i]);
        enum err_code code = file_mkdirs(folder, e);
        if (code) {
            return code;
        }
    }
    return ERR_NONE;
}

enum err_code store_open(const char *path, bool create, struct store **out, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s) {
        return err_memory(e);
    }
    enum err_code code = absolute(path, &s->path, e);
    if (!code && strlen(s->path) + 100 > PATH_MAX) { /* room for the longest name below it */
        code = err_set(e, ERR_LIMIT, "the store's path is too long: '%.200s'", s->path);
    }
    if (!code && !create && !is_dir(s->path)) {
        code = err_set(e, ERR_NOT_FOUND, "there is no store at '%s' yet: the first run makes it", s->path);
    }
    if (!code && create) {
        code = file_mkdirs(s->path, e);
    }
    if (!code) {
        code = check_version(s->path, create, e);
    }
    if (!code && create) {
        code = make_folders(s->path, e);
    }
    if (code) {
        store_close(s);
        return code;
    }
    clean_tmp(s->path);
    *out = s;
    return ERR_NONE;
}

void store_close(struct store *s)
{
    if (s) {
        free(s->path);
        free(s);
    }
}

const char *store_path(const struct store *s)
{
    return s->path;
}
