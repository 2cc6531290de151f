// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the kernel enters, and the two functions that compilers call unasked. */
#include "sys.h"

#include <stddef.h>

void *memset(void *to, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void init_start(long *stack) __attribute__((noreturn, used, visibility("hidden")));

void *memset(void *to, int c, size_t n)
{
	unsigned char *p = to;

	while (n--)
		*p++ = (unsigned char)c;
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	unsigned char *p = to;
	const unsigned char *q = from;

	while (n--)
		*p++ = *q++;
	return to;
}

/* argc, then the arguments, NULL, then the environment (System V ABI, 3.4.1). */
void init_start(long *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);

	for (;;)
		sys1(__NR_exit_group, init_main(argc, argv, argv + argc + 1));
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\t"
	"call init_start\n\thlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl init_start\n\tbrk #1\n");
#endif
