/* What a user may choose for a session: `%config` lists and sets it, the environment (WEIR_NAME) and config.json give
 * the defaults (settings_load.h). Plain numbers, since kernel and session share them in memory (session_shared.h). A new
 * setting is a member here, a row in settings.c and a row in README.md.
 *
 * Part of both programs. */
#ifndef WEIR_KERNEL_SETTINGS_H
#define WEIR_KERNEL_SETTINGS_H

#include "runtime/view/setting.h"

#include <stdint.h>

/* Checkpoints: copies of the session to go back to. */
enum setting_checkpoint {
    CHECKPOINT_AUTO, /* while a copy is sure to fit into memory */
    CHECKPOINT_ON,
    CHECKPOINT_OFF
};

enum { SETTINGS_MAX = 32 };

struct settings {
    int64_t checkpoint;        /* enum setting_checkpoint */
    int64_t undo;              /* cells that %undo can go back; 0: none */
    int64_t undo_memory;       /* bytes that copies kept for %undo may hold in all */
    int64_t output_limit;      /* bytes of text shown of one cell; the rest goes to a file */
    int64_t output_file_limit; /* bytes kept in that file; what is beyond them is lost */
    uint8_t origins[SETTINGS_MAX]; /* enum setting_origin, by row of the table */
};

/* The table, up to a row without a name. Static. */
const struct setting *settings_table(void);

/* The built-in defaults. */
struct settings settings_defaults(void);

/* *s by name. s: borrowed for the store's life. */
struct setting_store settings_store(struct settings *s);

#endif
