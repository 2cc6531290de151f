// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parser of TOML 1.0: one pass over a copy of the text, tables as growing arrays in the arena, a
 * hash for those that get large, a sort at the end. Depth is bounded before it is entered.
 */
#include "base/toml-lex.h"

#include "prim/err.h"

#include <errno.h>

#define INDEX_FROM 16	/* tables of more entries than this are searched by hash */

int toml_fail(struct toml_parser *p, const char *where, const char *format, ...)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct toml_place at;
	va_list ap;
	int e;

	va_start(ap, format);
	e = buf_vaddf(&text, format, ap);
	va_end(ap);
	if (e < 0)
		return e;
	p->at = where;
	at = toml_begin(p);
	diag_fail(p->d, -ERR_SYNTAX, "%s", buf_text(&text));
	toml_where(p->doc, at, p->d);
	return -ERR_SYNTAX;
}

int toml_too_deep(struct toml_parser *p)
{
	diag_fail(p->d, -ERR_LIMIT, "tables, arrays or dotted keys are nested too deep");
	toml_where(p->doc, toml_begin(p), p->d);
	return -ERR_LIMIT;
}

/* Code points from the line's start. In plain ASCII that is a subtraction; else each byte of a line is
 * counted once, as places are asked for from left to right. */
static uint32_t column_of(struct toml_parser *p, const char *at)
{
	if (p->ascii)
		return (uint32_t)(at - p->line_start) + 1;
	if (at < p->counted || p->counted < p->line_start) {
		p->counted = p->line_start;
		p->counted_column = 1;
	}
	for (; p->counted < at; p->counted++)
		p->counted_column += ((unsigned char)*p->counted & 0xc0) != 0x80;
	return p->counted_column;
}

struct toml_place toml_begin(struct toml_parser *p)
{
	struct toml_place place = { p->line, column_of(p, p->at), p->line, 0 };

	place.end_column = place.column;
	return place;
}

void toml_end(struct toml_parser *p, struct toml_place *place)
{
	place->end_line = p->line;
	place->end_column = column_of(p, p->at);
}

bool toml_newline(struct toml_parser *p)
{
	if (*p->at == '\n')
		p->at++;
	else if (p->at[0] == '\r' && p->at[1] == '\n')
		p->at += 2;
	else
		return false;
	p->line++;
	p->line_start = p->at;
	return true;
}

void toml_skip_space(struct toml_parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
}

static int skip_comment(struct toml_parser *p)
{
	if (*p->at != '#')
		return 0;
	while (*p->at == '\t' || ((unsigned char)*p->at >= 0x20 && *p->at != 0x7f))
		p->at++;
	if (p->at == p->end || *p->at == '\n' || (p->at[0] == '\r' && p->at[1] == '\n'))
		return 0;
	return toml_fail(p, p->at, "a control character in a comment");
}

/* White space, comments and newlines, up to the next thing that counts. */
static int skip_blank(struct toml_parser *p)
{
	int e;

	do {
		toml_skip_space(p);
		e = skip_comment(p);
	} while (e == 0 && toml_newline(p));
	return e;
}

static int index_entry(struct toml_parser *p, struct toml_table *t, uint32_t i)
{
	return map_put(t->index, t->entries[i].key, (void *)((uintptr_t)i + 1));
}

static int index_table(struct toml_parser *p, struct toml_table *t)
{
	int e;

	t->index = calloc(1, sizeof(*t->index));
	if (!t->index)
		return -ENOMEM;
	e = vec_push(&p->maps, t->index);
	if (e < 0) {
		free(TAKE_PTR(t->index));
		return e;
	}
	for (uint32_t i = 0; e == 0 && i < t->count; i++)
		e = index_entry(p, t, i);
	return e;
}

static struct toml_entry *find(const struct toml_table *t, struct str key)
{
	if (t->index) {
		uintptr_t i = (uintptr_t)map_get(t->index, key);

		return i ? &t->entries[i - 1] : NULL;
	}
	for (uint32_t i = 0; i < t->count; i++)
		if (str_eq(t->entries[i].key, key))
			return &t->entries[i];
	return NULL;
}

/* Room for one more: what is outgrown stays in the arena, in all at most as much again. */
static int grow(struct toml_parser *p, void *list, uint32_t n, uint32_t *cap, size_t size)
{
	uint32_t more = n ? n * 2 : 4;
	void *grown;

	if (n < *cap)
		return 0;
	grown = arena_array(&p->doc->arena, more, size);
	if (!grown)
		return -ENOMEM;
	if (n)
		memcpy(grown, *(void **)list, n * size);
	*(void **)list = grown;
	*cap = more;
	return 0;
}

