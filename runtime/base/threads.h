/* How many threads there are. */
#ifndef WEIR_BASE_THREADS_H
#define WEIR_BASE_THREADS_H

/* Threads of this process besides the first; -1: the system does not say. Async-signal-safe. */
int threads_besides_first(void);

#endif
