/* A session without a kernel, for tests of how user code ends. */
#ifndef WEIR_TESTS_SESSION_FIXTURE_H
#define WEIR_TESTS_SESSION_FIXTURE_H

#include "kernel/session.h"
#include "tests/unit/build_home.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h> /* last: it needs what stands above */

struct fixture {
    struct session s;
    struct outcome o;
    struct err e;
};

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f || !home_root()) {
        return -1;
    }
    f->s.pid = getpid();
    f->s.shared = mmap(NULL, sizeof *f->s.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (f->s.shared == MAP_FAILED) {
        return -1;
    }
    if (build_cells_new(&f->s.cells, &f->e) || session_libc(f->s.cells, &f->e)) {
        print_error("%s\n", f->e.msg);
        return -1;
    }
    session_guard_signals(&f->s);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    build_cells_free(f->s.cells);
    session_texts_done(&f->s);
    session_failure_done(&f->s.failure);
    (void)munmap(f->s.shared, sizeof *f->s.shared);
    free(f);
    return 0;
}

/* Add cell number n, whose text is C at file scope and defines `name`, and give name's address. */
static inline void *add(struct fixture *f, int n, const char *name, const char *text)
{
    struct build_symbol symbol = { .name = name, .function = true };
    struct buf lowered;
    char label[32];
    void *address = NULL;
    (void)snprintf(label, sizeof label, "cell [%d]", n);
    session_remember(&f->s, label, text, strlen(text));
    buf_init(&lowered, 0);
    buf_printf(&lowered, "#line 1 \"%s\"\n%s\n", label, text);
    if (build_cells_add(f->s.cells, label, lowered.data, lowered.len, name, false, &symbol, 1, &address, &f->e)) {
        fail_msg("%s", f->e.msg);
    }
    buf_done(&lowered);
    return address;
}

static inline void run_address(struct fixture *f, void *address)
{
    void (*entry)(void);
    memcpy(&entry, &address, sizeof entry);
    session_guard_signals(&f->s); /* cmocka has handlers of its own */
    session_run(&f->s, entry, &f->o);
}

static inline void run(struct fixture *f, const char *text)
{
    run_address(f, add(f, 7, "f", text));
}

/* The error as one string of lines. */
static inline const char *told(struct fixture *f)
{
    static char all[4096];
    size_t i;
    json_t *line;
    session_explain(&f->s, &f->o, &f->s.failure);
    all[0] = '\0';
    json_array_foreach(f->s.failure.traceback, i, line)
    {
        size_t used = strlen(all);
        (void)snprintf(all + used, sizeof all - used, "%s\n", json_string_value(line));
    }
    return all;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
