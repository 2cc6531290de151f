// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/toml_read.h"

#define KEYS_MAX 32

int toml_read_fail(struct toml_reader *r, struct toml_place at, const char *format, ...)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	va_list ap;
	int e;

	va_start(ap, format);
	e = buf_vaddf(&text, format, ap);
	va_end(ap);
	if (e < 0)
		return e;
	diag_fail(r->d, r->code, "%s", buf_text(&text));
	if (r->doc)
		toml_where(r->doc, at, r->d);
	return r->code;
}

static const char *kind_name(enum toml_kind kind)
{
	static const char *const names[] = {
		[TOML_NOTHING] = "nothing",
		[TOML_STRING] = "a string",
		[TOML_INTEGER] = "a whole number",
		[TOML_FLOAT] = "a number",
		[TOML_BOOL] = "true or false",
		[TOML_DATE] = "a date",
		[TOML_ARRAY] = "a list",
		[TOML_TABLE] = "a table",
	};

	return names[kind];
}

static int kind_of_key(struct toml_reader *r, const struct toml_node *value, const struct toml_key *key)
{
	char label[64];

	if (key->kind == TOML_NOTHING || toml_kind(value) == key->kind)
		return 0;
	snprintf(label, sizeof(label), "'%s'", key->name);
	return toml_read_kind(r, value, key->kind, label);
}

int toml_read_kind(struct toml_reader *r, const struct toml_node *value, enum toml_kind kind,
	const char *label)
{
	if (kind == TOML_NOTHING || toml_kind(value) == kind)
		return 0;
	return toml_read_fail(r, toml_place(value), "%s must be %s, not %s", label, kind_name(kind),
		kind_name(toml_kind(value)));
}

/* The nearest known word, if no more than a third of it is wrong. */
static const char *nearest(struct str word, const char *const *known, size_t n)
{
	const char *best = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		struct str k = str_from(known[i]);
		size_t distance = str_distance(word, k);

		if (distance < least && distance <= MAX(k.n / 3, (size_t)1)) {
			least = distance;
			best = known[i];
		}
	}
	return best;
}

static void hint_known(struct diag *d, const char *const *known, size_t n)
{
	_cleanup_buf_ struct buf list = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		if (buf_addf(&list, "%s%s", i ? ", " : "", known[i]) < 0)
			return;
	diag_hint(d, "known here: %s", buf_text(&list));
}

int toml_read_unknown(struct toml_reader *r, struct toml_place at, const char *what,
	struct str word, const char *label, const char *const *known, size_t nknown)
{
	const char *near = nearest(word, known, nknown);

	toml_read_fail(r, at, "unknown %s '%.*s' in %s", what, STR_ARG(word), label);
	if (near)
		diag_hint(r->d, "did you mean '%s'?", near);
	else
		hint_known(r->d, known, nknown);
	return r->code;
}

static int unknown_key(struct toml_reader *r, const struct toml_node *table, size_t i,
	const char *label, const struct toml_key *keys, size_t nkeys)
{
	const char *names[KEYS_MAX];
	size_t n = MIN(nkeys, (size_t)KEYS_MAX);

	for (size_t k = 0; k < n; k++)
		names[k] = keys[k].name;
	return toml_read_unknown(r, toml_key_place_at(table, i), "key", toml_key_at(table, i), label,
		names, n);
}

int toml_read_table(struct toml_reader *r, const struct toml_node *table, const char *label,
	const struct toml_key *keys, size_t nkeys, void *into)
{
	for (size_t i = 0; i < toml_count(table); i++) {
		struct str name = toml_key_at(table, i);
		const struct toml_node *value = toml_at(table, i);
		size_t k = 0;
		int e;

		while (k < nkeys && !str_is(name, keys[k].name))
			k++;
		if (k == nkeys)
			return unknown_key(r, table, i, label, keys, nkeys);
		e = kind_of_key(r, value, &keys[k]);
		if (e == 0)
			e = keys[k].read(r, value, into);
		if (e < 0)
			return e;
	}
	return 0;
}
