/* The folder `.weir`: where it is, its layout, and the objects (big artifacts) in it by content address.
 *
 *   .weir/version            "1\n"; newer is refused
 *   .weir/metadata.db        see metadata.h; objects up to STORE_INLINE bytes live inside it
 *   .weir/objects/ab/cdef..  .npy files by sha256 (hex) of their bytes; never changed once named, mode 0444
 *   .weir/tmp/               files being written; emptied of dead writers' files at open
 *   .weir/build/             compiled flows by content
 *   .weir/output/            all that a cell printed, if it was too much to show (kernel/output.h)
 *   .weir/config.json        the user's: settings of kernels that start here (kernel/settings_load.h); may be missing
 *
 * Several processes use one store at once. Safe for use from one thread each. */
#ifndef WEIR_STORE_STORE_H
#define WEIR_STORE_STORE_H

#include "runtime/base/arena.h"
#include "runtime/base/sha256.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { STORE_INLINE = 4096 };

struct store;

/* Path of the .weir folder for work in `dir`: WEIR_HOME if set, else the nearest ancestor (dir included) that has one,
 * else dir/.weir (not created here). Owned by the caller: free. */
enum err_code store_locate(const char *dir, char **path, struct err *e);

/* Open the store at path (a .weir folder), creating it if create. Free with store_close (takes NULL). */
enum err_code store_open(const char *path, bool create, struct store **out, struct err *e);
void store_close(struct store *s);
const char *store_path(const struct store *s);           /* borrowed, absolute */

/* An object's file name for a digest: "PATH/objects/ab/cdef..", into out. */
void store_object_path(const char *store_path, const unsigned char digest[SHA256_BYTES], char *out, size_t size);

/* Write header+payload as one object and give its digest. Written to tmp/, then linked under its name: a reader never sees a
 * torn file; an object that is there already is not written again. Usable in a forked task: needs only the path. */
enum err_code store_put(const char *store_path, const void *header, size_t header_len, const void *payload, size_t len,
                        unsigned char digest[SHA256_BYTES], struct err *e);

/* A whole object mapped read-only; unmap with store_unmap. ERR_NOT_FOUND names the digest. */
struct store_map { const void *data; size_t len; };
enum err_code store_get(const char *store_path, const unsigned char digest[SHA256_BYTES], struct store_map *out, struct err *e);
void store_unmap(struct store_map *m);

#endif
