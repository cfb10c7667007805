/* See session.h: one request after the other, each answered by `done` or `reply`. */
#include "kernel/session.h"

#include "kernel/session_protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- saying ---- */

void session_say(struct session *s, json_t *message)
{
    struct err e;
    if (!message) {
        return; /* out of memory: the message is lost, the session stays */
    }
    (void)fflush(stdout); /* what was printed comes first; a closed stdout is the user's */
    if (session_send(s->fd, message, &e) == ERR_IO) {
        _exit(0); /* the kernel is gone: nobody is left to tell */
    }
    json_decref(message);
}

void session_say_stream(struct session *s, const char *stream, const char *text, size_t len)
{
    json_t *string = json_stringn(text, len);
    session_say(s, json_pack("{s:s, s:s, s:o}", "op", "stream", "name", stream, "text",
                             string ? string : json_string("(a text that is not UTF-8)\n")));
}

void session_say_failure(struct session *s)
{
    struct failure *f = &s->failure;
    session_say(s, json_pack("{s:s, s:s, s:s, s:O}", "op", "error", "ename", f->ename, "evalue", f->evalue, "traceback",
                             f->traceback));
    session_failure_done(f);
}

static void say_value(struct session *s)
{
    json_t *value = s->value;
    s->value = NULL;
    if (s->silent) {
        json_decref(value);
        return;
    }
    session_say(s, json_pack("{s:s, s:o, s:b}", "op", "result", "data", value, "last", (int)s->value_is_last));
}

/* ---- one plain cell ---- */

static enum err_code link_unit(struct session *s, const struct cell_unit *u, const char *label, void **entry,
                               struct err *e)
{
    struct build_symbol *defined = calloc(u->nnames + 1, sizeof *defined);
    if (!defined) {
        return err_memory(e);
    }
    for (size_t i = 0; i < u->nnames; i++) {
        defined[i] = (struct build_symbol){ .name = u->names[i].name,
                                            .function = u->names[i].kind == DECL_FUNCTION,
                                            .keeps_storage = u->names[i].keeps_storage,
                                            .other_type = u->names[i].other_type,
                                            .declared = u->names[i].declared };
    }
    enum err_code code =
        build_cells_add(s->cells, label, u->text, u->len, u->entry, u->needs_cc, defined, u->nnames, entry, e);
    free(defined);
    return code;
}

/* A program's main ended, by returning or by exit: its status is the value, if it is not 0. */
static void main_ended(struct session *s, int status)
{
    if (status != 0) {
        json_decref(s->value);
        s->value = json_pack("{s:o}", "text/plain", json_sprintf("main ended with status %d", status));
    }
}

static enum err_code run_unit(struct session *s, const struct cell_unit *u, const char *label, void *address,
                              struct err *e)
{
    struct outcome o;
    void (*entry)(void) = NULL;
    if (address) {
        memcpy(&entry, &address, sizeof entry);
    }
    session_remember_entry(s, label, u->entry);
    session_leave_code(s, label);
    session_forget_exit_handlers();
    s->program = u->has_main;
    session_run(s, entry, &o);
    session_input_end();
    s->program = false;
    if (u->has_main) {
        session_stdio_restore();
    }
    if (o.ending == END_EXIT && u->has_main) {
        main_ended(s, o.status);
    } else if (o.ending != END_RETURN) {
        json_decref(s->value);
        s->value = NULL;
        session_explain(s, &o, &s->failure);
        session_explain_kept(&s->failure);
        return err_set(e, ERR_TASK, "%s: %s", s->failure.ename, s->failure.evalue);
    } else if (u->has_main) {
        session_run(s, session_exit_handlers, &o); /* what it registered by atexit */
        session_input_end();
    }
    if (s->value && !s->quiet_value) {
        say_value(s);
    }
    return ERR_NONE;
}

static void say_notes(struct session *s, const struct cell_unit *u)
{
    for (size_t i = 0; i < u->nnotes && !s->silent; i++) {
        session_say_stream(s, "stderr", "note: ", 6);
        session_say_stream(s, "stderr", u->notes[i], strlen(u->notes[i]));
        session_say_stream(s, "stderr", "\n", 1);
    }
}

