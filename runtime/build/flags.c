/* See flags.h. */
#include "runtime/build/flags.h"

#include "runtime/build/build.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum err_code build_tier_pick(const char *given, enum build_tier *tier, struct err *e)
{
    const char *name = given ? given : getenv("WEIR_TIER");
    name = name && *name ? name : "tcc";
    if (strcmp(name, "tcc") != 0 && strcmp(name, "cc") != 0) {
        return err_set(e, ERR_USAGE, "%s: '%s' is no tier: tcc or cc", given ? "--tier" : "WEIR_TIER", name);
    }
    *tier = strcmp(name, "cc") == 0 ? BUILD_CC : BUILD_TCC;
    return ERR_NONE;
}

const char *build_tier_name(enum build_tier tier)
{
    return tier == BUILD_CC ? "cc" : "tcc";
}

/* libm's inexact functions: gcc folds constants of these (and turns pow(x, 2) into x * x) to values that differ from
 * libm's in the last place, so that the two tiers would not give the same bytes. */
#define EACH(name) "-fno-builtin-" #name, "-fno-builtin-" #name "f", "-fno-builtin-" #name "l"

const char *const *build_cc_flags(void)
{
    static const char *const flags[] = {
        "-ffp-contract=off", "-fwrapv",   EACH(acos),  EACH(acosh),  EACH(asin), EACH(asinh), EACH(atan), EACH(atan2),
        EACH(atanh),         EACH(cbrt),  EACH(cos),   EACH(cosh),   EACH(erf),  EACH(erfc),  EACH(exp),  EACH(exp10),
        EACH(exp2),          EACH(expm1), EACH(gamma), EACH(hypot),  EACH(j0),   EACH(j1),    EACH(jn),   EACH(lgamma),
        EACH(log),           EACH(log10), EACH(log1p), EACH(log2),   EACH(pow),  EACH(pow10), EACH(sin),  EACH(sincos),
        EACH(sinh),          EACH(tan),   EACH(tanh),  EACH(tgamma), EACH(y0),   EACH(y1),    EACH(yn),   NULL
    };
    return flags;
}

const char *const *flags_strict(void)
{
    static const char *const flags[] = { "-std=gnu17",
                                         "-D_GNU_SOURCE",
                                         "-Werror=implicit-function-declaration",
                                         "-Werror=implicit-int",
                                         "-Werror=return-type",
                                         "-Werror=return-local-addr",
                                         NULL };
    return flags;
}

void flags_init(struct flags *f)
{
    *f = (struct flags){ .argv = NULL };
    arena_init(&f->arena);
}

void flags_done(struct flags *f)
{
    free(f->argv);
    arena_done(&f->arena);
}

void flags_add(struct flags *f, const char *arg)
{
    if (f->count + 2 > f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 128;
        const char **grown = realloc(f->argv, cap * sizeof *grown);
        if (!grown) {
            f->failed = true;
            return;
        }
        f->argv = grown;
        f->cap = cap;
    }
    f->argv[f->count++] = arg;
    f->argv[f->count] = NULL;
}

void flags_adds(struct flags *f, const char *const *args)
{
    for (; args && *args; args++) {
        flags_add(f, *args);
    }
}

void flags_words(struct flags *f, const char *text)
{
    while (text && *text) {
        text += strspn(text, " \t\n");
        size_t len = *text == '"' || *text == '\'' ? 0 : strcspn(text, " \t\n");
        if (len == 0 && *text) {
            char quote = *text++;
            len = strcspn(text, quote == '"' ? "\"" : "'");
        }
        if (len > 0) {
            char *word = arena_strndup(&f->arena, text, len);
            f->failed = f->failed || !word;
            flags_add(f, word);
        }
        text += len;
        text += *text == '"' || *text == '\'';
    }
}

bool flags_ok(const struct flags *f)
{
    return !f->failed && f->argv;
}

const char *flags_compiler(void)
{
    const char *named = getenv("WEIR_CC");
    return named && *named ? named : "cc";
}

/* The program's file: itself if it has a slash, else found in PATH. */
static bool program_stat(const char *name, struct stat *st)
{
    if (strchr(name, '/')) {
        return stat(name, st) == 0;
    }
    const char *path = getenv("PATH");
    for (const char *s = path ? path : "/usr/bin:/bin"; *s;) {
        size_t len = strcspn(s, ":");
        char file[4096];
        if (len + strlen(name) + 2 < sizeof file) {
            memcpy(file, s, len);
            file[len] = '/';
            memcpy(file + len + 1, name, strlen(name) + 1);
            if (stat(file, st) == 0) {
                return true;
            }
        }
        s += len + (s[len] == ':');
    }
    return false;
}

static void add_stat(struct buf *out, const char *what, const struct stat *st)
{
    buf_printf(out, "%s %lld %lld.%09ld\n", what, (long long)st->st_size, (long long)st->st_mtim.tv_sec,
               st->st_mtim.tv_nsec);
}

enum err_code flags_fingerprint(struct buf *out, const char *include_dir, struct err *e)
{
    struct stat st;
    char header[4200];
    size_t len = strlen(include_dir);
    if (!program_stat(flags_compiler(), &st)) {
        buf_str(out, "no cc\n"); /* tcc alone serves as long as it can */
    } else {
        add_stat(out, flags_compiler(), &st);
    }
    if (len + sizeof "/weir.h" > sizeof header) {
        return err_set(e, ERR_LIMIT, "the path of weir.h is too long");
    }
    memcpy(header, include_dir, len);
    memcpy(header + len, "/weir.h", sizeof "/weir.h");
    if (stat(header, &st) != 0) {
        return err_errno(e, "can't look at '%s'", header);
    }
    add_stat(out, "weir.h", &st);
    return ERR_NONE;
}
