/* What the supervisor's three files share: supervisor.c is the interpreter and the poll loop's side, supervisor_messages.c
 * what a session says, its last words included, supervisor_output.c what it prints. Nobody else includes this. */
#ifndef WEIR_KERNEL_SUPERVISOR_STATE_H
#define WEIR_KERNEL_SUPERVISOR_STATE_H

#include "kernel/capture.h"
#include "kernel/checkpoint.h"
#include "kernel/output.h"
#include "kernel/process.h"
#include "kernel/session_protocol.h"
#include "kernel/session_shared.h"
#include "kernel/supervisor.h"

enum { SUPERVISOR_NOTE_MAX = 4096 };

struct supervisor {
    char *program; /* owned */
    struct interpreter_events events;
    struct process process;    /* pid 0: there is none */
    struct checkpoints copies; /* of it, asleep */
    struct session_input input;
    struct capture capture;
    struct output output; /* before it */
    int timer, signals;             /* fds */
    int look;                       /* fd of the timer that looks at the session's stdout */
    bool looking;                   /* it runs */
    uint32_t flushes;               /* session_shared's, when the session was last asked to write out */
    unsigned unanswered;            /* looks since then; 0: it was not asked */
    long long emitted_us;           /* when text was passed on last */
    bool threads;                   /* the session has threads of the user's: they print between cells */
    int shared_fd;                  /* memory file behind `shared` */
    struct session_shared *shared;  /* mapped; the sessions write into it too */
    bool armed;                     /* the timer runs */
    bool hold;                      /* leave output where it is */
    bool ready;                     /* the session has said so */
    bool waking;                    /* it is a copy, and has not yet */
    bool running;                   /* a cell */
    bool silent;                    /* it shows nothing */
    int count;                      /* the cell's */
    long long question;             /* number of the latest that it asked */
    bool has_magic;                 /* the cell has */
    long long started;              /* when it began; of process_now */
    json_t *waiting;                /* owned; the cell, for when the session is ready */
    bool failed;                    /* the cell has sent its error */
    bool interrupt_due;             /* asked for before the session was ready */
    bool killed;                    /* by a second interrupt */
    bool dying;                     /* what comes are last words */
    long long interrupted_at;       /* ms, of the running cell; 0: not */
    unsigned stale;                 /* replies that nobody waits for any more */
    json_t *reply;                  /* owned; the reply waited for */
    json_t *last_done;              /* owned; a `done` among last words */
    struct buf warnings;            /* about settings, for the first cell that is seen */
    char note[SUPERVISOR_NOTE_MAX]; /* for the user, at the beginning of the next cell */
};

/* Close the session's ends and forget it. */
void supervisor_reset(struct supervisor *s);

/* Start a fresh session in the place of the one that is gone. */
enum err_code supervisor_respawn(struct supervisor *s, struct err *e);

/* Let a copy go on in the place of the session that is gone, which `takeover` is about. */
void supervisor_wake(struct supervisor *s, const struct checkpoint *copy, const struct takeover *takeover);

/* The session is ready: send it the cell that waits, if one does. */
void supervisor_send_waiting(struct supervisor *s);

/* Take in the copy of itself that a session's message names, if it does. */
void supervisor_take_copy(struct supervisor *s, const json_t *message);

/* Interrupt the session's process group; end the session's process. */
void supervisor_interrupt(const struct supervisor *s);
void supervisor_kill(const struct supervisor *s);

/* ---- supervisor_output.c ---- */

/* Read what the pipes hold now, in the order in which it was written. */
void supervisor_drain(struct supervisor *s);

/* Text that is to be shown; for a silent cell it is dropped. */
void supervisor_text(struct supervisor *s, enum capture_stream stream, const char *text, size_t len);

/* What the capture calls (a capture_emit; ctx: the supervisor). */
void supervisor_emit(void *ctx, const char *name, const char *text, size_t len);

/* Have what the capture holds passed on in time. */
void supervisor_arm_timer(struct supervisor *s);

/* Start or stop looking at what the session's stdout holds; look now. */
void supervisor_look_for_output(struct supervisor *s);
void supervisor_look(struct supervisor *s);

/* interpreter.settle */
void supervisor_settle(void *self);

/* ---- supervisor_messages.c ---- */

/* Receive and handle what the socket has. A peer that cannot be understood is killed; SIGCHLD brings the rest. */
void supervisor_read(struct supervisor *s);

/* The session is dead and reaped: read its last words, replace it, and tell the user. */
void supervisor_bury(struct supervisor *s, int status);

#endif
