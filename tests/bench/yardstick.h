/* yardstick.h - what the modes of the yardstick program share.
 *
 * Each mode is the simplest honest server (or loop) of its kind, and every doubt is settled in its favour: what is
 * held against it then counts. */
#ifndef YARDSTICK_H
#define YARDSTICK_H

#include <stdbool.h>

#include "bench.h"

struct MHD_Connection;
struct MHD_Response;

struct yardstick_options {
	unsigned threads;     /* loops; thread-per-connection servers ignore it */
	uint64_t size;        /* raw: bytes of the ready reply's body; fdatasync: bytes of one write */
	const char *body;     /* raw: file whose bytes are the reply, instead of <size> */
	const char *dir;      /* naive, fdatasync: where the files go */
	uint64_t containers;  /* encode: how many there are */
	uint64_t document;    /* encode: bytes of one container's JSON, at least */
	uint64_t seconds_ms;  /* fdatasync: how long */
	bool kept_tree;       /* encode: the tree is built once, only the text is made per request */
};

/* A listening socket on a free port of 127.0.0.1, non-blocking; the port is printed as `listening N`. */
must_check int yardstick_listen(void);

/* Wait until SIGTERM or SIGINT, which every thread has blocked, then exit 0.  What is open is left to the kernel. */
_Noreturn void yardstick_serve_until_told(void);

/* Start <count> threads; ends the process when one cannot be started. */
void yardstick_threads(unsigned count, void *(*run)(void *), void *argument);

/* Answers a request whose body has come in whole, with 200.  Runs in the threads of the server.  NULL ends the
 * connection. */
typedef struct MHD_Response *yardstick_answer(void *closure, const char *url, const char *body, size_t len);

struct yardstick_handler {
	yardstick_answer *answer;
	void *closure;
};

/* libmicrohttpd under external epoll loops, one for each of <threads>, on copies of one listening socket: the loop
 * structure that the service itself has. */
void yardstick_loops(unsigned threads, const struct yardstick_handler *);

/* libmicrohttpd with a thread of its own for each connection. */
void yardstick_thread_per_connection(const struct yardstick_handler *);

/* The modes.  Those that serve do not return. */
void yardstick_raw(const struct yardstick_options *);
void yardstick_naive_loops(const struct yardstick_options *);
void yardstick_naive_threads(const struct yardstick_options *);
void yardstick_encode(const struct yardstick_options *);
void yardstick_fdatasync(const struct yardstick_options *);

#endif
