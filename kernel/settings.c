/* See settings.h. */
#include "kernel/settings.h"

struct settings settings_defaults(void)
{
    return (struct settings){ .checkpoint = CHECKPOINT_AUTO,
                              .undo = 10,
                              .undo_memory = INT64_C(1) << 30,
                              .output_limit = INT64_C(2) << 20,
                              .output_file_limit = INT64_C(1) << 30 };
}
