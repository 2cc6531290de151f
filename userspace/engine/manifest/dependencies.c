// SPDX-License-Identifier: GPL-2.0-or-later
/* [dependencies], [dev-dependencies] and [optional-dependencies]. */
#include "base/integrity.h"
#include "engine/manifest/manifest-priv.h"
#include "engine/manifest/names.h"

#include <errno.h>

const char *dependency_kind_table(enum dependency_kind kind)
{
	switch (kind) {
	case DEPENDENCY_DEV:
		return "dev-dependencies";
	case DEPENDENCY_OPTIONAL:
		return "optional-dependencies";
	default:
		return "dependencies";
	}
}

int manifest_ecosystem(struct toml_reader *r, struct str name, struct toml_place at,
	const char *label)
{
	static const char *const known[] = { "npm" };
	static const char *const later[] = { "pypi", "cargo", "go", "maven" };

	if (str_is(name, known[0]))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		if (str_is(name, later[i])) {
			toml_read_fail(r, at, "this version of cratons resolves npm packages only, "
				"not yet those of '%s'", later[i]);
			return r->code;
		}
	return toml_read_unknown(r, at, "ecosystem", name, label, known, ARRAY_SIZE(known));
}

/* Forms that npm takes in package.json and that are written in another way here, or not at all. */
static const struct form {
	const char *prefix, *what, *hint;
} other_forms[] = {
	{ "git", "git dependencies are not supported yet",
		"use a published version, or a tarball: "
		"{ url = \"https://…\", integrity = \"sha512-…\" }" },
	{ "file:", "a local directory is not a version", "write { path = \"…\" }" },
	{ "link:", "a local directory is not a version", "write { path = \"…\" }" },
	{ "workspace:", "workspaces are not supported yet", "write { path = \"…\" }" },
	{ "http://", "a URL is not a version",
		"write { url = \"…\", integrity = \"sha512-…\" }" },
	{ "https://", "a URL is not a version",
		"write { url = \"…\", integrity = \"sha512-…\" }" },
};

/* "git+ssh://…", "git://…", "github:u/r", "git@host:…", and the short "user/repository". */
static bool looks_like_git(struct str s)
{
	size_t slash = str_find(s, '/', 0);
	bool named = str_starts(s, STR("git+")) || str_starts(s, STR("git:")) ||
		     str_starts(s, STR("git@")) || str_starts(s, STR("github:")) ||
		     str_starts(s, STR("gitlab:")) || str_starts(s, STR("gist:")) ||
		     str_starts(s, STR("bitbucket:")) || str_starts(s, STR("ssh:"));

	return named || (slash > 0 && slash < s.n && s.p[0] != '@' && s.p[0] != '.' &&
			 s.p[0] != '~' && str_find(s, ':', 0) == s.n &&
			 str_find(s, '/', slash + 1) == s.n);
}

static const struct form *other_form(struct str s)
{
	if (looks_like_git(s))
		return &other_forms[0];
	for (size_t i = 1; i < ARRAY_SIZE(other_forms); i++)
		if (str_starts(s, str_from(other_forms[i].prefix)))
			return &other_forms[i];
	if (str_starts(s, STR("./")) || str_starts(s, STR("../")) || str_starts(s, STR("~/")) ||
			str_starts(s, STR("/")))
		return &other_forms[1];
	return NULL;
}

int manifest_requirement(struct toml_reader *r, struct str name, const struct toml_node *value,
	struct str *ret)
{
	const struct form *other;
	struct str s;
	char label[300];
	int e;

	snprintf(label, sizeof(label), "the version of '%.*s'", (int)MIN(name.n, (size_t)214), name.p);
	e = manifest_line(r, value, label, REQUIREMENT_MAX, &s);
	if (e < 0)
		return e;
	s = str_trim(s);
	if (s.n == 0) {
		toml_read_fail(r, toml_place(value), "%s is empty", label);
		return diag_hint(r->d, "\"*\" takes any version"), r->code;
	}
	other = str_starts(s, STR("npm:")) ? NULL : other_form(s);
	if (other) {
		toml_read_fail(r, toml_place(value), "'%.*s': %s", STR_ARG(s), other->what);
		return diag_hint(r->d, "%s", other->hint), r->code;
	}
	*ret = s;
	return 0;
}

