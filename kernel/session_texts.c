/* Texts of the cells that have run, by label ("cell [3]"), for the lines of tracebacks and for %rerun.
 *
 * A ring: beyond TEXTS_MAX texts or TEXTS_BYTES bytes the oldest goes. A table finds a label's. */
#include "kernel/session.h"

#include "runtime/base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS_MAX = 10000, TEXTS_BYTES = 8 << 20, HEADS = 4096 };

struct texts {
    struct shown_cell *ring; /* owned; TEXTS_MAX places */
    size_t first, n;
    size_t bytes;
    uint32_t heads[HEADS]; /* place + 1 of the first with that hash; 0: none */
};

static uint32_t *head_of(struct texts *t, const char *label)
{
    return &t->heads[hash_bytes(0, label, strlen(label)) % HEADS];
}

struct shown_cell *session_shown(struct session *s, const char *label)
{
    struct texts *t = s->texts;
    for (uint32_t at = t ? *head_of(t, label) : 0; at; at = t->ring[at - 1].next) {
        if (strcmp(t->ring[at - 1].label, label) == 0) {
            return &t->ring[at - 1];
        }
    }
    return NULL;
}

static struct texts *texts_of(struct session *s)
{
    struct texts *t = s->texts ? s->texts : calloc(1, sizeof *t);
    if (t && !t->ring) {
        t->ring = calloc(TEXTS_MAX, sizeof *t->ring); /* untouched pages cost nothing */
    }
    s->texts = t;
    return t && t->ring ? t : NULL;
}

static void empty(struct texts *t, struct shown_cell *c)
{
    t->bytes -= c->text ? strlen(c->text) : 0;
    free(c->text);
    free(c->entry);
    free(c->id);
    c->text = c->entry = c->id = NULL;
}

static void drop_oldest(struct texts *t)
{
    struct shown_cell *c = &t->ring[t->first];
    uint32_t *at = head_of(t, c->label), place = (uint32_t)t->first + 1;
    while (*at && *at != place) {
        at = &t->ring[*at - 1].next;
    }
    *at = *at ? c->next : 0;
    empty(t, c);
    t->first = (t->first + 1) % TEXTS_MAX;
    t->n--;
}

static struct shown_cell *add(struct texts *t, const char *label)
{
    if (t->n == TEXTS_MAX) {
        drop_oldest(t);
    }
    size_t place = (t->first + t->n++) % TEXTS_MAX;
    struct shown_cell *c = &t->ring[place];
    *c = (struct shown_cell){ .text = NULL };
    (void)snprintf(c->label, sizeof c->label, "%s", label);
    uint32_t *head = head_of(t, c->label);
    c->next = *head;
    *head = (uint32_t)place + 1;
    return c;
}

void session_remember(struct session *s, const char *label, const char *text, size_t len)
{
    struct texts *t = texts_of(s);
    if (!t) {
        return;
    }
    struct shown_cell *c = session_shown(s, label);
    if (c) {
        empty(t, c);
    } else {
        c = add(t, label);
    }
    c->text = strndup(text, len);
    c->id = s->cell_id ? strdup(s->cell_id) : NULL;
    t->bytes += c->text ? strlen(c->text) : 0;
    while (t->n > 1 && t->bytes > TEXTS_BYTES && &t->ring[t->first] != c) {
        drop_oldest(t);
    }
}

void session_remember_entry(struct session *s, const char *label, const char *entry)
{
    struct shown_cell *c = session_shown(s, label);
    if (c && entry) {
        free(c->entry);
        c->entry = strdup(entry);
    }
}

void session_texts_done(struct session *s)
{
    while (s->texts && s->texts->n > 0) {
        drop_oldest(s->texts);
    }
    free(s->texts ? s->texts->ring : NULL);
    free(s->texts);
    s->texts = NULL;
}
