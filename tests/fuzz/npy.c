/* Any bytes as an artifact's file: what npy_read accepts lies inside the bytes and can be shown. */
#include "runtime/type/npy.h"
#include "runtime/type/show.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
    struct arena a;
    struct npy file;
    arena_init(&a);
    if (npy_read(data, len, true, &a, &file, NULL) == ERR_NONE) {
        if (file.payload > len || file.bytes > len - file.payload) {
            abort();
        }
        struct buf out;
        buf_init(&out, 1 << 20);
        (void)show_value(&out, &file.field, data + file.payload, &show_defaults, NULL); /* too long is no finding */
        buf_done(&out);
    }
    (void)npy_read(data, len, false, &a, &file, NULL); /* only the beginning of a file */
    arena_done(&a);
    return 0;
}
