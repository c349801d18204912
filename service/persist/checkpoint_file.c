#include "persist/checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "container/codec.h"
#include "container/id.h"

#define STATUS_TMP ".status.tmp"
#define METADATA_TMP ".metadata.tmp"

static bool begins_with(const char *name, const char *start)
{
	return !strncmp(name, start, strlen(start));
}

bool checkpoint_file_is_temporary(const char *name)
{
	return !strcmp(name, STATUS_TMP) || !strcmp(name, METADATA_TMP) || begins_with(name, ".tmp-status");
}

static bool is_set_aside(const char *name)
{
	return begins_with(name, STATUS_NAME ".corrupt-") || begins_with(name, METADATA_NAME ".corrupt-");
}

/* ---- sweeping ---- */

/* Unlink what <is_ours> names in the directory <fd>.  What cannot be unlinked stays. */
static int sweep(const struct files *files, int fd, bool (*is_ours)(const char *))
{
	int again = fsx_open(files, fd, ".", O_RDONLY | O_DIRECTORY, 0);
	struct dirent *entry;
	DIR *dir;

	if (again < 0)
		return again;
	dir = files->fdopendir(again);
	if (!dir) {
		int r = -errno;

		(void)fsx_close(files, again);
		return r;
	}
	while ((entry = files->readdir(dir)))
		if (is_ours(entry->d_name))
			(void)files->unlinkat(fd, entry->d_name, 0);
	(void)files->closedir(dir);
	return 0;
}

static bool is_left_of_us(const char *name)
{
	return checkpoint_file_is_temporary(name) || is_set_aside(name);
}

/* ---- removing ---- */

