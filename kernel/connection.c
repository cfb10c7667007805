/* See connection.h. */
#include "kernel/connection.h"

#include "runtime/base/buf.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static enum err_code text_field(const json_t *root, const char *name, const char *fallback, char *out, size_t size,
                                struct err *e)
{
    const json_t *value = json_object_get(root, name);
    if (!value && fallback) {
        (void)snprintf(out, size, "%s", fallback);
        return ERR_NONE;
    }
    if (!json_is_string(value)) {
        return err_set(e, ERR_FORMAT, "connection file: '%s' must be a string", name);
    }
    size_t len = json_string_length(value);
    if (len >= size) {
        return err_set(e, ERR_LIMIT, "connection file: '%s' is longer than %zu bytes", name, size - 1);
    }
    memcpy(out, json_string_value(value), len + 1);
    return ERR_NONE;
}

static enum err_code port_field(const json_t *root, const char *name, int *out, struct err *e)
{
    const json_t *value = json_object_get(root, name);
    if (!json_is_integer(value)) {
        return err_set(e, ERR_FORMAT, "connection file: '%s' must be a port number", name);
    }
    json_int_t port = json_integer_value(value);
    if (port < 1 || port > 65535) {
        return err_set(e, ERR_FORMAT,
                       "connection file: '%s' is %lld; the front end has to choose a port from 1 to 65535", name,
                       (long long)port);
    }
    *out = (int)port;
    return ERR_NONE;
}

static enum err_code parse_root(const json_t *root, struct connection *c, struct err *e)
{
    char scheme[64];
    enum err_code rc = ERR_NONE;
    if ((rc = text_field(root, "transport", "tcp", c->transport, sizeof c->transport, e)) ||
        (rc = text_field(root, "ip", NULL, c->ip, sizeof c->ip, e)) ||
        (rc = text_field(root, "key", NULL, c->key, sizeof c->key, e)) ||
        (rc = text_field(root, "signature_scheme", "hmac-sha256", scheme, sizeof scheme, e)) ||
        (rc = port_field(root, "shell_port", &c->shell_port, e)) ||
        (rc = port_field(root, "iopub_port", &c->iopub_port, e)) ||
        (rc = port_field(root, "stdin_port", &c->stdin_port, e)) ||
        (rc = port_field(root, "control_port", &c->control_port, e)) ||
        (rc = port_field(root, "hb_port", &c->hb_port, e))) {
        return rc;
    }
    c->key_len = json_string_length(json_object_get(root, "key"));
    if (strcmp(c->transport, "tcp") != 0 && strcmp(c->transport, "ipc") != 0) {
        return err_set(e, ERR_FORMAT, "connection file: transport '%s' is unknown; there are 'tcp' and 'ipc'",
                       c->transport);
    }
    if (c->key_len > 0 && strcmp(scheme, "hmac-sha256") != 0) {
        return err_set(e, ERR_FORMAT, "connection file: signature_scheme '%s' is unknown; there is 'hmac-sha256'",
                       scheme);
    }
    return ERR_NONE;
}

enum err_code connection_parse(const char *text, size_t len, struct connection *out, struct err *e)
{
    json_error_t why;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    if (!root) {
        return err_set(e, ERR_FORMAT, "connection file: line %d: %s", why.line, why.text);
    }
    struct connection c = { 0 };
    enum err_code rc =
        json_is_object(root) ? parse_root(root, &c, e) : err_set(e, ERR_FORMAT, "connection file: not a JSON object");
    json_decref(root);
    if (rc == ERR_NONE) {
        *out = c;
    }
    return rc;
}

enum err_code connection_read(const char *path, struct connection *out, struct err *e)
{
    FILE *f = fopen(path, "rbe");
    if (!f) {
        return err_errno(e, "cannot open connection file '%s'", path);
    }
    struct buf text;
    buf_init(&text, CONNECTION_FILE_MAX);
    char part[4096];
    size_t n = 0;
    while ((n = fread(part, 1, sizeof part, f)) > 0) {
        buf_add(&text, part, n);
    }
    enum err_code rc = ferror(f) ? err_errno(e, "cannot read connection file '%s'", path) : ERR_NONE;
    (void)fclose(f); /* it was only read */
    if (rc == ERR_NONE) {
        rc = buf_check(&text, "the connection file", e);
    }
    if (rc == ERR_NONE) {
        rc = connection_parse(text.data, text.len, out, e);
        if (rc != ERR_NONE) {
            (void)err_context(e, "'%s'", path);
        }
    }
    buf_done(&text);
    return rc;
}

enum err_code connection_endpoint(const struct connection *c, int port, char *out, size_t size, struct err *e)
{
    char mark = strcmp(c->transport, "ipc") == 0 ? '-' : ':'; /* Jupyter's form of an ipc path */
    int n = snprintf(out, size, "%s://%s%c%d", c->transport, c->ip, mark, port);
    return n > 0 && (size_t)n < size ? ERR_NONE : err_set(e, ERR_LIMIT, "address '%s' is too long", c->ip);
}
