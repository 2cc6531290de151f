// SPDX-License-Identifier: GPL-2.0-or-later
/* toml++ reads the text; what it found is copied into the arena's plain arrays, and its own objects go. */
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#define TOML_MAX_NESTED_VALUES 64
#include <toml++/toml.h>

/* In C a struct and a function may share a name. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "base/toml-node.h"
#pragma GCC diagnostic pop

extern "C" {
#include "prim/err.h"
}

#include <errno.h>

static_assert(TOML_MAX_NESTED_VALUES == TOML_DEPTH_MAX);

using place = struct toml_place;

static place place_of(const toml::source_region &s)
{
	return { s.begin.line, s.begin.column, s.end.line, s.end.column };
}

static int fail(toml_doc *doc, diag *d, int code, place where, const char *text, size_t len)
{
	diag_fail(d, code, "%.*s", (int)len, text);
	toml_where(doc, where, d);
	return code;
}

static int too_deep(toml_doc *doc, diag *d, place where)
{
	static const char text[] = "tables, arrays or dotted keys are nested too deep";

	return fail(doc, d, -ERR_LIMIT, where, text, sizeof(text) - 1);
}

static size_t skip_string(std::string_view t, size_t at)
{
	char quote = t[at];
	bool lines = t.size() - at >= 3 && t[at + 1] == quote && t[at + 2] == quote;

	for (at += lines ? 3 : 1; at < t.size(); at++) {
		if (t[at] == '\\' && quote == '"')
			at++;
		else if (t[at] == quote && (!lines || t.compare(at, 3, std::string(3, quote)) == 0))
			return at + (lines ? 3 : 1);
		else if (t[at] == '\n' && !lines)
			return at;
	}
	return t.size();
}

/*
 * toml++ bounds the depth of values, but not of dotted keys ("[a.a.a…]"), and walks what it made by
 * recursion: a file of dots would end its stack. So dots between keys are counted first; how the
 * text is valid otherwise is left to the parser.
 */
static int check_dots(toml_doc *doc, std::string_view t, diag *d)
{
	uint32_t line = 1, dots = 0;
	size_t at = 0;

	while (at < t.size()) {
		char c = t[at];

		if (c == '"' || c == '\'') {
			size_t end = skip_string(t, at);

			for (; at < end; at++)
				line += t[at] == '\n';
			continue;
		}
		if (c == '#')
			at = std::min(t.find('\n', at), t.size() - 1);
		if (c == '.' && ++dots > TOML_DEPTH_MAX)
			return too_deep(doc, d, { line, 1, line, 1 });
		if (t[at] == '\n' || c == '=' || c == ',')
			dots = 0;
		line += t[at++] == '\n';
	}
	return 0;
}

namespace {

struct flattener {
	toml_doc *doc;
	diag *d;

	int text(const std::string &from, str *ret)
	{
		*ret = arena_str(&doc->arena, { from.data(), from.size() });
		return ret->p ? 0 : -ENOMEM;
	}

	int array(const toml::array &from, toml_node *ret, unsigned depth)
	{
		ret->kind = TOML_ARRAY;
		ret->u.items = arena_newn(&doc->arena, toml_node, from.size());
		if (!ret->u.items && from.size())
			return -ENOMEM;
		for (const toml::node &n : from)
			if (int r = node(n, &ret->u.items[ret->count++], depth))
				return r;
		return 0;
	}

	int table(const toml::table &from, toml_node *ret, unsigned depth)
	{
		ret->kind = TOML_TABLE;
		ret->u.entries = arena_newn(&doc->arena, toml_entry, from.size());
		if (!ret->u.entries && from.size())
			return -ENOMEM;
		for (auto &&[key, value] : from) {
			toml_entry *e = &ret->u.entries[ret->count++];
			int r = text(std::string(key.str()), &e->key);

			e->place = place_of(key.source());
			if (r || (r = node(value, &e->value, depth)))
				return r;
		}
		return 0;
	}

	int node(const toml::node &from, toml_node *ret, unsigned depth)
	{
		ret->place = place_of(from.source());
		if (depth > TOML_DEPTH_MAX)
			return too_deep(doc, d, ret->place);
		switch (from.type()) {
		case toml::node_type::table:
			return table(*from.as_table(), ret, depth + 1);
		case toml::node_type::array:
			return array(*from.as_array(), ret, depth + 1);
		case toml::node_type::string:
			ret->kind = TOML_STRING;
			return text(from.as_string()->get(), &ret->u.string);
		case toml::node_type::integer:
			ret->kind = TOML_INTEGER;
			ret->u.integer = from.as_integer()->get();
			return 0;
		case toml::node_type::floating_point:
			ret->kind = TOML_FLOAT;
			ret->u.real = from.as_floating_point()->get();
			return 0;
		case toml::node_type::boolean:
			ret->kind = TOML_BOOL;
			ret->u.boolean = from.as_boolean()->get();
			return 0;
		default:
			ret->kind = TOML_DATE;
			return 0;
		}
	}
};

} // namespace

/* Memory that is out is the only thing that throws here; it must not cross into C. */
int toml_parse_text(toml_doc *doc, str text, diag *d)
try {
	std::string_view view(text.p ? text.p : "", text.n);
	int r = check_dots(doc, view, d);

	if (r)
		return r;
	auto result = toml::parse(view);
	if (!result) {
		auto why = result.error().description();

		return fail(doc, d, -ERR_SYNTAX, place_of(result.error().source()), why.data(),
			why.size());
	}
	return flattener{ doc, d }.node(result.table(), &doc->root, 0);
} catch (...) {
	return -ENOMEM;
}