static int remove_directory(const struct checkpoint_place *p, const char *id)
{
	return p->files->unlinkat(p->containers, id, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* What somebody else put there is kept, under a name that is no id. */
static int set_foreign_aside(const struct checkpoint_place *p, const char *id, int64_t now_ns)
{
	char name[ID_MAX + 48];

	(void)snprintf(name, sizeof name, ".foreign-%s-%" PRId64, id, now_ns);
	return p->files->renameat2(p->containers, id, p->containers, name, 0) < 0 ? -errno : 0;
}

static int empty_and_remove(const struct checkpoint_place *p, const char *id, int fd, int64_t now_ns)
{
	static const char *const names[] = { STATUS_NAME, METADATA_NAME };
	int r;

	for (size_t i = 0; i < COUNT(names); i++)
		(void)p->files->unlinkat(fd, names[i], 0); /* the removal below tells what stayed */
	r = remove_directory(p, id);
	if (r != -ENOTEMPTY && r != -EEXIST)
		return r;
	r = sweep(p->files, fd, is_left_of_us);
	if (r == 0)
		r = remove_directory(p, id);
	return r == -ENOTEMPTY || r == -EEXIST ? set_foreign_aside(p, id, now_ns) : r;
}

/* A removal that may have been lost is made to happen again, so that the next sync of containers/ has it to write. */
static int remove_again(const struct checkpoint_place *p, const char *id)
{
	int r = fsx_mkdir(p->files, p->containers, id);

	return r < 0 ? r : remove_directory(p, id);
}

static int remove_all(const struct checkpoint_place *p, const char *id, bool again, int64_t now_ns, struct err *err)
{
	int fd = fsx_open(p->files, p->containers, id, O_RDONLY | O_DIRECTORY, 0), r;

	if (fd == -ENOTDIR || fd == -ELOOP)
		return 0; /* no directory: not ours */
	if (fd == -ENOENT) {
		r = again ? remove_again(p, id) : 0;
	} else if (fd < 0) {
		r = fd;
	} else {
		r = empty_and_remove(p, id, fd, now_ns);
		(void)fsx_close(p->files, fd);
	}
	return r < 0 && r != -ENOENT ? err_set(err, r, "remove containers/%s", id) : 0;
}

/* ---- writing ---- */

/* The container's directory, made when it is not there: then everything in it is to be written. */
static int open_directory(const struct checkpoint_place *p, const char *id, unsigned *todo, int64_t now_ns, bool *ret_parent)
{
	int fd = fsx_open(p->files, p->containers, id, O_RDONLY | O_DIRECTORY, 0), r;

	if (fd == -ENOTDIR || fd == -ELOOP) /* a file or link of somebody else has the name */
		fd = set_foreign_aside(p, id, now_ns) < 0 ? fd : -ENOENT;
	if (fd >= 0 || fd != -ENOENT)
		return fd;
	r = fsx_mkdir(p->files, p->containers, id);
	if (r < 0)
		return r;
	*ret_parent = true;
	*todo = (*todo | TODO_STATUS | TODO_METADATA) & ~(unsigned)(TODO_SET_STATUS_ASIDE | TODO_SET_METADATA_ASIDE);
	return fsx_open(p->files, p->containers, id, O_RDONLY | O_DIRECTORY, 0);
}

static int set_aside(const struct files *files, int fd, const char *name, int64_t now_ns)
{
	char aside[64];

	(void)snprintf(aside, sizeof aside, "%s.corrupt-%" PRId64, name, now_ns);
	if (files->renameat2(fd, name, fd, aside, 0) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static int set_damage_aside(const struct files *files, int fd, unsigned *todo, int64_t now_ns)
{
	int r = 0;

	if (*todo & TODO_SET_STATUS_ASIDE)
		r = set_aside(files, fd, STATUS_NAME, now_ns);
	if (r == 0)
		*todo &= ~(unsigned)TODO_SET_STATUS_ASIDE;
	if (r == 0 && (*todo & TODO_SET_METADATA_ASIDE))
		r = set_aside(files, fd, METADATA_NAME, now_ns);
	if (r == 0)
		*todo &= ~(unsigned)TODO_SET_METADATA_ASIDE;
	return r;
}

static int replace(const struct files *files, int fd, const char *tmp, const char *name, const struct buf *b)
{
	return b->failed ? b->failed : fsx_replace(files, fd, tmp, name, b->at, b->len);
}

static int write_files(const struct files *files, int fd, const struct container *c, unsigned todo, struct buf *scratch)
{
	const struct metadata *m = container_metadata(c);
	int r = 0;

	if (todo & TODO_METADATA) {
		buf_reset(scratch);
		(void)codec_metadata_to_disk(scratch, metadata_value(m), metadata_created(m));
		r = replace(files, fd, METADATA_TMP, METADATA_NAME, scratch);
	}
	if (r == 0 && (todo & TODO_STATUS)) {
		buf_reset(scratch);
		(void)codec_checkpoint(scratch, c);
		r = replace(files, fd, STATUS_TMP, STATUS_NAME, scratch);
	}
	if (r == 0 && (todo & TODO_SWEEP))
		r = sweep(files, fd, checkpoint_file_is_temporary);
	return r == 0 ? fsx_sync(files, fd) : r;
}

/* Take a directory away that was made but perhaps not durably, so that making it happens again. */
static int unmake(const struct checkpoint_place *p, const char *id)
{
	int fd = fsx_open(p->files, p->containers, id, O_RDONLY | O_DIRECTORY, 0), r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	(void)p->files->unlinkat(fd, STATUS_NAME, 0);
	(void)p->files->unlinkat(fd, METADATA_NAME, 0);
	(void)fsx_close(p->files, fd);
	r = remove_directory(p, id);
	/* Somebody else's file is in it: then it cannot be taken away, and his was the last change of its name. */
	return r == -ENOENT || r == -ENOTEMPTY || r == -EEXIST ? 0 : r;
}

int checkpoint_file_write(const struct checkpoint_place *p, const struct container *c, unsigned *todo, int64_t now_ns,
			  struct buf *scratch, bool *ret_parent, struct err *err)
{
	const char *id = container_id(c);
	int fd, r = 0;

	/* A directory that is there may have been made by a process that was killed before it could sync. */
	*ret_parent = (*todo & (TODO_DELETE | TODO_METADATA | TODO_REDO)) != 0;
	if (!id_is_valid(id, strlen(id)))
		return err_say(err, -EINVAL, "an id that is none reached the disk");
	if (*todo & TODO_DELETE)
		return remove_all(p, id, *todo & TODO_REDO, now_ns, err);
	if ((*todo & TODO_REDO) && (*todo & TODO_BOTH) == TODO_BOTH)
		r = unmake(p, id);
	fd = r < 0 ? r : open_directory(p, id, todo, now_ns, ret_parent);
	if (fd < 0)
		return err_set(err, fd, "open or make containers/%s", id);
	r = set_damage_aside(p->files, fd, todo, now_ns);
	if (r == 0)
		r = write_files(p->files, fd, c, *todo, scratch);
	(void)fsx_close(p->files, fd);
	return r < 0 ? err_set(err, r, "write the checkpoint of %s", id) : 0;
}