enum err_code session_cell(struct session *s, const struct cell *cell, const char *label, struct err *e)
{
    struct cell_unit u;
    void *entry = NULL;
    enum err_code code = magics_provide(s->magics, cell->text, cell->len, e); /* what it names of finished runs */
    if (code) {
        return code;
    }
    code = cell_lower(s->index, cell, &u, e);
    code = code ? code : link_unit(s, &u, label, &entry, e);
    if (code) {
        index_rollback(s->index);
    } else {
        s->changed = true;
        index_commit(s->index);
        say_notes(s, &u);
        code = run_unit(s, &u, label, entry, e);
        build_cells_ran(s->cells);
    }
    cell_unit_done(&u);
    return code;
}

/* ---- execute ---- */

/* Names to results of their expressions, each evaluated as a cell of its own. New reference. */
static json_t *evaluate(struct session *s, json_t *expressions)
{
    const char *name;
    json_t *expression, *results = json_object();
    s->quiet_value = true;
    json_object_foreach(expressions, name, expression)
    {
        const char *text = json_string_value(expression);
        struct cell cell = { .number = s->count, .text = text ? text : "", .len = text ? strlen(text) : 0 };
        struct err e;
        json_t *result;
        if (session_cell(s, &cell, "user expression", &e) == ERR_NONE) {
            json_t *data = s->value ? s->value : json_object();
            s->value = NULL;
            result = json_pack("{s:s, s:o, s:{}}", "status", "ok", "data", data, "metadata");
        } else {
            if (e.code != ERR_TASK || !s->failure.ename) {
                session_failure_of(&e, &s->failure);
            }
            result = json_pack("{s:s, s:s, s:s, s:O}", "status", "error", "ename", s->failure.ename, "evalue",
                               s->failure.evalue, "traceback", s->failure.traceback);
            session_failure_done(&s->failure);
        }
        (void)json_object_set_new(results, name, result); /* out of memory: one result less */
    }
    s->quiet_value = false;
    return results;
}

static void execute_cell(struct session *s, const struct cell *cell, const char *label, struct err *e)
{
    bool magic = magics_is(cell->text);
    s->changed = magic && magics_change(cell->text);
    e->code = ERR_NONE;
    enum err_code code = magic ? magics_run(s->magics, cell, e) : session_cell(s, cell, label, e);
    e->code = code;
    if (!code && !magic) {
        flows_forget(s->flows, cell->id); /* it may have been a step the last time it ran */
        magics_settle(s->magics);
    }
}

enum err_code session_rerun(struct session *s, int number, struct err *e)
{
    const char *own_id = s->cell_id;
    int own_count = s->count;
    char label[64];
    cell_label(number, label, sizeof label);
    const struct shown_cell *shown = session_shown(s, label);
    if (!shown || !shown->text) {
        return err_set(e, ERR_NOT_FOUND, "the text of %s is not known any more", label);
    }
    char *text = strdup(shown->text), *id = shown->id ? strdup(shown->id) : NULL;
    e->code = text && (id || !shown->id) ? ERR_NONE : err_memory(e);
    if (e->code == ERR_NONE) {
        struct cell cell = { .id = id, .number = number, .text = text, .len = strlen(text) };
        s->cell_id = id;
        s->count = number;
        execute_cell(s, &cell, label, e);
        s->cell_id = own_id;
        s->count = own_count;
        s->changed = true;
    }
    free(text);
    free(id);
    return e->code;
}

