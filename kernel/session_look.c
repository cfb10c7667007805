/* Completion and inspection from what the session knows: magics, the user's names, libc's by a list, struct members. */
#include "kernel/session.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* ---- candidates ---- */

static const char *const common[] = {
    /* keywords and our words */
    "artifact", "auto", "break", "case", "char", "const", "continue", "default", "double", "else", "enum", "extern",
    "float", "for", "goto", "inline", "inputs", "long", "param", "register", "resize", "restrict", "return", "short",
    "signed", "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while",
    /* types */
    "FILE", "bool", "int16_t", "int32_t", "int64_t", "int8_t", "ptrdiff_t", "size_t", "ssize_t", "time_t", "uint16_t",
    "uint32_t", "uint64_t", "uint8_t", "uintptr_t",
    /* stdio */
    "EOF", "NULL", "fclose", "feof", "fflush", "fgets", "fopen", "fprintf", "fputc", "fputs", "fread", "fscanf",
    "fseek", "ftell", "fwrite", "getchar", "getline", "perror", "printf", "putchar", "puts", "remove", "rename",
    "rewind", "scanf", "snprintf", "sprintf", "sscanf", "stderr", "stdin", "stdout", "ungetc", "vprintf", "vsnprintf",
    /* stdlib */
    "EXIT_FAILURE", "EXIT_SUCCESS", "abort", "abs", "atexit", "atof", "atoi", "atol", "bsearch", "calloc", "exit",
    "free", "getenv", "labs", "malloc", "qsort", "rand", "realloc", "setenv", "srand", "strtod", "strtol", "strtoul",
    "system",
    /* string, ctype */
    "isalnum", "isalpha", "isdigit", "islower", "isspace", "isupper", "memchr", "memcmp", "memcpy", "memmove", "memset",
    "strcat", "strchr", "strcmp", "strcpy", "strcspn", "strdup", "strerror", "strlen", "strncmp", "strncpy", "strrchr",
    "strspn", "strstr", "strtok", "tolower", "toupper",
    /* math */
    "INFINITY", "M_PI", "NAN", "acos", "asin", "atan", "atan2", "cbrt", "ceil", "cos", "cosh", "erf", "exp", "fabs",
    "floor", "fmax", "fmin", "fmod", "hypot", "isfinite", "isinf", "isnan", "log", "log10", "log2", "lround", "pow",
    "round", "sin", "sinh", "sqrt", "tan", "tanh", "tgamma", "trunc",
    /* time, errno, assert, limits */
    "INT_MAX", "INT_MIN", "LONG_MAX", "DBL_MAX", "SIZE_MAX", "assert", "clock", "clock_gettime", "difftime", "errno",
    "localtime", "mktime", "nanosleep", "sleep", "strftime", "struct timespec", "time", "usleep"
};

struct matches {
    json_t *list;
    const char *prefix;
    size_t len;
};

static void offer(struct matches *m, const char *name)
{
    const char *space = strrchr(name, ' '); /* "struct point" completes as "point" */
    const char *word = space ? space + 1 : name;
    if (strncmp(word, m->prefix, m->len) != 0) {
        return;
    }
    size_t i;
    json_t *have;
    json_array_foreach(m->list, i, have)
    {
        if (strcmp(json_string_value(have), word) == 0) {
            return;
        }
    }
    (void)json_array_append_new(m->list, json_string(word)); /* out of memory: one match less */
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The list in alphabetical order. Steals it; new reference. */
static json_t *sorted(json_t *list)
{
    size_t n = json_array_size(list);
    const char **names = calloc(n + 1, sizeof *names);
    json_t *result = names ? json_array() : NULL;
    if (!result) {
        free(names);
        return list;
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = json_string_value(json_array_get(list, i));
    }
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++) {
        (void)json_array_append_new(result, json_string(names[i]));
    }
    free(names);
    json_decref(list);
    return result;
}

/* The struct behind `name.` or `name->`, through pointers and arrays. NULL: unknown. */
static const struct ctype *struct_of(const struct index *ix, const char *name, size_t len)
{
    const struct decl *d = index_find(ix, name, len);
    const struct ctype *t = d && d->kind == DECL_VARIABLE ? index_resolve(ix, d->type) : NULL;
    while (t && (t->kind == CTYPE_POINTER || t->kind == CTYPE_ARRAY)) {
        t = index_resolve(ix, t->of);
    }
    return t && (t->kind == CTYPE_STRUCT || t->kind == CTYPE_UNION) ? t : NULL;
}

