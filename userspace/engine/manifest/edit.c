// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Edits of the manifest's text. The parsed document says where each key and value stands; only those
 * bytes change. What comes out is parsed again: an edit that did not do what was asked is refused, so
 * that an unusual way of writing costs a message, never a file.
 */
#include "engine/manifest/edit-text.h"
#include "engine/manifest/manifest-priv.h"
#include "engine/manifest/names.h"
#include "prim/err.h"

#include <errno.h>

struct edit {
	struct edit_text text;
	const char *name;		/* of the file */
	struct toml_doc *doc;
	struct str ecosystem, package;
	struct diag *d;
};

static void edit_done(struct edit *e)
{
	toml_free(e->doc);
}

static int edit_start(struct edit *e, struct str text, const char *name, struct str ecosystem,
	struct str package, struct diag *d)
{
	_cleanup_(manifest_free_p) struct manifest *m = NULL;
	int r = manifest_parse(&m, text, name, d);

	if (r < 0)
		return r;
	*e = (struct edit){ { text }, name, TAKE_PTR(m->doc), ecosystem, package, d };
	return 0;
}

static const struct toml_node *get(const struct toml_node *table, struct str key, size_t *ret_i)
{
	for (size_t i = 0; i < toml_count(table); i++)
		if (toml_kind(table) == TOML_TABLE && str_eq(toml_key_at(table, i), key)) {
			*ret_i = i;
			return toml_at(table, i);
		}
	return NULL;
}

/* The table of one kind's dependencies, or NULL. */
static const struct toml_node *names_of(const struct edit *e, enum dependency_kind kind)
{
	size_t i;

	return get(toml_get(toml_root(e->doc), dependency_kind_table(kind)), e->ecosystem, &i);
}

static const enum dependency_kind kinds[] = { DEPENDENCY_NORMAL, DEPENDENCY_DEV, DEPENDENCY_OPTIONAL };

/* Where the package is written now: its entry in the table of a kind. */
static const struct toml_node *find(const struct edit *e, enum dependency_kind *ret_kind, size_t *ret_i)
{
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct toml_node *v = get(names_of(e, kinds[k]), e->package, ret_i);

		if (v) {
			*ret_kind = kinds[k];
			return v;
		}
	}
	return NULL;
}

/* The entry's lines (or its part of an inline table) out of the text. */
static int cut_entry(const struct edit *e, const struct toml_node *names, size_t i, struct buf *ret)
{
	const struct toml_node *value = toml_at(names, i);

	if (edit_shape(&e->text, names) == EDIT_INLINE)
		return edit_cut_inline(&e->text, names, i, ret);
	if (toml_kind(value) != TOML_TABLE || edit_shape(&e->text, value) == EDIT_INLINE)
		return edit_cut_lines(&e->text, toml_key_place_at(names, i), toml_place(value), ret);
	if (edit_shape(&e->text, value) == EDIT_HEADER)
		return edit_cut_section(&e->text, e->doc, toml_place(value), ret);
	return edit_cut_dotted(&e->text, value, ret);
}

static int failed(const char *name, const char *what, struct str package, struct diag *d)
{
	diag_fail(d, -ERR_MANIFEST, "'%.*s' cannot be %s by itself in a manifest written like this",
		STR_ARG(package), what);
	diag_where(d, "%s", name);
	return diag_hint(d, "edit the file by hand"), -ERR_MANIFEST;
}

static const struct manifest_dependency *declared(const struct manifest *m, struct str ecosystem,
	struct str package)
{
	for (size_t i = 0; i < m->ndependencies; i++)
		if (str_eq(m->dependencies[i].ecosystem, ecosystem) &&
				str_eq(m->dependencies[i].name, package))
			return &m->dependencies[i];
	return NULL;
}

int manifest_remove_dependency(struct str text, const char *name, struct str ecosystem,
	struct str package, struct buf *ret, struct diag *d)
{
	_cleanup_(edit_done) struct edit e = { 0 };
	_cleanup_(manifest_free_p) struct manifest *after = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	enum dependency_kind kind;
	size_t i;
	int r = edit_start(&e, text, name, ecosystem, package, d);

	if (r < 0)
		return r;
	if (!find(&e, &kind, &i)) {
		diag_fail(d, -ENOENT, "'%.*s' is not a dependency", STR_ARG(package));
		return diag_where(d, "%s", name), -ENOENT;
	}
	r = cut_entry(&e, names_of(&e, kind), i, &out);
	if (r < 0)
		return r;
	if (manifest_parse(&after, buf_str(&out), name, NULL) < 0 || declared(after, ecosystem, package))
		return failed(name, "removed", package, d);
	return buf_addstr(ret, buf_str(&out));
}

/* `requirement` in the quotes that the text has there now, where they can hold it. */
static int put_quoted(struct buf *to, char quote, struct str requirement)
{
	if (quote == '\'' && !memchr(requirement.p, '\'', requirement.n))
		return buf_addf(to, "'%.*s'", STR_ARG(requirement));
	return toml_put_string(to, requirement);
}

