/* GET /metrics: every figure there is, in the Prometheus text format. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "api/handlers.h"
#include "api/server.h"
#include "base/process.h"

/* All figures of one moment. */
struct figures {
	struct store_figures store;
	struct process_figures process;
	uint64_t accepted, closed, timed_out, bad_framing, gone, suspended, refused, body_bytes, connections;
};

/* ---- single figures: one row each ---- */

struct metric {
	const char *name, *type, *help;
	size_t at; /* of a uint64_t in struct figures */
};
#define METRIC(type_, name_, member_, help_) { "tallyd_" name_, type_, help_, offsetof(struct figures, member_) }

static const struct metric metrics[] = {
	METRIC("counter", "containers_created_total", store.created, "Containers created since the start."),
	METRIC("counter", "containers_deleted_total", store.deleted, "Containers deleted since the start."),
	METRIC("gauge", "store_revision", store.revision, "Revision of the newest change that is shown."),
	METRIC("counter", "commits_total", store.commits, "Batches of changes made durable."),
	METRIC("counter", "changes_total", store.changes, "Changes made durable."),
	METRIC("counter", "commit_failures_total", store.commit_failures, "Batches that could not be made durable and were rolled back."),
	METRIC("gauge", "changes_waiting", store.waiting, "Changes in the committer's queue."),
	METRIC("counter", "changes_withdrawn_total", store.withdrawn, "Changes that waited too long and were refused."),
	METRIC("counter", "changes_refused_total", store.refused_full, "Changes refused because the queue was full."),
	METRIC("counter", "journal_frames_total", store.backend.journal_frames, "Frames written to the journal."),
	METRIC("counter", "journal_rotations_total", store.backend.journal_rotations, "Segments begun."),
	METRIC("counter", "journal_fences_total", store.backend.journal_fences, "Segments given up after an error of the disk."),
	METRIC("counter", "journal_torn_tail_total", store.backend.torn_tails, "Unfinished frames dropped at the start."),
	METRIC("counter", "journal_slow_syncs_total", store.backend.slow_syncs, "Syncs of the journal that took over a second."),
	METRIC("counter", "checkpoints_written_total", store.backend.checkpoints_written, "Checkpoint files written or removed."),
	METRIC("counter", "checkpoints_failed_total", store.backend.checkpoints_failed, "Checkpoints that failed and are tried again."),
	METRIC("gauge", "checkpoints_waiting", store.backend.checkpoints_waiting, "Containers whose checkpoint is older than their status."),
	METRIC("gauge", "http_connections", connections, "Open connections."),
	METRIC("counter", "http_connections_accepted_total", accepted, "Connections accepted."),
	METRIC("counter", "http_connections_rejected_total", refused, "Connections refused because their address held too many."),
	METRIC("counter", "http_connections_timed_out_total", timed_out, "Connections ended because they were too slow."),
	METRIC("counter", "http_malformed_requests_total", bad_framing, "Requests refused for their framing; the connection was closed."),
	METRIC("counter", "http_requests_abandoned_total", gone, "Requests whose client left before the answer was sent."),
	METRIC("counter", "http_requests_suspended_total", suspended, "Requests that waited for the committer."),
	METRIC("gauge", "http_body_bytes", body_bytes, "Bytes of request bodies that memory is set aside for."),
};

static void add_family(struct buf *b, const char *name, const char *type, const char *help)
{
	(void)buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_singles(struct buf *b, const struct figures *f)
{
	for (size_t i = 0; i < COUNT(metrics); i++) {
		const uint64_t *value = (const void *)((const char *)f + metrics[i].at);

		add_family(b, metrics[i].name, metrics[i].type, metrics[i].help);
		(void)buf_addf(b, "%s %" PRIu64 "\n", metrics[i].name, *value);
	}
}

/* ---- histograms ---- */

static const char *const bounds[] = {
#define X(ns_, text_) text_,
	HISTOGRAM_BOUNDS(X)
#undef X
};

/* One series; <labels> is "" or `name="value",`. */
static void add_histogram(struct buf *b, const char *name, const char *labels, int labels_len, const struct histogram *h)
{
	uint64_t count = 0;
	int bare = labels_len ? labels_len - 1 : 0; /* without the comma */

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
		(void)buf_addf(b, "%s_bucket{%.*sle=\"%s\"} %" PRIu64 "\n", name, labels_len, labels,
			       i < COUNT(bounds) ? bounds[i] : "+Inf", count);
	}
	(void)buf_addf(b, "%s_sum%s%.*s%s %.9f\n", name, bare ? "{" : "", bare, labels, bare ? "}" : "",
		       (double)atomic_load_explicit(&h->sum_ns, memory_order_relaxed) / 1e9);
	(void)buf_addf(b, "%s_count%s%.*s%s %" PRIu64 "\n", name, bare ? "{" : "", bare, labels, bare ? "}" : "", count);
}

