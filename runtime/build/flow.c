/* A flow's text to a shared object, once a content.
 *
 *   build_dir/KEY.c         the text, kept to say where a crash is
 *   build_dir/KEY.tcc.so    by libtcc, in milliseconds
 *   build_dir/KEY.cc.so     by cc -O2; taken for the tcc tier too when it is there
 *
 * KEY is the sha256 of the text, the flags, the compiler and weir.h. Files appear by rename, so that two builders may
 * work at once and a killed one leaves nothing that looks whole. */
#include "runtime/build/build.h"

#include "runtime/base/file.h"
#include "runtime/base/sha256.h"
#include "runtime/base/spawn.h"
#include "runtime/build/diagnostics.h"
#include "runtime/build/flags.h"
#include "runtime/build/tcc.h"
#include "runtime/build/where.h"

#include <libtcc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FLOW_PATH = 4096 };

struct job {
    const char *text;
    size_t len;
    const char *dir;
    const char *include_dir;
    char key[SHA256_HEX];
    struct flags user; /* WEIR_CFLAGS */
};

/* ---- key ---- */

static enum err_code job_key(struct job *j, struct err *e)
{
    struct buf with;
    unsigned char digest[SHA256_BYTES];
    buf_init(&with, 0);
    buf_str(&with, "weir flow 1, libtcc 0.9.27\n");
    enum err_code code = flags_fingerprint(&with, j->include_dir, e);
    for (const char *const *f = build_cc_flags(); *f; f++) {
        buf_str(&with, *f);
        buf_char(&with, '\n');
    }
    for (size_t i = 0; i < j->user.count; i++) {
        buf_str(&with, j->user.argv[i]);
        buf_char(&with, '\n');
    }
    code = code ? code : buf_check(&with, "a build's key", e);
    struct iovec parts[2] = { { .iov_base = with.data, .iov_len = with.len } };
    memcpy(&parts[1].iov_base, &j->text, sizeof j->text); /* iovec has no const; the bytes are only read */
    parts[1].iov_len = j->len;
    code = code ? code : sha256_parts(parts, 2, digest, e);
    if (!code) {
        sha256_hex(digest, j->key);
    }
    buf_done(&with);
    return code;
}

static void job_path(const struct job *j, const char *suffix, char path[FLOW_PATH])
{
    (void)snprintf(path, FLOW_PATH, "%s/%s%s", j->dir, j->key, suffix); /* job_begin has checked that it fits */
}

/* A path that nobody else writes to, to be renamed. */
static void job_own_path(const struct job *j, const char *suffix, char path[FLOW_PATH])
{
    (void)snprintf(path, FLOW_PATH, "%s/.%s.%ld%s", j->dir, j->key, (long)getpid(), suffix);
}

static enum err_code job_begin(struct job *j, struct err *e)
{
    flags_init(&j->user);
    flags_words(&j->user, getenv("WEIR_CFLAGS"));
    if (j->user.failed) {
        return err_memory(e);
    }
    if (strlen(j->dir) + SHA256_HEX + 32 > FLOW_PATH) {
        return err_set(e, ERR_LIMIT, "the path '%.100s...' is too long", j->dir);
    }
    enum err_code code = file_mkdirs(j->dir, e);
    code = code ? code : build_paths(&j->include_dir, NULL, NULL, e);
    return code ? code : job_key(j, e);
}

static enum err_code publish(const char *from, const char *to, struct err *e)
{
    if (rename(from, to) != 0) {
        enum err_code code = err_errno(e, "can't rename to '%s'", to);
        (void)unlink(from); /* the rename's error is the one that counts */
        return code;
    }
    return ERR_NONE;
}

/* KEY.c, unless it is there. */
static enum err_code job_keep_text(const struct job *j, char path[FLOW_PATH], struct err *e)
{
    job_path(j, ".c", path);
    return access(path, R_OK) == 0 ? ERR_NONE : file_write_atomic(path, j->text, j->len, 0666, 0, e);
}

/* ---- the two compilers ---- */

static struct suspect job_suspect(const struct job *j)
{
    return (struct suspect){ .text = j->text, .len = j->len, .include_dir = j->include_dir, .extra = j->user.argv };
}

static enum err_code with_tcc(const struct job *j, const char *so, bool *use_cc, struct err *e)
{
    struct tcc t;
    struct buf text;
    char own[FLOW_PATH];
    *use_cc = false;
    job_own_path(j, ".tcc.so", own);
    buf_init(&text, 2 * (size_t)BUF_DEFAULT_MAX);
    enum err_code code = where_anchored(&text, j->text, j->len, e);
    code = code ? code : tcc_begin(&t, TCC_OUTPUT_DLL, "-Wl,-Bsymbolic", j->include_dir, e);
    if (code) {
        buf_done(&text);
        return code;
    }
    tcc_options(&t, &j->user);
    bool fine = tcc_compile(&t, text.data);
    if (!fine) {
        bool accepted;
        const struct suspect suspect = job_suspect(j);
        code = diagnose_refused(t.first.data, &suspect, &accepted, e);
        *use_cc = accepted && t.refused;
        fine = accepted && !t.refused;
    }
    if (fine) {
        t.first.len = 0;
        if (tcc_add_library(t.state, "m") != 0 || tcc_output_file(t.state, own) != 0) {
            *use_cc = true; /* its linker knows less than ld */
            (void)unlink(own);
        } else {
            code = publish(own, so, e);
        }
    }
    tcc_done(&t);
    buf_done(&text);
    return code;
}

