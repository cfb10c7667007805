/* Writing and mapping objects: all that a forked task needs of the store (see store.h).
 *
 * A small object is hashed first, so that one which is there already costs no write. A big one is hashed and written in
 * one pass of 1 MiB pieces, each still in the cache when write() copies it (what else was measured: README.md). Then it
 * is renamed to its name.
 *
 *   tmp/RANDOM  --write--hash--rename-->  objects/ab/cdef...
 *
 * The writer holds a lock (flock) on its file in tmp/; a file there without one belongs to nobody alive. */
#include "runtime/store/store.h"

#include "runtime/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

void store_object_path(const char *store_path, const unsigned char digest[SHA256_BYTES], char *out, size_t size)
{
    char hex[SHA256_HEX];
    sha256_hex(digest, hex);
    (void)snprintf(out, size, "%s/objects/%.2s/%s", store_path, hex,
                   hex + 2); /* too small a buffer: caller's mistake */
}

/* Create and lock a new file in tmp/. A cleaner may have caught it between the two: then it is not there any more. */
static enum err_code create_tmp(const char *store_path, char *tmp, size_t size, int *out, struct err *e)
{
    for (int tries = 0; tries < 100; tries++) {
        uint64_t r;
        if (getrandom(&r, sizeof r, 0) != sizeof r) {
            break;
        }
        int n = snprintf(tmp, size, "%s/tmp/%016llx", store_path, (unsigned long long)r);
        if (n < 0 || (size_t)n >= size) {
            return err_set(e, ERR_LIMIT, "the store's path is too long: '%.200s'", store_path);
        }
        int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
        if (fd < 0 && errno == ENOENT) { /* nothing has been written into this store yet */
            char dir[PATH_MAX];
            (void)snprintf(dir, sizeof dir, "%s/tmp", store_path);
            enum err_code code = file_mkdirs(dir, e);
            if (code) {
                return code;
            }
            continue;
        }
        if (fd < 0 && errno == EEXIST) {
            continue;
        }
        if (fd < 0) {
            return err_errno(e, "writing into the store '%s'", store_path);
        }
        struct stat st;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 && stat(tmp, &st) == 0) {
            *out = fd;
            return ERR_NONE;
        }
        close(fd);
    }
    return err_set(e, ERR_IO, "no temporary file could be made in '%s/tmp'", store_path);
}

