// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/manifest/edit-text.h"

#include <errno.h>

/* Columns count code points, and a byte order mark is none. */
static size_t offset_of(struct str text, uint32_t line, uint32_t column)
{
	size_t at = str_starts(text, STR("\xef\xbb\xbf")) ? 3 : 0;

	while (line-- > 1)
		at = MIN(str_find(text, '\n', at) + 1, text.n);
	while (column-- > 1 && at < text.n)
		at += MAX(str_utf8_sequence(text, at), (size_t)1);
	return at;
}

struct edit_span edit_span(const struct edit_text *t, struct toml_place p)
{
	size_t from = offset_of(t->text, p.line, p.column);
	size_t to = offset_of(t->text, p.end_line, p.end_column);

	return (struct edit_span){ from, MAX(from, to) };
}

enum edit_shape edit_shape(const struct edit_text *t, const struct toml_node *table)
{
	size_t at = edit_span(t, toml_place(table)).from;

	if (at < t->text.n && t->text.p[at] == '{')
		return EDIT_INLINE;
	return at < t->text.n && t->text.p[at] == '[' ? EDIT_HEADER : EDIT_DOTTED;
}

int edit_splice(const struct edit_text *t, struct edit_span out, struct str in, struct buf *ret)
{
	int r = buf_addstr(ret, str_slice(t->text, 0, out.from));

	r = r < 0 ? r : buf_addstr(ret, in);
	return r < 0 ? r : buf_addstr(ret, str_slice(t->text, out.to, t->text.n));
}

static size_t line_start(struct str text, size_t at)
{
	while (at > 0 && text.p[at - 1] != '\n')
		at--;
	return at;
}

/* Behind the newline, or the end of the text. */
static size_t line_end(struct str text, size_t at)
{
	return MIN(str_find(text, '\n', at) + 1, text.n);
}

static const char *newline_of(struct str text)
{
	size_t at = str_find(text, '\n', 0);

	return at > 0 && at < text.n && text.p[at - 1] == '\r' ? "\r\n" : "\n";
}

int edit_cut_lines(const struct edit_text *t, struct toml_place key, struct toml_place value,
	struct buf *ret)
{
	struct edit_span k = edit_span(t, key), v = edit_span(t, value);
	struct edit_span lines = { line_start(t->text, k.from), line_end(t->text, v.to) };

	return edit_splice(t, lines, STR(""), ret);
}

/* The entry of a table that stands first behind `from`, or last before it (`before`). */
static size_t neighbour(const struct edit_text *t, const struct toml_node *table, size_t from,
	bool before)
{
	size_t best = SIZE_MAX, best_at = 0;

	for (size_t i = 0; i < toml_count(table); i++) {
		size_t at = edit_span(t, toml_key_place_at(table, i)).from;

		if (before ? at >= from : at <= from)
			continue;
		if (best == SIZE_MAX || (before ? at > best_at : at < best_at)) {
			best = i;
			best_at = at;
		}
	}
	return best;
}

static size_t value_end(const struct edit_text *t, const struct toml_node *table, size_t i)
{
	return edit_span(t, toml_place(toml_at(table, i))).to;
}

int edit_cut_inline(const struct edit_text *t, const struct toml_node *table, size_t i,
	struct buf *ret)
{
	struct edit_span out = { edit_span(t, toml_key_place_at(table, i)).from,
		value_end(t, table, i) };
	size_t next = neighbour(t, table, out.from, false);
	size_t previous = neighbour(t, table, out.from, true);

	if (next != SIZE_MAX) {
		out.to = edit_span(t, toml_key_place_at(table, next)).from;
	} else if (previous != SIZE_MAX) {
		out.from = value_end(t, table, previous);
	} else {
		struct edit_span braces = edit_span(t, toml_place(table));

		out = (struct edit_span){ braces.from + 1, braces.to - 1 };
	}
	return edit_splice(t, out, STR(""), ret);
}

int edit_cut_dotted(const struct edit_text *t, const struct toml_node *table, struct buf *ret)
{
	size_t at = 0, i;

	while ((i = neighbour(t, table, at, false)) != SIZE_MAX) {
		struct edit_span k = edit_span(t, toml_key_place_at(table, i));
		size_t from = line_start(t->text, k.from);
		int r = buf_addstr(ret, str_slice(t->text, MIN(at, from), from));

		if (r < 0)
			return r;
		at = line_end(t->text, value_end(t, table, i));
	}
	return buf_addstr(ret, str_slice(t->text, at, t->text.n));
}

