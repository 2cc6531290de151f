// SPDX-License-Identifier: GPL-2.0-or-later
/* call-loop COUNT: that often getpid, stat, read of a byte, and open and close. Prints the nanoseconds
 * that one of each took. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int zero;

static void call_getpid(void)
{
	syscall(SYS_getpid);
}

static void call_stat(void)
{
	struct stat st;

	stat("/usr/bin", &st);
}

static void call_read(void)
{
	char byte;

	if (read(zero, &byte, 1) != 1)
		exit(1);
}

static void call_open(void)
{
	close(open("/usr/bin/env", O_RDONLY | O_CLOEXEC));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*call)(void);
	} loops[] = { { "getpid", call_getpid }, { "stat", call_stat }, { "read-byte", call_read },
		{ "open", call_open } };
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 0;

	zero = open("/dev/zero", O_RDONLY);
	for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]) && count > 0; i++) {
		struct timespec from, to;

		clock_gettime(CLOCK_MONOTONIC, &from);
		for (long n = 0; n < count; n++)
			loops[i].call();
		clock_gettime(CLOCK_MONOTONIC, &to);
		printf("%s %.1f\n", loops[i].name, ((double)(to.tv_sec - from.tv_sec) * 1e9 +
			(double)(to.tv_nsec - from.tv_nsec)) / (double)count);
	}
	return count > 0 ? 0 : 2;
}
