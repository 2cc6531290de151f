// SPDX-License-Identifier: GPL-2.0-or-later
/* Names, and what a dependency may say behind one (npm help package-spec). */
#include "engine/manifest/names.h"
#include "engine/registry/npm/npm.h"
#include "engine/registry/npm/semver.h"
#include "prim/err.h"

#include <errno.h>
#include <strings.h>

#define TAG_MAX 256

static bool equals_fold(struct str s, const char *text)
{
	return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

bool npm_name_valid(struct str name)
{
	return name_is_package(name) && name.p[0] != '_' && !equals_fold(name, "node_modules") &&
	       !equals_fold(name, "favicon.ico");
}

int npm_metadata_url(struct str registry, struct str name, struct buf *ret,
	const char **ret_accept)
{
	size_t slash = str_find(name, '/', 0);
	size_t before = ret->len;
	int r;

	if (!npm_name_valid(name))
		return -EINVAL;
	r = buf_addstr(ret, registry);
	if (r == 0 && !str_ends(registry, STR("/")))
		r = buf_addc(ret, '/');
	if (r == 0)
		r = buf_addstr(ret, str_slice(name, 0, slash));
	if (r == 0 && slash < name.n)
		r = buf_adds(ret, "%2f");
	if (r == 0)
		r = buf_addstr(ret, str_slice(name, slash + 1, name.n));
	if (r < 0) {
		ret->len = before;
		if (ret->data)
			ret->data[before] = '\0';
		return r;
	}
	/* Not the abbreviated form (application/vnd.npm.install-v1+json): it has neither the times
	 * that minimum-age needs nor the libc that platforms are told apart by. */
	*ret_accept = "application/json";
	return 0;
}

void npm_alias_split(struct str alias, struct str text, struct dependency *ret)
{
	struct str rest, name;
	size_t at;

	text = semver_trim(text);
	ret->alias = alias;
	ret->name = alias;
	ret->requirement = text;
	if (text.n < 4 || strncasecmp(text.p, "npm:", 4) != 0)
		return;
	rest = str_slice(text, 4, text.n);
	at = str_find(rest, '@', 1);
	name = str_slice(rest, 0, at);
	if (!npm_name_valid(name))
		return;
	ret->name = name;
	ret->requirement = semver_trim(str_slice(rest, at + 1, rest.n));
}

static const struct {
	const char *prefix, *is;
} kinds[] = {
	{ "workspace:", "a workspace member" },
	{ "catalog:", "an entry of a catalog" },
	{ "file:", "a local path" },
	{ "link:", "a local path" },
	{ "portal:", "a local path" },
	{ "./", "a local path" },
	{ "../", "a local path" },
	{ "/", "a local path" },
	{ "~/", "a local path" },
	{ "patch:", "a patched package" },
	{ "http:", "a URL" },
	{ "https:", "a URL" },
	{ "git+", "a git repository" },
	{ "git:", "a git repository" },
	{ "git@", "a git repository" },
	{ "ssh:", "a git repository" },
	{ "github:", "a git repository" },
	{ "gitlab:", "a git repository" },
	{ "bitbucket:", "a git repository" },
	{ "gist:", "a gist" },
	{ "jsr:", "a package of another registry" },
	{ "npm:", "an alias of a package whose name is not valid" },
};

/* What the requirement is when it is nothing that a registry has; NULL when it may be. */
static const char *other_kind(struct str s)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (s.n >= strlen(kinds[i].prefix) &&
				strncasecmp(s.p, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return kinds[i].is;
	if (s.n > 4 && (str_ends(s, STR(".tgz")) || str_ends(s, STR(".tar.gz"))))
		return "a local path";
	return str_find(s, '/', 0) < s.n ? "a git repository" : NULL;
}

static bool is_tag(struct str s)
{
	if (s.n == 0 || s.n > TAG_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_ident(s.p[i]) && !memchr("_.!~*'()", s.p[i], 8))
			return false;
	return true;
}

int npm_requirement_parse(struct str alias, struct str text, struct arena *a,
	struct dependency *ret, struct diag *d)
{
	_cleanup_arena_ struct arena scratch = ARENA_INIT;
	struct dependency dep = { .kind = DEPENDENCY_NORMAL };
	struct str shown = str_slice(text, 0, 256);
	struct requirement *range;
	const char *other;

	if (!npm_name_valid(alias))
		return diag_fail(d, -ERR_REQUIREMENT, "'%.*s' is not a valid npm package name",
			STR_ARG(str_slice(alias, 0, 256)));
	npm_alias_split(alias, text, &dep);
	other = other_kind(dep.requirement);
	if (other) {
		diag_fail(d, -ERR_REQUIREMENT, "%.*s is asked for as '%.*s', %s, which is not "
			"supported", STR_ARG(alias), STR_ARG(shown), other);
		return diag_hint(d, "only what a registry has can be resolved: a version range, a "
			"tag, or npm:<name>@<range>");
	}
	if (dep.requirement.n == 0)
		dep.requirement = STR("*");
	if (npm_requirement(&scratch, dep.requirement, VERSION_LOOSE, &range) < 0 &&
			!is_tag(dep.requirement))
		return diag_fail(d, -ERR_REQUIREMENT, "%.*s is asked for as '%.*s', which is neither "
			"a version range nor a tag", STR_ARG(alias), STR_ARG(shown));
	dep.alias = arena_str(a, dep.alias);
	dep.name = arena_str(a, dep.name);
	dep.requirement = arena_str(a, dep.requirement);
	if (!dep.alias.p || !dep.name.p || !dep.requirement.p)
		return -ENOMEM;
	*ret = dep;
	return 0;
}
