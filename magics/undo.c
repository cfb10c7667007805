/* %undo: back to the state from before the last cells. The session's older copies are the kernel's; this only says how far
 * back, or why that can't be. */
#include "magics/state.h"
#include "runtime/view/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LISTED = 64 };

/* There is nothing to go back to: why, and what to do about it. */
static void explain_none(struct magics *m, struct buf *out)
{
    const struct setting_store *s = &m->host.settings;
    char value[SETTING_TEXT_MAX];
    if (strcmp(setting_text(s, "checkpoint", value), "off") == 0) {
        buf_str(out, "nothing can be undone: checkpoints are off. %config checkpoint = on, and the cells after it can be");
    } else if (strcmp(setting_text(s, "undo", value), "0") == 0) {
        buf_str(out, "nothing can be undone: the setting undo is 0. %config undo = 10, and the cells after it can be");
    } else {
        buf_str(out, "nothing can be undone: no cell has changed the session yet, or the copy of it that this needs is gone "
                     "(see %config undo_memory)");
    }
}

static void list_cells(struct magics *m)
{
    static const char *const heads[] = { "magic", "goes back to" };
    int counts[MAX_LISTED];
    size_t n = m->host.undoable(m->host.ctx, counts, MAX_LISTED);
    struct buf html, text;
    buf_init(&html, 0);
    buf_init(&text, 0);
    if (n == 0) {
        explain_none(m, &text);
        say(m, "stdout", "%s.\n", text.data);
    } else {
        struct table t;
        table_init(&t, heads, 2);
        for (size_t i = 0; i < n && i < MAX_LISTED; i++) {
            table_cell(&t, "%%undo %zu", i + 1);
            table_cell(&t, "before cell [%d]", counts[i]);
        }
        table_write(&t, &html, &text);
        show_bundle(m, html.data, text.data, NULL, false);
        table_done(&t);
    }
    buf_done(&html);
    buf_done(&text);
}

static enum err_code too_far(struct magics *m, size_t most, struct err *e)
{
    const struct setting_store *s = &m->host.settings;
    char undo[SETTING_TEXT_MAX], memory[SETTING_TEXT_MAX];
    struct buf why;
    buf_init(&why, 0);
    if (most == 0) {
        explain_none(m, &why);
    } else {
        buf_str(&why, "only the last ");
        buf_printf(&why, most == 1 ? "cell" : "%zu cells", most);
        buf_printf(&why, " can be undone (%%undo --list); the settings undo (%s) and undo_memory (%s) say how much is kept, "
                         "see %%config", setting_text(s, "undo", undo), setting_text(s, "undo_memory", memory));
    }
    enum err_code code = err_set(e, ERR_LIMIT, "%s", why.data);
    buf_done(&why);
    return code;
}

enum err_code magic_undo(struct magics *m, const struct magic_call *call, struct err *e)
{
    const char *word = call->options.nwords ? call->options.words[0] : "1";
    if (options_get(&call->options, "list")) {
        if (call->options.nwords) {
            return err_set(e, ERR_USAGE, "%%undo --list takes no number");
        }
        list_cells(m);
        return ERR_NONE;
    }
    char *end = NULL;
    errno = 0;
    unsigned long n = strtoul(word, &end, 10);
    if (word[0] < '0' || word[0] > '9' || *end || errno || n == 0) {
        return err_set(e, ERR_USAGE, "'%s' is not a number of cells: %%undo goes back over the last one, %%undo 3 over three", word);
    }
    size_t most = m->host.undoable(m->host.ctx, NULL, 0);
    if (n > most) {
        return too_far(m, most, e);
    }
    return m->host.undo(m->host.ctx, (unsigned)n, e);
}