static int add_entry(struct toml_parser *p, struct toml_table *t, struct str key,
	struct toml_place place, struct toml_entry **ret)
{
	int e = grow(p, &t->entries, t->count, &t->cap, sizeof(*t->entries));

	if (e < 0)
		return e;
	t->entries[t->count] = (struct toml_entry){ .key = key, .place = place };
	*ret = &t->entries[t->count++];
	if (t->index)
		return index_entry(p, t, t->count - 1);
	return t->count > INDEX_FROM ? index_table(p, t) : 0;
}

static int make_table(struct toml_parser *p, struct toml_node *ret, struct toml_place place,
	enum toml_origin origin)
{
	struct toml_table *t = arena_new(&p->doc->arena, struct toml_table);

	if (!t)
		return -ENOMEM;
	t->origin = origin;
	*ret = (struct toml_node){ place, TOML_TABLE, { .table = t } };
	return 0;
}

static int add_item(struct toml_parser *p, struct toml_array *a, struct toml_node **ret)
{
	int e = grow(p, &a->items, a->count, &a->cap, sizeof(*a->items));

	if (e < 0)
		return e;
	*ret = &a->items[a->count++];
	**ret = (struct toml_node){ .kind = TOML_NOTHING };
	return 0;
}

struct key {
	struct str parts[TOML_DEPTH_MAX];
	struct toml_place places[TOML_DEPTH_MAX];
	const char *starts[TOML_DEPTH_MAX];
	unsigned n;
};

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

static int parse_key_part(struct toml_parser *p, struct key *key)
{
	unsigned i = key->n;
	int e = 0;

	if (i == TOML_DEPTH_MAX)
		return toml_too_deep(p);
	key->starts[i] = p->at;
	key->places[i] = toml_begin(p);
	if (*p->at == '"' || *p->at == '\'') {
		e = toml_lex_string(p, true, &key->parts[i]);
	} else {
		while (is_bare(*p->at))
			p->at++;
		key->parts[i] = str_of(key->starts[i], (size_t)(p->at - key->starts[i]));
		if (key->parts[i].n == 0)
			e = toml_fail(p, p->at, "a key is missing");
	}
	if (e < 0)
		return e;
	toml_end(p, &key->places[i]);
	key->n++;
	return 0;
}

static int parse_key(struct toml_parser *p, struct key *key)
{
	key->n = 0;
	for (;;) {
		int e;

		toml_skip_space(p);
		e = parse_key_part(p, key);
		if (e < 0)
			return e;
		toml_skip_space(p);
		if (*p->at != '.')
			return 0;
		p->at++;
	}
}

static int fail_key(struct toml_parser *p, const struct key *key, unsigned i, const char *what)
{
	return toml_fail(p, key->starts[i], "'%.*s' %s", STR_ARG(key->parts[i]), what);
}

static int parse_value(struct toml_parser *p, struct toml_node *ret, unsigned depth);

/* The table that a dotted key's part i leads to. */
static int descend_dotted(struct toml_parser *p, struct toml_table **t, const struct key *key, unsigned i)
{
	struct toml_entry *entry = find(*t, key->parts[i]);
	struct toml_table *next;
	int e;

	if (!entry) {
		e = add_entry(p, *t, key->parts[i], key->places[i], &entry);
		if (e == 0)
			e = make_table(p, &entry->value, key->places[i], TOML_DOTTED);
		if (e < 0)
			return e;
	} else if (entry->value.kind != TOML_TABLE) {
		return fail_key(p, key, i, "is not a table");
	}
	next = entry->value.u.table;
	if (next->origin == TOML_IMPLICIT)
		next->origin = TOML_DOTTED;
	if (next->origin != TOML_DOTTED)
		return fail_key(p, key, i, "is a table that is complete already");
	*t = next;
	return 0;
}

static int parse_pair(struct toml_parser *p, struct toml_table *t, unsigned depth)
{
	struct toml_entry *entry;
	struct key key;
	int e = parse_key(p, &key);

	for (unsigned i = 0; e == 0 && i + 1 < key.n; i++)
		e = depth + key.n > TOML_DEPTH_MAX ? toml_too_deep(p) : descend_dotted(p, &t, &key, i);
	if (e < 0)
		return e;
	if (*p->at != '=')
		return toml_fail(p, p->at, "'=' is missing behind the key '%.*s'",
			STR_ARG(key.parts[key.n - 1]));
	if (find(t, key.parts[key.n - 1]))
		return fail_key(p, &key, key.n - 1, "is there already");
	p->at++;
	toml_skip_space(p);
	e = add_entry(p, t, key.parts[key.n - 1], key.places[key.n - 1], &entry);
	/* The value adds nothing to this table, so that its entry stays where it is. */
	return e < 0 ? e : parse_value(p, &entry->value, depth + key.n);
}

