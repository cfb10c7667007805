/* weir-zygote: the zygote as a program of its own, for flows that are shared objects. Links neither SQLite nor JSON nor a
 * compiler: what it has dirty is what every fork copies. */
#include "runtime/flow/zygote.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != ZYGOTE_ARGS) {
        (void)fprintf(stderr, "weir-zygote is started by weir\n");
        return 2;
    }
    return zygote_serve(argc, argv, NULL);
}
