// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json.h"

#include "base/quote.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

void json_out_start(struct json_out *o, struct buf *to, bool indent)
{
	*o = (struct json_out){ .to = to, .indent = indent, .first = true };
}

int json_out_end(struct json_out *o)
{
	return o->error;
}

static void put(struct json_out *o, const char *p, size_t n)
{
	if (o->error == 0)
		o->error = buf_add(o->to, p, n);
}

static void put_line(struct json_out *o, unsigned depth)
{
	if (!o->indent)
		return;
	put(o, "\n", 1);
	while (depth-- > 0)
		put(o, "  ", 2);
}

/* What stands between a value (or a key) and what was before it. */
static void put_separator(struct json_out *o)
{
	if (!o->after_key && o->depth > 0) {
		if (!o->first)
			put(o, ",", 1);
		put_line(o, o->depth);
	}
	o->first = o->after_key = false;
}

static void put_string(struct json_out *o, struct str s)
{
	if (o->error == 0)
		o->error = buf_add_quoted(o->to, s);
}

void json_out_open(struct json_out *o, char bracket)
{
	put_separator(o);
	put(o, &bracket, 1);
	o->depth++;
	o->first = true;
}

void json_out_close(struct json_out *o, char bracket)
{
	bool empty = o->first;

	o->depth--;
	if (!empty)
		put_line(o, o->depth);
	put(o, &bracket, 1);
	o->first = false;
}

void json_out_keystr(struct json_out *o, struct str key)
{
	put_separator(o);
	put_string(o, key);
	put(o, ": ", o->indent ? 2 : 1);
	o->after_key = true;
}

void json_out_key(struct json_out *o, const char *key)
{
	json_out_keystr(o, str_from(key));
}

void json_out_str(struct json_out *o, struct str s)
{
	put_separator(o);
	put_string(o, s);
}

void json_out_text(struct json_out *o, const char *text)
{
	if (text)
		json_out_str(o, str_from(text));
	else
		json_out_null(o);
}

static void put_word(struct json_out *o, const char *word)
{
	put_separator(o);
	put(o, word, strlen(word));
}

void json_out_int(struct json_out *o, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, v);
	put_word(o, text);
}

/* The shortest of the usual precisions that reads back as the same number. */
void json_out_double(struct json_out *o, double v)
{
	char text[32] = "null";

	if (isfinite(v))
		for (int digits = 6; digits <= 17; digits++) {
			snprintf(text, sizeof(text), "%.*g", digits, v);
			if (strtod(text, NULL) == v)
				break;
		}
	put_word(o, text);
}

void json_out_bool(struct json_out *o, bool v)
{
	put_word(o, v ? "true" : "false");
}

void json_out_null(struct json_out *o)
{
	put_word(o, "null");
}
