/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiler attributes and the ownership macros: _cleanup_(), TAKE_PTR, TAKE_FD. */
#ifndef CRATONS_PRIM_ATTR_H
#define CRATONS_PRIM_ATTR_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define _cleanup_(f)	__attribute__((cleanup(f)))
#define _printf_(a, b)	__attribute__((format(printf, a, b)))
#define _must_check_	__attribute__((warn_unused_result))
#define _unused_	__attribute__((unused))
#define _noreturn_	__attribute__((noreturn))
#define _packed_	__attribute__((packed))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	((a) < (b) ? (a) : (b))
#define MAX(a, b)	((a) > (b) ? (a) : (b))
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))

/* Hands the value on and leaves NULL (-1) behind, so that a _cleanup_ of it does nothing. */
#define TAKE_PTR(p) ({ __typeof__(p) _taken = (p); (p) = NULL; _taken; })
#define TAKE_FD(fd) ({ int _taken = (fd); (fd) = -1; _taken; })

/* Defines <func>_p(type *), the form that _cleanup_ wants, for a func that takes the value. */
#define DEFINE_CLEANUP(type, func)                                                                 \
	static inline void func##_p(type *p)                                                       \
	{                                                                                          \
		if (*p)                                                                            \
			func(*p);                                                                  \
	}                                                                                          \
	struct cleanup_needs_semicolon_##func

static inline void freep(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(freep)

#endif
