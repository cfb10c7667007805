/* Starting and ending the session's process. Its socket is its fd 3; its stdout and stderr are pipes; its stdin is
 * /dev/null; it leads a process group of its own, and is killed when the kernel dies. */
#ifndef WEIR_KERNEL_PROCESS_H
#define WEIR_KERNEL_PROCESS_H

#include "kernel/checkpoint.h"
#include "runtime/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
    pid_t pid;  /* 0: none; else also its process group */
    int socket; /* our ends, close-on-exec; -1: closed. The pipes do not block */
    int out, err;
};

/* Path of a program of ours: beside this one, else in ../libexec/weir. ERR_NOT_FOUND names both places; ERR_LIMIT. */
enum err_code process_find(const char *name, char *path, size_t size, struct err *e);

/* Start a program with `shared` as its descriptor SESSION_SHARED_FD. Signals are at their defaults in it, none blocked, but SIGINT ignored: an interrupt that comes
 * before it has set a handler must not kill it. ERR_IO. */
enum err_code process_spawn(const char *program, int shared, struct process *out, struct err *e);

/* Close our ends; p->pid stays. */
void process_close(struct process *p);

/* Wait until the process ends, at most ms. *status: as waitpid gives it. False: it still runs. */
bool process_wait(const struct process *p, int ms, int *status);

/* Make this process the parent of its descendants' orphans, so that process_kill_all finds them. */
void process_adopt_orphans(void);

/* The time, in the unit in which the system says when a process was started (clock ticks since it booted). */
long long process_now(void);

/* SIGKILL to our children that were started at `since` or later, those in `spared` excepted, with all below them: once
 * their session is dead, what a cell had started are our own. Returns how many children. */
int process_kill_younger(long long since, const struct checkpoint *spared, size_t n);

/* SIGKILL to every descendant, and reap them: afterwards there is none. */
void process_kill_all(void);

#endif
