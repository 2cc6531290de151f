// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file system's answers. All that is served is immutable, so every answer is good for ever: the
 * kernel keeps names, attributes, listings, absent names and contents until memory is short, and
 * asks once. OPEN and OPENDIR are answered ENOSYS, which the kernel remembers: no open ever reaches
 * this program, and caches are kept over opens. Only the root is different: trees come, so an
 * unknown name there is answered by an error, which is not cached.
 */
#define FUSE_USE_VERSION 314

#include "worker.h"

#include "prim/err.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <sys/stat.h>

/* Seconds; the kernel turns them into jiffies and clamps. */
#define FOREVER (3600.0 * 24 * 365 * 30)

/* libfuse's word for "not known" in a directory listing. */
#define UNKNOWN_INO 0xffffffff

/* Trees have no times. 1985-10-26T08:15:00Z is what npm's archives carry: after 1980, where the times
 * of zip archives begin, and not 0, which tools take for "not there". */
#define FILE_TIME 499162500

static struct server *server_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* What the kernel is told about an error of ours. */
static int reply_code(int r)
{
	if (r == -ERR_DIGEST || r == -ERR_TREE || r == -ERR_STORE_MISSING || r == -ERR_STORE)
		return EIO;
	return -err_errno(r);
}

/* A directory's link count of 1 says that its subdirectories are not counted (as btrfs does); a
 * file's says that it is a file of its own to who copies it, though equal ones share the inode. */
static void node_stat(const struct server *s, const struct node *n, struct stat *st)
{
	*st = (struct stat){
		.st_ino = n->id,
		.st_nlink = 1,
		.st_uid = s->uid,
		.st_gid = s->gid,
		.st_blksize = 4096,
		.st_mtim = { FILE_TIME, 0 },
		.st_ctim = { FILE_TIME, 0 },
		.st_atim = { FILE_TIME, 0 },
	};
	switch (n->kind) {
	case NODE_DIR:
		st->st_mode = S_IFDIR | 0555;
		break;
	case NODE_LINK:
		st->st_mode = S_IFLNK | 0777;
		st->st_size = (off_t)n->entry.target.n;
		break;
	case NODE_FILE:
		st->st_mode = S_IFREG | (n->entry.executable ? 0555 : 0444);
		st->st_size = (off_t)n->entry.size;
		break;
	}
	st->st_blocks = (st->st_size + 511) / 512;
}

static void node_param(const struct server *s, const struct node *n, struct fuse_entry_param *e)
{
	*e = (struct fuse_entry_param){
		.ino = n->id,
		.attr_timeout = FOREVER,
		.entry_timeout = FOREVER,
	};
	node_stat(s, n, &e->attr);
}

static void op_init(void *data, struct fuse_conn_info *conn)
{
	const unsigned want = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS |
		FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT |
		FUSE_CAP_ASYNC_DIO;

	conn->want = conn->capable & want;
	conn->max_readahead = 1 << 20;
	conn->max_write = LARGE;	/* also the pages of one READ and one READDIRPLUS */
	conn->max_background = 64;
	conn->congestion_threshold = 48;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct server *s = server_of(req);
	struct fuse_entry_param e = { .entry_timeout = FOREVER };
	struct node n;
	int r = nodes_lookup(s->nodes, parent, str_from(name), &n);

	if (r == -ENOENT && (parent != NODE_ROOT || s->at)) {
		fuse_reply_entry(req, &e);
		return;
	}
	if (r < 0) {
		fuse_reply_err(req, reply_code(r));
		return;
	}
	node_param(s, &n, &e);
	fuse_reply_entry(req, &e);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *forgets)
{
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct server *s = server_of(req);
	struct stat st;
	struct node n;
	int r = nodes_get(s->nodes, ino, &n);

	if (r < 0) {
		fuse_reply_err(req, reply_code(r));
		return;
	}
	node_stat(s, &n, &st);
	fuse_reply_attr(req, &st, FOREVER);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct server *s = server_of(req);
	char target[TREE_PATH_MAX + 1];
	struct node n;
	int r = nodes_get(s->nodes, ino, &n);

	if (r == 0 && (n.kind != NODE_LINK || n.entry.target.n >= sizeof(target)))
		r = -EINVAL;
	if (r < 0) {
		fuse_reply_err(req, reply_code(r));
		return;
	}
	memcpy(target, n.entry.target.p, n.entry.target.n);
	target[n.entry.target.n] = '\0';
	fuse_reply_readlink(req, target);
}

