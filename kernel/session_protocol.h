/* What weir-kernel and weir-session say to each other: JSON objects, one a message, over a SOCK_STREAM socketpair (the
 * session's fd 3), each preceded by its length as 4 bytes in host order. The session's stdout and stderr are pipes that
 * the kernel reads; before it handles a message it first drains them, and the session flushes before it sends, so that
 * order is kept.
 *
 * kernel -> session
 *   {"op":"execute","code":S,"cell_id":S|null,"count":N,"silent":B,"allow_stdin":B,"user_expressions":{..}}
 *   {"op":"complete","code":S,"cursor":N}         cursor in bytes   (only when no cell runs)
 *   {"op":"inspect","code":S,"cursor":N}
 *   {"op":"input","id":N,"value":S|null}          the line that was asked for; null: end of file. May come when the cell
 *                                                 is over
 *   {"op":"shutdown"}
 *   interrupt is SIGINT to the session's process group.
 * session -> kernel
 *   {"op":"ready","checkpoint":PID,"count":N,"memory":BYTES}
 *                                                 after start, and of a copy that was woken in a dead session's place
 *   {"op":"stream","name":"stdout","text":S}      from magics
 *   {"op":"display","data":{..},"metadata":{..},"display_id":S|null,"update":B}
 *   {"op":"clear_output","wait":B}
 *   {"op":"result","data":{"text/plain":S,..},"last":B}   last: the cell shows nothing after it
 *   {"op":"input","id":N,"prompt":S,"password":B} the cell waits for a line. Its prompt is what it printed last, and this
 *   {"op":"error","ename":S,"evalue":S,"traceback":[S..]}
 *   {"op":"done","ok":B,"payload":[..],"user_expressions":{..},"checkpoint":PID,"count":N,"memory":BYTES,"changed":B}
 *                                                 PID: a sleeping copy of the session as it is now; 0: there is none
 *   {"op":"done",..,"late":true}                  the copy comes by a message of its own:
 *   {"op":"copy","checkpoint":PID,..}             as in done
 *   {"op":"done",..,"undo":N}                     end me, and wake the copy from N cells ago
 *   {"op":"reply", ...}                           to complete and inspect
 *
 * Order. Text in a pipe and messages in the socket would overtake each other: after a display, the next printf may be
 * in the pipe before the kernel has read the display. So session_send waits, for what a cell shows (stream, display,
 * clear_output, result, error), until the kernel has handled it: the top bit of the length asks for that, and an empty
 * frame (length 0) answers. What else comes before that is dropped: it can only be a late `input`. It asks only when
 * another process is at the other end (SO_PEERCRED), so that a test may hold both ends; session_receive answers by
 * itself, and skips empty frames. A result that is the last is not waited for. */
#ifndef WEIR_KERNEL_SESSION_PROTOCOL_H
#define WEIR_KERNEL_SESSION_PROTOCOL_H

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

#include <jansson.h>
#include <stdbool.h>

enum { SESSION_FD = 3, SESSION_MESSAGE_MAX = 256 << 20 };

/* Send one message whole; blocking, see "Order". message: borrowed. ERR_IO: the peer is gone; ERR_LIMIT: longer than
 * SESSION_MESSAGE_MAX; ERR_FORMAT: cannot be written as JSON. */
enum err_code session_send(int fd, json_t *message, struct err *e);

/* Receive one message; blocking once its first byte is there. New reference in *out; NULL at end of file.
 * ERR_FORMAT: not JSON; ERR_LIMIT: longer than SESSION_MESSAGE_MAX. */
enum err_code session_receive(int fd, json_t **out, struct err *e);

/* ---- the kernel's end: the same without ever blocking ---- */

struct session_input {
    struct buf bytes; /* received and not yet taken begin at `taken` */
    size_t taken;
    bool eof; /* nothing will follow */
};

void session_input_init(struct session_input *in);
void session_input_done(struct session_input *in);

/* Take what the socket has, without waiting. ERR_IO, ERR_MEMORY. */
enum err_code session_input_fill(struct session_input *in, int fd, struct err *e);

/* The next whole message, new reference; NULL: none yet. *ack: session_ack is due once it is handled.
 * ERR_FORMAT, ERR_LIMIT: nothing more can be read from this peer. */
enum err_code session_input_next(struct session_input *in, json_t **out, bool *ack, struct err *e);

/* Tell the peer that its message is handled. A peer that is gone is noticed elsewhere. */
void session_ack(int fd);

#endif
