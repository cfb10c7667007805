/* See history.h. Entries are a ring in order of execution; a request is answered by marking the entries that it wants
 * and writing those. */
#include "kernel/history.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    int count;
    char *code;   /* owned */
    char *output; /* owned; NULL: none */
    size_t size;  /* bytes of both */
};

struct history {
    struct entry *ring; /* owned; HISTORY_ENTRIES_MAX places */
    size_t first, n;
    size_t bytes;
};

static struct entry *at(const struct history *h, size_t i)
{
    return &h->ring[(h->first + i) % HISTORY_ENTRIES_MAX];
}

enum err_code history_new(struct history **out, struct err *e)
{
    struct history *h = calloc(1, sizeof *h);
    if (h) {
        h->ring = calloc(HISTORY_ENTRIES_MAX, sizeof *h->ring); /* untouched pages cost nothing */
    }
    if (!h || !h->ring) {
        free(h);
        return err_memory(e);
    }
    *out = h;
    return ERR_NONE;
}

static void drop_oldest(struct history *h)
{
    struct entry *x = at(h, 0);
    h->bytes -= x->size;
    free(x->code);
    free(x->output);
    *x = (struct entry){ 0 };
    h->first = (h->first + 1) % HISTORY_ENTRIES_MAX;
    h->n--;
}

void history_free(struct history *h)
{
    if (!h) {
        return;
    }
    while (h->n > 0) {
        drop_oldest(h);
    }
    free(h->ring);
    free(h);
}

/* Keep within the limits; the newest entry stays in any case. */
static void trim(struct history *h)
{
    while (h->n > 1 && h->bytes > HISTORY_BYTES_MAX) {
        drop_oldest(h);
    }
}

enum err_code history_add(struct history *h, int count, const char *code, struct err *e)
{
    char *copy = strdup(code);
    if (!copy) {
        return err_memory(e);
    }
    if (h->n == HISTORY_ENTRIES_MAX) {
        drop_oldest(h);
    }
    struct entry *x = at(h, h->n++);
    *x = (struct entry){ .count = count, .code = copy, .size = strlen(copy) };
    h->bytes += x->size;
    trim(h);
    return ERR_NONE;
}

void history_set_output(struct history *h, int count, const char *text)
{
    struct entry *x = h->n > 0 ? at(h, h->n - 1) : NULL;
    char *copy = x && x->count == count ? strdup(text) : NULL;
    if (!copy) {
        return; /* an output missing from the history is no reason to fail the cell */
    }
    h->bytes -= x->size;
    free(x->output);
    x->output = copy;
    x->size = strlen(x->code) + strlen(copy);
    h->bytes += x->size;
    trim(h);
}

/* ---- glob ---- */

static const char *next_character(const char *p)
{
    p++;
    while (((unsigned char)*p & 0xC0) == 0x80) {
        p++;
    }
    return p;
}

/* Match one character at text against the set that begins after '['. Returns where the pattern goes on; NULL: no match.
 */
static const char *match_set(const char *p, const char *text)
{
    size_t len = (size_t)(next_character(text) - text);
    bool negated = *p == '^';
    bool found = false;
    p += negated;
    for (bool first = true; *p && (first || *p != ']'); first = false) {
        const char *low = p, *high = p;
        p = next_character(p);
        if (*p == '-' && p[1] && p[1] != ']') {
            high = p + 1;
            p = next_character(high);
        }
        size_t high_len = (size_t)(next_character(high) - high);
        size_t low_len = (size_t)(next_character(low) - low);
        /* UTF-8 sorts by code point when compared bytewise, longer sequences above shorter ones. */
        bool above = len > low_len || (len == low_len && memcmp(text, low, len) >= 0);
        bool below = len < high_len || (len == high_len && memcmp(text, high, len) <= 0);
        found = found || (above && below);
    }
    return *p == ']' && found != negated ? p + 1 : NULL;
}

/* Match one pattern element (not *) at text. Returns where the pattern goes on; NULL: no match. */
static const char *match_one(const char *p, const char *text)
{
    if (*p == '[') {
        return match_set(p + 1, text);
    }
    if (*p == '?') {
        return p + 1;
    }
    size_t len = (size_t)(next_character(text) - text);
    return strncmp(p, text, len) == 0 ? p + len : NULL;
}

bool history_glob(const char *p, const char *text)
{
    const char *star = NULL, *resume = NULL; /* the latest *, and where in text to try it next */
    while (*text) {
        const char *next = *p == '*' || *p == '\0' ? NULL : match_one(p, text);
        if (*p == '*') {
            star = ++p;
            resume = text;
        } else if (next) {
            p = next;
            text = next_character(text);
        } else if (star) {
            p = star;
            text = resume = next_character(resume);
        } else {
            return false;
        }
    }
    while (*p == '*') {
        p++;
    }
    return *p == '\0';
}

