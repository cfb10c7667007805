/* What the settings are when a kernel starts. Later ones win:
 *
 *   built-in  <  ~/.config/weir/config.json  <  .weir/config.json  <  WEIR_NAME in the environment
 *
 * (XDG_CONFIG_HOME takes the place of ~/.config; .weir is the notebook's store.) A config.json is one object:
 * {"undo": 20, "output_limit": "4 MiB", "checkpoint": "off"}. */
#ifndef WEIR_KERNEL_SETTINGS_LOAD_H
#define WEIR_KERNEL_SETTINGS_LOAD_H

#include "kernel/settings.h"

/* folder: the notebook's. What is wrong with a file or a value is appended to warnings, a line each, for the user; the rest
 * holds. */
struct settings settings_load(const char *folder, struct buf *warnings);

#endif
