// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/fetch/url.h"

#include <errno.h>

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool same_text(struct str a, struct str b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool starts(struct str s, const char *lower)
{
	size_t n = strlen(lower);

	return s.n >= n && strncasecmp(s.p, lower, n) == 0;
}

static bool chars_valid(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\\\"<>^`{|}", s.p[i]))
			return false;
	return true;
}

/* A name or IPv4 address of letters, digits, '-', '_', '.', or "[…]" of an IPv6 address. */
static bool host_valid(struct str h)
{
	bool v6 = h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']';

	if (v6)
		h = str_slice(h, 1, h.n - 1);
	if (h.n == 0 || h.n > 253)
		return false;
	for (size_t i = 0; i < h.n; i++)
		if (!is_alnum(h.p[i]) && !strchr(v6 ? ":." : "-_.", h.p[i]))
			return false;
	return true;
}

/* The length of the authority's host: up to a ':' that is not inside brackets. */
static size_t host_length(struct str authority)
{
	if (authority.n && authority.p[0] == '[')
		return MIN(str_find(authority, ']', 0) + 1, authority.n);
	return str_find(authority, ':', 0);
}

static int parse_authority(struct url *u, struct str a)
{
	uint64_t port = u->https ? 443 : 80;
	size_t n = host_length(a);

	u->host = str_slice(a, 0, n);
	a = str_slice(a, n, a.n);
	u->has_port = a.n > 0;
	if (u->has_port && (a.p[0] != ':' || str_u64(str_slice(a, 1, a.n), &port) < 0))
		return -EINVAL;
	if (port == 0 || port > UINT16_MAX || !host_valid(u->host))
		return -EINVAL;
	u->port = (uint16_t)port;
	return 0;
}

static size_t find_any(struct str s, const char *stops)
{
	size_t n = 0;

	while (n < s.n && !strchr(stops, s.p[n]))
		n++;
	return n;
}

int url_parse(struct url *ret, struct str text)
{
	struct url u = { .https = starts(text, "https://") };
	struct str authority;
	size_t at;
	int r;

	if (text.n > URL_MAX || !chars_valid(text) || (!u.https && !starts(text, "http://")))
		return -EINVAL;
	text = str_slice(text, u.https ? 8 : 7, text.n);
	at = find_any(text, "/?#");
	authority = str_slice(text, 0, at);
	text = str_slice(text, at, text.n);
	u.path = str_slice(text, 0, find_any(text, "?#"));
	at = str_find(authority, '@', 0);
	if (at < authority.n) {
		r = parse_authority(&u, str_slice(authority, at + 1, authority.n));
		return r < 0 ? r : -EACCES;
	}
	r = parse_authority(&u, authority);
	if (r == 0)
		*ret = u;
	return r;
}

bool url_same_host(const struct url *a, const struct url *b)
{
	return a->port == b->port && same_text(a->host, b->host);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->https == b->https && url_same_host(a, b);
}

/* 127.0.0.0/8 in its dotted form only: other spellings are not worth trusting. */
static bool is_v4_loopback(struct str h)
{
	unsigned parts = 0;

	if (!str_starts(h, STR("127.")))
		return false;
	while (h.p) {
		struct str part = str_cut(&h, '.');
		uint64_t v;

		if (str_u64(part, &v) < 0 || v > 255 || part.n > 3)
			return false;
		parts++;
	}
	return parts == 4;
}

bool url_is_loopback(const struct url *u)
{
	return same_text(u->host, STR("localhost")) || str_is(u->host, "[::1]") ||
	       is_v4_loopback(u->host);
}

int url_redact(struct str text, struct buf *ret)
{
	struct str rest = str_slice(text, 0, find_any(text, "?#"));
	size_t scheme = 0, at;
	int r;

	while (scheme < rest.n && is_alnum(rest.p[scheme]))
		scheme++;
	scheme = str_starts(str_slice(rest, scheme, rest.n), STR("://")) ? scheme + 3 : 0;
	at = scheme + find_any(str_slice(rest, scheme, rest.n), "/\\");
	r = buf_addstr(ret, str_slice(rest, 0, scheme));
	for (size_t i = at; i > scheme; i--)
		if (rest.p[i - 1] == '@') {
			scheme = i;
			break;
		}
	if (r == 0)
		r = buf_addstr(ret, str_slice(rest, scheme, rest.n));
	if (r == 0 && rest.n < text.n && text.p[rest.n] == '?')
		r = buf_adds(ret, "?...");
	return r;
}
