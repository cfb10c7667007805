/* A host for magics that keeps what they show, for tests. */
#ifndef TESTS_UNIT_MAGICS_HOST_H
#define TESTS_UNIT_MAGICS_HOST_H

#include "magics/magics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* after the four above, which it needs */
#include <cmocka.h>

/* Settings of the kinds that there are, and those that %undo speaks of. */
struct fake_settings {
    int64_t checkpoint, undo, undo_memory;
    uint8_t origins[3];
};

static const char *const fake_choices[] = { "auto", "on", "off", NULL };
static const struct setting fake_table[] = {
    { .name = "checkpoint", .kind = SETTING_CHOICE, .greatest = 2, .choices = fake_choices,
      .offset = offsetof(struct fake_settings, checkpoint), .help = "copies" },
    { .name = "undo", .kind = SETTING_NUMBER, .preset = 10, .greatest = 64, .offset = offsetof(struct fake_settings, undo),
      .help = "cells to go back" },
    { .name = "undo_memory", .kind = SETTING_BYTES, .preset = 1 << 30, .greatest = INT64_C(1) << 40,
      .offset = offsetof(struct fake_settings, undo_memory), .help = "bytes of copies" },
    { 0 },
};

struct fake {
    struct buf out, err;      /* streams */
    struct buf shown;         /* text/plain of the displays, each with a line "display" or "update" before it */
    struct buf html;          /* of the newest display */
    struct buf ran;           /* plain cells, each with its label before it */
    struct index *index;
    struct flows *flows;
    struct magics *magics;
    const char *sources[8];   /* of cells that ran, by number */
    int failing;              /* the one that fails when it runs again */
    bool interrupted;
    unsigned interrupt_after; /* displays; 0: never */
    unsigned displays;
    struct fake_settings values;
    int undoable[4];          /* newest first */
    size_t nundoable;
    unsigned undone;          /* what the host was asked to undo */
};

static inline void fake_display(void *ctx, json_t *data, const char *display_id, bool update)
{
    struct fake *f = ctx;
    (void)display_id;
    const char *html = json_string_value(json_object_get(data, "text/html"));
    buf_str(&f->shown, update ? "update\n" : "display\n");
    buf_str(&f->shown, json_string_value(json_object_get(data, "text/plain")));
    buf_clear(&f->html);
    buf_str(&f->html, html ? html : "");
    f->displays++;
    f->interrupted = f->interrupted || (f->interrupt_after && f->displays >= f->interrupt_after);
}

static inline void fake_stream(void *ctx, const char *stream, const char *text, size_t len)
{
    struct fake *f = ctx;
    buf_add(strcmp(stream, "stderr") == 0 ? &f->err : &f->out, text, len);
}

static inline enum err_code fake_run_cell(void *ctx, const char *label, const char *text, size_t len, struct err *e)
{
    struct fake *f = ctx;
    (void)e;
    buf_printf(&f->ran, "%s|", label);
    buf_add(&f->ran, text, len);
    return ERR_NONE;
}

static inline const char *fake_source(void *ctx, int number)
{
    const struct fake *f = ctx;
    return number >= 1 && number < 8 ? f->sources[number] : NULL;
}

static inline enum err_code fake_rerun(void *ctx, int number, struct err *e)
{
    struct fake *f = ctx;
    buf_printf(&f->ran, "again %d|", number);
    return number == f->failing ? err_set(e, ERR_COMPILE, "cell [%d] fails", number) : ERR_NONE;
}

static inline enum err_code fake_symbol(void *ctx, const char *name, void *address, struct err *e)
{
    (void)ctx, (void)name, (void)address, (void)e;
    return ERR_NONE;
}

static inline void *fake_variable(void *ctx, const char *name)
{
    (void)ctx, (void)name;
    return NULL;
}

static inline bool fake_interrupted(void *ctx)
{
    const struct fake *f = ctx;
    return f->interrupted;
}

static inline size_t fake_undoable(void *ctx, int *counts, size_t max)
{
    const struct fake *f = ctx;
    for (size_t i = 0; i < f->nundoable && i < max; i++) {
        counts[i] = f->undoable[i];
    }
    return f->nundoable;
}

static inline enum err_code fake_undo(void *ctx, unsigned n, struct err *e)
{
    struct fake *f = ctx;
    (void)e;
    f->undone = n;
    return ERR_NONE;
}

/* with_index: also an index of declarations, which takes a while to make. */
static inline void fake_init(struct fake *f, const char *directory, bool with_index)
{
    memset(f, 0, sizeof *f);
    buf_init(&f->out, 0);
    buf_init(&f->err, 0);
    buf_init(&f->shown, 0);
    buf_init(&f->html, 0);
    buf_init(&f->ran, 0);
    if (with_index) {
        assert_int_equal(index_new(&f->index, NULL), ERR_NONE);
    }
    assert_int_equal(flows_new(f->index, &f->flows, NULL), ERR_NONE);
    f->values = (struct fake_settings){ .undo = 10, .undo_memory = 1 << 30 };
    struct magic_host host = { .ctx = f, .display = fake_display, .stream = fake_stream, .run_cell = fake_run_cell,
                               .source = fake_source, .rerun = fake_rerun,
                               .symbol = fake_symbol, .variable = fake_variable, .interrupted = fake_interrupted,
                               .undoable = fake_undoable, .undo = fake_undo,
                               .settings = { .rows = fake_table, .values = &f->values, .origins = f->values.origins },
                               .index = f->index, .flows = f->flows, .directory = directory };
    assert_int_equal(magics_new(&host, &f->magics, NULL), ERR_NONE);
}

static inline void fake_done(struct fake *f)
{
    magics_free(f->magics);
    flows_free(f->flows);
    index_free(f->index);
    buf_done(&f->out);
    buf_done(&f->err);
    buf_done(&f->shown);
    buf_done(&f->html);
    buf_done(&f->ran);
}

static inline enum err_code fake_cell(struct fake *f, int number, const char *text, struct err *e)
{
    struct cell cell = { .number = number, .text = text, .len = strlen(text) };
    memset(e, 0, sizeof *e);
    return magics_run(f->magics, &cell, e);
}

#endif
