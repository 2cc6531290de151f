// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each line is tried as a manifest by itself before it is kept, so that what cratons.toml accepts is
 * decided in one place, and one odd dependency does not stop the rest.
 */
#include "engine/registry/npm/import.h"

#include "base/json.h"
#include "base/map.h"
#include "engine/manifest/manifest.h"
#include "prim/err.h"

#include <errno.h>

struct import {
	const struct npm_import_options *o;
	struct json root;
	struct buf *to;
	struct map seen;	/* dependencies that a table above has */
	int error;
};

static void note(struct import *im, int r)
{
	if (r < 0 && im->error == 0)
		im->error = r;
}

static void warn(struct import *im, const char *format, ...) _printf_(2, 3);
static void warn(struct import *im, const char *format, ...)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, format);
	if (im->o->warn && buf_vaddf(&b, format, ap) == 0)
		im->o->warn(im->o->data, buf_text(&b));
	va_end(ap);
}

/* A line that stands under a table's header: kept, or left as a comment with the reason told. */
static void put_line(struct import *im, const char *header, struct str name, struct str line)
{
	_cleanup_buf_ struct buf trial = BUF_INIT;
	_cleanup_(manifest_free_p) struct manifest *m = NULL;
	_cleanup_diag_ struct diag why = DIAG_INIT;

	note(im, buf_addf(&trial, "%s\n%.*s\n", header, STR_ARG(line)));
	if (manifest_parse(&m, buf_str(&trial), MANIFEST_NAME, &why) < 0) {
		warn(im, "left out %.*s: %s", STR_ARG(name), buf_text(&why.what));
		note(im, buf_adds(im->to, "# "));
	}
	note(im, buf_addf(im->to, "%.*s\n", STR_ARG(line)));
}

/* A header is written with its first line, so that no table stays empty. */
static void put_header(struct import *im, const char *header, bool *written)
{
	if (!*written)
		note(im, buf_addf(im->to, "\n%s\n", header));
	*written = true;
}

static bool is_directory_spec(struct str s, struct str *ret)
{
	if (str_starts(s, STR("file:")) || str_starts(s, STR("link:")))
		s = str_slice(s, 5, s.n);
	else if (!str_starts(s, STR("./")))
		return false;
	/* A file: with an archive is no directory. */
	if (str_ends(s, STR(".tgz")) || str_ends(s, STR(".tar.gz")))
		return false;
	*ret = s;
	return true;
}

static void put_dependency(struct import *im, const char *header, struct str name, struct str spec)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	struct str dir;

	note(im, toml_put_key(&line, name));
	note(im, buf_adds(&line, " = "));
	if (is_directory_spec(spec, &dir)) {
		note(im, buf_adds(&line, "{ path = "));
		note(im, toml_put_string(&line, dir));
		note(im, buf_adds(&line, " }"));
	} else {
		/* npm takes an empty version for any. */
		note(im, toml_put_string(&line, str_trim(spec).n ? spec : STR("*")));
	}
	put_line(im, header, name, buf_str(&line));
}

static void put_dependencies(struct import *im, const char *key, const char *header, struct buf *to)
{
	struct buf *whole = im->to;
	bool written = to->len;

	im->to = to;
	json_foreach(i, json_get(im->root, key)) {
		struct str spec = json_str(i.value);

		if (!spec.p || map_get(&im->seen, i.key))
			continue;
		note(im, map_put(&im->seen, i.key, im));
		put_header(im, header, &written);
		put_dependency(im, header, i.key, spec);
	}
	im->to = whole;
}

/* A name in two of the tables: optional wins over normal as in npm; normal wins over development, so
 * that --production has it; the project's own peers, which npm installs too, are normal. */
static void put_all_dependencies(struct import *im)
{
	_cleanup_buf_ struct buf normal = BUF_INIT, dev = BUF_INIT, optional = BUF_INIT;

	put_dependencies(im, "optionalDependencies", "[optional-dependencies.npm]", &optional);
	put_dependencies(im, "dependencies", "[dependencies.npm]", &normal);
	put_dependencies(im, "devDependencies", "[dev-dependencies.npm]", &dev);
	put_dependencies(im, "peerDependencies", "[dependencies.npm]", &normal);
	note(im, buf_addstr(im->to, buf_str(&normal)));
	note(im, buf_addstr(im->to, buf_str(&dev)));
	note(im, buf_addstr(im->to, buf_str(&optional)));
}

/* An override's value: a requirement, or an inline table of those below a package. */
static void put_override_value(struct import *im, struct buf *line, struct json v, unsigned depth)
{
	const char *separator = "{ ";

	if (json_kind(v) != JSON_OBJECT || depth == 16) {
		note(im, toml_put_string(line, json_str(v)));
		return;
	}
	json_foreach(i, v) {
		note(im, buf_adds(line, separator));
		note(im, toml_put_key(line, i.key));
		note(im, buf_adds(line, " = "));
		put_override_value(im, line, i.value, depth + 1);
		separator = ", ";
	}
	note(im, buf_adds(line, separator[0] == ',' ? " }" : "{}"));
}

