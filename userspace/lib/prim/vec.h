/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growable array of one type:  struct { T *v; size_t n, cap; } names = { 0 };
 *
 *	r = vec_push(&names, value);	0 or -ENOMEM (-ERR_LIMIT past VEC_MAX elements)
 *	vec_foreach(p, &names) …	p is a T *
 *	vec_done(&names);		frees the array, not what its elements own
 */
#ifndef CRATONS_PRIM_VEC_H
#define CRATONS_PRIM_VEC_H

#include "prim/attr.h"

#define VEC_MAX ((size_t)1 << 28)

#define VEC(T)                                                                                     \
	struct {                                                                                   \
		T *v;                                                                              \
		size_t n, cap;                                                                     \
	}

/* Makes room for one element more. The pointer type is passed as void ** on purpose. */
int vec_grow(void *v, size_t n, size_t *cap, size_t size);

#define vec_push(vec, ...)                                                                         \
	({                                                                                         \
		int _r = vec_grow(&(vec)->v, (vec)->n, &(vec)->cap, sizeof(*(vec)->v));            \
		if (_r == 0)                                                                       \
			(vec)->v[(vec)->n++] = (__VA_ARGS__);                                      \
		_r;                                                                                \
	})

#define vec_foreach(p, vec)                                                                        \
	for (__typeof__((vec)->v + 0) p = (vec)->v; (vec)->n && p < (vec)->v + (vec)->n; p++)

#define vec_done(vec)                                                                              \
	do {                                                                                       \
		free((vec)->v);                                                                    \
		(vec)->v = NULL;                                                                   \
		(vec)->n = (vec)->cap = 0;                                                         \
	} while (0)

#endif
