/* The line table of an object that tcc made with -g. */
#ifndef WEIR_BUILD_STABS_H
#define WEIR_BUILD_STABS_H

#include "runtime/build/build.h"

/* Where an address of the object's code (its bytes) is. False: not in a cell's text, or no sound object. */
bool stabs_where(const char *object, size_t len, uint64_t address, struct build_where *out);

#endif
