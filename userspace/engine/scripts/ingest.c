// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/scripts/ingest.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define ENTRIES_MAX 1000000

struct ingest {
	struct cas_put *put;
	struct tree_builder *builder;
	struct buf path;
	unsigned entries, depth;
	struct diag *diag;
};

static int walk(struct ingest *in, int fd);

static int add_file(struct ingest *in, int dirfd, const char *name)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct cas_file f;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EAGAIN;
	r = cas_put_fd(in->put, fd, (uint64_t)st.st_size, &f, in->diag);
	return r < 0 ? r : tree_builder_file(in->builder, buf_str(&in->path),
		st.st_mode & 0111, f.size, &f.digest, f.chunks, f.nchunks);
}

static int add_link(struct ingest *in, int dirfd, const char *name)
{
	char target[TREE_PATH_MAX + 1];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

	if (n < 0)
		return -errno;
	if ((size_t)n == sizeof(target))
		return -ENAMETOOLONG;
	return tree_builder_symlink(in->builder, buf_str(&in->path), str_of(target, (size_t)n));
}

static int add_directory(struct ingest *in, int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = tree_builder_dir(in->builder, buf_str(&in->path));
	if (r < 0 || ++in->depth > TREE_DEPTH_MAX) {
		close(fd);
		return r < 0 ? r : -ERR_LIMIT;
	}
	r = walk(in, fd);
	in->depth--;
	return r;
}

static int add_entry(struct ingest *in, int dirfd, const char *name)
{
	struct stat st;

	if (++in->entries > ENTRIES_MAX)
		return -ERR_LIMIT;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return add_directory(in, dirfd, name);
	if (S_ISLNK(st.st_mode))
		return add_link(in, dirfd, name);
	return S_ISREG(st.st_mode) ? add_file(in, dirfd, name) : 0;
}

/* Takes the descriptor. The path names what is being added, for the tree and for the message. */
static int walk(struct ingest *in, int fd)
{
	size_t base = in->path.len;
	DIR *dir = dir_stream(fd);
	const char *name;
	int r;

	if (!dir)
		return -errno;
	while ((r = dir_next(dir, &name)) == 1) {
		r = buf_addf(&in->path, "%s%s", base ? "/" : "", name);
		if (r == 0)
			r = add_entry(in, fd, name);
		if (r < 0)
			break;
		in->path.len = base;
		in->path.data[base] = '\0';
	}
	closedir(dir);
	return r;
}

int ingest_directory(struct cas_writer *w, int dirfd, struct str source, struct digest *ret,
	struct diag *d)
{
	_cleanup_(cas_put_free_p) struct cas_put *put = NULL;
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	struct ingest in = { .diag = d };
	int fd, r = cas_put_new(&put, w);

	if (r == 0)
		r = tree_builder_new(&b);
	if (r < 0)
		return diag_errno(d, r, "reading a directory into the store");
	in.put = put;
	in.builder = b;
	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : walk(&in, fd);
	if (r < 0 && d && d->code != r)
		diag_errno(d, r, "reading '%s' into the store", buf_text(&in.path));
	buf_done(&in.path);
	return r < 0 ? r : cas_put_commit(put, b, source, ret, d);
}
