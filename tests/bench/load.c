/* load - a load generator for HTTP servers with changing requests, and with the server's CPU time.
 *
 * wrk cannot change the body of each request without a script that costs more than the request, nor read the
 * CPU time of the server over exactly the window it counts in.  This can, and does little else.
 *
 * Prints one JSON object in one line; see report().  Exit 0 also when requests failed: the object says how many. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "load_run.h"

static const char usage[] =
	"load: --port N | --unix PATH\n"
	"      [--connections 1] [--warmup-ms 200] [--duration-ms 1000] [--max-requests 0]\n"
	"      [--method GET] [--path /] [--accept TYPE] [--type TYPE] [--body TEXT]\n"
	"      [--ids 1] [--order own|random|sequence] [--seed 1] [--pid PID]... [--spin]\n"
	"@ID@ and @SEQ@ in path and body become the container's id and the number of the request.\n";

static const struct option option_table[] = {
	{ "port", required_argument, NULL, 'p' },        { "unix", required_argument, NULL, 'u' },
	{ "connections", required_argument, NULL, 'c' }, { "warmup-ms", required_argument, NULL, 'w' },
	{ "duration-ms", required_argument, NULL, 'd' }, { "max-requests", required_argument, NULL, 'n' },
	{ "method", required_argument, NULL, 'm' },      { "path", required_argument, NULL, 'P' },
	{ "accept", required_argument, NULL, 'a' },      { "type", required_argument, NULL, 't' },
	{ "body", required_argument, NULL, 'b' },        { "ids", required_argument, NULL, 'i' },
	{ "order", required_argument, NULL, 'o' },       { "seed", required_argument, NULL, 's' },
	{ "pid", required_argument, NULL, 'q' },         { "spin", no_argument, NULL, 'S' },
	{ NULL, 0, NULL, 0 },
};

static void set_port(struct load_options *options, const char *text)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&options->address;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in->sin_port = htons((uint16_t)need_number("--port", text, 1, 65535));
	options->address_len = sizeof *in;
}

static void set_unix(struct load_options *options, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&options->address;

	if (strlen(path) >= sizeof un->sun_path)
		die("--unix: the path is too long for a socket");
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, strlen(path) + 1);
	options->address_len = sizeof *un;
}

static enum load_order need_order(const char *text)
{
	static const char *const names[] = {
		[LOAD_OWN] = "own", [LOAD_RANDOM] = "random", [LOAD_SEQUENCE] = "sequence",
	};

	for (unsigned i = 0; i < COUNT(names); i++)
		if (!strcmp(text, names[i]))
			return (enum load_order)i;
	die("--order is own, random or sequence, not \"%s\"", text);
}

static void add_pid(struct load_options *options, const char *text)
{
	if (options->pid_count == CAP_PIDS)
		die("more than %d processes", CAP_PIDS);
	options->pids[options->pid_count++] = (pid_t)need_number("--pid", text, 1, INT32_MAX);
}

static uint64_t need_ms(const char *what, const char *text)
{
	return need_number(what, text, 0, 3600000) * 1000000u;
}

static void take_option(int letter, const char *text, struct load_options *options, struct request_parts *parts)
{
	switch (letter) {
	case 'p': set_port(options, text); break;
	case 'u': set_unix(options, text); break;
	case 'c': options->connections = (unsigned)need_number("--connections", text, 1, 100000); break;
	case 'w': options->warmup_ns = need_ms("--warmup-ms", text); break;
	case 'd': options->duration_ns = need_ms("--duration-ms", text); break;
	case 'n': options->max_requests = need_number("--max-requests", text, 0, UINT32_MAX); break;
	case 'i': options->ids = need_number("--ids", text, 1, UINT32_MAX); break;
	case 's': options->seed = need_number("--seed", text, 0, UINT32_MAX); break;
	case 'o': options->order = need_order(text); break;
	case 'q': add_pid(options, text); break;
	case 'S': options->spin = true; break;
	case 'm': parts->method = text; break;
	case 'P': parts->path = text; break;
	case 'a': parts->accept = text; break;
	case 't': parts->type = text; break;
	case 'b': parts->body = text; break;
	default:
		(void)fputs(usage, stderr);
		exit(2);
	}
}

static void report(const struct load_options *options, const struct load_result *r)
{
	double seconds = (double)r->window_ns / 1e9, count = r->requests ? (double)r->requests : 1;

	(void)printf("{\"connections\":%u,\"seconds\":%.3f,\"requests\":%" PRIu64 ",\"rate\":%.1f,\"p50_us\":%.1f,"
		"\"p99_us\":%.1f,\"max_us\":%.1f,\"errors\":%" PRIu64 ",\"non_2xx\":%" PRIu64 ",\"first_bad_status\":%d,"
		"\"body_bytes\":%" PRIu64 ",\"cpu_us\":%.3f}\n",
		options->connections, seconds, r->requests, (double)r->requests / seconds, latency_us(&r->latency, 500),
		latency_us(&r->latency, 990), (double)r->latency.max_ns / 1e3, r->errors, r->non_2xx, r->first_bad_status,
		r->body_bytes, (double)r->cpu_ns / 1e3 / count);
}

int main(int argc, char **argv)
{
	struct load_options options = {
		.connections = 1, .warmup_ns = 200000000u, .duration_ns = 1000000000u, .ids = 1, .seed = 1,
	};
	struct request_parts parts = { .method = "GET", .path = "/" };
	struct load_result *result = need_memory(1, sizeof *result);
	int letter;

	while ((letter = getopt_long(argc, argv, "", option_table, NULL)) >= 0)
		take_option(letter, optarg, &options, &parts);
	if (!options.address_len || optind < argc)
		take_option('?', NULL, &options, &parts);
	request_shape_make(&parts, &options.shape);
	load_run(&options, result);
	report(&options, result);
	free(options.shape.bytes);
	free(result);
	return 0;
}
