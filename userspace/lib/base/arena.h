/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is freed all at once: graphs, parsed documents. Nothing in an arena is freed by
 * itself. All functions return NULL when memory is out or `max` bytes (0: 4 GiB) are used up.
 */
#ifndef CRATONS_BASE_ARENA_H
#define CRATONS_BASE_ARENA_H

#include "prim/attr.h"
#include "prim/str.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *last;
	size_t used;
	size_t max;
};

#define ARENA_INIT { 0 }
#define _cleanup_arena_ _cleanup_(arena_done)

void arena_done(struct arena *a);

/* `size` zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t n, size_t size);
#define arena_new(a, T)	     ((T *)arena_alloc(a, sizeof(T)))
#define arena_newn(a, T, n) ((T *)arena_array(a, n, sizeof(T)))

/* A copy of the bytes with a NUL behind them; .p is NULL on failure. */
struct str arena_str(struct arena *a, struct str s);
struct str arena_fmt(struct arena *a, const char *format, ...) _printf_(2, 3);

#endif
