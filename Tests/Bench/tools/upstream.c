// A fast MCP server for measurements: one thread, epoll, HTTP/1.1 keep-alive on 127.0.0.1.
//
//   upstream [-p PORT] [-b BYTES] [-s]
//
// -p  port, 0 takes a free one; the first line of output is `listening on 127.0.0.1:PORT`
// -b  bytes of text in an answer (1300)        -s  answer calls as an SSE stream instead of JSON
//
// POST: initialize is answered with a session id, a notification with 202, everything else with a
// tool result. GET is answered 405, DELETE 200. A request must fit in 64 KiB and is not validated.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST = 65536, ANSWER = 131072 };

typedef struct {
  int fd;
  int length;
  char bytes[REQUEST + 1];
} Connection;

static char text[65537];
static int stream;
static unsigned long sessions;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// The raw token of the member "id" of a JSON object, without going into its values.
static int find_id(const char *json, int length, const char **token) {
  int depth = 0;
  for (int i = 0; i < length; i++) {
    if (json[i] == '{' || json[i] == '[') depth++;
    if (json[i] == '}' || json[i] == ']') depth--;
    if (json[i] != '"') continue;
    int start = ++i;
    while (i < length && json[i] != '"') i += json[i] == '\\' ? 2 : 1;
    if (depth != 1 || i - start != 2 || memcmp(json + start, "id", 2)) continue;
    int at = i + 1;
    while (at < length && (json[at] == ' ' || json[at] == ':')) at++;
    int end = at;
    while (end < length && !strchr(",}\r\n ", json[end])) end++;
    *token = json + at;
    return end - at;
  }
  return 0;
}

// One write per answer; a client of the measurement always reads, so a full socket is an error.
static void answer(int fd, const char *bytes, int length) {
  if (send(fd, bytes, length, MSG_NOSIGNAL) != length) shutdown(fd, SHUT_RDWR);
}

static void answer_call(int fd, const char *id, int id_length, int initialize) {
  static char body[ANSWER], out[ANSWER + 1024];
  const char *hello =
      "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},"
      "\"serverInfo\":{\"name\":\"upstream\",\"version\":\"1\"}}";
  int n = snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":", id_length, id);
  if (initialize)
    n += snprintf(body + n, sizeof body - n, "%s}", hello);
  else
    n += snprintf(body + n, sizeof body - n,
                  "{\"tools\":[],\"content\":[{\"type\":\"text\",\"text\":\"%s\"}],"
                  "\"isError\":false}}",
                  text);
  char session[80] = "";
  if (initialize) sprintf(session, "Mcp-Session-Id: upstream-%08lu\r\n", ++sessions);
  int m;
  if (stream && !initialize)
    m = sprintf(out,
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
                "Transfer-Encoding: chunked\r\n\r\n%x\r\nevent: message\r\ndata: %s\r\n\r\n\r\n"
                "0\r\n\r\n",
                n + 26, body);
  else
    m = sprintf(out,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s",
                session, n, body);
  answer(fd, out, m);
}

static void serve(int fd, char *head, char *body, int length) {
  static const char accepted[] = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
  static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  static const char no[] = "HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n";
  if (!memcmp(head, "DELETE", 6)) return answer(fd, ok, sizeof ok - 1);
  if (memcmp(head, "POST", 4)) return answer(fd, no, sizeof no - 1);
  const char *id = 0;
  int id_length = find_id(body, length, &id);
  if (!id_length) return answer(fd, accepted, sizeof accepted - 1);
  int initialize = memmem(body, length, "\"initialize\"", 12) != 0;
  answer_call(fd, id, id_length, initialize);
}

// Serves every whole request in the buffer; returns 0 when the connection must close.
static int consume(Connection *c) {
  for (;;) {
    c->bytes[c->length] = 0;
    char *end = memmem(c->bytes, c->length, "\r\n\r\n", 4);
    if (!end) return c->length < REQUEST;
    *end = 0;
    char *field = strcasestr(c->bytes, "\ncontent-length:");
    int body = field ? atoi(field + 16) : 0;
    int whole = (int)(end - c->bytes) + 4 + body;
    *end = '\r';
    if (whole > REQUEST) return 0;
    if (c->length < whole) return 1;
    serve(c->fd, c->bytes, end + 4, body);
    c->length -= whole;
    memmove(c->bytes, c->bytes + whole, c->length);
  }
}

int main(int argc, char **argv) {
  int port = 0, bytes = 1300, option, one = 1;
  while ((option = getopt(argc, argv, "p:b:s")) > 0) {
    if (option == 'p') port = atoi(optarg);
    else if (option == 'b') bytes = atoi(optarg);
    else if (option == 's') stream = 1;
    else return 64;
  }
  if (bytes < 0 || bytes > 65536) return 64;
  memset(text, 'x', bytes);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (void *)&address, size) || listen(listener, 4096)) fail("upstream");
  getsockname(listener, (void *)&address, &size);
  printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);

  int ep = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN}, events[256];
  epoll_ctl(ep, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int n = epoll_wait(ep, events, 256, -1);
    for (int i = 0; i < n; i++) {
      Connection *c = events[i].data.ptr;
      if (!c) {
        int fd = accept4(listener, 0, 0, SOCK_NONBLOCK);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        c = calloc(1, sizeof *c);
        if (!c) fail("memory");
        c->fd = fd;
        event.data.ptr = c;
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
        continue;
      }
      ssize_t got = recv(c->fd, c->bytes + c->length, REQUEST - c->length, 0);
      if (got < 0 && errno == EAGAIN) continue;
      if (got > 0) c->length += got;
      if (got <= 0 || !consume(c)) {
        close(c->fd);
        free(c);
      }
    }
  }
}
