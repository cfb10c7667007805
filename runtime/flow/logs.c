/* What tasks print (see run.h). A zygote's log files only grow: the part of a task is [start, end), told by its zygote. Pages
 * that were read are punched out of the file, so that it stays small however much is printed. */
#include "runtime/flow/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, MAPPED_FROM = 64 << 10, LIVE_MOST = 1 << 20, RELEASE_EVERY = 1 << 20 };

static int log_fd(const struct run *r, unsigned zygote, int stream)
{
    return stream ? r->pool.zygotes[zygote].err : r->pool.zygotes[zygote].out;
}

/* Copy [from, from + len) into the stream's scratch; what can be read of it, at least. */
static enum err_code copy(struct run *r, int stream, int fd, uint64_t from, size_t len, struct err *e)
{
    struct buf *scratch = &r->scratch[stream];
    buf_clear(scratch);
    char *to = buf_space(scratch, len);
    if (!to) {
        return err_memory(e);
    }
    size_t got = 0;
    while (got < len) {
        ssize_t n = pread(fd, to + got, len - got, (off_t)(from + got));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_errno(e, "reading a task's output");
        }
        if (n == 0) {
            break; /* a task may truncate its own output */
        }
        got += (size_t)n;
    }
    scratch->len = got;
    return ERR_NONE;
}

enum err_code log_read(struct run *r, unsigned zygote, int stream, uint64_t from, uint64_t to, struct log_text *out,
                       struct err *e)
{
    *out = (struct log_text){ .text = "" };
    struct stat st;
    int fd = log_fd(r, zygote, stream);
    if (to <= from) {
        return ERR_NONE;
    }
    if (fstat(fd, &st) < 0) {
        return err_errno(e, "reading a task's output");
    }
    to = to > (uint64_t)st.st_size ? (uint64_t)st.st_size : to;
    if (to <= from) {
        return ERR_NONE;
    }
    if (to - from < MAPPED_FROM) {
        enum err_code code = copy(r, stream, fd, from, to - from, e);
        out->text = r->scratch[stream].data;
        out->len = r->scratch[stream].len;
        return code;
    }
    uint64_t start = from / PAGE * PAGE;
    void *map = mmap(NULL, to - start, PROT_READ, MAP_SHARED, fd, (off_t)start);
    if (map == MAP_FAILED) {
        return err_errno(e, "reading a task's output");
    }
    *out = (struct log_text){ .text = (char *)map + (from - start), .len = to - from, .map = map, .map_len = to - start };
    return ERR_NONE;
}

void log_text_done(struct log_text *t)
{
    if (t->map) {
        (void)munmap(t->map, t->map_len);
    }
    *t = (struct log_text){ .text = "" };
}

static void show(struct run *r, const struct flight *f, int stream, const char *text, size_t len)
{
    const char *step = run_step_name(r, f);
    if (len) {
        events_log(r->events, step, f->path, stream ? "stderr" : "stdout", text, len);
        progress_text(r, step, f->path, stream, text, len);
    }
}

static void kill_task(const struct pool_zygote *z)
{
    pid_t pid = atomic_load(&z->area->pid);
    if (pid > 1) {
        (void)kill(pid, SIGKILL); /* its zygote notices, and kills the rest of its group */
    }
}

static enum err_code live_stream(struct run *r, unsigned i, int stream, uint64_t record, const struct flight *f,
                                 struct err *e)
{
    struct pool_zygote *z = &r->pool.zygotes[i];
    struct log_place *place = &r->logs[i][stream];
    uint64_t start = stream ? z->area->err_start : z->area->out_start;
    struct stat st;
    int fd = log_fd(r, i, stream);
    if (fstat(fd, &st) < 0) {
        return err_errno(e, "reading a task's output");
    }
    uint64_t end = (uint64_t)st.st_size;
    uint64_t from = place->shown > start ? place->shown : start;
    if (end > start && end - start > LOG_MOST) {
        kill_task(z);
        return ERR_NONE;
    }
    if (end <= from) {
        return ERR_NONE;
    }
    enum err_code code = copy(r, stream, fd, from, end - from < LIVE_MOST ? end - from : LIVE_MOST, e);
    const struct buf *b = &r->scratch[stream];
    const char *last = code ? NULL : memrchr(b->data, '\n', b->len);
    /* Another task may have begun meanwhile: then this text is told apart when the first one's end is heard. */
    if (last && atomic_load(&z->area->task) == record) {
        size_t len = (size_t)(last - b->data) + 1;
        show(r, f, stream, b->data, len);
        place->shown = from + len;
    }
    return code;
}

enum err_code logs_live(struct run *r, struct err *e)
{
    for (unsigned i = 0; i < r->pool.started; i++) {
        uint64_t record = atomic_load(&r->pool.zygotes[i].area->task);
        const struct flight *f = record ? dispatch_find(r, record) : NULL;
        for (int stream = 0; f && stream < 2; stream++) {
            enum err_code code = live_stream(r, i, stream, record, f, e);
            if (code) {
                return code;
            }
        }
    }
    return ERR_NONE;
}

void logs_ended(struct run *r, const struct flight *f, const struct record_reply *reply, const struct log_text text[2])
{
    for (int stream = 0; stream < 2; stream++) {
        struct log_place *place = &r->logs[reply->zygote][stream];
        uint64_t start = stream ? reply->err_start : reply->out_start;
        uint64_t end = stream ? reply->err_end : reply->out_end;
        uint64_t shown = place->shown > start ? place->shown - start : 0;
        if (shown < text[stream].len) {
            show(r, f, stream, text[stream].text + shown, text[stream].len - shown);
        }
        place->shown = end;
        if (end > place->released && end - place->released > RELEASE_EVERY) {
            uint64_t to = end / PAGE * PAGE;
            (void)fallocate(log_fd(r, reply->zygote, stream), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                            (off_t)place->released, (off_t)(to - place->released)); /* not everywhere: then it stays */
            place->released = to;
        }
    }
}