static void add_batch_sizes(struct buf *b, const struct store_figures *f)
{
	uint64_t count = 0;

	add_family(b, "tallyd_commit_changes", "histogram", "Changes in one batch.");
	for (size_t i = 0; i < COUNT(f->batch_sizes); i++) {
		count += f->batch_sizes[i];
		(void)buf_addf(b, "tallyd_commit_changes_bucket{le=\"%u\"} %" PRIu64 "\n", 1u << i, count);
	}
	(void)buf_addf(b, "tallyd_commit_changes_bucket{le=\"+Inf\"} %" PRIu64 "\n", count);
	(void)buf_addf(b, "tallyd_commit_changes_sum %" PRIu64 "\ntallyd_commit_changes_count %" PRIu64 "\n", f->changes, count);
}

static void add_durations(struct buf *b, const struct store_figures *f)
{
	add_family(b, "tallyd_commit_seconds", "histogram", "Time from deciding a batch to showing it.");
	add_histogram(b, "tallyd_commit_seconds", "", 0, f->commit);
	if (!f->backend.fsync)
		return;
	add_family(b, "tallyd_journal_fsync_seconds", "histogram", "Time of one fdatasync of the journal.");
	add_histogram(b, "tallyd_journal_fsync_seconds", "", 0, f->backend.fsync);
}

/* ---- with labels ---- */

static void add_states(struct buf *b, const struct store_figures *f)
{
	add_family(b, "tallyd_containers", "gauge", "Containers held, by state.");
	for (unsigned s = 0; s < CONTAINER_STATE_COUNT; s++)
		(void)buf_addf(b, "tallyd_containers{state=\"%s\"} %" PRIu64 "\n", state_short_name((enum container_state)s),
			       f->containers[s]);
	add_family(b, "tallyd_container_transitions_total", "counter", "Changes of a status, by the states before and after.");
	for (unsigned from = 0; from < CONTAINER_STATE_COUNT; from++)
		for (unsigned to = 0; to < CONTAINER_STATE_COUNT; to++)
			if (state_may_become((enum container_state)from, (enum container_state)to))
				(void)buf_addf(b, "tallyd_container_transitions_total{from=\"%s\",to=\"%s\"} %" PRIu64 "\n",
					       state_short_name((enum container_state)from),
					       state_short_name((enum container_state)to), f->transitions[from][to]);
}

static void add_recovery(struct buf *b, const struct backend_figures *f)
{
	static const char *const results[RECOVERY_COUNT] = {
#define X(id_, name_) name_,
		BACKEND_RECOVERIES(X)
#undef X
	};

	add_family(b, "tallyd_recovery_records", "gauge", "What the last start found, by what became of it.");
	for (size_t i = 0; i < RECOVERY_COUNT; i++)
		(void)buf_addf(b, "tallyd_recovery_records{result=\"%s\"} %" PRIu64 "\n", results[i], f->recovered[i]);
	add_family(b, "tallyd_recovery_duration_seconds", "gauge", "How long the last start took to load everything.");
	(void)buf_addf(b, "tallyd_recovery_duration_seconds %.6f\n", (double)f->recovery_ns / 1e9);
	add_family(b, "tallyd_journal_bytes", "gauge", "Bytes of the journal; dirty: not covered by checkpoints yet.");
	(void)buf_addf(b, "tallyd_journal_bytes{kind=\"dirty\"} %" PRIu64 "\n", f->journal_bytes);
	add_family(b, "tallyd_checkpoint_lag_seconds", "gauge", "Age of the oldest change that no checkpoint covers.");
	(void)buf_addf(b, "tallyd_checkpoint_lag_seconds %.6f\n", (double)f->checkpoint_lag_ns / 1e9);
}

static void add_read_only(struct buf *b, const char *cause)
{
	add_family(b, "tallyd_store_readonly", "gauge", "1 while changes are refused, with the cause.");
	(void)buf_addf(b, "tallyd_store_readonly{cause=\"%s\"} %d\n", cause ? cause : "", cause != NULL);
}

static uint64_t sum_codes(const struct traffic *t, size_t route, size_t code)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->loops; i++)
		n += atomic_load_explicit(&t->loop[i].requests[route][code], memory_order_relaxed);
	return n;
}

static const char *method_of(size_t route)
{
	return route < route_count ? method_name(routes[route].method) : "";
}

static const char *pattern_of(size_t route)
{
	return route < route_count ? routes[route].pattern : "";
}

