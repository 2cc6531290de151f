// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/manifest/names.h"

#include "prim/attr.h"

#define URL_MAX 2048

/* What encodeURIComponent leaves alone, which is what npm allows in old names. A table, as every byte
 * of every name of a lockfile is looked up. */
static bool url_safe(char c)
{
	static const bool safe[256] = {
		['a' ... 'z'] = true,
		['A' ... 'Z'] = true,
		['0' ... '9'] = true,
		['-'] = true,
		['_'] = true,
		['.'] = true,
		['~'] = true,
		['!'] = true,
		['*'] = true,
		['\''] = true,
		['('] = true,
		[')'] = true,
	};

	return safe[(unsigned char)c];
}

static bool part_valid(struct str s)
{
	if (s.n == 0 || s.p[0] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!url_safe(s.p[i]))
			return false;
	return true;
}

bool name_is_package(struct str s)
{
	size_t slash;

	if (s.n > NAME_MAX_BYTES || str_is(s, "node_modules"))
		return false;
	if (s.n == 0 || s.p[0] != '@')
		return part_valid(s);
	slash = str_find(s, '/', 0);
	return part_valid(str_slice(s, 1, slash)) && part_valid(str_slice(s, slash + 1, s.n));
}

bool name_is_command(struct str s)
{
	return s.n <= NAME_MAX_BYTES && part_valid(s);
}

bool name_is_version(struct str s)
{
	if (s.n == 0 || s.n > 256 || s.p[0] == '-' || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!url_safe(s.p[i]) && s.p[i] != '+')
			return false;
	return true;
}

/* C1 controls (U+0080 to U+009F) count: terminals obey them too. */
static bool has_controls(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0)
			return true;
	}
	return false;
}

bool name_is_inner_path(struct str s)
{
	struct str rest = s;

	if (s.n == 0 || s.n > 4095 || !str_utf8(s) || has_controls(s) || memchr(s.p, '\\', s.n))
		return false;
	while (rest.p) {
		struct str part = str_cut(&rest, '/');

		if (part.n == 0 || part.n > 255 || str_is(part, ".") || str_is(part, ".."))
			return false;
	}
	return true;
}

bool name_is_line(struct str s, size_t max)
{
	return s.n > 0 && s.n <= max && str_utf8(s) && !has_controls(s);
}

bool name_is_url(struct str s)
{
	struct str rest, host;

	if (s.n > URL_MAX || !name_is_line(s, URL_MAX) || memchr(s.p, ' ', s.n))
		return false;
	if (str_starts(s, STR("https://")))
		rest = str_slice(s, 8, s.n);
	else if (str_starts(s, STR("http://")))
		rest = str_slice(s, 7, s.n);
	else
		return false;
	host = str_cut(&rest, '/');
	host = str_slice(host, 0, MIN(str_find(host, '?', 0), str_find(host, '#', 0)));
	return host.n > 0 && !memchr(host.p, '@', host.n) &&
	       !memchr(host.p, '\\', host.n);
}
