/* See lineage.h. */
#include "runtime/flow/lineage.h"

#include <stdlib.h>

struct lineage *lineage_new(struct lineage *parent, uint32_t nvalues)
{
    struct lineage *node = calloc(1, sizeof *node + nvalues * sizeof node->values[0]);
    if (!node) {
        return NULL;
    }
    node->parent = parent ? lineage_keep(parent) : NULL;
    node->references = 1;
    node->nvalues = nvalues;
    return node;
}

struct lineage *lineage_keep(struct lineage *node)
{
    node->references++;
    return node;
}

void lineage_drop(struct arena_shared *shared, struct lineage *node)
{
    while (node && --node->references == 0) { /* not by recursion: a flow may be long */
        struct lineage *parent = node->parent;
        for (uint32_t i = 0; i < node->nvalues; i++) {
            if (!node->values[i].is_file) {
                arena_shared_free(shared, node->values[i].offset, node->values[i].size);
            }
        }
        free(node);
        node = parent;
    }
}

const struct record_value *lineage_find(const struct lineage *node, uint32_t id)
{
    for (; node; node = node->parent) {
        for (uint32_t i = 0; i < node->nvalues; i++) {
            if (node->values[i].id == id) {
                return &node->values[i];
            }
        }
    }
    return NULL;
}
