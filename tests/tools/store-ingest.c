// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store-ingest [--packages | --modules] HOME DIR
 *
 * Puts a directory into the store of HOME and prints the digest of its tree. With --packages, each
 * directory right below a node_modules (or below a scope in one) becomes a tree and a pack of its
 * own, as an installation would leave it; --modules says that DIR is a node_modules itself.
 */
#include "base/fd.h"
#include "cas/cas-write.h"
#include "prim/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

struct ingest {
	struct cas_writer *writer;
	bool packages, modules;
};

/* One tree that is being made: `path` is where the walk is in it. */
struct target {
	struct ingest *in;
	struct cas_put *put;
	struct tree_builder *builder;
	struct buf path;
};

static int put_tree(struct ingest *in, int fd, bool modules, struct digest *ret, struct diag *d);

static int put_file(struct target *t, int dirfd, const char *name, const struct stat *st,
	struct diag *d)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	struct cas_file file;
	int r;

	if (fd < 0)
		return diag_errno(d, -errno, "%s", buf_text(&t->path));
	if ((uint64_t)st->st_size > (1 << 20)) {
		r = cas_put_fd(t->put, fd, (uint64_t)st->st_size, &file, d);
	} else {
		r = fd_slurp(fd, &bytes, 1 << 20);
		if (r == 0)
			r = cas_put_file(t->put, bytes.data, bytes.len, &file, d);
	}
	if (r < 0)
		return r;
	return tree_builder_file(t->builder, buf_str(&t->path), st->st_mode & 0100, file.size,
		&file.digest, file.chunks, file.nchunks);
}

static int put_link(struct target *t, int dirfd, const char *name)
{
	char to[TREE_PATH_MAX + 1];
	ssize_t n = readlinkat(dirfd, name, to, sizeof(to));

	if (n < 0)
		return -errno;
	return tree_builder_symlink(t->builder, buf_str(&t->path), str_of(to, (size_t)n));
}

static int walk(struct target *t, int fd, bool modules, struct diag *d);

static int put_dir(struct target *t, int dirfd, const char *name, bool modules, struct diag *d)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct digest sub;
	int r;

	if (fd < 0)
		return -errno;
	if (t->in->packages && modules && name[0] != '@' && name[0] != '.') {
		r = put_tree(t->in, fd, false, &sub, d);
		return r < 0 ? r : tree_builder_subtree(t->builder, buf_str(&t->path), &sub);
	}
	r = tree_builder_dir(t->builder, buf_str(&t->path));
	if (r < 0) {
		close(fd);
		return r;
	}
	return walk(t, fd, strcmp(name, "node_modules") == 0 || (modules && name[0] == '@'), d);
}

static int put_entry(struct target *t, int dirfd, const char *name, bool modules, struct diag *d)
{
	size_t len = t->path.len;
	struct stat st;
	int r;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = buf_addf(&t->path, "%s%s", len ? "/" : "", name);
	if (r < 0)
		return r;
	if (S_ISDIR(st.st_mode))
		r = put_dir(t, dirfd, name, modules, d);
	else if (S_ISLNK(st.st_mode))
		r = put_link(t, dirfd, name);
	else
		r = S_ISREG(st.st_mode) ? put_file(t, dirfd, name, &st, d) : 0;
	if (r < 0 && d->code == 0)
		diag_errno(d, r, "%s", buf_text(&t->path));
	t->path.len = len;
	if (t->path.data)
		t->path.data[len] = '\0';
	return r;
}

/* Takes the descriptor. */
static int walk(struct target *t, int fd, bool modules, struct diag *d)
{
	DIR *dir = fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = put_entry(t, dirfd(dir), e->d_name, modules, d);
	closedir(dir);
	return r;
}

/* Takes the descriptor. */
static int put_tree(struct ingest *in, int fd, bool modules, struct digest *ret, struct diag *d)
{
	_cleanup_(cas_put_free_p) struct cas_put *put = NULL;
	_cleanup_(tree_builder_free_p) struct tree_builder *builder = NULL;
	struct target t = { .in = in };
	int r = cas_put_new(&put, in->writer);

	if (r == 0)
		r = tree_builder_new(&builder);
	t.put = put;
	t.builder = builder;
	if (r == 0)
		r = walk(&t, fd, modules, d);
	buf_done(&t.path);
	return r < 0 ? r : cas_put_commit(put, builder, (struct str){ 0 }, ret, d);
}

static int ingest(struct ingest *in, const char *home, const char *dir, struct digest *ret,
	struct diag *d)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *writer = NULL;
	_cleanup_fd_ int home_fd = -1;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return diag_errno(d, -errno, "%s", dir);
	dir_make_all(AT_FDCWD, home, 0700);
	home_fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = home_fd < 0 ? diag_errno(d, -errno, "%s", home) : cas_writer_open(&writer, home_fd, d);
	if (r < 0)
		return r;
	in->writer = writer;
	r = put_tree(in, fd, in->modules, ret, d);
	if (r == 0)
		r = cas_writer_flush(writer, d);
	/* A root, so that a gc in a test leaves it alone. */
	return r < 0 ? r : cas_root_set(writer, str_from(dir), ret, 1, d);
}

int main(int argc, char **argv)
{
	bool modules = argc > 1 && strcmp(argv[1], "--modules") == 0;
	bool packages = modules || (argc > 1 && strcmp(argv[1], "--packages") == 0);
	struct ingest in = { .packages = packages, .modules = modules };
	_cleanup_diag_ struct diag d = DIAG_INIT;
	char hex[DIGEST_HEX];
	struct digest tree;
	int r;

	argv += packages;
	argc -= packages;
	if (argc != 3) {
		fprintf(stderr, "usage: store-ingest [--packages | --modules] HOME DIR\n");
		return EXIT_USAGE;
	}
	r = ingest(&in, argv[1], argv[2], &tree, &d);
	if (r < 0) {
		fprintf(stderr, "store-ingest: %s (%s)\n", buf_text(&d.what), err_sentence(r));
		return EXIT_ERROR;
	}
	printf("%s\n", digest_hex(&tree, hex));
	return 0;
}
