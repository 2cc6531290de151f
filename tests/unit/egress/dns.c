// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns.h"

#include "prim/attr.h"

#include <criterion/criterion.h>

struct message {
	uint8_t b[DNS_MESSAGE_MAX * 2];
	size_t n;
};

static int asked;

static enum dns_code look_up(void *data, struct str name, struct dns_found *ret)
{
	asked++;
	if (str_is(name, "full.example"))
		return DNS_FAILED;
	if (!str_is(name, "api.example") && !str_is(name, "four.example"))
		return DNS_NO_NAME;
	ret->a = 0xc6120010;
	ret->has_aaaa = str_is(name, "api.example");
	memset(ret->aaaa, 0x11, sizeof(ret->aaaa));
	return DNS_OK;
}

static void put(struct message *m, const void *bytes, size_t n)
{
	memcpy(m->b + m->n, bytes, n);
	m->n += n;
}

static void put16(struct message *m, unsigned v)
{
	const uint8_t b[] = { (uint8_t)(v >> 8), (uint8_t)v };

	put(m, b, 2);
}

static void put_name(struct message *m, const char *name)
{
	struct str rest = str_from(name);

	while (rest.n) {
		struct str label = str_cut(&rest, '.');
		uint8_t n = (uint8_t)label.n;

		put(m, &n, 1);
		put(m, label.p, label.n);
	}
	put(m, "", 1);
}

static struct message query(const char *name, unsigned type)
{
	struct message m = { .n = 0 };

	put16(&m, 0xabcd);
	put16(&m, 0x0100);
	put16(&m, 1);
	put16(&m, 0);
	put16(&m, 0);
	put16(&m, 0);
	put_name(&m, name);
	put16(&m, type);
	put16(&m, 1);
	return m;
}

static void put_opt(struct message *m, unsigned version)
{
	m->b[11]++;
	put(m, "", 1);
	put16(m, 41);
	put16(m, 4096);
	put16(m, version);
	put16(m, 0);
	put16(m, 0);
}

static struct message answer(const struct message *q)
{
	struct message a = { .n = 0 };

	a.n = dns_answer(q->b, q->n, look_up, NULL, a.b);
	return a;
}

static unsigned code(const struct message *a)
{
	cr_assert_geq(a->n, 12u);
	cr_assert(a->b[2] & 0x80);
	return a->b[3] & 15;
}

static unsigned answers(const struct message *a)
{
	return (unsigned)(a->b[6] << 8 | a->b[7]);
}

Test(dns, addresses)
{
	struct message q = query("ApI.ExAmPlE", 1), a = answer(&q);

	cr_expect_eq(code(&a), 0u);
	cr_expect_eq(answers(&a), 1u);
	cr_expect_eq(a.b[0] << 8 | a.b[1], 0xabcd);
	cr_expect_eq(memcmp(a.b + 12, q.b + 12, q.n - 12), 0, "the letters come back as they were");
	cr_expect_eq(a.n, q.n + 16);
	cr_expect_eq(memcmp(a.b + a.n - 4, "\xc6\x12\x00\x10", 4), 0);
	q = query("api.example", 28);
	a = answer(&q);
	cr_expect_eq(answers(&a), 1u);
	cr_expect_eq(a.n, q.n + 28);
	q = query("four.example", 28);
	a = answer(&q);
	cr_expect_eq(code(&a), 0u, "no data");
	cr_expect_eq(answers(&a), 0u);
}

