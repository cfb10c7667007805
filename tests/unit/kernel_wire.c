/* The wire format: what wire_decode takes and refuses, and that wire_encode signs as others check. */
#include "kernel/wire.h"

#include "kernel/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(s)                                                                                                        \
    {                                                                                                                  \
        s, sizeof(s) - 1                                                                                               \
    }

static const char key[] = "a-key";

/* Signed by Python: m = hmac.new(b"a-key", digestmod=hashlib.sha256); m.update of the four parts; m.hexdigest() */
#define HEADER                                                                                                         \
    "{\"msg_id\":\"m1\",\"msg_type\":\"kernel_info_request\",\"session\":\"s\",\"username\":\"u\","                    \
    "\"date\":\"2025-01-01T00:00:00Z\",\"version\":\"5.4\"}"
#define SIGNATURE "d3a047ba01239780ec668953dd54bbfc851ad4b9666c16f8ff6de565edbab6ea"

static const struct frame golden[] = {
    TEXT("client"), TEXT("<IDS|MSG>"),           TEXT(SIGNATURE), TEXT(HEADER), TEXT("{}"),
    TEXT("{}"),     TEXT("{\"code\":\"1 + 1\"}")
};
enum {
    GOLDEN = sizeof golden / sizeof *golden,
    AT_MARK = 1,
    AT_SIGNATURE,
    AT_HEADER,
    AT_PARENT,
    AT_METADATA,
    AT_CONTENT
};

static struct wire *wire_with(const char *text)
{
    struct wire *w = NULL;
    assert_int_equal(wire_new(text, strlen(text), &w, NULL), ERR_NONE);
    return w;
}

/* Decode frames, which must fail with a code and a message. */
static void refuse(struct wire *w, const struct frame *frames, size_t count, enum err_code code, const char *text)
{
    struct message *m = NULL;
    struct err e;
    assert_int_equal(wire_decode(w, frames, count, &m, &e), code);
    assert_string_equal(e.msg, text);
    assert_null(m);
}

/* The golden message with one frame changed, on a wire without key: must be refused. */
static void refuse_with(size_t at, struct frame changed, enum err_code code, const char *text)
{
    struct frame frames[GOLDEN];
    memcpy(frames, golden, sizeof golden);
    frames[at] = changed;
    struct wire *w = wire_with("");
    refuse(w, frames, GOLDEN, code, text);
    wire_free(w);
}

static void test_takes_what_python_signed(void **state)
{
    (void)state;
    struct wire *w = wire_with(key);
    struct message *m = NULL;
    struct err e;
    assert_int_equal(wire_decode(w, golden, GOLDEN, &m, &e), ERR_NONE);
    assert_string_equal(m->type, "kernel_info_request");
    assert_string_equal(m->id, "m1");
    assert_string_equal(m->header_text, HEADER);
    assert_int_equal(m->nidentities, 1);
    assert_memory_equal(m->identities[0].data, "client", 6);
    assert_string_equal(json_string_value(json_object_get(m->content, "code")), "1 + 1");
    message_free(m);
    wire_free(w);
}

static void test_takes_buffers_and_no_identities(void **state)
{
    (void)state;
    struct frame frames[GOLDEN + 1];
    memcpy(frames, golden + 1, sizeof golden - sizeof *golden);
    frames[GOLDEN - 1] = (struct frame)TEXT("a buffer");
    frames[GOLDEN] = (struct frame)TEXT("another");
    struct wire *w = wire_with(key);
    struct message *m = NULL;
    struct err e;
    assert_int_equal(wire_decode(w, frames, GOLDEN + 1, &m, &e), ERR_NONE);
    assert_int_equal(m->nidentities, 0);
    message_free(m);
    wire_free(w);
}

static void test_refuses_a_replay(void **state)
{
    (void)state;
    struct wire *w = wire_with(key);
    struct message *m = NULL;
    struct err e;
    assert_int_equal(wire_decode(w, golden, GOLDEN, &m, &e), ERR_NONE);
    refuse(w, golden, GOLDEN, ERR_NAME, "replayed: its signature was seen before");
    message_free(m);
    wire_free(w);
}

static void test_refuses_every_changed_byte_of_a_signature(void **state)
{
    (void)state;
    struct wire *w = wire_with(key);
    for (size_t i = 0; i < WIRE_SIGNATURE; i++) {
        char signature[] = SIGNATURE;
        struct frame frames[GOLDEN];
        memcpy(frames, golden, sizeof golden);
        signature[i] = signature[i] == '0' ? '1' : '0';
        frames[AT_SIGNATURE].data = signature;
        refuse(w, frames, GOLDEN, ERR_NAME, "wrong signature");
    }
    wire_free(w);
}

