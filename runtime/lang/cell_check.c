/* What is looked at before a cell goes to a compiler: calls of undeclared functions, and what tcc is not the right compiler
 * for. See cell_internal.h. */
#include "runtime/lang/cell_internal.h"

#include "runtime/base/words.h"
#include "runtime/lang/constant.h"
#include "runtime/lang/scan.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 64, NEAREST = 3 };

/* Functions that people call without their header, where that is not among those which are there from the start. */
static const struct { const char *start, *header; } elsewhere[] = {
    { "gsl_", "gsl/gsl_*.h" }, { "sqlite3_", "sqlite3.h" }, { "cblas_", "cblas.h" }, { "LAPACKE_", "lapacke.h" },
    { "curl_", "curl/curl.h" }, { "json_", "jansson.h" }, { "zmq_", "zmq.h" }, { "omp_", "omp.h" }, { "fftw_", "fftw3.h" },
    { "reg", "regex.h" }, { "dlopen", "dlfcn.h" }, { "dlsym", "dlfcn.h" }, { "getopt", "getopt.h" }, { "svm_", "svm.h" },
    { "thrd_", "threads.h" }, { "mtx_", "threads.h" }, { "socket", "sys/socket.h" }, { "inet_", "arpa/inet.h" },
    { "getaddrinfo", "netdb.h" }, { "ioctl", "sys/ioctl.h" }, { "sem_", "semaphore.h" }, { "fe", "fenv.h" },
    { "glob", "glob.h" }, { "nftw", "ftw.h" }, { "iconv", "iconv.h" }, { "basename", "libgen.h" }, { "dirname", "libgen.h" },
    { "sched_", "sched.h" }, { "getrandom", "sys/random.h" }, { "uname", "sys/utsname.h" }, { "c8rtomb", "uchar.h" },
    { "weir_", "weir.h" },
};

/* ---- calls of what is not declared ---- */

static bool is_known_name(const struct lowering *l, const char *name, size_t len)
{
    const struct entry *entry = entry_find(l->ix, name, len);
    return entry_live(entry, SPACE_ORDINARY) || entry_macro(entry);
}

