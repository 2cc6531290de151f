// SPDX-License-Identifier: GPL-2.0-or-later
#include "prim/vec.h"

#include "prim/err.h"

#include <errno.h>
#include <string.h>

int vec_grow(void *v, size_t n, size_t *cap, size_t size)
{
	size_t want;
	void *old, *grown;

	if (n < *cap)
		return 0;
	if (n >= VEC_MAX)
		return -ERR_LIMIT;
	want = MAX((size_t)8, *cap + *cap / 2);
	memcpy(&old, v, sizeof(old));
	grown = reallocarray(old, want, size);
	if (!grown)
		return -ENOMEM;
	memcpy(v, &grown, sizeof(grown));
	*cap = want;
	return 0;
}
