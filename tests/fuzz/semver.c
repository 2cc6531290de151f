// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is lines; the first byte of each has the flags, then come a range, a tab and a version.
 * Beyond memory safety: a version's canonical text is the same version, and comparing is symmetric.
 */
#include "engine/registry/npm/semver.h"

static void canonical(struct arena *a, const struct version *v, unsigned flags)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct version *again;

	if (npm_versions.format(v, &b) < 0)
		return;
	/* A loose version may grow by a "-" past the greatest length. */
	if (b.len > SEMVER_LENGTH_MAX)
		return;
	if (npm_versions.parse(a, buf_str(&b), flags, &again) < 0 ||
			npm_versions.compare(v, again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct str rest = { (const char *)data, size };
	struct version *before = NULL;

	while (rest.p && rest.n) {
		struct str line = str_cut(&rest, '\n');
		unsigned flags = line.n ? (unsigned char)line.p[0] & 3 : 0;
		struct str range = str_slice(line, 1, line.n);
		struct str text = range;
		struct requirement *r;
		struct version *v;

		range = str_cut(&text, '\t');
		if (npm_versions.parse(&a, text, flags, &v) < 0)
			v = NULL;
		if (v)
			canonical(&a, v, flags);
		if (npm_requirement(&a, range, flags, &r) == 0 && v)
			(void)npm_matches(r, v);
		if (v && before) {
			int x = npm_versions.order(v, before), y = npm_versions.order(before, v);

			if ((x < 0) != (y > 0) || (x == 0) != (y == 0))
				abort();
		}
		before = v;
	}
	return 0;
}
