/* See settings.h. */
#include "kernel/settings.h"

#include "kernel/session_shared.h"

static const char *const checkpoint_choices[] = { [CHECKPOINT_AUTO] = "auto",
                                                  [CHECKPOINT_ON] = "on",
                                                  [CHECKPOINT_OFF] = "off",
                                                  NULL };

static const struct setting table[] = {
    { .name = "checkpoint", .kind = SETTING_CHOICE, .preset = CHECKPOINT_AUTO, .greatest = CHECKPOINT_OFF,
      .choices = checkpoint_choices, .offset = offsetof(struct settings, checkpoint),
      .help = "keep a copy of the session to go back to after a crash: auto while it fits into memory" },
    { .name = "undo", .kind = SETTING_NUMBER, .preset = 10, .greatest = UNDO_MAX,
      .offset = offsetof(struct settings, undo), .help = "how many cells %undo can go back; 0: none" },
    { .name = "undo_memory", .kind = SETTING_BYTES, .preset = INT64_C(1) << 30, .greatest = INT64_C(1) << 40,
      .offset = offsetof(struct settings, undo_memory),
      .help = "memory that the copies for %undo may hold in all; the oldest go first" },
    { .name = "output_limit", .kind = SETTING_BYTES, .preset = INT64_C(2) << 20, .least = INT64_C(1) << 10,
      .greatest = INT64_C(1) << 30, .offset = offsetof(struct settings, output_limit),
      .help = "text of one cell that is shown; all of a longer one goes to a file" },
    { .name = "output_file_limit", .kind = SETTING_BYTES, .preset = INT64_C(1) << 30, .greatest = INT64_C(1) << 40,
      .offset = offsetof(struct settings, output_file_limit), .help = "size of that file; what is beyond it is lost" },
    { 0 },
};

_Static_assert(sizeof table / sizeof *table - 1 <= SETTINGS_MAX, "each row has an origin");

const struct setting *settings_table(void)
{
    return table;
}

struct settings settings_defaults(void)
{
    struct settings s = { 0 };
    struct setting_store store = settings_store(&s);
    for (const struct setting *row = table; row->name; row++) {
        setting_reset(&store, row);
    }
    return s;
}

struct setting_store settings_store(struct settings *s)
{
    return (struct setting_store){ .rows = table, .values = s, .origins = s->origins };
}
