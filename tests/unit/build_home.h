/* Where tests of compiled code find weir.h, and a folder of their own. Tests run from the root of the tree. */
#ifndef WEIR_TESTS_BUILD_HOME_H
#define WEIR_TESTS_BUILD_HOME_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* WEIR_ROOT, unless it is set already. */
static inline bool home_root(void)
{
    char root[4096];
    return getcwd(root, sizeof root) && setenv("WEIR_ROOT", root, 0) == 0;
}

/* Remove a folder that a test made. */
static inline int home_remove(const char *dir)
{
    char command[256];
    (void)snprintf(command, sizeof command, "exec rm -rf '%s'", dir);
    FILE *p = popen(command, "r");
    return p ? pclose(p) : -1;
}

#endif
