// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/cgroup/cgroup.h"

#include <errno.h>
#include <strings.h>

/* The power of two of a unit: "", "B", "K", "KB", "KiB"; -1 when it is none. */
static int unit_shift(struct str unit)
{
	static const char letters[] = "KMGTP";
	const char *letter;

	if (unit.n == 0 || str_is(unit, "B") || str_is(unit, "b"))
		return 0;
	letter = strchr(letters, unit.p[0] & ~0x20);
	unit = str_slice(unit, 1, unit.n);
	if (!letter || !*letter || (unit.n && !str_is(unit, "B") && !str_is(unit, "b") &&
		!str_is(unit, "iB") && !str_is(unit, "ib") && !str_is(unit, "i")))
		return -1;
	return 10 * (int)(letter - letters + 1);
}

static size_t digits(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

int cgroup_parse_size(const char *text, uint64_t *ret)
{
	struct str s = str_trim(str_from(text)), part = { "", 0 };
	size_t n = digits(s);
	uint64_t whole, fraction = 0, scale = 1;
	int shift;

	if (n == 0 || str_u64(str_slice(s, 0, n), &whole) < 0)
		return -EINVAL;
	s = str_slice(s, n, s.n);
	if (s.n && s.p[0] == '.') {
		s = str_slice(s, 1, s.n);
		n = digits(s);
		part = str_slice(s, 0, n);
		s = str_slice(s, n, s.n);
		if (n == 0 || n > 6 || str_u64(part, &fraction) < 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < part.n; i++)
		scale *= 10;
	shift = unit_shift(str_trim(s));
	if (shift < 0 || (part.n && shift == 0) || whole > (UINT64_MAX >> 1) >> shift)
		return -EINVAL;
	/* A fraction has at most six digits and a unit at most 2^50: the product needs 70 bits. */
	*ret = (whole << shift) + (uint64_t)(((unsigned __int128)fraction << shift) / scale);
	return 0;
}
