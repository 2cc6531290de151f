// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading contents. Nothing leaves here that was not compared with a digest the caller gave. */
#include "cas/cas-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <unistd.h>

/* A file that is shorter than it should be is a damaged one. */
static int read_exactly(const struct cas_place *p, uint64_t offset, void *bytes, size_t len)
{
	char *at = bytes;

	while (len > 0) {
		ssize_t n = pread(p->fd, at, len, (off_t)(p->offset + offset));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ERR_DIGEST;
		at += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_verified(const struct cas_place *p, uint64_t offset, void *bytes, size_t len,
	const struct digest *want)
{
	struct digest got;
	int r = read_exactly(p, offset, bytes, len);

	if (r < 0)
		return r;
	got = hash_bytes(bytes, len);
	return digest_eq(&got, want) ? 0 : -ERR_DIGEST;
}

/* One verified piece: straight to where it goes if all of it is wanted. */
static int read_piece(const struct cas_place *p, uint64_t start, size_t size,
	const struct digest *want, uint64_t offset, char *bytes, size_t len)
{
	_cleanup_free_ char *whole = NULL;
	uint64_t from = MAX(start, offset), to = MIN(start + size, offset + len);
	int r;

	if (from == start && to == start + size)
		return read_verified(p, start, bytes + (start - offset), size, want);
	whole = malloc(size);
	if (!whole)
		return -ENOMEM;
	r = read_verified(p, start, whole, size, want);
	if (r == 0)
		memcpy(bytes + (from - offset), whole + (from - start), (size_t)(to - from));
	return r;
}

static int read_range(const struct cas_place *p, const struct tree_entry *file, uint64_t offset,
	char *bytes, size_t len)
{
	int r = 0;

	if (p->size != file->size)
		return -ERR_DIGEST;
	if (!file->nchunks)
		return file->size > TREE_CHUNK ? -ERR_DIGEST
					       : read_piece(p, 0, (size_t)file->size, &file->digest,
							 offset, bytes, len);
	for (uint64_t i = offset / TREE_CHUNK; r == 0 && i * TREE_CHUNK < offset + len; i++) {
		uint64_t start = i * TREE_CHUNK;

		r = read_piece(p, start, (size_t)MIN(TREE_CHUNK, file->size - start),
			&file->chunks[i], offset, bytes, len);
	}
	return r;
}

ssize_t cas_read(struct cas *c, const struct tree_entry *file, uint64_t offset, void *bytes,
	size_t len, struct diag *d)
{
	char hex[DIGEST_HEX];
	struct cas_place p;
	int r;

	if (file->kind != TREE_FILE)
		return -EINVAL;
	if (offset >= file->size || len == 0)
		return 0;
	len = (size_t)MIN((uint64_t)len, file->size - offset);
	r = cas_locate(c, &file->digest, &p, d);
	if (r < 0)
		return r;
	r = read_range(&p, file, offset, bytes, len);
	/* A repair leaves a new file under the name of the damaged one that is still open here. */
	if (r == -ERR_DIGEST && p.alone && cas_reopen(c, &file->digest, "objects") &&
		cas_locate(c, &file->digest, &p, NULL) == 0)
		r = read_range(&p, file, offset, bytes, len);
	if (r == -ERR_DIGEST)
		return diag_fail(d, r, "object %s is damaged", digest_hex(&file->digest, hex));
	if (r < 0)
		return diag_errno(d, r, "object %s cannot be read", digest_hex(&file->digest, hex));
	return (ssize_t)len;
}

static int slurp(struct cas *c, const struct tree_entry *file, struct buf *ret, size_t max,
	struct diag *d)
{
	ssize_t n;
	int r;

	if (file->size > max)
		return diag_fail(d, -ERR_LIMIT, "'%.*s' is too large", STR_ARG(file->name));
	r = buf_reserve(ret, (size_t)file->size);
	if (r < 0)
		return r;
	n = cas_read(c, file, 0, ret->data + ret->len, (size_t)file->size, d);
	ret->len += (size_t)MAX(n, 0);
	ret->data[ret->len] = '\0';
	return (int)MIN(n, 0);
}

int cas_slurp_path(struct cas *c, const struct digest *tree, struct str path, struct buf *ret,
	size_t max, struct diag *d)
{
	const struct tree *t;
	struct tree_entry e;
	uint32_t i;
	int r = cas_tree(c, tree, &t, d);

	if (r < 0)
		return r;
	r = tree_lookup(t, path, &i);
	if (r < 0)
		return diag_errno(d, -ENOENT, "'%.*s'", STR_ARG(path));
	tree_get(t, i, &e);
	if (e.kind != TREE_FILE)
		return diag_errno(d, -ENOENT, "'%.*s' is not a file", STR_ARG(path));
	return slurp(c, &e, ret, max, d);
}
