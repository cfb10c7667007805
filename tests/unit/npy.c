/* .npy: headers as numpy writes them, headers read back, and one bit pattern a value.
 *
 * test_npy_numpy.py runs this program too: `npy --emit DIR` writes a file a case, `npy --show FILE` says what is in
 * one. */
#include "runtime/type/npy.h"
#include "runtime/base/file.h"
#include "runtime/type/show.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- types, with their layouts by the compiler ---- */

#define SCALAR(T, k)                                                                                                   \
    {                                                                                                                  \
        .name = "x", .size = sizeof(T), .kind = k                                                                      \
    }
#define MEMBER(S, m, k)                                                                                                \
    {                                                                                                                  \
        .name = #m, .offset = offsetof(S, m), .size = sizeof(((S *)0)->m), .kind = k                                   \
    }
#define COUNT(a) (sizeof(a) / sizeof *(a))

struct point {
    double x, y;
};
static const struct weir_field point_members[] = { MEMBER(struct point, x, WEIR_FLOAT),
                                                   MEMBER(struct point, y, WEIR_FLOAT) };
static const struct weir_type point_type = {
    .name = "struct point", .size = sizeof(struct point), .members = point_members, .nmembers = 2
};

enum color { RED, GREEN = 5, BLUE = -1 };

/* Padding before, between and after; nested; arrays of arrays, of structs, of text. */
struct mixed {
    char tag;
    double rate;
    _Bool yes;
    short counts[3];
    struct point at[2][1];
    char city[6];
    char names[2][4];
    float grid[2][3];
    enum color color;
    unsigned char last;
};
static const struct weir_field mixed_members[] = {
    MEMBER(struct mixed, tag, WEIR_CHAR),
    MEMBER(struct mixed, rate, WEIR_FLOAT),
    MEMBER(struct mixed, yes, WEIR_BOOL),
    { .name = "counts",
      .offset = offsetof(struct mixed, counts),
      .size = 2,
      .kind = WEIR_INT,
      .ndim = 1,
      .dim = { 3 } },
    { .name = "at",
      .offset = offsetof(struct mixed, at),
      .size = sizeof(struct point),
      .kind = WEIR_STRUCT,
      .type = &point_type,
      .ndim = 2,
      .dim = { 2, 1 } },
    { .name = "city", .offset = offsetof(struct mixed, city), .size = 1, .kind = WEIR_CHAR, .ndim = 1, .dim = { 6 } },
    { .name = "names",
      .offset = offsetof(struct mixed, names),
      .size = 1,
      .kind = WEIR_CHAR,
      .ndim = 2,
      .dim = { 2, 4 } },
    { .name = "grid",
      .offset = offsetof(struct mixed, grid),
      .size = 4,
      .kind = WEIR_FLOAT,
      .ndim = 2,
      .dim = { 2, 3 } },
    MEMBER(struct mixed, color, WEIR_ENUM),
    MEMBER(struct mixed, last, WEIR_UINT),
};
static const struct weir_type mixed_type = {
    .name = "struct mixed", .size = sizeof(struct mixed), .members = mixed_members, .nmembers = COUNT(mixed_members)
};

struct outer {
    int id;
    struct mixed inner;
    long double wide;
    char end;
};
static const struct weir_field outer_members[] = {
    MEMBER(struct outer, id, WEIR_INT),
    { .name = "inner",
      .offset = offsetof(struct outer, inner),
      .size = sizeof(struct mixed),
      .kind = WEIR_STRUCT,
      .type = &mixed_type },
    MEMBER(struct outer, wide, WEIR_FLOAT),
    MEMBER(struct outer, end, WEIR_CHAR),
};
static const struct weir_type outer_type = {
    .name = "struct outer", .size = sizeof(struct outer), .members = outer_members, .nmembers = COUNT(outer_members)
};

static void fill_mixed(struct mixed *m, int i)
{
    *m = (struct mixed){ .tag = 'a',
                         .rate = 0.5 + i,
                         .yes = 1,
                         .counts = { 1, -2, (short)i },
                         .city = "Oslo",
                         .names = { "ab", { 'c', 'd', 'e', 'f' } },
                         .grid = { { 1, 2, 3 }, { 4, 5, -6.25f } },
                         .color = BLUE,
                         .last = 255 };
    m->at[0][0] = (struct point){ 1.5, i };
    m->at[1][0] = (struct point){ -1.5, 2 };
}

