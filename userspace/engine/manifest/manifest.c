// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/fd.h"
#include "engine/manifest/manifest-priv.h"
#include "engine/manifest/names.h"
#include "prim/err.h"

#include <errno.h>

int manifest_line(struct toml_reader *r, const struct toml_node *value, const char *label, size_t max,
	struct str *ret)
{
	struct str s = toml_str(value);
	int e = toml_read_kind(r, value, TOML_STRING, label);

	if (e < 0)
		return e;
	if (s.n == 0)
		return toml_read_fail(r, toml_place(value), "%s is empty", label);
	if (!name_is_line(s, max))
		return toml_read_fail(r, toml_place(value),
			"%s must be one line of at most %zu bytes", label, max);
	*ret = s;
	return 0;
}

static int read_name(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct manifest *m = into;

	m->name = toml_str(v);
	if (name_is_package(m->name))
		return 0;
	toml_read_fail(r, toml_place(v), "'%.*s' is not a package name", STR_ARG(m->name));
	return diag_hint(r->d, "letters, digits, '-', '_' and '.', or \"@scope/name\""), r->code;
}

static int read_version(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct manifest *m = into;

	m->version = toml_str(v);
	if (name_is_version(m->version))
		return 0;
	return toml_read_fail(r, toml_place(v), "'%.*s' is not a version", STR_ARG(m->version));
}

static int read_description(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct manifest *m = into;

	m->description = toml_str(v);
	return 0;
}

static int read_private(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct manifest *m = into;

	return toml_bool(v, &m->private);
}

static int read_package(struct toml_reader *r, const struct toml_node *t, void *into)
{
	static const struct toml_key keys[] = {
		{ "name", TOML_STRING, read_name },
		{ "version", TOML_STRING, read_version },
		{ "description", TOML_STRING, read_description },
		{ "private", TOML_BOOL, read_private },
	};

	return toml_read_table(r, t, "[package]", keys, ARRAY_SIZE(keys), into);
}

static int read_node(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct manifest *m = into;

	return manifest_line(r, v, "'node'", REQUIREMENT_MAX, &m->node);
}

static int read_environment(struct toml_reader *r, const struct toml_node *t, void *into)
{
	static const struct toml_key keys[] = {
		{ "node", TOML_STRING, read_node },
	};

	return toml_read_table(r, t, "[environment]", keys, ARRAY_SIZE(keys), into);
}

static int read_scripts(struct toml_reader *r, const struct toml_node *t, void *into)
{
	struct manifest_reader *mr = manifest_reader(r);

	for (size_t i = 0; i < toml_count(t); i++) {
		struct manifest_script s = { toml_key_at(t, i), toml_str(toml_at(t, i)) };
		int e = toml_read_kind(r, toml_at(t, i), TOML_STRING, "a script");

		if (e < 0)
			return e;
		if (!name_is_line(s.name, NAME_MAX_BYTES) || s.name.p[0] == '-')
			return toml_read_fail(r, toml_key_place_at(t, i),
				"'%.*s' cannot name a script", STR_ARG(s.name));
		if (str_trim(s.command).n == 0 || memchr(s.command.p, '\0', s.command.n))
			return toml_read_fail(r, toml_place(toml_at(t, i)),
				"the script '%.*s' is empty", STR_ARG(s.name));
		e = vec_push(&mr->scripts, s);
		if (e < 0)
			return e;
	}
	return 0;
}

static int read_layout(struct toml_reader *r, const struct toml_node *v, void *into)
{
	static const char *const layouts[] = { "isolated", "hoisted" };
	struct manifest *m = into;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (str_is(toml_str(v), layouts[i])) {
			m->layout = i == 0 ? LAYOUT_ISOLATED : LAYOUT_HOISTED;
			return 0;
		}
	return toml_read_unknown(r, toml_place(v), "layout", toml_str(v), "[install]", layouts,
		ARRAY_SIZE(layouts));
}

/* Seconds in "90m", "12h", "3d" or "2w"; ten years at the most. */
static int duration_parse(struct str s, int64_t *ret)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
	uint64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (s.n == 0 || s.p[s.n - 1] != units[i].unit)
			continue;
		if (str_u64(str_slice(s, 0, s.n - 1), &n) < 0 ||
				n > 3650 * (uint64_t)86400 / units[i].seconds)
			return -EINVAL;
		*ret = (int64_t)(n * units[i].seconds);
		return 0;
	}
	return -EINVAL;
}

static int read_minimum_age(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct manifest *m = into;
	int64_t days;

	if (toml_int(v, &days) == 0 && days >= 0 && days <= 3650) {
		m->minimum_age = days * 86400;
		return 0;
	}
	if (duration_parse(toml_str(v), &m->minimum_age) == 0)
		return 0;
	toml_read_fail(r, toml_place(v), "'minimum-age' is not a length of time");
	return diag_hint(r->d, "\"3d\", \"12h\", \"90m\", \"2w\", or a whole number of days"), r->code;
}