/* "$name" in an override means a dependency of the project, which a line tried by itself lacks. */
static bool refers(struct str line)
{
	return memmem(line.p, line.n, "\"$", 2) != NULL;
}

static void put_overrides(struct import *im, struct json overrides)
{
	bool written = false;

	json_foreach(i, overrides) {
		_cleanup_buf_ struct buf line = BUF_INIT;

		note(im, toml_put_key(&line, i.key));
		note(im, buf_adds(&line, " = "));
		put_override_value(im, &line, i.value, 0);
		put_header(im, "[overrides.npm]", &written);
		if (refers(buf_str(&line)))
			note(im, buf_addf(im->to, "%s\n", buf_text(&line)));
		else
			put_line(im, "[overrides.npm]", i.key, buf_str(&line));
	}
}

static void put_scripts(struct import *im)
{
	bool written = false;

	json_foreach(i, json_get(im->root, "scripts")) {
		_cleanup_buf_ struct buf line = BUF_INIT;

		if (!json_str(i.value).p)
			continue;
		note(im, toml_put_key(&line, i.key));
		note(im, buf_adds(&line, " = "));
		note(im, toml_put_string(&line, json_str(i.value)));
		put_header(im, "[scripts]", &written);
		put_line(im, "[scripts]", i.key, buf_str(&line));
	}
}

/* pnpm.onlyBuiltDependencies and bun's trustedDependencies are what allow-scripts is here. */
static void put_allowed(struct import *im)
{
	const struct json lists[] = {
		json_get(json_get(im->root, "pnpm"), "onlyBuiltDependencies"),
		json_get(im->root, "trustedDependencies"),
	};
	_cleanup_buf_ struct buf line = BUF_INIT;
	const char *separator = "allow-scripts = [";

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		json_foreach(i, lists[l]) {
			note(im, buf_adds(&line, separator));
			note(im, toml_put_string(&line, json_str(i.value)));
			separator = ", ";
		}
	if (line.len == 0)
		return;
	note(im, buf_addc(&line, ']'));
	note(im, buf_adds(im->to, "\n[install]\n"));
	put_line(im, "[install]", STR("allow-scripts"), buf_str(&line));
}

static void put_string_line(struct import *im, const char *header, const char *key, struct str value)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	note(im, buf_addf(&line, "%s = ", key));
	note(im, toml_put_string(&line, value));
	put_line(im, header, str_from(key), buf_str(&line));
}

static void put_package(struct import *im)
{
	struct str name = json_str(json_get(im->root, "name"));
	struct str version = json_str(json_get(im->root, "version"));
	struct str node = json_str(json_get(json_get(im->root, "engines"), "node"));

	note(im, buf_adds(im->to, "[package]\n"));
	put_string_line(im, "[package]", "name", name.n ? name : im->o->name);
	if (version.n)
		put_string_line(im, "[package]", "version", version);
	if (!node.n)
		return;
	/* A range like ">=18" would choose the newest Node there is: that is for a person to say. */
	note(im, buf_adds(im->to, "\n[environment]\n# The Node to run instead of the host's; "
		"package.json has engines.node:\n# node = "));
	note(im, toml_put_string(im->to, node));
	note(im, buf_addc(im->to, '\n'));
}

static void warn_of_the_rest(struct import *im)
{
	static const struct {
		const char *key, *why;
	} rest[] = {
		{ "workspaces", "workspaces are not supported yet: make a cratons.toml in each" },
		{ "resolutions", "write what is needed of them in [overrides.npm]" },
		{ "catalog", "write the versions where they are used" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rest); i++)
		if (json_kind(json_get(im->root, rest[i].key)) != JSON_NOTHING)
			warn(im, "left out %s: %s", rest[i].key, rest[i].why);
	if (json_kind(json_get(json_get(im->root, "pnpm"), "overrides")) != JSON_NOTHING)
		warn(im, "left out pnpm.overrides: write what is needed in [overrides.npm]");
}

int npm_import(struct str package_json, const char *where, const struct npm_import_options *o,
	struct buf *ret, struct diag *d)
{
	_cleanup_(json_free_p) struct json_doc *doc = NULL;
	_cleanup_(manifest_free_p) struct manifest *m = NULL;
	struct import im = { .o = o, .to = ret };
	size_t from = ret->len;
	int r = json_parse(&doc, package_json, where, d);

	if (r < 0)
		return r;
	im.root = json_root(doc);
	if (json_kind(im.root) != JSON_OBJECT)
		return diag_fail(d, -ERR_MANIFEST, "%s is not an object", where);
	put_package(&im);
	put_scripts(&im);
	put_all_dependencies(&im);
	put_overrides(&im, json_get(im.root, "overrides"));
	put_allowed(&im);
	warn_of_the_rest(&im);
	map_done(&im.seen);
	if (im.error < 0)
		return diag_errno(d, im.error, "cannot import %s", where);
	return manifest_parse(&m, str_slice(buf_str(ret), from, ret->len), MANIFEST_NAME, d);
}
