// SPDX-License-Identifier: GPL-2.0-or-later
#include "cas/cas-priv.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>

/* A document that is missing or damaged is one that we do not have. */
static int read_document(struct cas *c, const struct fact_document *doc, struct buf *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char path[CAS_PATH_MAX];
	struct digest got;
	int r;

	if (doc->size > FACT_MAX)
		return -ENOENT;
	r = file_slurp(c->store_fd, cas_path(path, "documents", &doc->digest), &b,
		(size_t)doc->size);
	if (r == -ENOMEM)
		return r;
	got = hash_bytes(buf_text(&b), b.len);
	if (r < 0 || b.len != doc->size || !digest_eq(&got, &doc->digest))
		return -ENOENT;
	if (ret->len > 0)
		return buf_addstr(ret, buf_str(&b));
	b.max = ret->max;
	buf_done(ret);
	*ret = b;
	b = (struct buf)BUF_INIT;
	return 0;
}

static int get_once(struct index *i, const struct fact_key *key, struct fact_document *doc,
	struct buf *ret)
{
	uint8_t bytes[1 + FACT_INLINE];
	size_t len;
	MDB_txn *txn;
	int r = index_begin(i, &txn);

	if (r < 0)
		return r;
	r = index_get_some(txn, i->facts, key, sizeof(*key), bytes, sizeof(bytes), &len);
	index_end(i, txn);
	if (r < 0)
		return r;
	if (len == sizeof(*doc) && bytes[0] == FACT_DOCUMENT)
		memcpy(doc, bytes, sizeof(*doc));
	else if (len > 0 && bytes[0] == FACT_HERE)
		return buf_add(ret, bytes + 1, len - 1);
	else
		return -ENOENT;
	return 0;
}

int cas_fact_get(struct cas *c, enum cas_fact kind, struct str key, struct buf *ret)
{
	struct fact_document doc = { .where = FACT_HERE };
	struct fact_key k;
	int r;

	fact_key_of(&k, kind, key);
	r = get_once(cas_index(c), &k, &doc, ret);
	if (r < 0 && cas_refresh(c, NULL) == 1)
		r = get_once(cas_index(c), &k, &doc, ret);
	if (r == 0 && doc.where == FACT_DOCUMENT)
		r = read_document(c, &doc, ret);
	return r == -ENOMEM || r == -ERR_LIMIT ? r : r < 0 ? -ENOENT : 0;
}
