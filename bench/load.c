/*
 * Load generator: a number of connections, one request in flight on each, random keys.
 *
 *   load line|resp HOST PORT CONNECTIONS REQUESTS KEYS KEY_FORMAT
 *
 * `line` asks a tracker (REQUEST, one JSON object a line), `resp` asks a Redis server (GET). Both
 * ask for sprintf(KEY_FORMAT, n) with n from 0 to KEYS - 1; every reply must be a hit. Prints one
 * JSON object: requests, seconds, requests per second, latencies in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 65536, MAX_EVENTS = 256, MAX_LATENCY_US = 1000000 };

struct connection {
  int fd;
  size_t used;
  double sent_at;
  char buffer[BUFFER_BYTES];
};

static int speaks_resp;
static const char *key_format;
static uint64_t keys;
static uint64_t state = 88172645463325252ULL;
static uint32_t latencies[MAX_LATENCY_US + 1];

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static void send_request(struct connection *connection) {
  char key[256], request[512];
  int key_length = snprintf(key, sizeof key, key_format, (int)(next_random() % keys));
  int length =
      speaks_resp
          ? snprintf(request, sizeof request, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", key_length, key)
          : snprintf(request, sizeof request,
                     "{\"action\":\"REQUEST\",\"data\":{\"fname\":\"%s\"}}\n", key);
  connection->sent_at = now();
  if (write(connection->fd, request, (size_t)length) != length) fail("write");
}

/* Whether a whole reply has arrived; ends the program when it is no hit. */
static int has_reply(const struct connection *connection) {
  const char *text = connection->buffer;
  size_t used = connection->used;
  if (used == 0 || text[used - 1] != '\n') return 0;
  if (!speaks_resp) {
    if (memmem(text, used, "\"FOUND\"", 7) == NULL) fail("a reply is no hit");
    return 1;
  }
  if (text[0] != '$' || text[1] == '-') fail("a reply is no hit");
  const char *body = memchr(text, '\n', used);
  return body != NULL && used == (size_t)(body + 1 - text) + strtoul(text + 1, NULL, 10) + 2;
}

static int open_socket(const char *host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("no IPv4 address");
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/* Reads what is there; 1 when the reply is whole. */
static int receive(struct connection *connection) {
  ssize_t count = read(connection->fd, connection->buffer + connection->used,
                       BUFFER_BYTES - connection->used);
  if (count <= 0) fail("read");
  connection->used += (size_t)count;
  if (connection->used == BUFFER_BYTES) fail("a reply is too long");
  if (!has_reply(connection)) return 0;
  double micros = (now() - connection->sent_at) * 1e6;
  latencies[micros < MAX_LATENCY_US ? (size_t)micros : MAX_LATENCY_US] += 1;
  connection->used = 0;
  return 1;
}

static size_t percentile(uint64_t requests, double share) {
  uint64_t rank = (uint64_t)((double)requests * share), seen = 0;
  for (size_t micros = 0; micros < MAX_LATENCY_US; micros += 1)
    if ((seen += latencies[micros]) > rank) return micros;
  return MAX_LATENCY_US;
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: load line|resp HOST PORT CONNECTIONS REQUESTS KEYS KEY_FORMAT\n");
    return 2;
  }
  speaks_resp = strcmp(argv[1], "resp") == 0;
  size_t connections = strtoul(argv[4], NULL, 10);
  uint64_t requests = strtoull(argv[5], NULL, 10), sent = 0, received = 0;
  keys = strtoull(argv[6], NULL, 10);
  key_format = argv[7];

  struct connection *all = calloc(connections, sizeof *all);
  int poller = epoll_create1(0);
  if (all == NULL || poller < 0) fail("start");
  for (size_t index = 0; index < connections; index += 1) {
    all[index].fd = open_socket(argv[2], atoi(argv[3]));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[index]};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, all[index].fd, &event) != 0) fail("epoll_ctl");
  }

  double started = now();
  for (size_t index = 0; index < connections && sent < requests; index += 1, sent += 1)
    send_request(&all[index]);
  while (received < requests) {
    struct epoll_event events[MAX_EVENTS];
    int ready = epoll_wait(poller, events, MAX_EVENTS, 10000);
    if (ready <= 0) fail("no reply for ten seconds");
    for (int index = 0; index < ready; index += 1) {
      struct connection *connection = events[index].data.ptr;
      if (!receive(connection)) continue;
      received += 1;
      if (sent < requests) {
        send_request(connection);
        sent += 1;
      }
    }
  }
  double seconds = now() - started;
  printf("{\"requests\":%llu,\"seconds\":%.6f,\"perSecond\":%.1f,\"p50Micros\":%zu,\"p99Micros\":%zu}\n",
         (unsigned long long)received, seconds, (double)received / seconds,
         percentile(requests, 0.5), percentile(requests, 0.99));
  return 0;
}
