/* See clock.h. */
#include "runtime/base/clock.h"

#include <time.h>

int64_t clock_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock */
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