Test(dns, what_there_is_not)
{
	static const unsigned others[] = { 2, 5, 6, 12, 15, 16, 33, 64, 65, 251, 252, 255, 256, 65535 };
	struct message q = query("evil.example", 1), a = answer(&q);

	cr_expect_eq(code(&a), (unsigned)DNS_NO_NAME);
	q = query("full.example", 1);
	a = answer(&q);
	cr_expect_eq(code(&a), (unsigned)DNS_FAILED);
	asked = 0;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		q = query("api.example", others[i]);
		a = answer(&q);
		cr_expect_eq(code(&a), (unsigned)DNS_REFUSED, "type %u", others[i]);
		cr_expect_eq(answers(&a), 0u);
	}
	q = query("api.example", 1);
	q.b[q.n - 1] = 3;
	a = answer(&q);
	cr_expect_eq(code(&a), (unsigned)DNS_REFUSED, "CHAOS");
	cr_expect_eq(asked, 0);
	q = query("api.example", 1);
	q.b[2] |= 0x10;
	a = answer(&q);
	cr_expect_eq(code(&a), (unsigned)DNS_NOT_IMPLEMENTED, "a status request");
	q = query("api.example", 1);
	q.b[2] |= 0x28;
	a = answer(&q);
	cr_expect_eq(code(&a), (unsigned)DNS_NOT_IMPLEMENTED, "an update");
	/* A dot inside of a label makes no other name. */
	q = query("api#example", 1);
	q.b[12 + 1 + 3] = '.';
	a = answer(&q);
	cr_expect_eq(code(&a), (unsigned)DNS_NO_NAME);
}

Test(dns, edns)
{
	struct message q = query("api.example", 1), a;

	put_opt(&q, 0);
	a = answer(&q);
	cr_expect_eq(code(&a), 0u);
	cr_expect_eq(a.b[11], 1);
	cr_expect_eq(a.n, q.n + 16);
	q = query("api.example", 1);
	put_opt(&q, 1);
	a = answer(&q);
	cr_expect_eq(answers(&a), 0u);
	cr_expect_eq(a.b[a.n - 6], 1, "BADVERS");
	q = query("api.example", 1);
	put_opt(&q, 0);
	put_opt(&q, 0);
	a = answer(&q);
	cr_expect_eq(code(&a), (unsigned)DNS_MALFORMED, "two of them");
}

Test(dns, malformed)
{
	struct message whole = query("api.example", 1), q, a;

	put_opt(&whole, 0);
	for (size_t n = 0; n < whole.n; n++) {
		q = whole;
		q.n = n;
		a = answer(&q);
		if (n < 12)
			cr_expect_eq(a.n, 0u);
		else
			cr_expect_eq(code(&a), (unsigned)DNS_MALFORMED, "%zu bytes", n);
	}
	q = whole;
	put(&q, "x", 1);
	a = answer(&q);
	cr_expect_eq(code(&a), (unsigned)DNS_MALFORMED, "a byte more");
	q = whole;
	q.b[2] |= 0x80;
	cr_expect_eq(answer(&q).n, 0u, "an answer");
	q = whole;
	q.b[5] = 0;
	cr_expect_eq((a = answer(&q), code(&a)), (unsigned)DNS_MALFORMED, "no question");
	q = whole;
	q.b[5] = 2;
	cr_expect_eq((a = answer(&q), code(&a)), (unsigned)DNS_MALFORMED, "two questions");
	q = query("api.example", 1);
	q.b[12] = 0xc0;
	q.b[13] = 12;
	cr_expect_eq((a = answer(&q), code(&a)), (unsigned)DNS_MALFORMED, "a name that points at itself");
	q.n = DNS_MESSAGE_MAX + 1;
	cr_expect_eq(answer(&q).n, 0u, "too long");
}

Test(dns, long_names)
{
	char name[300];
	struct message q, a;

	for (size_t i = 0; i < 253; i++)
		name[i] = i % 64 == 63 ? '.' : 'a';
	name[253] = '\0';
	q = query(name, 1);
	a = answer(&q);
	cr_expect_eq(code(&a), (unsigned)DNS_NO_NAME, "253 bytes are a name");
	memcpy(name + 253, "aa", 3);
	q = query(name, 1);
	a = answer(&q);
	cr_expect_eq(code(&a), (unsigned)DNS_MALFORMED);
	q = query("", 1);
	a = answer(&q);
	cr_expect_eq(code(&a), (unsigned)DNS_NO_NAME, "the root");
}
