#include "persist/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include "base/lock.h"
#include "container/codec.h"
#include "container/id.h"
#include "persist/checkpoint_file.h"

/* Work is handed out in runs: an atomic step each would be felt, and neighbours in the list share cache lines.  The
 * number of threads grows with the work, beyond the cores too: a cold disk answers many at a time (32 readers load
 * twice as fast as 8 then), and a warm one does not mind. */
enum { RUN = 32, THREADS_MAX = 32, ENTRIES_PER_THREAD = 256, PROGRESS_STEP = 4096 };

/* ---- listing ---- */

struct tree_entry *tree_add(struct tree *t, const char *id, size_t len)
{
	struct tree_entry *e;

	if (t->count == t->room) {
		size_t want = t->room ? 2 * t->room : 256;
		struct tree_entry *grown = realloc(t->entries, want * sizeof *grown);

		if (!grown)
			return NULL;
		t->entries = grown;
		t->room = want;
	}
	e = &t->entries[t->count];
	*e = (struct tree_entry){ .id = arena_copy(&t->names, id, len) };
	if (!e->id)
		return NULL;
	e->hash = id_hash(e->id);
	t->count++;
	return e;
}

/* 1, 0, or a fault: who is not known for a directory must not be passed over. */
static int is_directory(const struct tree *t, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	if (t->files->fstatat(t->containers, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return S_ISDIR(st.st_mode);
}

static int list_entry(struct tree *t, const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	struct tree_entry *e;
	int is_one;

	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
		return 0;
	is_one = id_is_valid(entry->d_name, len) ? is_directory(t, entry) : 0;
	if (is_one < 0)
		return is_one;
	if (!is_one) {
		t->ignored++;
		return 0;
	}
	e = tree_add(t, entry->d_name, len);
	if (!e)
		return -ENOMEM;
	e->directory = true;
	return 0;
}

static int list_all(struct tree *t)
{
	int fd = fsx_open(t->files, t->containers, ".", O_RDONLY | O_DIRECTORY, 0), r = 0;
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = t->files->fdopendir(fd);
	if (!dir) {
		r = -errno;
		(void)fsx_close(t->files, fd);
		return r;
	}
	errno = 0;
	while (r == 0 && (entry = t->files->readdir(dir))) {
		r = list_entry(t, entry);
		errno = 0;
	}
	if (r == 0 && errno)
		r = -errno;
	(void)t->files->closedir(dir);
	return r;
}

/* ---- reading one container ---- */

/* Does this fault speak of the file on disk, or of us (descriptors, memory, rights)?  Only the former is damage: what is
 * taken for damage is written down, and the file is replaced. */
static bool is_about_the_file(int fault)
{
	switch (fault) {
	case -EIO:
	case -EUCLEAN:
	case -EBADMSG:
	case -ENODATA:
	case -ELOOP:
	case -ENOTDIR:
	case -EISDIR:
	case -ENXIO:
	case -ESPIPE:
		return true;
	}
	return false;
}

/* Up to <room> bytes from the start of a file; how many, or a fault.  Files of ours end with a newline: where one came,
 * nothing is asked again; where none came, the read may have stopped early. */
static ssize_t read_start(const struct files *files, int fd, char *to, size_t room)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = files->pread(fd, to + len, room - len, (off_t)len);
		len += n > 0 ? (size_t)n : 0;
	} while ((n < 0 && errno == EINTR) || (n > 0 && len < room && to[len - 1] != '\n'));
	return n < 0 ? -errno : (ssize_t)len;
}

/* The bytes of a small file, with as few calls as can be: no fstat, since what is longer than the cap is damage.  An
 * enum tree_file, or a fault that is no damage. */
static int read_file(struct tree_worker *w, int dir, const char *name, size_t cap, struct slice *ret, struct err *err)
{
	const struct files *files = w->tree->files;
	int fd = fsx_open(files, dir, name, O_RDONLY | O_NONBLOCK, 0);
	ssize_t n;

	if (fd == -ENOENT)
		return FILE_MISSING;
	if (fd < 0) {
		(void)err_set(err, fd, "open");
		if (!is_about_the_file(fd))
			return fd;
		return fd == -ELOOP ? FILE_DAMAGED : FILE_UNREADABLE;
	}
	n = read_start(files, fd, w->file.at, cap + 1);
	if (n < 0)
		(void)err_set(err, (int)n, "read");
	else if ((size_t)n > cap)
		(void)err_say(err, -EBADMSG, "longer than %zu bytes", cap);
	(void)fsx_close(files, fd);
	if (n < 0 && !is_about_the_file(err->code))
		return err->code;
	if (n < 0)
		return err->code == -EIO ? FILE_UNREADABLE : FILE_DAMAGED; /* EISDIR, ESPIPE: no file at all */
	*ret = (struct slice){ w->file.at, (size_t)n };
	return (size_t)n > cap ? FILE_DAMAGED : FILE_GOOD;
}

