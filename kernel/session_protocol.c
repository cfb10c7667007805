/* See session_protocol.h.
 *
 *   4 bytes: length, top bit: wants an answer | that many bytes of JSON | 4 bytes | ...
 *   0 0 0 0: the answer */
#include "kernel/session_protocol.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static const uint32_t wants_ack = UINT32_C(1) << 31;

enum { CHUNK = 64 << 10, KEEP = 1 << 20 };

/* ---- sending ---- */

static enum err_code send_all(int fd, struct iovec *iov, size_t count, struct err *e)
{
    while (count > 0) {
        struct msghdr m = { .msg_iov = iov, .msg_iovlen = count };
        ssize_t n = sendmsg(fd, &m, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_errno(e, "cannot send to the other process");
        }
        size_t sent = (size_t)n;
        while (count > 0 && sent >= iov->iov_len) {
            sent -= iov->iov_len;
            iov++;
            count--;
        }
        if (count > 0) {
            iov->iov_base = (char *)iov->iov_base + sent;
            iov->iov_len -= sent;
        }
    }
    return ERR_NONE;
}

/* Exactly len bytes. *got: false at end of file before the first one. */
static enum err_code read_all(int fd, void *to, size_t len, bool *got, struct err *e)
{
    size_t have = 0;
    *got = false;
    while (have < len) {
        ssize_t n = recv(fd, (char *)to + have, len - have, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_errno(e, "cannot receive from the other process");
        }
        if (n == 0) {
            return have == 0 ? ERR_NONE : err_set(e, ERR_IO, "the other process ended within a message");
        }
        have += (size_t)n;
        *got = true;
    }
    return ERR_NONE;
}

/* Whether the order of this message and of text in the pipes has to be kept. */
static bool is_ordered(const json_t *message)
{
    static const char *const ops[] = { "stream", "display", "clear_output", "result", "error" };
    const char *op = json_string_value(json_object_get(message, "op"));
    for (size_t i = 0; op && i < sizeof ops / sizeof *ops; i++) {
        if (strcmp(op, ops[i]) == 0) {
            return !json_is_true(json_object_get(message, "last"));
        }
    }
    return false;
}

static bool peer_is_another(int fd)
{
    struct ucred peer = { 0 };
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid != getpid();
}

static enum err_code skip(int fd, size_t len, struct err *e)
{
    char bytes[4096];
    enum err_code rc = ERR_NONE;
    for (bool got = true; rc == ERR_NONE && got && len > 0;) {
        size_t n = len < sizeof bytes ? len : sizeof bytes;
        rc = read_all(fd, bytes, n, &got, e);
        len -= n;
    }
    return rc;
}

/* A message may come first: the answer to a question that the cell does not wait for any more. */
static enum err_code await_ack(int fd, struct err *e)
{
    uint32_t head = 1;
    bool got = true;
    enum err_code rc = ERR_NONE;
    while (rc == ERR_NONE && got && head != 0) {
        rc = read_all(fd, &head, sizeof head, &got, e);
        rc = rc == ERR_NONE && got ? skip(fd, head & ~wants_ack, e) : rc;
    }
    return rc == ERR_NONE && !got ? err_set(e, ERR_IO, "the kernel is gone") : rc;
}

enum err_code session_send(int fd, json_t *message, struct err *e)
{
    char *text = json_dumps(message, JSON_COMPACT);
    size_t len = text ? strlen(text) : 0;
    if (!text || len > SESSION_MESSAGE_MAX) {
        free(text);
        return text ? err_set(e, ERR_LIMIT, "a message of %zu bytes; at most %d are possible", len, SESSION_MESSAGE_MAX)
                    : err_set(e, ERR_FORMAT, "a message that cannot be written as JSON");
    }
    bool ack = is_ordered(message) && peer_is_another(fd);
    uint32_t length = (uint32_t)len | (ack ? wants_ack : 0);
    struct iovec iov[] = { { &length, sizeof length }, { text, len } };
    enum err_code rc = send_all(fd, iov, 2, e);
    free(text);
    return rc == ERR_NONE && ack ? await_ack(fd, e) : rc;
}

