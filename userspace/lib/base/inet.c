// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/inet.h"

#include "prim/attr.h"
#include "prim/err.h"

#include <arpa/inet.h>
#include <errno.h>

struct in6_addr inet_from4(uint32_t host_order)
{
	struct in6_addr a = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
	uint32_t n = htonl(host_order);

	memcpy(&a.s6_addr[12], &n, 4);
	return a;
}

bool inet_is4(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

bool inet_covers(const struct in6_addr *net, unsigned bits, const struct in6_addr *a)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));

	if (bits > 128 || memcmp(net, a, whole) != 0)
		return false;
	return rest == 0 || ((net->s6_addr[whole] ^ a->s6_addr[whole]) & mask) == 0;
}

struct block {
	const char *net;
	unsigned bits;
};

/* https://www.iana.org/assignments/iana-ipv4-special-registry; multicast; future use and broadcast. */
static const struct block special4[] = {
	{ "0.0.0.0", 8 }, { "10.0.0.0", 8 }, { "100.64.0.0", 10 }, { "127.0.0.0", 8 },
	{ "169.254.0.0", 16 }, { "172.16.0.0", 12 }, { "192.0.0.0", 24 }, { "192.0.2.0", 24 },
	{ "192.88.99.0", 24 }, { "192.168.0.0", 16 }, { "198.18.0.0", 15 }, { "198.51.100.0", 24 },
	{ "203.0.113.0", 24 }, { "224.0.0.0", 4 }, { "240.0.0.0", 4 },
	/* Azure's "wire server", which hands out a machine's settings, has a public number. */
	{ "168.63.129.16", 32 },
};

/* Of IPv6 only 2000::/3 is global unicast; these are its exceptions
 * (https://www.iana.org/assignments/iana-ipv6-special-registry). */
static const struct block special6[] = {
	{ "2001::", 23 }, { "2001:db8::", 32 }, { "3fff::", 20 },
};

static bool in_block(const struct block *b, unsigned base, const struct in6_addr *a)
{
	struct in6_addr net;

	return inet_parse(str_from(b->net), &net) == 0 && inet_covers(&net, base + b->bits, a);
}

static uint32_t four_at(const struct in6_addr *a, unsigned at)
{
	uint32_t n;

	memcpy(&n, &a->s6_addr[at], 4);
	return ntohl(n);
}

static bool is_public4(const struct in6_addr *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(special4); i++)
		if (in_block(&special4[i], 96, a))
			return false;
	return true;
}

bool inet_is_public(const struct in6_addr *a)
{
	static const struct block translated = { "64:ff9b::", 96 }, sixto4 = { "2002::", 16 },
		global = { "2000::", 3 };
	struct in6_addr inner;

	if (inet_is4(a))
		return is_public4(a);
	if (in_block(&translated, 0, a) || in_block(&sixto4, 0, a)) {
		inner = inet_from4(four_at(a, a->s6_addr[0] ? 2 : 12));
		return is_public4(&inner);
	}
	if (!in_block(&global, 0, a))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(special6); i++)
		if (in_block(&special6[i], 0, a))
			return false;
	return true;
}

bool inet_reaches(const struct in6_addr *net, unsigned bits, const struct in6_addr *a)
{
	bool four = bits >= 96 && inet_is4(net);

	if (!inet_covers(net, bits, a) || four != inet_is4(a))
		return false;
	return bits != (four ? 96 : 0) || inet_is_public(a);
}

const char *inet_text(const struct in6_addr *a, char text[INET_TEXT])
{
	const char *r = inet_is4(a) ? inet_ntop(AF_INET, &a->s6_addr[12], text, INET_TEXT) :
		inet_ntop(AF_INET6, a, text, INET_TEXT);

	return r ? r : "?";
}

int inet_parse(struct str text, struct in6_addr *ret)
{
	struct in6_addr a = inet_from4(0);
	char copy[INET_TEXT];

	if (text.n == 0 || text.n >= sizeof(copy) || memchr(text.p, '\0', text.n))
		return -EINVAL;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET, copy, &a.s6_addr[12]) != 1 && inet_pton(AF_INET6, copy, &a) != 1)
		return -EINVAL;
	*ret = a;
	return 0;
}

socklen_t inet_to_sockaddr(const struct in6_addr *a, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_is4(a)) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, &a->s6_addr[12], 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	in6->sin6_addr = *a;
	return sizeof(*in6);
}

int inet_from_sockaddr(const struct sockaddr *sa, struct in6_addr *ret, uint16_t *ret_port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

	if (sa->sa_family == AF_INET) {
		*ret = inet_from4(ntohl(in->sin_addr.s_addr));
		*ret_port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		*ret = in6->sin6_addr;
		*ret_port = ntohs(in6->sin6_port);
	} else {
		return -EAFNOSUPPORT;
	}
	return 0;
}

static int parse_port(struct str text, uint16_t least, uint16_t *ret)
{
	uint64_t v;

	if (text.n == 0 || text.n > 5 || (text.n > 1 && text.p[0] == '0') || str_u64(text, &v) < 0 ||
		v < least || v > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)v;
	return 0;
}

static int parse_range(struct str text, uint16_t least, struct inet_ports *ret)
{
	bool range = str_find(text, '-', 0) < text.n;
	struct str from = str_cut(&text, '-');

	if (parse_port(from, least, &ret->from) < 0 || parse_port(range ? text : from, least, &ret->to) < 0)
		return -EINVAL;
	return ret->from > ret->to ? -EINVAL : 0;
}

int inet_parse_ports(struct str text, uint16_t least, struct inet_ports *ret, size_t max)
{
	size_t n, commas = 0;

	for (size_t i = 0; i < text.n; i++)
		commas += text.p[i] == ',';
	if (commas >= max)
		return -ERR_LIMIT;
	for (n = 0; n <= commas; n++) {
		int r = parse_range(str_cut(&text, ','), least, &ret[n]);

		if (r < 0)
			return r;
	}
	return (int)n;
}
