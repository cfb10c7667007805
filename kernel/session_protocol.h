/* What weir-kernel and weir-session say to each other: JSON objects, one a message, over a SOCK_STREAM socketpair (the session's
 * fd 3), each preceded by its length as 4 bytes in host order. The session's stdout and stderr are pipes that the kernel
 * reads; before it handles a message it first drains them, and the session flushes before it sends, so that order is kept.
 *
 * kernel -> session
 *   {"op":"execute","code":S,"cell_id":S|null,"count":N,"silent":B,"allow_stdin":B,"user_expressions":{..}}
 *   {"op":"complete","code":S,"cursor":N}         cursor in bytes   (only when no cell runs)
 *   {"op":"inspect","code":S,"cursor":N}
 *   {"op":"shutdown"}
 *   interrupt is SIGINT to the session's process group.
 * session -> kernel
 *   {"op":"ready"}                                once, after start
 *   {"op":"stream","name":"stdout","text":S}      from magics
 *   {"op":"display","data":{..},"metadata":{..},"display_id":S|null,"update":B}
 *   {"op":"clear_output","wait":B}
 *   {"op":"result","data":{"text/plain":S,..}}
 *   {"op":"error","ename":S,"evalue":S,"traceback":[S..]}
 *   {"op":"done","ok":B,"payload":[..],"user_expressions":{..}}
 *   {"op":"reply", ...}                           to complete and inspect
 */
#ifndef WEIR_KERNEL_SESSION_PROTOCOL_H
#define WEIR_KERNEL_SESSION_PROTOCOL_H

#include "runtime/base/err.h"

#include <jansson.h>

enum { SESSION_FD = 3, SESSION_MESSAGE_MAX = 256 << 20 };

/* Send one message whole; blocking. message: borrowed. ERR_IO: the peer is gone. */
enum err_code session_send(int fd, json_t *message, struct err *e);

/* Receive one message; blocking once its first byte is there. New reference in *out; NULL at end of file.
 * ERR_FORMAT: not JSON; ERR_LIMIT: longer than SESSION_MESSAGE_MAX. */
enum err_code session_receive(int fd, json_t **out, struct err *e);

#endif
