/* See tcc.h. */
#include "runtime/build/tcc.h"

#include "runtime/build/flags.h"
#include "runtime/build/tcc_memory.h"

#include <libtcc.h>
#include <string.h>

/* Warnings of tcc for what C forbids. */
static bool is_doubtful(const char *message)
{
    static const char *const serious[] = { "implicit declaration", "read-only",
                                           "void function",        "function returning void",
                                           "return' with a value", "incompatible types for redefinition" };
    for (size_t i = 0; i < sizeof serious / sizeof *serious; i++) {
        if (strstr(message, serious[i])) {
            return true;
        }
    }
    return false;
}

static void on_message(void *opaque, const char *message)
{
    struct tcc *t = opaque;
    bool warning = strstr(message, "warning: ") != NULL;
    if (warning && !is_doubtful(message)) {
        return;
    }
    if (t->first.len == 0) {
        buf_str(&t->first, message);
    }
    t->refused = t->refused || !warning;
    t->doubtful = t->doubtful || warning;
}

enum err_code tcc_begin(struct tcc *t, int output, const char *options, const char *include_dir, struct err *e)
{
    *t = (struct tcc){ .state = tcc_new() };
    buf_init(&t->first, 1 << 16);
    if (!t->state) {
        return err_memory(e);
    }
    tcc_set_error_func(t->state, t, on_message);
    tcc_set_options(t->state, "-Wimplicit-function-declaration");
    if (options) {
        tcc_set_options(t->state, options);
    }
    if (tcc_set_output_type(t->state, output) != 0 || tcc_add_include_path(t->state, include_dir) != 0) {
        return err_memory(e);
    }
    tcc_define_symbol(t->state, "_GNU_SOURCE", "1");
    return ERR_NONE;
}

void tcc_done(struct tcc *t)
{
    if (t->state) {
        tcc_delete(t->state);
        tcc_memory_reset();
    }
    buf_done(&t->first);
    *t = (struct tcc){ .state = NULL };
}

void tcc_options(struct tcc *t, const struct flags *user)
{
    for (size_t i = 0; i < user->count; i++) {
        const char *word = user->argv[i];
        if (word[0] == '-' && word[1] && strchr("IDLUl", word[1])) {
            tcc_set_options(t->state, word);
        }
    }
}

bool tcc_compile(struct tcc *t, const char *text)
{
    int failed = tcc_compile_string(t->state, text);
    return !failed && !t->refused && !t->doubtful;
}
