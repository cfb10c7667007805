/* Connection files: what is taken, and what is said of those that are not. */
#include "kernel/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PORTS "\"shell_port\":1001,\"iopub_port\":1002,\"stdin_port\":1003,\"control_port\":1004,\"hb_port\":1005"
#define GOOD "{\"transport\":\"tcp\",\"ip\":\"127.0.0.1\",\"key\":\"k\",\"signature_scheme\":\"hmac-sha256\"," PORTS "}"

static void refuse(const char *text, enum err_code code, const char *message)
{
    struct connection c = { .shell_port = 7 };
    struct err e;
    assert_int_equal(connection_parse(text, strlen(text), &c, &e), code);
    assert_string_equal(e.msg, message);
    assert_int_equal(c.shell_port, 7); /* outputs are untouched on failure */
}

static void test_a_good_file(void **state)
{
    (void)state;
    struct connection c;
    struct err e;
    assert_int_equal(connection_parse(GOOD, strlen(GOOD), &c, &e), ERR_NONE);
    assert_string_equal(c.transport, "tcp");
    assert_string_equal(c.ip, "127.0.0.1");
    assert_string_equal(c.key, "k");
    assert_int_equal(c.key_len, 1);
    int ports[] = { c.shell_port, c.iopub_port, c.stdin_port, c.control_port, c.hb_port };
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ports[i], 1001 + i);
    }
}

static void test_transport_and_scheme_have_defaults(void **state)
{
    (void)state;
    const char text[] = "{\"ip\":\"127.0.0.1\",\"key\":\"\"," PORTS "}";
    struct connection c;
    struct err e;
    assert_int_equal(connection_parse(text, strlen(text), &c, &e), ERR_NONE);
    assert_string_equal(c.transport, "tcp");
    assert_int_equal(c.key_len, 0);
}

static void test_refusals_name_the_field(void **state)
{
    (void)state;
    refuse("{", ERR_FORMAT, "connection file: line 1: string or '}' expected near end of file");
    refuse("[]", ERR_FORMAT, "connection file: not a JSON object");
    refuse("{\"key\":\"\"}", ERR_FORMAT, "connection file: 'ip' must be a string");
    refuse("{\"ip\":\"::1\"}", ERR_FORMAT, "connection file: 'key' must be a string");
    refuse("{\"ip\":1,\"key\":\"\"}", ERR_FORMAT, "connection file: 'ip' must be a string");
    refuse("{\"ip\":\"x\",\"key\":\"\",\"shell_port\":\"1\"}", ERR_FORMAT,
           "connection file: 'shell_port' must be a port number");
    refuse("{\"ip\":\"x\",\"key\":\"\",\"shell_port\":0}", ERR_FORMAT,
           "connection file: 'shell_port' is 0; the front end has to choose a port from 1 to 65535");
    refuse("{\"ip\":\"x\",\"key\":\"\",\"shell_port\":65536}", ERR_FORMAT,
           "connection file: 'shell_port' is 65536; the front end has to choose a port from 1 to 65535");
    refuse("{\"transport\":\"udp\",\"ip\":\"x\",\"key\":\"\"," PORTS "}", ERR_FORMAT,
           "connection file: transport 'udp' is unknown; there are 'tcp' and 'ipc'");
    refuse("{\"signature_scheme\":\"hmac-md5\",\"ip\":\"x\",\"key\":\"k\"," PORTS "}", ERR_FORMAT,
           "connection file: signature_scheme 'hmac-md5' is unknown; there is 'hmac-sha256'");
}

static void test_a_key_that_is_too_long(void **state)
{
    (void)state;
    char text[CONNECTION_KEY_MAX + 100];
    char key[CONNECTION_KEY_MAX + 1];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    (void)snprintf(text, sizeof text, "{\"ip\":\"x\",\"key\":\"%s\"}", key);
    refuse(text, ERR_LIMIT, "connection file: 'key' is longer than 1023 bytes");
}

static void test_endpoints(void **state)
{
    (void)state;
    struct connection tcp = { .transport = "tcp", .ip = "127.0.0.1" };
    struct connection ipc = { .transport = "ipc", .ip = "/tmp/k" };
    char out[64];
    struct err e;
    assert_int_equal(connection_endpoint(&tcp, 5555, out, sizeof out, &e), ERR_NONE);
    assert_string_equal(out, "tcp://127.0.0.1:5555");
    assert_int_equal(connection_endpoint(&ipc, 1, out, sizeof out, &e), ERR_NONE);
    assert_string_equal(out, "ipc:///tmp/k-1");
    assert_int_equal(connection_endpoint(&tcp, 5555, out, 10, &e), ERR_LIMIT);
    assert_string_equal(e.msg, "address '127.0.0.1' is too long");
}

static void test_reading_a_file(void **state)
{
    (void)state;
    char path[] = "/tmp/weir-connection-XXXXXX";
    struct connection c;
    struct err e;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, GOOD, strlen(GOOD)), strlen(GOOD));
    assert_int_equal(connection_read(path, &c, &e), ERR_NONE);
    assert_int_equal(c.hb_port, 1005);
    assert_int_equal(ftruncate(fd, 10), 0);
    assert_int_equal(connection_read(path, &c, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, path));
    (void)close(fd);
    (void)unlink(path);
    assert_int_equal(connection_read(path, &c, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "No such file or directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_file),
        cmocka_unit_test(test_transport_and_scheme_have_defaults),
        cmocka_unit_test(test_refusals_name_the_field),
        cmocka_unit_test(test_a_key_that_is_too_long),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_reading_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
