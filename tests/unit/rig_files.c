#include "rig_files.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"

const char *rig_path(const struct rig *rig, const char *name, struct arena *arena)
{
	const char *path = arena_printf(arena, "%s/%s", rig->root, name);

	ck_assert_ptr_nonnull(path);
	return path;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void describe(struct buf *b, const char *root, const char *name);

/* What lies in a directory: kinds, names and contents, in the order of the names. */
static void describe_directory(struct buf *b, const char *path)
{
	DIR *dir = opendir(path);
	char *names[4096];
	size_t n = 0;
	struct dirent *e;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, "lock"))
			ck_assert_ptr_nonnull(names[n++] = strdup(e->d_name));
	(void)closedir(dir);
	qsort(names, n, sizeof names[0], compare_names);
	for (size_t i = 0; i < n; i++) {
		describe(b, path, names[i]);
		free(names[i]);
	}
}

static void describe(struct buf *b, const char *root, const char *name)
{
	struct stat st;
	char *path = NULL;

	ck_assert_int_gt(asprintf(&path, "%s/%s", root, name), 0);
	ck_assert_int_eq(lstat(path, &st), 0);
	(void)buf_addf(b, "%s %o %lld", path, st.st_mode, S_ISREG(st.st_mode) ? (long long)st.st_size : 0);
	if (S_ISREG(st.st_mode) && st.st_size < 65536) {
		char *bytes = unit_read_file(root, name);

		(void)buf_addf(b, " %s", bytes);
		free(bytes);
	}
	(void)buf_add_byte(b, '\n');
	if (S_ISDIR(st.st_mode))
		describe_directory(b, path);
	free(path);
}

char *rig_tree(const struct rig *rig)
{
	struct buf b = BUF(1 << 26);
	size_t len;

	describe_directory(&b, rig->root);
	ck_assert_ptr_nonnull(buf_text(&b));
	return buf_take(&b, &len);
}

void rig_make_directory(const struct rig *rig, const char *name)
{
	auto_arena struct arena arena = ARENA;

	ck_assert_int_eq(mkdir(rig_path(rig, name, &arena), 0700), 0);
}

void rig_write(const struct rig *rig, const char *name, const char *text)
{
	unit_write_file(rig->root, name, text, strlen(text));
}
