// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json.h"

#include "base/json-fault.h"
#include "base/json-tape.h"
#include "prim/err.h"

#include <errno.h>
#include <math.h>

#define JSON_TEXT_MAX ((size_t)1 << 30)

/* Words of the tape: a kind (the value's first character) over a payload. */
#define TAPE_KIND(word)	   ((char)((word) >> 56))
#define TAPE_PAYLOAD(word) ((word) & (((uint64_t)1 << 56) - 1))

struct json_doc {
	struct json_tape tape;
};

/*
 * Half a surrogate pair ("\ud83d" alone) is what remains of an emoji where somebody cut a text in the
 * middle. JavaScript reads it, so registries hold it; RFC 8259 section 8.2 leaves it open. Each becomes
 * U+FFFD, of the same length in the text.
 */
static bool surrogate(const char *p, const char *end, bool high)
{
	return end - p >= 6 && p[0] == '\\' && p[1] == 'u' && (p[2] | 0x20) == 'd' &&
	       (high ? memchr("89abAB", p[3], 6) : memchr("cdefCDEF", p[3], 8)) != NULL;
}

static bool repair_surrogates(char *text, size_t len)
{
	bool changed = false;

	for (char *p = text, *end = text + len; p < end; p++) {
		if (*p != '\\')
			continue;
		if (surrogate(p, end, true) && surrogate(p + 6, end, false)) {
			p += 11;
		} else if (surrogate(p, end, true) || surrogate(p, end, false)) {
			memcpy(p, "\\ufffd", 6);
			p += 5;
			changed = true;
		} else {
			p++;
		}
	}
	return changed;
}

static enum json_tape_error parse_repaired(struct str text, struct json_tape *ret,
	const char **message)
{
	_cleanup_free_ char *copy = str_dup(text);

	if (!copy)
		return JSON_TAPE_MEMORY;
	if (!repair_surrogates(copy, text.n))
		return JSON_TAPE_STRING;
	return json_tape_parse(copy, text.n, ret, message);
}

static int code_of(enum json_tape_error e)
{
	switch (e) {
	case JSON_TAPE_OK:
		return 0;
	case JSON_TAPE_DEPTH_ERROR:
		return -ERR_LIMIT;
	case JSON_TAPE_MEMORY:
		return -ENOMEM;
	case JSON_TAPE_LIBRARY:
		return -ELIBACC;
	case JSON_TAPE_SYNTAX:
	case JSON_TAPE_STRING:
		break;
	}
	return -ERR_SYNTAX;
}

int json_parse(struct json_doc **ret, struct str text, const char *where, struct diag *d)
{
	_cleanup_free_ struct json_doc *doc = calloc(1, sizeof(*doc));
	const char *message = NULL;
	enum json_tape_error e;

	if (!doc)
		return -ENOMEM;
	if (text.n > JSON_TEXT_MAX) {
		diag_fail(d, -ERR_LIMIT, "a JSON document of %zu bytes is too large", text.n);
		diag_where(d, "%s", where);
		return -ERR_LIMIT;
	}
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_slice(text, 3, text.n);
	e = json_tape_parse(text.p, text.n, &doc->tape, &message);
	if (e == JSON_TAPE_STRING)
		e = parse_repaired(text, &doc->tape, &message);
	if (e != JSON_TAPE_OK) {
		diag_fail(d, code_of(e), "not valid JSON: %s (byte %zu of %zu)", message,
			json_fault(text), text.n);
		diag_where(d, "%s", where);
		return code_of(e);
	}
	*ret = TAKE_PTR(doc);
	return 0;
}

void json_free(struct json_doc *doc)
{
	if (!doc)
		return;
	json_tape_free(&doc->tape);
	free(doc);
}

struct json json_root(const struct json_doc *doc)
{
	/* Word 0 is the root's own mark. */
	return doc ? (struct json){ doc, 1 } : (struct json){ NULL, 0 };
}

static inline uint64_t word_at(const struct json_doc *doc, uint64_t at)
{
	return doc->tape.tape[at];
}

static inline uint64_t word(struct json v)
{
	return v.at ? word_at(v.doc, v.at) : 0;
}

enum json_kind json_kind(struct json v)
{
	switch (TAPE_KIND(word(v))) {
	case 'n':
		return JSON_NULL;
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'l':
	case 'u':
	case 'd':
		return JSON_NUMBER;
	case '"':
		return JSON_STRING;
	case '[':
		return JSON_ARRAY;
	case '{':
		return JSON_OBJECT;
	}
	return JSON_NOTHING;
}

static inline struct str string_at(const struct json_doc *doc, uint64_t at)
{
	const uint8_t *p = doc->tape.strings + TAPE_PAYLOAD(word_at(doc, at));
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return str_of(p + sizeof(n), n);
}

struct str json_str(struct json v)
{
	return TAPE_KIND(word(v)) == '"' ? string_at(v.doc, v.at) : (struct str){ NULL, 0 };
}

bool json_bool(struct json v, bool otherwise)
{
	char kind = TAPE_KIND(word(v));

	return kind == 't' || (kind != 'f' && otherwise);
}

int json_u64(struct json v, uint64_t *ret)
{
	int64_t n;

	if (json_kind(v) == JSON_NUMBER && TAPE_KIND(word(v)) == 'u') {
		*ret = word_at(v.doc, v.at + 1);
		return 0;
	}
	if (json_int(v, &n) < 0 || n < 0)
		return -EINVAL;
	*ret = (uint64_t)n;
	return 0;
}

int json_int(struct json v, int64_t *ret)
{
	uint64_t raw;
	double real;

	if (json_kind(v) != JSON_NUMBER)
		return -EINVAL;
	raw = word_at(v.doc, v.at + 1);
	switch (TAPE_KIND(word(v))) {
	case 'u':
		if (raw > INT64_MAX)
			return -EINVAL;
		break;
	case 'd':
		/* "1e3" and "1.0" are whole; past 2^53 a double no longer says which number it is. */
		memcpy(&real, &raw, sizeof(real));
		if (!(real >= -0x1p53 && real <= 0x1p53) || trunc(real) != real)
			return -EINVAL;
		raw = (uint64_t)(int64_t)real;
		break;
	}
	*ret = (int64_t)raw;
	return 0;
}

/* The position after the value at `at`: containers know their end. */
static inline uint64_t skip(const struct json_doc *doc, uint64_t at)
{
	uint64_t w = word_at(doc, at);

	switch (TAPE_KIND(w)) {
	case '{':
	case '[':
		return (uint32_t)w;
	case 'l':
	case 'u':
	case 'd':
		return at + 2;
	}
	return at + 1;
}

struct json_iter json_iter_start(struct json v)
{
	enum json_kind kind = json_kind(v);
	struct json_iter i = { .value.doc = v.doc };

	if (kind != JSON_ARRAY && kind != JSON_OBJECT)
		return i;
	i.next = v.at + 1;
	i.end = (uint32_t)word(v) - 1;
	i.object = kind == JSON_OBJECT;
	return i;
}

bool json_iter_next(struct json_iter *i)
{
	const struct json_doc *doc = i->value.doc;

	if (i->next >= i->end)
		return false;
	if (i->object)
		i->key = string_at(doc, i->next++);
	i->value.at = i->next;
	i->next = skip(doc, i->next);
	return true;
}

struct json json_get_str(struct json object, struct str key)
{
	if (json_kind(object) == JSON_OBJECT)
		json_foreach(i, object)
			if (str_eq(i.key, key))
				return i.value;
	return (struct json){ NULL, 0 };
}

struct json json_get(struct json object, const char *key)
{
	return json_get_str(object, str_from(key));
}
