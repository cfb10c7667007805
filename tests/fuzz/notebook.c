/* Any bytes as a saved notebook, and any text as a step's first line. */
#include "runtime/lang/notebook.h"
#include "runtime/lang/stepline.h"

#include <stdlib.h>
#include <string.h>

static void stepline(const char *text, size_t len)
{
    struct arena a;
    struct stepline line;
    arena_init(&a);
    if (stepline_parse(text, len, &a, &line, NULL) == ERR_NONE && line.body > len) {
        abort();
    }
    arena_done(&a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
    struct notebook nb;
    if (notebook_parse("fuzz", (const char *)data, len, &nb, NULL) == ERR_NONE) {
        for (size_t i = 0; i < nb.ncells; i++) {
            if (strlen(nb.cells[i].text) != nb.cells[i].len) {
                abort();
            }
            stepline(nb.cells[i].text, nb.cells[i].len);
        }
    }
    notebook_done(&nb);
    stepline((const char *)data, len);
    return 0;
}
