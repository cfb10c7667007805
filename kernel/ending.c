/* See ending.h. */
#include "kernel/ending.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void ending_describe(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status)) {
        int s = WTERMSIG(status);
        const char *name = sigdescr_np(s);
        (void)snprintf(out, size, "was killed by signal %d (%s)", s, name ? name : "unknown");
    } else {
        (void)snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
    }
}