static int read_allow_missing_time(struct toml_reader *r, const struct toml_node *v, void *into)
{
	return toml_bool(v, &((struct manifest *)into)->allow_missing_time);
}

static int read_allow_missing_integrity(struct toml_reader *r, const struct toml_node *v, void *into)
{
	return toml_bool(v, &((struct manifest *)into)->allow_missing_integrity);
}

/* "npm:name", "npm:name@version" or "name": the last gets its ecosystem. */
static int read_allowed_script(struct toml_reader *r, const struct toml_node *v)
{
	struct manifest_reader *mr = manifest_reader(r);
	struct str s = toml_str(v), rest = s, name, version = { NULL, 0 };
	size_t at;
	int e;

	if (str_find(s, ':', 0) < s.n) {
		e = manifest_ecosystem(r, str_cut(&rest, ':'), toml_place(v), "'allow-scripts'");
		if (e < 0)
			return e;
	}
	at = str_find(rest, '@', 1);
	name = str_slice(rest, 0, at);
	if (at < rest.n)
		version = str_slice(rest, at + 1, rest.n);
	if (!name_is_package(name) || (at < rest.n && !name_is_version(version)))
		return toml_read_fail(r, toml_place(v),
			"'%.*s' is not a package: write \"name\" or \"npm:name@version\"", STR_ARG(s));
	s = arena_fmt(&mr->m->arena, "npm:%.*s", STR_ARG(rest));
	return s.p ? vec_push(&mr->allow_scripts, s) : -ENOMEM;
}

static int read_allow_scripts(struct toml_reader *r, const struct toml_node *v, void *into)
{
	for (size_t i = 0; i < toml_count(v); i++) {
		int e = toml_read_kind(r, toml_at(v, i), TOML_STRING, "a package in 'allow-scripts'");

		if (e == 0)
			e = read_allowed_script(r, toml_at(v, i));
		if (e < 0)
			return e;
	}
	return 0;
}

/* What a URL has between "//" and "/". */
static int read_allowed_host(struct toml_reader *r, const struct toml_node *v)
{
	_cleanup_buf_ struct buf url = BUF_INIT;
	struct str s = toml_str(v);
	bool ok = s.n && !memchr(s.p, '/', s.n) && !memchr(s.p, '?', s.n) && !memchr(s.p, '#', s.n);

	if (ok && buf_addf(&url, "https://%.*s/", STR_ARG(s)) < 0)
		return -ENOMEM;
	if (ok && name_is_url(buf_str(&url)))
		return vec_push(&manifest_reader(r)->allow_hosts, s);
	toml_read_fail(r, toml_place(v), "'%.*s' is not a host", STR_ARG(s));
	return diag_hint(r->d, "\"cdn.example.com\" or \"cdn.example.com:8443\""), r->code;
}

static int read_allow_hosts(struct toml_reader *r, const struct toml_node *v, void *into)
{
	for (size_t i = 0; i < toml_count(v); i++) {
		int e = toml_read_kind(r, toml_at(v, i), TOML_STRING, "a host in 'allow-hosts'");

		if (e == 0)
			e = read_allowed_host(r, toml_at(v, i));
		if (e < 0)
			return e;
	}
	return 0;
}

static int read_install(struct toml_reader *r, const struct toml_node *t, void *into)
{
	static const struct toml_key keys[] = {
		{ "layout", TOML_STRING, read_layout },
		{ "minimum-age", TOML_NOTHING, read_minimum_age },
		{ "allow-missing-time", TOML_BOOL, read_allow_missing_time },
		{ "allow-missing-integrity", TOML_BOOL, read_allow_missing_integrity },
		{ "allow-scripts", TOML_ARRAY, read_allow_scripts },
		{ "allow-hosts", TOML_ARRAY, read_allow_hosts },
	};

	return toml_read_table(r, t, "[install]", keys, ARRAY_SIZE(keys), into);
}

/* [caps] belongs to the policy, which is not read here yet. */
static int read_caps(struct toml_reader *r, const struct toml_node *t, void *into)
{
	return 0;
}

static int read_normal(struct toml_reader *r, const struct toml_node *t, void *into)
{
	return manifest_read_dependencies(r, t, &(enum dependency_kind){ DEPENDENCY_NORMAL });
}

static int read_dev(struct toml_reader *r, const struct toml_node *t, void *into)
{
	return manifest_read_dependencies(r, t, &(enum dependency_kind){ DEPENDENCY_DEV });
}

static int read_optional(struct toml_reader *r, const struct toml_node *t, void *into)
{
	return manifest_read_dependencies(r, t, &(enum dependency_kind){ DEPENDENCY_OPTIONAL });
}

