/* Any bytes as an artifact's file: what npy_read accepts lies inside the bytes, can be shown, and its type can be
 * written. */
#include "runtime/type/npy.h"
#include "runtime/type/show.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

static void use(const struct npy *file, const unsigned char *data, size_t len)
{
    if (file->payload > len || file->bytes > len - file->payload) {
        abort();
    }
    struct weir_field f = npy_payload_field(file);
    struct buf out;
    buf_init(&out, 1 << 20);
    (void)show_value(&out, &f, data + file->payload, &show_defaults, NULL); /* too long is no finding */
    (void)show_table(&out, &out, &f, data + file->payload, &show_defaults, NULL);
    buf_clear(&out);
    if (npy_header(&out, &file->field, NULL, file->field.size, NULL) == ERR_NONE && out.len % 64 != 0) {
        abort();
    }
    buf_done(&out);
    char *copy = malloc(file->bytes + 1);
    size_t n = 1;
    for (unsigned i = 0; i < f.ndim; i++) {
        n *= f.dim[i];
    }
    if (copy) {
        npy_canonical(&f, copy, data + file->payload, n);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
    struct arena a;
    struct npy file;
    arena_init(&a);
    if (npy_read(data, len, true, &a, &file, NULL) == ERR_NONE) {
        use(&file, data, len);
    }
    (void)npy_read(data, len, false, &a, &file, NULL); /* only the beginning of a file */
    arena_done(&a);
    return 0;
}