static bool is_builtin(const char *name, size_t len)
{
    static const char *const names[] = { "alloca", "va_start", "va_arg", "va_end", "va_copy", "defined", "__weir" };
    if (len > 2 && name[0] == '_' && name[1] == '_') {
        return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

/* A call, by its looks, of something that the index does not know. */
static bool is_suspect(const struct lowering *l, size_t i)
{
    const struct tokens *t = &l->t;
    const struct token *at = &t->at[i];
    const char *name = t->text + at->start;
    if (at->kind != TOKEN_IDENT || !token_is(t, i + 1, "(") || lex_word(name, at->len) != WORD_NAME) {
        return false;
    }
    bool member = i > 0 && (token_is(t, i - 1, ".") || token_is(t, i - 1, "->"));
    bool own_main = at->len > strlen(CELL_MAIN) && memcmp(name, CELL_MAIN, strlen(CELL_MAIN)) == 0;
    return !member && !own_main && !is_builtin(name, at->len) && !is_known_name(l, name, at->len);
}

static bool is_function_macro(void *ctx, const char *name, size_t len)
{
    const struct node *macro = entry_macro(entry_find(ctx, name, len));
    return macro && macro->piece->function_like;
}

/* Whether token i is a free name of its item (not a local, a parameter, or a macro's business). */
static bool is_free(struct lowering *l, const struct item *item, size_t i, bool *known)
{
    struct scan_options o = { .is_typedef = index_is_typedef, .is_call = is_function_macro, .ctx = l->ix };
    struct scan scan = { 0 };
    bool body = item->kind == ITEM_STATEMENT || item->kind == ITEM_EXPRESSION;
    struct err ignored;
    enum err_code code = body ? scan_body(&l->t, item->first, item->end, &o, l->a, &scan, &ignored)
                              : scan_declaration(&l->t, &item->decl, &o, l->a, &scan, &ignored);
    *known = code == ERR_NONE;
    if (code && item->kind == ITEM_EXPRESSION) { /* it has no `;`, and without braces no names of its own */
        *known = true;
        for (size_t k = item->first; k < item->end && *known; k++) {
            *known = !token_is(&l->t, k, "{");
        }
        return *known;
    }
    for (size_t k = 0; !code && k < scan.nuses; k++) {
        if (scan.uses[k].token == i) {
            return !scan.uses[k].argument;
        }
    }
    return false;
}

/* As far as it stays below `limit`. Words whose lengths differ by more are not looked at. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb, unsigned limit)
{
    if (na > MAX_NAME || nb > MAX_NAME || (na > nb ? na - nb : nb - na) >= limit) {
        return limit;
    }
    unsigned d = words_distance(a, na, b, nb, false);
    return d < limit ? d : limit;
}

struct near {
    const struct node *node;
    unsigned distance;
};

static void consider(struct near *near, const struct node *node, unsigned d)
{
    for (size_t i = 0; i < NEAREST; i++) {
        bool closer = !near[i].node || d < near[i].distance ||
                      (d == near[i].distance && strcmp(node->entry->name, near[i].node->entry->name) < 0);
        if (closer) {
            for (size_t k = NEAREST - 1; k > i; k--) {
                near[k] = near[k - 1];
            }
            near[i] = (struct near){ node, d };
            return;
        }
    }
}

/* The callable names nearest to one that is unknown; only those at the smallest distance count. */
static void find_near(const struct lowering *l, const char *name, size_t len, struct near near[NEAREST])
{
    unsigned limit = len <= 3 ? 2 : len <= 7 ? 3 : 4;
    for (size_t b = 0; b < l->ix->nbuckets; b++) {
        for (const struct entry *entry = l->ix->buckets[b]; entry; entry = entry->next) {
            const struct node *node = entry_live(entry, SPACE_ORDINARY);
            const struct node *macro = entry_macro(entry);
            node = node && node->decl.kind == DECL_FUNCTION ? node : macro && macro->piece->function_like ? macro : NULL;
            unsigned d = node && entry->name[0] != '_' ? distance(name, len, entry->name, entry->len, limit) : limit;
            if (d < limit && d < len) {
                consider(near, node, 2 * d + (entry->name[0] != name[0]));
            }
        }
    }
    for (size_t i = 1; i < NEAREST; i++) {
        if (near[i].node && near[i].distance > near[0].distance) {
            near[i].node = NULL;
        }
    }
}

static enum err_code not_declared(struct lowering *l, size_t i)
{
    const struct token *at = &l->t.at[i];
    const char *name = l->t.text + at->start;
    int len = (int)at->len;
    struct near near[NEAREST] = { { 0 } };
    for (size_t k = 0; k < sizeof elsewhere / sizeof *elsewhere; k++) {
        size_t n = strlen(elsewhere[k].start);
        if (at->len >= n && memcmp(name, elsewhere[k].start, n) == 0) {
            return err_at(l->e, ERR_NAME, l->label, (int)at->line, "'%.*s' is not declared: #include <%s> may be missing", len,
                          name, elsewhere[k].header);
        }
    }
    find_near(l, name, at->len, near);
    struct buf text;
    buf_init(&text, 0);
    for (size_t k = 0; k < NEAREST && near[k].node; k++) {
        const struct source *source = near[k].node->decl.source;
        buf_printf(&text, "%s'%s'", k ? " or " : "", near[k].node->entry->name);
        if (source->header) {
            buf_printf(&text, " (%s)", source->header);
        } else {
            buf_printf(&text, " (cell [%d])", source->number);
        }
    }
    enum err_code code =
        text.len ? err_at(l->e, ERR_NAME, l->label, (int)at->line, "'%.*s' is not declared; did you mean %s?", len, name, text.data)
                 : err_at(l->e, ERR_NAME, l->label, (int)at->line,
                          "'%.*s' is not declared: no cell has it, and no header that is included", len, name);
    buf_done(&text);
    return code;
}

enum err_code cell_check_calls(struct lowering *l)
{
    for (size_t k = 0; k < l->items.count; k++) {
        const struct item *item = &l->items.at[k];
        for (size_t i = item->first; i < item->end && !l->record->item_inactive[k]; i++) {
            bool known = false;
            if (is_suspect(l, i) && is_free(l, item, i, &known) && known) {
                return not_declared(l, i);
            }
        }
    }
    return ERR_NONE;
}

/* ---- cells for cc ---- */

static bool starts_with(const char *s, size_t len, const char *start)
{
    size_t n = strlen(start);
    return len >= n && memcmp(s, start, n) == 0;
}

/* Words that tcc refuses, or takes without doing what they say. */
static bool cc_word(const char *s, size_t len)
{
    static const char *const words[] = { "_Complex", "__complex__", "_Atomic", "_Thread_local", "__thread", "__int128",
                                         "__int128_t", "__uint128_t", "__auto_type", "_Pragma", "cleanup", "__cleanup__",
                                         "vector_size", "__vector_size__", "_Alignas", "alignas", "__has_include",
                                         "__VA_OPT__", "_Float128", "__float128", "thread_local" };
    static const char *const starts[] = { "__sync_", "__atomic_", "atomic_", "__builtin_popcount", "__builtin_clz",
                                          "__builtin_ctz", "__builtin_ffs", "__builtin_parity", "__builtin_bswap", "__builtin_add_",
                                          "__builtin_sub_", "__builtin_mul_", "__builtin_sadd", "__builtin_smul",
                                          "__builtin_uadd", "__builtin_umul", "__builtin_prefetch", "__builtin_trap",
                                          "__builtin_nan", "__builtin_inf", "__builtin_huge", "__builtin_shuffle",
                                          "__builtin_convertvector", "_mm_", "_mm256_", "_mm512_" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) == len && memcmp(words[i], s, len) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (starts_with(s, len, starts[i])) {
            return true;
        }
    }
    return false;
}

static bool cc_directive(const char *s, size_t len)
{
    static const char *const includes[] = { "immintrin.h", "x86intrin.h", "xmmintrin.h", "emmintrin.h", "tgmath.h",
                                            "complex.h", "stdatomic.h", "regex.h", "cblas.h", "lapacke.h", "omp.h",
                                            "arm_neon.h", "fenv.h", "quadmath.h", "threads.h" };
    bool pragma = memmem(s, len, "pragma", 6) != NULL;
    if (pragma) {
        return memmem(s, len, "omp", 3) || memmem(s, len, "GCC", 3) || memmem(s, len, "STDC", 4);
    }
    if (memmem(s, len, "__has_include", 13)) {
        return true;
    }
    for (size_t i = 0; memmem(s, len, "include", 7) && i < sizeof includes / sizeof *includes; i++) {
        if (memmem(s, len, includes[i], strlen(includes[i]))) {
            return true;
        }
    }
    return false;
}

/* (*A)[m] with an m that is no constant: tcc strides by one element. */
static bool is_vla_pointer(const struct lowering *l, size_t i)
{
    const struct tokens *t = &l->t;
    if (!token_is(t, i, "(") || !token_is(t, i + 1, "*") || t->at[i + 2].kind != TOKEN_IDENT || !token_is(t, i + 3, ")") ||
        !token_is(t, i + 4, "[")) {
        return false;
    }
    size_t close = token_match(t, i + 4);
    struct buf text;
    long long value;
    buf_init(&text, 4096);
    outline_tokens(&text, t, i + 5, close, 0);
    bool before = i > 0 && (t->at[i - 1].kind == TOKEN_IDENT || token_is(t, i - 1, "*")); /* a declarator: a type precedes it */
    bool yes = before && !text.failed && text.len && constant_eval(l->ix, text.data, NULL, NULL, &value) == CONSTANT_NOT;
    buf_done(&text);
    return yes;
}

static bool cc_tokens(const struct lowering *l)
{
    const struct tokens *t = &l->t;
    for (size_t i = 0; i < t->count; i++) {
        const struct token *at = &t->at[i];
        const char *s = t->text + at->start;
        bool yes = false;
        switch (at->kind) {
        case TOKEN_IDENT:
            yes = cc_word(s, at->len) && lex_word(s, at->len) != WORD_OPERATOR &&
                  !(i > 0 && (token_is(t, i - 1, ".") || token_is(t, i - 1, "->")));
            break;
        case TOKEN_STRING:
        case TOKEN_CHAR:
            yes = (at->len > 2 && s[0] == 'u' && s[1] == '8') || memmem(s, at->len, "\\u", 2) || memmem(s, at->len, "\\U", 2);
            break;
        case TOKEN_PP:
            yes = cc_directive(s, at->len);
            break;
        case TOKEN_PUNCT:
            yes = is_vla_pointer(l, i);
            break;
        case TOKEN_NUMBER:
            yes = at->len > 1 && (s[at->len - 1] == 'i' || s[at->len - 1] == 'j') && s[0] >= '0' && s[0] <= '9' &&
                  !(s[0] == '0' && (s[1] | 32) == 'x');
            break;
        case TOKEN_END:
        default:
            break;
        }
        if (yes) {
            return true;
        }
    }
    return false;
}

/* `double a[n][m]` among parameters. */
static bool has_array_parameters(const struct lowering *l)
{
    for (size_t k = 0; k < l->items.count; k++) {
        const struct item *item = &l->items.at[k];
        bool declares = item->kind == ITEM_FUNCTION || item->kind == ITEM_DECLARATION;
        const struct ctype *f = declares && item->decl.ndeclarators ? item->decl.declarators[0].type : NULL;
        for (size_t i = 0; f && f->kind == CTYPE_FUNCTION && i < f->nmembers; i++) {
            const struct ctype *type = f->members[i].type;
            bool inner = type && (type->kind == CTYPE_ARRAY || type->kind == CTYPE_POINTER);
            if (inner && piece_is_runtime_array(l->ix, type->of)) {
                return true;
            }
        }
    }
    return false;
}

static bool by_value(const struct index *ix, const struct ctype *type)
{
    const struct ctype *resolved = type ? index_resolve(ix, type) : NULL;
    return resolved && (resolved->kind == CTYPE_STRUCT || resolved->kind == CTYPE_UNION || resolved->kind == CTYPE_COMPLEX);
}

/* tcc and gcc pass some structs differently: a function of a library's, or of a cc cell's, that takes or gives one. */
static bool passes_structs(struct index *ix, struct piece *piece)
{
    bool foreign = piece->record->is_header ? piece->record->is_library : piece->record->by_cc;
    const struct cdeclaration *d = foreign && !piece->is_macro ? piece_parse(ix, piece) : NULL;
    const struct ctype *f = d && d->ndeclarators ? d->declarators[0].type : NULL;
    if (!f || f->kind != CTYPE_FUNCTION || d->storage == CDECL_TYPEDEF) {
        return false;
    }
    bool yes = by_value(ix, f->of);
    for (size_t i = 0; i < f->nmembers && !yes; i++) {
        yes = by_value(ix, f->members[i].type);
    }
    return yes;
}

/* A declaration from elsewhere that tcc does not understand. */
static bool is_foreign(struct piece *piece)
{
    if (!piece->cc_looked) {
        const char *text = piece->outline ? piece->outline : piece->source.text;
        size_t len = piece->outline ? piece->outline_len : piece->source.len;
        struct tokens t;
        piece->cc_looked = true;
        bool libc = piece->record->is_header && !piece->record->is_library; /* from tcc's own preprocessing */
        if (!libc && !lex(text, len, &t, NULL)) {
            for (size_t k = 0; k < t.count && !piece->is_foreign; k++) {
                piece->is_foreign = t.at[k].kind == TOKEN_IDENT && cc_word(t.text + t.at[k].start, t.at[k].len);
            }
            tokens_done(&t);
        }
    }
    return piece->is_foreign;
}

static bool has_floating(const struct index *ix, const struct ctype *type, unsigned depth)
{
    type = type ? index_resolve(ix, type) : NULL;
    if (!type || depth > 10 || type->kind == CTYPE_POINTER || type->kind == CTYPE_INTEGER) {
        return false;
    }
    bool yes = type->kind == CTYPE_FLOATING || has_floating(ix, type->of, depth + 1);
    for (size_t i = 0; i < type->nmembers && !yes && type->kind != CTYPE_ENUM; i++) {
        yes = has_floating(ix, type->members[i].type, depth + 1);
    }
    return yes;
}

/* A variable that tcc would read wrongly: as the right operand of an operator it addresses a float or double relative to the
 * code, within 2 GB, and beyond that reads garbage in silence. What tcc's cells define is near; a cc cell's object is not. */
static bool is_out_of_reach(const struct index *ix, const struct piece *piece)
{
    bool yes = false;
    for (const struct node *n = piece->nodes; n && !yes; n = n->sibling) {
        yes = n->is_far && has_floating(ix, n->decl.type, 0);
    }
    return yes;
}

/* The same of a variable that this cell declares again. */
static bool keeps_out_of_reach(const struct lowering *l)
{
    for (const struct piece *p = l->record->first; p; p = p->next) {
        for (const struct node *n = p->nodes; n; n = n->sibling) {
            const struct node *older = n->decl.kind == DECL_VARIABLE ? node_kept(n) : NULL;
            if (older && older->is_far && has_floating(l->ix, n->decl.type, 0)) {
                return true;
            }
        }
    }
    return false;
}

/* At most as many bytes as a variable of the type has; what only a compiler can tell counts once. */
static double most_bytes(const struct index *ix, const struct ctype *type, unsigned depth)
{
    long long n = 1;
    double sum = 0;
    type = type ? index_resolve(ix, type) : NULL;
    if (!type || depth > 20 || type->kind == CTYPE_POINTER || type->kind == CTYPE_FUNCTION || type->kind == CTYPE_ENUM) {
        return 8;
    }
    if (type->kind == CTYPE_ARRAY) {
        bool known = type->dim[0] && constant_eval(ix, type->dim, NULL, NULL, &n) == CONSTANT_VALUE && n > 0;
        return (known ? (double)n : 1) * most_bytes(ix, type->of, depth + 1);
    }
    if (type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION) {
        for (size_t i = 0; i < type->nmembers; i++) {
            sum += most_bytes(ix, type->members[i].type, depth + 1);
        }
        return sum;
    }
    bool wide = type->kind == CTYPE_COMPLEX || (type->kind == CTYPE_FLOATING && type->spelling && strstr(type->spelling, "long"));
    return wide ? 32 : type->kind == CTYPE_CHAR || type->kind == CTYPE_BOOL ? 1 : 8;
}

/* tcc counts bytes in an int: from 2 GB on a type's size is wrong in silence. */
static bool is_too_large(const struct index *ix, const struct piece *piece)
{
    const double limit = 2147483648.0;
    bool yes = false;
    for (const struct node *n = piece->record->is_header ? NULL : piece->nodes; n && !yes; n = n->sibling) {
        yes = n->decl.type && n->decl.kind != DECL_FUNCTION && most_bytes(ix, n->decl.type, 0) >= limit;
    }
    return yes;
}

static bool has_too_large(const struct lowering *l)
{
    bool yes = false;
    for (const struct piece *p = l->record->first; p && !yes; p = p->next) {
        yes = is_too_large(l->ix, p);
    }
    for (size_t i = 0; i < l->prelude.npieces && !yes; i++) {
        yes = is_too_large(l->ix, l->prelude.pieces[i]);
    }
    return yes;
}

bool cell_wants_cc(struct lowering *l)
{
    if (cc_tokens(l) || has_array_parameters(l) || keeps_out_of_reach(l) || has_too_large(l)) {
        return true;
    }
    for (size_t i = 0; i < l->prelude.npieces; i++) {
        if (is_foreign(l->prelude.pieces[i]) || is_out_of_reach(l->ix, l->prelude.pieces[i]) || passes_structs(l->ix, l->prelude.pieces[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < l->prelude.nmacros; i++) {
        if (is_foreign(l->prelude.macros[i])) {
            return true;
        }
    }
    return false;
}
