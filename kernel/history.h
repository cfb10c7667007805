/* What was executed, for history_request: tail, range and search. Kept in memory, for this kernel's life.
 *
 * Its session number is 1; range also takes 0 for it, as Jupyter's clients do. Bounded: the oldest entries go first. */
#ifndef WEIR_KERNEL_HISTORY_H
#define WEIR_KERNEL_HISTORY_H

#include "runtime/base/err.h"

#include <jansson.h>
#include <stdbool.h>

enum { HISTORY_SESSION = 1, HISTORY_ENTRIES_MAX = 10000, HISTORY_BYTES_MAX = 32 << 20 };

struct history;

enum err_code history_new(struct history **out, struct err *e);
void history_free(struct history *h);

/* Add a cell's text (copied) under its execution count. ERR_MEMORY. */
enum err_code history_add(struct history *h, int count, const char *code, struct err *e);

/* The newest entry's output (copied), if it has the execution count. */
void history_set_output(struct history *h, int count, const char *text);

/* The `history` array of a history_reply to this request: [session, line, input], or [session, line, [input, output]]
 * with output null where there was none. New reference. ERR_USAGE: a field missing or of the wrong type; ERR_MEMORY. */
enum err_code history_answer(const struct history *h, const json_t *request, json_t **out, struct err *e);

/* Whether text matches a pattern whole, as in SQLite's GLOB: * any run, ? one character, [a-z] and [^a-z] one of a set.
 */
bool history_glob(const char *pattern, const char *text);

#endif