void session_ack(int fd)
{
    static const uint32_t nothing = 0;
    struct iovec iov = { (void *)(uintptr_t)&nothing, sizeof nothing };
    (void)send_all(fd, &iov, 1, NULL); /* see the header */
}

/* ---- receiving ---- */

static enum err_code parse(const char *text, size_t len, json_t **out, struct err *e)
{
    json_error_t why;
    json_t *message = json_loadb(text, len, JSON_ALLOW_NUL, &why);
    if (!message) {
        return err_set(e, ERR_FORMAT, "a message that is not JSON: %s", why.text);
    }
    *out = message;
    return ERR_NONE;
}

static enum err_code check_length(uint32_t length, struct err *e)
{
    return length <= SESSION_MESSAGE_MAX ? ERR_NONE
                                         : err_set(e, ERR_LIMIT, "a message of %lu bytes; at most %d are possible",
                                                   (unsigned long)length, SESSION_MESSAGE_MAX);
}

enum err_code session_receive(int fd, json_t **out, struct err *e)
{
    uint32_t head = 0;
    bool got = false;
    enum err_code rc = ERR_NONE;
    do {
        rc = read_all(fd, &head, sizeof head, &got, e);
    } while (rc == ERR_NONE && got && head == 0);
    if (rc != ERR_NONE) {
        return rc;
    }
    if (!got) {
        *out = NULL;
        return ERR_NONE;
    }
    uint32_t length = head & ~wants_ack;
    rc = check_length(length, e);
    char *text = rc == ERR_NONE ? malloc((size_t)length + 1) : NULL;
    if (!text) {
        return rc == ERR_NONE ? err_memory(e) : rc;
    }
    rc = read_all(fd, text, length, &got, e);
    if (rc == ERR_NONE) {
        rc = got ? parse(text, length, out, e) : err_set(e, ERR_IO, "the other process ended within a message");
    }
    free(text);
    if (rc == ERR_NONE && (head & wants_ack)) {
        session_ack(fd);
    }
    return rc;
}

void session_input_init(struct session_input *in)
{
    *in = (struct session_input){ 0 };
    buf_init(&in->bytes, (size_t)SESSION_MESSAGE_MAX + KEEP);
}

void session_input_done(struct session_input *in)
{
    buf_done(&in->bytes);
    session_input_init(in);
}

/* Move what is left to the front. */
static void compact(struct session_input *in)
{
    size_t left = in->bytes.len - in->taken;
    if (in->taken == 0) {
        return;
    }
    if (left == 0 && in->bytes.cap > KEEP) {
        buf_done(&in->bytes); /* a large message is over: give its memory back */
        buf_init(&in->bytes, (size_t)SESSION_MESSAGE_MAX + KEEP);
    } else {
        memmove(in->bytes.data, in->bytes.data + in->taken, left);
        in->bytes.len = left;
    }
    in->taken = 0;
}

enum err_code session_input_fill(struct session_input *in, int fd, struct err *e)
{
    char chunk[CHUNK];
    compact(in);
    ssize_t n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return ERR_NONE;
    }
    if (n < 0 && errno != ECONNRESET) {
        return err_errno(e, "cannot receive from the session");
    }
    in->eof = n <= 0;
    buf_add(&in->bytes, chunk, n > 0 ? (size_t)n : 0);
    return buf_check(&in->bytes, "a message of the session", e);
}

enum err_code session_input_next(struct session_input *in, json_t **out, bool *ack, struct err *e)
{
    uint32_t head = 0;
    *out = NULL;
    if (in->bytes.len - in->taken < sizeof head) {
        return ERR_NONE;
    }
    memcpy(&head, in->bytes.data + in->taken, sizeof head);
    uint32_t length = head & ~wants_ack;
    enum err_code rc = check_length(length, e);
    if (rc != ERR_NONE || in->bytes.len - in->taken - sizeof head < length) {
        return rc;
    }
    *ack = (head & wants_ack) != 0;
    rc = parse(in->bytes.data + in->taken + sizeof head, length, out, e);
    in->taken += sizeof head + length;
    return rc;
}
