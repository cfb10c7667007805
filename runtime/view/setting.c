/* See setting.h. */
#include "runtime/view/setting.h"

#include "runtime/base/utf8.h"
#include "runtime/view/options.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    SHOWN_MAX = 60,       /* bytes of a text in a message */
    FRACTION_DIGITS = 6,  /* after the point: 10^6 * 1 TiB still fits into 63 bits */
    MAX_ROWS = 64
};

/* ---- sizes ---- */

struct unit {
    const char *name;
    const char *brief; /* also taken when typed; NULL: none */
    int64_t bytes;
};

/* Greatest first, the binary ones before the decimal ones. */
static const struct unit units[] = {
    { "TiB", "T", INT64_C(1) << 40 }, { "GiB", "G", INT64_C(1) << 30 }, { "MiB", "M", INT64_C(1) << 20 },
    { "KiB", "K", INT64_C(1) << 10 }, { "TB", NULL, 1000000000000 },    { "GB", NULL, 1000000000 },
    { "MB", NULL, 1000000 },          { "kB", NULL, 1000 },             { "B", "bytes", 1 },
};

enum { UNITS = sizeof units / sizeof *units };

static const struct unit *find_unit(const char *text)
{
    for (size_t i = 0; i < UNITS; i++) {
        if (strcasecmp(text, units[i].name) == 0 || (units[i].brief && strcasecmp(text, units[i].brief) == 0)) {
            return &units[i];
        }
    }
    return NULL;
}

/* "12" or "1.5" at text: its whole part, and its fraction in parts of `scale`. NULL: none; else what is behind it. (strtod
 * would read by the user's locale.) */
static const char *read_number(const char *text, int64_t *whole, int64_t *fraction, int64_t *scale)
{
    const char *p = text;
    *whole = *fraction = 0;
    *scale = 1;
    for (; isdigit((unsigned char)*p); p++) {
        if (*whole > INT64_MAX / 10 - 1) {
            return NULL;
        }
        *whole = *whole * 10 + (*p - '0');
    }
    if (p == text) {
        return NULL;
    }
    if (*p == '.') {
        const char *first = ++p;
        for (; isdigit((unsigned char)*p); p++) {
            *fraction = *fraction * 10 + (*p - '0');
            *scale *= 10;
            if (p - first >= FRACTION_DIGITS) {
                return NULL;
            }
        }
        return p > first ? p : NULL;
    }
    return p;
}

static bool read_bytes(const char *text, int64_t *out)
{
    int64_t whole, fraction, scale;
    const char *rest = read_number(text, &whole, &fraction, &scale);
    const struct unit *u = !rest ? NULL : *rest ? find_unit(rest + strspn(rest, " \t")) : &units[UNITS - 1];
    if (!u || whole > INT64_MAX / u->bytes - 1 || (u->bytes == 1 && scale > 1)) {
        return false;
    }
    *out = whole * u->bytes + fraction * u->bytes / scale;
    return true;
}

static void format_bytes(int64_t value, char out[SETTING_TEXT_MAX])
{
    for (size_t i = 0; value > 0 && i + 1 < UNITS; i++) {
        int64_t unit = units[i].bytes;
        int64_t tenth = value % unit * 10;
        if (value < unit || tenth % unit != 0) {
            continue; /* not exact with one digit after the point */
        }
        if (tenth == 0) {
            (void)snprintf(out, SETTING_TEXT_MAX, "%" PRId64 " %s", value / unit, units[i].name);
        } else {
            (void)snprintf(out, SETTING_TEXT_MAX, "%" PRId64 ".%" PRId64 " %s", value / unit, tenth / unit, units[i].name);
        }
        return;
    }
    (void)snprintf(out, SETTING_TEXT_MAX, "%" PRId64 "%s", value, value ? " B" : "");
}

/* ---- one value ---- */

/* Length of the beginning of text that a message shows: no half characters. */
static int shown_length(const char *text)
{
    size_t len = strlen(text), n = 0;
    for (size_t step; n < len && (step = utf8_sequence(text + n, len - n)) > 0 && n + step <= SHOWN_MAX;) {
        n += step;
    }
    return (int)n;
}

void setting_possible(struct buf *out, const struct setting *row)
{
    char least[SETTING_TEXT_MAX], greatest[SETTING_TEXT_MAX];
    switch (row->kind) {
    case SETTING_NUMBER:
        buf_printf(out, "a whole number from %" PRId64 " to %" PRId64, row->least, row->greatest);
        break;
    case SETTING_BYTES:
        buf_printf(out, "a size from %s to %s, such as 512K, 2M or 1.5 GiB", setting_format(row, row->least, least),
                   setting_format(row, row->greatest, greatest));
        break;
    case SETTING_CHOICE:
        for (size_t i = 0; row->choices[i]; i++) {
            buf_printf(out, "%s%s", i == 0 ? "" : row->choices[i + 1] ? ", " : " or ", row->choices[i]);
        }
        break;
    }
}

