/* A header of the user's own that defines, rather than declares. */
#ifndef LOCAL_H
#define LOCAL_H
#include <stdlib.h>
typedef struct { int n; } box;
int counter = 5;
static int helper(int x) { return x + 1; }
int bump(void) { return counter += helper(1); }
extern int elsewhere;
#define BOX(v) ((box){ v })
#endif
