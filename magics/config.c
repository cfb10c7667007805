/* %config: what a user may choose (magic_host.settings), as a table; one of them; and setting it. */
#include "magics/state.h"
#include "runtime/view/table.h"

#include <string.h>

static void list_settings(struct magics *m)
{
    static const char *const heads[] = { "setting", "value", "from", "default", "what it is" };
    const struct setting_store *s = &m->host.settings;
    struct table t;
    struct buf html, text;
    table_init(&t, heads, sizeof heads / sizeof *heads);
    for (const struct setting *row = s->rows; row->name; row++) {
        char value[SETTING_TEXT_MAX];
        table_cell(&t, "%s", row->name);
        table_cell(&t, "%s", setting_format(row, setting_get(s, row), value));
        table_cell(&t, "%s", setting_origin(s, row, value));
        table_cell(&t, "%s", setting_format(row, row->preset, value));
        table_cell(&t, "%s", row->help);
    }
    buf_init(&html, 0);
    buf_init(&text, 0);
    table_write(&t, &html, &text);
    show_bundle(m, html.data, text.data, NULL, false);
    buf_done(&html);
    buf_done(&text);
    table_done(&t);
}

static void say_value(struct magics *m, const struct setting *row)
{
    char value[SETTING_TEXT_MAX];
    say(m, "stdout", "%s = %s\n", row->name, setting_format(row, setting_get(&m->host.settings, row), value));
}

static void show_setting(struct magics *m, const struct setting *row)
{
    char preset[SETTING_TEXT_MAX], origin[SETTING_TEXT_MAX];
    struct buf possible;
    (void)setting_origin(&m->host.settings, row, origin);
    buf_init(&possible, 0);
    setting_possible(&possible, row);
    say_value(m, row);
    say(m, "stdout", "  %s.\n  Possible: %s.\n  Default: %s.", row->help, possible.data,
        setting_format(row, row->preset, preset));
    say(m, "stdout", *origin ? " Set by %s.\n" : "\n", origin);
    buf_done(&possible);
}

/* The name's end in "undo = 20", "undo=20" or "undo 20", and where the value begins (at the end: there is none). */
static size_t name_length(const char *text, const char **value)
{
    size_t len = strcspn(text, " \t=");
    const char *rest = text + len + strspn(text + len, " \t");
    rest += *rest == '=';
    *value = rest + strspn(rest, " \t");
    return len;
}

static enum err_code set(struct magics *m, const struct setting *row, const char *text, struct err *e)
{
    const struct setting_store *s = &m->host.settings;
    if (strcmp(text, "default") == 0) {
        setting_reset(s, row);
    } else {
        enum err_code code = setting_set(s, row->name, text, SETTING_TYPED, e);
        if (code) {
            return code;
        }
    }
    say_value(m, row);
    return ERR_NONE;
}

enum err_code magic_config(struct magics *m, const struct magic_call *call, struct err *e)
{
    struct buf words;
    const struct setting *row = NULL;
    const char *value = "";
    if (call->options.nwords == 0) {
        list_settings(m);
        return ERR_NONE;
    }
    buf_init(&words, 0);
    for (size_t i = 0; i < call->options.nwords; i++) {
        buf_printf(&words, "%s%s", i ? " " : "", call->options.words[i]);
    }
    enum err_code code = buf_check(&words, "a setting", e);
    size_t len = name_length(words.data, &value);
    const char *name = code ? NULL : arena_strndup(call->arena, words.data, len);
    if (!code && !name) {
        code = err_memory(e);
    }
    code = code ? code : setting_find(m->host.settings.rows, name, &row, e);
    if (!code && value > words.data + len) {
        code = set(m, row, value, e);
    } else if (!code) {
        show_setting(m, row);
    }
    buf_done(&words);
    return code;
}

/* ---- completion ---- */

static void offer_values(json_t *list, const char *prefix, const struct setting *row, const char *typed, size_t len)
{
    for (const char *const *c = row->choices; c && *c; c++) {
        magics_offer(list, prefix, *c, typed, len);
    }
    magics_offer(list, prefix, "default", typed, len);
}

void complete_config(struct magics *m, json_t *list, const char *before, size_t before_len, const char *typed, size_t len)
{
    const struct setting *rows = m->host.settings.rows;
    const char *start = before;
    while (start < before + before_len && (*start == ' ' || *start == '\t')) {
        start++;
    }
    const char *equals = memchr(typed, '=', len);
    const char *name = start < before + before_len ? start : typed;
    size_t name_len = strcspn(name, " \t=");
    for (const struct setting *row = rows; row->name; row++) {
        bool named = strlen(row->name) == name_len && memcmp(row->name, name, name_len) == 0;
        if (name != typed) {
            if (named && !equals) { /* undo = 2 */
                offer_values(list, "", row, typed, len);
            }
        } else if (!equals) {
            magics_offer(list, "", row->name, typed, len);
        } else if (named) { /* undo=2 */
            char prefix[SETTING_TEXT_MAX];
            (void)snprintf(prefix, sizeof prefix, "%s=", row->name);
            offer_values(list, prefix, row, equals + 1, (size_t)(typed + len - equals - 1));
        }
    }
}