/* Whether a byte is inside a value: then a '[' there begins no header. */
static bool inside_value(const struct edit_text *t, const struct toml_node *node, size_t at)
{
	for (size_t i = 0; i < toml_count(node); i++) {
		struct edit_span s = edit_span(t, toml_place(toml_at(node, i)));

		if ((s.from < at && at < s.to) || inside_value(t, toml_at(node, i), at))
			return true;
	}
	return false;
}

/* The start of the next line at or behind `at` that is a header, or the end of the text. */
static size_t next_header(const struct edit_text *t, const struct toml_doc *doc, size_t at)
{
	while (at < t->text.n) {
		size_t end = line_end(t->text, at);
		struct str line = str_trim(str_slice(t->text, at, end));

		if (str_starts(line, STR("[")) && !inside_value(t, toml_root(doc), at))
			return at;
		at = end;
	}
	return at;
}

static struct str line_before(struct str text, size_t at)
{
	return str_trim(str_slice(text, line_start(text, at - 1), at));
}

/* Before the comment lines that stand directly above a line. */
static size_t before_comments(struct str text, size_t at)
{
	while (at > 0 && str_starts(line_before(text, at), STR("#")))
		at = line_start(text, at - 1);
	return at;
}

int edit_cut_section(const struct edit_text *t, const struct toml_doc *doc, struct toml_place header,
	struct buf *ret)
{
	size_t from = line_start(t->text, edit_span(t, header).from);
	size_t first = line_end(t->text, from), next = next_header(t, doc, first);

	if (next < t->text.n)
		next = MAX(before_comments(t->text, next), first);
	return edit_splice(t, (struct edit_span){ from, next }, STR(""), ret);
}

int edit_add_inline(const struct edit_text *t, const struct toml_node *table, const char *key,
	const char *value, struct buf *ret)
{
	_cleanup_buf_ struct buf in = BUF_INIT;
	size_t last = neighbour(t, table, t->text.n, true);
	struct edit_span at;
	int r;

	if (last == SIZE_MAX) {
		at = edit_span(t, toml_place(table));
		r = buf_addf(&in, "{ %s = %s }", key, value);
	} else {
		at.from = at.to = value_end(t, table, last);
		r = buf_addf(&in, ", %s = %s", key, value);
	}
	return r < 0 ? r : edit_splice(t, at, buf_str(&in), ret);
}

/* The last byte that an entry writes: of a dotted table's entry, its last leaf. */
static size_t entry_end(const struct edit_text *t, const struct toml_node *table, size_t i)
{
	const struct toml_node *v = toml_at(table, i);
	size_t end = value_end(t, table, i);

	if (toml_kind(v) == TOML_TABLE && edit_shape(t, v) == EDIT_DOTTED)
		for (size_t k = 0; k < toml_count(v); k++)
			end = MAX(end, value_end(t, v, k));
	return end;
}

/* Entries with lines of their own, not a header's. */
static bool is_line(const struct edit_text *t, const struct toml_node *table, size_t i)
{
	const struct toml_node *v = toml_at(table, i);

	return toml_kind(v) != TOML_TABLE || edit_shape(t, v) != EDIT_HEADER;
}

struct line_place {
	size_t model;		/* an entry whose line shows the prefix; SIZE_MAX: none */
	size_t before;		/* the entry behind which the new one belongs; SIZE_MAX: the first */
	size_t first, last;	/* by position in the text */
};

/* Keys come sorted from the document: the text is sorted if their positions rise too. */
static struct line_place place_line(const struct edit_text *t, const struct toml_node *table,
	struct str name)
{
	struct line_place p = { SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX };
	size_t first_at = 0, last_at = 0, previous_at = 0;
	bool sorted = true;

