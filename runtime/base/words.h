/* How near two words are: for "did you mean". */
#ifndef WEIR_BASE_WORDS_H
#define WEIR_BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum { WORDS_MAX = 100, WORDS_FAR = 1000 };

/* Edits (insert, delete, replace; swaps: also exchanging neighbours) that make b of a: Levenshtein's distance, or with swaps
 * the optimal string alignment distance. WORDS_FAR if one is longer than WORDS_MAX bytes. */
unsigned words_distance(const char *a, size_t na, const char *b, size_t nb, bool swaps);

#endif
