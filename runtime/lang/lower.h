/* One step's cell as a C function: artifacts become locals, filled before and stored after the body, whose words and
 * names are rewritten token by token so that everything else keeps its place (readable GNU C99 for tcc, gcc and clang).
 *
 *     static void step_train(struct weir_task *weir__t)
 *     {
 *         const double rate = ...;                      what comes in
 *         result r = {0};                               what the step makes
 *         {
 *     #line 2 "cell [4]"
 *             r = (result){ .rate = rate };             the body
 *         }
 *         weir_put(...);                                what goes out
 *     }
 */
#ifndef WEIR_LANG_LOWER_H
#define WEIR_LANG_LOWER_H

#include "runtime/base/buf.h"
#include "runtime/lang/resolve.h"

struct lower_prefixes {
    const char *id;      /* of the enumerators that name artifacts: "A_" */
    const char *step;    /* of functions: "step_" */
};

/* Append the function to out. inits: functions to call first, NULL-terminated. `file` is the name for #line of what is
 * ours. */
enum err_code lower_step(const struct model *m, unsigned step, const struct resolved *res,
                         const struct lower_prefixes *names,
                         const char *const *inits, const char *file, struct arena *a, struct buf *out,
                         struct err *e);

/* The function that puts the parameters. */
enum err_code lower_parameters(const struct model *m, const struct lower_prefixes *names,
                         const char *const *inits, const char *file,
                               struct arena *a, struct buf *out, struct err *e);

/* The enumerator of a name. */
void lower_id(const struct model *m, const struct lower_prefixes *names, unsigned name, struct buf *out);

/* `#line` with the number of the line after it in out. */
void lower_own_line(const char *file, struct buf *out);

/* Which artifact ids a step gets and puts, ascending; lists in the arena. */
struct lower_ids { unsigned *reads, nreads, *writes, nwrites; };
enum err_code lower_ids(const struct model *m, unsigned step, const struct resolved *res, struct arena *a,
                        struct lower_ids *out, struct err *e);

#endif
