// SPDX-License-Identifier: GPL-2.0-or-later
#include "cas/scan.h"
#include "cas/writer-priv.h"

#include <errno.h>
#include <fcntl.h>

struct count {
	uint64_t files, bytes;
};

static int count_file(void *data, const struct digest *d, int dirfd, const char *name)
{
	struct count *c = data;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		c->files++;
		c->bytes += (uint64_t)st.st_size;
	}
	return 0;
}

/* Everything below a folder; the store's own folders are two deep. */
static int count_below(void *data, int dirfd, const char *name)
{
	struct count *c = data;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return scan_folder(dirfd, name, count_below, data);
	c->files++;
	c->bytes += (uint64_t)st.st_size;
	return 0;
}

static int count_objects(struct cas *c, uint64_t *ret)
{
	struct index *i = cas_index(c);
	MDB_stat stat;
	MDB_txn *txn;
	int r = index_begin(i, &txn);

	if (r < 0)
		return r;
	r = index_error(mdb_stat(txn, i->objects, &stat));
	index_end(i, txn);
	if (r == 0)
		*ret = stat.ms_entries;
	return r;
}

int cas_usage(struct cas *c, struct cas_usage *ret, struct diag *d)
{
	struct count packs = { 0 }, large = { 0 }, trees = { 0 }, documents = { 0 };
	struct count staging = { 0 }, quarantine = { 0 }, index = { 0 };
	struct cas_usage u = { 0 };
	int r = count_objects(c, &u.objects);

	if (r == 0)
		r = scan_kind(c->store_fd, "packs", count_file, &packs);
	if (r == 0)
		r = scan_kind(c->store_fd, "objects", count_file, &large);
	if (r == 0)
		r = scan_kind(c->store_fd, "trees", count_file, &trees);
	if (r == 0)
		r = scan_kind(c->store_fd, "documents", count_file, &documents);
	if (r == 0)
		r = scan_folder(c->store_fd, "staging", count_below, &staging);
	if (r == 0)
		r = scan_folder(c->store_fd, "quarantine", count_below, &quarantine);
	if (r == 0)
		r = scan_folder(c->store_fd, INDEX_PATH, count_below, &index);
	if (r < 0)
		return diag_errno(d, r, "the store cannot be measured");
	u.packs = packs.files;
	u.large = large.files;
	u.trees = trees.files;
	u.bytes = packs.bytes + large.bytes + trees.bytes + documents.bytes + index.bytes;
	u.staging_bytes = staging.bytes;
	u.quarantine_bytes = quarantine.bytes;
	*ret = u;
	return 0;
}
