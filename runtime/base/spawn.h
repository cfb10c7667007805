/* Running a tool (cc, addr2line) and reading what it says. No shell is involved.
 *
 * The child gets /dev/null as stdin, LC_ALL=C, default signals, and none of our descriptors. */
#ifndef WEIR_BASE_SPAWN_H
#define WEIR_BASE_SPAWN_H

#include "runtime/base/buf.h"

/* Run argv[0] (searched in PATH) to its end; stdout and stderr together are appended to out, at most its maximum (the
 * rest is read and dropped). *status is as waitpid gives it.
 * ERR_NOT_FOUND: there is no such program. ERR_INTERRUPTED: SIGINT or SIGTERM ended it. ERR_IO: the system said no. */
enum err_code spawn_capture(const char *const *argv, struct buf *out, int *status, struct err *e);

#endif
