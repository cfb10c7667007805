/* See spawn.h. posix_spawn is vfork-like: its cost does not grow with the memory of the session. */
#include "runtime/base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* A copy of the environment (pointers borrowed) with LC_ALL=C, so that messages are plain ASCII. */
static char **environment_c(void)
{
    size_t n = 0;
    while (environ[n]) {
        n++;
    }
    char **copy = calloc(n + 2, sizeof *copy);
    if (!copy) {
        return NULL;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (strncmp(environ[i], "LC_ALL=", 7) != 0 && strncmp(environ[i], "LANGUAGE=", 9) != 0) {
            copy[kept++] = environ[i];
        }
    }
    static char locale[] = "LC_ALL=C";
    copy[kept] = locale;
    return copy;
}

static int spawn_child(const char *const *argv, int output, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t all, none;
    char **env = environment_c();
    if (!env) {
        return ENOMEM;
    }
    (void)posix_spawn_file_actions_init(&files); /* these only fill structures; what fails shows in posix_spawnp */
    (void)posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    (void)posix_spawn_file_actions_addclosefrom_np(&files, 3);
    (void)posix_spawnattr_init(&attr);
    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    (void)posix_spawnattr_setsigdefault(&attr, &all);
    (void)posix_spawnattr_setsigmask(&attr, &none);
    (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    /* posix_spawnp wants char *const *, and leaves the strings alone */
    char *const *args;
    memcpy(&args, &argv, sizeof args);
    int failed = posix_spawnp(pid, argv[0], &files, &attr, args, env);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    free(env);
    return failed;
}

static void read_all(int fd, struct buf *out)
{
    char chunk[16384];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        size_t room = out->max > out->len ? out->max - out->len : 0;
        buf_add(out, chunk, (size_t)n < room ? (size_t)n : room);
    }
}

enum err_code spawn_capture(const char *const *argv, struct buf *out, int *status, struct err *e)
{
    int pipe_fds[2];
    pid_t pid = 0;
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return err_errno(e, "can't make a pipe for '%s'", argv[0]);
    }
    int failed = spawn_child(argv, pipe_fds[1], &pid);
    (void)close(pipe_fds[1]);
    if (failed) {
        (void)close(pipe_fds[0]);
        errno = failed;
        if (failed == ENOENT) {
            return err_set(e, ERR_NOT_FOUND, "the program '%s' is not installed", argv[0]);
        }
        return err_errno(e, "can't start '%s'", argv[0]);
    }
    read_all(pipe_fds[0], out);
    (void)close(pipe_fds[0]);
    pid_t waited;
    do {
        waited = waitpid(pid, status, 0);
    } while (waited < 0 && errno == EINTR);
    if (waited < 0) {
        return err_errno(e, "lost track of '%s'", argv[0]);
    }
    if (WIFSIGNALED(*status) && (WTERMSIG(*status) == SIGINT || WTERMSIG(*status) == SIGTERM)) {
        return err_set(e, ERR_INTERRUPTED, "'%s' was interrupted", argv[0]);
    }
    return buf_check(out, "a tool's output", e);
}