/* ---- requests ---- */

struct choice {
    size_t *at; /* entries wanted, in order; owned */
    size_t n;
};

/* An optional integer field; null counts as missing. */
static enum err_code integer(const json_t *request, const char *name, json_int_t fallback, json_int_t *out,
                             struct err *e)
{
    const json_t *value = json_object_get(request, name);
    *out = fallback;
    if (!value || json_is_null(value)) {
        return ERR_NONE;
    }
    if (!json_is_integer(value)) {
        return err_set(e, ERR_USAGE, "history_request: '%s' must be an integer", name);
    }
    *out = json_integer_value(value);
    return ERR_NONE;
}

/* Keep the last n only. */
static void keep_last(struct choice *c, json_int_t n)
{
    size_t want = n < 0 ? 0 : (size_t)n;
    if (want < c->n) {
        memmove(c->at, c->at + (c->n - want), want * sizeof *c->at);
        c->n = want;
    }
}

static enum err_code choose_tail(const struct history *h, const json_t *request, struct choice *c, struct err *e)
{
    json_int_t n = 0;
    enum err_code rc = integer(request, "n", 10, &n, e);
    for (size_t i = 0; rc == ERR_NONE && i < h->n; i++) {
        c->at[c->n++] = i;
    }
    keep_last(c, n);
    return rc;
}

static enum err_code choose_range(const struct history *h, const json_t *request, struct choice *c, struct err *e)
{
    json_int_t session = 0, start = 0, stop = 0;
    enum err_code rc = ERR_NONE;
    if ((rc = integer(request, "session", 0, &session, e)) || (rc = integer(request, "start", 1, &start, e)) ||
        (rc = integer(request, "stop", INT_MAX, &stop, e))) {
        return rc;
    }
    if (session != 0 && session != HISTORY_SESSION) {
        return ERR_NONE; /* a session that we know nothing of */
    }
    for (size_t i = 0; i < h->n; i++) {
        if (at(h, i)->count >= start && at(h, i)->count < stop) {
            c->at[c->n++] = i;
        }
    }
    return ERR_NONE;
}

/* Whether a later entry has the same text. */
static bool comes_again(const struct history *h, size_t i)
{
    for (size_t k = i + 1; k < h->n; k++) {
        if (at(h, k)->size >= strlen(at(h, i)->code) && strcmp(at(h, k)->code, at(h, i)->code) == 0) {
            return true;
        }
    }
    return false;
}

static enum err_code choose_search(const struct history *h, const json_t *request, struct choice *c, struct err *e)
{
    json_int_t n = 0;
    const json_t *pattern = json_object_get(request, "pattern");
    if (pattern && !json_is_string(pattern)) {
        return err_set(e, ERR_USAGE, "history_request: 'pattern' must be a string");
    }
    enum err_code rc = integer(request, "n", HISTORY_ENTRIES_MAX, &n, e);
    if (rc != ERR_NONE) {
        return rc;
    }
    bool unique = json_is_true(json_object_get(request, "unique"));
    const char *glob = pattern ? json_string_value(pattern) : "*";
    for (size_t i = 0; i < h->n; i++) {
        if (history_glob(glob, at(h, i)->code) && !(unique && comes_again(h, i))) {
            c->at[c->n++] = i;
        }
    }
    keep_last(c, n);
    return ERR_NONE;
}

static enum err_code write_choice(const struct history *h, const struct choice *c, bool output, json_t **out,
                                  struct err *e)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < c->n; i++) {
        const struct entry *x = at(h, c->at[i]);
        json_t *item = output ? json_pack("[i,i,[s,s?]]", HISTORY_SESSION, x->count, x->code, x->output)
                              : json_pack("[i,i,s]", HISTORY_SESSION, x->count, x->code);
        if (json_array_append_new(list, item) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    *out = list;
    return list ? ERR_NONE : err_memory(e);
}

enum err_code history_answer(const struct history *h, const json_t *request, json_t **out, struct err *e)
{
    const char *kind = json_string_value(json_object_get(request, "hist_access_type"));
    struct choice c = { .at = calloc(h->n + 1, sizeof *c.at) };
    enum err_code rc = ERR_NONE;
    if (!c.at) {
        return err_memory(e);
    }
    if (kind && strcmp(kind, "tail") == 0) {
        rc = choose_tail(h, request, &c, e);
    } else if (kind && strcmp(kind, "range") == 0) {
        rc = choose_range(h, request, &c, e);
    } else if (kind && strcmp(kind, "search") == 0) {
        rc = choose_search(h, request, &c, e);
    } else {
        rc = err_set(e, ERR_USAGE, "history_request: hist_access_type must be 'tail', 'range' or 'search'");
    }
    if (rc == ERR_NONE) {
        rc = write_choice(h, &c, json_is_true(json_object_get(request, "output")), out, e);
    }
    free(c.at);
    return rc;
}
