/* A run for people at a terminal (see run.h): tasks' output with their step in front, and one line that tells how far it is. */
#include "runtime/flow/run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void progress_counts(struct run *r, struct events_count *out)
{
    for (unsigned i = 0; i < r->flow->nsteps; i++) {
        out[i] = (struct events_count){ .done = r->done[i], .failed = r->failed[i] };
    }
    for (unsigned i = 0; i < r->pool.started; i++) {
        const struct flight *f = dispatch_find(r, atomic_load(&r->pool.zygotes[i].area->task));
        if (f && !f->parameters) {
            out[f->spec.step].running++;
        }
    }
    for (unsigned i = 0; i < r->flow->nsteps; i++) {
        uint64_t begun = out[i].done + out[i].failed + out[i].running;
        out[i].queued = r->created[i] > begun ? r->created[i] - begun : 0;
    }
}

static void clear_line(void)
{
    if (isatty(STDERR_FILENO)) {
        (void)fputs("\r\033[K", stderr);
    }
}

void progress_text(struct run *r, const char *step, const char *path, int stream, const char *text, size_t len)
{
    if (!r->options->progress) {
        return;
    }
    FILE *to = stream ? stderr : stdout;
    clear_line();
    while (len) {
        const char *end = memchr(text, '\n', len);
        size_t n = end ? (size_t)(end - text) : len;
        (void)fprintf(to, "[%s%s%s] ", step, path[0] ? " " : "", path);
        (void)fwrite(text, 1, n, to);
        (void)fputc('\n', to);
        n += end != NULL;
        text += n;
        len -= n;
    }
}

void progress_line(struct run *r, bool last)
{
    if (!r->options->progress) {
        return;
    }
    (void)fflush(stdout);
    if (!isatty(STDERR_FILENO)) {
        return;
    }
    clear_line();
    for (unsigned i = 0; !last && i < r->flow->nsteps; i++) {
        if (r->created[i] > r->done[i]) {
            (void)fprintf(stderr, "%s %llu/%llu  ", r->flow->steps[i].name, (unsigned long long)r->done[i],
                          (unsigned long long)r->created[i]);
        }
    }
    (void)fflush(stderr);
}
