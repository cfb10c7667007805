/* sha256 against the vectors of FIPS 180-4 and NIST's long message. */
#include "runtime/base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include <cmocka.h>

static const char ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void check(const struct iovec *parts, int n, const char *expected)
{
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX];
    struct err e;
    assert_int_equal(sha256_parts(parts, n, digest, &e), ERR_NONE);
    sha256_hex(digest, hex);
    assert_string_equal(hex, expected);
}

static void known_digests(void **state)
{
    (void)state;
    char abc[] = "abc";
    char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    check(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check(&(struct iovec){ abc, 3 }, 1, ABC);
    check(&(struct iovec){ two, 56 }, 1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_a(void **state)
{
    (void)state;
    char *a = malloc(1000000);
    assert_non_null(a);
    memset(a, 'a', 1000000);
    check(&(struct iovec){ a, 1000000 }, 1, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(a);
}

static void parts_are_concatenated(void **state)
{
    (void)state;
    char a[] = "a";
    char bc[] = "bc";
    check((struct iovec[]){ { a, 1 }, { NULL, 0 }, { bc, 2 } }, 3, ABC);
}

static void pieces_give_the_same(void **state)
{
    (void)state;
    struct sha256 h;
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX];
    assert_int_equal(sha256_begin(&h, NULL), ERR_NONE);
    sha256_add(&h, "ab", 2);
    sha256_add(&h, "", 0);
    sha256_add(&h, "c", 1);
    assert_int_equal(sha256_end(&h, digest, NULL), ERR_NONE);
    sha256_hex(digest, hex);
    assert_string_equal(hex, ABC);
}

static void hex_goes_back(void **state)
{
    (void)state;
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX];
    char upper[] = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
    assert_int_equal(sha256_parse(upper, digest, NULL), ERR_NONE);
    sha256_hex(digest, hex);
    assert_string_equal(hex, ABC);
}

static void what_is_no_digest_is_refused(void **state)
{
    (void)state;
    unsigned char digest[SHA256_BYTES] = { 7 };
    char bad[] = "xa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    struct err e;
    assert_int_equal(sha256_parse("ba78", digest, &e), ERR_FORMAT);
    assert_string_equal(e.msg, "'ba78' is not a sha256: it has 64 hexadecimal digits");
    assert_int_equal(sha256_parse(bad, digest, &e), ERR_FORMAT);
    assert_int_equal(digest[0], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests),          cmocka_unit_test(a_million_a),
        cmocka_unit_test(parts_are_concatenated), cmocka_unit_test(pieces_give_the_same),
        cmocka_unit_test(hex_goes_back),          cmocka_unit_test(what_is_no_digest_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
