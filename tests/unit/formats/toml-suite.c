// SPDX-License-Identifier: GPL-2.0-or-later
/* The TOML project's own test suite (github.com/toml-lang/toml-test), as Debian has it beside a Go library:
 * valid/<x>.toml with what it says in <x>.json, and invalid/<x>.toml. */
#include "base/fd.h"
#include "base/json.h"
#include "base/toml.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>

#define SUITE "/usr/share/gocode/src/github.com/BurntSushi/toml/internal/toml-test/tests"

static bool same(const struct toml_node *node, struct json want);

static bool same_table(const struct toml_node *node, struct json want)
{
	size_t n = 0;

	json_foreach(i, want) {
		char key[256];

		snprintf(key, sizeof(key), "%.*s", STR_ARG(i.key));
		if (!same(toml_get(node, key), i.value))
			return false;
		n++;
	}
	return toml_kind(node) == TOML_TABLE && toml_count(node) == n;
}

static bool same_array(const struct toml_node *node, struct json want)
{
	size_t n = 0;

	json_foreach(i, want)
		if (!same(toml_at(node, n++), i.value))
			return false;
	return toml_kind(node) == TOML_ARRAY && toml_count(node) == n;
}

/* A scalar is { "type": "integer", "value": "1" }. */
static bool same(const struct toml_node *node, struct json want)
{
	struct str type = json_str(json_get(want, "type"));
	struct str value = json_str(json_get(want, "value"));
	char text[32] = "";
	int64_t n;
	bool b;

	if (json_kind(want) == JSON_ARRAY)
		return same_array(node, want);
	if (!type.p || !value.p)
		return same_table(node, want);
	if (str_is(type, "string"))
		return toml_str(node).p && str_eq(toml_str(node), value);
	if (str_is(type, "integer") && toml_int(node, &n) == 0)
		snprintf(text, sizeof(text), "%" PRId64, n);
	else if (str_is(type, "bool") && toml_bool(node, &b) == 0)
		snprintf(text, sizeof(text), "%s", b ? "true" : "false");
	else
		return toml_kind(node) == (str_is(type, "float") ? TOML_FLOAT : TOML_DATE);
	return str_is(value, text);
}

static bool check_valid(const char *path, struct toml_doc *doc)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct json_doc *json = NULL;
	char other[4096];
	bool ok;

	snprintf(other, sizeof(other), "%.*s.json", (int)(strlen(path) - 5), path);
	cr_assert_eq(file_slurp(AT_FDCWD, other, &text, 1 << 20), 0, "%s", other);
	cr_assert_eq(json_parse(&json, buf_str(&text), other, NULL), 0, "%s", other);
	ok = same(toml_root(doc), json_root(json));
	json_free(json);
	return ok;
}

static bool check_file(const char *path)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct toml_doc *doc = NULL;
	bool valid = strstr(path, "/tests/valid/") != NULL, ok;

	cr_assert_eq(file_slurp(AT_FDCWD, path, &text, 1 << 20), 0, "%s", path);
	ok = (toml_parse(&doc, buf_str(&text), path, &d) == 0) == valid;
	if (ok && valid)
		ok = check_valid(path, doc);
	if (!ok)
		cr_log_error("%s %s: %s", buf_text(&d.where), path, buf_text(&d.what));
	toml_free(doc);
	return ok;
}

Test(toml, passes_the_projects_suite)
{
	char *folders[] = { SUITE, NULL };
	size_t files = 0, wrong = 0;
	FTS *fts;

	if (access(SUITE, R_OK) < 0)
		cr_skip_test(SUITE " is not there (package golang-github-burntsushi-toml-dev)");
	fts = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	cr_assert_not_null(fts);
	for (FTSENT *e; (e = fts_read(fts));) {
		if (e->fts_info != FTS_F || !str_ends(str_from(e->fts_path), STR(".toml")))
			continue;
		/* "\\e" came with TOML 1.1. */
		if (str_is(str_from(e->fts_name), "escape-esc.toml"))
			continue;
		files++;
		wrong += !check_file(e->fts_path);
	}
	fts_close(fts);
	cr_assert_gt(files, 300);
	cr_assert_eq(wrong, 0);
}
