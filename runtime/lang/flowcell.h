/* A %%flow or %%step cell, read: see struct flowcell in model.h. */
#ifndef WEIR_LANG_FLOWCELL_H
#define WEIR_LANG_FLOWCELL_H

#include "runtime/lang/model.h"

/* Owned: flowcell_free (takes NULL). ERR_SYNTAX: its first line; ERR_LIMIT. `flow` is set by the registry. */
enum err_code flowcell_new(const struct cell *cell, struct flowcell **out, struct err *e);
void flowcell_free(struct flowcell *c);

/* Its #include lines alone, as text in the cell's arena ("" : none). NULL: out of memory. */
const char *flowcell_includes(struct flowcell *c);

#endif
