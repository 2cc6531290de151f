// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns.h"

#include "prim/attr.h"

#define HEADER	  12
#define LABEL_MAX 63
#define WIRE_MAX  255		/* of a name, with its lengths */

#define TYPE_A	  1
#define TYPE_AAAA 28
#define TYPE_OPT  41
#define CLASS_IN  1

#define FLAG_RESPONSE  0x8000
#define FLAG_OPCODE    0x7800
#define FLAG_TRUNCATED 0x0200
#define FLAG_WANTED    0x0100	/* recursion: given back as it came */
#define FLAG_AVAILABLE 0x0080
#define FLAG_CHECKING  0x0010

struct reader {
	const uint8_t *p;
	size_t n, at;
	bool bad;
};

struct question {
	char name[DNS_NAME_MAX + 1];	/* in lower case */
	size_t length;
	uint16_t type, class;
	size_t end;			/* in the message */
};

struct query {
	uint16_t id, flags;
	struct question q;
	bool edns;
	uint8_t version;
};

static uint8_t get8(struct reader *r)
{
	if (r->at >= r->n) {
		r->bad = true;
		return 0;
	}
	return r->p[r->at++];
}

static uint16_t get16(struct reader *r)
{
	uint16_t high = get8(r);

	return (uint16_t)(high << 8 | get8(r));
}

static void skip(struct reader *r, size_t n)
{
	if (n > r->n - r->at)
		r->bad = true;
	else
		r->at += n;
}

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* The first name of a message cannot be compressed: there is nothing before it to point to. A dot or NUL
 * inside a label is legal on the wire and no host's name: it is kept apart as a slash. */
static void get_name(struct reader *r, struct question *q)
{
	size_t start = r->at;
	uint8_t label;

	q->length = 0;
	while ((label = get8(r)) != 0 && !r->bad) {
		if (label > LABEL_MAX || r->at - start + label + 1 > WIRE_MAX) {
			r->bad = true;
			return;
		}
		if (q->length)
			q->name[q->length++] = '.';
		while (label--) {
			char c = lower(get8(r));

			q->name[q->length++] = (char)(c == '.' || c == '\0' ? '/' : c);
		}
	}
	q->name[q->length] = '\0';
}

/* The names of further records may be compressed; they are passed over. */
static void skip_name(struct reader *r)
{
	size_t start = r->at;
	uint8_t label;

	while ((label = get8(r)) != 0 && !r->bad) {
		if ((label & 0xc0) == 0xc0) {
			skip(r, 1);
			return;
		}
		if (label > LABEL_MAX || r->at - start > WIRE_MAX)
			r->bad = true;
		else
			skip(r, label);
	}
}

static void get_additional(struct reader *r, struct query *q)
{
	size_t at = r->at;
	uint16_t type;

	skip_name(r);
	type = get16(r);
	skip(r, 3);	/* class, extended code */
	if (type == TYPE_OPT) {
		/* At most one, and it belongs to the root (RFC 6891, 6.1.1). */
		r->bad |= q->edns || at >= r->n || r->p[at] != 0;
		q->edns = true;
		q->version = get8(r);
	} else {
		skip(r, 1);
	}
	skip(r, 2);
	skip(r, get16(r));
}

static enum dns_code parse(struct reader *r, struct query *q)
{
	uint16_t questions, answers, authorities, additional;

	questions = get16(r);
	answers = get16(r);
	authorities = get16(r);
	additional = get16(r);
	if (q->flags & FLAG_OPCODE)
		return DNS_NOT_IMPLEMENTED;
	if (questions != 1 || answers || authorities || additional > 16 || (q->flags & FLAG_TRUNCATED))
		return DNS_MALFORMED;
	get_name(r, &q->q);
	q->q.type = get16(r);
	q->q.class = get16(r);
	if (r->bad)
		return DNS_MALFORMED;
	q->q.end = r->at;
	while (additional-- && !r->bad)
		get_additional(r, q);
	if (r->bad || r->at != r->n)
		return DNS_MALFORMED;
	return q->edns && q->version ? DNS_BAD_VERSION : DNS_OK;
}

