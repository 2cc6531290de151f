// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A registry's document, or, where the input begins with "NPM1", what a tampered cache has behind a
 * good digest. What was read must be loaded, packed, and the same when it is unpacked again.
 */
#include "engine/registry/npm/npm.h"
#include "engine/registry/npm/packed.h"

static const struct str name = { "p", 1 };

static int load_all(const struct package *p)
{
	int failed = 0;

	for (size_t i = 0; i < p->nreleases; i++)
		failed |= release_load(p, &p->releases[i], NULL);
	return failed;
}

static void from_registry(struct str body)
{
	_cleanup_(package_free_p) struct package *p = NULL, *q = NULL;
	_cleanup_buf_ struct buf packed = BUF_INIT, again = BUF_INIT;

	if (npm_metadata_parse(body, name, "fuzz", &p, NULL) < 0)
		return;
	if (load_all(p) < 0 || npm_metadata_pack(p, &packed) < 0 ||
			npm_metadata_unpack(buf_str(&packed), name, &q, NULL) < 0 ||
			q->nreleases != p->nreleases || npm_metadata_pack(q, &again) < 0 ||
			!str_eq(buf_str(&packed), buf_str(&again)))
		abort();
}

static void from_cache(struct str body)
{
	_cleanup_(package_free_p) struct package *p = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct digest digest = hash_bytes(body.p, body.n);

	if (buf_add(&b, &digest, sizeof(digest)) == 0 && buf_addstr(&b, body) == 0 &&
			npm_metadata_unpack(buf_str(&b), name, &p, NULL) == 0)
		(void)load_all(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = { (const char *)data, size };

	if (str_starts(body, STR("NPM1")))
		from_cache(body);
	else
		from_registry(body);
	return 0;
}