struct dependency_reader {
	struct manifest_dependency dep;
	struct toml_place integrity_at;
	bool optional;
};

static int read_version(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct dependency_reader *dr = into;

	return manifest_requirement(r, dr->dep.name, v, &dr->dep.requirement);
}

static int read_optional(struct toml_reader *r, const struct toml_node *v, void *into)
{
	return toml_bool(v, &((struct dependency_reader *)into)->optional);
}

static int read_url(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct dependency_reader *dr = into;

	dr->dep.url = toml_str(v);
	if (name_is_url(dr->dep.url))
		return 0;
	toml_read_fail(r, toml_place(v), "'%.*s' is not a tarball's URL", STR_ARG(dr->dep.url));
	return diag_hint(r->d, "http:// or https://, without a user or password"), r->code;
}

static int read_integrity(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct dependency_reader *dr = into;

	dr->dep.integrity = toml_str(v);
	dr->integrity_at = toml_place(v);
	if (integrity_strength(dr->dep.integrity) != INTEGRITY_NONE)
		return 0;
	toml_read_fail(r, toml_place(v), "'integrity' is malformed");
	return diag_hint(r->d, "\"sha512-\" and the digest in base64"), r->code;
}

/* "./lib/" and "lib" are the same directory. */
static struct str plain_path(struct str s)
{
	while (str_starts(s, STR("./")))
		s = str_slice(s, 2, s.n);
	while (s.n > 1 && s.p[s.n - 1] == '/')
		s.n--;
	return s;
}

static int read_path(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct dependency_reader *dr = into;

	dr->dep.path = plain_path(toml_str(v));
	if (name_is_inner_path(dr->dep.path))
		return 0;
	toml_read_fail(r, toml_place(v), "the path '%.*s' is not inside the project",
		STR_ARG(toml_str(v)));
	return diag_hint(r->d, "a directory below this file, without '..'"), r->code;
}

static int read_git(struct toml_reader *r, const struct toml_node *v, void *into)
{
	toml_read_fail(r, toml_place(v), "%s", other_forms[0].what);
	return diag_hint(r->d, "%s", other_forms[0].hint), r->code;
}

static const struct toml_key dependency_keys[] = {
	{ "version", TOML_STRING, read_version },
	{ "optional", TOML_BOOL, read_optional },
	{ "url", TOML_STRING, read_url },
	{ "integrity", TOML_STRING, read_integrity },
	{ "path", TOML_STRING, read_path },
	{ "git", TOML_NOTHING, read_git },
};

/* What the keys of one table must be to each other. */
static int check_table(struct toml_reader *r, struct dependency_reader *dr)
{
	struct manifest_dependency *dep = &dr->dep;
	int sources = (dep->requirement.p != NULL) + (dep->url.p != NULL) + (dep->path.p != NULL);
	const char *name = dep->name.p;
	int n = (int)dep->name.n;

	if (sources != 1)
		return toml_read_fail(r, dep->place,
			"'%.*s' needs %s 'version', 'url' or 'path'", n, name,
			sources ? "only one of" : "one of");
	if (dep->integrity.p && !dep->url.p)
		return toml_read_fail(r, dr->integrity_at,
			"'integrity' goes with 'url': registries give their own");
	if (dr->optional && dep->kind == DEPENDENCY_DEV)
		return toml_read_fail(r, dep->place,
			"a development dependency cannot be optional");
	if (dr->optional)
		dep->kind = DEPENDENCY_OPTIONAL;
	return 0;
}

/* "socket.io = …" without quotes is a table "socket" with a key "io": one that has the key's place. */
static int hint_dotted(struct toml_reader *r, const struct toml_node *t,
	const struct manifest_dependency *dep)
{
	struct toml_place at = toml_place(t);
	struct str key = toml_key_at(t, 0);

	for (size_t k = 0; k < ARRAY_SIZE(dependency_keys); k++)
		if (toml_count(t) != 1 || str_is(key, dependency_keys[k].name))
			return 0;
	if (at.line != dep->place.line || at.column != dep->place.column)
		return 0;
	toml_read_fail(r, toml_key_place_at(t, 0), "unknown key '%.*s' in the dependency '%.*s'",
		STR_ARG(key), STR_ARG(dep->name));
	diag_hint(r->d, "a name with a dot needs quotes: \"%.*s.%.*s\"", STR_ARG(dep->name),
		STR_ARG(key));
	return r->code;
}