static void test_refuses_unsigned_short_and_changed_messages(void **state)
{
    (void)state;
    struct wire *w = wire_with(key);
    struct frame frames[GOLDEN];
    memcpy(frames, golden, sizeof golden);
    frames[AT_SIGNATURE].len = 0;
    refuse(w, frames, GOLDEN, ERR_NAME, "unsigned");
    frames[AT_SIGNATURE].len = WIRE_SIGNATURE - 1;
    refuse(w, frames, GOLDEN, ERR_NAME, "wrong signature");
    memcpy(frames, golden, sizeof golden);
    frames[AT_CONTENT] = (struct frame)TEXT("{\"code\":\"2 + 1\"}");
    refuse(w, frames, GOLDEN, ERR_NAME, "wrong signature");
    wire_free(w);
}

static void test_without_a_key_any_signature_is_taken(void **state)
{
    (void)state;
    struct wire *w = wire_with("");
    struct message *m = NULL;
    struct err e;
    for (int i = 0; i < 2; i++) { /* and nothing is a replay */
        assert_int_equal(wire_decode(w, golden, GOLDEN, &m, &e), ERR_NONE);
        message_free(m);
    }
    wire_free(w);
}

static void test_refuses_missing_frames(void **state)
{
    (void)state;
    struct wire *w = wire_with("");
    refuse(w, golden, 0, ERR_FORMAT, "no <IDS|MSG> frame");
    refuse(w, golden, 1, ERR_FORMAT, "no <IDS|MSG> frame");
    refuse(w, golden, 2, ERR_FORMAT, "0 frames after <IDS|MSG>, at least 5 are needed");
    refuse(w, golden, GOLDEN - 1, ERR_FORMAT, "4 frames after <IDS|MSG>, at least 5 are needed");
    wire_free(w);
}

static void test_refuses_bad_json(void **state)
{
    (void)state;
    refuse_with(AT_HEADER, (struct frame)TEXT("[]"), ERR_FORMAT, "header is not a JSON object");
    refuse_with(AT_HEADER, (struct frame)TEXT("{\"msg_id\":\"1\"}"), ERR_FORMAT, "header has no msg_type");
    refuse_with(AT_HEADER, (struct frame)TEXT("{\"msg_type\":\"x\",\"msg_id\":1}"), ERR_FORMAT, "header has no msg_id");
    refuse_with(AT_PARENT, (struct frame)TEXT("null"), ERR_FORMAT,
                "parent header is not JSON: '[' or '{' expected near 'null'");
    refuse_with(AT_METADATA, (struct frame)TEXT(""), ERR_FORMAT,
                "metadata is not JSON: '[' or '{' expected near end of file");
    refuse_with(AT_CONTENT, (struct frame)TEXT("{\"a\":"), ERR_FORMAT,
                "content is not JSON: unexpected token near end of file");
    refuse_with(AT_CONTENT, (struct frame)TEXT("{} {}"), ERR_FORMAT,
                "content is not JSON: end of file expected near '{'");
}

static void test_refuses_deep_json(void **state)
{
    (void)state;
    char deep[2 * WIRE_DEPTH_MAX + 8] = "{\"a\":";
    size_t n = strlen(deep);
    memset(deep + n, '[', WIRE_DEPTH_MAX);
    memset(deep + n + WIRE_DEPTH_MAX, ']', WIRE_DEPTH_MAX);
    deep[n + 2 * WIRE_DEPTH_MAX] = '}';
    refuse_with(AT_CONTENT, (struct frame){ deep, n + 2 * WIRE_DEPTH_MAX + 1 }, ERR_LIMIT,
                "content is nested deeper than 200");
}

static void test_refuses_too_much(void **state)
{
    (void)state;
    struct wire *w = wire_with("");
    struct frame many[WIRE_FRAMES_MAX + 1];
    memcpy(many, golden, sizeof golden);
    for (size_t i = GOLDEN; i < WIRE_FRAMES_MAX + 1; i++) {
        many[i] = (struct frame)TEXT("x");
    }
    refuse(w, many, WIRE_FRAMES_MAX + 1, ERR_LIMIT, "more than 256 frames");
    many[GOLDEN].len = WIRE_MESSAGE_MAX; /* never read: refused by its length */
    refuse(w, many, GOLDEN + 1, ERR_LIMIT, "larger than 67108864 bytes");
    wire_free(w);
}

/* Frames of an envelope, as a client would get them. */
static void frames_of(const struct envelope *x, struct frame frames[GOLDEN])
{
    size_t from = 0;
    frames[0] = (struct frame)TEXT("topic");
    frames[AT_MARK] = (struct frame)WIRE_DELIMITER;
    frames[AT_SIGNATURE] = (struct frame){ x->signature, strlen(x->signature) };
    for (size_t i = 0; i < WIRE_PARTS; i++) {
        frames[AT_HEADER + i] = (struct frame){ x->text.data + from, x->end[i] - from };
        from = x->end[i];
    }
}

