/* Any text as a cell: tokens stay inside the text, items cover it in order, and is_complete answers. */
#include "runtime/lang/items.h"

#include <stdlib.h>
#include <string.h>

static bool no_typedef(void *ctx, const char *name, size_t len)
{
    (void)ctx;
    return len > 2 && memcmp(name + len - 2, "_t", 2) == 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
    char *text = malloc(len + 1);
    struct tokens t;
    if (!text) {
        return 0;
    }
    memcpy(text, data, len);
    text[len] = 0;
    if (lex(text, len, &t, NULL) == ERR_NONE) {
        for (size_t i = 0; i < t.count; i++) {
            if (t.at[i].start + (size_t)t.at[i].len > len || (i > 0 && t.at[i].start < t.at[i - 1].start + t.at[i - 1].len)) {
                abort();
            }
        }
        struct arena a;
        struct items items;
        arena_init(&a);
        if (items_split(&t, no_typedef, NULL, &a, &items, NULL) == ERR_NONE) {
            for (size_t i = 0; i < items.count; i++) {
                if (items.at[i].end > t.count || items.at[i].first >= items.at[i].end ||
                    (i > 0 && items.at[i].first < items.at[i - 1].end)) {
                    abort();
                }
            }
        }
        arena_done(&a);
        tokens_done(&t);
        char indent[16];
        (void)items_complete(text, indent, sizeof indent); /* only that it answers */
    }
    free(text);
    return 0;
}