static int read_dependency(struct toml_reader *r, const struct toml_node *v,
	struct dependency_reader *dr)
{
	char label[300];
	int e;

	if (!name_is_package(dr->dep.name))
		return toml_read_fail(r, dr->dep.place, "'%.*s' is not a package name",
			STR_ARG(dr->dep.name));
	if (toml_kind(v) != TOML_TABLE)
		return read_version(r, v, dr);
	snprintf(label, sizeof(label), "the dependency '%.*s'", STR_ARG(dr->dep.name));
	e = hint_dotted(r, v, &dr->dep);
	if (e == 0)
		e = toml_read_table(r, v, label, dependency_keys, ARRAY_SIZE(dependency_keys), dr);
	return e < 0 ? e : check_table(r, dr);
}

/* "[dependencies] express = …": the ecosystem was forgotten. */
static int check_level(struct toml_reader *r, const struct toml_node *t, size_t i, const char *label)
{
	struct str key = toml_key_at(t, i);

	if (toml_kind(toml_at(t, i)) == TOML_TABLE)
		return manifest_ecosystem(r, key, toml_key_place_at(t, i), label);
	toml_read_fail(r, toml_key_place_at(t, i), "'%.*s' is not an ecosystem", STR_ARG(key));
	diag_hint(r->d, "npm packages belong in [%s.npm]", label);
	return r->code;
}

int manifest_read_dependencies(struct toml_reader *r, const struct toml_node *t, void *into)
{
	struct manifest_reader *mr = manifest_reader(r);
	enum dependency_kind kind = *(enum dependency_kind *)into;
	const char *label = dependency_kind_table(kind);

	for (size_t i = 0; i < toml_count(t); i++) {
		const struct toml_node *names = toml_at(t, i);
		int e = check_level(r, t, i, label);

		for (size_t j = 0; e == 0 && j < toml_count(names); j++) {
			struct dependency_reader dr = { .dep = {
				.ecosystem = toml_key_at(t, i),
				.name = toml_key_at(names, j),
				.kind = kind,
				.place = toml_key_place_at(names, j),
			} };

			e = read_dependency(r, toml_at(names, j), &dr);
			if (e == 0)
				e = vec_push(&mr->dependencies, dr.dep);
		}
		if (e < 0)
			return e;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct manifest_dependency *x = a, *y = b;
	int c = str_cmp(x->ecosystem, y->ecosystem);

	return c ? c : str_cmp(x->name, y->name);
}

static int by_kind(const void *a, const void *b)
{
	const struct manifest_dependency *x = a, *y = b;
	int c = str_cmp(x->ecosystem, y->ecosystem);

	if (c == 0 && x->kind != y->kind)
		c = x->kind < y->kind ? -1 : 1;
	return c ? c : str_cmp(x->name, y->name);
}

static int check_integrity(struct manifest_reader *r, const struct manifest_dependency *dep)
{
	if (!dep->url.p || dep->integrity.p || r->m->allow_missing_integrity)
		return 0;
	toml_read_fail(&r->base, dep->place, "the tarball of '%.*s' has no 'integrity'",
		STR_ARG(dep->name));
	diag_hint(r->base.d, "add integrity = \"sha512-…\", or set allow-missing-integrity in [install]");
	return r->base.code;
}

int manifest_check_dependencies(struct manifest_reader *r)
{
	struct manifest_dependency *v = r->dependencies.v;
	size_t n = r->dependencies.n;

	if (n > MANIFEST_LIST_MAX)
		return toml_read_fail(&r->base, toml_place(NULL), "%zu dependencies are too many", n);
	if (n)
		qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 0; i < n; i++) {
		int e = check_integrity(r, &v[i]);

		if (e < 0)
			return e;
		if (i > 0 && by_name(&v[i - 1], &v[i]) == 0)
			return toml_read_fail(&r->base, v[i].place,
				"'%.*s' is a dependency already, on line %u", STR_ARG(v[i].name),
				v[i - 1].place.line);
	}
	if (n)
		qsort(v, n, sizeof(*v), by_kind);
	return 0;
}
