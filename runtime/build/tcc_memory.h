/* The memory that libtcc works in: a region of its own, that forked copies of this process do not get.
 *
 * A fork makes every page that is written to afterwards a fault and a copy. A compilation writes to some 100 pages that mean
 * nothing once it is over: in this region they stay ours alone (MADV_WIPEONFORK: a child finds zeros there), and each
 * compilation uses the same ones again. The Makefile links a libtcc whose malloc, calloc, realloc and free are these.
 *
 * One compilation at a time, on one thread, as libtcc itself. A child that was forked during one can't go on with it. */
#ifndef WEIR_BUILD_TCC_MEMORY_H
#define WEIR_BUILD_TCC_MEMORY_H

#include <stddef.h>

void *tcc_memory_malloc(size_t size);
void *tcc_memory_calloc(size_t count, size_t size);
void *tcc_memory_realloc(void *p, size_t size);
void tcc_memory_free(void *p);

/* The compilation is over, its state deleted: all that it took is free again. */
void tcc_memory_reset(void);

#endif