/* ---- files for numpy ---- */

static void write_file(const char *dir, const char *name, const struct weir_field *f, const void *data, size_t bytes)
{
    struct buf out;
    struct err e;
    char path[512];
    buf_init(&out, 0);
    (void)snprintf(path, sizeof path, "%s/%s.npy", dir, name);
    enum err_code code = npy_header(&out, f, NULL, bytes, &e);
    void *room = buf_space(&out, bytes);
    if (!code && room && f->kind == WEIR_STRING) {
        memcpy(room, data, bytes);
    } else if (!code && room) {
        npy_canonical(f, room, data, f->size ? bytes / f->size : 0);
    }
    code = code ? code : buf_check(&out, name, &e);
    code = code ? code : file_write_atomic(path, out.data, out.len, 0644, 0, &e);
    if (code) {
        (void)fprintf(stderr, "%s: %s\n", name, e.msg);
        exit(1);
    }
    buf_done(&out);
}

#define WRITE(dir, name, T, k, ...)                                                                                    \
    write_file(dir, name, &(struct weir_field)SCALAR(T, k), &(T){ __VA_ARGS__ }, sizeof(T))

static void emit_scalars(const char *dir)
{
    WRITE(dir, "int8", signed char, WEIR_INT, -128);
    WRITE(dir, "int16", short, WEIR_INT, -32768);
    WRITE(dir, "int32", int, WEIR_INT, INT32_MIN);
    WRITE(dir, "int64", long, WEIR_INT, INT64_MIN);
    WRITE(dir, "uint8", unsigned char, WEIR_UINT, 255);
    WRITE(dir, "uint16", unsigned short, WEIR_UINT, 65535);
    WRITE(dir, "uint32", unsigned, WEIR_UINT, UINT32_MAX);
    WRITE(dir, "uint64", unsigned long, WEIR_UINT, UINT64_MAX);
    WRITE(dir, "float32", float, WEIR_FLOAT, 0.1f);
    WRITE(dir, "float64", double, WEIR_FLOAT, 0.1);
    WRITE(dir, "longdouble", long double, WEIR_FLOAT, 1.0L / 3);
    WRITE(dir, "nan", double, WEIR_FLOAT, -NAN);
    WRITE(dir, "bool", _Bool, WEIR_BOOL, 1);
    WRITE(dir, "char", char, WEIR_CHAR, 'A');
    WRITE(dir, "enum", enum color, WEIR_ENUM, BLUE);
}

static void emit_arrays(const char *dir)
{
    double cube[2][3][4];
    for (int i = 0; i < 24; i++) {
        ((double *)cube)[i] = i * 0.5;
    }
    struct weir_field f = SCALAR(double, WEIR_FLOAT);
    f.ndim = 1;
    write_file(dir, "empty", &f, "", 0);
    f.dim[0] = 1;
    write_file(dir, "one", &f, cube, 8);
    f.ndim = 3;
    memcpy(f.dim, (size_t[]){ 2, 3, 4 }, 3 * sizeof(size_t));
    write_file(dir, "cube", &f, cube, sizeof cube);
    memcpy(f.dim, (size_t[]){ 2, 0, 4 }, 3 * sizeof(size_t));
    write_file(dir, "flat_cube", &f, "", 0);
    struct weir_field chars = { .name = "x", .size = 1, .kind = WEIR_CHAR, .ndim = 2, .dim = { 2, 3 } };
    write_file(dir, "chars", &chars,
               "ab\0\xff"
               "ef",
               6);
    struct weir_field text = { .name = "x", .size = sizeof(char *), .kind = WEIR_STRING };
    write_file(dir, "text", &text, "gr\xc3\xbc\xc3\x9f", 6);
    write_file(dir, "no_text", &text, "", 0);
}

