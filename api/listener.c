#include "api/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static const char unix_prefix[] = "unix:";

static const char *unix_path(const char *address)
{
	return strncmp(address, unix_prefix, sizeof unix_prefix - 1) ? NULL : address + sizeof unix_prefix - 1;
}

/* ---- TCP ---- */

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits <= 5 && text[digits] == '\0' && strtoul(text, NULL, 10) <= 65535;
}

/* "host:port" or "[v6]:port"; the host is numeric or "localhost". */
static int resolve(const char *address, struct sockaddr_storage *ret, socklen_t *ret_len, struct err *err)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(address, ':');
	struct addrinfo *found;
	char host[64];
	size_t len;
	int r;

	if (!colon || colon == address || !is_port(colon + 1))
		return err_say(err, -EINVAL, "listen address \"%.100s\" must be HOST:PORT, [IPV6]:PORT or unix:/PATH, with a port up to 65535",
			       address);
	len = (size_t)(colon - address);
	if (address[0] == '[' && colon[-1] == ']') {
		address++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof host)
		return err_say(err, -EINVAL, "listen address \"%.100s\" has no usable host", address);
	memcpy(host, address, len);
	host[len] = '\0';
	r = getaddrinfo(host, colon + 1, &hints, &found);
	if (r != 0)
		return err_say(err, -EINVAL, "listen address \"%.100s\": %s", address, gai_strerror(r));
	memcpy(ret, found->ai_addr, found->ai_addrlen);
	*ret_len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static bool is_loopback(const struct sockaddr_storage *a)
{
	const struct sockaddr_in *v4 = (const void *)a;
	const struct sockaddr_in6 *v6 = (const void *)a;

	if (a->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return a->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static int check_path(const char *path, struct err *err)
{
	const size_t cap = sizeof ((struct sockaddr_un *)0)->sun_path;

	if (path[0] == '/' && strlen(path) < cap)
		return 0;
	return err_say(err, -EINVAL, "a unix socket needs an absolute path of at most %zu bytes, not \"%.120s\"", cap - 1, path);
}

int listener_is_public(const char *address, struct err *err)
{
	struct sockaddr_storage a;
	socklen_t len;
	int r;

	if (unix_path(address))
		return check_path(unix_path(address), err);
	r = resolve(address, &a, &len, err);
	return r < 0 ? r : !is_loopback(&a);
}

static int tell_port(struct listener *l, struct err *err)
{
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof a;
	char host[64], port[8];

	if (getsockname(l->fd, (struct sockaddr *)&a, &len) < 0)
		return err_set(err, -errno, "read the port");
	if (getnameinfo((struct sockaddr *)&a, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return err_say(err, -EINVAL, "the bound address cannot be told");
	(void)snprintf(l->address, sizeof l->address, a.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	l->is_loopback = is_loopback(&a);
	return 0;
}

static int open_tcp(const char *address, struct listener *l, struct err *err)
{
	struct sockaddr_storage a;
	const int one = 1;
	socklen_t len;
	int r = resolve(address, &a, &len, err);

	if (r < 0)
		return r;
	l->fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return err_set(err, -errno, "listen on %s", address);
	if (setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 || bind(l->fd, (struct sockaddr *)&a, len) < 0 ||
	    listen(l->fd, BACKLOG) < 0)
		return err_set(err, -errno, "listen on %s", address);
	return tell_port(l, err);
}

/* ---- unix sockets ---- */

/* Remove a socket file that nobody listens on: only a refused connection proves that. */
static int remove_stale(const struct sockaddr_un *a, struct err *err)
{
	struct stat st;
	int fd, r;

	if (lstat(a->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : err_set(err, -errno, "look at %s", a->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_say(err, -EEXIST, "%s exists and is no socket; remove it or listen elsewhere", a->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, -errno, "make a socket");
	r = connect(fd, (const struct sockaddr *)a, sizeof *a) < 0 ? -errno : 0;
	(void)close(fd);
	if (r != -ECONNREFUSED)
		return err_say(err, -EADDRINUSE, "somebody listens on %s already", a->sun_path);
	if (unlink(a->sun_path) < 0)
		return err_set(err, -errno, "remove the stale socket %s", a->sun_path);
	return 0;
}

static int open_unix(const char *path, struct listener *l, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t before;
	int r = check_path(path, err);

	if (r < 0)
		return r;
	memcpy(a.sun_path, path, strlen(path) + 1);
	r = remove_stale(&a, err);
	if (r < 0)
		return r;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return err_set(err, -errno, "make a socket");
	before = umask(0177); /* the file is private from its first moment */
	r = bind(l->fd, (struct sockaddr *)&a, sizeof a) < 0 ? -errno : 0;
	(void)umask(before);
	if (r == 0 && (listen(l->fd, BACKLOG) < 0 || lstat(path, &st) < 0))
		r = -errno;
	if (r < 0)
		return err_set(err, r, "listen on unix:%s", path);
	l->is_unix = l->is_loopback = true;
	l->device = st.st_dev;
	l->inode = st.st_ino;
	(void)snprintf(l->address, sizeof l->address, "unix:%s", path);
	return 0;
}

int listener_open(const char *address, struct listener *ret, struct err *err)
{
	const char *path = unix_path(address);
	struct listener l = { .fd = -1 };
	int r = path ? open_unix(path, &l, err) : open_tcp(address, &l, err);

	if (r < 0) {
		if (l.fd >= 0)
			(void)close(l.fd);
		return r;
	}
	*ret = l;
	return 0;
}

void listener_close(struct listener *l)
{
	const char *path = unix_path(l->address);
	struct stat st;

	if (l->fd < 0)
		return;
	(void)close(l->fd);
	l->fd = -1;
	/* Somebody may have put another socket there meanwhile. */
	if (path && lstat(path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode)
		(void)unlink(path);
}
