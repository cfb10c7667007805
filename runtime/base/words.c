/* See words.h. Row by row; two rows back are kept for the swaps. */
#include "runtime/base/words.h"

unsigned words_distance(const char *a, size_t na, const char *b, size_t nb, bool swaps)
{
    unsigned rows[3][WORDS_MAX + 1];
    if (na > WORDS_MAX || nb > WORDS_MAX) {
        return WORDS_FAR;
    }
    for (size_t k = 0; k <= nb; k++) {
        rows[0][k] = (unsigned)k;
    }
    for (size_t i = 1; i <= na; i++) {
        unsigned *now = rows[i % 3];
        const unsigned *before = rows[(i - 1) % 3];
        now[0] = (unsigned)i;
        for (size_t k = 1; k <= nb; k++) {
            unsigned best = before[k - 1] + (a[i - 1] != b[k - 1]);
            best = before[k] + 1 < best ? before[k] + 1 : best;
            best = now[k - 1] + 1 < best ? now[k - 1] + 1 : best;
            if (swaps && i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) {
                unsigned swapped = rows[(i - 2) % 3][k - 2] + 1;
                best = swapped < best ? swapped : best;
            }
            now[k] = best;
        }
    }
    return rows[na % 3][nb];
}