static void emit_structs(const char *dir)
{
    struct outer one;
    struct mixed many[3];
    memset(&one, 0xff, sizeof one); /* padding dirty */
    memset(many, 0xff, sizeof many);
    one.id = 7;
    one.wide = -2.5L;
    one.end = 'z';
    fill_mixed(&one.inner, 9);
    for (int i = 0; i < 3; i++) {
        fill_mixed(&many[i], i);
    }
    struct weir_field f = { .name = "x", .size = sizeof one, .kind = WEIR_STRUCT, .type = &outer_type };
    write_file(dir, "nested", &f, &one, sizeof one);
    f = (struct weir_field){
        .name = "x", .size = sizeof *many, .kind = WEIR_STRUCT, .type = &mixed_type, .ndim = 1, .dim = { 3 }
    };
    write_file(dir, "structs", &f, many, sizeof many);
    f.dim[0] = 0;
    write_file(dir, "no_structs", &f, many, 0);
    f = (struct weir_field){ .name = "x", .size = sizeof(struct point), .kind = WEIR_STRUCT, .type = &point_type };
    write_file(dir, "point", &f, &(struct point){ 1, 2 }, sizeof(struct point));
}

/* One line: descr, shape, value; or the error. */
static int show_file(const char *path)
{
    char *data = NULL;
    size_t len = 0;
    struct arena a;
    struct npy n;
    struct err e;
    struct buf out;
    arena_init(&a);
    buf_init(&out, 0);
    enum err_code code = file_read(path, 1 << 30, &data, &len, &e);
    code = code ? code : npy_read(data, len, true, &a, &n, &e);
    if (!code) {
        struct weir_field f = npy_payload_field(&n);
        code = show_line(&out, &f, data + n.payload, &show_defaults, &e);
        printf("%s %u", n.descr, n.field.ndim);
        for (unsigned i = 0; i < n.field.ndim; i++) {
            printf(" %zu", n.field.dim[i]);
        }
        printf("\n");
    }
    printf("%s\n", code ? e.msg : out.data);
    arena_done(&a);
    buf_done(&out);
    free(data);
    return 0;
}

/* ---- headers ---- */

static void check_header(const struct weir_field *f, const size_t *dim, size_t text_len, const char *dictionary)
{
    struct buf out;
    struct err e;
    buf_init(&out, 0);
    assert_int_equal(npy_header(&out, f, dim, text_len, &e), ERR_NONE);
    assert_int_equal(out.len % 64, 0);
    assert_memory_equal(out.data, "\x93NUMPY\x01\x00", 8);
    assert_int_equal((unsigned char)out.data[8] + 256 * (unsigned char)out.data[9], out.len - 10);
    assert_int_equal(out.data[out.len - 1], '\n');
    assert_int_equal(strncmp(out.data + 10, dictionary, strlen(dictionary)), 0);
    assert_int_equal(strspn(out.data + 10 + strlen(dictionary), " "), out.len - 11 - strlen(dictionary));
    buf_done(&out);
}

static void headers_of_scalars_and_arrays(void **state)
{
    (void)state;
    struct weir_field f = SCALAR(double, WEIR_FLOAT);
    check_header(&f, NULL, 0, "{'descr': '<f8', 'fortran_order': False, 'shape': (), }");
    f.ndim = 1;
    check_header(&f, &(size_t){ 3 }, 0, "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }");
    f.ndim = 2;
    check_header(&f, (size_t[]){ 0, 2 }, 0, "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 2), }");
    f = (struct weir_field)SCALAR(char, WEIR_CHAR);
    check_header(&f, NULL, 0, "{'descr': '|i1', 'fortran_order': False, 'shape': (), }");
    f = (struct weir_field)SCALAR(char *, WEIR_STRING);
    check_header(&f, NULL, 5, "{'descr': '|S5', 'fortran_order': False, 'shape': (), }");
}

static void the_descr_of_a_struct_names_its_padding(void **state)
{
    (void)state;
    struct buf out;
    struct weir_field f = { .name = "x", .size = sizeof(struct mixed), .kind = WEIR_STRUCT, .type = &mixed_type };
    buf_init(&out, 0);
    assert_int_equal(npy_descr(&out, &f, NULL), ERR_NONE);
    assert_string_equal(out.data, "[('tag', '|i1'), ('', '|V7'), ('rate', '<f8'), ('yes', '|b1'), ('', '|V1'), "
                                  "('counts', '<i2', (3,)), ('at', [('x', '<f8'), ('y', '<f8')], (2, 1)), "
                                  "('city', '|S6'), ('names', '|S4', (2,)), ('', '|V2'), ('grid', '<f4', (2, 3)), "
                                  "('color', '<i4'), ('last', '|u1'), ('', '|V3')]");
    buf_done(&out);
}