	for (size_t i = 0; i < toml_count(table); i++) {
		size_t at = edit_span(t, toml_key_place_at(table, i)).from;

		if (!is_line(t, table, i))
			continue;
		sorted = sorted && at >= previous_at;
		previous_at = at;
		if (str_cmp(toml_key_at(table, i), name) < 0)
			p.before = i;
		if (p.first == SIZE_MAX || at < first_at) {
			first_at = at;
			p.first = i;
		}
		if (p.last == SIZE_MAX || at > last_at) {
			last_at = at;
			p.last = i;
		}
	}
	if (!sorted)
		p.before = p.last;
	p.model = p.before != SIZE_MAX ? p.before : p.first;
	return p;
}

static int insert_line(const struct edit_text *t, size_t at, struct str prefix, const char *key,
	const char *value, struct buf *ret)
{
	_cleanup_buf_ struct buf in = BUF_INIT;
	const char *newline = newline_of(t->text);
	bool unfinished = at > 0 && t->text.p[at - 1] != '\n';
	int r = buf_addf(&in, "%s%.*s%s = %s%s", unfinished ? newline : "", STR_ARG(prefix), key, value,
		newline);

	return r < 0 ? r : edit_splice(t, (struct edit_span){ at, at }, buf_str(&in), ret);
}

/* A table that is there by "[a.b.c]" alone has that header's place, and no lines of its own: its own
 * header has one dot, as all tables of dependencies do. */
static bool owns_header(const struct edit_text *t, const struct toml_node *table)
{
	struct edit_span header = edit_span(t, toml_place(table));
	unsigned dots = 0;
	char quote = 0;

	for (size_t i = header.from; i < header.to; i++) {
		char c = t->text.p[i];

		if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '.')
			dots++;
	}
	return edit_shape(t, table) == EDIT_HEADER && dots == 1;
}

int edit_add_line(const struct edit_text *t, const struct toml_node *table, struct str name,
	const char *key, const char *value, struct buf *ret)
{
	struct line_place p = place_line(t, table, name);
	struct edit_span model;
	size_t at, from;

	if (p.model == SIZE_MAX) {
		if (!owns_header(t, table))
			return -ENOENT;
		return insert_line(t, line_end(t->text, edit_span(t, toml_place(table)).to), STR(""), key, value, ret);
	}
	model = edit_span(t, toml_key_place_at(table, p.model));
	from = line_start(t->text, model.from);
	if (p.before != SIZE_MAX)
		at = line_end(t->text, entry_end(t, table, p.before));
	else
		at = before_comments(t->text, from);
	return insert_line(t, at, str_slice(t->text, from, model.from), key, value, ret);
}

/* The order in which manifests are usually written. */
static int rank_of(struct str header)
{
	static const char *const order[] = { "package", "environment", "dependencies",
		"dev-dependencies", "optional-dependencies" };
	struct str name;

	while (str_starts(header, STR("[")) || str_starts(header, STR(" ")))
		header = str_slice(header, 1, header.n);
	name = str_slice(header, 0, MIN(str_find(header, '.', 0), str_find(header, ']', 0)));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (str_is(str_trim(name), order[i]))
			return (int)i;
	return -1;
}

/* Where a section of this rank belongs: behind the last one that is usually above it. */
static size_t section_place(const struct edit_text *t, const struct toml_doc *doc, int rank)
{
	size_t at = next_header(t, doc, 0), place = t->text.n;

	while (at < t->text.n) {
		size_t next = next_header(t, doc, line_end(t->text, at));
		int r = rank_of(str_slice(t->text, at, line_end(t->text, at)));

		if (r >= 0 && r <= rank)
			place = next == t->text.n ? next : before_comments(t->text, next);
		at = next;
	}
	return place;
}

int edit_add_section(const struct edit_text *t, const struct toml_doc *doc, const char *section,
	struct str ecosystem, const char *key, const char *value, struct buf *ret)
{
	_cleanup_buf_ struct buf in = BUF_INIT;
	const char *nl = newline_of(t->text);
	size_t at = section_place(t, doc, rank_of(str_from(section)));
	bool unfinished = at > 0 && t->text.p[at - 1] != '\n';
	bool gap = at > 0 && (unfinished || line_before(t->text, at).n > 0);
	int r = buf_addf(&in, "%s%s[%s.%.*s]%s%s = %s%s%s", unfinished ? nl : "", gap ? nl : "", section,
		STR_ARG(ecosystem), nl, key, value, nl, at < t->text.n ? nl : "");

	return r < 0 ? r : edit_splice(t, (struct edit_span){ at, at }, buf_str(&in), ret);
}