static void on_execute(struct session *s, const json_t *m)
{
    const char *code = json_string_value(json_object_get(m, "code"));
    struct cell cell = { .id = json_string_value(json_object_get(m, "cell_id")),
                         .number = (int)json_integer_value(json_object_get(m, "count")),
                         .text = code ? code : "",
                         .len = code ? strlen(code) : 0 };
    json_t *expressions = json_object_get(m, "user_expressions"), *results = NULL;
    char label[64];
    struct err e;
    cell_label(cell.number, label, sizeof label);
    s->cell_id = cell.id;
    s->count = cell.number;
    s->silent = json_is_true(json_object_get(m, "silent"));
    s->allow_stdin = json_is_true(json_object_get(m, "allow_stdin"));
    s->interrupted = 0;
    s->undo = 0;
    s->shared->words.said = 0;
    s->shared->code_used = 0;
    session_guard_signals(s);
    session_stdio_begin(s);
    session_input_begin(s);
    session_remember(s, label, cell.text, cell.len);
    s->value_is_last = !magics_is(cell.text) && json_object_size(expressions) == 0;
    execute_cell(s, &cell, label, &e);
    if (e.code != ERR_NONE) {
        if (e.code != ERR_TASK || !s->failure.ename) {
            session_failure_of(&e, &s->failure);
        }
        session_say_failure(s);
    } else if (json_object_size(expressions) > 0) {
        results = evaluate(s, expressions);
    }
    s->cell_id = NULL;
    /* A cell that didn't compile has changed nothing. One that was interrupted while its threads go on is answered first: a
     * fork takes long when they keep the processors busy. */
    bool copy = s->changed && !s->undo;
    bool late = copy && s->interrupted && session_user_threads() > 0;
    json_t *done = copy && !late ? session_checkpoint(s, "done")
                                 : json_pack("{s:s, s:i, s:b}", "op", "done", "undo", s->undo, "late", (int)late);
    if (done) {
        (void)json_object_set_new(done, "ok", json_boolean(e.code == ERR_NONE));
        (void)json_object_set_new(done, "payload", json_array());
        (void)json_object_set_new(done, "user_expressions", results ? results : json_object());
        session_say(s, done);
    } else {
        json_decref(results); /* of a cell that is long over */
    }
    json_t *report = late ? session_checkpoint(s, "copy") : NULL;
    if (report) {
        session_say(s, report);
    }
}

enum err_code session_handle(struct session *s, const json_t *message, bool *end, struct err *e)
{
    const char *op = json_string_value(json_object_get(message, "op"));
    const char *code = json_string_value(json_object_get(message, "code"));
    size_t cursor = (size_t)json_integer_value(json_object_get(message, "cursor"));
    *end = false;
    if (op && strcmp(op, "execute") == 0) {
        on_execute(s, message);
    } else if (op && strcmp(op, "complete") == 0) {
        session_say(s, session_complete(s, code ? code : "", cursor));
    } else if (op && strcmp(op, "inspect") == 0) {
        session_say(s, session_inspect(s, code ? code : "", cursor));
    } else if (op && strcmp(op, "shutdown") == 0) {
        *end = true;
    } else if (op && strcmp(op, "input") == 0) {
        /* the answer to a question of a cell that is over */
    } else {
        return err_set(e, ERR_FORMAT, "the kernel asks for '%s', which a session does not know", op ? op : "(nothing)");
    }
    return ERR_NONE;
}

/* ---- life ---- */

/* The kernel's, or memory of our own if we were not started by one. */
static struct session_shared *map_shared(struct session *s)
{
    struct stat st;
    size_t size = sizeof(struct session_shared);
    if (fstat(SESSION_SHARED_FD, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size == size) {
        void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, SESSION_SHARED_FD, 0);
        (void)fcntl(SESSION_SHARED_FD, F_SETFD, FD_CLOEXEC);
        s->kernel = getppid();
        return map == MAP_FAILED ? NULL : map;
    }
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        return NULL;
    }
    ((struct session_shared *)map)->settings = settings_defaults();
    return map;
}

enum err_code session_init(struct session *s, int fd, struct err *e)
{
    s->fd = fd;
    s->pid = getpid();
    s->shared = map_shared(s);
    if (!s->shared) {
        return err_errno(e, "can't map the memory shared with the kernel");
    }
    if (!getcwd(s->directory, sizeof s->directory)) {
        return err_errno(e, "can't tell the working folder");
    }
    enum err_code code = index_new(&s->index, e);
    code = code ? code : flows_new(s->index, &s->flows, e);
    code = code ? code : build_cells_new(&s->cells, e);
    code = code ? code : session_libc(s->cells, e);
    code = code ? code : session_stdio_open(s, e);
    code = code ? code : session_input_open(s, e);
    if (!code) {
        build_cells_lines(s->cells, session_line, s);
        struct magic_host host = session_host(s);
        code = magics_new(&host, &s->magics, e);
    }
    return code;
}

void session_done(struct session *s)
{
    magics_free(s->magics);
    flows_free(s->flows);
    index_free(s->index);
    build_cells_free(s->cells);
    session_texts_done(s);
    json_decref(s->value);
    session_failure_done(&s->failure);
    if (s->shared) {
        (void)munmap(s->shared, sizeof *s->shared);
    }
}
