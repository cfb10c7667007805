/* What finished runs left, as values in later cells: `winner`, `data`, `Grid.train.at[i].r`.
 *
 *   a cell names `winner` --> hidden cell: result winner; ... --> session --> weir_value() --> the run's store
 *
 * Only runs of this session are offered, only the last finished one of each flow, and never under a name that the user has
 * declared since. A name costs nothing until a cell uses it. */
#ifndef WEIR_MAGICS_VALUES_H
#define WEIR_MAGICS_VALUES_H

#include "magics/magics.h"

struct values;

enum err_code values_new(struct magics *m, struct values **out, struct err *e);
void values_free(struct values *v); /* takes NULL */

/* A run has finished well: its artifacts take the place of the flow's earlier run. cell: the number of the cell that ran it.
 * Strings are copied. */
enum err_code values_set(struct values *v, const char *flow, const char *run, const char *store, int cell, struct err *e);

/* The newest run of this session, also a failed one; false: none yet. Borrowed until the next run. */
bool values_last(const struct values *v, const char **run, const char **store);
enum err_code values_note_run(struct values *v, const char *run, const char *store, struct err *e);

/* See magics_provide. */
enum err_code values_provide(struct values *v, const char *text, size_t len, struct err *e);

#endif
