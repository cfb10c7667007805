/* A kernel that does nothing: it answers every request at once with what a cell's answer consists of (busy,
 * execute_input, the reply, idle). `make bench` measures it as the share of its figures that is ZeroMQ's and the
 * client's own. It signs nothing.
 *
 *   echo -f CONNECTION_FILE */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { PARTS = 6 }; /* identity, delimiter, signature, header, parent header, metadata; the content is not looked at */

static void *open_socket(void *context, const json_t *connection, int type, const char *port)
{
    char endpoint[64];
    void *socket = zmq_socket(context, type);
    (void)snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d",
                   (int)json_integer_value(json_object_get(connection, port)));
    if (!socket || zmq_bind(socket, endpoint) != 0) {
        (void)fprintf(stderr, "echo: cannot bind %s: %s\n", endpoint, zmq_strerror(zmq_errno()));
        exit(EXIT_FAILURE);
    }
    return socket;
}

static void send_text(void *socket, const char *text, bool more)
{
    (void)zmq_send(socket, text, strlen(text), more ? ZMQ_SNDMORE : 0);
}

/* to: identity or topic. */
static void say(void *socket, zmq_msg_t *to, zmq_msg_t *parent, const char *header, const char *content)
{
    (void)zmq_send(socket, zmq_msg_data(to), zmq_msg_size(to), ZMQ_SNDMORE);
    send_text(socket, "<IDS|MSG>", true);
    send_text(socket, "", true);
    send_text(socket, header, true);
    (void)zmq_send(socket, zmq_msg_data(parent), zmq_msg_size(parent), ZMQ_SNDMORE);
    send_text(socket, "{}", true);
    send_text(socket, content, false);
}

int main(int argc, char **argv)
{
    json_t *connection = argc == 3 ? json_load_file(argv[2], 0, NULL) : NULL;
    void *context = zmq_ctx_new();
    void *shell = open_socket(context, connection, ZMQ_ROUTER, "shell_port");
    void *control = open_socket(context, connection, ZMQ_ROUTER, "control_port");
    void *iopub = open_socket(context, connection, ZMQ_PUB, "iopub_port");
    for (;;) {
        zmq_msg_t parts[PARTS];
        int n = 0;
        for (bool more = true; more; n++) {
            zmq_msg_t *part = &parts[n < PARTS ? n : PARTS - 1];
            (void)zmq_msg_init(part);
            if (zmq_msg_recv(part, shell, 0) < 0) {
                (void)zmq_close(control);
                return EXIT_FAILURE;
            }
            more = zmq_msg_more(part) != 0;
        }
        say(iopub, &parts[0], &parts[3], "{\"msg_type\":\"status\"}", "{\"execution_state\":\"busy\"}");
        say(iopub, &parts[0], &parts[3], "{\"msg_type\":\"execute_input\"}", "{}");
        say(shell, &parts[0], &parts[3], "{\"msg_type\":\"execute_reply\"}", "{\"status\":\"ok\"}");
        say(iopub, &parts[0], &parts[3], "{\"msg_type\":\"status\"}", "{\"execution_state\":\"idle\"}");
    }
}