static void what_is_no_value_is_refused_by_name(void **state)
{
    (void)state;
    struct weir_field member = { .name = "next", .size = 8, .kind = WEIR_POINTER };
    struct weir_type node = { .name = "struct node", .size = 8, .members = &member, .nmembers = 1 };
    struct weir_field f = { .name = "head", .size = 8, .kind = WEIR_STRUCT, .type = &node };
    struct buf out;
    struct err e;
    buf_init(&out, 0);
    assert_int_equal(npy_descr(&out, &f, &e), ERR_TYPE);
    assert_string_equal(e.msg, "member 'next' of 'struct node' is a pointer: an artifact holds values only");
    member.kind = WEIR_STRING;
    assert_int_equal(npy_descr(&out, &f, &e), ERR_TYPE);
    assert_string_equal(e.msg, "member 'next' of 'struct node' is a pointer: an artifact holds values only"
                               " (char name[24] keeps text)");
    f.kind = WEIR_UNION;
    assert_int_equal(npy_header(&out, &f, NULL, 0, &e), ERR_TYPE);
    assert_string_equal(e.msg, "'head' is a union: an artifact holds values only");
    assert_int_equal(out.len > 0 && out.data[0] == '\x93', 0);
    buf_done(&out);
}

static void a_very_long_header_is_version_2(void **state)
{
    (void)state;
    enum { N = 4000 };
    struct weir_field *members = calloc(N, sizeof *members);
    char(*names)[16] = calloc(N, sizeof *names);
    struct arena a;
    struct npy n;
    struct buf out;
    assert_non_null(members);
    assert_non_null(names);
    for (size_t i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof names[i], "member%zu", i);
        members[i] = (struct weir_field){ .name = names[i], .offset = i, .size = 1, .kind = WEIR_INT };
    }
    struct weir_type t = { .name = "struct wide", .size = N, .members = members, .nmembers = N };
    struct weir_field f = { .name = "x", .size = N, .kind = WEIR_STRUCT, .type = &t };
    arena_init(&a);
    buf_init(&out, 0);
    assert_int_equal(npy_header(&out, &f, NULL, 0, NULL), ERR_NONE);
    assert_memory_equal(out.data, "\x93NUMPY\x02\x00", 8);
    assert_int_equal(out.len % 64, 0);
    assert_int_equal(npy_read(out.data, out.len, false, &a, &n, NULL), ERR_NONE);
    assert_int_equal(n.field.type->nmembers, N);
    assert_int_equal(n.bytes, N);
    arena_done(&a);
    buf_done(&out);
    free(members);
    free(names);
}

/* ---- reading ---- */

/* A file with this dictionary and so many bytes of data, read; the memory is the caller's. */
static enum err_code read_text(const char *dictionary, size_t bytes, struct arena *a, struct npy *n, struct err *e)
{
    size_t len = strlen(dictionary);
    unsigned char *file = calloc(1, 10 + len + bytes + 1);
    assert_non_null(file);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    file[8] = (unsigned char)len;
    file[9] = (unsigned char)(len >> 8);
    memcpy(file + 10, dictionary, len);
    arena_init(a);
    enum err_code code = npy_read(file, 10 + len + bytes, true, a, n, e);
    free(file);
    return code;
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    struct weir_field f = {
        .name = "x", .size = sizeof(struct mixed), .kind = WEIR_STRUCT, .type = &mixed_type, .ndim = 1, .dim = { 3 }
    };
    struct buf out;
    struct arena a;
    struct npy n;
    buf_init(&out, 0);
    arena_init(&a);
    assert_int_equal(npy_header(&out, &f, NULL, 0, NULL), ERR_NONE);
    assert_int_equal(npy_read(out.data, out.len, false, &a, &n, NULL), ERR_NONE);
    assert_int_equal(n.payload, out.len);
    assert_int_equal(n.bytes, 3 * sizeof(struct mixed));
    assert_int_equal(n.field.ndim, 1);
    assert_int_equal(n.field.type->size, sizeof(struct mixed));
    assert_int_equal(n.field.type->nmembers, mixed_type.nmembers);
    for (size_t i = 0; i < mixed_type.nmembers; i++) {
        const struct weir_field *in = &mixed_members[i];
        const struct weir_field *back = &n.field.type->members[i];
        assert_string_equal(back->name, in->name);
        assert_int_equal(back->offset, in->offset);
        assert_int_equal(back->size, in->size);
        assert_int_equal(back->ndim, in->ndim);
        assert_memory_equal(back->dim, in->dim, sizeof in->dim);
    }
    struct buf again;
    buf_init(&again, 0);
    assert_int_equal(npy_descr(&again, &n.field, NULL), ERR_NONE);
    assert_string_equal(again.data, n.descr);
    buf_done(&again);
    buf_done(&out);
    arena_done(&a);
}

