/* How a process ended, in words. Part of both programs. */
#ifndef WEIR_KERNEL_ENDING_H
#define WEIR_KERNEL_ENDING_H

#include <stddef.h>

/* status as waitpid gives it: "was killed by signal 11 (Segmentation fault)", "ended with status 3". */
void ending_describe(int status, char *out, size_t size);

#endif
