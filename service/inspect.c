#include "inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fsx.h"
#include "container/json_text.h"
#include "lifecycle.h"
#include "store/store.h"

enum { BATCH_SECONDS = 10 };

/* ---- a root ---- */

static const char *const results[RECOVERY_COUNT] = {
#define X(id_, name_) name_,
	BACKEND_RECOVERIES(X)
#undef X
};

static void print_text(const struct config *c, const struct store_figures *f)
{
	(void)printf("%s: good, revision %" PRIu64 "\n", c->root, f->loaded_revision);
	for (unsigned s = 0; s < CONTAINER_STATE_COUNT; s++)
		(void)printf("  %-12s %" PRIu64 "\n", state_short_name((enum container_state)s), f->containers[s]);
	for (size_t i = 0; i < RECOVERY_COUNT; i++)
		if (f->backend.recovered[i])
			(void)printf("  %-12s %" PRIu64 "\n", results[i], f->backend.recovered[i]);
	for (size_t i = 0; i < COUNT(f->backend.warnings) && f->backend.warnings[i]; i++)
		(void)printf("  warning: %s\n", f->backend.warnings[i]);
}

static int add_containers(struct buf *b, struct store *store)
{
	auto_arena struct arena arena = ARENA;
	struct filter *all = filter_new(&arena);
	struct listing *l;

	if (!all || store_list(store, all, &l) < 0)
		return -1;
	(void)buf_add_text(b, ",\"containers\":[");
	for (size_t i = 0; i < listing_count(l); i++) {
		struct slice json = container_json(listing_at(l, i));

		if (i)
			(void)buf_add_byte(b, ',');
		(void)buf_add(b, json.at, json.len);
	}
	listing_unref(l);
	return buf_add_byte(b, ']');
}

static void print_json(const struct config *c, struct store *store, const struct store_figures *f)
{
	auto_buf struct buf b = BUF(SIZE_MAX / 2);

	(void)buf_add_text(&b, "{\"root\":");
	(void)json_text_add(&b, c->root);
	(void)buf_addf(&b, ",\"ok\":true,\"exit\":0,\"revision\":\"%" PRIu64 "\",\"recovery\":{", f->loaded_revision);
	for (size_t i = 0; i < RECOVERY_COUNT; i++)
		(void)buf_addf(&b, "%s\"%s\":%" PRIu64, i ? "," : "", results[i], f->backend.recovered[i]);
	(void)buf_addf(&b, ",\"tornTails\":%" PRIu64 "}", f->backend.torn_tails);
	if (add_containers(&b, store) < 0 || buf_add_text(&b, "}\n") < 0)
		(void)fputs("out of memory\n", stderr);
	else
		(void)fwrite(b.at, 1, b.len, stdout);
}

static void print_fault(const struct config *c, const struct err *err, int status)
{
	auto_buf struct buf b = BUF(16 * 1024);

	if (!c->json) {
		(void)fprintf(stderr, "%s: %s\n", c->root, err->text);
		return;
	}
	(void)buf_add_text(&b, "{\"root\":");
	(void)json_text_add(&b, c->root);
	(void)buf_addf(&b, ",\"ok\":false,\"exit\":%d,\"error\":", status);
	(void)json_text_add(&b, err->text);
	if (buf_add_text(&b, "}\n") == 0)
		(void)fwrite(b.at, 1, b.len, stdout);
}

static int load_and_tell(const struct config *c, struct err *err)
{
	const struct store_options options = { .clock = &clock_system };
	struct store_figures f;
	struct backend *backend;
	struct store *store;
	int r = fsx_open(&files_system, AT_FDCWD, c->root, O_RDONLY | O_DIRECTORY, 0);

	/* A start would make it; a check must not. */
	if (r < 0)
		return err_set(err, r, "open the root directory");
	(void)fsx_close(&files_system, r);
	r = lifecycle_backend(c, &backend, err);
	if (r < 0)
		return r;
	store = store_new(backend, &options);
	if (!store)
		return err_set(err, -ENOMEM, "make the store");
	r = store_load(store, NULL, NULL, err);
	if (r == 0) {
		store_figures(store, &f);
		if (c->json)
			print_json(c, store, &f);
		else
			print_text(c, &f);
	}
	store_free(store);
	return r;
}

int inspect_root(const struct config *c)
{
	struct err err = { 0 };
	int r = load_and_tell(c, &err), status = r < 0 ? lifecycle_exit_status(r) : EXIT_RAN;

	if (r < 0)
		print_fault(c, &err, status);
	return fflush(stdout) == 0 ? status : EXIT_FAILED;
}

/* One root in a process of its own: what kills or hangs it must not take the others along. */
static int inspect_in_child(const struct config *c)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -1;
	if (child == 0) {
		(void)alarm(BATCH_SECONDS);
		_exit(inspect_root(c));
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? 0 : WTERMSIG(status);
}

int inspect_roots(const struct config *c)
{
	struct config one = *c;
	char line[4096];

	one.json = true;
	while (fgets(line, sizeof line, stdin)) {
		struct err err = { 0 };
		int signal;

		line[strcspn(line, "\n")] = '\0';
		one.root = line;
		signal = inspect_in_child(&one);
		if (signal == 0)
			continue;
		(void)err_say(&err, -EIO, "the check was ended by signal %d", signal);
		print_fault(&one, &err, 128 + signal);
		(void)fflush(stdout);
	}
	return ferror(stdin) ? EXIT_FAILED : EXIT_RAN;
}

/* ---- a running service ---- */

static int connect_tcp(const char *address)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(address, ':');
	struct addrinfo *found;
	char host[64];
	int fd;

	if (!colon || (size_t)(colon - address) >= sizeof host)
		return -1;
	if (address[0] == '[')
		(void)snprintf(host, sizeof host, "%.*s", (int)(colon - address - 2), address + 1);
	else
		(void)snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
		(void)close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static int connect_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof a.sun_path)
		return -1;
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static bool says_ready(int fd)
{
	static const char request[] = "GET /readyz HTTP/1.0\r\n\r\n";
	const struct timeval limit = { .tv_sec = 3 };
	char answer[64] = "";
	ssize_t n;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
	    send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)sizeof request - 1)
		return false;
	n = recv(fd, answer, sizeof answer - 1, MSG_WAITALL);
	return n > 12 && !strncmp(answer, "HTTP/1.", 7) && !strncmp(answer + 9, "200", 3);
}

int inspect_health(const struct config *c)
{
	const char *address = c->listen[0];
	int fd = strncmp(address, "unix:", 5) ? connect_tcp(address) : connect_unix(address + 5);
	bool ready;

	if (fd < 0) {
		(void)fprintf(stderr, "nobody answers at %s\n", address);
		return EXIT_FAILED;
	}
	ready = says_ready(fd);
	(void)close(fd);
	if (!ready)
		(void)fprintf(stderr, "%s is not ready\n", address);
	return ready ? EXIT_RAN : EXIT_FAILED;
}
