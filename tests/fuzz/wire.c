/* Fuzzing wire_decode: the bytes are cut into frames as a socket would give them. The first byte chooses whether
 * signatures are checked; then each frame is 2 bytes of length and its bytes. A message that is taken is encoded again
 * as a reply. */
#include "kernel/wire.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Copies, so that reading past a frame's end is seen. */
static size_t cut(const uint8_t *data, size_t size, struct frame *frames, size_t max)
{
    size_t count = 0;
    while (size >= 2 && count < max) {
        size_t len = (size_t)data[0] | (size_t)data[1] << 8;
        data += 2;
        size -= 2;
        len = len < size ? len : size;
        void *copy = malloc(len ? len : 1);
        if (!copy) {
            abort();
        }
        memcpy(copy, data, len);
        frames[count++] = (struct frame){ copy, len };
        data += len;
        size -= len;
    }
    return count;
}

static void answer(struct wire *w, const struct message *m)
{
    struct envelope x;
    struct err e;
    envelope_init(&x);
    if (wire_encode(w, "fuzz_reply", m->header_text, m->metadata, m->content, &x, &e) == ERR_NONE &&
        x.end[WIRE_PARTS - 1] != x.text.len) {
        abort();
    }
    envelope_done(&x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct frame frames[WIRE_FRAMES_MAX + 8];
    struct wire *w = NULL;
    struct message *m = NULL;
    struct err e;
    if (size == 0 || wire_new("key", data[0] & 1 ? 3 : 0, &w, &e) != ERR_NONE) {
        return 0;
    }
    size_t count = cut(data + 1, size - 1, frames, sizeof frames / sizeof *frames);
    enum err_code rc = wire_decode(w, frames, count, &m, &e);
    if ((rc == ERR_NONE) != (m != NULL) || (rc != ERR_NONE && e.msg[0] == '\0')) {
        abort();
    }
    if (m) {
        const char *date = json_string_value(json_object_get(m->header, "date"));
        (void)wire_date_us(date ? date : m->id);
        answer(w, m);
    }
    message_free(m);
    wire_free(w);
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)frames[i].data);
    }
    return 0;
}
