// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/registry/npm/npm.h"
#include "engine/registry/npm/packed.h"
#include "prim/err.h"

#include <criterion/criterion.h>

static const char text[] = "{\"name\":\"p\",\"dist-tags\":{\"latest\":\"1.0.0\"},\"versions\":{\"1.0.0\":{"
	"\"dist\":{\"tarball\":\"https://r/p/-/p-1.0.0.tgz\",\"shasum\":"
	"\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"},\"dependencies\":{\"a\":\"^1\",\"b\":\"npm:c@2\"},"
	"\"bin\":{\"p\":\"p.js\"},\"os\":[\"linux\"],\"bundleDependencies\":[\"a\"],\"deprecated\":\"old\"},"
	"\"1.1.0\":{\"dist\":{\"tarball\":\"https://r/x.tgz\"},\"dependencies\":{\"a\":\"^1\",\"b\":\"npm:c@2\"}}}}";

static struct package *parsed(void)
{
	struct package *p = NULL;

	cr_assert_eq(npm_metadata_parse(str_from(text), STR("p"), "u", &p, NULL), 0);
	return p;
}

/* All that a package says, as text. */
static void describe(const struct package *p, struct buf *b)
{
	for (size_t i = 0; i < p->nreleases; i++) {
		const struct release *r = &p->releases[i];

		cr_assert_eq(release_load(p, r, NULL), 0);
		(void)buf_addf(b, "%.*s %.*s %.*s %.*s %ld %d\n", STR_ARG(r->version), STR_ARG(r->url),
			STR_ARG(r->integrity), STR_ARG(r->deprecated), (long)r->published, r->scripts);
		for (size_t j = 0; j < r->ndependencies; j++)
			(void)buf_addf(b, " %.*s %.*s %.*s %d\n", STR_ARG(r->dependencies[j].alias),
				STR_ARG(r->dependencies[j].name),
				STR_ARG(r->dependencies[j].requirement), r->dependencies[j].kind);
		for (size_t j = 0; j < r->nbins; j++)
			(void)buf_addf(b, " %.*s %.*s\n", STR_ARG(r->bins[j].name),
				STR_ARG(r->bins[j].path));
		(void)buf_addf(b, " %zu %zu\n", r->nbundled, r->platform.nos);
	}
	for (size_t i = 0; i < p->ntags; i++)
		(void)buf_addf(b, "%.*s %.*s\n", STR_ARG(p->tags[i].name), STR_ARG(p->tags[i].version));
}

Test(packed, what_is_unpacked_says_what_was_packed)
{
	_cleanup_(package_free_p) struct package *p = parsed(), *q = NULL;
	_cleanup_buf_ struct buf packed = BUF_INIT, again = BUF_INIT, x = BUF_INIT, y = BUF_INIT;

	cr_assert_eq(npm_metadata_pack(p, &packed), 0);
	cr_assert_eq(npm_metadata_unpack(buf_str(&packed), STR("p"), &q, NULL), 0);
	describe(p, &x);
	describe(q, &y);
	cr_expect_str_eq(buf_text(&x), buf_text(&y));
	cr_expect(strstr(buf_text(&x), " b c 2 0\n") != NULL);
	cr_assert_eq(npm_metadata_pack(q, &again), 0);
	cr_expect(str_eq(buf_str(&packed), buf_str(&again)));
}

Test(packed, another_package_in_its_place_is_found_out)
{
	_cleanup_(package_free_p) struct package *p = parsed(), *q = NULL;
	_cleanup_buf_ struct buf packed = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;

	cr_assert_eq(npm_metadata_pack(p, &packed), 0);
	cr_expect_eq(npm_metadata_unpack(buf_str(&packed), STR("q"), &q, &d), -ERR_METADATA);
	cr_expect_null(q);
}

Test(packed, every_flipped_byte_and_every_cut_is_found)
{
	_cleanup_(package_free_p) struct package *p = parsed(), *q = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;

	cr_assert_eq(npm_metadata_pack(p, &b), 0);
	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 0x10;
		cr_assert_eq(npm_metadata_unpack(buf_str(&b), STR("p"), &q, NULL), -ERR_METADATA);
		b.data[i] ^= 0x10;
		cr_assert_eq(npm_metadata_unpack(str_of(b.data, i), STR("p"), &q, NULL),
			-ERR_METADATA);
	}
}

/* Whoever can write the cache can make a digest: each word, set to each of these, under a good one,
 * must lead to an error or to a package whose parts are all there. */
Test(packed, no_index_leads_out_of_the_document)
{
	static const uint32_t values[] = { 0, 1, 2, 7, 255, 10001, 0x7fffffff, 0x80000000, 0xffffffff };
	_cleanup_(package_free_p) struct package *p = parsed();
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct digest digest;
	size_t whole = 0;

	cr_assert_eq(npm_metadata_pack(p, &b), 0);
	for (size_t at = sizeof(digest); at + 4 <= b.len; at += 4)
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			_cleanup_(package_free_p) struct package *q = NULL;
			uint32_t before;

			memcpy(&before, b.data + at, 4);
			memcpy(b.data + at, &values[v], 4);
			digest = hash_bytes(b.data + sizeof(digest), b.len - sizeof(digest));
			memcpy(b.data, &digest, sizeof(digest));
			if (npm_metadata_unpack(buf_str(&b), STR("p"), &q, NULL) == 0)
				for (size_t i = 0; i < q->nreleases; i++)
					whole += release_load(q, &q->releases[i], NULL) == 0;
			memcpy(b.data + at, &before, 4);
		}
	cr_expect_gt(whole, 0);
}
