/* Why a task failed, in words, and where (see run.h). A crashed task left addresses; whoever compiled the flow turns them
 * into a cell and line (options->where), and for a program with the flow in it addr2line does. */
#include "runtime/base/spawn.h"
#include "runtime/flow/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MOST = 4096 };

/* "cell [4]:3" (as #line named it) from addr2line's answer: the first line that is of a cell. */
static bool parse_answer(char *text, char *cell, size_t size, int *line)
{
    char *rest = NULL;
    for (char *s = strtok_r(text, "\n", &rest); s; s = strtok_r(NULL, "\n", &rest)) {
        char *name = strstr(s, "cell [");
        char *colon = name ? strrchr(name, ':') : NULL;
        if (colon && strtol(colon + 1, NULL, 10) > 0) {
            *line = (int)strtol(colon + 1, NULL, 10);
            *colon = '\0';
            (void)snprintf(cell, size, "%s", name);
            return true;
        }
    }
    return false;
}

/* Where these offsets of this executable are, by addr2line; false if that is not installed or does not know. */
static bool where_in_program(const uint64_t *pcs, unsigned n, char *cell, size_t size, int *line)
{
    char exe[64];
    char numbers[RECORD_PCS][24];
    const char *argv[RECORD_PCS + 4] = { "addr2line", "-e", exe };
    (void)snprintf(exe, sizeof exe, "/proc/%d/exe", (int)getpid());
    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(numbers[i], sizeof numbers[i], "0x%llx", (unsigned long long)pcs[i]);
        argv[3 + i] = numbers[i];
    }
    struct buf answer;
    int status;
    buf_init(&answer, ANSWER_MOST);
    bool known = spawn_capture(argv, &answer, &status, NULL) == ERR_NONE && parse_answer(answer.data, cell, size, line);
    buf_done(&answer);
    return known;
}

/* Set why's cell and line by the crash's addresses, innermost first, if one of them is known. */
static void place(struct run *r, const struct record_result *result, struct err *why)
{
    const struct run_options *o = r->options;
    unsigned n = result->npcs < RECORD_PCS ? result->npcs : RECORD_PCS;
    char cell[sizeof why->cell] = "";
    int line = 0;
    bool known = false;
    for (unsigned i = 0; o->where && !known && i < n; i++) {
        known = o->where(o->where_ctx, result->pcs[i], cell, sizeof cell, &line);
    }
    if (!o->where && !o->so_path && n) {
        known = where_in_program(result->pcs, n, cell, sizeof cell, &line);
    }
    if (known) {
        memcpy(why->cell, cell, sizeof cell);
        why->line = line;
    }
}

static void by_signal(struct run *r, int sig, const char *cell, const struct record_reply *reply,
                      const struct record_result *result, struct err *why)
{
    if (result->state == RECORD_CRASHED && result->sig == sig) {
        char reason[RECORD_ERROR];
        memcpy(reason, result->reason, sizeof reason);
        reason[sizeof reason - 1] = '\0';
        const char *plain = sig == SIGABRT ? "aborted (by abort(), or a failed assert)" : strsignal(sig);
        (void)err_at(why, ERR_TASK, cell, 0, "%s", reason[0] ? reason : plain);
        place(r, result, why);
    } else if (reply->out_end - reply->out_start > LOG_MOST || reply->err_end - reply->err_start > LOG_MOST) {
        (void)err_at(why, ERR_TASK, cell, 0, "printed more than %d MiB", LOG_MOST >> 20);
    } else if (sig == SIGKILL) {
        (void)err_at(why, ERR_TASK, cell, 0, "killed from outside (signal 9): by somebody, or for want of memory");
    } else {
        (void)err_at(why, ERR_TASK, cell, 0, "killed by signal %d (%s)", sig, strsignal(sig));
    }
}

void failure_explain(struct run *r, const struct flight *f, const struct record_reply *reply,
                     const struct record_result *result, struct err *why)
{
    const char *cell = f->parameters ? "" : r->flow->steps[f->spec.step].cell;
    (void)err_at(why, ERR_TASK, cell, 0, "its process ended before it began");
    if (reply->kind == RECORD_NOT_FORKED) {
        (void)err_at(why, ERR_TASK, cell, 0, "the system could not start a process for it: %s", strerror(reply->status));
    } else if (!result) {
        (void)err_at(why, ERR_TASK, cell, 0, "its result makes no sense");
    } else if (result->state == RECORD_FAILED) {
        (void)err_at(why, ERR_TASK, "", result->line, "%.*s", RECORD_ERROR - 1, result->reason);
        (void)snprintf(why->cell, sizeof why->cell, "%.*s", (int)sizeof result->cell - 1, result->cell);
    } else if (WIFSIGNALED(reply->status)) {
        by_signal(r, WTERMSIG(reply->status), cell, reply, result, why);
    } else if (result->state == RECORD_FINISHED) {
        (void)err_at(why, ERR_TASK, cell, 0, "its results were overwritten, probably through a wild pointer");
    } else if (result->state == RECORD_RUNNING) {
        (void)err_at(why, ERR_TASK, cell, 0, "called exit(%d); a step ends by `return` or by its end, and fails by fail(...)",
                     WEXITSTATUS(reply->status));
    }
}
