/* See output.h. */
#include "kernel/output.h"

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

enum { NOTE = 1024 };

void output_init(struct output *o, output_emit *emit, void *ctx)
{
    struct settings defaults = settings_defaults();
    *o = (struct output){ .emit = emit, .ctx = ctx, .fd = -1 };
    buf_init(&o->shown, (size_t)1 << 31);
    output_begin(o, 0, &defaults);
}

static void close_file(struct output *o)
{
    if (o->fd >= 0) {
        (void)close(o->fd); /* every write was checked */
        o->fd = -1;
    }
}

void output_done(struct output *o)
{
    close_file(o);
    buf_done(&o->shown);
}

void output_begin(struct output *o, int count, const struct settings *settings)
{
    close_file(o);
    buf_clear(&o->shown);
    o->count = count;
    o->limit = settings->output_limit;
    o->file_limit = settings->output_file_limit;
    o->total = o->written = 0;
    o->over = false;
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

/* ---- text ---- */

static void say(struct output *o, const char *text)
{
    o->emit(o->ctx, "stderr", text, strlen(text));
}

static void begin_file(struct output *o)
{
    char text[NOTE], limit[32];
    o->over = true;
    bool opened = open_file(o);
    write_file(o, o->shown.data ? o->shown.data : "", o->shown.len);
    buf_done(&o->shown);
    buf_init(&o->shown, (size_t)1 << 31);
    (void)snprintf(text, sizeof text, "\nweir: the cell has printed more than %s; what follows is not shown here. %s%s\n",
                   amount(o->limit, limit, sizeof limit), opened ? "All of it: " : "It is lost: ",
                   opened ? o->path : o->trouble);
    say(o, text);
}

/* How much of text fits into the limit, cut between two characters. */
static size_t fitting(const struct output *o, const char *text, size_t len)
{
    int64_t room = o->limit - o->total;
    size_t n = room < 0 ? 0 : (int64_t)len < room ? len : (size_t)room;
    while (n > 0 && n < len && ((unsigned char)text[n] & 0xC0) == 0x80) {
        n--;
    }
    return n;
}

void output_text(struct output *o, const char *name, const char *text, size_t len)
{
    size_t n = o->over ? 0 : fitting(o, text, len);
    if (n > 0) {
        o->emit(o->ctx, name, text, n);
        buf_add(&o->shown, text, n); /* out of memory: the file begins later */
    }
    o->total += (int64_t)len;
    if (n == len) {
        return;
    }
    if (!o->over) {
        begin_file(o);
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
