// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/toml.h"

#include "base/quote.h"
#include "base/toml-node.h"
#include "prim/err.h"

#include <errno.h>

int toml_parse(struct toml_doc **ret, struct str text, const char *name, struct diag *d)
{
	_cleanup_(toml_free_p) struct toml_doc *doc = calloc(1, sizeof(*doc));
	int r;

	if (!doc)
		return -ENOMEM;
	doc->name = arena_str(&doc->arena, str_from(name));
	if (!doc->name.p)
		return -ENOMEM;
	if (text.n > TOML_TEXT_MAX) {
		diag_fail(d, -ERR_LIMIT, "a file of %zu bytes is too large", text.n);
		diag_where(d, "%s", name);
		return -ERR_LIMIT;
	}
	r = toml_parse_text(doc, text, d);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(doc);
	return 0;
}

void toml_free(struct toml_doc *doc)
{
	if (!doc)
		return;
	toml_parse_done(doc);
	arena_done(&doc->arena);
	free(doc);
}

const struct toml_node *toml_root(const struct toml_doc *doc)
{
	return &doc->root;
}

const char *toml_name(const struct toml_doc *doc)
{
	return doc->name.p;
}

enum toml_kind toml_kind(const struct toml_node *node)
{
	return node ? node->kind : TOML_NOTHING;
}

struct toml_place toml_place(const struct toml_node *node)
{
	return node ? node->place : (struct toml_place){ 0 };
}

const struct toml_node *toml_get(const struct toml_node *table, const char *key)
{
	struct str wanted = str_from(key);
	size_t low = 0, high = toml_kind(table) == TOML_TABLE ? table->count : 0;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct toml_entry *e = &table->u.entries[middle];
		int c = str_cmp(wanted, e->key);

		if (c == 0)
			return &e->value;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct str toml_str(const struct toml_node *node)
{
	return toml_kind(node) == TOML_STRING ? node->u.string : (struct str){ NULL, 0 };
}

int toml_int(const struct toml_node *node, int64_t *ret)
{
	if (toml_kind(node) != TOML_INTEGER)
		return -EINVAL;
	*ret = node->u.integer;
	return 0;
}

int toml_bool(const struct toml_node *node, bool *ret)
{
	if (toml_kind(node) != TOML_BOOL)
		return -EINVAL;
	*ret = node->u.boolean;
	return 0;
}

size_t toml_count(const struct toml_node *node)
{
	enum toml_kind kind = toml_kind(node);

	return kind == TOML_ARRAY || kind == TOML_TABLE ? node->count : 0;
}

const struct toml_node *toml_at(const struct toml_node *node, size_t i)
{
	if (i >= toml_count(node))
		return NULL;
	return node->kind == TOML_ARRAY ? &node->u.items[i] : &node->u.entries[i].value;
}

static const struct toml_entry *entry_at(const struct toml_node *table, size_t i)
{
	return toml_kind(table) == TOML_TABLE && i < table->count ? &table->u.entries[i] : NULL;
}

struct str toml_key_at(const struct toml_node *table, size_t i)
{
	const struct toml_entry *e = entry_at(table, i);

	return e ? e->key : (struct str){ NULL, 0 };
}

struct toml_place toml_key_place_at(const struct toml_node *table, size_t i)
{
	const struct toml_entry *e = entry_at(table, i);

	return e ? e->place : (struct toml_place){ 0 };
}

int toml_where(const struct toml_doc *doc, struct toml_place place, struct diag *d)
{
	if (place.line == 0)
		return diag_where(d, "%s", toml_name(doc));
	return diag_where(d, "%s:%u:%u", toml_name(doc), place.line, place.column);
}

int toml_put_string(struct buf *to, struct str s)
{
	return buf_add_quoted(to, s);
}

static bool bare(struct str key)
{
	for (size_t i = 0; i < key.n; i++) {
		char c = key.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				c == '-' || c == '_'))
			return false;
	}
	return key.n > 0;
}

int toml_put_key(struct buf *to, struct str key)
{
	return bare(key) ? buf_addstr(to, key) : toml_put_string(to, key);
}
