/* The encoding server: a list is built as a tree and dumped as text for each request, with jansson.
 *
 * --kept-tree leaves the tree standing between requests and makes the text alone, which is the least that a server can do
 * that keeps trees instead of bytes. */
#define _GNU_SOURCE
#include "yardstick.h"

#include <jansson.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENVELOPE = 480 }; /* bytes of one container's JSON without its padding, about */

struct box {
	char id[ID_LEN + 1];
	char name[32];
	char image[64];
	uint32_t pid;
	uint64_t revision;
};

struct catalogue {
	struct box *boxes;
	uint64_t count;
	char *padding;
	json_t *kept; /* NULL: build a tree for each request */
	pthread_mutex_t lock; /* of kept: a tree's reference counts belong to one thread */
};

static json_t *status_tree(const struct box *box)
{
	char revision[32];

	(void)snprintf(revision, sizeof revision, "%llu", (unsigned long long)box->revision);
	return json_pack("{s:s,s:i,s:s,s:s,s:n,s:i,s:s,s:s,s:b,s:n,s:s}", "state", "CONTAINER_RUNNING", "pid", (int)box->pid,
		"createdAt", "2026-08-23T10:00:00.123456789Z", "startedAt", "2026-08-23T10:00:01.123456789Z", "finishedAt",
		"exitCode", 0, "reason", "", "message", "", "removing", 0, "resources", "revision", revision);
}

static json_t *box_tree(const struct catalogue *catalogue, const struct box *box)
{
	char revision[32];

	(void)snprintf(revision, sizeof revision, "%llu", (unsigned long long)box->revision);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:{s:{s:s,s:s}},s:o,s:s}", "id", box->id, "name", box->name, "sandboxId", "",
		"imageRef", box->image, "logPath", "", "config", "labels", "app", "bench", "padding", catalogue->padding,
		"status", status_tree(box), "revision", revision);
}

static json_t *list_tree(const struct catalogue *catalogue)
{
	json_t *items = json_array();

	for (uint64_t i = 0; i < catalogue->count; i++)
		if (json_array_append_new(items, box_tree(catalogue, &catalogue->boxes[i])) < 0)
			die("cannot build a tree");
	return json_pack("{s:o,s:{s:s}}", "items", items, "metadata", "revision", "10000");
}

static char *list_text(struct catalogue *catalogue)
{
	json_t *tree;
	char *text;

	if (!catalogue->kept) {
		tree = list_tree(catalogue);
		text = json_dumps(tree, JSON_COMPACT);
		json_decref(tree);
		return text;
	}
	(void)pthread_mutex_lock(&catalogue->lock);
	text = json_dumps(catalogue->kept, JSON_COMPACT);
	(void)pthread_mutex_unlock(&catalogue->lock);
	return text;
}

static struct MHD_Response *answer(void *closure, const char *url, const char *body, size_t len)
{
	char *text = list_text(closure);

	(void)url;
	(void)body;
	(void)len;
	return text ? MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE) : NULL;
}

static void fill(struct catalogue *catalogue, const struct yardstick_options *options)
{
	size_t padding = options->document > ENVELOPE ? options->document - ENVELOPE : 0;

	catalogue->count = options->containers;
	catalogue->boxes = need_memory(options->containers, sizeof *catalogue->boxes);
	catalogue->padding = need_memory(padding + 1, 1);
	memset(catalogue->padding, 'x', padding);
	for (uint64_t i = 0; i < options->containers; i++) {
		struct box *box = &catalogue->boxes[i];

		write_id(box->id, i);
		(void)snprintf(box->name, sizeof box->name, "bench-%llu", (unsigned long long)i);
		(void)snprintf(box->image, sizeof box->image, "bench/image:1.%llu", (unsigned long long)i % 100);
		box->pid = (uint32_t)(4711 + i);
		box->revision = i + 1;
	}
}

void yardstick_encode(const struct yardstick_options *options)
{
	struct yardstick_handler *handler = need_memory(1, sizeof *handler);
	struct catalogue *catalogue = need_memory(1, sizeof *catalogue);

	json_object_seed(0);
	fill(catalogue, options);
	(void)pthread_mutex_init(&catalogue->lock, NULL);
	if (options->kept_tree)
		catalogue->kept = list_tree(catalogue);
	handler->answer = answer;
	handler->closure = catalogue;
	yardstick_loops(options->threads, handler);
}