static int parse_inline_table(struct toml_parser *p, struct toml_node *ret, unsigned depth)
{
	int e = make_table(p, ret, ret->place, TOML_INLINE);

	if (e < 0)
		return e;
	p->at++;
	toml_skip_space(p);
	if (*p->at == '}') {
		p->at++;
		return 0;
	}
	for (;;) {
		e = parse_pair(p, ret->u.table, depth);
		if (e < 0)
			return e;
		toml_skip_space(p);
		if (*p->at == '}')
			break;
		if (*p->at != ',')
			return toml_fail(p, p->at, "',' or '}' is missing");
		p->at++;
	}
	p->at++;
	return 0;
}

static int parse_array(struct toml_parser *p, struct toml_node *ret, unsigned depth)
{
	struct toml_array *a = arena_new(&p->doc->arena, struct toml_array);
	struct toml_node *item;
	int e;

	if (!a)
		return -ENOMEM;
	ret->kind = TOML_ARRAY;
	ret->u.array = a;
	p->at++;
	for (;;) {
		e = skip_blank(p);
		if (e < 0 || *p->at == ']')
			break;
		e = add_item(p, a, &item);
		e = e < 0 ? e : parse_value(p, item, depth + 1);
		e = e < 0 ? e : skip_blank(p);
		if (e < 0 || *p->at == ']')
			break;
		if (*p->at != ',')
			return toml_fail(p, p->at, "',' or ']' is missing");
		p->at++;
	}
	p->at += e == 0;
	return e;
}

static int parse_value(struct toml_parser *p, struct toml_node *ret, unsigned depth)
{
	int e;

	if (depth > TOML_DEPTH_MAX)
		return toml_too_deep(p);
	ret->place = toml_begin(p);
	switch (*p->at) {
	case '"':
	case '\'':
		ret->kind = TOML_STRING;
		e = toml_lex_string(p, false, &ret->u.string);
		break;
	case '[':
		e = parse_array(p, ret, depth);
		break;
	case '{':
		e = parse_inline_table(p, ret, depth);
		break;
	default:
		e = toml_lex_word(p, ret);
	}
	if (e == 0)
		toml_end(p, &ret->place);
	return e;
}

/* The table that a header's part i leads to: the last one, where it is a list of tables. */
static int descend_header(struct toml_parser *p, struct toml_table **t, const struct key *key,
	unsigned i, struct toml_place header, unsigned *depth)
{
	struct toml_entry *entry = find(*t, key->parts[i]);
	struct toml_node *node;
	int e;

	++*depth;
	if (!entry) {
		e = add_entry(p, *t, key->parts[i], key->places[i], &entry);
		if (e == 0)
			e = make_table(p, &entry->value, header, TOML_IMPLICIT);
		if (e < 0)
			return e;
	}
	node = &entry->value;
	if (node->kind == TOML_ARRAY && node->u.array->of_tables) {
		node = &node->u.array->items[node->u.array->count - 1];
		++*depth;
	}
	if (node->kind != TOML_TABLE)
		return fail_key(p, key, i, "is not a table");
	if (node->u.table->origin == TOML_INLINE)
		return fail_key(p, key, i, "is a table that is complete already");
	*t = node->u.table;
	return 0;
}

/* [a.b]: a new table, or one that was only above others so far. */
static int open_table(struct toml_parser *p, struct toml_table **t, const struct key *key,
	struct toml_place header)
{
	unsigned last = key->n - 1;
	struct toml_entry *entry = find(*t, key->parts[last]);
	int e = 0;

	if (!entry) {
		e = add_entry(p, *t, key->parts[last], key->places[last], &entry);
		if (e == 0)
			e = make_table(p, &entry->value, header, TOML_HEADER);
	} else if (entry->value.kind != TOML_TABLE || entry->value.u.table->origin != TOML_IMPLICIT) {
		return fail_key(p, key, last, "is there already");
	}
	if (e < 0)
		return e;
	entry->place = key->places[last];
	entry->value.place = header;
	*t = entry->value.u.table;
	(*t)->origin = TOML_HEADER;
	return 0;
}

/* [[a.b]]: one more table of a list. */
static int open_item(struct toml_parser *p, struct toml_table **t, const struct key *key,
	struct toml_place header)
{
	unsigned last = key->n - 1;
	struct toml_entry *entry = find(*t, key->parts[last]);
	struct toml_node *item;
	int e = 0;

	if (!entry) {
		struct toml_array *a = arena_new(&p->doc->arena, struct toml_array);

		e = a ? add_entry(p, *t, key->parts[last], key->places[last], &entry) : -ENOMEM;
		if (e < 0)
			return e;
		a->of_tables = true;
		entry->value = (struct toml_node){ header, TOML_ARRAY, { .array = a } };
	} else if (entry->value.kind != TOML_ARRAY || !entry->value.u.array->of_tables) {
		return fail_key(p, key, last, "is there already, and is no list of tables");
	}
	e = add_item(p, entry->value.u.array, &item);
	e = e < 0 ? e : make_table(p, item, header, TOML_HEADER);
	if (e == 0)
		*t = item->u.table;
	return e;
}

