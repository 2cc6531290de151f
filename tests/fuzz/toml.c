// SPDX-License-Identifier: GPL-2.0-or-later
/* Whatever is parsed can be walked, has its places inside the text, and strings that can be written. */
#include "base/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_place(struct toml_place p, size_t size)
{
	if (p.line == 0 || p.column == 0 || p.line > size + 1 || p.column > size + 1)
		abort();
	if (p.end_line < p.line || (p.end_line == p.line && p.end_column < p.column))
		abort();
}

static void check_string(struct str s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct toml_doc *doc = NULL;

	if (!s.p)
		return;
	if (buf_adds(&b, "x = ") < 0 || toml_put_string(&b, s) < 0)
		abort();
	if (toml_parse(&doc, buf_str(&b), "fuzz", NULL) < 0 ||
			!str_eq(toml_str(toml_get(toml_root(doc), "x")), s))
		abort();
	toml_free(doc);
}

static void walk(const struct toml_node *node, size_t size, unsigned depth)
{
	if (depth > 64)
		abort();
	check_place(toml_place(node), size);
	check_string(toml_str(node));
	for (size_t i = 0; i < toml_count(node); i++) {
		if (toml_kind(node) == TOML_TABLE) {
			check_place(toml_key_place_at(node, i), size);
			check_string(toml_key_at(node, i));
			if (i > 0 && str_cmp(toml_key_at(node, i - 1), toml_key_at(node, i)) >= 0)
				abort();
		}
		walk(toml_at(node, i), size, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct toml_doc *doc = NULL;

	if (toml_parse(&doc, str_of(data, size), "fuzz", &d) < 0) {
		if (d.code == 0 || d.where.len == 0)
			abort();
		return 0;
	}
	walk(toml_root(doc), size, 0);
	toml_free(doc);
	return 0;
}