static enum err_code refuse(const struct setting *row, const char *text, struct err *e)
{
    struct buf possible;
    buf_init(&possible, 0);
    setting_possible(&possible, row);
    enum err_code code = err_set(e, ERR_USAGE, "%s can't be '%.*s': give it %s", row->name, shown_length(text), text,
                                 possible.data);
    buf_done(&possible);
    return code;
}

enum err_code setting_parse(const struct setting *row, const char *text, int64_t *out, struct err *e)
{
    int64_t value = 0, fraction, scale;
    bool good = false;
    switch (row->kind) {
    case SETTING_NUMBER: {
        const char *rest = read_number(text, &value, &fraction, &scale);
        good = rest && *rest == '\0' && scale == 1;
        break;
    }
    case SETTING_BYTES:
        good = read_bytes(text, &value);
        break;
    case SETTING_CHOICE:
        for (int64_t i = 0; !good && row->choices[i]; i++) {
            good = strcasecmp(row->choices[i], text) == 0;
            value = i;
        }
        break;
    }
    if (!good || value < row->least || value > row->greatest) {
        return refuse(row, text, e);
    }
    *out = value;
    return ERR_NONE;
}

const char *setting_format(const struct setting *row, int64_t value, char out[SETTING_TEXT_MAX])
{
    switch (row->kind) {
    case SETTING_NUMBER:
        (void)snprintf(out, SETTING_TEXT_MAX, "%" PRId64, value);
        break;
    case SETTING_BYTES:
        format_bytes(value, out);
        break;
    case SETTING_CHOICE:
        assert(value >= row->least && value <= row->greatest);
        (void)snprintf(out, SETTING_TEXT_MAX, "%s", row->choices[value]);
        break;
    }
    return out;
}

/* ---- stores ---- */

enum err_code setting_find(const struct setting *rows, const char *name, const struct setting **out, struct err *e)
{
    const char *names[MAX_ROWS];
    size_t n = 0;
    for (const struct setting *r = rows; r->name && n < MAX_ROWS; r++) {
        if (strcmp(r->name, name) == 0) {
            *out = r;
            return ERR_NONE;
        }
        names[n++] = r->name;
    }
    struct buf text;
    buf_init(&text, 0);
    buf_printf(&text, "no setting '%.*s'", shown_length(name), name);
    options_offer(&text, name, "", names, n);
    enum err_code code = err_set(e, ERR_NAME, "%s", text.data);
    buf_done(&text);
    return code;
}

int64_t setting_get(const struct setting_store *s, const struct setting *row)
{
    int64_t value;
    memcpy(&value, (const char *)s->values + row->offset, sizeof value);
    return value < row->least ? row->least : value > row->greatest ? row->greatest : value;
}

const char *setting_text(const struct setting_store *s, const char *name, char out[SETTING_TEXT_MAX])
{
    const struct setting *row = NULL;
    enum err_code code = setting_find(s->rows, name, &row, NULL);
    assert(code == ERR_NONE);
    (void)code; /* without assert */
    return setting_format(row, setting_get(s, row), out);
}

static void put(const struct setting_store *s, const struct setting *row, int64_t value, enum setting_origin origin)
{
    memcpy((char *)s->values + row->offset, &value, sizeof value);
    s->origins[row - s->rows] = (uint8_t)origin;
}

enum err_code setting_set(const struct setting_store *s, const char *name, const char *text, enum setting_origin origin,
                          struct err *e)
{
    const struct setting *row = NULL;
    int64_t value = 0;
    enum err_code code = setting_find(s->rows, name, &row, e);
    code = code ? code : setting_parse(row, text, &value, e);
    if (!code) {
        put(s, row, value, origin);
    }
    return code;
}

void setting_reset(const struct setting_store *s, const struct setting *row)
{
    put(s, row, row->preset, SETTING_BUILT_IN);
}

const char *setting_origin(const struct setting_store *s, const struct setting *row, char out[SETTING_TEXT_MAX])
{
    static const char *const texts[SETTING_ORIGINS] = { [SETTING_BUILT_IN] = "",
                                                        [SETTING_USER_FILE] = "~/.config/weir/config.json",
                                                        [SETTING_STORE_FILE] = ".weir/config.json",
                                                        [SETTING_TYPED] = "%config" };
    uint8_t origin = s->origins[row - s->rows];
    if (origin == SETTING_ENVIRONMENT) {
        return setting_variable(row, out);
    }
    (void)snprintf(out, SETTING_TEXT_MAX, "%s", texts[origin < SETTING_ORIGINS ? origin : SETTING_TYPED]);
    return out;
}

const char *setting_variable(const struct setting *row, char out[SETTING_TEXT_MAX])
{
    (void)snprintf(out, SETTING_TEXT_MAX, "WEIR_%s", row->name);
    for (char *p = out; *p; p++) {
        *p = (char)toupper((unsigned char)*p);
    }
    return out;
}