static void add_requests(struct buf *b, const struct traffic *t)
{
	add_family(b, "tallyd_http_requests_total", "counter", "Requests answered; an empty route is a path or method that is not there.");
	for (size_t route = 0; route <= route_count; route++)
		for (size_t code = 0; code < traffic_code_count; code++) {
			uint64_t n = sum_codes(t, route, code);

			if (n)
				(void)buf_addf(b, "tallyd_http_requests_total{route=\"%s\",method=\"%s\",code=\"%u\"} %" PRIu64 "\n",
					       pattern_of(route), method_of(route), traffic_codes[code], n);
		}
}

static void add_request_times(struct buf *b, const struct traffic *t)
{
	const char *name = "tallyd_http_request_duration_seconds";
	char labels[128];

	add_family(b, name, "histogram", "Time from the head of a request to the end of its answer.");
	for (size_t route = 0; route <= route_count; route++) {
		struct histogram sum = { 0 };
		uint64_t count = 0;
		int len;

		for (size_t i = 0; i < t->loops; i++) {
			struct histogram *h = &t->loop[i].seconds[route];

			sum.sum_ns += atomic_load_explicit(&h->sum_ns, memory_order_relaxed);
			for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++) {
				uint64_t n = atomic_load_explicit(&h->bucket[k], memory_order_relaxed);

				sum.bucket[k] += n;
				count += n;
			}
		}
		len = snprintf(labels, sizeof labels, "route=\"%s\",method=\"%s\",", pattern_of(route), method_of(route));
		if (count)
			add_histogram(b, name, labels, len, &sum);
	}
}

static void add_process(struct buf *b, const struct app *app, const struct process_figures *p)
{
	add_family(b, "process_cpu_seconds_total", "counter", "Processor time used, user and system.");
	(void)buf_addf(b, "process_cpu_seconds_total %.6f\n", p->cpu_seconds);
	add_family(b, "process_resident_memory_bytes", "gauge", "Memory in use.");
	(void)buf_addf(b, "process_resident_memory_bytes %" PRIu64 "\n", p->resident_bytes);
	add_family(b, "process_virtual_memory_bytes", "gauge", "Address space in use.");
	(void)buf_addf(b, "process_virtual_memory_bytes %" PRIu64 "\n", p->virtual_bytes);
	add_family(b, "process_open_fds", "gauge", "Open descriptors.");
	(void)buf_addf(b, "process_open_fds %" PRIu64 "\n", p->open_files);
	add_family(b, "process_max_fds", "gauge", "Descriptors that may be open.");
	(void)buf_addf(b, "process_max_fds %" PRIu64 "\n", p->max_files);
	add_family(b, "process_threads", "gauge", "Threads.");
	(void)buf_addf(b, "process_threads %" PRIu64 "\n", p->threads);
	add_family(b, "process_start_time_seconds", "gauge", "When the process was started, in seconds since 1970.");
	(void)buf_addf(b, "process_start_time_seconds %.3f\n", (double)app->started_ns / 1e9);
	add_family(b, "tallyd_build_info", "gauge", "What is running.");
	(void)buf_addf(b, "tallyd_build_info{version=\"%s\",commit=\"%s\"} 1\n", server_version(), server_commit());
}

static void collect(struct app *app, struct figures *f)
{
	const struct traffic *t = app->traffic;

	*f = (struct figures){ 0 };
	store_figures(app->store, &f->store);
	process_figures(&f->process);
	for (size_t i = 0; t && i < t->loops; i++) {
		f->accepted += atomic_load(&t->loop[i].accepted);
		f->closed += atomic_load(&t->loop[i].closed);
		f->timed_out += atomic_load(&t->loop[i].timed_out);
		f->bad_framing += atomic_load(&t->loop[i].bad_framing);
		f->gone += atomic_load(&t->loop[i].gone);
		f->suspended += atomic_load(&t->loop[i].suspended);
	}
	if (t) {
		f->refused = atomic_load(&t->refused);
		f->body_bytes = atomic_load(&t->body_bytes);
	}
	f->connections = f->accepted > f->closed ? f->accepted - f->closed : 0;
}

void get_metrics(struct app *app, struct request *q, struct reply *a)
{
	struct buf *b = &a->bytes;
	struct figures f;

	(void)q;
	collect(app, &f);
	add_states(b, &f.store);
	add_singles(b, &f);
	add_durations(b, &f.store);
	add_batch_sizes(b, &f.store);
	add_recovery(b, &f.store.backend);
	add_read_only(b, store_read_only(app->store));
	if (app->traffic) {
		add_requests(b, app->traffic);
		add_request_times(b, app->traffic);
	}
	add_process(b, app, &f.process);
	reply_bytes(a, 200, MEDIA_METRICS);
}
