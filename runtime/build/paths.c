/* Where this program's parts are: a build tree, an installation, or what WEIR_ROOT says.
 *
 *   build tree    ROOT/build/weir         ROOT/runtime/include/weir.h     ROOT/build/libweir.a
 *   elsewhere     B/weir                  (header by WEIR_ROOT)           B/libweir.a
 *   installed     PREFIX/bin/weir, PREFIX/libexec/weir/..., PREFIX/include/weir/weir.h, PREFIX/lib/weir/libweir.a
 */
#include "runtime/build/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

struct paths {
    bool known;
    char include[PATH_SIZE], lib[PATH_SIZE], exec[PATH_SIZE];
};

/* The folder of this executable in dir, without a trailing slash. */
static bool executable_folder(char dir[PATH_SIZE])
{
    ssize_t n = readlink("/proc/self/exe", dir, PATH_SIZE - 1);
    if (n <= 0) {
        return false;
    }
    dir[n] = '\0';
    char *slash = strrchr(dir, '/');
    if (!slash) {
        return false;
    }
    *slash = '\0';
    return true;
}

/* out = base/rest, if base/rest/file exists. */
static bool try_folder(char out[PATH_SIZE], const char *base, const char *rest, const char *file)
{
    char path[PATH_SIZE + 64], folder[PATH_SIZE];
    if (snprintf(folder, sizeof folder, "%s/%s", base, rest) >= (int)sizeof folder) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder, file); /* cannot be cut: folder fits and file is short */
    if (access(path, R_OK) != 0) {
        return false;
    }
    char *real = realpath(folder, NULL);
    if (!real) {
        return false;
    }
    bool fits = snprintf(out, PATH_SIZE, "%s", real) < PATH_SIZE;
    free(real);
    return fits;
}

static bool find_include(struct paths *p, const char *dir, const char *root)
{
    static const char *const beside[] = { "../runtime/include", "../../runtime/include",
                                          "../../../runtime/include" /* build/asan/tests */, "../include/weir",
                                          "../../include/weir" };
    if (root) {
        return try_folder(p->include, root, "runtime/include", "weir.h") ||
               try_folder(p->include, root, "include/weir", "weir.h");
    }
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        if (try_folder(p->include, dir, beside[i], "weir.h")) {
            return true;
        }
    }
    return false;
}

static void find_programs(struct paths *p, const char *dir, const char *root)
{
    static const char *const lib[] = { ".", "..", "../lib/weir", "../../lib/weir" };
    static const char *const exec[] = { ".", "..", "../libexec/weir", "../../libexec/weir" };
    bool have_lib = root && (try_folder(p->lib, root, "lib/weir", "libweir.a"));
    bool have_exec = root && (try_folder(p->exec, root, "libexec/weir", "weir-session"));
    for (size_t i = 0; i < sizeof lib / sizeof *lib; i++) {
        have_lib = have_lib || try_folder(p->lib, dir, lib[i], "libweir.a");
        have_exec = have_exec || try_folder(p->exec, dir, exec[i], "weir-session");
    }
    /* a program of its own (a test, an export) may have neither beside it; who needs a file there says what is missing
     */
    if (!have_lib) {
        (void)snprintf(p->lib, PATH_SIZE, "%s", dir);
    }
    if (!have_exec) {
        (void)snprintf(p->exec, PATH_SIZE, "%s", dir);
    }
}

enum err_code build_paths(const char **include_dir, const char **lib_dir, const char **exec_dir, struct err *e)
{
    static struct paths found; /* filled once: the strings that callers keep */
    if (!found.known) {
        char dir[PATH_SIZE];
        const char *root = getenv("WEIR_ROOT");
        if (!executable_folder(dir)) {
            return err_errno(e, "can't read /proc/self/exe");
        }
        if (!find_include(&found, dir, root && *root ? root : NULL)) {
            return err_set(e, ERR_NOT_FOUND,
                           "weir.h is not found %s '%s'; set WEIR_ROOT to the folder that has it in "
                           "runtime/include or include/weir",
                           root && *root ? "under" : "beside", root && *root ? root : dir);
        }
        find_programs(&found, dir, root && *root ? root : NULL);
        found.known = true;
    }
    if (include_dir) {
        *include_dir = found.include;
    }
    if (lib_dir) {
        *lib_dir = found.lib;
    }
    if (exec_dir) {
        *exec_dir = found.exec;
    }
    return ERR_NONE;
}
