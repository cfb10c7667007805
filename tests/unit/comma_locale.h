/* A locale whose decimal point is a comma, made on the spot by localedef (package locales): few machines have one. */
#ifndef WEIR_TESTS_COMMA_LOCALE_H
#define WEIR_TESTS_COMMA_LOCALE_H

#include <locale.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static int comma_locale_run(const char *const argv[])
{
    extern char **environ;
    pid_t pid = 0;
    int status = -1;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0) {
        return -1;
    }
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* Switch to it; the calling test's asserts fail when it can't be made. Back by setlocale(LC_ALL, "C"). */
static void comma_locale(void)
{
    char dir[] = "/tmp/weir-locale-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/de_DE.utf8", dir);
    assert_int_equal(comma_locale_run((const char *[]){ "localedef", "-i", "de_DE", "-f", "UTF-8", path, NULL }), 0);
    assert_int_equal(setenv("LOCPATH", dir, 1), 0);
    const char *set = setlocale(LC_ALL, "de_DE.UTF-8");
    assert_int_equal(comma_locale_run((const char *[]){ "rm", "-rf", dir, NULL }), 0);
    assert_non_null(set);
    assert_string_equal(localeconv()->decimal_point, ",");
}

#endif
