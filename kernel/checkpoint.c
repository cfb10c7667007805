/* See checkpoint.h. */
#include "kernel/checkpoint.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its memory is given back by the process itself, while it ends, and only when nothing else wants the processor; SIGCHLD
 * tells, and it is reaped there. */
static void discard(const struct checkpoint *c)
{
    const struct sched_param none = { .sched_priority = 0 };
    (void)sched_setscheduler(c->pid, SCHED_IDLE, &none); /* refused: it ends in its turn */
    (void)kill(c->pid, SIGKILL);
}

static void drop_oldest(struct checkpoints *c)
{
    discard(&c->at[0]);
    c->n--;
    memmove(c->at, c->at + 1, c->n * sizeof *c->at);
}

static bool is_child(pid_t pid)
{
    siginfo_t info = { 0 };
    return pid > 1 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static bool fits(const struct checkpoints *c, const struct settings *settings)
{
    int64_t undo = settings->undo < 0 ? 0 : settings->undo > UNDO_MAX ? UNDO_MAX : settings->undo;
    int64_t memory = 0;
    for (size_t i = 0; i + 1 < c->n; i++) {
        memory += c->at[i].memory;
    }
    return c->n <= (size_t)undo + 1 && memory <= settings->undo_memory;
}

static bool has(const struct checkpoints *c, pid_t pid)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->at[i].pid == pid) {
            return true;
        }
    }
    return false;
}

bool checkpoints_push(struct checkpoints *c, struct checkpoint new, const struct settings *settings)
{
    if (!is_child(new.pid) || has(c, new.pid)) {
        return false;
    }
    (void)setpgid(new.pid, new.pid); /* as it does itself: whoever comes first; the next cell may kill the session's group */
    if (c->n == sizeof c->at / sizeof *c->at) {
        drop_oldest(c);
    }
    c->at[c->n++] = new;
    c->stale = false;
    while (c->n > 1 && !fits(c, settings)) {
        drop_oldest(c);
    }
    return true;
}

bool checkpoints_take(struct checkpoints *c, size_t back, struct checkpoint *out)
{
    *out = (struct checkpoint){ .pid = 0 };
    if (back >= c->n) {
        return false;
    }
    for (size_t i = c->n - back; i < c->n; i++) {
        discard(&c->at[i]);
    }
    c->n -= back + 1;
    *out = c->at[c->n];
    return true;
}

bool checkpoints_ended(struct checkpoints *c, pid_t pid)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->at[i].pid == pid) {
            c->stale = c->stale || i + 1 == c->n;
            c->n--;
            memmove(c->at + i, c->at + i + 1, (c->n - i) * sizeof *c->at);
            return true;
        }
    }
    return false;
}

void checkpoints_clear(struct checkpoints *c)
{
    for (size_t i = 0; i < c->n; i++) {
        discard(&c->at[i]);
    }
    *c = (struct checkpoints){ .n = 0 };
}
