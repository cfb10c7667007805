/* Any bytes as the frames of a message, cut at newlines, without and with a key. */
#include "kernel/wire.h"

#include <stdlib.h>
#include <string.h>

static size_t cut(const unsigned char *data, size_t len, struct frame *frames, size_t max)
{
    size_t count = 0, start = 0;
    for (size_t i = 0; i <= len && count < max; i++) {
        if (i == len || data[i] == '\n') {
            frames[count++] = (struct frame){ data + start, i - start };
            start = i + 1;
        }
    }
    return count;
}

static void decode(const char *key, const struct frame *frames, size_t count)
{
    struct wire *w;
    struct message *m;
    if (wire_new(key, strlen(key), &w, NULL) != ERR_NONE) {
        return;
    }
    if (wire_decode(w, frames, count, &m, NULL) == ERR_NONE) {
        if (!m->type || !m->id || !json_is_object(m->content)) {
            abort();
        }
        message_free(m);
    }
    wire_free(w);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
    struct frame frames[WIRE_FRAMES_MAX + 8];
    size_t count = cut(data, len, frames, sizeof frames / sizeof frames[0]);
    decode("", frames, count);
    decode("key", frames, count);
    return 0;
}
