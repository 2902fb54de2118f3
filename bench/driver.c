/* Asks an exporter for probes in open loop, and prints what it reports.
 *
 * driver PORT PATH RATE COUNT: GET PATH from 127.0.0.1:PORT, RATE times a second, COUNT times, over kept connections;
 * prints a line per answer: probe_duration_seconds, and the sum of the phases it gives (probe_http_duration_seconds),
 * or "-1 -1" where it says the probe failed. In C so that it takes next to nothing of the target's core.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINES 256
#define ROOM 65536

static struct line { int fd; int busy; size_t have; char data[ROOM]; } lines[LINES];

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int dial(int port) {
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&a, sizeof a)) exit(1);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

/* Is the whole answer there? Content-Length or the last chunk. */
static int whole(struct line *l) {
  l->data[l->have] = 0;
  char *body = strstr(l->data, "\r\n\r\n");
  if (!body) return 0;
  body += 4;
  char *length = strcasestr(l->data, "content-length:");
  if (length && length < body) return l->have - (body - l->data) >= (size_t)atol(length + 15);
  return l->have >= 7 && !memcmp(l->data + l->have - 7, "\r\n0\r\n\r\n", 7);
}

/* The body without the lines between chunks, in place. */
static char *joined(char *text) {
  char *body = strstr(text, "\r\n\r\n") + 4, *to = body, *from = body;
  if (!strcasestr(text, "transfer-encoding: chunked")) return body;
  for (long size; (size = strtol(from, &from, 16)) > 0; from += 2) {
    from += 2;
    memmove(to, from, size);
    to += size;
    from += size;
  }
  *to = 0;
  return body;
}

static void report(char *answer) {
  const char *text = joined(answer);
  const char *ok = strstr(text, "\nprobe_success "), *all = strstr(text, "\nprobe_duration_seconds ");
  double sum = 0;
  if (!ok || !all || atof(ok + 15) != 1) {
    puts("-1 -1");
    return;
  }
  for (const char *p = text; (p = strstr(p, "\nprobe_http_duration_seconds{")); p++) sum += atof(strchr(p, '}') + 1);
  printf("%.9f %.9f\n", atof(all + 24), sum);
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  int port = atoi(argv[1]), ep = epoll_create1(0);
  double rate = atof(argv[3]);
  long count = atol(argv[4]), sent = 0, got = 0;
  char request[1024];
  int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[2]);
  int open = 0;
  int64_t start = now_ns(), patience = start + (int64_t)(count / rate * 1e9) + 10000000000LL;
  while (got < count && now_ns() < patience) {
    int64_t due = start + (int64_t)(sent / rate * 1e9), left = sent < count ? due - now_ns() : 100000000LL;
    struct epoll_event ready[64];
    int n = epoll_wait(ep, ready, 64, left <= 0 ? 0 : (int)((left + 999999) / 1000000));
    for (int i = 0; i < n; i++) {
      struct line *l = &lines[ready[i].data.u32];
      ssize_t r = recv(l->fd, l->data + l->have, ROOM - 1 - l->have, 0);
      if (r <= 0) return 1;
      l->have += r;
      if (whole(l)) {
        report(l->data);
        l->busy = 0;
        got++;
      }
    }
    while (sent < count && start + (int64_t)(sent / rate * 1e9) <= now_ns()) {
      int i = 0;
      while (i < open && lines[i].busy) i++;
      if (i == LINES) break;
      if (i == open) {
        lines[i].fd = dial(port);
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(ep, EPOLL_CTL_ADD, lines[i].fd, &e);
        open++;
      }
      lines[i].busy = 1;
      lines[i].have = 0;
      if (send(lines[i].fd, request, size, MSG_NOSIGNAL) != size) return 1;
      sent++;
    }
  }
  return got < count;
}
