/* See checkpoint.h. The checkpoint that keeps nothing. */
#include "kernel/checkpoint.h"

#include "kernel/supervisor.h"

static enum err_code nothing(void *self, struct supervisor *s, struct err *e)
{
    (void)self, (void)s, (void)e;
    return ERR_NONE;
}

static enum err_code start_afresh(void *self, struct supervisor *s, int wait_status, bool *restored, struct err *e)
{
    (void)self, (void)wait_status;
    *restored = false;
    return supervisor_respawn(s, e);
}

struct checkpoint checkpoint_none(void)
{
    return (struct checkpoint){ .before = nothing, .commit = nothing, .take_over = start_afresh };
}