static int read_metadata(struct tree_worker *w, struct tree_entry *e, int dir, struct err *err)
{
	struct metadata_value v;
	struct stamp stamp;
	struct slice file;
	int r;

	r = read_file(w, dir, METADATA_NAME, CAP_METADATA_FILE, &file, err);
	if (r < 0)
		return r;
	e->metadata = (uint8_t)r;
	if (e->metadata != FILE_GOOD)
		return 0;
	r = codec_metadata_from_disk(file, &w->arena, &v, &stamp, err);
	if (r == -ENOMEM)
		return r;
	if (r == 0 && strcmp(v.id, e->id) != 0)
		r = err_say(err, -EBADMSG, "the file is that of another container");
	if (r == 0 && !stamp.present) {
		v.adopted = true; /* somebody wrote it to be adopted */
		e->metadata = FILE_FOREIGN;
	}
	if (r < 0) {
		e->metadata = FILE_DAMAGED;
		return 0;
	}
	e->created = stamp.revision;
	e->meta = metadata_new(&v, stamp.revision);
	return e->meta ? 0 : -ENOMEM;
}

/* Is this status, good in itself, that of this container as the metadata tells it? */
static enum tree_file match_status(struct tree_entry *e, const struct stamp *stamp, struct err *err)
{
	const bool adopted = e->meta && metadata_value(e->meta)->adopted;

	if (!stamp->present) {
		if (e->metadata == FILE_MISSING || adopted)
			return FILE_FOREIGN;
		(void)err_say(err, -EBADMSG, "it is not the file that was written");
		return FILE_DAMAGED;
	}
	if (strcmp(stamp->id, e->id) != 0) {
		(void)err_say(err, -EBADMSG, "the file is that of another container");
		return FILE_DAMAGED;
	}
	if (e->metadata == FILE_FOREIGN || (e->metadata == FILE_GOOD && stamp->created != e->created)) {
		(void)err_say(err, -EBADMSG, "it belongs to another creation than the metadata");
		e->mismatch = true;
		return FILE_DAMAGED;
	}
	return FILE_GOOD;
}

static int build_bare_metadata(struct tree_entry *e, bool adopted, uint64_t created)
{
	struct metadata_value v = METADATA_ZERO;

	v.id = e->id;
	v.adopted = adopted;
	e->meta = metadata_new(&v, created);
	return e->meta ? 0 : -ENOMEM;
}

static int build(struct tree_entry *e, const struct status *s, const struct stamp *stamp)
{
	int r = 0;

	if (!e->meta)
		r = build_bare_metadata(e, !stamp->present, stamp->created);
	if (r < 0)
		return r;
	/* An adopted container that never changed has the revision of its adoption; one not adopted yet has none. */
	e->revision = stamp->present ? stamp->revision : e->created;
	e->created = metadata_created(e->meta);
	e->transient = stamp->transient;
	e->container = container_new(e->meta, s, e->revision);
	return e->container ? 0 : -ENOMEM;
}

int tree_build_damaged(struct tree_worker *w, struct tree_entry *e, const char *why)
{
	const char *message = arena_printf(&w->arena, "containers/%s/" STATUS_NAME ": %s", e->id, why);
	struct status s;
	int r = 0;

	if (!message)
		return -ENOMEM;
	s = status_damaged(message);
	e->revision = 0;
	if (!e->meta)
		r = build_bare_metadata(e, false, 0);
	if (r == 0)
		e->container = container_new(e->meta, &s, e->created);
	return r == 0 && e->container ? 0 : -ENOMEM;
}

static int read_status(struct tree_worker *w, struct tree_entry *e, int dir)
{
	struct err err = { 0 };
	struct stamp stamp;
	struct status s;
	struct slice file;
	int r;

	r = read_file(w, dir, STATUS_NAME, CAP_STATUS_FILE, &file, &err);
	if (r < 0)
		return r;
	e->status = (uint8_t)r;
	if (e->status == FILE_GOOD) {
		r = codec_status_from_disk(file, &w->arena, &s, &stamp, &err);
		if (r == -ENOMEM)
			return r;
		e->status = r < 0 ? FILE_DAMAGED : (uint8_t)match_status(e, &stamp, &err);
	}
	if (e->status == FILE_GOOD || e->status == FILE_FOREIGN) {
		s.removing = stamp.transient; /* so that the same bytes would be written again */
		return build(e, &s, &stamp);
	}
	return tree_build_damaged(w, e, e->status == FILE_MISSING ? "missing" : err.text);
}

