/* Memory that the kernel, the session and the session's sleeping copies share: what must outlive a session that dies.
 *
 * The kernel makes it (a memory file, descriptor SESSION_SHARED_FD of the session) and maps it, and so does each
 * session. User code could write anywhere: whoever reads it takes nothing on trust. */
#ifndef WEIR_KERNEL_SESSION_SHARED_H
#define WEIR_KERNEL_SESSION_SHARED_H

#include "kernel/settings.h"

#include <stdint.h>

enum { SESSION_SHARED_FD = 4 };

struct session_shared {
    struct settings settings;
};

#endif