static enum err_code cc_failed(const struct job *j, const struct buf *output, struct err *e)
{
    const struct suspect suspect = job_suspect(j);
    enum diagnosis d = diagnose(&suspect, e);
    if (d == DIAGNOSIS_ERRORS) {
        return ERR_COMPILE;
    }
    return err_set(e, ERR_COMPILE, "%s failed: %s", flags_compiler(), output->len ? output->data : "(it said nothing)");
}

static enum err_code with_cc(const struct job *j, const char *source, const char *so, struct err *e)
{
    struct flags f;
    struct buf output;
    char own[FLOW_PATH];
    int status = 0;
    job_own_path(j, ".cc.so", own);
    buf_init(&output, 1 << 20);
    flags_init(&f);
    const char *const head[] = {
        flags_compiler(), "-O2", "-gdwarf-4",    "-shared", "-fPIC", "-fdiagnostics-plain-output",
        "-Wl,-Bsymbolic", "-I",  j->include_dir, "-iquote", ".",     "-o",      own,     NULL
    };
    flags_adds(&f, head);
    flags_adds(&f, flags_strict());
    flags_adds(&f, build_cc_flags());
    flags_add(&f, source);
    flags_adds(&f, j->user.argv); /* behind the source: libraries count only there */
    flags_add(&f, "-lm");
    enum err_code code = flags_ok(&f) ? spawn_capture(f.argv, &output, &status, e) : err_memory(e);
    if (!code && status != 0) {
        (void)unlink(own);
        code = cc_failed(j, &output, e);
    }
    code = code ? code : publish(own, so, e);
    flags_done(&f);
    buf_done(&output);
    return code;
}

/* ---- the whole ---- */

/* Whether the text includes files besides weir.h by `#include "..."`: what they say is not in the key. */
static bool includes_own(const struct job *j)
{
    static const char word[] = "#include \"";
    const char *end = j->text + j->len;
    for (const char *p = j->text; (p = memmem(p, (size_t)(end - p), word, sizeof word - 1)); p += sizeof word - 1) {
        bool line = p == j->text || p[-1] == '\n';
        if (line && strncmp(p + sizeof word - 1, "weir.h\"", 7) != 0) {
            return true;
        }
    }
    return false;
}

static bool is_built(const struct job *j, const char *so)
{
    return access(so, R_OK) == 0 && !includes_own(j);
}

static enum err_code job_run(const struct job *j, enum build_tier tier, char so[FLOW_PATH], enum build_tier *used,
                             struct err *e)
{
    char source[FLOW_PATH];
    bool use_cc = tier == BUILD_CC;
    job_path(j, ".cc.so", so);
    *used = BUILD_CC;
    if (is_built(j, so)) {
        return ERR_NONE;
    }
    if (tier == BUILD_TCC) {
        job_path(j, ".tcc.so", so);
        *used = BUILD_TCC;
        if (is_built(j, so)) {
            return ERR_NONE;
        }
    }
    enum err_code code = job_keep_text(j, source, e);
    if (!code && tier == BUILD_TCC) {
        code = with_tcc(j, so, &use_cc, e);
    }
    if (!code && use_cc) {
        job_path(j, ".cc.so", so);
        *used = BUILD_CC;
        code = with_cc(j, source, so, e);
    }
    return code;
}

enum err_code build_flow(const char *text, size_t len, const char *build_dir, enum build_tier tier, char **so_path,
                         enum build_tier *used, struct err *e)
{
    struct job j = { .text = text, .len = len, .dir = build_dir };
    char so[FLOW_PATH];
    enum build_tier taken = tier;
    enum err_code code = job_begin(&j, e);
    code = code ? code : job_run(&j, tier, so, &taken, e);
    flags_done(&j.user);
    if (code) {
        return code;
    }
    char *path = strdup(so);
    if (!path) {
        return err_memory(e);
    }
    *so_path = path;
    if (used) {
        *used = taken;
    }
    return ERR_NONE;
}

enum err_code build_check(const char *text, size_t len, struct err *e)
{
    const char *include_dir;
    struct tcc t;
    struct buf copy;
    struct flags user;
    bool accepted;
    enum err_code code = build_paths(&include_dir, NULL, NULL, e);
    if (code) {
        return code;
    }
    flags_init(&user);
    flags_words(&user, getenv("WEIR_CFLAGS"));
    buf_init(&copy, 2 * (size_t)BUF_DEFAULT_MAX);
    code = where_anchored(&copy, text, len, e);
    code = code ? code : tcc_begin(&t, TCC_OUTPUT_OBJ, NULL, include_dir, e);
    if (!code) {
        tcc_options(&t, &user);
        if (!tcc_compile(&t, copy.data)) {
            const struct suspect suspect = { .text = text, .len = len, .include_dir = include_dir, .extra = user.argv };
            code = diagnose_refused(t.first.data, &suspect, &accepted, e);
        }
        tcc_done(&t);
    }
    buf_done(&copy);
    flags_done(&user);
    return code;
}
