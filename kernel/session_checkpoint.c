/* Sleeping copies of the session. See session.h. */
#include "kernel/session.h"

#include <unistd.h>

bool session_has_checkpoint(const struct session *s)
{
    (void)s;
    return false;
}

_Noreturn void session_die(struct session *s, const struct outcome *o)
{
    (void)s, (void)o;
    _exit(1);
}