static void text_is_told_from_numbers(void **state)
{
    (void)state;
    struct arena a;
    struct npy n;
    struct err e;
    assert_int_equal(read_text("{'descr': '|S5', 'fortran_order': False, 'shape': (), }", 5, &a, &n, &e), ERR_NONE);
    assert_int_equal(n.field.kind, WEIR_STRING);
    assert_int_equal(n.field.ndim, 0);
    assert_int_equal(n.bytes, 5);
    assert_string_equal(n.descr, "'|S5'");
    struct weir_field shown = npy_payload_field(&n);
    assert_int_equal(shown.kind, WEIR_CHAR);
    assert_int_equal(shown.dim[0], 5);
    arena_done(&a);
    assert_int_equal(read_text("{'descr': '|S2', 'fortran_order': False, 'shape': (3,), }", 6, &a, &n, &e), ERR_NONE);
    assert_int_equal(n.field.kind, WEIR_CHAR);
    assert_int_equal(n.field.ndim, 2);
    assert_int_equal(n.field.dim[1], 2);
    arena_done(&a);
}

static void python_may_write_it_otherwise(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{'descr':'<f8','fortran_order':False,'shape':(2,3)}",
        "{ \"shape\": (2, 3,), \"descr\": \"=f8\" , \"fortran_order\": False }\n",
        "{'descr': [('a', '<f4'), ('b', '<f4',),], 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr': [('a', '|V4'), ], 'fortran_order': False, 'shape': (2, 3), }",
    };
    struct arena a;
    struct npy n;
    struct err e;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_text(texts[i], 48, &a, &n, &e), ERR_NONE);
        assert_int_equal(n.field.dim[1], 3);
        arena_done(&a);
    }
    assert_int_equal(read_text(texts[3], 24, &a, &n, &e), ERR_FORMAT);
    assert_string_equal(e.msg, "member 'a' is of a type that has no C type here ('|V4')");
    arena_done(&a);
}

#define WITH(descr, shape) "{'descr': " descr ", 'fortran_order': False, 'shape': " shape ", }"