/* A directory with nothing in it is the rest of a creation or a deletion. */
static bool is_empty(const struct tree_worker *w, int dir)
{
	const struct files *files = w->tree->files;
	int fd = fsx_open(files, dir, ".", O_RDONLY | O_DIRECTORY, 0);
	const struct dirent *entry;
	bool empty = true;
	DIR *d = fd < 0 ? NULL : files->fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			(void)fsx_close(files, fd);
		return false;
	}
	errno = 0;
	while (empty && (entry = files->readdir(d))) {
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
		errno = 0;
	}
	empty = empty && errno == 0; /* who cannot be listed may hold anything */
	(void)files->closedir(d);
	return empty;
}

/* containerd removes a container by renaming its status to <id>.del-status beside the directory first. */
static bool is_half_deleted(struct tree_worker *w, const struct tree_entry *e)
{
	const char *name = arena_printf(&w->arena, "%s.del-status", e->id);
	struct stat st;

	return name && w->tree->files->fstatat(w->tree->containers, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int load_entry(struct tree_worker *w, struct tree_entry *e)
{
	struct err ignored = { 0 };
	int dir = fsx_open(w->tree->files, w->tree->containers, e->id, O_PATH | O_DIRECTORY, 0), r;

	if (dir < 0 && !is_about_the_file(dir))
		return dir;
	if (dir < 0) {
		e->status = e->metadata = FILE_UNREADABLE;
		return tree_build_damaged(w, e, strerror(-dir));
	}
	r = read_metadata(w, e, dir, &ignored);
	if (r == 0)
		r = read_status(w, e, dir);
	if (r == 0 && e->status == FILE_MISSING && e->metadata == FILE_MISSING && (is_empty(w, dir) || is_half_deleted(w, e))) {
		container_unref(take(e->container));
		metadata_unref(take(e->meta));
	}
	(void)fsx_close(w->tree->files, dir);
	return r;
}

/* ---- several threads ---- */

struct crew {
	struct tree *tree;
	tree_work *fn;
	atomic_size_t next, done;
	atomic_int fault;
	void (*progress)(void *cls, size_t done, size_t total);
	void *cls;
};

static void work(struct crew *crew, struct tree_worker *w, bool tells)
{
	size_t at, told = 0;

	while ((at = atomic_fetch_add(&crew->next, RUN)) < crew->tree->count && !atomic_load(&crew->fault)) {
		size_t end = at + RUN < crew->tree->count ? at + RUN : crew->tree->count, done;
		int r = 0;

		for (size_t i = at; i < end && r == 0; i++) {
			r = crew->fn(w, &crew->tree->entries[i]);
			arena_reset(&w->arena);
		}
		if (r < 0)
			atomic_store(&crew->fault, r);
		done = atomic_fetch_add(&crew->done, end - at) + end - at;
		if (tells && crew->progress && done >= told + PROGRESS_STEP) {
			told = done;
			crew->progress(crew->cls, done, crew->tree->count);
		}
	}
}

static void run_worker(struct crew *crew, bool tells)
{
	struct tree_worker w = { .arena = ARENA, .file = BUF(CAP_METADATA_FILE + 1), .tree = crew->tree };

	if (buf_reserve(&w.file, CAP_METADATA_FILE + 1) < 0)
		atomic_store(&crew->fault, -ENOMEM);
	else
		work(crew, &w, tells);
	buf_free(&w.file);
	arena_free(&w.arena);
}

static void *worker_run(void *arg)
{
	run_worker(arg, false);
	return NULL;
}

int tree_each(struct tree *t, tree_work *fn, void (*progress)(void *cls, size_t done, size_t total), void *cls)
{
	struct crew crew = { .tree = t, .fn = fn, .progress = progress, .cls = cls };
	pthread_t threads[THREADS_MAX - 1];
	size_t want = t->count / ENTRIES_PER_THREAD, started = 0;

	if (want > COUNT(threads))
		want = COUNT(threads);
	/* Fewer threads are only slower. */
	while (started < want && thread_start(&threads[started], "loader", worker_run, &crew) == 0)
		started++;
	run_worker(&crew, true);
	while (started > 0)
		thread_join(threads[--started]);
	return atomic_load(&crew.fault);
}

/* ---- life ---- */

int tree_load(struct tree *t, const struct files *files, int containers, void (*progress)(void *cls, size_t done, size_t total),
	      void *cls, struct err *err)
{
	int r;

	*t = (struct tree){ .files = files, .containers = containers };
	if (containers < 0)
		return 0;
	r = list_all(t);
	if (r < 0)
		return err_set(err, r, "list containers/");
	r = tree_each(t, load_entry, progress, cls);
	return r < 0 ? err_set(err, r, "load containers/") : 0;
}

void tree_free(struct tree *t)
{
	for (size_t i = 0; i < t->count; i++) {
		struct tree_entry *e = &t->entries[i];

		container_unref(e->container);
		metadata_unref(e->meta);
		free((void *)(uintptr_t)e->record_metadata.at);
		free((void *)(uintptr_t)e->record_status.at);
	}
	free(t->entries);
	arena_free(&t->names);
	*t = (struct tree){ .containers = -1 };
}
