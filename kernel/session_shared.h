/* Memory that the kernel, the session and the session's sleeping copies share: what must outlive a session that dies.
 *
 * The kernel makes it (a memory file, descriptor SESSION_SHARED_FD of the session) and maps it, and so does each
 * session. User code could write anywhere: whoever reads it takes nothing on trust.
 *
 *   settings    what the user has chosen
 *   takeover    kernel -> the copy that it wakes: what has happened
 *   words       session -> the copy that is woken when it is dead: how its user code ended */
#ifndef WEIR_KERNEL_SESSION_SHARED_H
#define WEIR_KERNEL_SESSION_SHARED_H

#include "kernel/settings.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the environment of a session: big blocks of malloc in huge pages, which makes forking a large heap about 20 times
 * cheaper. It is not for what the session starts. */
#define SESSION_TUNABLES_NAME "GLIBC_TUNABLES"
#define SESSION_TUNABLES "glibc.malloc.hugetlb=1"

enum {
    SESSION_SHARED_FD = 4,
    UNDO_MAX = 64, /* cells that can be gone back over, at most */
    TRACE_FRAMES = 64,
    WORDS_CODE = 4 << 20, /* bytes for the running cell's code, only to be told where a crash was */
    WORDS_FILE = 256
};

/* The signals that are ours: those that wake a copy (which waits for it with all others blocked), ask the session to write out
 * what stdout holds, make it look whether an interrupted cell can be left, and drive a thread out of a wait for input. */
static inline int session_wake_signal(void)
{
    return SIGRTMAX - 2;
}

static inline int session_flush_signal(void)
{
    return SIGRTMAX - 3;
}

static inline int session_look_signal(void)
{
    return SIGRTMAX - 4;
}

static inline int session_leave_signal(void)
{
    return SIGRTMAX - 5;
}

/* How user code ended. */
enum ending {
    END_RETURN, /* by itself */
    END_SIGNAL, /* SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT and their like */
    END_INTERRUPT,
    END_INPUT, /* it reads from stdin, and the front end gives no input */
    END_UNDEFINED, /* it calls a function that is declared and not defined yet */
    END_EXIT /* exit(status) and the like */
};

struct outcome {
    enum ending ending;
    int signal, code;                 /* END_SIGNAL: number and si_code */
    void *address;                    /* END_SIGNAL: si_addr */
    bool overflow;                    /* the stack was full */
    bool thread;                      /* it was a thread that the user started */
    int threads;                      /* END_INTERRUPT: those that the cell started and that go on */
    int status;                       /* END_EXIT: its argument */
    const char *called;               /* END_EXIT: "exit", "_exit", ...; static */
    char name[64];                    /* END_UNDEFINED: the function's */
    const void *frames[TRACE_FRAMES]; /* innermost first; addresses inside the instruction or call */
    unsigned nframes;
};

/* Written by a session that dies, in its signal handler. */
struct last_words {
    int32_t said; /* 1: outcome holds */
    struct outcome outcome;
    char file[WORDS_FILE]; /* one that was open for writing; "": none */
    int32_t files;         /* how many were */
};

enum takeover_kind {
    TAKEOVER_CELL, /* the session died while a cell ran: the copy ends that cell */
    TAKEOVER_IDLE, /* it died between two cells */
    TAKEOVER_UNDO  /* the user goes back; what was said of the cell is said */
};

/* Written by the kernel before it wakes a copy. */
struct takeover {
    int32_t kind;
    int32_t status;    /* of the dead session, as waitpid gives it */
    int32_t killed;    /* by a second interrupt */
    int32_t count;     /* of the cell that ran */
    int32_t ended;     /* processes that the cell had started, now ended */
    int32_t current;   /* 1: the copy has all that earlier cells did; 0: newer copies were lost */
    int32_t nundone;   /* TAKEOVER_UNDO: cells that are undone, newest first */
    int32_t undone[UNDO_MAX];
};

struct session_shared {
    struct settings settings;
    struct takeover takeover;
    struct last_words words;
    uint64_t stdout_file;         /* where in the session stdout's FILE is; 0: not known yet */
    _Atomic uint64_t stdout_read; /* bytes that the kernel has read of stdout's pipe, or reads next */
    _Atomic uint32_t flushes;     /* times that the session has answered session_flush_signal */
    int32_t nundo;                  /* cells that can be undone; written by the kernel */
    int32_t undo_counts[UNDO_MAX];  /* their execution counts, newest first */
    int32_t copies;                 /* 1: the newest copy is alive; written by the kernel when it hears that it is not */
    uint32_t code_used;             /* bytes of `code`: blocks of 4 bytes of length and the rest */
    char code[WORDS_CODE];
};

#endif
