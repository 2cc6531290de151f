/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few system calls of cratons-init, without a C library. Each returns what the kernel returns:
 * a negative errno on failure.
 */
#ifndef CRATONS_HELPERS_INIT_SYS_H
#define CRATONS_HELPERS_INIT_SYS_H

#include <asm/unistd.h>
#include <linux/types.h>

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#else
#error "cratons-init does not know this processor"
#endif
}

#define sys0(nr)	     sys6(nr, 0, 0, 0, 0, 0, 0)
#define sys1(nr, a)	     sys6(nr, (long)(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b)	     sys6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c)    sys6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys4(nr, a, b, c, d) sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define sys5(nr, a, b, c, d, e)                                                                    \
	sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

/* start.c calls it with the stack as the kernel left it and exits with what it returns. */
int init_main(int argc, char **argv, char **envp);

#endif