static int replace_value(const struct edit *e, const struct toml_node *value, struct str requirement,
	struct buf *ret)
{
	_cleanup_buf_ struct buf quoted = BUF_INIT;
	struct edit_span span = edit_span(&e->text, toml_place(value));
	int r = put_quoted(&quoted, e->text.text.p[span.from], requirement);

	return r < 0 ? r : edit_splice(&e->text, span, buf_str(&quoted), ret);
}

/* An inline table with a URL or a path becomes a version; what else it says stays. */
static int replace_inline(const struct edit *e, const struct toml_node *value, struct str requirement,
	struct buf *ret)
{
	_cleanup_buf_ struct buf whole = BUF_INIT;
	bool optional = false;
	int r;

	(void)toml_bool(toml_get(value, "optional"), &optional);
	r = optional ? buf_adds(&whole, "{ version = ") : 0;
	r = r < 0 ? r : toml_put_string(&whole, requirement);
	r = r < 0 || !optional ? r : buf_adds(&whole, ", optional = true }");
	return r < 0 ? r : edit_splice(&e->text, edit_span(&e->text, toml_place(value)),
				    buf_str(&whole), ret);
}

static int insert(const struct edit *e, enum dependency_kind kind, struct str requirement,
	struct buf *ret)
{
	_cleanup_buf_ struct buf key = BUF_INIT, value = BUF_INIT;
	const char *section = dependency_kind_table(kind);
	const struct toml_node *above = toml_get(toml_root(e->doc), section);
	const struct toml_node *names = names_of(e, kind);
	int r = toml_put_key(&key, e->package);

	r = r < 0 ? r : toml_put_string(&value, requirement);
	if (r < 0)
		return r;
	if (names && edit_shape(&e->text, names) == EDIT_INLINE)
		return edit_add_inline(&e->text, names, buf_text(&key), buf_text(&value), ret);
	if (names && edit_add_line(&e->text, names, e->package, buf_text(&key), buf_text(&value), ret) == 0)
		return 0;
	if (!names && above && edit_shape(&e->text, above) == EDIT_INLINE) {
		_cleanup_buf_ struct buf table = BUF_INIT;

		r = buf_addf(&table, "{ %s = %s }", buf_text(&key), buf_text(&value));
		return r < 0 ? r : edit_add_inline(&e->text, above, "npm", buf_text(&table), ret);
	}
	return edit_add_section(&e->text, e->doc, section, e->ecosystem, buf_text(&key),
		buf_text(&value), ret);
}

/* The text with the entry gone and written anew: for what cannot be changed where it stands. */
static int move(const struct edit *e, enum dependency_kind kind, struct str requirement, struct buf *ret)
{
	_cleanup_buf_ struct buf without = BUF_INIT;
	int r = manifest_remove_dependency(e->text.text, e->name, e->ecosystem, e->package, &without,
		e->d);

	if (r < 0)
		return r;
	return manifest_set_dependency(buf_str(&without), e->name, kind, e->ecosystem, e->package,
		requirement, ret, e->d);
}

/* "optional = true" in [dependencies] is as optional as [optional-dependencies]. */
static bool same_kind(const struct toml_node *value, enum dependency_kind now, enum dependency_kind kind)
{
	bool optional = false;

	(void)toml_bool(toml_get(value, "optional"), &optional);
	return now == kind || (now == DEPENDENCY_NORMAL && kind == DEPENDENCY_OPTIONAL && optional);
}

static int set(const struct edit *e, enum dependency_kind kind, struct str requirement, struct buf *ret)
{
	enum dependency_kind now;
	size_t i;
	const struct toml_node *value = find(e, &now, &i), *version = toml_get(value, "version");

	if (!value)
		return insert(e, kind, requirement, ret);
	if (!same_kind(value, now, kind))
		return move(e, kind, requirement, ret);
	if (toml_kind(value) == TOML_STRING)
		return replace_value(e, value, requirement, ret);
	if (version)
		return replace_value(e, version, requirement, ret);
	if (edit_shape(&e->text, value) == EDIT_INLINE)
		return replace_inline(e, value, requirement, ret);
	return move(e, kind, requirement, ret);
}

int manifest_set_dependency(struct str text, const char *name, enum dependency_kind kind,
	struct str ecosystem, struct str package, struct str requirement, struct buf *ret,
	struct diag *d)
{
	_cleanup_(edit_done) struct edit e = { 0 };
	_cleanup_(manifest_free_p) struct manifest *after = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	const struct manifest_dependency *dep;
	int r;

	if (!name_is_package(package))
		return diag_fail(d, -ERR_MANIFEST, "'%.*s' is not a package name", STR_ARG(package));
	if (!name_is_line(requirement, REQUIREMENT_MAX))
		return diag_fail(d, -ERR_MANIFEST, "'%.*s' is not a version requirement",
			STR_ARG(requirement));
	r = edit_start(&e, text, name, ecosystem, package, d);
	if (r == 0)
		r = set(&e, kind, requirement, &out);
	if (r == 0)
		r = manifest_parse(&after, buf_str(&out), name, d);
	if (r < 0)
		return r;
	dep = declared(after, ecosystem, package);
	if (!dep || !str_eq(dep->requirement, str_trim(requirement)))
		return failed(name, "set", package, d);
	return buf_addstr(ret, buf_str(&out));
}