/* Members, if the word at `start` stands behind a `.` or `->`. False: it does not. */
static bool offer_members(struct session *s, struct matches *m, const char *code, size_t start)
{
    size_t end = start;
    if (end >= 1 && code[end - 1] == '.') {
        end -= 1;
    } else if (end >= 2 && code[end - 1] == '>' && code[end - 2] == '-') {
        end -= 2;
    } else {
        return false;
    }
    while (end > 0 && code[end - 1] == ']') { /* over subscripts: points[3].x */
        while (end > 0 && code[end - 1] != '[') {
            end--;
        }
        end -= end > 0;
    }
    size_t first = end;
    while (first > 0 && in_word(code[first - 1])) {
        first--;
    }
    const struct ctype *type = first < end ? struct_of(s->index, code + first, end - first) : NULL;
    for (size_t i = 0; type && i < type->nmembers; i++) {
        if (type->members[i].name) {
            offer(m, type->members[i].name);
        }
    }
    return true;
}

static void offer_names(struct session *s, struct matches *m)
{
    size_t count = 0;
    const struct decl *const *decls = index_user_decls(s->index, &count);
    for (size_t i = 0; i < count; i++) {
        offer(m, decls[i]->name);
    }
    for (size_t i = 0; m->len > 0 && i < sizeof common / sizeof *common; i++) {
        offer(m, common[i]);
    }
}

static size_t line_start(const char *code, size_t cursor)
{
    while (cursor > 0 && code[cursor - 1] != '\n') {
        cursor--;
    }
    return cursor;
}

json_t *session_complete(struct session *s, const char *code, size_t cursor)
{
    size_t len = strlen(code);
    cursor = cursor < len ? cursor : len;
    size_t line = line_start(code, cursor), start = cursor;
    json_t *list;
    if (code[line] == '%') {
        while (start > line && !isspace((unsigned char)code[start - 1])) {
            start--;
        }
        char *text = strndup(code + line, strcspn(code + line, "\n"));
        list = text ? magics_complete(s->magics, text, cursor - line) : json_array();
        free(text);
    } else {
        while (start > 0 && in_word(code[start - 1])) {
            start--;
        }
        struct matches m = { .list = json_array(), .prefix = code + start, .len = cursor - start };
        if (!offer_members(s, &m, code, start)) {
            offer_names(s, &m);
        }
        list = sorted(m.list);
    }
    return json_pack("{s:s, s:o, s:I, s:I}", "op", "reply", "matches", list, "cursor_start", (json_int_t)start,
                     "cursor_end", (json_int_t)cursor);
}

/* ---- inspect ---- */

static void describe_decl(struct buf *out, const struct decl *d)
{
    const struct source *source = d->source;
    size_t len = source->len;
    const char *body = d->kind == DECL_FUNCTION ? memchr(source->text, '{', len) : NULL;
    if (body) { /* the head says how to call it */
        len = (size_t)(body - source->text);
        while (len > 0 && isspace((unsigned char)source->text[len - 1])) {
            len--;
        }
    }
    buf_add(out, source->text, len);
    if (body) {
        buf_char(out, ';');
    }
    if (source->header) {
        buf_printf(out, "\n\n#include %s", source->header);
    } else {
        buf_printf(out, "\n\ncell [%d] line %d", source->number, source->line);
    }
}

static const struct decl *find_any(const struct index *ix, const char *name, size_t len)
{
    char tag[256];
    const struct decl *d = index_find(ix, name, len);
    d = d ? d : index_find_macro(ix, name, len);
    static const char *const kinds[] = { "struct", "union", "enum" };
    for (size_t i = 0; !d && i < sizeof kinds / sizeof *kinds; i++) {
        int n = snprintf(tag, sizeof tag, "%s %.*s", kinds[i], (int)(len < 200 ? len : 200), name);
        d = index_find(ix, tag, (size_t)n);
    }
    return d;
}

json_t *session_inspect(struct session *s, const char *code, size_t cursor)
{
    size_t len = strlen(code);
    cursor = cursor < len ? cursor : len;
    size_t start = cursor, end = cursor, line = line_start(code, cursor);
    struct buf text;
    buf_init(&text, 1 << 20);
    while (start > 0 && in_word(code[start - 1])) {
        start--;
    }
    while (in_word(code[end])) {
        end++;
    }
    const struct decl *d = start < end ? find_any(s->index, code + start, end - start) : NULL;
    if (code[line] == '%') {
        size_t name = line + strspn(code + line, "%");
        char word[64];
        (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(code + name, " \t\n?"), code + name);
        const char *help = magics_help(word);
        buf_str(&text, help ? help : "");
    } else if (d) {
        describe_decl(&text, d);
    }
    json_t *plain = text.len > 0 ? json_stringn(text.data, text.len) : NULL;
    json_t *reply = plain ? json_pack("{s:s, s:b, s:{s:o}}", "op", "reply", "found", true, "data", "text/plain", plain)
                          : json_pack("{s:s, s:b, s:{}}", "op", "reply", "found", false, "data");
    buf_done(&text);
    return reply;
}
