// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Roots are files of their own, so that a lost index loses nothing that is alive. A root is written
 * while the session's lease still holds its trees, and gc looks at leases before roots: it sees one
 * or the other.
 */
#include "cas/root.h"
#include "cas/scan.h"
#include "cas/writer-priv.h"

#include "base/fd.h"
#include "base/fault.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static void root_path(char buf[CAS_PATH_MAX], struct str name)
{
	struct digest d = hash_bytes(name.p, name.n);
	char hex[DIGEST_HEX];

	snprintf(buf, CAS_PATH_MAX, "roots/%s", digest_hex(&d, hex));
}

static int root_bytes(struct buf *ret, struct str name, const struct digest *trees, size_t n)
{
	struct root_header h = { .magic = ROOT_MAGIC, .name = (uint32_t)name.n, .trees = (uint32_t)n };
	_cleanup_buf_ struct buf body = BUF_INIT;
	int r = buf_add(&body, trees, n * sizeof(*trees));

	if (r == 0)
		r = buf_addstr(&body, name);
	if (r < 0)
		return r;
	h.sum = hash_bytes(buf_text(&body), body.len);
	r = buf_add(ret, &h, sizeof(h));
	return r < 0 ? r : buf_addstr(ret, buf_str(&body));
}

static int write_root(struct cas_writer *w, const char *path, const struct buf *b)
{
	char temporary[CAS_PATH_MAX];
	_cleanup_fd_ int fd = -1;
	int r = fault_point("write root");

	if (r < 0)
		return r;
	writer_temporary(w, temporary);
	fd = openat(w->store_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, b->data, b->len);
	if (r == 0)
		r = fault_point("publish root");
	if (r == 0 && renameat(w->store_fd, temporary, w->store_fd, path) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(w->store_fd, temporary, 0);
	return r;
}

int cas_root_set(struct cas_writer *w, struct str name, const struct digest *trees, size_t n,
	struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char path[CAS_PATH_MAX], hex[DIGEST_HEX];
	int r;

	if (name.n == 0 || name.n > ROOT_NAME_MAX || n > ROOT_TREES_MAX)
		return diag_fail(d, -ERR_LIMIT, "a root has a name too long or too many trees");
	root_path(path, name);
	r = root_bytes(&b, name, trees, n);
	if (r == 0)
		r = writer_lock(w, d);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!cas_has_tree(w->cas, &trees[i]))
			r = diag_fail(d, -ERR_STORE_MISSING, "tree %s is not in the store",
				digest_hex(&trees[i], hex));
	if (r == 0) {
		r = write_root(w, path, &b);
		if (r < 0)
			writer_failed(d, r, "a root of the store cannot be written");
	}
	writer_unlock(w);
	return r;
}

int cas_root_remove(struct cas_writer *w, struct str name, struct diag *d)
{
	char path[CAS_PATH_MAX];
	int r = fault_point("remove root");

	root_path(path, name);
	if (r == 0 && unlinkat(w->store_fd, path, 0) < 0 && errno != ENOENT)
		r = -errno;
	return r < 0 ? writer_failed(d, r, "a root of the store cannot be removed") : 0;
}

int root_parse(struct cas_root *ret, const struct buf *b)
{
	struct root_header h;
	struct digest sum;

	if (b->len < sizeof(h))
		return -ERR_DIGEST;
	memcpy(&h, b->data, sizeof(h));
	if (memcmp(h.magic, ROOT_MAGIC, sizeof(h.magic)) != 0 || h.trees > ROOT_TREES_MAX ||
		h.name > ROOT_NAME_MAX ||
		b->len != sizeof(h) + h.trees * sizeof(struct digest) + h.name)
		return -ERR_DIGEST;
	sum = hash_bytes(b->data + sizeof(h), b->len - sizeof(h));
	if (!digest_eq(&sum, &h.sum))
		return -ERR_DIGEST;
	ret->trees = (const struct digest *)(b->data + sizeof(h));
	ret->n = h.trees;
	ret->name = str_of(b->data + b->len - h.name, h.name);
	return 0;
}

struct each {
	cas_root_fn fn;
	void *data;
};

static int each_root(void *data, int dirfd, const char *name)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct each *e = data;
	struct cas_root root;
	int r = file_slurp(dirfd, name, &b, ROOT_BYTES_MAX);

	/* A root that is gone or damaged names nothing; cas_verify reports the damage. */
	if (r < 0 || root_parse(&root, &b) < 0)
		return r == -ENOMEM ? r : 0;
	return e->fn(e->data, &root);
}

int cas_root_each(struct cas *c, cas_root_fn fn, void *data)
{
	struct each e = { fn, data };

	return scan_folder(c->store_fd, "roots", each_root, &e);
}
