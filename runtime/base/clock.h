/* The clock that never goes back. */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds since some moment before the process began. Async-signal-safe. */
int64_t clock_ns(void);

#endif
