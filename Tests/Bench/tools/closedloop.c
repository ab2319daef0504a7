// A closed-loop MCP client for measurements: one call in flight on each keep-alive connection.
//
//   closedloop -p PORT [-c CONNECTIONS] [-n CALLS]
//
// Opens a session, makes CALLS tools/call over all connections and prints one JSON line: calls,
// failed (not a whole 200), seconds, its own CPU seconds, latency quantiles in microseconds.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER = 262144 };

typedef struct {
  int fd;
  int length;
  uint64_t sent;
  char bytes[ANSWER + 1];
} Connection;

static int port;
static char session[256];

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int dial(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (void *)&address, sizeof address)) fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static void post(Connection *c, const char *body) {
  char request[8192];
  int n = snprintf(request, sizeof request,
                   "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                   "Accept: application/json, text/event-stream\r\n%sContent-Length: %zu\r\n\r\n%s",
                   port, session, strlen(body), body);
  c->length = 0;
  c->sent = now();
  if (send(c->fd, request, n, MSG_NOSIGNAL) != n) fail("send");
}

static void call(Connection *c, long id) {
  char body[2048];
  snprintf(body, sizeof body,
           "{\"jsonrpc\":\"2.0\",\"id\":%ld,\"method\":\"tools/call\",\"params\":{\"name\":\"read\","
           "\"arguments\":{\"q\":\"%0270d\"}}}",
           id, 0);
  post(c, body);
}

// Whether the buffer holds a whole answer.
static int whole(Connection *c) {
  c->bytes[c->length] = 0;
  char *end = memmem(c->bytes, c->length, "\r\n\r\n", 4);
  if (!end) return 0;
  *end = 0;
  char *field = strcasestr(c->bytes, "\ncontent-length:");
  *end = '\r';
  int head = (int)(end - c->bytes) + 4;
  if (field) return c->length >= head + atoi(field + 16);
  return c->length >= head + 5 && !memcmp(c->bytes + c->length - 5, "0\r\n\r\n", 5);
}

static void wait_answer(Connection *c) {
  while (!whole(c)) {
    ssize_t got = recv(c->fd, c->bytes + c->length, ANSWER - c->length, 0);
    if (got <= 0) fail("recv");
    c->length += got;
  }
}

static void open_session(Connection *c) {
  post(c,
       "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
       "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"closedloop\",\"version\":\"1\"}}}");
  wait_answer(c);
  char *field = strcasestr(c->bytes, "mcp-session-id:"), id[128];
  if (!field || sscanf(field + 15, " %127[^\r\n]", id) != 1) fail("no session id");
  snprintf(session, sizeof session, "Mcp-Session-Id: %s\r\nMCP-Protocol-Version: 2025-11-25\r\n", id);
  post(c, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
  wait_answer(c);
}

static int ascending(const void *a, const void *b) {
  uint64_t x = *(uint64_t *)a, y = *(uint64_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int connections = 64, option;
  long calls = 20000, sent = 0, done = 0, failed = 0;
  while ((option = getopt(argc, argv, "p:c:n:")) > 0) {
    if (option == 'p') port = atoi(optarg);
    else if (option == 'c') connections = atoi(optarg);
    else if (option == 'n') calls = atol(optarg);
    else return 64;
  }
  if (!port || connections < 1 || calls < connections) return 64;
  uint64_t *latency = calloc(calls, sizeof *latency);
  Connection *all = calloc(connections, sizeof *all);
  if (!latency || !all) fail("memory");
  int ep = epoll_create1(0);
  for (int i = 0; i < connections; i++) {
    all[i].fd = dial();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    epoll_ctl(ep, EPOLL_CTL_ADD, all[i].fd, &event);
  }
  open_session(&all[0]);
  uint64_t began = now();
  for (int i = 0; i < connections; i++) call(&all[i], ++sent);
  struct epoll_event events[256];
  while (done < calls) {
    int n = epoll_wait(ep, events, 256, 10000);
    if (n <= 0) fail("no answer for 10 s");
    for (int i = 0; i < n; i++) {
      Connection *c = events[i].data.ptr;
      ssize_t got = recv(c->fd, c->bytes + c->length, ANSWER - c->length, 0);
      if (got <= 0) fail("recv");
      c->length += got;
      if (!whole(c)) continue;
      latency[done++] = now() - c->sent;
      failed += strncmp(c->bytes, "HTTP/1.1 200", 12) != 0;
      if (sent < calls) call(c, ++sent);
    }
  }
  double seconds = (now() - began) / 1e9;
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec +
               (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  qsort(latency, done, sizeof *latency, ascending);
  printf("{\"calls\":%ld,\"failed\":%ld,\"seconds\":%.3f,\"cpu\":%.3f,\"p50\":%.1f,\"p99\":%.1f}\n",
         done, failed, seconds, cpu, latency[done / 2] / 1e3, latency[done * 99 / 100] / 1e3);
  return failed != 0;
}
