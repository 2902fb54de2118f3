/* An HTTP/1.1 target that answers exactly DELAY after the kernel received the request.
 *
 * target PORT DELAY_US: listens on 127.0.0.1:PORT (0: any; the port is printed). One thread, epoll. The arrival is the
 * kernel's receive stamp (SO_TIMESTAMPNS); the last 300 us before an answer is due are spun, not slept, so an answer
 * leaves within microseconds of its time. Keeps connections unless asked to close.
 * Every request is assumed to come in one segment, and none before the last one of its connection was answered.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 200000
#define SPIN_NS 300000LL

struct waiting { int fd; int close; int64_t due; };
static struct waiting queue[MOST]; /* a ring: the delay is the same for all, so it is in order */
static unsigned head, tail;

static const char KEEP[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"answer\": 42 }";
static const char LAST[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{\"answer\": 42 }";

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void answer_due(void) {
  while (head != tail && queue[head % MOST].due <= now_ns()) {
    struct waiting *w = &queue[head++ % MOST];
    if (w->close) {
      (void)!send(w->fd, LAST, sizeof LAST - 1, MSG_NOSIGNAL);
      close(w->fd);
    } else {
      (void)!send(w->fd, KEEP, sizeof KEEP - 1, MSG_NOSIGNAL);
    }
  }
}

static void take(int fd, int64_t delay) {
  char data[4096], control[128];
  struct iovec io = {data, sizeof data - 1};
  struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t n = recvmsg(fd, &m, 0);
  if (n <= 0) {
    if (n == 0 || errno != EAGAIN) close(fd);
    return;
  }
  data[n] = 0;
  int64_t arrived = now_ns();
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
      struct timespec t;
      memcpy(&t, CMSG_DATA(c), sizeof t);
      arrived = t.tv_sec * 1000000000LL + t.tv_nsec;
    }
  struct waiting *w = &queue[tail++ % MOST];
  w->fd = fd;
  w->due = arrived + delay;
  w->close = strcasestr(data, "connection: close") != NULL;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int64_t delay = atoll(argv[2]) * 1000;
  struct rlimit files = {65536, 65536};
  if (setrlimit(RLIMIT_NOFILE, &files)) { getrlimit(RLIMIT_NOFILE, &files); files.rlim_cur = files.rlim_max; setrlimit(RLIMIT_NOFILE, &files); }
  int one = 1, l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof a;
  setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(l, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
  if (bind(l, (struct sockaddr *)&a, size) || listen(l, 4096)) return 1;
  getsockname(l, (struct sockaddr *)&a, &size);
  printf("%d\n", ntohs(a.sin_port));
  fflush(stdout);
  int ep = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN, .data.fd = l}, ready[256];
  epoll_ctl(ep, EPOLL_CTL_ADD, l, &e);
  for (;;) {
    int64_t left = head != tail ? queue[head % MOST].due - now_ns() : 1000000000LL;
    int ms = left <= SPIN_NS ? 0 : (int)((left - SPIN_NS) / 1000000);
    int n = epoll_wait(ep, ready, 256, ms);
    answer_due();
    for (int i = 0; i < n; i++) {
      if (ready[i].data.fd == l) {
        int fd;
        while ((fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          struct epoll_event c = {.events = EPOLLIN, .data.fd = fd};
          epoll_ctl(ep, EPOLL_CTL_ADD, fd, &c);
        }
      } else {
        take(ready[i].data.fd, delay);
      }
      answer_due();
    }
  }
}
