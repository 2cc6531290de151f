// SPDX-License-Identifier: GPL-2.0-or-later
#include "cas/pack.h"

#include "base/fd.h"
#include "prim/err.h"
#include "tree/tree.h"

#include <endian.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/stat.h>

void pack_builder_done(struct pack_builder *b)
{
	buf_done(&b->data);
	vec_done(&b->table);
}

int pack_add(struct pack_builder *b, const struct digest *d, const void *bytes, size_t len,
	uint32_t *ret_offset)
{
	size_t at;
	int r = 0;

	if (b->data.len == 0)
		r = buf_add(&b->data, PACK_MAGIC, sizeof(PACK_MAGIC));
	at = b->data.len;
	if (r == 0)
		r = buf_add(&b->data, bytes, len);
	if (r == 0)
		r = vec_push(&b->table, (struct pack_disk_entry){
			.digest = *d, .offset = htole32((uint32_t)at), .size = htole32((uint32_t)len) });
	if (r == 0)
		*ret_offset = (uint32_t)at;
	return r;
}

int pack_end(struct pack_builder *b, struct str source, const struct digest *tree,
	struct digest *ret_id)
{
	struct pack_footer f = {
		.count = htole32((uint32_t)b->table.n), .source = htole32((uint32_t)source.n),
		.table = htole64(b->data.len), .magic = PACK_END,
	};
	size_t at = b->data.len;
	int r;

	if (source.n > PACK_SOURCE_MAX)
		return -ERR_LIMIT;
	if (tree)
		f.tree = *tree;
	if (getrandom(f.nonce, sizeof(f.nonce), 0) != sizeof(f.nonce))
		return -EIO;
	r = buf_add(&b->data, b->table.v, b->table.n * sizeof(*b->table.v));
	if (r == 0)
		r = buf_addstr(&b->data, source);
	if (r == 0)
		r = buf_add(&b->data, &f, sizeof(f));
	if (r == 0)
		*ret_id = hash_bytes(b->data.data + at, b->data.len - at);
	return r;
}

void pack_done(struct pack *p)
{
	vec_done(&p->entries);
	buf_done(&p->source);
}

static int read_footer(struct pack_footer *ret, int fd, uint64_t *ret_size)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)(sizeof(PACK_MAGIC) + sizeof(*ret)))
		return -ERR_DIGEST;
	r = fd_pread_all(fd, ret, sizeof(*ret), st.st_size - (off_t)sizeof(*ret));
	if (r < 0)
		return r;
	*ret_size = (uint64_t)st.st_size;
	return memcmp(ret->magic, PACK_END, sizeof(ret->magic)) == 0 ? 0 : -ERR_DIGEST;
}

static int read_entries(struct pack *p, const struct pack_disk_entry *table, uint32_t count,
	uint64_t end)
{
	for (uint32_t i = 0; i < count; i++) {
		struct pack_entry e = { table[i].digest, le32toh(table[i].offset),
			le32toh(table[i].size) };
		int r;

		if (e.size > TREE_CHUNK || e.offset < sizeof(PACK_MAGIC) ||
			(uint64_t)e.offset + e.size > end)
			return -ERR_DIGEST;
		r = vec_push(&p->entries, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int pack_read(struct pack *ret, int fd, const struct digest *id)
{
	_cleanup_(pack_done) struct pack p = { .id = *id };
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t table, source, at;
	struct pack_footer f;
	struct digest got;
	int r = read_footer(&f, fd, &p.bytes);

	if (r < 0)
		return r;
	table = (uint64_t)le32toh(f.count) * sizeof(struct pack_disk_entry);
	source = le32toh(f.source);
	at = le64toh(f.table);
	if (table > PACK_TABLE_MAX || source > PACK_SOURCE_MAX || at > p.bytes ||
		at < sizeof(PACK_MAGIC) || p.bytes - at != table + source + sizeof(f))
		return -ERR_DIGEST;
	r = buf_reserve(&b, (size_t)(p.bytes - at));
	if (r == 0)
		r = fd_pread_all(fd, b.data, (size_t)(p.bytes - at), (off_t)at);
	if (r < 0)
		return r;
	got = hash_bytes(b.data, (size_t)(p.bytes - at));
	if (!digest_eq(&got, id))
		return -ERR_DIGEST;
	p.tree = f.tree;
	r = read_entries(&p, (const void *)b.data, le32toh(f.count), at);
	if (r == 0)
		r = buf_add(&p.source, b.data + table, (size_t)source);
	if (r < 0)
		return r;
	*ret = p;
	p = (struct pack){ 0 };
	return 0;
}
