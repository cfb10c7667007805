/* See output.h. */
#include "kernel/output.h"

#include "runtime/base/clock.h"
#include "runtime/base/err.h"
#include "runtime/base/file.h"
#include "runtime/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    NOTE = 1024,
    KEEP_MAX = 16 << 20,  /* bytes in memory; with a higher limit they are in a file before that is reached */
    KEEP_IDLE = 256 << 10, /* between cells */
    CHANGES_BURST = 2500, /* between the streams */
    CHANGES_RATE = 800    /* a second */
};

static double now(void)
{
    return (double)clock_ns() / 1e9;
}

void output_init(struct output *o, struct capture *capture)
{
    struct settings defaults = settings_defaults();
    *o = (struct output){ .capture = capture, .fd = -1 };
    buf_init(&o->kept, KEEP_MAX);
    output_begin(o, 0, &defaults);
}

static void close_file(struct output *o)
{
    if (o->fd >= 0) {
        (void)close(o->fd); /* every write was checked */
        o->fd = -1;
        if (!o->over) {
            (void)unlink(o->path); /* all of it was shown */
        }
    }
}

static void forget_kept(struct output *o, size_t most)
{
    buf_clear(&o->kept);
    if (o->kept.cap > most) {
        buf_done(&o->kept);
        buf_init(&o->kept, KEEP_MAX);
    }
}

void output_done(struct output *o)
{
    close_file(o);
    buf_done(&o->kept);
}

void output_begin(struct output *o, int count, const struct settings *settings)
{
    close_file(o);
    forget_kept(o, KEEP_IDLE);
    o->count = count;
    o->limit = settings->output_limit;
    o->file_limit = settings->output_file_limit;
    o->total = o->written = 0;
    o->over = false;
    o->stream = CAPTURE_STDOUT;
    o->changes = CHANGES_BURST;
    o->changed_at = now();
    o->trouble = NULL;
    o->path[0] = '\0';
}

/* "2.1 MB" */
static const char *amount(int64_t bytes, char *out, size_t size)
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1000 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    (void)snprintf(out, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

/* ---- the file ---- */

static void write_file(struct output *o, const char *text, size_t len)
{
    if (o->fd < 0 || o->trouble) {
        return;
    }
    if ((int64_t)len > o->file_limit - o->written) {
        len = o->file_limit > o->written ? (size_t)(o->file_limit - o->written) : 0;
        o->trouble = "output_file_limit is reached";
    }
    struct err e;
    if (len > 0 && file_write_all(o->fd, text, len, o->path, &e) != ERR_NONE) {
        o->trouble = errno == ENOSPC ? "the disk is full" : "it can't be written";
        return;
    }
    o->written += (int64_t)len;
}

/* Make the folder and the file. False: o->trouble says why. */
static bool open_file(struct output *o)
{
    struct store *store = NULL;
    struct err e;
    char when[32], here[4096];
    char *home = NULL;
    time_t now = time(NULL);
    struct tm local;
    bool ok = getcwd(here, sizeof here) && store_locate(here, &home, &e) == ERR_NONE &&
              store_open(home, true, &store, &e) == ERR_NONE && localtime_r(&now, &local) &&
              strftime(when, sizeof when, "%Y-%m-%d-%H%M%S", &local) > 0;
    if (ok) {
        const char *shown = store_path(store);
        size_t len = strlen(here);
        if (strncmp(shown, here, len) == 0 && shown[len] == '/') {
            shown += len + 1;
        }
        (void)snprintf(o->path, sizeof o->path, "%s/output", shown);
        (void)mkdir(o->path, 0700); /* it is there already, or the next line fails */
        (void)snprintf(o->path, sizeof o->path, "%s/output/%s-%ld-cell-%d.txt", shown, when, (long)getpid(), o->count);
        o->fd = open(o->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    if (o->fd < 0) {
        o->trouble = "no file can be made for it in .weir/output";
    }
    store_close(store);
    free(home);
    return o->fd >= 0;
}

/* From now on the text is kept there. */
static void begin_file(struct output *o)
{
    if (o->fd < 0 && !o->trouble && open_file(o)) {
        write_file(o, o->kept.data ? o->kept.data : "", o->kept.len);
    }
    forget_kept(o, 0);
}

static void keep(struct output *o, const char *text, size_t len)
{
    if (o->fd < 0 && !o->trouble && o->kept.len + len <= KEEP_MAX) {
        buf_add(&o->kept, text, len); /* out of memory: the file begins later */
        return;
    }
    begin_file(o);
    write_file(o, text, len);
}

/* ---- text ---- */

static void say(struct output *o, const char *text)
{
    capture_add(o->capture, CAPTURE_STDERR, text, strlen(text));
}

static void tell_limit(struct output *o)
{
    char text[NOTE], limit[32], what[64] = "changes too often between stdout and stderr";
    if (o->changes >= 0) {
        (void)snprintf(what, sizeof what, "has printed more than %s", amount(o->limit, limit, sizeof limit));
    }
    (void)snprintf(text, sizeof text, "\nweir: the cell %s; what follows is not shown here. %s%s\n", what,
                   o->fd >= 0 ? "All of it: " : "It is lost: ", o->fd >= 0 ? o->path : o->trouble);
    say(o, text);
}

/* Count a change to the other stream. False: there were too many. */
static bool may_change(struct output *o, enum capture_stream stream)
{
    if (stream == o->stream) {
        return true;
    }
    double t = now();
    double more = o->changes + (t - o->changed_at) * CHANGES_RATE;
    o->changes = (more < CHANGES_BURST ? more : CHANGES_BURST) - 1;
    o->changed_at = t;
    o->stream = stream;
    return o->changes >= 0;
}

/* How much of text fits into the limit; less than all of it ends with a line, or at least with a character. */
static size_t fitting(const struct output *o, const char *text, size_t len)
{
    int64_t room = o->limit - o->total;
    if ((int64_t)len <= room) {
        return len;
    }
    size_t n = room < 0 ? 0 : (size_t)room;
    const char *newline = memrchr(text, '\n', n);
    if (newline) {
        return (size_t)(newline + 1 - text);
    }
    while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) {
        n--;
    }
    return n;
}

void output_text(struct output *o, enum capture_stream stream, const char *text, size_t len)
{
    size_t n = o->over || !may_change(o, stream) ? 0 : fitting(o, text, len);
    if (n > 0) {
        capture_add(o->capture, stream, text, n);
        keep(o, text, n);
    }
    o->total += (int64_t)len;
    if (n == len) {
        return;
    }
    if (!o->over) {
        o->over = true;
        begin_file(o);
        tell_limit(o);
    }
    write_file(o, text + n, len - n);
}

void output_end(struct output *o)
{
    char text[NOTE], total[32], kept[32];
    if (!o->over) {
        return;
    }
    (void)amount(o->total, total, sizeof total);
    if (o->fd < 0) {
        (void)snprintf(text, sizeof text, "weir: the cell printed %s in all.\n", total);
    } else if (o->trouble) {
        (void)snprintf(text, sizeof text, "weir: the cell printed %s in all; the first %s of it are in %s: %s.\n", total,
                       amount(o->written, kept, sizeof kept), o->path, o->trouble);
    } else {
        (void)snprintf(text, sizeof text, "weir: the cell printed %s in all; it is in %s\n", total, o->path);
    }
    say(o, text);
}
