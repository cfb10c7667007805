/* Compilers' messages in the users' terms: `cell [4] line 3: error: ...`, the line, and a caret.
 *
 * tcc stops at its first error and has no columns. A text that failed is therefore looked at again by
 * `cc -fsyntax-only`, with its #line directives taken out: cc then speaks of physical lines, which we map back
 * ourselves, and whose text we have for the caret. */
#ifndef WEIR_BUILD_DIAGNOSTICS_H
#define WEIR_BUILD_DIAGNOSTICS_H

#include "runtime/base/buf.h"
#include "runtime/build/build.h"

enum diagnosis {
    DIAGNOSIS_ERRORS, /* cc finds errors too: e holds all of them, as ERR_COMPILE */
    DIAGNOSIS_CLEAN,  /* cc accepts the text */
    DIAGNOSIS_UNKNOWN /* cc could not be asked (not installed, no temporary folder) */
};

/* What is looked at again. */
struct suspect {
    const char *text; /* the whole translation unit */
    size_t len;
    const char *include_dir;  /* of weir.h */
    const char *const *extra; /* more cc options, NULL-terminated; NULL: none */
    build_line *line;         /* the users' own lines; NULL: those of the text are shown */
    void *line_ctx;
};

enum diagnosis diagnose(const struct suspect *s, struct err *e);

/* After tcc refused (or doubted) it with the message `first`: cc's errors, or tcc's own where there is no cc; or
 * ERR_NONE with *accepted true: cc has nothing against it. */
enum err_code diagnose_refused(const char *first, const struct suspect *s, bool *accepted, struct err *e);

#endif