static int read_root(struct manifest_reader *r)
{
	static const struct toml_key keys[] = {
		{ "package", TOML_TABLE, read_package },
		{ "environment", TOML_TABLE, read_environment },
		{ "dependencies", TOML_TABLE, read_normal },
		{ "dev-dependencies", TOML_TABLE, read_dev },
		{ "optional-dependencies", TOML_TABLE, read_optional },
		{ "overrides", TOML_TABLE, manifest_read_overrides },
		{ "extensions", TOML_TABLE, manifest_read_extensions },
		{ "scripts", TOML_TABLE, read_scripts },
		{ "install", TOML_TABLE, read_install },
		{ "registries", TOML_TABLE, manifest_read_registries },
		{ "caps", TOML_TABLE, read_caps },
	};
	int e = toml_read_table(&r->base, toml_root(r->m->doc), toml_name(r->m->doc), keys,
		ARRAY_SIZE(keys), r->m);

	if (e == 0)
		e = manifest_check_dependencies(r);
	return e < 0 ? e : manifest_resolve_overrides(r);
}

/* Moves what a vector gathered into the manifest's arena, so that one call frees everything. */
#define SETTLE(r, list)                                                                            \
	({                                                                                         \
		size_t _n = (r)->list.n;                                                           \
		(r)->m->list = arena_array(&(r)->m->arena, _n, sizeof(*(r)->list.v));              \
		(r)->m->n##list = _n;                                                              \
		if (_n && (r)->m->list)                                                            \
			memcpy((r)->m->list, (r)->list.v, _n * sizeof(*(r)->list.v));              \
		_n && !(r)->m->list ? -ENOMEM : 0;                                                 \
	})

static void reader_done(struct manifest_reader *r)
{
	vec_done(&r->dependencies);
	vec_done(&r->overrides);
	vec_done(&r->extensions);
	vec_done(&r->scripts);
	vec_done(&r->registries);
	vec_done(&r->allow_scripts);
	vec_done(&r->allow_hosts);
}

static int settle(struct manifest_reader *r)
{
	int e = SETTLE(r, dependencies);

	e = e < 0 ? e : SETTLE(r, overrides);
	e = e < 0 ? e : SETTLE(r, extensions);
	e = e < 0 ? e : SETTLE(r, scripts);
	e = e < 0 ? e : SETTLE(r, registries);
	e = e < 0 ? e : SETTLE(r, allow_hosts);
	return e < 0 ? e : SETTLE(r, allow_scripts);
}

/* With `ecosystem`, the text is that one's extensions. */
static int parse(struct manifest **ret, struct str text, const struct str *ecosystem,
	const char *name, struct diag *d)
{
	_cleanup_(manifest_free_p) struct manifest *m = calloc(1, sizeof(*m));
	_cleanup_(reader_done) struct manifest_reader r = { .m = m };
	int e;

	if (!m)
		return -ENOMEM;
	if (text.n > MANIFEST_SIZE_MAX) {
		diag_fail(d, -ERR_MANIFEST, "a manifest of %zu bytes is too large", text.n);
		return diag_where(d, "%s", name), -ERR_MANIFEST;
	}
	e = toml_parse(&m->doc, text, name, d);
	if (e == -ERR_SYNTAX || e == -ERR_LIMIT) {
		if (d)
			d->code = -ERR_MANIFEST;
		return -ERR_MANIFEST;
	}
	if (e < 0)
		return e;
	r.base = (struct toml_reader){ m->doc, d, -ERR_MANIFEST };
	e = ecosystem ? manifest_read_extensions_file(&r, *ecosystem) : read_root(&r);
	if (e == 0)
		e = settle(&r);
	if (e < 0)
		return e;
	*ret = TAKE_PTR(m);
	return 0;
}

int manifest_parse(struct manifest **ret, struct str text, const char *name, struct diag *d)
{
	return parse(ret, text, NULL, name, d);
}

int manifest_parse_extensions(struct manifest **ret, struct str text, struct str ecosystem,
	const char *name, struct diag *d)
{
	return parse(ret, text, &ecosystem, name, d);
}

int manifest_load(struct manifest **ret, int dirfd, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int e = file_slurp(dirfd, MANIFEST_NAME, &text, MANIFEST_SIZE_MAX);

	if (e == -ENOENT) {
		diag_fail(d, -ERR_NO_MANIFEST, "there is no " MANIFEST_NAME " here");
		return diag_hint(d, "'cratons init' makes one"), -ERR_NO_MANIFEST;
	}
	if (e < 0) {
		diag_errno(d, e, "the manifest cannot be read");
		return diag_where(d, MANIFEST_NAME), e;
	}
	return manifest_parse(ret, buf_str(&text), MANIFEST_NAME, d);
}

void manifest_free(struct manifest *m)
{
	if (!m)
		return;
	toml_free(m->doc);
	arena_done(&m->arena);
	free(m);
}