struct writer {
	uint8_t *p;
	size_t at;
};

static void put8(struct writer *w, unsigned v)
{
	w->p[w->at++] = (uint8_t)v;
}

static void put16(struct writer *w, unsigned v)
{
	put8(w, v >> 8);
	put8(w, v);
}

static void put32(struct writer *w, uint32_t v)
{
	put16(w, v >> 16);
	put16(w, v & 0xffff);
}

static void put_header(struct writer *w, const struct query *q, enum dns_code code, unsigned answers)
{
	put16(w, q->id);
	put16(w, FLAG_RESPONSE | FLAG_AVAILABLE | ((unsigned)code & 15) |
		(q->flags & (FLAG_OPCODE | FLAG_WANTED | FLAG_CHECKING)));
	put16(w, q->q.end ? 1 : 0);
	put16(w, answers);
	put16(w, 0);
	put16(w, q->edns);
}

/* The name is that of the question, whose letters come back as they were written. */
static void put_record(struct writer *w, unsigned type, const void *bytes, unsigned n)
{
	put16(w, 0xc000 | HEADER);
	put16(w, type);
	put16(w, CLASS_IN);
	put32(w, DNS_TTL);
	put16(w, n);
	memcpy(w->p + w->at, bytes, n);
	w->at += n;
}

static void put_edns(struct writer *w, enum dns_code code)
{
	put8(w, 0);
	put16(w, TYPE_OPT);
	put16(w, DNS_MESSAGE_MAX);
	put8(w, (unsigned)code >> 4);
	put8(w, 0);
	put16(w, 0);
	put16(w, 0);
}

static void put_address(struct writer *w, const struct query *q, const struct dns_found *found)
{
	const uint8_t a[] = { (uint8_t)(found->a >> 24), (uint8_t)(found->a >> 16),
		(uint8_t)(found->a >> 8), (uint8_t)found->a };

	if (q->q.type == TYPE_A)
		put_record(w, TYPE_A, a, sizeof(a));
	else
		put_record(w, TYPE_AAAA, found->aaaa, sizeof(found->aaaa));
}

static enum dns_code look_up(const struct query *q, dns_lookup_fn lookup, void *data,
	struct dns_found *ret, bool *ret_any)
{
	enum dns_code code;

	if (q->q.class != CLASS_IN || (q->q.type != TYPE_A && q->q.type != TYPE_AAAA))
		return DNS_REFUSED;
	code = lookup(data, str_of(q->q.name, q->q.length), ret);
	*ret_any = code == DNS_OK && (q->q.type == TYPE_A ? ret->a != 0 : ret->has_aaaa);
	return code;
}

size_t dns_answer(const uint8_t *query, size_t len, dns_lookup_fn lookup, void *data,
	uint8_t answer[DNS_MESSAGE_MAX])
{
	struct reader r = { .p = query, .n = len };
	struct writer w = { .p = answer };
	struct dns_found found = { 0 };
	struct query q = { 0 };
	enum dns_code code;
	bool any = false;

	/* To an answer there is no answer: two resolvers would talk for ever. */
	if (len < HEADER || len > DNS_MESSAGE_MAX || (query[2] & 0x80))
		return 0;
	q.id = get16(&r);
	q.flags = get16(&r);
	code = parse(&r, &q);
	if (code == DNS_OK)
		code = look_up(&q, lookup, data, &found, &any);
	if (code == DNS_MALFORMED || code == DNS_NOT_IMPLEMENTED)
		q.q.end = 0;
	put_header(&w, &q, code, any);
	if (q.q.end) {
		memcpy(w.p + w.at, query + HEADER, q.q.end - HEADER);
		w.at = q.q.end;
	}
	if (any)
		put_address(&w, &q, &found);
	if (q.edns)
		put_edns(&w, code);
	return w.at;
}