static void op_enosys(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fuse_reply_err(req, ENOSYS);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
	struct fuse_file_info *fi)
{
	struct server *s = server_of(req);
	const void *bytes = NULL;
	struct node n;
	ssize_t r = nodes_get(s->nodes, ino, &n);

	if (r == 0)
		r = n.kind == NODE_FILE && off >= 0 ?
			server_read(s, &n, (uint64_t)off, size, &bytes) : -EINVAL;
	if (r < 0)
		fuse_reply_err(req, reply_code((int)r));
	else
		fuse_reply_buf(req, bytes, (size_t)r);
}

/* "." and ".." carry no node: the kernel links only what has one. */
static size_t add_dot(fuse_req_t req, char *buf, size_t size, const char *name, uint64_t ino,
	off_t next)
{
	struct fuse_entry_param e = { .attr = { .st_ino = ino, .st_mode = S_IFDIR } };

	return fuse_add_direntry_plus(req, buf, size, name, &e, next);
}

static size_t add_entry(fuse_req_t req, char *buf, size_t size, const struct node_dir *dir,
	uint32_t i)
{
	struct server *s = server_of(req);
	char name[TREE_NAME_MAX + 1];
	struct fuse_entry_param e;
	struct node n;

	/* A file that no number is left for is a bad entry, not the end of the listing. */
	if (nodes_entry(s->nodes, dir, i, &n) < 0) {
		n = (struct node){ .kind = NODE_FILE, .id = 0 };
		tree_get(dir->tree, dir->first + i, &n.entry);
	}
	memcpy(name, n.entry.name.p, n.entry.name.n);
	name[n.entry.name.n] = '\0';
	node_param(s, &n, &e);
	if (n.id == 0)
		e.attr.st_ino = UNKNOWN_INO;
	return fuse_add_direntry_plus(req, buf, size, name, &e, (off_t)i + 3);
}

/* An entry's offset is its index plus 3, whatever was read before: seekdir works on immutable
 * directories for ever. */
static size_t fill(fuse_req_t req, uint64_t ino, const struct node_dir *dir, char *buf, size_t size,
	uint64_t at)
{
	size_t used = 0;

	for (; at < (uint64_t)dir->count + 2; at++) {
		size_t room = size - used, n;

		if (at == 0)
			n = add_dot(req, buf + used, room, ".", ino, 1);
		else if (at == 1)
			n = add_dot(req, buf + used, room, "..", dir->parent, 2);
		else
			n = add_entry(req, buf + used, room, dir, (uint32_t)(at - 2));
		if (n > room)
			break;
		used += n;
	}
	return used;
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
	struct fuse_file_info *fi)
{
	struct server *s = server_of(req);
	struct node_dir dir;
	char *buf = server_worker(s)->large;
	int r = nodes_dir(s->nodes, ino, &dir);

	if (r < 0) {
		fuse_reply_err(req, reply_code(r));
		return;
	}
	size = MIN(size, LARGE);
	fuse_reply_buf(req, buf, fill(req, ino, &dir, buf, size, off < 0 ? UINT64_MAX : (uint64_t)off));
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs v = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = TREE_NAME_MAX };

	fuse_reply_statfs(req, &v);
}

/* What is not listed is answered ENOSYS by libfuse, which the kernel remembers; what would write is
 * refused by the kernel with EROFS before it gets here. */
static const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.readlink = op_readlink,
	.open = op_enosys,
	.opendir = op_enosys,
	.read = op_read,
	.readdirplus = op_readdirplus,
	.statfs = op_statfs,
};

int server_session(struct server *s, struct diag *d)
{
	char program[] = "cratons-fused";
	char *argv[] = { program, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);

	s->fuse = fuse_session_new(&args, &ops, sizeof(ops), s);
	if (!s->fuse)
		return diag_fail(d, -ERR_MOUNT, "libfuse refused the session");
	return 0;
}