static int parse_header(struct toml_parser *p, struct toml_table **t, unsigned *ret_depth)
{
	bool list = p->at[1] == '[';
	struct toml_place header = toml_begin(p);
	unsigned depth = 0;
	struct key key;
	int e;

	p->at += list ? 2 : 1;
	e = parse_key(p, &key);
	if (e < 0)
		return e;
	if (*p->at != ']' || (list && p->at[1] != ']'))
		return toml_fail(p, p->at, list ? "']]' is missing" : "']' is missing");
	p->at += list ? 2 : 1;
	toml_end(p, &header);
	*t = p->doc->root.u.table;
	for (unsigned i = 0; i + 1 < key.n; i++) {
		e = descend_header(p, t, &key, i, header, &depth);
		if (e < 0)
			return e;
	}
	*ret_depth = depth + (list ? 2 : 1);
	if (*ret_depth > TOML_DEPTH_MAX)
		return toml_too_deep(p);
	return list ? open_item(p, t, &key, header) : open_table(p, t, &key, header);
}

static int parse_lines(struct toml_parser *p)
{
	struct toml_table *t = p->doc->root.u.table;
	unsigned depth = 0;

	for (;;) {
		int e = skip_blank(p);

		if (e < 0 || p->at == p->end)
			return e;
		e = *p->at == '[' ? parse_header(p, &t, &depth) : parse_pair(p, t, depth);
		if (e < 0)
			return e;
		toml_skip_space(p);
		e = skip_comment(p);
		if (e < 0)
			return e;
		if (p->at < p->end && !toml_newline(p))
			return toml_fail(p, p->at, "a line ends here, or a comma is missing");
	}
}

static int by_key(const void *a, const void *b)
{
	const struct toml_entry *x = a, *y = b;

	return str_cmp(x->key, y->key);
}

/* As deep as the document: bounded. */
static void finish(struct toml_node *node)
{
	if (node->kind == TOML_ARRAY) {
		for (uint32_t i = 0; i < node->u.array->count; i++)
			finish(&node->u.array->items[i]);
	} else if (node->kind == TOML_TABLE) {
		struct toml_table *t = node->u.table;

		t->index = NULL;
		for (uint32_t i = 1; i < t->count; i++)
			if (by_key(&t->entries[i - 1], &t->entries[i]) > 0) {
				qsort(t->entries, t->count, sizeof(*t->entries), by_key);
				break;
			}
		for (uint32_t i = 0; i < t->count; i++)
			finish(&t->entries[i].value);
	}
}

/* Where the text stops being UTF-8; its end, when it does not. */
static const char *check_encoding(struct str text, bool *ret_ascii)
{
	size_t i = 0;

	*ret_ascii = true;
	while (i < text.n) {
		uint64_t eight;
		size_t len;

		if (text.n - i >= 8) {
			memcpy(&eight, text.p + i, 8);
			if (!(eight & 0x8080808080808080)) {
				i += 8;
				continue;
			}
		}
		len = str_utf8_sequence(text, i);
		if (len == 0)
			break;
		*ret_ascii = *ret_ascii && len == 1;
		i += len;
	}
	return text.p + i;
}

static int fail_encoding(struct toml_parser *p, const char *where)
{
	for (const char *q = p->at; q < where; q++)
		if (*q == '\n') {
			p->line++;
			p->line_start = q + 1;
		}
	return toml_fail(p, where, "the text is not UTF-8");
}

static void parser_done(struct toml_parser *p)
{
	vec_foreach(m, &p->maps) {
		map_done(*m);
		free(*m);
	}
	vec_done(&p->maps);
}

int toml_parse_text(struct toml_doc *doc, struct str text, struct diag *d)
{
	_cleanup_(parser_done) struct toml_parser p = { .doc = doc, .d = d, .line = 1 };
	const char *valid;
	int e;

	text = arena_str(&doc->arena, text);
	if (!text.p)
		return -ENOMEM;
	p.at = text.p + (str_starts(text, STR("\xef\xbb\xbf")) ? 3 : 0);
	p.end = text.p + text.n;
	p.line_start = p.at;
	valid = check_encoding(text, &p.ascii);
	if (valid < p.end)
		return fail_encoding(&p, valid);
	e = make_table(&p, &doc->root, toml_begin(&p), TOML_HEADER);
	e = e < 0 ? e : parse_lines(&p);
	if (e < 0)
		return e;
	toml_end(&p, &doc->root.place);
	finish(&doc->root);
	return 0;
}