static void test_what_is_encoded_can_be_decoded(void **state)
{
    (void)state;
    struct wire *w = wire_with(key);
    struct envelope x;
    struct frame frames[GOLDEN];
    struct message *m = NULL;
    struct err e;
    envelope_init(&x);
    json_t *content = json_pack("{s:s}", "text", "\xE2\x82\xAC \" \\ [{");
    assert_int_equal(wire_encode(w, "stream", "{\"msg_id\":\"m1\"}", NULL, content, &x, &e), ERR_NONE);
    frames_of(&x, frames);
    assert_int_equal(wire_decode(w, frames, GOLDEN, &m, &e), ERR_NONE);
    assert_string_equal(m->type, "stream");
    assert_string_equal(json_string_value(json_object_get(m->header, "session")), wire_session(w));
    assert_string_equal(json_string_value(json_object_get(m->header, "version")), "5.5");
    assert_true(json_equal(m->content, content));
    assert_memory_equal(frames[AT_PARENT].data, "{\"msg_id\":\"m1\"}", frames[AT_PARENT].len);
    message_free(m);
    json_decref(content);
    envelope_done(&x);
    wire_free(w);
}

static void test_ids_of_messages_differ(void **state)
{
    (void)state;
    struct wire *w = wire_with("");
    struct envelope a, b;
    struct err e;
    envelope_init(&a);
    envelope_init(&b);
    assert_int_equal(wire_encode(w, "status", NULL, NULL, NULL, &a, &e), ERR_NONE);
    assert_int_equal(wire_encode(w, "status", NULL, NULL, NULL, &b, &e), ERR_NONE);
    assert_string_equal(a.signature, "");
    assert_string_not_equal(a.text.data, b.text.data);
    envelope_done(&a);
    envelope_done(&b);
    wire_free(w);
}

/* Python: datetime.fromisoformat(text).timestamp() * 1e6 */
static void test_dates(void **state)
{
    (void)state;
    assert_int_equal(wire_date_us("2025-01-31T09:30:00.123456Z"), 1738315800123456);
    assert_int_equal(wire_date_us("2025-01-31T09:30:00.123Z"), 1738315800123000);
    assert_int_equal(wire_date_us("2025-01-31T09:30:00Z"), 1738315800000000);
    assert_int_equal(wire_date_us("2025-01-31T09:30:00.123456+01:00"), 1738312200123456);
    assert_int_equal(wire_date_us("2025-01-31T09:30:00-00:30"), 1738317600000000);
    static const char *const wrong[] = {
        "", "now", "2025-01-31", "2025-01-31T09:30:00", "2025-01-31T09:30:00+x", "2025-01-31T09:30:00Zx"
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(wire_date_us(wrong[i]), -1);
    }
    char now[WIRE_DATE_SIZE];
    long long before = wire_now_us();
    wire_date(now);
    assert_true(wire_date_us(now) >= before && wire_date_us(now) <= wire_now_us());
}

static void test_replay_remembers_the_latest_and_forgets_the_oldest(void **state)
{
    (void)state;
    struct replay r;
    unsigned char digest[REPLAY_DIGEST] = { 1 };
    replay_init(&r);
    for (unsigned i = 0; i < 3 * REPLAY_GENERATION; i++) {
        memcpy(digest, &(unsigned){ i + 1 }, sizeof i);
        assert_false(replay_has(&r, digest));
        assert_int_equal(replay_add(&r, digest, NULL), ERR_NONE);
        assert_true(replay_has(&r, digest));
    }
    memcpy(digest, &(unsigned){ 2 * REPLAY_GENERATION + 1 }, sizeof(unsigned));
    assert_true(replay_has(&r, digest));
    memcpy(digest, &(unsigned){ 1 }, sizeof(unsigned));
    assert_false(replay_has(&r, digest));
    replay_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_what_python_signed),
        cmocka_unit_test(test_takes_buffers_and_no_identities),
        cmocka_unit_test(test_refuses_a_replay),
        cmocka_unit_test(test_refuses_every_changed_byte_of_a_signature),
        cmocka_unit_test(test_refuses_unsigned_short_and_changed_messages),
        cmocka_unit_test(test_without_a_key_any_signature_is_taken),
        cmocka_unit_test(test_refuses_missing_frames),
        cmocka_unit_test(test_refuses_bad_json),
        cmocka_unit_test(test_refuses_deep_json),
        cmocka_unit_test(test_refuses_too_much),
        cmocka_unit_test(test_what_is_encoded_can_be_decoded),
        cmocka_unit_test(test_ids_of_messages_differ),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_replay_remembers_the_latest_and_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
