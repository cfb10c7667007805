/* libc's headers, preprocessed, in the user's cache folder: reading them back takes a tenth of a millisecond, tcc 15.
 *
 *   ~/.cache/weir/libc-0123456789abcdef.h    name: a hash of the #include lines and of some headers' sizes and times
 *
 * The file ends in a line that says so, hence a torn one is seen. Whatever goes wrong here only costs time. */
#include "runtime/lang/index_internal.h"

#include "runtime/base/buf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char end_line[] = "\n/* the end */\n";

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * 1099511628211u;
}

/* libc6-dev is installed as a whole: a few of its files tell its version. tcc's own headers tell tcc's. */
static uint64_t fingerprint(const char *includes)
{
    static const char *const files[] = { "/usr/lib/x86_64-linux-gnu/tcc/include/stddef.h", "/usr/include/stdio.h", "/usr/include/features.h",
                                         "/usr/include/math.h", "/usr/include/pthread.h", "/usr/include/stdlib.h" };
    uint64_t hash = 14695981039346656037u;
    for (const char *c = includes; *c; c++) {
        hash = mix(hash, (unsigned char)*c);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct stat st = { 0 };
        if (stat(files[i], &st) != 0) {
            continue; /* then its absence is part of the name */
        }
        hash = mix(hash, (uint64_t)st.st_size);
        hash = mix(hash, (uint64_t)st.st_mtim.tv_sec);
        hash = mix(hash, (uint64_t)st.st_mtim.tv_nsec);
        hash = mix(hash, (uint64_t)st.st_ino);
    }
    return hash;
}

/* The file's path; includes NULL: only its folder. False: there is no home. */
static bool cache_path(char *out, size_t size, const char *includes)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    bool own = cache && cache[0] == '/';
    if (!own && (!home || home[0] != '/')) {
        return false;
    }
    const char *base = own ? cache : home;
    const char *below = own ? "" : "/.cache";
    int n = includes ? snprintf(out, size, "%s%s/weir/libc-%016llx.h", base, below, (unsigned long long)fingerprint(includes))
                     : snprintf(out, size, "%s%s/weir", base, below);
    return n > 0 && (size_t)n < size;
}

bool headers_cache_read(const char *includes, struct buf *out)
{
    char path[4096];
    struct stat st;
    int fd = cache_path(path, sizeof path, includes) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0) {
        return false;
    }
    bool ok = fstat(fd, &st) == 0 && st.st_uid == geteuid() && st.st_size > (off_t)sizeof end_line;
    char *space = ok ? buf_space(out, (size_t)st.st_size) : NULL;
    ok = space && read(fd, space, (size_t)st.st_size) == st.st_size;
    (void)close(fd); /* only read */
    size_t tail = sizeof end_line - 1;
    ok = ok && memcmp(out->data + out->len - tail, end_line, tail) == 0;
    return ok;
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n <= 0) {
            return false;
        }
        data += n;
        len -= (size_t)n;
    }
    return true;
}

void headers_cache_write(const char *includes, const struct buf *text)
{
    char path[4096];
    char temporary[4200];
    if (cache_path(path, sizeof path, NULL)) {
        char *slash = strrchr(path, '/');
        *slash = '\0';
        (void)mkdir(path, 0700); /* ~/.cache, where it is missing */
        *slash = '/';
        (void)mkdir(path, 0700); /* is there already, mostly; else the open below tells */
    }
    if (!cache_path(path, sizeof path, includes)) {
        return;
    }
    (void)snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid()); /* fits */
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    bool ok = write_all(fd, text->data, text->len) && write_all(fd, end_line, sizeof end_line - 1);
    ok = close(fd) == 0 && ok;
    if (!ok || rename(temporary, path) != 0) {
        (void)unlink(temporary); /* nothing depends on it */
    }
}