/* Whether the object is there, whole. A crash of the whole machine may leave a cut one: that does not count. */
static bool is_there(const char *object, size_t size)
{
    struct stat st;
    return stat(object, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

static bool object_is_there(const char *store_path, const unsigned char digest[SHA256_BYTES], size_t size)
{
    char object[PATH_MAX];
    store_object_path(store_path, digest, object, sizeof object);
    return is_there(object, size);
}

static bool durable(void)
{
    const char *value = getenv("WEIR_DURABLE");
    return value && strcmp(value, "1") == 0;
}

/* Give the finished file tmp its name, unless somebody was first. */
static enum err_code name_object(int fd, const char *tmp, const char *object, size_t size, struct err *e)
{
    if (is_there(object, size)) {
        (void)unlink(tmp);
        return ERR_NONE;
    }
    if (durable() && fsync(fd) < 0) {
        return err_errno(e, "writing '%s'", object);
    }
    char dir[PATH_MAX];
    file_parent(object, dir, sizeof dir);
    int failed = rename(tmp, object);
    if (failed && errno == ENOENT) { /* the first object of its folder */
        enum err_code code = file_mkdirs(dir, e);
        if (code) {
            return code;
        }
        failed = rename(tmp, object);
    }
    if (failed) {
        return err_errno(e, "writing '%s'", object);
    }
    return durable() ? file_sync_dir(dir, e) : ERR_NONE;
}

/* Write the parts to fd; hash, when given, gets the same bytes piece by piece. */
static enum err_code write_parts(int fd, const struct iovec parts[2], struct sha256 *hash, const char *what,
                                 struct err *e)
{
    for (int i = 0; i < 2; i++) {
        const char *data = parts[i].iov_base;
        for (size_t at = 0; at < parts[i].iov_len; at += PIECE) {
            size_t n = parts[i].iov_len - at < PIECE ? parts[i].iov_len - at : PIECE;
            if (hash) {
                sha256_add(hash, data + at, n);
            }
            enum err_code code = file_write_all(fd, data + at, n, what, e);
            if (code) {
                return code;
            }
        }
    }
    return ERR_NONE;
}

/* Write an object by way of tmp/. hashed: digest is known already, else it is computed on the way. */
static enum err_code write_object(const char *store_path, const struct iovec parts[2], bool hashed,
                                  unsigned char digest[SHA256_BYTES], struct err *e)
{
    char tmp[PATH_MAX];
    char object[PATH_MAX];
    struct sha256 hash;
    int fd = -1;
    enum err_code code = create_tmp(store_path, tmp, sizeof tmp, &fd, e);
    if (code) {
        return code;
    }
    code = hashed ? ERR_NONE : sha256_begin(&hash, e);
    if (code) {
        goto done;
    }
    code = write_parts(fd, parts, hashed ? NULL : &hash, tmp, e);
    if (!hashed) {
        enum err_code ended = sha256_end(&hash, digest, code ? NULL : e);
        code = code ? code : ended;
    }
    if (!code) {
        store_object_path(store_path, digest, object, sizeof object);
        code = name_object(fd, tmp, object, parts[0].iov_len + parts[1].iov_len, e);
    }
done:
    if (code) {
        (void)unlink(tmp);
    }
    close(fd);
    return code;
}

enum err_code store_put(const char *store_path, const void *header, size_t header_len, const void *payload, size_t len,
                        unsigned char digest[SHA256_BYTES], struct err *e)
{
    if (strlen(store_path) + sizeof "/objects/ab/" + SHA256_HEX > PATH_MAX) {
        return err_set(e, ERR_LIMIT, "the store's path is too long: '%.200s'", store_path);
    }
    const struct iovec parts[2] = { { .iov_base = (void *)(uintptr_t)header, .iov_len = header_len },
                                    { .iov_base = (void *)(uintptr_t)payload, .iov_len = len } };
    unsigned char made[SHA256_BYTES];
    bool small = header_len + len <= PIECE;
    enum err_code code = small ? sha256_parts(parts, 2, made, e) : ERR_NONE;
    if (!code && !(small && object_is_there(store_path, made, header_len + len))) {
        code = write_object(store_path, parts, small, made, e);
    }
    if (!code) {
        memcpy(digest, made, sizeof made);
    }
    return code;
}

enum err_code store_get(const char *store_path, const unsigned char digest[SHA256_BYTES], struct store_map *out,
                        struct err *e)
{
    char object[PATH_MAX];
    char hex[SHA256_HEX];
    sha256_hex(digest, hex);
    store_object_path(store_path, digest, object, sizeof object);
    int fd = open(object, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return err_set(e, ERR_NOT_FOUND, "object %s is not in the store '%s'", hex, store_path);
    }
    if (fd < 0) {
        return err_errno(e, "opening object %s in the store '%s'", hex, store_path);
    }
    struct stat st;
    if (fstat(fd, &st) < 0) {
        enum err_code code = err_errno(e, "opening object %s in the store '%s'", hex, store_path);
        close(fd);
        return code;
    }
    struct store_map map = { .data = "", .len = (size_t)st.st_size };
    if (map.len) { /* mmap refuses nothing at all */
        map.data = mmap(NULL, map.len, PROT_READ, MAP_SHARED, fd, 0);
    }
    close(fd);
    if (map.data == MAP_FAILED) {
        return err_errno(e, "mapping object %s of the store '%s'", hex, store_path);
    }
    *out = map;
    return ERR_NONE;
}

void store_unmap(struct store_map *m)
{
    if (m->len) {
        (void)munmap((void *)(uintptr_t)m->data, m->len); /* it was mapped by store_get: can't fail */
    }
    *m = (struct store_map){ 0 };
}
