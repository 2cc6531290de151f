// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

/* The first chunk and the largest of a small arena: they double, as there may be thousands of arenas. */
#define CHUNK_FIRST ((size_t)2 << 10)
#define CHUNK_SIZE  ((size_t)64 << 10)
#define ALIGNMENT  _Alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *before;
	size_t used;
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

void arena_done(struct arena *a)
{
	struct arena_chunk *c = a->last, *before;

	for (; c; c = before) {
		before = c->before;
		free(c);
	}
	*a = (struct arena){ .max = a->max };
}

static struct arena_chunk *chunk_for(struct arena *a, size_t size)
{
	size_t max = a->max ? a->max : (size_t)4 << 30;
	size_t want = MAX(size, MIN(CHUNK_SIZE, MAX(CHUNK_FIRST, a->used)));
	struct arena_chunk *c = a->last;

	if (c && c->size - c->used >= size)
		return c;
	if (want > max - MIN(max, a->used))
		return NULL;
	/* calloc hands out untouched pages for large sizes, so zeroing is free there. */
	c = calloc(1, sizeof(*c) + want);
	if (!c)
		return NULL;
	c->size = want;
	c->before = a->last;
	a->last = c;
	a->used += want;
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *c;
	void *p;

	if (size > SIZE_MAX - ALIGNMENT)
		return NULL;
	size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	c = chunk_for(a, size);
	if (!c)
		return NULL;
	p = c->bytes + c->used;
	c->used += size;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : arena_alloc(a, bytes);
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (!p)
		return (struct str){ NULL, 0 };
	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

struct str arena_fmt(struct arena *a, const char *format, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (!p)
		return (struct str){ NULL, 0 };
	va_start(ap, format);
	vsnprintf(p, (size_t)n + 1, format, ap);
	va_end(ap);
	return (struct str){ p, (size_t)n };
}