static void unreadable_files_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
        enum err_code code;
        const char *msg;
    } cases[] = {
        { WITH("'>f8'", "()"), 8, ERR_FORMAT,
          "type '>f8' is big endian: save it with .astype(dtype.newbyteorder('<'))" },
        { WITH("'|O'", "()"), 8, ERR_FORMAT, "type '|O' has no C type here: Python objects can't be read" },
        { WITH("'<U5'", "()"), 20, ERR_FORMAT, "type '<U5' has no C type here: save text as bytes, .astype('S')" },
        { WITH("'<c16'", "()"), 16, ERR_FORMAT,
          "type '<c16' has no C type here: save .real and .imag apart, or .view('f8')" },
        { WITH("'<f2'", "()"), 2, ERR_FORMAT, "type '<f2' has no C type here" },
        { WITH("'<i3'", "()"), 3, ERR_FORMAT, "type '<i3' has no C type here" },
        { WITH("'<M8[s]'", "()"), 8, ERR_FORMAT, "type '<M8[s]' has no C type here" },
        { WITH("'|V8'", "()"), 8, ERR_FORMAT, "raw bytes ('|V8') have no C type here" },
        { "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }", 32, ERR_FORMAT,
          "the array is in Fortran order: save it as numpy.ascontiguousarray(x)" },
        { WITH("'<f8'", "(2,)"), 15, ERR_FORMAT,
          "the .npy file is truncated: its header says 16 bytes of data, and there are 15" },
        { WITH("'<f8'", "(2,)"), 17, ERR_FORMAT,
          "the .npy file is longer than it says: its header says 16 bytes of data, and there are 17" },
        { WITH("'<f8'", "(4611686018427387904, 4)"), 0, ERR_LIMIT, "an array of more than 2^64 bytes" },
        { WITH("'<f8'", "(99999999999999999999,)"), 0, ERR_LIMIT, "a .npy header with a size beyond 64 bits" },
        { WITH("'<f8'", "(1,1,1,1,1,1,1,1,1)"), 8, ERR_LIMIT, "an array of more than 8 dimensions" },
        { WITH("'|S1'", "(1,1,1,1,1,1,1,1)"), 1, ERR_LIMIT, "an array of more than 8 dimensions" },
        { WITH("'<f8'", "(-1,)"), 0, ERR_FORMAT, "not a .npy header: expected a size at '-1,), }'" },
        { WITH("[('a', '<f8'), ('a', '<f8')]", "()"), 16, ERR_FORMAT, "a struct with two members 'a'" },
        { WITH("[('', '<f8')]", "()"), 8, ERR_FORMAT, "a struct's member without a name" },
        { WITH("[('a\\'b', '<f8')]", "()"), 8, ERR_FORMAT,
          "not a .npy header: expected a plain string at ''a\\'b', '<f8')], 'fortran_orde'" },
        { WITH("[('\x7f', '<f8')]", "()"), 8, ERR_FORMAT, "not a .npy header: expected a plain string at '''" },
        { WITH("[('a', '|S1073741824', (1073741824, 1073741824))]", "()"), 8, ERR_LIMIT,
          "a struct of more than 2^64 bytes" },
        { "{'descr': '<f8', 'fortran_order': False}", 8, ERR_FORMAT,
          "not a .npy header: expected descr, fortran_order and shape at ''" },
        { "{'descr': '<f8', 'descr': '<f8'}", 8, ERR_FORMAT, "not a .npy header: key 'descr'" },
        { "{'x': 1}", 8, ERR_FORMAT, "not a .npy header: key 'x'" },
        { "[]", 8, ERR_FORMAT, "not a .npy header: expected '{' at '[]'" },
        { "", 8, ERR_FORMAT, "not a .npy header: expected '{' at ''" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a;
        struct npy n;
        struct err e;
        assert_int_equal(read_text(cases[i].text, cases[i].bytes, &a, &n, &e), cases[i].code);
        assert_string_equal(e.msg, cases[i].msg);
        arena_done(&a);
    }
}

static void names_may_be_beyond_ascii(void **state)
{
    (void)state;
    struct weir_field member = { .name = "gr\xc3\xb6\xc3\x9f"
                                         "e",
                                 .size = 4,
                                 .kind = WEIR_INT };
    struct weir_type t = { .name = "t", .size = 4, .members = &member, .nmembers = 1 };
    struct weir_field f = { .name = "x", .size = 4, .kind = WEIR_STRUCT, .type = &t };
    struct arena a;
    struct npy n;
    struct err e;
    struct buf out;
    buf_init(&out, 0);
    assert_int_equal(npy_header(&out, &f, NULL, 0, &e), ERR_NONE);
    assert_memory_equal(out.data, "\x93NUMPY\x03\x00", 8); /* UTF-8 */
    arena_init(&a);
    assert_int_equal(npy_read(out.data, out.len, false, &a, &n, &e), ERR_NONE);
    assert_string_equal(n.field.type->members[0].name, member.name);
    arena_done(&a);
    buf_done(&out);
    assert_int_equal(read_text(WITH("[('gr\xf6\xdf"
                                    "e', '<i4')]",
                                    "()"),
                               4, &a, &n, &e),
                     ERR_NONE); /* Latin-1 */
    assert_string_equal(n.field.type->members[0].name, member.name);
    arena_done(&a);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    char text[8192] = "{'descr': ";
    struct arena a;
    struct npy n;
    struct err e;
    for (int i = 0; i < 40; i++) {
        (void)strncat(text, "[('a', ", sizeof text - strlen(text) - 1);
    }
    assert_int_equal(read_text(text, 0, &a, &n, &e), ERR_LIMIT);
    assert_string_equal(e.msg, "structs nested more than 32 deep");
    arena_done(&a);
}

