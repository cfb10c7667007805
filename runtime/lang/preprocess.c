/* tcc's preprocessor, run in a child process: it writes to stdout, keeps global state, and may exit. The child's stdout is a
 * memory file, which the parent reads once the child is gone. See run_preprocessor in index_internal.h. */
#include "runtime/build/build.h"
#include "runtime/lang/index_internal.h"

#include <libtcc.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_complaint(void *opaque, const char *message)
{
    const int *fd = opaque;
    size_t len = strlen(message);
    ssize_t n = write(*fd, message, len);
    if (n == (ssize_t)len) {
        n = write(*fd, "\n", 1);
    }
    (void)n; /* a lost complaint leaves the exit status */
}

/* In the child. Never returns. */
static void child(const char *text, enum preprocess want, int out, int complaints)
{
    TCCState *s = tcc_new();
    if (!s || dup2(out, STDOUT_FILENO) < 0) {
        _exit(2);
    }
    tcc_set_error_func(s, &complaints, write_complaint);
    tcc_set_output_type(s, TCC_OUTPUT_PREPROCESS);
    if (want != PREPROCESS_TEXT) {
        tcc_set_options(s, "-dD");
    }
    tcc_define_symbol(s, "_GNU_SOURCE", "1");
    const char *include_dir = NULL;
    const char *lib_dir = NULL;
    const char *exec_dir = NULL;
    if (strstr(text, "weir.h") && !build_paths(&include_dir, &lib_dir, &exec_dir, NULL)) {
        tcc_add_include_path(s, include_dir);
    }
    int status = tcc_compile_string(s, text) != 0;
    (void)fflush(stdout); /* what is missing shows as a text that does not parse */
    _exit(status);
}

static enum err_code read_all(int fd, struct buf *out, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return err_errno(e, "preprocessor output");
    }
    char *space = st.st_size ? buf_space(out, (size_t)st.st_size) : NULL;
    for (off_t at = 0; space && at < st.st_size;) {
        ssize_t n = pread(fd, space + at, (size_t)(st.st_size - at), at);
        if (n <= 0) {
            return err_errno(e, "preprocessor output");
        }
        at += n;
    }
    return buf_check(out, "preprocessor output", e);
}

static enum err_code wait_for(pid_t pid, int *status, struct err *e)
{
    while (waitpid(pid, status, 0) < 0) {
        if (errno != EINTR) {
            return err_errno(e, "preprocessor");
        }
    }
    return ERR_NONE;
}

static enum err_code run_child(const char *text, enum preprocess want, int out, int complaints, int *status, struct err *e)
{
    (void)fflush(stdout); /* else the child would write what is buffered here */
    pid_t pid = fork();
    if (pid < 0) {
        return err_errno(e, "fork of the preprocessor");
    }
    if (pid == 0) {
        child(text, want, out, complaints);
    }
    return wait_for(pid, status, e);
}

enum err_code run_preprocessor(const char *text, size_t len, enum preprocess want, struct buf *out, struct buf *complaint, struct err *e)
{
    int output = memfd_create("weir-preprocess", MFD_CLOEXEC);
    int errors = memfd_create("weir-complaints", MFD_CLOEXEC);
    char *copy = strndup(text, len);
    int status = 0;
    enum err_code code = ERR_NONE;
    if (!copy) {
        code = err_memory(e);
    } else if (output < 0 || errors < 0) {
        code = err_errno(e, "memory file for the preprocessor");
    }
    code = code ? code : run_child(copy, want, output, errors, &status, e);
    code = code ? code : read_all(output, out, e);
    code = code ? code : read_all(errors, complaint, e);
    if (!code && status != 0 && complaint->len == 0) {
        buf_str(complaint, WIFSIGNALED(status) ? "the preprocessor crashed" : "the preprocessor failed");
    }
    if (!code && status == 0) {
        buf_clear(complaint); /* warnings */
    }
    free(copy);
    if (output >= 0) {
        close(output);
    }
    if (errors >= 0) {
        close(errors);
    }
    return code;
}
