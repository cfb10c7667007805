/* Whole files: read with a limit, written so that a reader sees the old content or the new, folders made as needed. */
#ifndef WEIR_BASE_FILE_H
#define WEIR_BASE_FILE_H

#include "runtime/base/err.h"

#include <stddef.h>
#include <sys/types.h>

/* The content of the file at path, with a NUL after it that len does not count. *data: owned, free.
 * ERR_NOT_FOUND: no such file.  ERR_LIMIT: over max bytes.  ERR_IO. */
enum err_code file_read(const char *path, size_t max, char **data, size_t *len, struct err *e);

/* Write all of data[0..len) to fd, however many calls that takes. what: named in the message. */
enum err_code file_write_all(int fd, const void *data, size_t len, const char *what, struct err *e);

/* Make path's content data[0..len) at once: written beside it, then renamed over it. durable: also on disk (fsync). */
enum err_code file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, int durable, struct err *e);

/* The folder at path and those above it, mode 0777 less the umask. One that is there already is fine. */
enum err_code file_mkdirs(const char *path, struct err *e);

/* The folder that path lies in ("." if it names none), into dir; cut at size. */
void file_parent(const char *path, char *dir, size_t size);

/* Put a folder's entries on disk (after a rename into it). */
enum err_code file_sync_dir(const char *path, struct err *e);

#endif