static void what_is_no_npy_says_so(void **state)
{
    (void)state;
    struct arena a;
    struct npy n;
    struct err e;
    arena_init(&a);
    assert_int_equal(npy_read("", 0, true, &a, &n, &e), ERR_FORMAT);
    assert_int_equal(npy_read("PK\x03\x04 a zip file", 20, true, &a, &n, &e), ERR_FORMAT);
    assert_string_equal(e.msg, "not a .npy file: it should begin with \\x93NUMPY");
    assert_int_equal(npy_read("\x93NUMPY\x04\x00\x00\x00", 10, true, &a, &n, &e), ERR_FORMAT);
    assert_string_equal(e.msg, "a .npy file of version 4.0; 1.0 to 3.0 can be read");
    assert_int_equal(npy_read("\x93NUMPY\x01\x00\x76\x00{", 11, true, &a, &n, &e), ERR_FORMAT);
    assert_string_equal(e.msg, "the .npy file is truncated in its header");
    assert_int_equal(npy_read("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12, true, &a, &n, &e), ERR_LIMIT);
    assert_string_equal(e.msg, "a .npy header of 4294967295 bytes; up to 1048576 can be read");
    arena_done(&a);
}

/* ---- one bit pattern a value ---- */

static double double_of(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static void nans_become_the_canonical_one(void **state)
{
    (void)state;
    const struct weir_field f = SCALAR(double, WEIR_FLOAT);
    const size_t counts[] = { 1, 511, 512, 513, 5000 };
    for (size_t c = 0; c < COUNT(counts); c++) {
        size_t n = counts[c];
        double *in = calloc(n, sizeof *in);
        uint64_t *out = calloc(n, sizeof *out);
        assert_non_null(in);
        assert_non_null(out);
        for (size_t i = 0; i < n; i++) {
            static const uint64_t kinds[] = { 0xfff8000000000000, 0x7ff0000000000001,
                                              0x7ff0000000000000, 0xfff0000000000000,
                                              0x8000000000000000, 0x3ff0000000000000,
                                              0x7fffffffffffffff, 1 };
            in[i] = double_of(kinds[i % 8]);
        }
        npy_canonical(&f, out, in, n);
        for (size_t i = 0; i < n; i++) {
            uint64_t bits;
            memcpy(&bits, &in[i], sizeof bits);
            assert_int_equal(out[i], isnan(in[i]) ? 0x7ff8000000000000 : bits);
        }
        npy_canonical(&f, in, in, n);
        assert_memory_equal(in, out, n * 8);
        free(in);
        free(out);
    }
}

static void one_nan_among_many_is_found(void **state)
{
    (void)state;
    enum { N = 3000 };
    const struct weir_field f = SCALAR(float, WEIR_FLOAT);
    uint32_t out[N];
    float in[N];
    for (size_t at = 0; at < N; at += 7) {
        for (size_t i = 0; i < N; i++) {
            in[i] = (float)i;
        }
        in[at] = -NAN;
        npy_canonical(&f, out, in, N);
        assert_int_equal(out[at], 0x7fc00000);
        in[at] = 0;
        out[at] = 0;
        assert_memory_equal(in, out, sizeof in);
    }
}

static void long_doubles_have_no_dirty_bytes(void **state)
{
    (void)state;
    const struct weir_field f = SCALAR(long double, WEIR_FLOAT);
    unsigned char bytes[2][sizeof(long double)];
    long double values[2] = { 1.5L, -(long double)NAN };
    memset(bytes, 0xff, sizeof bytes);
    memcpy(bytes[0], &values[0], 10);
    memcpy(bytes[1], &values[1], 10);
    npy_canonical(&f, bytes, bytes, 2);
#if LDBL_MANT_DIG == 64
    const unsigned char nan_bytes[16] = { 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0x7f };
    const unsigned char one_and_a_half[16] = { 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0x3f };
    assert_memory_equal(bytes[0], one_and_a_half, 16);
    assert_memory_equal(bytes[1], nan_bytes, 16);
#endif
}

/* Two structs that are equal member by member, over different dirt. */
static void padding_becomes_zero(void **state)
{
    (void)state;
    enum { N = 700 };
    const struct weir_field f = { .name = "x", .size = sizeof(struct outer), .kind = WEIR_STRUCT, .type = &outer_type };
    struct outer *a = malloc(N * sizeof *a);
    struct outer *b = malloc(N * sizeof *b);
    assert_non_null(a);
    assert_non_null(b);
    for (int dirt = 0; dirt < 2; dirt++) {
        struct outer *to = dirt ? b : a;
        memset(to, dirt ? 0xff : 0x55, N * sizeof *to);
        for (int i = 0; i < N; i++) {
            long double wide = i + 0.5L;
            struct mixed inner;
            fill_mixed(&inner, i);
            to[i].id = i;
            memcpy(&to[i].wide, &wide, 10);
            to[i].end = 'e';
            to[i].inner.tag = inner.tag;
            to[i].inner.rate = i % 3 ? inner.rate : dirt ? -NAN : NAN;
            to[i].inner.yes = inner.yes;
            memcpy(to[i].inner.counts, inner.counts,
                   offsetof(struct mixed, names) + 8 - offsetof(struct mixed, counts));
            memcpy(to[i].inner.grid, inner.grid, sizeof inner.grid);
            to[i].inner.color = inner.color;
            to[i].inner.last = inner.last;
        }
    }
    npy_canonical(&f, a, a, N);
    npy_canonical(&f, b, b, N);
    assert_memory_equal(a, b, N * sizeof *a);
    assert_int_equal(((unsigned char *)b)[4], 0);
    assert_int_equal(b[N - 1].inner.counts[2], N - 1);
    free(a);
    free(b);
}

static void structs_of_doubles_are_as_fast_as_doubles_and_as_right(void **state)
{
    (void)state;
    enum { N = 1001 };
    const struct weir_field f = { .name = "x", .size = sizeof(struct point), .kind = WEIR_STRUCT, .type = &point_type };
    struct point in[N];
    struct point out[N];
    uint64_t bits;
    for (size_t i = 0; i < N; i++) {
        in[i] = (struct point){ (double)i, -1 };
    }
    in[N - 1].y = -NAN;
    npy_canonical(&f, out, in, N);
    memcpy(&bits, &out[N - 1].y, sizeof bits);
    assert_int_equal(bits, 0x7ff8000000000000);
    assert_memory_equal(in, out, sizeof in - 8);
}

static void plain_layouts_are_moved(void **state)
{
    (void)state;
    const struct weir_field ints = SCALAR(int, WEIR_INT);
    const struct weir_field doubles = SCALAR(double, WEIR_FLOAT);
    const struct weir_field padded = {
        .name = "x", .size = sizeof(struct mixed), .kind = WEIR_STRUCT, .type = &mixed_type
    };
    int in[3] = { 1, 2, 3 };
    int out[3];
    assert_true(npy_is_plain(&ints));
    assert_false(npy_is_plain(&doubles));
    assert_false(npy_is_plain(&padded));
    npy_canonical(&ints, out, in, 3);
    assert_memory_equal(in, out, sizeof in);
    npy_canonical(&ints, NULL, NULL, 0);
    npy_canonical(&doubles, NULL, NULL, 0);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--emit") == 0) {
        emit_scalars(argv[2]);
        emit_arrays(argv[2]);
        emit_structs(argv[2]);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--show") == 0) {
        return show_file(argv[2]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_of_scalars_and_arrays),
        cmocka_unit_test(the_descr_of_a_struct_names_its_padding),
        cmocka_unit_test(what_is_no_value_is_refused_by_name),
        cmocka_unit_test(a_very_long_header_is_version_2),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(text_is_told_from_numbers),
        cmocka_unit_test(python_may_write_it_otherwise),
        cmocka_unit_test(unreadable_files_say_why),
        cmocka_unit_test(names_may_be_beyond_ascii),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(what_is_no_npy_says_so),
        cmocka_unit_test(nans_become_the_canonical_one),
        cmocka_unit_test(one_nan_among_many_is_found),
        cmocka_unit_test(long_doubles_have_no_dirty_bytes),
        cmocka_unit_test(padding_becomes_zero),
        cmocka_unit_test(structs_of_doubles_are_as_fast_as_doubles_and_as_right),
        cmocka_unit_test(plain_layouts_are_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
