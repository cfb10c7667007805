/* The connection file: where the front end expects the kernel's five sockets, and the key that signs their messages.
 *
 * A JSON object that Jupyter writes before it starts a kernel. Plain data, no ownership. */
#ifndef WEIR_KERNEL_CONNECTION_H
#define WEIR_KERNEL_CONNECTION_H

#include "runtime/base/err.h"

#include <stddef.h>

enum { CONNECTION_KEY_MAX = 1024, CONNECTION_FILE_MAX = 1 << 20 };

struct connection {
    char transport[8]; /* "tcp" or "ipc" */
    char ip[256];      /* an address; for ipc the beginning of a path */
    int shell_port, iopub_port, stdin_port, control_port, hb_port;
    char key[CONNECTION_KEY_MAX]; /* "": messages are not signed */
    size_t key_len;
};

/* Fill *out from the text of a connection file. ERR_FORMAT: not JSON, a field missing or not what it should be (named);
 * ERR_LIMIT: a key or address that is too long. */
enum err_code connection_parse(const char *text, size_t len, struct connection *out, struct err *e);

/* As connection_parse, from a file. ERR_IO: cannot be read. */
enum err_code connection_read(const char *path, struct connection *out, struct err *e);

/* ZeroMQ's name of one port: "tcp://127.0.0.1:5555", "ipc:///tmp/kernel-1". ERR_LIMIT: longer than size. */
enum err_code connection_endpoint(const struct connection *c, int port, char *out, size_t size, struct err *e);

#endif
