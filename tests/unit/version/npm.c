// SPDX-License-Identifier: GPL-2.0-or-later
/* What a person can check by reading; tests/cases/semver.js compares thousands with node-semver. */
#include "engine/registry/npm/semver.h"
#include "prim/err.h"

#include <criterion/criterion.h>

#define LOOSE VERSION_LOOSE
#define PRE   VERSION_PRERELEASE

static const char *match(const char *range, const char *version, unsigned flags)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;

	return version_match(&npm_versions, &a, str_from(range), str_from(version), flags);
}

static const char *cmp(const char *a, const char *b, unsigned flags)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT;

	return version_cmp(&npm_versions, &arena, str_from(a), str_from(b), flags);
}

static const struct {
	const char *range, *version, *answer;
	unsigned flags;
} matches[] = {
	{ "^1.2.3", "1.9.0", "true" },
	{ "^1.2.3", "2.0.0", "false" },
	{ "^1.2.3", "2.0.0-0", "false", PRE },
	{ "^0.2.3", "0.2.9", "true" },
	{ "^0.2.3", "0.3.0", "false" },
	{ "^0.0.3", "0.0.4", "false" },
	{ "^0.x", "0.9.9", "true" },
	{ "~1.2", "1.2.9", "true" },
	{ "~1.2", "1.3.0", "false" },
	{ "~> 1", "1.9.0", "true" },
	{ "1.x || >=2.5 <3", "2.6.1", "true" },
	{ "1.x || >=2.5 <3", "2.4.9", "false" },
	{ "1.2.3 - 2.3", "2.3.9", "true" },
	{ "1.2.3 - 2.3", "2.4.0", "false" },
	{ "1.2 - 2.3.4", "1.2.0", "true" },
	{ "", "1.0.0", "true" },
	{ "*", "1.0.0-rc.1", "false" },
	{ "*", "1.0.0-rc.1", "true", PRE },
	{ ">=1.0.0-beta.2", "1.0.0-beta.10", "true" },
	{ ">=1.0.0-beta.2", "1.0.1-beta.10", "false" },
	{ ">=1.0.0-beta.2", "1.0.1-beta.10", "true", PRE },
	{ "* || 1.2.3-a", "1.2.3-a", "false" },
	{ "1.2.3+build", "1.2.3+other", "true" },
	{ "> 1.0.0", "1.0.1", "true" },
	{ ">1", "1.9.9", "false" },
	{ "<=1.2", "1.2.9", "true" },
	{ "==1.2.3", "1.2.3", "invalid" },
	{ "==1.2.3", "1.2.3", "true", LOOSE },
	{ "1.2.3beta", "1.2.3-beta", "invalid" },
	{ "1.2.3beta", "1.2.3-beta", "true", LOOSE },
	{ "01.02.03", "1.2.3", "invalid" },
	{ "01.02.03", "1.2.3", "true", LOOSE },
	{ "1.0.0 foo", "1.0.0", "invalid" },
	{ "1.0.0 foo", "1.0.0", "true", LOOSE },
	{ "latest", "1.0.0", "invalid", LOOSE },
	{ "git+https://example.com/x.git", "1.0.0", "invalid", LOOSE },
	{ "1.x.3", "1.0.3", "invalid" },
	{ "9007199254740992.x", "1.0.0", "invalid", LOOSE },
	{ "<0.0.0-0", "0.0.0-0", "false", PRE },
	{ "1", "1", "invalid" },
	{ "1", "1.0.0.0", "invalid", LOOSE },
};

Test(npm, ranges_match_as_in_node_semver)
{
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++)
		cr_expect_str_eq(match(matches[i].range, matches[i].version, matches[i].flags),
			matches[i].answer, "'%s' and %s", matches[i].range, matches[i].version);
}

Test(npm, precedence_is_by_number_and_pre_release)
{
	static const char *const ascending[] = { "0.0.0-0", "0.0.0", "0.9.0", "0.10.0", "1.0.0--",
		"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
		"1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "9007199254740991.0.0" };

	for (size_t i = 0; i < ARRAY_SIZE(ascending); i++)
		for (size_t j = 0; j < ARRAY_SIZE(ascending); j++)
			cr_expect_str_eq(cmp(ascending[i], ascending[j], 0),
				i < j ? "<" : i > j ? ">" : "=", "%s and %s", ascending[i],
				ascending[j]);
	cr_expect_str_eq(cmp("1.0.0+a", "1.0.0+b", 0), "=");
	cr_expect_str_eq(cmp(" v1.0.0 ", "1.0.0", 0), "=");
	cr_expect_str_eq(cmp("1.0.0-01", "1.0.0-1", 0), "invalid");
	cr_expect_str_eq(cmp("1.0.0-01", "1.0.0-1", LOOSE), "=");
}

Test(npm, versions_and_ranges_have_a_greatest_length)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	char text[SEMVER_RANGE_MAX + 2];
	struct version *v;
	struct requirement *r;

	memset(text, 'a', sizeof(text));
	memcpy(text, "1.2.3-", 6);
	cr_expect_eq(npm_versions.parse(&a, str_of(text, 256), 0, &v), 0);
	cr_expect_eq(npm_versions.parse(&a, str_of(text, 257), 0, &v), -ERR_VERSION);
	memset(text, '1', sizeof(text));
	cr_expect_eq(npm_versions.parse(&a, str_of(text, sizeof(text)), LOOSE, &v), -ERR_VERSION);
	cr_expect_eq(npm_requirement(&a, str_of(text, sizeof(text)), LOOSE, &r), -ERR_REQUIREMENT);
	memset(text, '|', sizeof(text));
	cr_expect_eq(npm_requirement(&a, str_of(text, SEMVER_RANGE_MAX), LOOSE, &r), 0);
}

Test(npm, format_gives_the_canonical_text)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct version *v;

	cr_assert_eq(npm_versions.parse(&a, STR(" =v01.2.3beta.04+build "), LOOSE, &v), 0);
	cr_assert_eq(npm_versions.format(v, &b), 0);
	cr_expect_str_eq(buf_text(&b), "1.2.3-beta.4");
	cr_expect(npm_versions.is_prerelease(v));
}

Test(npm, a_requirement_that_fails_leaves_the_result_alone)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct requirement *r = (void *)&a;
	struct version *v = (void *)&a;

	cr_expect_eq(npm_requirement(&a, STR("latest"), LOOSE, &r), -ERR_REQUIREMENT);
	cr_expect_eq(npm_versions.parse(&a, STR("1.2"), LOOSE, &v), -ERR_VERSION);
	cr_expect_eq((void *)r, (void *)&a);
	cr_expect_eq((void *)v, (void *)&a);
}
