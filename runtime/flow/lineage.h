/* What a task leaves to those after it: a node with its own values, and its parent for all others.
 *
 * A step that does not declare a name thereby forwards it: no copy, no hash, no row. Nodes are counted references; a
 * value's bytes in the shared memory go with the last one. Only the runner has them; one thread. */
#ifndef WEIR_FLOW_LINEAGE_H
#define WEIR_FLOW_LINEAGE_H

#include "runtime/flow/record.h"

struct lineage {
    struct lineage *parent;         /* owned reference; NULL: the beginning */
    uint64_t references;
    uint32_t nvalues;
    struct record_value values[];   /* offsets are blocks of their own in the heap, of the value's size */
};

/* A node with room for nvalues values (zeroed, to be filled in), with one reference for the caller. parent: takes a
 * reference of its own; may be NULL. NULL: out of memory. */
struct lineage *lineage_new(struct lineage *parent, uint32_t nvalues);

struct lineage *lineage_keep(struct lineage *node);                         /* one more reference; returns node */
void lineage_drop(struct arena_shared *shared, struct lineage *node);       /* NULL is fine */

/* The value of artifact id at this point; NULL: none was made. Borrowed as long as node is. */
const struct record_value *lineage_find(const struct lineage *node, uint32_t id);

#endif
