/* See file.h. */
#include "runtime/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Read fd to its end; a size that stat tells is a guess only (/proc files say 0). */
static enum err_code read_rest(int fd, const char *path, size_t guess, size_t max, char **data, size_t *len,
                               struct err *e)
{
    size_t cap = guess + 1; /* for the NUL, and to see the end without growing */
    size_t used = 0;
    char *text = malloc(cap);
    enum err_code code = text ? ERR_NONE : err_memory(e);
    while (!code) {
        ssize_t n = read(fd, text + used, cap - used);
        if (n == 0) {
            break;
        }
        if (n < 0) {
            code = errno == EINTR ? ERR_NONE : err_errno(e, "reading '%s'", path);
            continue;
        }
        used += (size_t)n;
        if (used > max) {
            code = err_set(e, ERR_LIMIT, "'%s' is larger than the limit of %zu bytes", path, max);
        } else if (used == cap) {
            char *grown = realloc(text, cap * 2);
            code = grown ? ERR_NONE : err_memory(e);
            text = grown ? grown : text;
            cap *= 2;
        }
    }
    if (code) {
        free(text);
        return code;
    }
    text[used] = '\0';
    *data = text;
    *len = used;
    return ERR_NONE;
}

enum err_code file_read(const char *path, size_t max, char **data, size_t *len, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int missing = errno == ENOENT || errno == ENOTDIR;
        enum err_code code = err_errno(e, "opening '%s'", path);
        if (missing && e) {
            e->code = ERR_NOT_FOUND;
        }
        return missing ? ERR_NOT_FOUND : code;
    }
    struct stat st;
    enum err_code code;
    if (fstat(fd, &st) < 0) {
        code = err_errno(e, "reading '%s'", path);
    } else if (S_ISREG(st.st_mode) && (size_t)st.st_size > max) {
        code = err_set(e, ERR_LIMIT, "'%s' is larger than the limit of %zu bytes", path, max);
    } else {
        size_t guess = S_ISREG(st.st_mode) ? (size_t)st.st_size : 0;
        code = read_rest(fd, path, guess ? guess : 4095, max, data, len, e);
    }
    close(fd);
    return code;
}

enum err_code file_write_all(int fd, const void *data, size_t len, const char *what, struct err *e)
{
    const char *p = data;
    while (len) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_errno(e, "writing '%s'", what);
        }
        p += n;
        len -= (size_t)n;
    }
    return ERR_NONE;
}

/* A new file beside path, its name in tmp. -1: failed, errno set. */
static int create_beside(const char *path, mode_t mode, char *tmp, size_t size)
{
    for (int tries = 0; tries < 100; tries++) {
        unsigned char r[8];
        if (getrandom(r, sizeof r, 0) != sizeof r) {
            return -1;
        }
        int n = snprintf(tmp, size, "%s.%02x%02x%02x%02x%02x%02x%02x%02x.tmp", path, r[0], r[1], r[2], r[3], r[4], r[5],
                         r[6], r[7]);
        if (n < 0 || (size_t)n >= size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    return -1;
}

void file_parent(const char *path, char *dir, size_t size)
{
    const char *slash = strrchr(path, '/');
    if (!slash) {
        (void)snprintf(dir, size, ".");
    } else {
        (void)snprintf(dir, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    }
}

enum err_code file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, int durable, struct err *e)
{
    char tmp[PATH_MAX];
    int fd = create_beside(path, mode, tmp, sizeof tmp);
    if (fd < 0) {
        return err_errno(e, "writing '%s'", path);
    }
    enum err_code code = file_write_all(fd, data, len, path, e);
    if (!code && durable && fsync(fd) < 0) {
        code = err_errno(e, "writing '%s'", path);
    }
    if (close(fd) < 0 && !code) {
        code = err_errno(e, "writing '%s'", path);
    }
    if (!code && rename(tmp, path) < 0) {
        code = err_errno(e, "writing '%s'", path);
    }
    if (code) {
        (void)unlink(tmp); /* may be gone already */
        return code;
    }
    if (durable) {
        char dir[PATH_MAX];
        file_parent(path, dir, sizeof dir);
        code = file_sync_dir(dir, e);
    }
    return code;
}

enum err_code file_mkdirs(const char *path, struct err *e)
{
    char dir[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof dir) {
        return err_set(e, ERR_LIMIT, "'%.200s' is no path for a folder", path);
    }
    memcpy(dir, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (dir[i] != '/' && dir[i] != '\0') {
            continue;
        }
        char kept = dir[i];
        dir[i] = '\0';
        if (mkdir(dir, 0777) < 0 && errno != EEXIST) {
            /* A read-only ancestor that is there answers EROFS or EACCES: only the last one has to be made. */
            struct stat st;
            int saved = errno;
            if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode)) {
                errno = saved;
                return err_errno(e, "creating folder '%s'", dir);
            }
        }
        dir[i] = kept;
    }
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        return err_set(e, ERR_EXISTS, "'%s' is there, but is no folder", path);
    }
    return ERR_NONE;
}

enum err_code file_sync_dir(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_errno(e, "opening folder '%s'", path);
    }
    enum err_code code = fsync(fd) < 0 ? err_errno(e, "syncing folder '%s'", path) : ERR_NONE;
    close(fd);
    return code;
}
