/* See settings_load.h. */
#include "kernel/settings_load.h"

#include "runtime/base/file.h"
#include "runtime/store/store.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CONFIG_MAX = 64 << 10 };

static void warn(struct buf *warnings, const char *where, const struct err *e)
{
    buf_printf(warnings, "weir: %s: %s\n", where, e->msg);
}

/* A value of config.json as one would type it. Owned: free. NULL: out of memory. */
static char *text_of(const json_t *value)
{
    if (json_is_boolean(value)) {
        return strdup(json_is_true(value) ? "on" : "off");
    }
    return json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void take_values(const struct setting_store *s, json_t *object, enum setting_origin origin, const char *path,
                        struct buf *warnings)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        struct err e;
        char *text = text_of(value);
        if (!text || setting_set(s, name, text, origin, &e) != ERR_NONE) {
            (void)(text ? ERR_NONE : err_memory(&e));
            warn(warnings, path, &e);
        }
        free(text);
    }
}

static json_t *parse(const char *text, size_t len, struct err *e)
{
    json_error_t at;
    json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &at);
    if (!object) {
        (void)err_set(e, ERR_FORMAT, "line %d: %s; nothing of this file is used", at.line, at.text);
    } else if (!json_is_object(object)) {
        (void)err_set(e, ERR_FORMAT, "a list where an object like {\"undo\": 20} is wanted; nothing of this file is used");
        json_decref(object);
        object = NULL;
    }
    return object;
}

static void load_file(const struct setting_store *s, const char *path, enum setting_origin origin, struct buf *warnings)
{
    struct stat st;
    struct err e;
    char *text = NULL;
    size_t len = 0;
    enum err_code code = ERR_NONE;
    if (stat(path, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return; /* most people have none */
        }
        code = err_errno(&e, "it can't be read");
    } else if (!S_ISREG(st.st_mode)) { /* opening a pipe would wait for its writer */
        code = err_set(&e, ERR_IO, "it is no file");
    }
    code = code ? code : file_read(path, CONFIG_MAX, &text, &len, &e);
    json_t *object = code ? NULL : parse(text, len, &e);
    if (object) {
        take_values(s, object, origin, path, warnings);
    } else {
        warn(warnings, path, &e);
    }
    json_decref(object);
    free(text);
}

/* ~/.config/weir/config.json. False: there is no home. */
static bool user_file(char *path, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int len;
    if (config && config[0] == '/') { /* the XDG specification has others ignored */
        len = snprintf(path, size, "%s/weir/config.json", config);
    } else if (home && home[0] == '/') {
        len = snprintf(path, size, "%s/.config/weir/config.json", home);
    } else {
        return false;
    }
    return len > 0 && (size_t)len < size;
}

static void load_environment(const struct setting_store *s, struct buf *warnings)
{
    for (const struct setting *row = s->rows; row->name; row++) {
        char variable[SETTING_TEXT_MAX];
        struct err e;
        const char *text = getenv(setting_variable(row, variable));
        if (text && text[0] && setting_set(s, row->name, text, SETTING_ENVIRONMENT, &e) != ERR_NONE) {
            warn(warnings, variable, &e);
        }
    }
}

struct settings settings_load(const char *folder, struct buf *warnings)
{
    struct settings settings = settings_defaults();
    struct setting_store s = settings_store(&settings);
    char path[PATH_MAX];
    char *home = NULL;
    struct err e;
    if (user_file(path, sizeof path)) {
        load_file(&s, path, SETTING_USER_FILE, warnings);
    }
    if (store_locate(folder, &home, &e) == ERR_NONE) { /* else what needs the store says so */
        int len = snprintf(path, sizeof path, "%s/config.json", home);
        if (len > 0 && (size_t)len < sizeof path) {
            load_file(&s, path, SETTING_STORE_FILE, warnings);
        }
    }
    free(home);
    load_environment(&s, warnings);
    return settings;
}
