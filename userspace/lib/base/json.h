/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON (RFC 8259) read through simdjson, behind a C interface. A document owns its values and a copy
 * of its strings; a struct json is a borrowed cursor, valid while the document lives. Lookups on a
 * value of another kind, and on "nothing", give "nothing", so that paths can be followed without a
 * check at each step. Duplicate keys: the first counts.
 */
#ifndef CRATONS_BASE_JSON_H
#define CRATONS_BASE_JSON_H

#include "prim/buf.h"
#include "prim/diag.h"

enum json_kind {
	JSON_NOTHING,	/* not there */
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	const void *doc;
	uint64_t at;	/* private position; 0 is nothing */
};

struct json_doc;

/* Parses a whole document, nested at most 256 deep. `where` (a URL, a path) goes into the diagnostic.
 * -ERR_SYNTAX, -ERR_LIMIT or -ENOMEM. The text is not needed afterwards. */
int json_parse(struct json_doc **ret, struct str text, const char *where, struct diag *d);
void json_free(struct json_doc *doc);
DEFINE_CLEANUP(struct json_doc *, json_free);

struct json json_root(const struct json_doc *doc);
enum json_kind json_kind(struct json v);

struct json json_get(struct json object, const char *key);
struct json json_get_str(struct json object, struct str key);

/* The string, or .p == NULL when v is not one. */
struct str json_str(struct json v);
bool json_bool(struct json v, bool otherwise);
/* Whole numbers only: 0, or -EINVAL when v is not one that fits. */
int json_int(struct json v, int64_t *ret);
int json_u64(struct json v, uint64_t *ret);

/* Walks an array or object in document order:
 *	json_foreach(i, v) { i.key (objects), i.value }		*/
struct json_iter {
	struct str key;
	struct json value;
	uint64_t next, end;
	bool object;
};
struct json_iter json_iter_start(struct json v);
bool json_iter_next(struct json_iter *i);
#define json_foreach(i, v)                                                                         \
	for (struct json_iter i = json_iter_start(v); json_iter_next(&i);)

/*
 * Writing: the one way in which this program makes JSON. Commas and indentation are the writer's;
 * strings are escaped, invalid UTF-8 becomes U+FFFD. The first failure (memory) is kept and given
 * by json_out_end.
 */
struct json_out {
	struct buf *to;
	int error;
	unsigned depth;
	bool indent;	/* two spaces a level; otherwise all on one line */
	bool first;
	bool after_key;
};

void json_out_start(struct json_out *o, struct buf *to, bool indent);
int json_out_end(struct json_out *o);
void json_out_open(struct json_out *o, char bracket);	/* '{' or '[' */
void json_out_close(struct json_out *o, char bracket);	/* '}' or ']' */
void json_out_key(struct json_out *o, const char *key);
void json_out_keystr(struct json_out *o, struct str key);
void json_out_str(struct json_out *o, struct str s);
void json_out_text(struct json_out *o, const char *text);	/* null for NULL */
void json_out_int(struct json_out *o, int64_t v);
void json_out_double(struct json_out *o, double v);
void json_out_bool(struct json_out *o, bool v);
void json_out_null(struct json_out *o);

#endif
